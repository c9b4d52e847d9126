//! From text to terms.

use super::lexer::{Token, TokenKind, tokens};
use super::values::{Pattern, Wrong, method, network, text};
use super::{MAX_RULE, MAX_TERMS, MAX_VALUES, Rule, RuleError, Term, Test};
use crate::literals::name_problem;
use crate::question::{Kind, ProofMethod};
use crate::suggest::closest;
use std::ops::Range;

const KEYS: [&str; 9] = ["principal", "group", "kind", "proof", "method", "from", "path", "host", "attribute"];

/// Reads a rule.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn parse(rule: &str) -> Result<Rule, RuleError> {
    if rule.len() > MAX_RULE {
        return Err(
            RuleError::new(0..0, format!("a rule of more than {MAX_RULE} octets")).help("write several entries")
        );
    }
    let tokens = tokens(rule)?;
    if tokens.is_empty() {
        return Err(RuleError::new(0..rule.len(), "an empty rule").help("`anyone` lets everybody in who is proven"));
    }
    let mut words = Words { tokens: &tokens, end: rule.len() };
    let mut terms = Vec::new();
    loop {
        if terms.len() == MAX_TERMS {
            return Err(RuleError::new(words.here(), format!("more than {MAX_TERMS} terms")));
        }
        terms.push(term(&mut words)?);
        let Some(next) = words.next() else { return Ok(Rule { terms }) };
        match &next.kind {
            TokenKind::Bare(word) if word == "and" => {}
            kind => return Err(between(next, &text(kind))),
        }
    }
}

/// What stands where `and` should.
fn between(token: &Token, word: &str) -> RuleError {
    let error = RuleError::new(token.span.clone(), format!("expected `and`, found {word:?}"));
    match word.to_ascii_lowercase().as_str() {
        "and" | "&&" | "&" => error.help("write `and`"),
        "or" | "||" => error.help("write `|` between values, or several entries, one of which is enough"),
        _ => error.help("terms are joined by `and`; text with spaces needs quotes"),
    }
}

/// The words that are left.
struct Words<'t> {
    tokens: &'t [Token],
    end: usize,
}

impl<'t> Words<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.first()
    }

    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Where the next one is, or the end.
    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |token| token.span.clone())
    }
}

fn term(words: &mut Words<'_>) -> Result<Term, RuleError> {
    let start = words.here().start;
    let is_not = |token: &Token| token.kind == TokenKind::Bare("not".into());
    let negated = words.peek().is_some_and(is_not);
    if negated {
        words.next();
        if words.peek().is_some_and(is_not) {
            return Err(RuleError::new(words.here(), "`not` stands here twice"));
        }
    }
    let Some(first) = words.next() else {
        return Err(RuleError::new(words.here(), "a term is missing at the end"));
    };
    let (test, end) = test(first, words)?;
    let span = start..end;
    if negated && test == Test::Anyone {
        return Err(
            RuleError::new(span, "`not anyone` is nobody").help("leave the route out, or write a `forbid` in Cedar")
        );
    }
    Ok(Term { negated, test, span })
}

fn test(first: &Token, words: &mut Words<'_>) -> Result<(Test, usize), RuleError> {
    let TokenKind::Bare(word) = &first.kind else {
        if first.kind == TokenKind::Bar {
            return Err(RuleError::new(first.span.clone(), "a value is missing before `|`"));
        }
        return principals(first.clone(), words);
    };
    if word == "anyone" {
        return Ok((Test::Anyone, first.span.end));
    }
    if matches!(word.as_str(), "and" | "or" | "not") {
        let error = RuleError::new(first.span.clone(), format!("a term is missing before `{word}`"));
        return Err(error.help(format!("a principal of this name is written principal:{word}")));
    }
    // Names of authorities have a colon as well: partners/dns:device1.example.com
    let Some((key, rest)) = word.split_once(':').filter(|(key, _)| !key.contains('/')) else {
        return principals(first.clone(), words);
    };
    let key_span = first.span.start..first.span.start + key.len();
    if !KEYS.contains(&key) {
        return Err(unknown(key_span, key, rest));
    }
    let value_start = key_span.end + 1;
    let mut rest = rest.to_owned();
    let mut value_start = value_start;
    let mut name = None;
    if key == "attribute" {
        (name, rest, value_start) = attribute_name(first, &rest, value_start, words)?;
    }
    let head = if rest.is_empty() {
        // The value is in quotes right behind.
        match words.peek() {
            Some(next) if !next.apart && matches!(next.kind, TokenKind::Quoted(_)) => words.next().cloned(),
            _ => None,
        }
    } else {
        Some(Token { kind: TokenKind::Bare(rest), span: value_start..first.span.end, apart: false })
    };
    let Some(head) = head else {
        let error = RuleError::new(value_start..value_start, format!("a value is missing behind `{key}`"));
        return Err(error.help(format!("such as {}, without spaces", example(key))));
    };
    let (values, end) = values(head, words)?;
    Ok((make(key, name, &values)?, end))
}

/// The name behind `attribute:`, the rest of the word behind `=`, and where that begins.
fn attribute_name(
    first: &Token,
    rest: &str,
    start: usize,
    words: &mut Words<'_>,
) -> Result<(Option<String>, String, usize), RuleError> {
    let missing = |at: usize| {
        RuleError::new(at..at, "an attribute needs a name and a value").help("such as attribute:dept=sales")
    };
    if let Some((name, value)) = rest.split_once('=') {
        if name.is_empty() {
            return Err(missing(start));
        }
        return Ok((Some(name.into()), value.into(), start + name.len() + 1));
    }
    let quoted =
        words.peek().filter(|next| rest.is_empty() && !next.apart && matches!(next.kind, TokenKind::Quoted(_)));
    let Some(quoted) = quoted else { return Err(missing(first.span.end)) };
    words.next();
    match words.next().map(|next| (&next.kind, next)) {
        Some((TokenKind::Bare(word), next)) if !next.apart && word.starts_with('=') => {
            let value = word.strip_prefix('=').unwrap_or_default();
            Ok((Some(text(&quoted.kind)), value.into(), next.span.start + 1))
        }
        _ => Err(missing(quoted.span.end)),
    }
}

