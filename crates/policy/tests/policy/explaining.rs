//! Explanations: what decided, and what was missing.

use crate::asking::{API, alice, allow, by, cedar, certificate, guest, list, route};
use tagai_policy::{Access, Outcome, Policies, Proof, ProofMethod, Question, Subject};

#[test]
fn a_rule_tells_which_term_is_not_met() {
    let policies =
        allow(&["group:ops and not proof:mutual and from:192.0.2.0/24", "principal:bob", "group:ops and method:GET"]);
    let explanation = policies.explain(&by(alice()));
    assert!(!explanation.allowed);
    assert_eq!(explanation.code, Some("not-permitted"));
    let text = explanation.to_string();
    println!("{text}");
    for expected in [
        "group:ops: no\n",
        "not proof:mutual: no\n",
        "from:192.0.2.0/24: yes\n",
        "method:GET: yes\n",
        "principal:bob: no\n",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // The nearest comes first.
    assert!(explanation.permits[0].id.contains("method:GET") || explanation.permits[0].id.contains("bob"), "{text}");
    assert!(explanation.permits[2].id.contains("192.0.2.0/24"), "{text}");
    let json = serde_json::to_value(&explanation).expect("JSON");
    assert_eq!(json["permits"][2]["parts"][1]["outcome"], "no", "{json}");
    assert_eq!(json["principal"], "alice");
    assert_eq!(json["code"], "not-permitted");

    let groups = ["ops".to_owned()];
    let explanation = policies.explain(&by(Subject { groups: &groups, ..alice() }));
    assert!(explanation.allowed);
    assert_eq!(explanation.decided_by[0].id, format!("allow \"group:ops and method:GET\" at {API}"));
    assert_eq!(explanation.decided_by[0].rule.as_deref(), Some("group:ops and method:GET"));
    assert!(explanation.permits.is_empty());
}

#[test]
fn a_policy_is_told_by_file_line_and_conditions() {
    let policies = cedar(
        "// Certificates only.\n@id(\"machines\")\npermit (principal in Group::\"ops\", action, resource == Route::\"https://www.example.com/api/\")\n\
         when { principal has certificate && principal.certificate.ca == \"partners\" && context.method == \"GET\" }\n\
         unless { context.port == 80 };",
    );
    let explanation = policies.explain(&by(alice()));
    let text = explanation.to_string();
    println!("{text}");
    let policy = &explanation.permits[0];
    assert_eq!(
        (policy.id.as_str(), policy.file.as_deref(), policy.line),
        ("machines", Some("policy.cedar"), Some(2))
    );
    let outcomes: Vec<Outcome> = policy.parts.iter().map(|part| part.outcome).collect();
    use Outcome::{No, NotReached, Yes};
    assert_eq!(outcomes, [No, Yes, Yes, No, NotReached, Yes, Yes], "{text}");
    let texts: Vec<&str> = policy.parts.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(texts[0], "principal in Group::\"ops\"");
    assert_eq!(texts[2], "resource == Route::\"https://www.example.com/api/\"");
    assert!(texts[3].contains("has certificate") || texts[3].contains("has \"certificate\""), "{text}");
    assert!(texts[6].starts_with("unless {"), "{text}");
}

#[test]
fn a_forbid_is_told_with_what_it_found() {
    let policies = cedar(
        "permit (principal, action, resource);\nforbid (principal, action, resource) when { context.path like \"/api/admin/*\" };",
    );
    let explanation = policies.explain(&Question { path: "/api/%61dmin/x", ..by(alice()) });
    assert_eq!(explanation.code, Some("forbidden"));
    assert_eq!(explanation.read_as.as_deref(), Some("/api/admin/x"));
    assert_eq!(explanation.decided_by.len(), 1);
    assert_eq!(explanation.decided_by[0].id, "policy.cedar:2");
    assert!(explanation.to_string().contains("forbid policy.cedar:2\n"), "{explanation}");
}

#[test]
fn who_is_not_proven_is_told_so() {
    let names = [];
    let explanation = allow(&["anyone"]).explain(&guest());
    assert!(explanation.to_string().contains("principal is Principal: no"), "{explanation}");
    let policies =
        Policies::new(&[], &[route(API, Access::Protected, &[])]).unwrap_or_else(|found| panic!("{}", list(&found)));
    assert!(policies.explain(&guest()).to_string().contains("principal is Principal: no"));
    let proof = Proof { method: ProofMethod::X509, certificate: Some(certificate(&names)), ..alice().proof };
    assert!(policies.explain(&by(Subject { proof, ..alice() })).allowed);
    let nothing = cedar("").explain(&by(alice()));
    assert!(nothing.to_string().contains("no policy that permits anything"), "{nothing}");
}

#[test]
fn there_are_never_too_many_to_read() {
    let rules: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let explanation = allow(&rules).explain(&by(alice()));
    assert_eq!(explanation.permits.len() + explanation.more_permits, 100);
    assert!(explanation.permits.len() <= 16);
}
