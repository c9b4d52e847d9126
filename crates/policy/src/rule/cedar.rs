//! From terms to Cedar, in which there is one place for text: string literals, made by [`literal`] and [`like`].

use super::{Pattern, Rule, Term, Test};
use crate::question::Action;
use std::fmt::Write as _;

/// A string literal of Cedar that means exactly this text.
pub(crate) fn literal(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// A pattern of Cedar; a star of the text is written with a backslash.
fn like(pattern: &Pattern) -> String {
    let escape =
        |piece: &String| piece.split('*').map(|part| part.escape_debug().to_string()).collect::<Vec<_>>().join("\\*");
    let pieces: Vec<String> = pattern.pieces.iter().map(escape).collect();
    format!("\"{}\"", pieces.join("*"))
}

/// The policy that a rule is, for a route or a forward proxy.
pub(crate) fn policy_text(rule: &Rule, action: Action, route: &str) -> String {
    let resource = match action {
        Action::Request => "Route",
        Action::Connect => "Proxy",
    };
    let mut text = format!(
        "permit (principal is Principal, action == Action::\"{action}\", resource == {resource}::{})",
        literal(route)
    );
    for term in &rule.terms {
        // Writing to a String does not fail.
        let _ = write!(text, "\nwhen {{ {} }}", condition(term));
    }
    text.push(';');
    text
}

fn condition(term: &Term) -> String {
    let condition = match &term.test {
        Test::Anyone => "true".to_owned(),
        Test::Principal(names) => any(names, |name| format!("principal == Principal::{}", literal(name))),
        Test::Group(names) => any(names, |name| format!("principal in Group::{}", literal(name))),
        Test::Kind(kinds) => any(kinds, |kind| format!("principal.kind == Kind::{}", literal(kind.as_str()))),
        Test::Proof(methods) => {
            any(methods, |method| format!("principal.proof == Proof::{}", literal(method.as_str())))
        }
        Test::Method(methods) => any(methods, |method| format!("context.method == {}", literal(method))),
        Test::From(networks) => {
            any(networks, |network| format!("context.source.isInRange(ip({}))", literal(network)))
        }
        Test::Path(patterns) => any(patterns, path),
        Test::Host(patterns) => any(patterns, |pattern| matches("context.host", pattern)),
        Test::Attribute(name, values) => {
            let name = literal(name);
            let value = any(values, |value| format!("principal.getTag({name}) == {}", literal(value)));
            format!("principal.hasTag({name}) && ({value})")
        }
    };
    if term.negated { format!("!({condition})") } else { condition }
}

fn any<T>(values: &[T], one: impl Fn(&T) -> String) -> String {
    values.iter().map(one).collect::<Vec<_>>().join(" || ")
}

fn matches(what: &str, pattern: &Pattern) -> String {
    match pattern.pieces.as_slice() {
        [text] => format!("{what} == {}", literal(text)),
        _ => format!("{what} like {}", like(pattern)),
    }
}

/// `/admin/*` is the page `/admin` as well: applications take both for one.
fn path(pattern: &Pattern) -> String {
    let whole = matches("context.path", pattern);
    let Some((last, [.., before])) = pattern.pieces.split_last() else { return whole };
    let Some(shorter) = before.strip_suffix('/').filter(|_| last.is_empty()) else { return whole };
    let mut pieces = pattern.pieces.clone();
    pieces.pop();
    if let Some(end) = pieces.last_mut() {
        *end = shorter.to_owned();
    }
    // What is left of `/*` is everything.
    if pieces.concat().is_empty() {
        return whole;
    }
    format!("{whole} || {}", matches("context.path", &Pattern { pieces }))
}
