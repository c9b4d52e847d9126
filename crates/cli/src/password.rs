//! Where passwords come from: never from the command line, which every process of the machine can read.

use crate::failure::Failure;
use crate::output;
use std::io::Read as _;
use std::path::Path;
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::{MAX_PASSWORD_LEN, Password, PrepareError, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::AuthRealm;
use zeroize::Zeroizing;

/// How a command gets the password. There is no option that holds it: command lines are seen by others and kept in histories.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Source {
    /// Read the password from standard input: one line
    #[arg(long, conflicts_with = "generate")]
    pub(crate) password_stdin: bool,
    /// Make a strong password and print it, once
    #[arg(long)]
    pub(crate) generate: bool,
}

/// Letters and digits that are not taken for one another: 32 of them, 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of a generated password: 100 bits.
const GENERATED_LEN: usize = 20;
/// Fewest characters of a password that somebody chooses. Nothing else of it is judged: rules about signs make people choose worse ones.
const LEAST: usize = 8;

impl Source {
    /// The password that an operator gives to a user: asked for twice, read, or made. A short one is the operator's own doing.
    pub(crate) fn choose(self, user: &Username) -> Result<Zeroizing<String>, Failure> {
        let chosen = if self.generate {
            generate()?
        } else if self.password_stdin {
            from_stdin()?
        } else {
            ask_twice(user)?
        };
        if is_short(&chosen) {
            output::note(&format!(
                "warning: a password of fewer than {LEAST} characters is soon guessed by whoever steals the database; --generate makes a \
                 strong one"
            ));
        }
        Ok(chosen)
    }
}

/// Asks for a new password, twice.
pub(crate) fn ask_twice(user: &Username) -> Result<Zeroizing<String>, Failure> {
    let first = ask(&format!("New password for {user}: "))?;
    prepare(&first)?;
    let second = ask("The same again: ")?;
    if first == second {
        Ok(first)
    } else {
        Err(Failure::other("the two passwords are not the same").help("nothing was changed; try again"))
    }
}

fn is_short(password: &str) -> bool {
    password.chars().count() < LEAST
}

/// Whether somebody may choose this password: it can be used, and is not short.
pub(crate) fn acceptable(password: &str) -> Result<(), Failure> {
    prepare(password)?;
    if is_short(password) {
        return Err(Failure::other(format!("the new password is too short: at least {LEAST} characters")));
    }
    Ok(())
}

/// Makes a password of groups of letters and digits.
pub(crate) fn generate() -> Result<Zeroizing<String>, Failure> {
    let mut octets = Zeroizing::new([0; GENERATED_LEN]);
    getrandom::fill(octets.as_mut())
        .map_err(|error| Failure::other(format!("the random generator of the system failed: {error}")))?;
    let mut text = Zeroizing::new(String::with_capacity(GENERATED_LEN + GENERATED_LEN / 4));
    for (position, octet) in octets.iter().enumerate() {
        if position > 0 && position % 4 == 0 {
            text.push('-');
        }
        // 32 divides 256: each letter is as likely as every other.
        text.push(char::from(ALPHABET[usize::from(octet % 32)]));
    }
    Ok(text)
}

/// The one line of standard input.
pub(crate) fn from_stdin() -> Result<Zeroizing<String>, Failure> {
    one_line(std::io::stdin().lock(), "standard input").map_err(|failure| {
        if failure.message().starts_with("there is more than one line") {
            failure.help("--password-stdin takes one line, the password: printf '%s\\n' \"$PASSWORD\" | tagai ...")
        } else {
            failure
        }
    })
}

/// The one line of a file.
pub(crate) fn from_path(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::other(format!("cannot read {}: {error}", path.display())))?;
    one_line(file, &path.display().to_string())
}

fn one_line(source: impl std::io::Read, place: &str) -> Result<Zeroizing<String>, Failure> {
    // A line's end may be two octets, and one more shows that there is too much.
    let limit = MAX_PASSWORD_LEN + 3;
    let mut octets = Zeroizing::new(Vec::with_capacity(limit + 1));
    source
        .take(limit as u64)
        .read_to_end(&mut octets)
        .map_err(|error| Failure::other(format!("{place} cannot be read: {error}")))?;
    let text =
        std::str::from_utf8(&octets).map_err(|_| Failure::other(format!("the password on {place} is not UTF-8")))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        return Err(Failure::other(format!("there is more than one line on {place}")));
    }
    if line.is_empty() {
        return Err(Failure::other(format!("there is no password on {place}")));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Asks on the terminal, without echo.
pub(crate) fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        Failure::usage(format!("there is no terminal on which a password could be asked for: {error}"))
            .help("give it on standard input with --password-stdin, or let one be made with --generate")
    })
}

/// Prepares a password by RFC 8265.
pub(crate) fn prepare(typed: &str) -> Result<Password, Failure> {
    Password::prepare(typed).map_err(|error| {
        let failure = Failure::other(format!("this password cannot be used: {error}"));
        match error {
            PrepareError::TooLong => failure.help(format!("{MAX_PASSWORD_LEN} octets are the most")),
            PrepareError::Disallowed => {
                failure.help("control characters such as tabs cannot be in a password (RFC 8265)")
            }
            _ => failure,
        }
    })
}

/// Prepares a user's name by RFC 8265; says so if that changed it.
pub(crate) fn user_name(typed: &str) -> Result<Username, Failure> {
    let name = Username::prepare(typed).map_err(|error| {
        let failure = Failure::usage(format!("{typed:?} cannot be a user name: {error}"));
        match error {
            PrepareError::Disallowed => failure.help(
                "letters and digits of any language, ASCII punctuation, and single spaces between words make one",
            ),
            _ => failure,
        }
    })?;
    if name.as_str() != typed {
        output::note(&format!(
            "note: the name is kept as {name:?}, its prepared form (RFC 8265)",
            name = name.as_str()
        ));
    }
    Ok(name)
}

/// What the server keeps of a password.
pub(crate) fn verifier(realm: &AuthRealm, user: &Username, password: &str) -> Result<J, Failure> {
    let password = prepare(password)?;
    derive(realm, user, &password)
}

/// The slow step: thousands of rounds of hashing, on purpose.
pub(crate) fn derive(realm: &AuthRealm, user: &Username, password: &Password) -> Result<J, Failure> {
    let algorithm: Algorithm = realm.algorithm;
    J::from_pi(algorithm, &Pi::derive(realm, user, password))
        .map_err(|error| Failure::other(format!("the verifier cannot be computed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_are_strong_and_different() {
        let all: Vec<_> = (0..50).map(|_| generate().unwrap()).collect();
        for (position, text) in all.iter().enumerate() {
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4; 5], "{}", **text);
            assert!(text.bytes().all(|octet| octet == b'-' || ALPHABET.contains(&octet)));
            assert!(Password::prepare(text).is_ok());
            assert!(!all[..position].contains(text));
        }
        let distinct: std::collections::HashSet<u8> = ALPHABET.iter().copied().collect();
        assert_eq!(distinct.len(), 32, "5 bits a letter");
    }
}
