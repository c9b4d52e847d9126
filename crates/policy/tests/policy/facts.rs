//! Everything that a policy can look at, looked at.

use crate::asking::{NOON, alice, by, cedar, certificate, guest, passes};
use std::net::IpAddr;
use tagai_policy::{Access, Action, Kind, Policies, Proof, ProofMethod, Question, Refusal, RouteRules, Subject};

/// Whether principals for whom a condition holds pass.
fn holds(condition: &str, question: &Question<'_>) -> bool {
    let policies = cedar(&format!("permit (principal is Principal, action, resource) when {{ {condition} }};"));
    passes(&policies, question)
}

#[test]
fn every_attribute_of_the_principal() {
    let names = ["dns:device1.example.com".to_owned(), "uri:spiffe://example.com/app".to_owned()];
    let groups = ["ops".to_owned(), "staff".to_owned()];
    let attributes = [("dept".to_owned(), "sales".to_owned()), ("a b".to_owned(), "\"c\"".to_owned())];
    let proof = Proof {
        method: ProofMethod::X509,
        authority: "partners",
        credential: "x509:partners/dns:device1.example.com",
        certificate: Some(certificate(&names)),
    };
    let device = Subject {
        name: "partners/dns:device1.example.com",
        kind: Kind::Device,
        registered: false,
        groups: &groups,
        attributes: &attributes,
        proof,
    };
    for (condition, of_device) in [
        (r#"principal == Principal::"partners/dns:device1.example.com""#, true),
        (r#"principal.name == "partners/dns:device1.example.com""#, true),
        (r#"principal.name == "alice""#, false),
        (r#"principal.kind == Kind::"device""#, true),
        (r#"principal.kind == Kind::"person""#, false),
        ("!principal.registered", true),
        ("principal.registered", false),
        (r#"principal.proof == Proof::"x509""#, true),
        (r#"principal.proof == Proof::"mutual""#, false),
        (r#"principal.authority == "partners""#, true),
        (r#"principal.authority == "staff""#, false),
        (r#"principal.credential == "x509:partners/dns:device1.example.com""#, true),
        (r#"principal.credential == "user:staff/alice""#, false),
        (r#"principal in Group::"ops""#, true),
        (r#"principal in [Group::"x", Group::"staff"]"#, true),
        (r#"principal in Group::"op""#, false),
        (r#"principal.hasTag("dept") && principal.getTag("dept") == "sales""#, true),
        (r#"principal.hasTag("a b") && principal.getTag("a b") == "\"c\"""#, true),
        (r#"principal.hasTag("dept") && principal.getTag("dept") == "it""#, false),
        (r#"principal.hasTag("Dept")"#, false),
        ("principal has certificate", true),
        (r#"principal has certificate && principal.certificate.ca == "partners""#, true),
        (r#"principal has certificate && principal.certificate.issuer == "CN=Partners,O=Example""#, true),
        (r#"principal has certificate && principal.certificate.subject like "CN=*""#, true),
        (r#"principal has certificate && principal.certificate.serial == "0a1b""#, true),
        (r#"principal has certificate && principal.certificate.serial == "0A1B""#, false),
        (
            r#"principal has certificate && principal.certificate.names.contains("uri:spiffe://example.com/app")"#,
            true,
        ),
        (r#"principal has certificate && principal.certificate.names.contains("dns:device2.example.com")"#, false),
        (r#"principal has certificate && principal.certificate.key == "sha256:abc=""#, true),
        (
            r#"principal has certificate && principal.certificate.notAfter > context.time.offset(duration("12h"))"#,
            true,
        ),
        (
            r#"principal has certificate && principal.certificate.notAfter > context.time.offset(duration("25h"))"#,
            false,
        ),
    ] {
        assert_eq!(holds(condition, &by(device)), of_device, "{condition}");
        // Whoever has none of it is not let in by it, and nothing fails.
        let is_certificate = condition.contains("certificate");
        if is_certificate || condition.contains("Tag") || condition.contains(" in ") {
            assert!(!holds(condition, &by(alice())), "{condition}");
        }
    }
}

#[test]
fn every_kind_and_method_has_its_name() {
    for kind in Kind::ALL {
        for other in Kind::ALL {
            let condition = format!("principal.kind == Kind::\"{other}\"");
            assert_eq!(holds(&condition, &by(Subject { kind: *kind, ..alice() })), kind == other);
        }
    }
    for method in ProofMethod::ALL {
        for other in ProofMethod::ALL {
            let condition = format!("principal.proof == Proof::\"{other}\"");
            let proof = Proof { method: *method, ..alice().proof };
            assert_eq!(holds(&condition, &by(Subject { proof, ..alice() })), method == other);
        }
    }
}

#[test]
fn every_attribute_of_the_request() {
    let question =
        Question { host: "WWW.example.com.", port: 8443, path: "/api/a?b=c", method: "PUT", ..by(alice()) };
    for (condition, expected) in [
        (r#"context.host == "www.example.com""#, true),
        (r#"context.host like "*.example.com""#, true),
        (r#"context.host == "example.com""#, false),
        ("context.port == 8443", true),
        ("context.port < 1024", false),
        (r#"context.path == "/api/a""#, true),
        (r#"context.path like "/api/*""#, true),
        (r#"context.path like "*b=c*""#, false),
        (r#"context.method == "PUT""#, true),
        (r#"["GET", "HEAD"].contains(context.method)"#, false),
        ("context.tls", true),
        ("!context.tls", false),
        (r#"resource == Route::"https://www.example.com/api/""#, true),
        (r#"resource in Origin::"https://www.example.com""#, true),
    ] {
        assert_eq!(holds(condition, &question), expected, "{condition}");
    }
    assert!(!holds("context.tls", &Question { tls: false, ..question }));
    let of_route = r#"permit (principal, action, resource is Route)
        when { resource.origin == "https://www.example.com" && resource.path == "/api/" };"#;
    assert!(passes(&cedar(of_route), &question));
}

#[test]
fn times_have_windows() {
    let office = r#"context.time.toTime() >= duration("9h") && context.time.toTime() < duration("17h")
        && ![Weekday::"Saturday", Weekday::"Sunday"].contains(context.weekday)"#;
    let until = r#"context.time < datetime("2026-01-01T12:00:01Z")"#;
    for (time, in_office, before) in [
        (NOON, true, true),
        (NOON + 1, true, false),
        (NOON - 3 * 3600, true, true),
        (NOON - 3 * 3600 - 1, false, true),
        (NOON + 5 * 3600 - 1, true, false),
        (NOON + 5 * 3600, false, false),
        (NOON + 86_400, true, false),
        (NOON + 2 * 86_400, false, false),
        (NOON + 3 * 86_400, false, false),
        (NOON + 4 * 86_400, true, false),
        (0, false, true),
        (u64::MAX, false, false),
    ] {
        let question = Question { time, ..by(alice()) };
        assert_eq!((holds(office, &question), holds(until, &question)), (in_office, before), "{time}");
    }
}

#[test]
fn sources_are_addresses_and_networks() {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    let v4 = r#"context.source.isInRange(ip("10.0.0.0/8"))"#;
    let v6 = r#"context.source.isInRange(ip("2001:db8::/32"))"#;
    for (source, in_v4, in_v6) in [
        ("10.0.0.0", true, false),
        ("10.255.255.255", true, false),
        ("11.0.0.0", false, false),
        ("::ffff:10.1.2.3", true, false),
        ("::ffff:11.1.2.3", false, false),
        ("2001:db8::1", false, true),
        ("2001:db9::1", false, false),
        ("::1", false, false),
    ] {
        let question = Question { source: address(source), ..by(alice()) };
        assert_eq!((holds(v4, &question), holds(v6, &question)), (in_v4, in_v6), "{source}");
    }
    let mapped = Question { source: address("::ffff:10.1.2.3"), ..by(alice()) };
    assert!(holds(r#"context.source == ip("10.1.2.3") && context.source.isIpv4()"#, &mapped));
}

#[test]
fn a_path_has_to_pass_as_everybody_may_read_it() {
    let forbid = cedar(
        "permit (principal, action, resource);
         forbid (principal, action, resource) when { context.path like \"/api/admin/*\" };",
    );
    let permit = cedar("permit (principal, action, resource) when { context.path like \"/api/open/*\" };");
    for (path, passes_forbid, passes_permit) in [
        ("/api/open/x", true, true),
        ("/api/admin/x", false, false),
        ("/api/%61dmin/x", false, false),
        ("/api/x/../admin/x", false, false),
        ("/api//admin/x", false, false),
        ("/api/admin;v=1/x", false, false),
        ("/api/open/../admin/x", false, false),
        ("/api/open/%2e%2e/other", true, false),
        ("/api/open/a%20b", true, true),
    ] {
        let question = Question { path, ..guest() };
        assert_eq!(passes(&forbid, &question), passes_forbid, "{path}");
        assert_eq!(passes(&permit, &question), passes_permit, "{path}");
    }
    let path = format!("/api/open/{}", "a;b/%252525252e%2525252e/%5c;/".repeat(9));
    let question = Question { path: &path, ..guest() };
    assert_eq!(forbid.decide(&question).refusal, Some(Refusal::AmbiguousPath));
    // Nobody looks at it here.
    assert!(passes(&cedar("permit (principal, action, resource);"), &question));
    // However it is written.
    let escaped = cedar("permit (principal, action, resource) when { context[\"p\\u{61}th\"] != \"\" };");
    assert_eq!(escaped.decide(&question).refusal, Some(Refusal::AmbiguousPath));
}

#[test]
fn forward_proxies_are_asked_for_destinations() {
    let proxy = RouteRules {
        id: "proxy.example.com".into(),
        action: Action::Connect,
        access: Access::Protected,
        allow: vec!["alice and host:*.example.com|10.1.2.3 and method:CONNECT".into()],
    };
    let file = crate::asking::file(
        "forbid (principal, action == Action::\"Connect\", resource) when { context.port != 443 };
         forbid (principal, action == Action::\"Request\", resource);
         forbid (principal, action, resource == Proxy::\"proxy.example.com\") when { context.host == \"x.example.com\" };",
    );
    let policies = Policies::new(&[file], &[proxy]).expect("policies");
    for (host, port, expected) in [
        ("www.example.com", 443, true),
        ("10.1.2.3", 443, true),
        ("x.example.com", 443, false),
        ("www.example.com", 22, false),
        ("www.example.net", 443, false),
    ] {
        let question = Question {
            route: "proxy.example.com",
            action: Action::Connect,
            host,
            port,
            path: "",
            method: "CONNECT",
            ..by(alice())
        };
        assert_eq!(passes(&policies, &question), expected, "{host}:{port}");
    }
}

#[test]
fn a_forbid_that_fails_forbids() {
    let large = "context.port * 9223372036854775807 > 0";
    let policies = cedar(&format!(
        "permit (principal, action, resource); @id(\"sums\") forbid (principal, action, resource) when {{ {large} }};"
    ));
    let decision = policies.decide(&by(alice()));
    assert_eq!(decision.refusal, Some(Refusal::Failed));
    assert_eq!(decision.errors.first().map(|error| &*error.policy), Some("sums"));
    assert!(policies.explain(&by(alice())).to_string().contains("sums"));
    // A permit that fails does not permit, and hinders no other.
    let failing = format!("permit (principal, action, resource) when {{ {large} }};");
    assert_eq!(cedar(&failing).decide(&by(alice())).refusal, Some(Refusal::NotPermitted));
    let decision = cedar(&format!("{failing} permit (principal, action, resource);")).decide(&by(alice()));
    assert!(decision.is_allowed() && decision.errors.len() == 1);
    // Whatever fails, a forbid that was evaluated is what is told.
    let both =
        format!("forbid (principal, action, resource) when {{ {large} }}; forbid (principal, action, resource);");
    assert_eq!(cedar(&both).decide(&by(alice())).refusal, Some(Refusal::Forbidden));
}
