//! Entities that policies name: those that the gateway knows must be right, or a `forbid` would forbid nothing.

use crate::check::Piece;
use crate::names::{Names, What};
use crate::problem::PolicyProblem;
use crate::suggest::closest;
use cedar_policy::{EntityUid, Policy};
use std::collections::BTreeSet;

/// Names that can be meant.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) routes: BTreeSet<String>,
    pub(crate) origins: BTreeSet<String>,
    pub(crate) proxies: BTreeSet<String>,
}

impl Known {
    pub(crate) fn check(&self, names: &Names, piece: &Piece<'_>, policy: &Policy) -> Vec<PolicyProblem> {
        let literals: BTreeSet<EntityUid> = policy.entity_literals().into_iter().collect();
        literals.iter().filter_map(|literal| self.problem(names, piece, literal)).collect()
    }

    fn problem(&self, names: &Names, piece: &Piece<'_>, literal: &EntityUid) -> Option<PolicyProblem> {
        let id = literal.id().unescaped();
        let (what, known) = match names.what(literal) {
            What::Route => ("route", &self.routes),
            What::Origin => ("origin", &self.origins),
            What::Proxy => ("forward proxy", &self.proxies),
            What::Principal => return name_problem(id).map(|help| found(piece, id, "principal").help(help)),
            What::Group | What::Other => return None,
        };
        if known.contains(id) {
            return None;
        }
        let known = || known.iter().map(String::as_str);
        let help = match closest(id, known()) {
            Some(like) => format!("did you mean {like:?}?"),
            None if known().next().is_none() => format!("the configuration has no {what}"),
            None => {
                format!("there are {}", known().take(5).map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", "))
            }
        };
        Some(found(piece, id, what).help(help))
    }
}

fn found(piece: &Piece<'_>, id: &str, what: &str) -> PolicyProblem {
    let text = piece.whole.get(piece.span.clone()).unwrap_or_default();
    // It may be written with escapes; then the policy as a whole is marked.
    let quoted = format!("\"{id}\"");
    let span = text.find(&quoted).map_or(0..text.len(), |at| at..at + quoted.len());
    piece.problem(span, format!("there is no {what} {id:?}"))
}

/// Why no principal has this name, as advice.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    if let Some((authority, rest)) = name.split_once('/') {
        if let Some((kind @ ("user" | "x509" | "key"), of)) = authority.split_once(':') {
            let advice = match kind {
                "key" => "a bare key is nobody unless registered: write the principal's name".to_owned(),
                _ => format!("write {:?}, without what kind of credential it is", format!("{of}/{rest}")),
            };
            return Some(advice);
        }
        if authority.is_empty() || rest.is_empty() {
            return Some("unregistered principals are written as \"staff/alice\"".to_owned());
        }
        return None;
    }
    let mut octets = name.bytes();
    let is_name = octets.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && octets.all(|octet| octet.is_ascii_alphanumeric() || b"._@+-".contains(&octet))
        && name.len() <= 128;
    let advice = "names of principals have letters, digits and . _ @ + -; those of an authority are \"staff/alice\"";
    (!is_name).then(|| advice.to_owned())
}
