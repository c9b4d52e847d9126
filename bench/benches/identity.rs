//! What it costs the gateway to tell an application who sent a request: the plain fields, the fields of RFC 9440 and the signed
//! assertion, for one request each. What is made once for a connection or a route is made outside of the measurement, but for
//! `identity/connection`, which is that.
//!
//! ```text
//! cargo bench -p tagai-bench --bench identity
//! ```

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tagai_gateway::identity::assertion::{KeyFile, KeyKind};
use tagai_gateway::identity::{Claims, ClientCertificate, Identified, Names, Proven, RawKey, Shown, Signer, fields};

const NOW: Duration = Duration::from_secs(1_760_000_000);

fn signer(kind: KeyKind) -> Signer {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.pem");
    KeyFile(&path).create(kind, NOW).expect("a key");
    Signer::new(KeyFile(&path).load().expect("a key"), "https://gateway.example.com", Duration::from_secs(60))
}

/// A leaf and one certificate above it, of ECDSA over P-256.
fn chain() -> [Vec<u8>; 2] {
    [(), ()].map(|()| {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["device1.example.com".to_owned()];
        rcgen::CertificateParams::new(names).expect("names").self_signed(&key).expect("a certificate").der().to_vec()
    })
}

fn per_request(criterion: &mut Criterion) {
    let [leaf, above] = chain();
    let certificate = ClientCertificate::new(&leaf, &[&above]);
    let (names, groups) = (Names::default(), ["ops".to_owned(), "staff".to_owned(), "on-call".to_owned()]);
    let user = Identified {
        principal: "alice",
        groups: &groups,
        method: "mutual",
        proven: Proven::User { name: "alice", realm: "Staff" },
    };
    let device = Identified { method: "x509", proven: Proven::Certificate(&certificate), ..user };

    let mut group = criterion.benchmark_group("identity/request");
    group.throughput(Throughput::Elements(1));
    group.bench_function("fields", |b| b.iter(|| fields(&names, black_box(&user)).expect("fields")));
    group.bench_function("client-cert-chain", |b| {
        b.iter(|| black_box(&certificate).fields(Shown::Chain).expect("fields").collect::<Vec<_>>());
    });
    for (name, kind) in [("es256", KeyKind::P256), ("eddsa", KeyKind::Ed25519)] {
        let signer = signer(kind);
        for (proof, who) in [("mutual", user), ("x509", device)] {
            let method = &http::Method::GET;
            let claims = Claims { who, audience: "app", method, origin: "https://www.example.com", path: "/a/page" };
            group.bench_function(format!("assertion-{name}/{proof}"), |b| {
                b.iter(|| signer.sign(black_box(&claims), NOW).expect("an assertion"));
            });
        }
    }
    group.finish();
}

fn per_connection(criterion: &mut Criterion) {
    use rcgen::PublicKeyData as _;
    let [leaf, above] = chain();
    let spki = rcgen::KeyPair::generate().expect("a key").subject_public_key_info();
    let mut group = criterion.benchmark_group("identity/connection");
    group.throughput(Throughput::Elements(1));
    group.bench_function("certificate", |b| b.iter(|| ClientCertificate::new(black_box(&leaf), &[&above])));
    group.bench_function("raw-key", |b| b.iter(|| RawKey::new(black_box(&spki)).expect("a key")));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(40)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .without_plots();
    targets = per_request, per_connection
}
criterion_main!(benches);
