//! What decides beside the list of a forward proxy: a policy, and the addresses that names turn out to have.

use super::support::*;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::Outcome;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, AuthScope, Host, Origin, RealmName, Scheme};
use tagai_core::server::ServerConfig;
use tagai_gateway::forward_proxy::{
    Addresses, Authorize, Denied, ForwardLimits, ForwardProxy, ForwardProxyConfig, ForwardRules, Resolve,
    SystemResolver,
};
use tagai_gateway::listener::{Listener, Settings};
use tagai_gateway::metrics::Metrics;
use tagai_gateway::proof::Refusal;
use tagai_server::MutualBuilder;
use tagai_store::SessionLimits;
use tagai_store::memory::{MemorySessions, MemoryUsers};
use tagai_store::{NewUser, UserStore as _};
use tokio::io::AsyncWriteExt as _;

/// A proxy without a gateway around it.
async fn start(
    allow: &[String],
    authorize: Option<Authorize>,
    resolver: Arc<dyn Resolve>,
    connections: usize,
) -> Origin {
    let settings = Settings { tunnels: true, ..Settings::default() };
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), settings).await.unwrap();
    let host = Host::parse("127.0.0.1").unwrap();
    let origin = Origin::new(Scheme::Http, host.clone(), listener.local_addr().unwrap().port());
    let realm = AuthRealm {
        algorithm: Algorithm::EcP256Sha256,
        auth_scope: AuthScope::SingleHost(host),
        name: RealmName::new("out").unwrap(),
    };
    let (users, bob) = (MemoryUsers::new(), Username::prepare("bob").unwrap());
    let pi = Pi::derive(&realm, &bob, &Password::prepare("battery staple").unwrap());
    let verifier = J::from_pi(realm.algorithm, &pi).unwrap();
    users.add(&NewUser { realm: &realm, name: &bob, verifier: &verifier }).unwrap();
    let builder = MutualBuilder::new(Arc::new(users), Arc::new(MemorySessions::new(SessionLimits::default())));
    let config = ForwardProxyConfig {
        server: ServerConfig::new(origin.clone(), realm),
        allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
        limits: ForwardLimits { connections, ..ForwardLimits::default() },
    };
    let rules = ForwardRules::new(config, &builder, authorize).unwrap();
    let proxy = Arc::new(ForwardProxy::new(rules, Metrics::new()).resolver(resolver));
    tokio::spawn(listener.run(move |request, info| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.serve(request, info).await }
    }));
    origin
}

/// A connection on which bob has asked for this; the answer is proven.
async fn ask(origin: &Origin, method: &str, target: &str) -> (Connection, Response) {
    let mut connection = Connection::plain(origin.port()).await;
    let mut bob = User::of_proxy(origin, "bob", "battery staple");
    // Logs in, to somewhere that is not allowed.
    drop(bob.ask(&mut connection, "GET", "http://169.254.169.254/", "").await);
    match bob.ask(&mut connection, method, target, "").await {
        Ok(Outcome::AuthSucceed(proven)) => (connection, proven.into_body()),
        other => panic!("{method} {target}: {other:?}"),
    }
}

fn denied(reason: &str) -> Denied {
    Denied { refusal: Refusal { code: "policy", reason: reason.into() }, principal: None }
}

async fn silent() -> SocketAddr {
    raw_upstream(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_asked_for_each_request_and_about_open_tunnels() {
    let (server, open) = (silent().await, Arc::new(AtomicBool::new(true)));
    let (asked, still) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&open));
    let seen = Arc::clone(&asked);
    let authorize: Authorize = Arc::new(move |request| {
        let source = request.source.is_loopback();
        let user = request.user.name().as_str().to_owned();
        seen.lock().unwrap().push((user, request.host.to_string(), request.port, request.method.to_owned(), source));
        match request.path {
            Some("/secret") => Err(denied("secret")),
            _ if still.load(Ordering::SeqCst) => Ok(()),
            _ => Err(denied("closed")),
        }
    });
    let origin = start(&[server.to_string()], Some(authorize), Arc::new(SystemResolver), 8).await;
    let (_, response) = ask(&origin, "GET", &format!("http://{server}/secret")).await;
    assert_eq!(response.status, 403);
    let (code, id) = response.field("tagai-refusal").unwrap().split_once("; id=").unwrap();
    assert_eq!(code, "policy");
    let text = response.text();
    assert!(text.contains("(policy)") && text.contains(id.trim_matches('"')) && !text.contains("secret"), "{text}");
    let (_, response) = ask(&origin, "GET", &format!("http://{server}/page")).await;
    assert_eq!(response.status, 200);
    let (mut tunnel, response) = ask(&origin, "CONNECT", &server.to_string()).await;
    assert_eq!(response.status, 200);
    let last = asked.lock().unwrap().last().cloned().unwrap();
    assert_eq!(last, ("bob".into(), "127.0.0.1".into(), server.port(), "CONNECT".into(), true));
    assert!(
        asked.lock().unwrap().iter().all(|(_, host, ..)| host == "127.0.0.1"),
        "only what the list allows is asked about"
    );
    open.store(false, Ordering::SeqCst);
    assert!(tunnel.is_closed().await, "within a second or so");
}

/// An attacker's DNS: the first answer is good, all others are the loopback.
struct Rebinding(AtomicUsize, IpAddr);

impl Resolve for Rebinding {
    fn resolve(&self, name: &str, port: u16) -> Addresses {
        assert_eq!(name, "rebinding.example");
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first { self.1 } else { IpAddr::from([127, 0, 0, 1]) };
        Box::pin(std::future::ready(Ok(vec![(address, port).into()])))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_looked_up_once_and_what_was_checked_is_connected_to() {
    let server = silent().await;
    let target = format!("rebinding.example:{}", server.port());
    // 127.0.0.2 is allowed, 127.0.0.1 is not. The server listens at the latter alone, so a second lookup would reach it.
    let resolver = Arc::new(Rebinding(AtomicUsize::new(0), IpAddr::from([127, 0, 0, 2])));
    let origin = start(&["127.0.0.2:*".into()], None, Arc::clone(&resolver) as Arc<_>, 8).await;
    let (_, response) = ask(&origin, "CONNECT", &target).await;
    assert_eq!(response.status, 502, "it was connected to 127.0.0.2, where nobody listens");
    assert_eq!(resolver.0.load(Ordering::SeqCst), 1);
    let (_, response) = ask(&origin, "CONNECT", &target).await;
    assert_eq!(response.status, 403, "the second answer leads to where nobody may go");
    let (_, response) = ask(&origin, "GET", &format!("http://{target}/")).await;
    assert_eq!(response.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded() {
    let server = silent().await;
    let origin = start(&[server.to_string()], None, Arc::new(SystemResolver), 1).await;
    let (mut tunnel, response) = ask(&origin, "CONNECT", &server.to_string()).await;
    assert_eq!(response.status, 200);
    for method in ["CONNECT", "GET"] {
        let target = if method == "GET" { format!("http://{server}/") } else { server.to_string() };
        let (_, response) = ask(&origin, method, &target).await;
        assert_eq!(response.status, 503, "{method}");
    }
    tunnel.send("x").await;
    drop(tunnel);
}
