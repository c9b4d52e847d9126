//! Policy files: cut into policies, each read and checked for itself, so that all problems are found at once.

use crate::check::{Piece, is_harmless};
use crate::problem::{PolicyProblem, ProblemSource};
use crate::{MAX_FILE, MAX_POLICY};
use cedar_policy::{Policy, PolicyId, PolicySet, ValidationMode, Validator};
use std::collections::BTreeMap;
use std::ops::Range;

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the file is called in messages, and in the ids of policies without `@id`.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// A policy of a file.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// How deep brackets may nest. Cedar goes down into them, as long as there is stack.
const MAX_DEPTH: usize = 48;
/// The most signs that join expressions, each of which counts four, since `a && b && c` nests as well.
const MAX_SIGNS: usize = 1024;

/// Reads all files; problems go to `problems`.
pub(crate) fn load(
    files: &[Source],
    validator: &Validator,
    problems: &mut Vec<PolicyProblem>,
    check: impl Fn(&Piece<'_>, &Policy) -> Vec<PolicyProblem>,
) -> Vec<Loaded> {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut all = Vec::new();
    for file in files {
        let source = ProblemSource::File(file.name.clone());
        if file.text.len() > MAX_FILE {
            let message = format!("the file has {} octets, more than {MAX_FILE}", file.text.len());
            problems.push(PolicyProblem::new(source, "", 0..0, message).help("split it, or use groups"));
            continue;
        }
        for cut in cut(&file.text) {
            let piece = Piece { source: &source, whole: &file.text, span: cut.span.clone() };
            if all.len() >= crate::MAX_POLICIES {
                let message = format!("there are more than {} policies", crate::MAX_POLICIES);
                problems
                    .push(piece.problem(0..0, message).help("use groups instead of one policy for each principal"));
                return all;
            }
            let (policy, found) = read(&piece, &cut, &file.name, validator, &mut ids);
            problems.extend(found);
            if let Some(policy) = policy {
                problems.extend(check(&piece, &policy));
                let at = piece.problem(0..0, "");
                all.push(Loaded { policy, file: file.name.clone(), line: at.line, column: at.column });
            }
        }
    }
    all
}

fn read(
    piece: &Piece<'_>,
    cut: &Cut,
    file: &str,
    validator: &Validator,
    ids: &mut BTreeMap<String, String>,
) -> (Option<Policy>, Vec<PolicyProblem>) {
    let text = piece.whole.get(piece.span.clone()).unwrap_or_default();
    let (bound, most, unit) = if text.len() > MAX_POLICY {
        (true, MAX_POLICY, "octets")
    } else if cut.depth > MAX_DEPTH {
        (true, MAX_DEPTH, "brackets within brackets")
    } else {
        (cut.signs > MAX_SIGNS, MAX_SIGNS / 4, "signs such as && and .")
    };
    if bound {
        let message = format!("a policy of more than {most} {unit}");
        return (None, vec![piece.problem(0..0, message).help("write several policies, sets, or groups")]);
    }
    let policy = match Policy::parse(None, text) {
        Ok(policy) => policy,
        Err(errors) => return (None, errors.iter().map(|error| piece.report(error)).collect()),
    };
    let at = piece.problem(0..0, "");
    let id = match policy.annotation("id") {
        Some(id) if is_id(id) => id.to_owned(),
        Some(id) => {
            let problem = piece.problem(0..0, format!("{id:?} cannot be the id of a policy"));
            return (None, vec![problem.help("letters, digits and . _ - are, at most 64 of them")]);
        }
        None if ids.contains_key(&format!("{file}:{}", at.line)) => format!("{file}:{}:{}", at.line, at.column),
        None => format!("{file}:{}", at.line),
    };
    if let Some(other) = ids.insert(id.clone(), format!("{file}:{}", at.line)) {
        let problem = piece.problem(0..0, format!("another policy, at {other}, has the id {id:?}"));
        return (None, vec![problem.help("give each policy an @id of its own, or none")]);
    }
    let policy = policy.new_id(PolicyId::new(id));
    let found = validate(piece, &policy, validator);
    (Some(policy), found)
}

/// What the validator says.
pub(crate) fn validate(piece: &Piece<'_>, policy: &Policy, validator: &Validator) -> Vec<PolicyProblem> {
    let set = match PolicySet::from_policies([policy.clone()]) {
        Ok(set) => set,
        Err(error) => return vec![piece.report(&error)],
    };
    let result = validator.validate(&set, ValidationMode::Strict);
    let mut found: Vec<PolicyProblem> = result.validation_errors().map(|error| piece.report(error)).collect();
    // A policy with errors is often impossible for the same reason.
    let is_sound = found.is_empty();
    for warning in result.validation_warnings() {
        let problem = piece.report(warning);
        if is_harmless(warning) {
            found.push(problem.warning());
        } else if is_sound {
            found.push(problem);
        }
    }
    // One mistake is found once for each kind of principal and action.
    let mut distinct: Vec<PolicyProblem> = Vec::new();
    for problem in found {
        if !distinct.iter().any(|known| known.span == problem.span && known.message == problem.message) {
            distinct.push(problem);
        }
    }
    distinct
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-".contains(&octet))
}

/// A policy's text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    span: Range<usize>,
    depth: usize,
    signs: usize,
}

