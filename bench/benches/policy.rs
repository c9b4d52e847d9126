//! What policies cost for one request (`policy`): one-line rules of a route, and files with 1, 10, 100 and 1000 policies, in two
//! shapes: each for everybody, with conditions that all have to be looked at (`everybody`), and each for one group (`groups`), as
//! larger installations have them.
//!
//! ```text
//! cargo bench -p tagai-bench --bench policy
//! cargo bench -p tagai-bench --bench policy -- --test         # each once
//! ```

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tagai_policy::{Access, Action, Kind, Policies, Proof, ProofMethod, Question, RouteRules, Source, Subject};

const ROUTE: &str = "https://www.example.com/api/";

fn policies(file: Option<String>, allow: &[&str]) -> Policies {
    let files: Vec<Source> = file.map(|text| Source { name: "policy.cedar".into(), text }).into_iter().collect();
    let allow = allow.iter().map(|rule| (*rule).to_owned()).collect();
    let routes = [RouteRules { id: ROUTE.into(), action: Action::Request, access: Access::Protected, allow }];
    Policies::new(&files, &routes).expect("good policies")
}

/// Policies that permit alice by the last one.
fn everybody(count: usize) -> String {
    let one = |number| {
        format!(
            "permit (principal is Principal, action, resource)\n\
             when {{ context.source.isInRange(ip(\"10.0.0.0/8\")) && context.path like \"/api/{number}/*\" }};\n"
        )
    };
    let last = "permit (principal in Group::\"group0\", action, resource);\n";
    (1..count).map(one).chain([last.to_owned()]).collect()
}

fn groups(count: usize) -> String {
    let one = |number| {
        format!(
            "permit (principal in Group::\"group{number}\", action, resource)\n\
             when {{ context.source.isInRange(ip(\"10.0.0.0/8\")) }};\n"
        )
    };
    (0..count).map(one).collect()
}

fn policy(criterion: &mut Criterion) {
    let own = ["group0".to_owned(), "staff".to_owned()];
    let attributes = [("dept".to_owned(), "sales".to_owned())];
    let credential = "user:staff/alice";
    let proof = Proof { method: ProofMethod::Mutual, authority: "staff", credential, certificate: None };
    let alice =
        Subject { name: "alice", kind: Kind::Person, registered: true, groups: &own, attributes: &attributes, proof };
    let question = Question {
        route: ROUTE,
        action: Action::Request,
        principal: Some(alice),
        host: "www.example.com",
        port: 443,
        path: "/api/things/1",
        method: "GET",
        tls: true,
        source: IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)),
        time: 1_767_268_800,
    };
    let mut group = criterion.benchmark_group("policy");
    let mut measure = |id: BenchmarkId, policies: &Policies| {
        assert!(policies.decide(&question).is_allowed());
        group.bench_function(id, |bencher| bencher.iter(|| policies.decide(black_box(&question))));
    };
    measure(BenchmarkId::new("default", 0), &policies(None, &[]));
    measure(BenchmarkId::new("line", 1), &policies(None, &["group:group0 and proof:mutual and from:10.0.0.0/8"]));
    for count in [1, 10, 100, 1000] {
        measure(BenchmarkId::new("everybody", count), &policies(Some(everybody(count)), &[]));
        measure(BenchmarkId::new("groups", count), &policies(Some(groups(count)), &[]));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(40)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    targets = policy
}
criterion_main!(benches);
