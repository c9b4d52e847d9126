//! A request, as the command line describes it.

use crate::failure::Failure;
use crate::{proof_file, registrar};
use http::uri::Uri;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;
use tagai_gateway::preview::{Imagined, Sender};
use tagai_store::principal::{Credential, Method};

/// Who sends a request, how, from where and when.
#[derive(Debug, clap::Args)]
pub(super) struct RequestArgs {
    /// Whose request it is: a principal, such as alice, or staff/alice for a user who is not registered
    #[arg(long = "as", value_name = "NAME", conflicts_with_all = ["credential", "certificate"])]
    name: Option<String>,
    /// What is proven: user:REALM/NAME, x509:CLIENT-CA/KIND:NAME or key:sha256:BASE64
    #[arg(long, value_name = "CREDENTIAL", conflicts_with = "certificate")]
    credential: Option<String>,
    /// The certificate that is shown, in PEM, with those that the client sends along
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// How it is proven: mutual, x509, raw-key or password-tls [default: the first that is there and that the route takes]
    #[arg(long, value_name = "METHOD")]
    proof: Option<String>,
    /// The HTTP method [default: GET]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// The name of the [[forward-proxy]] that it goes through [default: it is for a site of the gateway]
    #[arg(long, value_name = "NAME")]
    pub(super) proxy: Option<String>,
    /// The address that it comes from [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,
    /// When it comes, in UTC: 2026-11-21T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl RequestArgs {
    /// The request for a URL.
    pub(super) fn read(&self, url: &str, now: Duration) -> Result<Imagined, Failure> {
        let wrong = |what: String| Failure::usage(what).help("such as https://www.example.com/api/x");
        // A fragment stays with the client.
        let asked = url.split('#').next().unwrap_or_default();
        let url: Uri = asked.parse().map_err(|error| wrong(format!("{url:?} is no URL: {error}")))?;
        if !matches!(url.scheme_str(), Some("http" | "https")) {
            return Err(wrong(format!("{url} is of a scheme that no route has")));
        }
        let method = self.method.as_deref().unwrap_or("GET");
        let method = method.parse().map_err(|_| Failure::usage(format!("{method:?} is no HTTP method")))?;
        let time = self.at.as_deref().map(at).transpose()?;
        Ok(Imagined {
            url,
            method,
            source: self.from.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            time: time.unwrap_or(now),
            sender: self.sender()?,
        })
    }

    fn sender(&self) -> Result<Sender, Failure> {
        let method = self.proof.as_deref().map(|text| {
            text.parse::<Method>().map_err(|_| {
                Failure::usage(format!("there is no method of proof {text:?}"))
                    .help("there are mutual, x509, raw-key and password-tls")
            })
        });
        let method = method.transpose()?;
        if let Some(file) = &self.certificate {
            if method.is_some_and(|method| method != Method::X509) {
                return Err(Failure::usage("a certificate is a proof by x509"));
            }
            return Ok(Sender::Certificate(proof_file::chain(file)?.into()));
        }
        if let Some(text) = &self.credential {
            let credential = registrar::credential(text)?;
            let fits = match &credential {
                Credential::User { .. } => [Method::Mutual, Method::PasswordTls].as_slice(),
                Credential::Certificate { .. } => &[Method::X509],
                Credential::Key(_) => &[Method::RawKey],
            };
            if let Some(method) = method.filter(|method| !fits.contains(method)) {
                return Err(Failure::usage(format!("{credential} cannot be proven by {method}")));
            }
            return Ok(Sender::Credential { credential, method });
        }
        match &self.name {
            Some(name) => Ok(Sender::Principal { name: registrar::subject_name(name)?, method }),
            None if method.is_some() => {
                let failure = Failure::usage("--proof says how, and nothing says who");
                Err(failure.help("add --as NAME, --credential CREDENTIAL or --certificate FILE"))
            }
            None => Ok(Sender::Guest),
        }
    }

    /// Fails if anything is said of a request, where there is none.
    pub(super) fn must_be_empty(&self) -> Result<(), Failure> {
        let Self { name, credential, certificate, proof, method, proxy, from, at } = self;
        let said = name.is_some() || credential.is_some() || certificate.is_some() || proof.is_some();
        if said || method.is_some() || proxy.is_some() || from.is_some() || at.is_some() {
            let failure = Failure::usage("this describes a request, and there is no URL that it would be for");
            return Err(failure.help("with the id of a refusal, the audit log says what was asked and by whom"));
        }
        Ok(())
    }
}

/// A time in UTC, since the epoch.
fn at(text: &str) -> Result<Duration, Failure> {
    let read = || {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let numbers = |text: &str, by: char, lengths: [usize; 3]| {
            let mut parts = text.split(by);
            let mut one = |length: usize| {
                parts.next().filter(|part| part.len() == length && part.bytes().all(|octet| octet.is_ascii_digit()))
            };
            let [a, b, c] = lengths.map(|length| one(length).and_then(|part| part.parse::<u64>().ok()));
            parts.next().is_none().then_some((a?, b?, c?))
        };
        let (year, month, day) = numbers(date, '-', [4, 2, 2])?;
        let (hour, minute, second) = numbers(time, ':', [2, 2, 2])?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let longest = match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if year < 1970 || !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        // Years begin in March here, so that the leap day is a year's last; 719,468 days lie between 0000-03-01 and 1970-01-01.
        let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day - 1 - 719_468;
        Some(Duration::from_secs(days * 86_400 + hour * 3600 + minute * 60 + second))
    };
    read().ok_or_else(|| {
        Failure::usage(format!("--at {text}: this is no time in UTC")).help("such as 2026-11-21T12:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // By date -u -d TIME +%s.
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-21T12:00:00Z", 1_795_262_400),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(at(text).unwrap().as_secs(), seconds, "{text}");
        }
        for wrong in [
            "",
            "now",
            "2026-11-21",
            "2026-11-21T12:00:00",
            "2026-11-21T12:00:00+01:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "+026-01-01T00:00:00Z",
            "2026-1-01T00:00:00Z",
            "2026-01-01-01T00:00:00Z",
        ] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
