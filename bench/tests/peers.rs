//! The benchmark's peers do valid logins, more of them than are prepared.

#[path = "../benches/peers/mod.rs"]
mod peers;

use std::time::Duration;

use peers::PREPARED;
use peers::opaque::{OpaqueServer, P256, Ristretto255, Suite};
use peers::srp_peer::Srp2048Server;
use peers::tls::TlsServer;

fn opaque<S: Suite>() {
    let (decoded, wire) = (OpaqueServer::<S>::new(), OpaqueServer::<S>::new());
    for _ in 0..=PREPARED {
        let (reply, key) = wire.login_from_wire();
        assert!(!reply.is_empty());
        assert_eq!(decoded.login(), key);
    }
}

#[test]
fn opaque_ristretto255() {
    opaque::<Ristretto255>();
}

#[test]
fn opaque_p256() {
    opaque::<P256>();
}

#[test]
fn srp_2048() {
    let (server, once) = (Srp2048Server::new(), Srp2048Server::new());
    for _ in 0..=PREPARED {
        let (b_pub, proof) = server.login();
        assert!(b_pub.len() <= 256 && proof.len() == 32);
        assert_eq!(once.login_with_b_once(), proof);
    }
}

#[test]
fn tls_with_and_without_client_authentication() {
    for client_auth in [false, true] {
        assert!(TlsServer::new(client_auth).handshake() > Duration::ZERO);
    }
}
