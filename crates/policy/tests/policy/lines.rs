//! Rules of one line.

use crate::asking::{API, alice, allow, by, list, passes, route};
use std::net::IpAddr;
use tagai_policy::{Access, Kind, Policies, PolicyProblem, ProblemSource, Proof, ProofMethod, Question, Subject};

fn problem(rule: &str) -> PolicyProblem {
    let mut found = Policies::new(&[], &[route(API, Access::Protected, &["alice", rule])]).expect_err(rule);
    assert_eq!(found.len(), 1, "{rule}: {}", list(&found));
    let found = found.remove(0);
    assert_eq!(found.source, ProblemSource::Rule { route: API.into(), index: 1 });
    found
}

#[test]
fn every_term_looks_at_what_it_says() {
    let groups = ["ops".to_owned(), "a b".to_owned()];
    let attributes = [("dept".to_owned(), "sales".to_owned())];
    let proof = Proof { method: ProofMethod::X509, ..alice().proof };
    let subject = Subject { kind: Kind::Device, groups: &groups, attributes: &attributes, proof, ..alice() };
    let source = "10.1.2.3".parse::<IpAddr>().expect("an address");
    let question = Question { source, path: "/api/admin", method: "HEAD", ..by(subject) };
    for (rule, expected) in [
        ("anyone", true),
        ("alice", true),
        ("bob", false),
        ("bob|alice", true),
        ("principal:alice", true),
        ("staff/alice", false),
        ("not alice", false),
        ("not bob", true),
        ("group:ops", true),
        ("group:\"a b\"", true),
        ("group:\"a b\"|x", true),
        ("group:x", false),
        ("not group:x", true),
        ("kind:device", true),
        ("kind:person|service", false),
        ("proof:x509", true),
        ("proof:mutual|x509", true),
        ("proof:mutual|password-tls", false),
        ("method:GET|HEAD", true),
        ("method:POST", false),
        ("from:10.0.0.0/8", true),
        ("from:10.1.2.3", true),
        ("from:2001:db8::/32", false),
        ("not from:10.0.0.0/8", false),
        ("path:/api/admin", true),
        ("path:/api/admin/*", true),
        ("path:/api/*min", true),
        ("path:/api/", false),
        ("not path:/api/admin/*", false),
        ("host:www.example.com", true),
        ("host:*.EXAMPLE.com", true),
        ("host:example.com", false),
        ("attribute:dept=sales", true),
        ("attribute:dept=it|sales", true),
        ("attribute:dept=it", false),
        ("attribute:none=sales", false),
        ("not attribute:none=sales", true),
        ("group:ops and proof:x509", true),
        ("group:ops and proof:mutual", false),
        ("group:ops   and not proof:mutual and alice", true),
    ] {
        assert_eq!(passes(&allow(&[rule]), &question), expected, "{rule}");
        assert_eq!(passes(&allow(&["bob", rule]), &question), expected, "{rule}");
        assert!(!passes(&allow(&[rule]), &crate::asking::guest()), "{rule}");
    }
}

#[test]
fn one_of_the_rules_is_enough() {
    let policies = allow(&["group:ops and proof:x509", "alice"]);
    assert!(passes(&policies, &by(alice())));
    assert!(!passes(&policies, &by(Subject { name: "bob", ..alice() })));
    assert_eq!(policies.decide(&by(alice())).policies, [format!("allow \"alice\" at {API}")]);
}

#[test]
fn mistakes_are_told_with_their_place_and_what_to_do() {
    let mut wrong = Vec::new();
    for (rule, column, message, help) in [
        ("", 1, "empty", "anyone"),
        ("   ", 1, "empty", "anyone"),
        ("grup:ops", 1, "no key `grup`", "did you mean group:"),
        ("group:ops and prof:x509", 15, "no key `prof`", "proof:"),
        ("group:", 7, "missing behind `group`", "group:ops"),
        ("group: ops", 7, "missing behind `group`", "without spaces"),
        ("proof:x590", 7, "\"x590\" is no method of proof", "did you mean x509"),
        ("proof:mutual|", 13, "missing behind `|`", ""),
        ("|alice", 1, "missing before `|`", ""),
        ("kind:robot", 6, "no kind", "person, device, service"),
        ("method:get", 8, "no method", "GET"),
        ("method:G@T", 8, "no HTTP method", ""),
        ("from:10.0.0.0/33", 6, "no address", ""),
        ("from:10.0.0.1/8", 6, "within a network", "10.0.0.0/8"),
        ("from:10.0.0.0/08", 6, "no address", ""),
        ("from:localhost", 6, "no address", ""),
        ("from:::ffff:10.0.0.1", 6, "IPv4 in IPv6", "10.0.0.1"),
        ("from:2001:db8::1/32", 6, "within a network", "2001:db8::/32"),
        ("path:admin/*", 6, "begins with `/`", ""),
        ("host:a/b", 6, "no host", ""),
        ("host:\"\"", 6, "no host", ""),
        ("attribute:dept", 15, "name and a value", "dept=sales"),
        ("attribute:=x", 11, "name and a value", ""),
        ("attribute:dept=", 16, "missing behind `attribute`", ""),
        ("alice bob", 7, "expected `and`", "quotes"),
        ("alice AND bob", 7, "expected `and`", "write `and`"),
        ("alice or bob", 7, "expected `and`", "|"),
        ("alice and", 10, "missing at the end", ""),
        ("and alice", 1, "missing before `and`", "principal:and"),
        ("alice and and bob", 11, "missing before `and`", ""),
        ("not", 4, "missing at the end", ""),
        ("not not alice", 5, "twice", ""),
        ("not anyone", 1, "nobody", ""),
        ("(alice)", 1, "unexpected '('", "no brackets"),
        ("alice, bob", 6, "unexpected ','", "and"),
        ("group:'a b'", 7, "unexpected", "quotes are"),
        ("\"alice", 1, "not closed", ""),
        ("\"alice\\", 1, "not closed", ""),
        ("al\"ice\"", 3, "one word", ""),
        ("user:staff/alice", 1, "no key `user`", "staff/alice"),
        ("key:sha256:abc=", 1, "no key `key`", "registered"),
        ("ip:10.0.0.0/8", 1, "no key `ip`", "from:"),
        ("_x", 1, "not the name of a principal", ""),
        ("staff/", 1, "not the name of a principal", "staff/alice"),
        ("\u{4e92}\u{4e92} and grup:ops", 1, "not the name of a principal", ""),
        ("group:\u{4e92}\u{4e92} and grup:ops", 14, "no key", ""),
    ] {
        let found = problem(rule);
        let is_right = (found.line, found.column, &*found.text) == (1, column, rule)
            && found.message.contains(message)
            && found.help.as_deref().unwrap_or_default().contains(help);
        if !is_right {
            wrong.push(found.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_have_bounds() {
    for rule in ["a".repeat(3000), vec!["alice"; 33].join(" and "), vec!["alice"; 65].join("|")] {
        assert!(problem(&rule).message.contains("more than"));
    }
    let many = vec!["alice"; tagai_policy::MAX_RULES + 1];
    assert!(Policies::new(&[], &[route(API, Access::Protected, &many)]).is_err());
    allow(&[&vec!["alice"; 32].join(" and "), &vec!["alice"; 64].join("|")]);
}

#[test]
fn a_rule_that_is_there_twice_is_doubtful() {
    let policies = allow(&["alice and group:ops", "alice  and group:ops"]);
    assert_eq!(policies.warnings().len(), 1);
    assert_eq!(policies.len(), 1);
}
