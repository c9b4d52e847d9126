//! What tagai costs a server for one login, beside its peers (`login/server`); what one request of a session costs it
//! (`request/server`); and what a login costs a client (`client`).
//!
//! No network and no database. What the other end sends is prepared outside of the measurement, and each iteration is a
//! valid login or request. About three minutes in total:
//!
//! ```text
//! cargo bench -p tagai-bench                                  # all
//! cargo bench -p tagai-bench -- login/server/tagai
//! cargo bench -p tagai-bench -- --test                        # each once
//! ```

mod peers;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest as _, Sha256};
use tagai_bench::{LoginServer, PREPARED, derive_pi, host_validation, rng};
use tagai_core::algorithm::Algorithm;
use tagai_core::kam3::{ClientExchange, J, Kc1, Ks1, SessionKey, Vkc, Vks, respond};
use tagai_core::validation::HostValidation;

use peers::opaque::{OpaqueServer, P256, Ristretto255, Suite};
use peers::srp_peer::Srp2048Server;
use peers::tls::TlsServer;

/// Requests that are prepared at once: enough for the clock, few enough for the caches.
const REQUESTS: u64 = 256;

/// An algorithm by the name that it has here.
const fn short(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EcP256Sha256 => "p256",
        Algorithm::EcP521Sha512 => "p521",
        Algorithm::Dl2048Sha256 => "dl2048",
        Algorithm::Dl4096Sha512 => "dl4096",
    }
}

/// All of the group; throughput counts logins.
fn login_server(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("login/server");
    group.throughput(Throughput::Elements(1));
    for algorithm in Algorithm::ALL {
        tagai(&mut group, algorithm);
    }
    opaque::<Ristretto255>(&mut group, "opaque-ke/ristretto255");
    opaque::<P256>(&mut group, "opaque-ke/p256");
    srp_2048(&mut group);
    tls(&mut group, "tls13", false);
    tls(&mut group, "tls13-client-auth", true);
    group.finish();
}

/// One algorithm: `NAME` is the key exchange and the two verification values alone, `NAME-wire` the whole from header field
/// to header field: reads req-KEX-C1, loads `J`, answers with 401-KEX-S1, reads req-VFY-C, judges it and makes 200-VFY-S.
fn tagai(group: &mut BenchmarkGroup<'_, WallTime>, algorithm: Algorithm) {
    let name = format!("tagai/{}", short(algorithm));
    let (server, mut user) = LoginServer::new(algorithm);
    let (j, vh) = (server.verifier(), host_validation());
    let steps = Steps::prepare(algorithm, &j);
    let mut next = steps.iter().cycle();
    group.bench_function(&name, |b| b.iter(|| next.next().map(|steps| steps.run(&j, &vh))));

    let logins = user.prepare(&server);
    let mut next = logins.iter().cycle();
    group.bench_function(format!("{name}-wire"), |b| b.iter(|| next.next().map(|login| server.login(login))));
}

/// A login without its header fields.
struct Steps {
    /// What the server's generator is seeded with.
    seed: u64,
    k_c1: Kc1,
    vk_c: Vkc,
}

impl Steps {
    fn prepare(algorithm: Algorithm, j: &J) -> Vec<Self> {
        let mut client = rng(1);
        let prepared = |seed| {
            let k_c1 = ClientExchange::start(algorithm, &mut client).expect("K_c1").k_c1().clone();
            let (_, key) = respond(j, &k_c1, &mut rng(seed)).expect("K_s1");
            Self { seed, k_c1, vk_c: key.vk_c(1, &host_validation()) }
        };
        (0..PREPARED as u64).map(prepared).collect()
    }

    /// The server's work. Gives what it sends.
    fn run(&self, j: &J, vh: &HostValidation) -> (Ks1, Vks) {
        let (k_s1, key) = respond(j, &self.k_c1, &mut rng(self.seed)).expect("K_s1");
        assert!(key.vk_c(1, vh).ct_eq(&self.vk_c), "not accepted");
        (k_s1, key.vk_s(1, vh))
    }
}

/// One suite of OPAQUE: `NAME` is the two protocol steps alone, `NAME-wire` the same from octets to octets.
fn opaque<S: Suite>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
    let server = OpaqueServer::<S>::new();
    group.bench_function(name, |b| b.iter(|| server.login()));
    group.bench_function(format!("{name}-wire"), |b| b.iter(|| server.login_from_wire()));
}

/// SRP with the 2048-bit group, as the crate does it and with B computed only once.
fn srp_2048(group: &mut BenchmarkGroup<'_, WallTime>) {
    let server = Srp2048Server::new();
    group.bench_function("srp/2048", |b| b.iter(|| server.login()));
    group.bench_function("srp/2048-b-once", |b| b.iter(|| server.login_with_b_once()));
}

