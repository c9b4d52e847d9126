//! Text stays text: whatever stands in a rule, the policy has exactly that in it, in the place where it belongs.

use super::cedar::policy_text;
use super::{Test, parse};
use crate::question::Action;
use cedar_policy::{EntityUid, Policy};
use proptest::prelude::*;
use serde_json::{Value, json};

/// In quotes, so that it is read as it is.
fn quoted(text: &str) -> String {
    let escape = |c: char| if matches!(c, '"' | '\\' | '*') { format!("\\{c}") } else { c.to_string() };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// The conditions of the policy that a rule is.
fn conditions(rule: &str, route: &str) -> (Policy, Vec<Value>) {
    let rule = parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    let text = policy_text(&rule, Action::Request, route);
    let policy = Policy::parse(None, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let json = policy.to_json().expect("JSON");
    assert_eq!(json["effect"], "permit");
    assert_eq!(json["principal"], json!({ "op": "is", "entity_type": "Principal" }));
    assert_eq!(json["resource"], json!({ "op": "==", "entity": { "type": "Route", "id": route } }));
    let conditions = json["conditions"].as_array().expect("conditions").clone();
    assert!(conditions.iter().all(|condition| condition["kind"] == "when"));
    (policy, conditions.into_iter().map(|condition| condition["body"].clone()).collect())
}

/// Text with much that means something somewhere.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,12}",
        any::<String>().prop_filter("not empty", |text| !text.is_empty()),
        "[\"\\\\*;{}()|,/ \n\u{0}\u{301}a]{1,12}"
    ]
}

fn variable(name: &str, attribute: &str) -> Value {
    json!({ ".": { "left": { "Var": name }, "attr": attribute } })
}

proptest! {
    #[test]
    fn groups_are_literal(group in text(), route in text()) {
        let (policy, found) = conditions(&format!("group:{}", quoted(&group)), &route);
        let expected = json!({ "in": {
            "left": { "Var": "principal" },
            "right": { "Value": { "__entity": { "type": "Group", "id": group } } },
        } });
        prop_assert_eq!(found, [expected]);
        let literals = policy.entity_literals();
        let is_group = |uid: &&EntityUid| uid.type_name().to_string() == "Group";
        let groups: Vec<&str> = literals.iter().filter(is_group).map(|uid| uid.id().unescaped()).collect();
        prop_assert_eq!(groups, [group.as_str()]);
    }

    #[test]
    fn principals_of_authorities_are_literal(rest in text()) {
        let name = format!("staff/{rest}");
        let (_, found) = conditions(&format!("not {}", quoted(&name)), "r");
        let expected = json!({ "!": { "arg": { "==": {
            "left": { "Var": "principal" },
            "right": { "Value": { "__entity": { "type": "Principal", "id": name } } },
        } } } });
        prop_assert_eq!(found, [expected]);
    }

    #[test]
    fn attributes_are_literal(name in text(), value in text()) {
        let (_, found) = conditions(&format!("anyone and attribute:{}={}", quoted(&name), quoted(&value)), "r");
        let tag = json!({ "Value": name });
        let expected = json!({ "&&": {
            "left": { "hasTag": { "left": { "Var": "principal" }, "right": tag } },
            "right": { "==": {
                "left": { "getTag": { "left": { "Var": "principal" }, "right": tag } },
                "right": { "Value": value },
            } },
        } });
        prop_assert_eq!(found, [json!({ "Value": true }), expected]);
    }

    #[test]
    fn paths_without_stars_are_literal(rest in text()) {
        let path = format!("/{rest}");
        let (_, found) = conditions(&format!("path:{}", quoted(&path)), "r");
        let expected = json!({ "==": { "left": variable("context", "path"), "right": { "Value": path } } });
        prop_assert_eq!(found, [expected]);
    }

    #[test]
    fn stars_are_wildcards_and_nothing_else_is(first in text(), second in text()) {
        let rule = format!("path:{}", quoted(&format!("/{first}\u{1}{second}")).replace('\u{1}', "*"));
        prop_assume!(!first.contains('\u{1}') && !second.contains('\u{1}'));
        let (_, found) = conditions(&rule, "r");
        let mut expected: Vec<Value> = format!("/{first}").chars().map(|c| json!({ "Literal": c.to_string() })).collect();
        expected.push(json!("Wildcard"));
        expected.extend(second.chars().map(|c| json!({ "Literal": c.to_string() })));
        // Cedar may write several characters as one piece.
        let join = |pieces: &[Value]| pieces.iter().fold(String::new(), |all, piece| match piece["Literal"].as_str() {
            Some(text) => all + &text.replace('*', "\\*").replace('\\', "\\\\"),
            None => all + "\\W",
        });
        let pattern = found[0]["like"]["pattern"].as_array().expect("a pattern");
        prop_assert_eq!(join(pattern), join(&expected));
    }

    #[test]
    fn nothing_panics(rule in any::<String>()) {
        drop(parse(&rule));
    }

    #[test]
    fn what_is_read_can_be_said_in_cedar(rule in "(not )?(anyone|alice|a/b|group:|kind:device|proof:|method:GET|from:10\\.0\\.0\\.0/8|path:/|host:|attribute:a=)[a-z*:/\"|=]{0,3}( and |\\|)?(ops|\"b\"|x509|not)?") {
        match parse(&rule) {
            Ok(parsed) => {
                let text = policy_text(&parsed, Action::Request, "r");
                prop_assert!(Policy::parse(None, &text).is_ok(), "{}", text);
                prop_assert!(parsed.terms.iter().all(|term| rule.get(term.span.clone()).is_some_and(|text| !text.is_empty())));
            }
            Err(error) => prop_assert!(rule.get(error.span.clone()).is_some(), "{:?}", error),
        }
    }
}

#[test]
fn a_star_at_the_end_of_a_path_is_the_page_above_too() {
    for (rule, expected) in [
        ("path:/admin/*", &["/admin/*", "/admin"][..]),
        ("path:/a*/b/*", &["/a*/b/*", "/a*/b"]),
        ("path:/*", &["/*"]),
        ("path:*/x", &["*/x"]),
        ("path:/a*", &["/a*"]),
        ("path:/a/**", &["/a/*", "/a"]),
    ] {
        let text = policy_text(&parse(rule).expect(rule), Action::Request, "r");
        let found: Vec<&str> =
            text.split("context.path ").skip(1).filter_map(|part| part.split('"').nth(1)).collect();
        assert_eq!(found, expected, "{rule}");
    }
}

#[test]
fn bare_words_are_what_they_look_like() {
    let one = |rule: &str| parse(rule).expect(rule).terms.remove(0).test;
    assert_eq!(one("anyone"), Test::Anyone);
    assert_eq!(one("principal:anyone"), Test::Principal(vec!["anyone".into()]));
    assert_eq!(one("\"and\"|principal"), Test::Principal(vec!["and".into(), "principal".into()]));
    let device = "partners/dns:device1.example.com";
    assert_eq!(one(device), Test::Principal(vec![device.into()]));
    assert_eq!(one("attribute:a=b=c|d"), Test::Attribute("a".into(), vec!["b=c".into(), "d".into()]));
    assert_eq!(one("attribute:\"a=b\"=\"\""), Test::Attribute("a=b".into(), vec![String::new()]));
    assert_eq!(one("from:2001:db8::/32|10.1.2.3"), Test::From(vec!["2001:db8::/32".into(), "10.1.2.3".into()]));
}
