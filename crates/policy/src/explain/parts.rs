//! A policy taken apart into conditions, each of which is evaluated for itself, by Cedar.

use super::{Outcome, Part};
use crate::facts::Facts;
use crate::routes::{From, Record};
use cedar_policy::{Authorizer, Decision, Policy, PolicyId, PolicySet, Request};
use serde_json::{Value, json};

/// The most conditions of one policy that are shown.
const MAX_PARTS: usize = 64;

/// What became of each condition, in order.
pub(super) fn evaluate(authorizer: &Authorizer, record: &Record, facts: &Facts, request: &Request) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for Condition { text, policy } in conditions(record).into_iter().take(MAX_PARTS) {
        let is_reached = parts.iter().all(|part| part.outcome == Outcome::Yes);
        let outcome = match PolicySet::from_policies([policy]) {
            Err(_) => Outcome::Failed,
            Ok(set) => {
                let response = authorizer.is_authorized(request, &set, &facts.entities);
                let has_failed = response.diagnostics().errors().next().is_some();
                match response.decision() {
                    // `principal has certificate` may stand before: then it is that which is not met.
                    _ if has_failed && !is_reached => Outcome::NotReached,
                    _ if has_failed => Outcome::Failed,
                    Decision::Allow => Outcome::Yes,
                    Decision::Deny => Outcome::No,
                }
            }
        };
        parts.push(Part { text, outcome });
    }
    parts
}

/// A policy that permits if the condition is met.
struct Condition {
    text: String,
    policy: Policy,
}

fn conditions(record: &Record) -> Vec<Condition> {
    let Ok(json) = record.policy.to_json() else { return Vec::new() };
    let any = json!({ "op": "All" });
    let make = |principal: &Value, action: &Value, resource: &Value, conditions: Vec<Value>| {
        let json = json!({
            "effect": "permit", "principal": principal, "action": action, "resource": resource, "conditions": conditions,
        });
        Policy::from_json(Some(PolicyId::new("part")), json).ok()
    };
    let mut all: Vec<Condition> = Vec::new();
    let scopes = [
        make(&json["principal"], &any, &any, vec![]),
        make(&any, &json["action"], &any, vec![]),
        make(&any, &any, &json["resource"], vec![]),
    ];
    let terms = match &record.from {
        From::File { .. } => None,
        From::Rule { terms, .. } => Some(terms.as_slice()),
        From::Default => Some(Default::default()),
    };
    // One-line rules are for one route and one action, which are not worth a line; that guests are refused is.
    let shown = if terms.is_some() { 1 } else { scopes.len() };
    for policy in scopes.into_iter().take(shown).flatten() {
        all.extend(scope_text(&policy).map(|text| Condition { text, policy }));
    }
    let conditions = json["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut terms = terms.unwrap_or_default().iter();
    for condition in conditions {
        let term = terms.next();
        let bodies = if term.is_none() && condition["kind"] == "when" {
            conjuncts(&condition["body"])
        } else {
            vec![&condition["body"]]
        };
        for body in bodies {
            let kind = &condition["kind"];
            let Some(policy) = make(&any, &any, &any, vec![json!({ "kind": kind, "body": body })]) else { continue };
            let text = term.cloned().unwrap_or_else(|| condition_text(&policy, kind == "unless"));
            all.push(Condition { text, policy });
        }
    }
    all
}

/// `a && b && c` as its parts.
fn conjuncts(body: &Value) -> Vec<&Value> {
    let mut parts = Vec::new();
    let mut left = vec![body];
    while let Some(next) = left.pop() {
        match next.get("&&") {
            Some(both) => left.extend([&both["right"], &both["left"]]),
            None => parts.push(next),
        }
    }
    parts
}

/// What stands in brackets behind `permit`, without what asks for nothing.
fn scope_text(policy: &Policy) -> Option<String> {
    let text = plain(&policy.to_cedar()?);
    let (_, inside) = text.split_once('(')?;
    let (inside, _) = inside.rsplit_once(')')?;
    // Commas stand between the three parts, two of which are bare; names may have commas as well.
    let inside = inside.trim().trim_end_matches(',');
    let part = match inside.strip_prefix("principal, action, ") {
        Some("resource") => return Some("a guest or a principal".into()),
        Some(resource) => resource,
        None => match inside.strip_suffix(", action, resource") {
            Some(principal) => principal,
            None => inside.strip_prefix("principal, ")?.strip_suffix(", resource")?,
        },
    };
    Some(part.to_owned())
}

fn condition_text(policy: &Policy, is_unless: bool) -> String {
    let text = policy.to_cedar().map(|text| plain(&text)).unwrap_or_default();
    let inside = text.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map(|(inside, _)| inside.trim());
    let inside = inside.unwrap_or(&text);
    if is_unless { format!("unless {{ {inside} }}") } else { inside.to_owned() }
}

/// On one line. Strings have no line ends in them, since they are written with escapes.
fn plain(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")")
}
