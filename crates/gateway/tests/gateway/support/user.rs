//! A user whose every octet a test can see: the core's client over a connection that the test holds.

use super::wire::{Connection, Response};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use std::time::Duration;
use tagai_core::client::{Client, Credential, Fatal, Next, Outcome, Sequence, Step, Target};
use tagai_core::credential::{Password, Username};
use tagai_core::message::Role;
use tagai_core::realm::Origin;
use tagai_core::time::Time;
use tagai_core::validation::Channel;

pub(crate) struct User {
    core: Client,
    pub(crate) origin: Origin,
    name: String,
    password: String,
    /// Every response that came, for comparisons.
    pub(crate) trace: Vec<Response>,
}

const NOW: Time = Time::at(Duration::from_secs(1_000_000));

impl User {
    pub(crate) fn new(origin: &Origin, name: &str, password: &str) -> Self {
        Self {
            core: Client::new(Role::OriginServer),
            origin: origin.clone(),
            name: name.into(),
            password: password.into(),
            trace: Vec::new(),
        }
    }

    /// The same towards a proxy.
    pub(crate) fn of_proxy(origin: &Origin, name: &str, password: &str) -> Self {
        Self { core: Client::new(Role::Proxy), ..Self::new(origin, name, password) }
    }

    /// The origin's host and port, as they stand in `Host`.
    pub(crate) fn host(&self) -> String {
        host(&self.origin)
    }

    fn credential(&self) -> Credential {
        let (name, password) = (Username::prepare(&self.name).unwrap(), Password::prepare(&self.password).unwrap());
        Credential::password(name, password)
    }

    fn begin(&mut self, path: &str, channel: &Channel) -> Next {
        let target = Target { origin: self.origin.clone(), path: path.into(), channel: Some(channel.clone()) };
        self.core.begin(&target, NOW).unwrap()
    }

    /// A proof for a request in the session that is there, to be sent by hand.
    pub(crate) fn proof(&mut self, path: &str, channel: &Channel) -> (Sequence, String) {
        let Next::Send(mut sequence) = self.begin(path, channel) else { panic!("there is no session") };
        let field = sequence.field().expect("a session");
        assert!(field.value.contains("vkc="), "{}", field.value);
        (sequence, field.value)
    }

    /// The same, with `b_2` over `t` (RFC 8120 §13).
    pub(crate) fn bound_proof(&mut self, path: &str, channel: &Channel, t: &[u8]) -> (Sequence, String, Vec<u8>) {
        let Next::Send(mut sequence) = self.begin(path, channel) else { panic!("there is no session") };
        let binding = sequence.b_2(t).expect("a session").expose_octets().to_vec();
        let field = sequence.field().expect("a session");
        (sequence, field.value, binding)
    }

    pub(crate) fn receive(&mut self, sequence: Sequence, response: Response, channel: &Channel) -> Judged {
        let fields: Vec<_> =
            response.fields.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let lines = fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let judged = tagai_core::client::Response::new(response.status, lines, channel.clone(), response.clone());
        sequence.receive(&mut self.core, judged, NOW)
    }

    /// Asks, and logs in if need be; the password is tried once.
    pub(crate) async fn ask(
        &mut self,
        connection: &mut Connection,
        method: &str,
        path: &str,
        fields: &str,
    ) -> Result<Outcome<Response>, Fatal> {
        let channel = connection.channel.clone();
        let mut next = self.begin(path, &channel);
        let mut tried = false;
        loop {
            let mut sequence = next.run(&mut UnwrapErr(SysRng))?;
            sequence.send_over(&channel)?;
            let field = sequence.field().map(|field| format!("{}: {}\r\n", field.name, field.value));
            connection.send(head(method, path, &self.host(), &(field.unwrap_or_default() + fields))).await;
            let response = connection.response(method).await;
            self.trace.push(response.clone());
            next = match self.receive(sequence, response, &channel)? {
                Step::Continue(next) => next,
                Step::Done(Outcome::AuthRequired(required)) if !tried => {
                    tried = true;
                    required.supply(self.credential()).0
                }
                Step::Done(outcome) => return Ok(outcome),
            };
        }
    }

    /// Asks by GET; it has to be proven.
    pub(crate) async fn get(&mut self, connection: &mut Connection, path: &str) -> Response {
        match self.ask(connection, "GET", path, "").await {
            Ok(Outcome::AuthSucceed(proven)) => proven.into_body(),
            other => panic!("{other:?}: {:?}", self.trace.last()),
        }
    }

    /// A key exchange that is ready to be sent.
    pub(crate) async fn begin_login(&mut self, connection: &mut Connection, path: &str) -> Sequence {
        let channel = connection.channel.clone();
        let Next::Send(sequence) = self.begin(path, &channel) else { panic!("there is a login") };
        connection.send(head("GET", path, &self.host(), "")).await;
        let response = connection.response("GET").await;
        let Step::Done(Outcome::AuthRequired(required)) = self.receive(sequence, response, &channel).unwrap() else {
            panic!("no login is needed")
        };
        required.supply(self.credential()).0.run(&mut UnwrapErr(SysRng)).unwrap()
    }

    /// Sends one request of a login by GET, and judges its answer.
    pub(crate) async fn step(&mut self, connection: &mut Connection, path: &str, mut sequence: Sequence) -> Judged {
        let field = sequence.field().unwrap();
        let line = format!("{}: {}\r\n", field.name, field.value);
        connection.send(head("GET", path, &self.host(), &line)).await;
        let response = connection.response("GET").await;
        self.trace.push(response.clone());
        let channel = connection.channel.clone();
        self.receive(sequence, response, &channel)
    }

    /// Exchanges keys; the proof is left to be sent.
    pub(crate) async fn exchange(&mut self, connection: &mut Connection, path: &str) -> Sequence {
        let sequence = self.begin_login(connection, path).await;
        match self.step(connection, path, sequence).await {
            Ok(Step::Continue(next)) => next.run(&mut UnwrapErr(SysRng)).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) type Judged = Result<Step<Response>, Fatal>;

/// A request's head; `fields` are whole lines.
pub(crate) fn head(method: &str, path: &str, host: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
}

pub(crate) fn host(origin: &Origin) -> String {
    format!("{}:{}", origin.host(), origin.port())
}
