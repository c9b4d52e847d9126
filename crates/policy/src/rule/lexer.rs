//! A rule as words: bare text, quoted text, and the signs between.

use super::RuleError;
use std::ops::Range;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// In octets.
    pub(super) span: Range<usize>,
    /// Whether space, or the beginning, stands before it.
    pub(super) apart: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Text without quotes.
    Bare(String),
    /// Text in quotes: characters, and whether each was written behind a backslash.
    Quoted(Vec<(char, bool)>),
    /// `|`
    Bar,
}

/// Characters that mean something, or may one day.
const SIGNS: [char; 6] = ['"', '|', '(', ')', ',', '\''];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, RuleError> {
    let mut all = Vec::new();
    let mut apart = true;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() {
            apart = true;
            continue;
        }
        let kind = match c {
            '|' => TokenKind::Bar,
            '"' => {
                let mut content = Vec::new();
                loop {
                    match chars.next() {
                        Some((_, '"')) => break,
                        Some((_, '\\')) => match chars.next() {
                            Some((_, c)) => content.push((c, true)),
                            None => return Err(unclosed(at, text)),
                        },
                        Some((_, c)) => content.push((c, false)),
                        None => return Err(unclosed(at, text)),
                    }
                }
                TokenKind::Quoted(content)
            }
            c if SIGNS.contains(&c) => return Err(sign(at, c)),
            c if c.is_control() => return Err(RuleError::new(at..at + c.len_utf8(), "a control character")),
            c => {
                let mut word = String::from(c);
                while let Some((_, c)) = chars.next_if(|(_, c)| !c.is_whitespace() && !SIGNS.contains(c)) {
                    word.push(c);
                }
                TokenKind::Bare(word)
            }
        };
        let end = chars.peek().map_or(text.len(), |(end, _)| *end);
        all.push(Token { kind, span: at..end, apart });
        apart = false;
    }
    Ok(all)
}

fn unclosed(at: usize, text: &str) -> RuleError {
    RuleError::new(at..text.len(), "this quote is not closed")
        .help("write a \" at the end, and \\\" for a quote inside")
}

fn sign(at: usize, c: char) -> RuleError {
    let help = match c {
        '(' | ')' => "there are no brackets: write several entries, one of which is enough, or a policy in Cedar",
        ',' => "write `and` between terms, `|` between values, or several entries",
        _ => "quotes are \"",
    };
    RuleError::new(at..at + c.len_utf8(), format!("unexpected {c:?}")).help(help)
}
