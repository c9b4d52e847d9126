//! `tls-server-end-point` of arbitrary octets.
//!
//! - A binding is the output of a hash function by its length, and can be stored and read again.
//! - The exporter takes its place exactly if RFC 5929 leaves the hash function open.
//! - A certificate with an octet behind it is none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_core::validation::{Channel, EndPoint, EndPointError, Exporter};

fuzz_target!(|input: &[u8]| {
    let end_point = EndPoint::from_certificate(input);
    let exporter = Exporter([7; 32]);
    let channel = match &end_point {
        Ok(end_point) => {
            assert_eq!(EndPoint::from_hash(end_point.as_bytes()).as_ref(), Ok(end_point));
            Ok(Channel::Certificate(end_point.clone()))
        }
        Err(EndPointError::Undefined) => Ok(Channel::Exporter(exporter.clone())),
        Err(error) => Err(*error),
    };
    assert_eq!(Channel::tls(input, Some(exporter)), channel);
    assert_eq!(Channel::tls(input, None), end_point.clone().map(Channel::Certificate));
    if end_point != Err(EndPointError::Malformed) {
        assert_eq!(EndPoint::from_certificate(&[input, &[0]].concat()), Err(EndPointError::Malformed));
    }
});
