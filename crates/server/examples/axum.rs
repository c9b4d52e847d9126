//! A web application of its own whose handlers know who is asking: `cargo run -p tagai-server --features axum --example axum`.
//!
//! One user, `john` with the password `secret`; `http://localhost:3000/` is for everybody, `/me` for users.

use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Router, routing::get};
use std::net::SocketAddr;
use std::sync::Arc;
use tagai_server::core::algorithm::Algorithm;
use tagai_server::core::credential::{Password, Username};
use tagai_server::core::kam3::{J, Pi};
use tagai_server::core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_server::core::server::ServerConfig;
use tagai_server::core::validation::Channel;
use tagai_server::store::memory::{MemorySessions, MemoryUsers};
use tagai_server::store::{NewUser, SessionLimits, UserStore as _};
use tagai_server::{AuthenticatedUser, Connection, MutualBuilder, MutualLayer};

/// The handler cannot be reached by anybody who is not proven.
async fn me(user: AuthenticatedUser) -> String {
    format!("You are {}, and I am who you think.\n", user.name())
}

/// This one can, and knows the difference.
async fn front(user: Option<AuthenticatedUser>) -> String {
    user.map_or("Hello, guest.\n".to_owned(), |user| format!("Hello, {}.\n", user.name()))
}

/// Says where each request came from: here a connection without TLS.
async fn connection(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Connection { channel: Channel::Plain, address: peer.ip() });
    next.run(request).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let port = listener.local_addr()?.port();

    // The server: what proofs are bound to. It is configured, and never taken from a request.
    let origin = Origin::parse(&format!("http://localhost:{port}"))?;
    let auth_scope = AuthScope::SingleServer(origin.clone());
    let realm = AuthRealm { algorithm: Algorithm::EcP256Sha256, auth_scope, name: RealmName::new("an example")? };

    // The users: of each, the verifier J. A real application keeps them in `tagai_store::sqlite`, and lets the user's machine
    // compute J, so that it never sees a password.
    let users = Arc::new(MemoryUsers::new());
    let (name, password) = (Username::prepare("john")?, Password::prepare("secret")?);
    let verifier = J::from_pi(realm.algorithm, &Pi::derive(&realm, &name, &password))?;
    users.add(&NewUser { realm: &realm, name: &name, verifier: &verifier })?;

    let sessions = Arc::new(MemorySessions::new(SessionLimits::default()));
    let mutual = MutualBuilder::new(users, sessions).build(ServerConfig::new(origin.clone(), realm))?;
    let application = Router::new()
        .route("/me", get(me).layer(MutualLayer::new(mutual.clone())))
        .route("/", get(front).layer(MutualLayer::new(mutual).optional()))
        .layer(from_fn(connection));

    println!("listening on {origin}");
    axum::serve(listener, application.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
