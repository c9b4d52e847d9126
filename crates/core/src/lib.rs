//! HTTP Mutual authentication: RFC 8120, RFC 8121 and RFC 8053, both ends, without I/O.
//!
//! The password never leaves the machine of its user. A key exchange proves to the server that the user knows the password,
//! and to the user that the server knows the password's verifier; a site that only looks like the server learns nothing and
//! cannot pretend. One exchange serves many requests, each with a proof of its own, until the user logs out.
//!
//! The crate has no clock, no sockets and no randomness of its own: header fields, time and random numbers are arguments,
//! decisions are results. It fits any HTTP stack, on a server, in a command line or in a browser through WebAssembly.
//!
//! # Where to begin
//!
//! - [`server`] decides about requests: [`server::Server::receive`] says whether a verifier or a session is needed, and
//!   [`server::Session::verify`] gives an [`server::AuthenticatedUser`], which nothing else can make.
//! - [`client`] drives a user's request to an [`client::Outcome`]; the body of a response that is not proven cannot be got at
//!   where it had to be.
//! - [`kam3`] is the key exchange itself, [`message`] its messages, [`grammar`] the header syntax, [`realm`] what a login is
//!   valid for, [`validation`] what ties it to a connection, [`control`] the wishes of RFC 8053.
//!
//! # One login
//!
//! ```
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use tagai_core::client::{Client, Credential, Outcome, Response, Step, Target};
//! use tagai_core::credential::{Password, Username};
//! use tagai_core::kam3::{J, Pi};
//! use tagai_core::message::Role;
//! use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
//! use tagai_core::server::{self, Server, ServerConfig, Verdict};
//! use tagai_core::{algorithm::Algorithm, time::Time, validation::Channel};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = ChaCha20Rng::seed_from_u64(1); // a program takes the system's generator
//! let now = Time::default();
//!
//! // The server knows a realm, and of alice the verifier J, which her client computed when she registered.
//! let origin = Origin::parse("http://localhost:8080")?;
//! let realm = AuthRealm {
//!     algorithm: Algorithm::EcP256Sha256,
//!     auth_scope: AuthScope::SingleServer(origin.clone()),
//!     name: RealmName::new("staff")?,
//! };
//! let (alice, password) = (Username::prepare("alice")?, Password::prepare("correct horse")?);
//! let j = J::from_pi(realm.algorithm, &Pi::derive(&realm, &alice, &password))?;
//! let server = Server::new(ServerConfig::new(origin.clone(), realm), &mut rng)?;
//! let registered = alice.clone();
//! let mut stored_session = None;
//!
//! // The server's end of one HTTP request, with what a program would fetch from its database.
//! let mut serve = |field: Option<String>| {
//!     let mut rng = ChaCha20Rng::seed_from_u64(2);
//!     let credentials = field.iter().map(String::as_bytes);
//!     match server.receive(credentials, &Channel::Plain).expect("plain HTTP") {
//!         server::Step::Invite(invitation) => (401, invitation.reply().field),
//!         server::Step::Refuse(refusal) => (401, refusal.reply().field),
//!         server::Step::NeedCredential(request) => {
//!             let j = (request.user() == Some(&registered)).then_some(&j);
//!             let (session, reply) = request.answer(j, &mut rng, now).expect("a good K_c1");
//!             stored_session = Some(session);
//!             (401, reply.field)
//!         }
//!         server::Step::NeedSession(request) => {
//!             let (session, verdict) = stored_session.take().expect("a session").verify(&request, now);
//!             stored_session = Some(session);
//!             match verdict {
//!                 Verdict::Accepted(accepted) => (200, accepted.proof),
//!                 Verdict::Rejected(refusal) => (401, refusal.reply().field),
//!                 Verdict::Stale(stale) => (401, stale.reply().field),
//!             }
//!         }
//!     }
//! };
//!
//! // The client's end: one request of the user.
//! let mut client = Client::new(Role::OriginServer);
//! let target = Target { origin, path: "/".into(), channel: Some(Channel::Plain) };
//! let mut next = client.begin(&target, now)?;
//! let mut credential = Some(Credential::password(alice, password));
//! let page = loop {
//!     let mut sequence = next.run(&mut rng)?;
//!     let (status, field) = serve(sequence.field().map(|field| field.value));
//!     let response = Response::new(status, [(field.name, field.value.as_bytes())], Channel::Plain, "the page");
//!     next = match sequence.receive(&mut client, response, now)? {
//!         Step::Continue(next) => next,
//!         Step::Done(Outcome::AuthRequired(asked)) => asked.supply(credential.take().expect("asked once")).0,
//!         Step::Done(Outcome::AuthSucceed(proven)) => break proven.into_body(), // both ends are proven
//!         Step::Done(Outcome::Unauthenticated(_)) => unreachable!("the page is protected"),
//!     };
//! };
//! assert_eq!(page, "the page");
//! # Ok(()) }
//! ```
#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::panic,
        clippy::unreachable
    )
)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![allow(
    clippy::large_enum_variant,
    clippy::result_large_err,
    reason = "a state is moved a handful of times in one HTTP request"
)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::must_use_candidate)]

extern crate alloc;
#[cfg(test)]
extern crate std;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod algorithm;
pub mod client;
pub mod control;
pub mod credential;
pub mod grammar;
pub mod kam3;
pub mod message;
mod octets;
pub mod realm;
mod secret;
pub mod server;
mod stored;
pub mod time;
pub mod validation;