/// Cuts behind each `;` that is not in a string or a comment. Whatever stands in the file is in one of the pieces, except for space
/// and comments between them, so a wrong cut could make an error, but not hide a policy.
fn cut(text: &str) -> Vec<Cut> {
    let mut all = Vec::new();
    let mut start = None;
    let (mut depth, mut deepest, mut signs) = (0_usize, 0_usize, 0_usize);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let is_comment = c == '/' && chars.peek().is_some_and(|(_, next)| *next == '/');
        if is_comment {
            while chars.next_if(|(_, c)| !matches!(c, '\n' | '\r')).is_some() {}
            continue;
        }
        if c.is_whitespace() {
            continue;
        }
        let begin = *start.get_or_insert(at);
        match c {
            '"' => loop {
                match chars.next() {
                    Some((_, '\\')) => drop(chars.next()),
                    Some((_, '"')) | None => break,
                    Some(_) => {}
                }
            },
            '(' | '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
                // Conditions are joined as well.
                signs += if c == '{' { 4 } else { 0 };
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' => {
                all.push(Cut { span: begin..at + 1, depth: deepest, signs });
                start = None;
                (depth, deepest, signs) = (0, 0, 0);
            }
            '&' | '|' => signs += 2,
            '+' | '-' | '*' | '!' | '.' => signs += 4,
            // As in `if`: three expressions, in another.
            'i' if chars.peek().is_some_and(|(_, next)| *next == 'f') => signs += 4,
            _ => {}
        }
    }
    // What is left has no end, which Cedar says better.
    all.extend(start.map(|begin| Cut { span: begin..text.trim_end().len().max(begin), depth: deepest, signs }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        cut(text).into_iter().map(|cut| &text[cut.span]).collect()
    }

    #[test]
    fn policies_end_at_semicolons_outside_of_strings_and_comments() {
        let text = "// a; b\n@id(\"x;\\\"y\") permit(a); // ;\r\n\n forbid (b)\n// \"\n;;last \n";
        assert_eq!(pieces(text), ["@id(\"x;\\\"y\") permit(a);", "forbid (b)\n// \"\n;", ";", "last"]);
        assert_eq!(pieces(" // nothing;\n"), Vec::<&str>::new());
        assert_eq!(pieces("permit(\"a;"), ["permit(\"a;"]);
        assert_eq!(pieces("\"\\"), ["\"\\"]);
        assert_eq!(pieces("a / b;c"), ["a / b;", "c"]);
    }
}
