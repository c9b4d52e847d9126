//! Who sends the requests.

use super::Authentication;
use super::connection::{Connection, Head};
use base64ct::{Base64, Encoding as _};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use std::io;
use std::time::{Duration, Instant};
use tagai_core::client::{Client, Credential, Outcome, Response, Step, Target};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::Pi;
use tagai_core::message::Role;
use tagai_core::realm::AuthRealm;
use tagai_core::time::Time;

/// One for each connection.
pub(super) struct User {
    way: Way,
    logins: bool,
    start: Instant,
}

enum Way {
    None,
    Basic(String),
    Mutual(Box<Mutual>),
}

struct Mutual {
    client: Client,
    name: Username,
    password: String,
    /// Derived once: it is the user's own machine that does it, and not what is measured.
    pi: Option<(AuthRealm, Vec<u8>)>,
}

impl Clone for User {
    fn clone(&self) -> Self {
        let way = match &self.way {
            Way::None => Way::None,
            Way::Basic(value) => Way::Basic(value.clone()),
            Way::Mutual(mutual) => Way::Mutual(Box::new(Mutual {
                client: Client::new(Role::OriginServer),
                name: mutual.name.clone(),
                password: mutual.password.clone(),
                pi: None,
            })),
        };
        Self { way, ..*self }
    }
}

fn odd(what: impl std::fmt::Debug) -> io::Error {
    io::Error::other(format!("{what:?}"))
}

impl User {
    pub(super) fn new(authentication: &Authentication, logins: bool) -> io::Result<Self> {
        let way = match authentication {
            Authentication::None => Way::None,
            Authentication::Basic { user, password } => {
                Way::Basic(format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes())))
            }
            Authentication::Mutual { user, password } => Way::Mutual(Box::new(Mutual {
                client: Client::new(Role::OriginServer),
                name: Username::prepare(user).map_err(io::Error::other)?,
                password: password.clone(),
                pi: None,
            })),
        };
        Ok(Self { way, logins, start: Instant::now() })
    }

    /// One request that is answered with 200; for Mutual, with the server's proof.
    pub(super) async fn request(&mut self, connection: &mut Connection) -> io::Result<()> {
        let now = Time::at(Duration::from_secs(1_000_000) + self.start.elapsed());
        match &mut self.way {
            Way::None => check(&connection.get(None).await?),
            Way::Basic(value) => check(&connection.get(Some(value)).await?),
            Way::Mutual(mutual) => mutual.request(connection, self.logins, now).await,
        }
    }
}

fn check(head: &Head) -> io::Result<()> {
    if head.status == 200 { Ok(()) } else { Err(odd(("the answer has status", head.status))) }
}

impl Mutual {
    fn credential(&mut self, realm: &AuthRealm) -> io::Result<Credential> {
        if self.pi.as_ref().is_none_or(|(known, _)| known != realm) {
            let password = Password::prepare(&self.password).map_err(io::Error::other)?;
            let pi = Pi::derive(realm, &self.name, &password);
            self.pi = Some((realm.clone(), pi.expose_octets().to_vec()));
        }
        let pi = self.pi.as_ref().and_then(|(realm, octets)| Pi::from_octets(realm.algorithm, octets));
        Ok(Credential::pi(self.name.clone(), pi.ok_or_else(|| io::Error::other("no pi"))?))
    }

    async fn request(&mut self, connection: &mut Connection, login: bool, now: Time) -> io::Result<()> {
        if login {
            self.client.logout_all();
            if let Some((realm, _)) = self.pi.clone() {
                let credential = self.credential(&realm)?;
                let remembered =
                    self.client.remember(&realm, &connection.origin, connection.channel.method(), credential);
                remembered.map_err(io::Error::other)?;
            }
        }
        let channel = Some(connection.channel.clone());
        let target = Target { origin: connection.origin.clone(), path: connection.path.clone(), channel };
        let mut next = self.client.begin(&target, now).map_err(io::Error::other)?;
        loop {
            let mut sequence = next.run(&mut UnwrapErr(SysRng)).map_err(io::Error::other)?;
            let field = sequence.field();
            let head = connection.get(field.as_ref().map(|field| field.value.as_str())).await?;
            let fields = head.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            let response = Response::new(head.status, fields, connection.channel.clone(), ());
            next = match sequence.receive(&mut self.client, response, now).map_err(io::Error::other)? {
                Step::Continue(next) => next,
                Step::Done(Outcome::AuthSucceed(_)) => return check(&head),
                Step::Done(Outcome::AuthRequired(required)) if required.reason().as_str() == "initial" => {
                    let credential = self.credential(required.realm())?;
                    required.supply(credential).0
                }
                Step::Done(outcome) => return Err(odd(outcome)),
            };
        }
    }
}
