//! An established P-256 session with a window of 128 fits in 1 KiB.

use tagai_bench::LoginServer;
use tagai_bench::memory::{COUNTING, Counting, heap_of};
use tagai_core::algorithm::Algorithm;
use tagai_core::server::{Session, SessionState};

#[global_allocator]
static ALLOCATOR: &Counting = COUNTING;

#[test]
fn an_established_p256_session_takes_at_most_1_kib() {
    let (server, mut user) = LoginServer::new(Algorithm::EcP256Sha256);
    let (login, session) = user.login(&server, 0);
    let (session, _) = server.request(session, &user.request(), login.now);
    assert_eq!(session.state(), SessionState::Authenticated);
    let heap = heap_of(session);
    // K_c1, K_s1 and z at least, or the allocator does not count.
    assert!(heap >= 3 * 33);
    assert!(size_of::<Session>() + heap <= 1024, "{} + {heap} octets", size_of::<Session>());
}
