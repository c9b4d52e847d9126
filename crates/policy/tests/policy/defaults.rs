//! Who comes in where nobody says anything; and that a `forbid` always wins.

use crate::asking::{API, alice, allow, by, cedar, file, guest, list, passes, route};
use tagai_policy::{Access, Action, Policies, Question, Refusal, RouteRules, Subject};

const FORBID_ALICE: &str = "forbid (principal == Principal::\"alice\", action, resource);";

fn with(files: &[&str], access: Access, rules: &[&str]) -> Policies {
    let files: Vec<_> = files.iter().map(|text| file(text)).collect();
    Policies::new(&files, &[route(API, access, rules)]).unwrap_or_else(|problems| panic!("{}", list(&problems)))
}

#[test]
fn public_and_optional_routes_are_open_to_everybody() {
    for access in [Access::Public, Access::Optional] {
        for files in [&[][..], &[""][..]] {
            let policies = with(files, access, &[]);
            assert!(passes(&policies, &guest()));
            assert!(passes(&policies, &by(alice())));
        }
    }
}

#[test]
fn a_protected_route_without_rules_is_open_to_everybody_who_is_proven() {
    let policies = with(&[], Access::Protected, &[]);
    assert!(!passes(&policies, &guest()));
    assert!(passes(&policies, &by(alice())));
    let decision = policies.decide(&by(alice()));
    assert_eq!(decision.policies, ["anyone proven at https://www.example.com/api/"]);
}

#[test]
fn with_a_file_a_protected_route_is_open_to_nobody_whom_it_does_not_permit() {
    for text in ["", "// nothing\n", FORBID_ALICE, "permit (principal == Principal::\"bob\", action, resource);"] {
        let policies = with(&[text], Access::Protected, &[]);
        assert!(!passes(&policies, &guest()), "{text}");
        assert!(!passes(&policies, &by(alice())), "{text}");
    }
    assert!(passes(&cedar("permit (principal == Principal::\"alice\", action, resource);"), &by(alice())));
}

#[test]
fn rules_and_files_permit_both() {
    let policies =
        with(&["permit (principal == Principal::\"bob\", action, resource);"], Access::Protected, &["alice"]);
    for (name, expected) in [("alice", true), ("bob", true), ("carol", false)] {
        assert_eq!(passes(&policies, &by(Subject { name, ..alice() })), expected, "{name}");
    }
}

#[test]
fn a_forbid_wins_wherever_the_permit_is_from() {
    let permit = "permit (principal, action, resource);";
    for (files, access, rules) in [
        (&[FORBID_ALICE][..], Access::Public, &[][..]),
        (&[FORBID_ALICE], Access::Optional, &[]),
        (&[FORBID_ALICE], Access::Protected, &["alice"]),
        (&[FORBID_ALICE, permit], Access::Protected, &[]),
        (&[permit, FORBID_ALICE], Access::Protected, &["anyone"]),
    ] {
        // Ids of two files must differ.
        let files: Vec<String> =
            files.iter().enumerate().map(|(at, text)| format!("@id(\"p{at}\") {text}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let policies = with(&files, access, rules);
        let decision = policies.decide(&by(alice()));
        assert_eq!(decision.refusal, Some(Refusal::Forbidden));
        let bob = Subject { name: "bob", ..alice() };
        assert_eq!(passes(&policies, &by(bob)), rules != ["alice"]);
    }
}

#[test]
fn the_guest_is_not_a_principal_of_that_name() {
    let policies = with(&["permit (principal == Guest::\"guest\", action, resource);"], Access::Protected, &[]);
    assert!(passes(&policies, &guest()));
    assert!(!passes(&policies, &by(Subject { name: "guest", ..alice() })));
    let policies = allow(&["guest"]);
    assert!(!passes(&policies, &guest()));
    assert!(passes(&policies, &by(Subject { name: "guest", ..alice() })));
    let groups = ["guest".to_owned()];
    assert!(!passes(&allow(&["not group:guest"]), &guest()));
    assert!(!passes(&allow(&["not group:guest"]), &by(Subject { groups: &groups, ..alice() })));
}

#[test]
fn equal_names_of_two_authorities_are_not_equal() {
    let names = [("alice", true), ("staff/alice", false), ("partners/alice", false), ("partners/dns:alice", false)];
    for (permitted, _) in names {
        let rule = allow(&[permitted]);
        let text = cedar(&format!("permit (principal == Principal::\"{permitted}\", action, resource);"));
        for (name, registered) in names {
            let question = by(Subject { name, registered, ..alice() });
            assert_eq!(passes(&rule, &question), name == permitted, "{name} by {permitted}");
            assert_eq!(passes(&text, &question), name == permitted, "{name} by {permitted}");
        }
    }
}

#[test]
fn a_name_that_is_not_of_its_kind_is_refused() {
    let policies = allow(&["anyone"]);
    for (name, registered) in [("alice", false), ("staff/alice", true), ("", true), ("", false)] {
        let decision = policies.decide(&by(Subject { name, registered, ..alice() }));
        assert_eq!(decision.refusal, Some(Refusal::Failed), "{name}");
    }
}

#[test]
fn what_is_not_configured_is_refused() {
    let proxy = RouteRules { id: "p".into(), action: Action::Connect, ..route("", Access::Protected, &["alice"]) };
    let policies = Policies::new(&[], &[route(API, Access::Public, &[]), proxy]).expect("policies");
    for (route, action) in
        [("https://www.example.com/", Action::Request), (API, Action::Connect), ("p", Action::Request)]
    {
        let question = Question { route, action, ..by(alice()) };
        assert_eq!(policies.decide(&question).refusal, Some(Refusal::UnknownRoute));
        assert!(!policies.explain(&question).allowed);
    }
    assert!(passes(&policies, &Question { route: "p", action: Action::Connect, ..by(alice()) }));
    assert!(!passes(&policies, &Question { route: "p", action: Action::Connect, ..guest() }));
}

#[test]
fn routes_are_there_once_and_open_ones_have_no_rules() {
    let twice = [route(API, Access::Public, &[]), route(API, Access::Protected, &[])];
    assert!(list(&Policies::new(&[], &twice).expect_err("twice")).contains("twice"));
    for access in [Access::Public, Access::Optional] {
        assert!(
            list(&Policies::new(&[], &[route(API, access, &["alice"])]).expect_err("open"))
                .contains("open to everybody")
        );
    }
}

/// Where only a default can speak, Cedar is not asked; `explain` asks it all the same.
#[test]
fn what_is_decided_without_cedar_is_what_cedar_says() {
    for access in [Access::Public, Access::Optional, Access::Protected] {
        let policies = with(&[], access, &[]);
        let misnamed = Subject { registered: false, ..alice() };
        for question in [guest(), by(alice()), by(misnamed), Question { path: "/api/a%2f..;b", ..by(alice()) }] {
            let (decision, explanation) = (policies.decide(&question), policies.explain(&question));
            assert_eq!(decision.is_allowed(), explanation.allowed, "{question:?}");
            assert_eq!(decision.refusal.map(Refusal::code), explanation.code, "{question:?}");
            let ids: Vec<_> = explanation.decided_by.iter().map(|policy| policy.id.as_str()).collect();
            assert_eq!(decision.policies, ids, "{question:?}");
        }
    }
}
