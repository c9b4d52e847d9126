//! Runs one whole login and prints it: every header field of figure 1 of RFC 8120, both key exchange values, both verdicts.
//! Then it shows three attacks being caught: a wrong password, a replayed request, and a phishing server.
//!
//! ```sh
//! cargo run --release -p tagai-core --example exchange -- iso-kam3-ec-p256-sha256
//! ```

use getrandom::SysRng;
use rand_core::UnwrapErr;
use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Client, Credential, Outcome, Response, Step, Target};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::message::Role;
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::{self, Server, ServerConfig, Session, Verdict};
use tagai_core::time::Time;
use tagai_core::validation::Channel;

const HELP: &str = "\
Runs one login by HTTP Mutual authentication (RFC 8120), prints every message, and then three attacks.

Usage: exchange [ALGORITHM]

ALGORITHM is one of RFC 8121; without it, iso-kam3-ec-p256-sha256:
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let algorithm = match (arguments.next().as_deref(), arguments.next()) {
        (Some("-h" | "--help"), _) => {
            print!("{HELP}");
            Algorithm::ALL.iter().for_each(|algorithm| println!("  {algorithm}"));
            return ExitCode::SUCCESS;
        }
        (None, _) => Ok(Algorithm::EcP256Sha256),
        (Some(name), None) => name.parse(),
        (Some(_), Some(extra)) => {
            eprintln!("exchange: one algorithm at a time; what is \"{extra}\"? Try --help.");
            return ExitCode::from(2);
        }
    };
    match algorithm {
        Err(error) => {
            eprintln!("exchange: {error}. Try --help.");
            ExitCode::from(2)
        }
        Ok(algorithm) => match run(algorithm) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("exchange: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// A web server with one protected page: the decisions of the core, and the two stores that a program has to bring.
struct Site {
    server: Server,
    users: BTreeMap<String, J>,
    sessions: BTreeMap<Vec<u8>, Session>,
}

/// What goes back over the wire: a status, one field, and a body.
struct Answer {
    status: u16,
    field: (&'static str, String),
    body: &'static str,
}

impl Site {
    fn new(origin: &Origin, realm: &AuthRealm) -> Result<Self, Box<dyn Error>> {
        let server = Server::new(ServerConfig::new(origin.clone(), realm.clone()), &mut UnwrapErr(SysRng))?;
        Ok(Self { server, users: BTreeMap::new(), sessions: BTreeMap::new() })
    }

    /// Answers one request, and says on the way what it makes of it.
    fn answer(&mut self, credentials: Option<&str>, now: Time) -> Answer {
        let lines = credentials.iter().map(|value| value.as_bytes());
        let step = self.server.receive(lines, &Channel::Plain).expect("the site is configured for plain HTTP");
        match step {
            server::Step::Invite(invitation) => refuse(invitation.reply(), invitation.fault()),
            server::Step::Refuse(refusal) => refuse(refusal.reply(), refusal.fault()),
            server::Step::NeedCredential(request) => {
                let j = request.user().and_then(|user| self.users.get(user.as_str()));
                match request.answer(j, &mut UnwrapErr(SysRng), now) {
                    Err(refusal) => refuse(refusal.reply(), refusal.fault()),
                    Ok((session, reply)) => {
                        self.sessions.insert(session.sid().octets().to_vec(), session);
                        Answer { status: reply.status, field: (reply.field.name, reply.field.value), body: "" }
                    }
                }
            }
            server::Step::NeedSession(request) => {
                let verdict = match self.sessions.remove(request.sid().octets()) {
                    None => request.no_session(),
                    Some(session) => {
                        let (session, verdict) = session.verify(&request, now);
                        self.sessions.insert(session.sid().octets().to_vec(), session);
                        verdict
                    }
                };
                match verdict {
                    Verdict::Accepted(accepted) => {
                        println!(
                            "   server's verdict: this is {}, request number {}",
                            accepted.user.name(),
                            accepted.user.nc()
                        );
                        Answer {
                            status: 200,
                            field: (accepted.proof.name, accepted.proof.value),
                            body: "<h1>Welcome</h1>",
                        }
                    }
                    Verdict::Rejected(refusal) => refuse(refusal.reply(), refusal.fault()),
                    Verdict::Stale(stale) => refuse(stale.reply(), stale.fault()),
                }
            }
        }
    }
}

fn refuse(reply: server::Reply, fault: &server::Fault) -> Answer {
    println!("   server's log: {fault}");
    Answer { status: reply.status, field: (reply.field.name, reply.field.value), body: "" }
}

/// How a user's request ended.
enum End {
    Proven,
    Refused,
    Caught,
}

/// One request of the user, on whatever wire `send` is.
fn request(
    client: &mut Client,
    target: &Target,
    typed: (&str, &str),
    send: &mut dyn FnMut(Option<&str>) -> Answer,
) -> Result<End, Box<dyn Error>> {
    let now = Time::default();
    let mut typed = Some(typed);
    let mut next = client.begin(target, now)?;
    loop {
        let mut sequence = next.run(&mut UnwrapErr(SysRng))?;
        println!("\n-> GET {} HTTP/1.1", target.path);
        let credentials = sequence.field().map(|field| field.value);
        if let Some(value) = &credentials {
            println!("   Authorization: {value}");
        }
        let Answer { status, field: (name, value), body } = send(credentials.as_deref());
        println!("<- HTTP/1.1 {status}\n   {name}: {value}");
        let response = Response::new(status, [(name, value.as_bytes())], Channel::Plain, body);
        next = match sequence.receive(client, response, now) {
            Err(fatal) => {
                println!("   client's verdict: {fatal}. Nothing of the answer is shown.");
                return Ok(End::Caught);
            }
            Ok(Step::Continue(next)) => next,
            Ok(Step::Done(Outcome::AuthSucceed(proven))) => {
                println!("   client's verdict: the server knows {}; the page is {}", proven.user(), proven.body());
                return Ok(End::Proven);
            }
            Ok(Step::Done(Outcome::AuthRequired(asked))) => match typed.take() {
                None => {
                    println!("   client's verdict: {} wants a login ({})", asked.realm(), asked.reason());
                    return Ok(End::Refused);
                }
                Some((user, password)) => {
                    println!("   the user types: {user} / {}", "*".repeat(password.len()));
                    let credential = Credential::password(Username::prepare(user)?, Password::prepare(password)?);
                    asked.supply(credential).0
                }
            },
            Ok(Step::Done(Outcome::Unauthenticated(_))) => return Err("the page is not protected".into()),
        };
    }
}

fn run(algorithm: Algorithm) -> Result<(), Box<dyn Error>> {
    let origin = Origin::parse("http://www.example.com")?;
    let realm = AuthRealm {
        algorithm,
        auth_scope: AuthScope::SingleServer(origin.clone()),
        name: RealmName::new("a realm")?,
    };
    let target = Target { origin: origin.clone(), path: "/".into(), channel: Some(Channel::Plain) };
    let now = Time::default();

    println!("== Registration: the client computes J from the password, and the server stores J alone.");
    let pi = Pi::derive(&realm, &Username::prepare("john")?, &Password::prepare("secret")?);
    let j = J::from_pi(algorithm, &pi)?;
    println!("   J: {} octets for {realm}", j.expose_octets().len());
    let mut site = Site::new(&origin, &realm)?;
    site.users.insert("john".into(), j);

    println!("\n== 1. A login, as in figure 1 of RFC 8120");
    let mut client = Client::new(Role::OriginServer);
    let mut last = None;
    let end = request(&mut client, &target, ("john", "secret"), &mut |credentials| {
        last = credentials.map(str::to_owned);
        site.answer(credentials, now)
    })?;
    expect(matches!(end, End::Proven), "the login")?;

    println!("\n== 2. The next request takes one round trip");
    let end = request(&mut client, &target, ("", ""), &mut |credentials| site.answer(credentials, now))?;
    expect(matches!(end, End::Proven), "the second request")?;

    println!("\n== 3. Somebody sends the first request once more: its number is used up, and the session is ended");
    println!("\n-> GET / HTTP/1.1\n   Authorization: (as in the last request of 1)");
    let answer = site.answer(last.as_deref(), now);
    println!("<- HTTP/1.1 {}\n   {}: {}", answer.status, answer.field.0, answer.field.1);
    expect(answer.status == 401 && answer.field.1.contains("stale-session"), "the replay")?;

    println!("\n== 4. A wrong password");
    let mut stranger = Client::new(Role::OriginServer);
    let end = request(&mut stranger, &target, ("john", "guess"), &mut |credentials| site.answer(credentials, now))?;
    expect(matches!(end, End::Refused), "the wrong password")?;

    println!("\n== 5. A phishing server, which knows no J: it plays along, and welcomes everybody");
    let mut phisher = Site::new(&origin, &realm)?;
    let mut victim = Client::new(Role::OriginServer);
    let end = request(&mut victim, &target, ("john", "secret"), &mut |credentials| {
        let mut answer = phisher.answer(credentials, now);
        if credentials.is_some_and(|value| value.contains("vkc=")) {
            let sid = credentials.and_then(|value| value.split("sid=").nth(1)).unwrap_or_default();
            let sid = sid.split(',').next().unwrap_or_default();
            let made_up = match algorithm {
                Algorithm::EcP256Sha256 => "0".repeat(64),
                Algorithm::EcP521Sha512 => "0".repeat(128),
                Algorithm::Dl2048Sha256 => format!("\"{}=\"", "A".repeat(43)),
                Algorithm::Dl4096Sha512 => format!("\"{}==\"", "A".repeat(86)),
            };
            let proof = format!("version=1, sid={sid}, vks={made_up}");
            answer = Answer {
                status: 200,
                field: ("Authentication-Info", proof),
                body: "<h1>Your card number, please</h1>",
            };
        }
        answer
    })?;
    expect(matches!(end, End::Caught), "the phishing server")?;
    println!("\nBoth ends were proven, and the three attacks were caught.");
    Ok(())
}

fn expect(held: bool, what: &str) -> Result<(), Box<dyn Error>> {
    if held { Ok(()) } else { Err(format!("{what} did not end as it has to").into()) }
}
