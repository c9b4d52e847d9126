//! Challenges, credentials and information fields in arbitrary lines.
//!
//! - The lines of a field mean the same as one line of them, joined by commas.
//! - A field holds a message of a server only if it holds a challenge for Mutual; likewise for clients.
//! - A message that was read, written and read again is the same message, for either role.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_core::grammar::{Challenge, MAX_FIELD_LEN, parse_challenges, parse_credentials, parse_info};
use tagai_core::message::{ClientMessage, Field, Role, SCHEME, ServerMessage};
use tagai_fuzz::lines;

fuzz_target!(|input: &[u8]| {
    let lines = lines(input);
    let joined = lines.join(&b", "[..]);
    let challenges = parse_challenges(lines.iter().copied());
    assert_eq!(challenges, parse_challenges([&joined[..]]));
    assert_eq!(parse_info(lines.iter().copied(), SCHEME), parse_info([&joined[..]], SCHEME));
    for line in &lines {
        if let Ok(credentials) = parse_credentials(line) {
            assert_eq!(parse_challenges([*line]), Ok(vec![credentials]));
        }
    }

    let of_server = ServerMessage::read(lines.iter().copied());
    let mutual = |challenge: &Challenge| challenge.is(SCHEME);
    match &of_server {
        Ok(None) => assert!(!challenges.is_ok_and(|all| all.iter().any(mutual))),
        Ok(Some(_)) => assert_eq!(challenges.map(|all| all.into_iter().filter(mutual).count()), Ok(1)),
        Err(_) => {}
    }
    if let Ok(Some(message)) = of_server {
        for role in [Role::OriginServer, Role::Proxy] {
            server_message_again(&message, role);
        }
    }
    if let Ok(Some(message)) = ClientMessage::read(lines.iter().copied()) {
        assert!(lines.iter().any(|line| parse_credentials(line).is_ok_and(|credentials| credentials.is(SCHEME))));
        for role in [Role::OriginServer, Role::Proxy] {
            client_message_again(&message, role);
        }
    }
});

fn of_server_field(message: &ServerMessage, role: Role) -> Field {
    match message {
        ServerMessage::Init(init) => init.to_field(role),
        ServerMessage::Stale(stale) => stale.to_field(role),
        ServerMessage::KexS1(answer) => answer.to_field(role),
    }
}

fn of_client_field(message: &ClientMessage, role: Role) -> Field {
    match message {
        ClientMessage::KexC1(kex) => kex.to_field(role),
        ClientMessage::VfyC(vfy) => vfy.to_field(role),
    }
}

fn server_message_again(message: &ServerMessage, role: Role) {
    let field = of_server_field(message, role);
    // Text outside of ASCII gets longer by being written, and too long is not read.
    if field.value.len() > MAX_FIELD_LEN {
        return;
    }
    let again = ServerMessage::read([field.value.as_bytes()]).expect("what was written").expect("a message");
    assert_eq!(of_server_field(&again, role), field);
    match (message, &again) {
        (ServerMessage::Init(before), ServerMessage::Init(after)) => assert_eq!(before, after),
        (ServerMessage::Stale(before), ServerMessage::Stale(after)) => assert_eq!(before, after),
        (ServerMessage::KexS1(before), ServerMessage::KexS1(after)) => {
            assert_eq!((before.sid(), before.terms()), (after.sid(), after.terms()));
        }
        kinds => panic!("another kind of message: {kinds:?}"),
    }
}

fn client_message_again(message: &ClientMessage, role: Role) {
    let field = of_client_field(message, role);
    if field.value.len() > MAX_FIELD_LEN {
        return;
    }
    let again = ClientMessage::read([field.value.as_bytes()]).expect("what was written").expect("a message");
    assert_eq!(of_client_field(&again, role), field);
    match (message, &again) {
        (ClientMessage::KexC1(before), ClientMessage::KexC1(after)) => {
            assert_eq!((before.user(), before.k_c1(), before.terms()), (after.user(), after.k_c1(), after.terms()));
        }
        (ClientMessage::VfyC(before), ClientMessage::VfyC(after)) => {
            assert_eq!((before.sid(), before.nc(), before.terms()), (after.sid(), after.nc(), after.terms()));
        }
        kinds => panic!("another kind of message: {kinds:?}"),
    }
}