/// A TLS handshake; only the server's share of it is counted.
fn tls(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, client_auth: bool) {
    let server = TlsServer::new(client_auth);
    group.bench_function(name, |b| {
        b.iter_custom(|handshakes| (0..handshakes).map(|_| server.handshake()).sum());
    });
}

/// A request in an established session; throughput counts requests.
fn request_server(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request/server");
    group.throughput(Throughput::Elements(1));
    for algorithm in [Algorithm::EcP256Sha256, Algorithm::Dl2048Sha256] {
        whole(&mut group, algorithm);
        hashes(&mut group, algorithm);
    }
    group.finish();
}

/// From header field to header field: reads req-VFY-C, judges it and makes 200-VFY-S.
fn whole(group: &mut BenchmarkGroup<'_, WallTime>, algorithm: Algorithm) {
    let (server, mut user) = LoginServer::new(algorithm);
    let (login, session) = user.login(&server, 0);
    let mut session = Some(session);
    group.bench_function(format!("{}/whole", short(algorithm)), |b| {
        b.iter_batched(
            || user.request(),
            |vfy| {
                let (kept, accepted) = server.request(session.take().expect("a session"), &vfy, login.now);
                session = Some(kept);
                accepted
            },
            BatchSize::NumIterations(REQUESTS),
        );
    });
}

/// `VK_c` and `VK_s` alone: with the hash states that a session keeps, and from the first octet on.
fn hashes(group: &mut BenchmarkGroup<'_, WallTime>, algorithm: Algorithm) {
    let key = session_key(algorithm);
    let vh = host_validation();
    let both = |nc| (key.vk_c(nc, &vh), key.vk_s(nc, &vh));
    let from_scratch = |nc| {
        let value = |octet: u8| {
            let hash = Sha256::new().chain_update([octet]).chain_update(key.expose_octets()).chain_update(vi(nc));
            let length = u8::try_from(vh.as_bytes().len()).expect("a VI of one octet");
            hash.chain_update([length]).chain_update(vh.as_bytes()).finalize().to_vec()
        };
        (value(4), value(3))
    };

    let (vk_c, vk_s) = both(20_000);
    assert_eq!(from_scratch(20_000), (vk_c.octets().to_vec(), vk_s.octets().to_vec()));
    group.bench_function(format!("{}/hashes", short(algorithm)), |b| b.iter(|| both(black_box(20_000))));
    group.bench_function(format!("{}/hashes-from-scratch", short(algorithm)), |b| {
        b.iter(|| from_scratch(black_box(20_000)));
    });
}

/// `VI` of a number with three digits.
fn vi(nc: u128) -> [u8; 3] {
    let digit = |shift: u32| (nc >> shift & 0x7f) as u8;
    [0x80 | digit(14), 0x80 | digit(7), digit(0)]
}

/// The key of some session.
fn session_key(algorithm: Algorithm) -> SessionKey {
    let exchange = ClientExchange::start(algorithm, &mut rng(1)).expect("K_c1");
    let j = J::from_pi(algorithm, &derive_pi(algorithm, "password")).expect("J");
    respond(&j, exchange.k_c1(), &mut rng(2)).expect("K_s1").1
}

/// A login's work in a client.
fn client(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("client");
    for (name, algorithm) in [("sha256", Algorithm::EcP256Sha256), ("sha512", Algorithm::EcP521Sha512)] {
        group.bench_function(format!("pi/{name}"), |b| b.iter(|| derive_pi(algorithm, black_box("password"))));
    }
    for algorithm in Algorithm::ALL {
        exchange(&mut group, algorithm);
    }
    group.finish();
}

/// `K_c1`, and `z` from `K_s1`: all the arithmetic of a client whose `pi` is at hand.
fn exchange(group: &mut BenchmarkGroup<'_, WallTime>, algorithm: Algorithm) {
    let pi = derive_pi(algorithm, "password");
    let element = ClientExchange::start(algorithm, &mut rng(1)).expect("K_c1");
    let k_s1 = Ks1::from_octets(algorithm, element.k_c1().octets()).expect("natural length");
    let mut rng = rng(2);
    group.bench_function(format!("exchange/{}", short(algorithm)), |b| {
        b.iter(|| {
            let exchange = ClientExchange::start(algorithm, &mut rng).expect("K_c1");
            exchange.finish(&pi, &k_s1).expect("z")
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(40)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .without_plots();
    targets = login_server, request_server, client
}
criterion_main!(benches);
