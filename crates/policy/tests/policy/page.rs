//! The page about policies says what is true.

use crate::asking::{API, alice, allow, by, file, list, route};
use tagai_policy::{Access, Action, Policies, RouteRules, Subject};

const PAGE: &str = include_str!("../../../../docs/operating/policy.md");

fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn its_policies_are_accepted() {
    let mut routes =
        vec![route(API, Access::Protected, &[]), route("https://www.example.com/", Access::Protected, &[])];
    let id = "proxy.example.com".into();
    routes.push(RouteRules { id, action: Action::Connect, access: Access::Protected, allow: vec![] });
    let blocks = blocks("cedar");
    assert!(blocks.len() >= 3);
    for text in blocks {
        let policies = Policies::new(&[file(text)], &routes).unwrap_or_else(|found| panic!("{}", list(&found)));
        assert!(policies.warnings().is_empty());
    }
}

#[test]
fn its_rules_are_accepted() {
    let rules: Vec<&str> = blocks("rules").into_iter().flat_map(str::lines).collect();
    assert!(rules.len() >= 10);
    assert!(allow(&rules).warnings().is_empty());
}

#[test]
fn its_explanation_is_one() {
    let groups = ["ops".to_owned()];
    let explanation = allow(&["group:ops and proof:x509"]).explain(&by(Subject { groups: &groups, ..alice() }));
    let shown = blocks("text");
    assert!(shown.iter().any(|block| block.ends_with(&explanation.to_string())), "{explanation}\n{shown:?}");
}

#[test]
fn it_names_everything_in_the_schema() {
    let names = Policies::schema().lines().filter_map(|line| line.trim().split_once(": "));
    let names = names.map(|(name, _)| name.trim_end_matches('?')).filter(|name| !name.contains([' ', '/']));
    let names: Vec<&str> = names.filter(|name| !matches!(*name, "principal" | "resource" | "context")).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
