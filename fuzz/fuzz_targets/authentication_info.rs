//! The server's proof in arbitrary lines of `Authentication-Info`, for each algorithm.
//!
//! - There is no message exactly if there is no line.
//! - A message that was read, written and read again is the same message, with a value of the algorithm's length.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_core::algorithm::Algorithm;
use tagai_core::message::{Role, VfyS};
use tagai_fuzz::lines;

fuzz_target!(|input: &[u8]| {
    let lines = lines(input);
    for algorithm in Algorithm::ALL {
        let Ok(message) = VfyS::read(lines.iter().copied(), algorithm) else { continue };
        assert_eq!(message.is_none(), lines.is_empty());
        let Some(message) = message else { continue };
        for role in [Role::OriginServer, Role::Proxy] {
            let field = message.to_field(role);
            let again =
                VfyS::read([field.value.as_bytes()], algorithm).expect("what was written").expect("a message");
            assert_eq!(again.to_field(role), field);
        }
    }
});
