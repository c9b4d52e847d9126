//! Questions with everything in them, to be changed by each test.

use std::net::{IpAddr, Ipv4Addr};
use tagai_policy::{
    Access, Action, Certificate, Kind, Policies, PolicyProblem, Proof, ProofMethod, Question, RouteRules, Source,
    Subject,
};

pub(crate) const API: &str = "https://www.example.com/api/";
/// Thursday 2026-01-01T12:00:00Z.
pub(crate) const NOON: u64 = 1_767_268_800;

pub(crate) fn route(id: &str, access: Access, allow: &[&str]) -> RouteRules {
    let allow = allow.iter().map(|rule| (*rule).to_owned()).collect();
    RouteRules { id: id.into(), action: Action::Request, access, allow }
}

pub(crate) fn file(text: &str) -> Source {
    Source { name: "policy.cedar".into(), text: text.into() }
}

/// Policies of one file for one protected route.
pub(crate) fn cedar(text: &str) -> Policies {
    let routes = [route(API, Access::Protected, &[])];
    Policies::new(&[file(text)], &routes).unwrap_or_else(|problems| panic!("{}", list(&problems)))
}

/// One-line rules of one route.
pub(crate) fn allow(rules: &[&str]) -> Policies {
    let routes = [route(API, Access::Protected, rules)];
    Policies::new(&[], &routes).unwrap_or_else(|problems| panic!("{}", list(&problems)))
}

pub(crate) fn list(problems: &[PolicyProblem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

pub(crate) fn guest() -> Question<'static> {
    Question {
        route: API,
        action: Action::Request,
        principal: None,
        host: "www.example.com",
        port: 443,
        path: "/api/things",
        method: "GET",
        tls: true,
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        time: NOON,
    }
}

/// A registered person who logged in to the realm `staff`.
pub(crate) fn alice() -> Subject<'static> {
    let credential = "user:staff/alice";
    let proof = Proof { method: ProofMethod::Mutual, authority: "staff", credential, certificate: None };
    Subject { name: "alice", kind: Kind::Person, registered: true, groups: &[], attributes: &[], proof }
}

pub(crate) fn certificate(names: &[String]) -> Certificate<'_> {
    Certificate {
        ca: "partners",
        issuer: "CN=Partners,O=Example",
        subject: "CN=device1",
        serial: "0A1b",
        names,
        not_after: NOON + 86_400,
        key: "sha256:abc=",
    }
}

pub(crate) fn by<'a>(principal: Subject<'a>) -> Question<'a> {
    Question { principal: Some(principal), ..guest() }
}

pub(crate) fn passes(policies: &Policies, question: &Question<'_>) -> bool {
    let decision = policies.decide(question);
    let explanation = policies.explain(question);
    assert_eq!(explanation.allowed, decision.is_allowed(), "{explanation}");
    decision.is_allowed()
}