fn principals(first: Token, words: &mut Words<'_>) -> Result<(Test, usize), RuleError> {
    let (values, end) = values(first, words)?;
    Ok((make("principal", None, &values)?, end))
}

/// A value, and those behind bars.
fn values(head: Token, words: &mut Words<'_>) -> Result<(Vec<Token>, usize), RuleError> {
    let mut all = vec![head];
    loop {
        let end = all.last().map_or(0, |last| last.span.end);
        match words.peek() {
            Some(next) if next.kind == TokenKind::Bar => words.next(),
            Some(next) if !next.apart => {
                let error = RuleError::new(next.span.clone(), "text in quotes and without are one word here");
                return Err(error.help("put the whole value into quotes"));
            }
            _ => return Ok((all, end)),
        };
        if all.len() == MAX_VALUES {
            return Err(RuleError::new(words.here(), format!("more than {MAX_VALUES} values")).help("use a group"));
        }
        match words.next() {
            Some(value) if value.kind != TokenKind::Bar => all.push(value.clone()),
            _ => return Err(RuleError::new(end..end + 1, "a value is missing behind `|`")),
        }
    }
}

fn make(key: &str, name: Option<String>, values: &[Token]) -> Result<Test, RuleError> {
    let plain = |check: fn(&str) -> Result<String, Wrong>| {
        let all = values.iter().map(|token| check(&text(&token.kind)).map_err(|wrong| error(token, wrong)));
        all.collect::<Result<Vec<String>, RuleError>>()
    };
    Ok(match key {
        "principal" => Test::Principal(plain(|name| match name_problem(name) {
            None => Ok(name.to_owned()),
            Some(help) => Err((format!("{name:?} is not the name of a principal"), Some(help))),
        })?),
        "group" => Test::Group(plain(|group| match group {
            "" => Err(("a group has a name".into(), None)),
            group => Ok(group.to_owned()),
        })?),
        "kind" => Test::Kind(choice(values, "kind", Kind::ALL, Kind::as_str)?),
        "proof" => Test::Proof(choice(values, "method of proof", ProofMethod::ALL, ProofMethod::as_str)?),
        "method" => Test::Method(plain(method)?),
        "from" => Test::From(plain(network)?),
        "path" => Test::Path(values.iter().map(path).collect::<Result<_, _>>()?),
        "host" => Test::Host(values.iter().map(host).collect::<Result<_, _>>()?),
        _ => Test::Attribute(name.unwrap_or_default(), plain(|value| Ok(value.to_owned()))?),
    })
}

fn error(token: &Token, (message, help): Wrong) -> RuleError {
    RuleError { span: token.span.clone(), message, help }
}

fn choice<T: Copy>(
    values: &[Token],
    what: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Vec<T>, RuleError> {
    let one = |token: &Token| {
        let word = text(&token.kind);
        all.iter().copied().find(|known| name(*known) == word).ok_or_else(|| {
            let names: Vec<&str> = all.iter().copied().map(name).collect();
            let help = closest(&word, names.iter().copied())
                .map_or_else(|| format!("there are {}", names.join(", ")), |like| format!("did you mean {like}?"));
            RuleError::new(token.span.clone(), format!("{word:?} is no {what}")).help(help)
        })
    };
    values.iter().map(one).collect()
}

fn path(token: &Token) -> Result<Pattern, RuleError> {
    let pattern = Pattern::new(&token.kind);
    let is_literal = pattern.is_literal();
    // Or with a star.
    let begins = |first: &String| first.starts_with('/') || (first.is_empty() && !is_literal);
    if !pattern.pieces.first().is_some_and(begins) {
        return Err(RuleError::new(token.span.clone(), "a path begins with `/`").help("such as /admin/*"));
    }
    Ok(pattern)
}

fn host(token: &Token) -> Result<Pattern, RuleError> {
    let pattern = Pattern::new(&token.kind).lower();
    let text = pattern.pieces.concat();
    if text.contains('/') || pattern.pieces == [""] {
        return Err(
            RuleError::new(token.span.clone(), "this is no host").help("such as *.example.com, without a port")
        );
    }
    Ok(pattern)
}

fn unknown(span: Range<usize>, key: &str, rest: &str) -> RuleError {
    let error = RuleError::new(span, format!("there is no key `{key}`"));
    match key {
        "user" | "x509" if rest.contains('/') => error.help(format!("a principal is written without it: {rest}")),
        "key" => error.help("a bare key is nobody unless registered: write the principal's name"),
        "user" | "name" => error.help("did you mean principal:?"),
        "ip" | "source" | "address" => error.help("did you mean from:?"),
        _ => match closest(key, KEYS) {
            Some(like) => error.help(format!("did you mean {like}:?")),
            None => error.help(format!("there are {}", KEYS.join(", "))),
        },
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "group" => "group:ops",
        "kind" => "kind:device",
        "proof" => "proof:x509",
        "method" => "method:GET|HEAD",
        "from" => "from:10.0.0.0/8",
        "path" => "path:/admin/*",
        "host" => "host:*.example.com",
        "attribute" => "attribute:dept=sales",
        _ => "principal:alice",
    }
}
