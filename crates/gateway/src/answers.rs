//! What the gateway itself says to a client: short, the same to everybody, and nothing about what is behind it.

use crate::proxy::Body;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// What there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// The page is for users.
    LogIn,
    /// The page is for users who show a password.
    Password,
    /// A password that was shown was refused, or has to wait.
    WrongPassword,
    /// The login was refused, or has to wait.
    Refused,
    /// Somebody may not do this; the log knows more under the id.
    Forbidden {
        /// Why, for programs.
        code: &'a str,
        /// The id.
        id: &'a str,
    },
    /// The session is over.
    LoggedOut,
    /// Nothing is served under the origin that was asked for.
    Misdirected,
    /// Something else, with the status' own name.
    Status,
    /// Something has to be shown that was not; the code says what, for programs.
    Required(&'a str),
    /// A failure that the log knows more about, under this id.
    Failure(&'a str),
    /// A forward proxy asks for a login.
    ProxyLogIn,
    /// Somebody took a forward proxy for a site.
    ProxyPage,
    /// A forward proxy does not connect there: a code, and the id under which the log knows more.
    ProxyRefused(&'a str, &'a str),
    /// A forward proxy could not reach the server; the log knows more under this id.
    ProxyFailed(&'a str),
}

impl Message<'_> {
    /// Headline and text where a person reads them in a browser, if they are other ones.
    const fn for_people(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::LogIn => Some((
                "Please log in",
                "Log in beside the address bar, with the Firefox extension tagai; never in a page. Your password does not leave \
                 this computer.",
            )),
            Self::Refused => Some((
                "You are not logged in",
                "The user name or the password is wrong, or there were too many attempts. Nothing of your password was sent.",
            )),
            Self::ProxyLogIn => Some((
                "This proxy is for its users",
                "It asks for a login by HTTP Mutual authentication (RFC 8120), which this browser does not know.",
            )),
            _ => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::LogIn => {
                "This page is for users who log in by HTTP Mutual authentication (RFC 8120), with which a password \
                            never leaves your machine. This program does not know it: use `tagai get`, or Firefox with \
                            the extension tagai."
                    .into()
            }
            Self::Refused => {
                "You are not logged in: the user name or the password is wrong, or there were too many attempts. \
                              Nothing of your password was sent."
                    .into()
            }
            Self::Password => "This page is for users: log in with your name and your password.".into(),
            Self::WrongPassword => {
                "You are not logged in: the user name or the password is wrong, or there were too many attempts.".into()
            }
            Self::Required("key-required") => "This needs a bare key of yours (RFC 7250), and none was shown.".into(),
            Self::Required(_) => "This needs a certificate of yours, and none was shown.".into(),
            Self::Forbidden { code, id } => {
                let what = match code {
                    "certificate-expired" => "Your certificate is not valid at this time.",
                    "certificate-revoked" => "Your certificate has been revoked.",
                    "not-permitted" | "forbidden" => "You may not do this here.",
                    "disabled" | "denied" => "You have been kept out of here.",
                    "not-registered" => "You are proven, and nobody has registered you here.",
                    _ if code.starts_with("certificate-") => "Your certificate is not accepted here.",
                    _ => "This was refused.",
                };
                format!("{what} If you report this, please mention {code} and {id}.")
            }
            Self::LoggedOut => "You are logged out.".into(),
            Self::Misdirected => {
                "Nothing is served here under the host and the port of this address. If you run this gateway: it serves \
                                  the origins of its configuration, spelled as they are there."
                    .into()
            }
            Self::Status => String::new(),
            Self::ProxyLogIn => {
                "This proxy is for users who log in by HTTP Mutual authentication (RFC 8120, section 14), with which a password never \
                 leaves your machine. This program does not know it: use `tagai get --proxy`."
                    .into()
            }
            Self::ProxyPage => {
                "This is a proxy, and no web site: it has no pages of its own. Enter its address where your program asks for an HTTP \
                 proxy; the program has to know HTTP Mutual authentication (RFC 8120), as `tagai get --proxy` does."
                    .into()
            }
            Self::ProxyRefused(code, id) => {
                format!("This proxy does not take you there ({code}). If you think it should, tell whoever runs it {id}.")
            }
            Self::ProxyFailed(id) => format!("The server cannot be reached. If you report this, please mention {id}."),
            Self::Failure(id) => format!("The application did not answer. If you report this, please mention {id}."),
        }
    }
}

/// A small page, or plain text for programs.
pub(crate) fn answer(status: StatusCode, message: Message<'_>, fields: &HeaderMap) -> Response<Body> {
    let headline = status.canonical_reason().unwrap_or("Error");
    let text = message.text();
    let wants_html =
        fields.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    let (body, kind) = if wants_html {
        let (headline, text) = message.for_people().unwrap_or((headline, &text));
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{headline}</title>\n\
             <style>:root{{color-scheme:light dark}}\
             body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}}</style>\n\
             <h1>{headline}</h1>\n{}",
            if text.is_empty() { String::new() } else { format!("<p>{text}</p>\n") }
        );
        (page, "text/html; charset=utf-8")
    } else if text.is_empty() {
        (format!("{headline}\n"), "text/plain; charset=utf-8")
    } else {
        (format!("{headline}. {text}\n"), "text/plain; charset=utf-8")
    };
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An id under which the log knows more.
pub(crate) fn random_id() -> String {
    let mut octets = [0; 8];
    // It only has to be another one each time; without randomness it says nothing.
    let _ = getrandom::fill(&mut octets);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;

    #[test]
    fn programs_get_text_and_browsers_a_page() {
        let mut fields = HeaderMap::new();
        let plain = answer(StatusCode::NOT_FOUND, Message::Status, &fields);
        assert_eq!(plain.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(plain.body().size_hint().exact(), Some("Not Found\n".len() as u64));
        let plain = answer(StatusCode::MISDIRECTED_REQUEST, Message::Misdirected, &fields);
        assert!(plain.body().size_hint().exact() > Some(100), "it says what to do");
        fields.insert(ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"));
        let page = answer(StatusCode::BAD_GATEWAY, Message::Failure("abc"), &fields);
        assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
        let plain = Message::LogIn.text();
        let (headline, text) = Message::LogIn.for_people().unwrap();
        assert!(plain.contains("tagai get") && !text.contains("tagai get"), "people have a browser");
        let told = answer(StatusCode::UNAUTHORIZED, Message::LogIn, &fields).body().size_hint().exact().unwrap();
        assert!(told > u64::try_from(headline.len() * 2 + text.len()).unwrap());
    }
}
