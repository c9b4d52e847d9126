//! Credentials, names of principals and serial numbers: two lines, each read as all of them.
//!
//! - What is accepted is written in one way only, within its bound, and read again as the same; it stays one line.
//! - The name of a principal that is not registered leads back to its credential, is no name of a registered one, and differs from
//!   that of every other credential: no user and no certificate can be made to look like another.
//! - A serial number is the number that its octets are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_store::principal::{
    Credential, Directory, GroupName, KeyPin, MAX_CREDENTIAL_LEN, MAX_NAME_LEN, MAX_SUBJECT_LEN, PrincipalName,
    Resolved, Serial, SubjectName,
};

fuzz_target!(|input: &str| {
    let (one, other) = input.split_once('\n').unwrap_or((input, ""));
    let [one, other] = [one, other].map(|line| {
        names(line);
        serial(line);
        credential(line)
    });
    if let (Some(one), Some(other)) = (one, other) {
        let same = one == other;
        assert_eq!(one.to_string() == other.to_string(), same);
        if one.subject().is_some() {
            assert_eq!(one.subject() == other.subject(), same, "{one} and {other}");
        }
    }
});

fn credential(line: &str) -> Option<Credential> {
    if let Ok(pin) = line.parse::<KeyPin>() {
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!(KeyPin::from_octets(*pin.octets()), pin);
    }
    let credential: Credential = line.parse().ok()?;
    let text = credential.to_string();
    assert!(text.len() <= MAX_CREDENTIAL_LEN && !text.chars().any(char::is_control));
    assert!(text.len() <= line.len());
    assert_eq!(text.parse().as_ref(), Ok(&credential));
    let subject = credential.subject();
    match (Directory::default().resolve(&credential), &subject) {
        (Resolved::Unregistered(name), Some(subject)) => assert_eq!(name, *subject),
        (Resolved::Nobody, None) => assert!(matches!(credential, Credential::Key(_))),
        other => panic!("{other:?}"),
    }
    if let Some(subject) = subject {
        assert!(subject.as_str().len() <= MAX_SUBJECT_LEN);
        assert_eq!(subject.credential().as_ref(), Some(&credential));
        assert_eq!(subject.as_str().parse(), Ok(subject));
    }
    Some(credential)
}

fn names(line: &str) {
    let registered = line.parse::<PrincipalName>();
    assert_eq!(registered.is_ok(), line.parse::<GroupName>().is_ok());
    assert!(registered.is_err() || line.len() <= MAX_NAME_LEN);
    assert!(registered.is_err() || line.parse::<Credential>().is_err());
    let Ok(subject) = line.parse::<SubjectName>() else { return };
    assert_eq!(subject.as_str().parse().as_ref(), Ok(&subject));
    match subject.credential() {
        Some(credential) => {
            assert!(registered.is_err() && subject.as_str().contains('/'));
            assert_eq!(credential.subject(), Some(subject));
        }
        None => assert_eq!(registered.map(|name| name.to_string()), Ok(subject.to_string())),
    }
}

fn serial(line: &str) {
    let Ok(serial) = line.parse::<Serial>() else { return };
    let text = serial.to_string();
    assert_eq!(text.parse().as_ref(), Ok(&serial));
    let octets: Vec<u8> = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    assert_eq!(Serial::from_octets(&octets).as_ref(), Ok(&serial));
    let bare = |text: &str| {
        let digits: String = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
        digits.trim_start_matches("0x").trim_start_matches('0').to_owned()
    };
    assert_eq!(bare(line), bare(&text));
}
