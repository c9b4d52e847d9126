//! "Did you mean ...?"

/// The known name that is most like `text`, if one is like it at all.
pub(crate) fn closest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Somebody who types a name wrongly gets about one character in three wrong at most.
    let limit = (text.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (distance(text, name), name))
        .filter(|(distance, name)| {
            *distance <= limit
                || (text.len() >= 4 && name.starts_with(text))
                || (name.len() >= 4 && text.starts_with(name))
        })
        .min()
        .map(|(_, name)| name)
}

/// How many characters have to be inserted, removed, replaced, or swapped with their neighbours (optimal string alignment).
/// Texts of more than 64 characters are not like anything.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(65).collect(), b.chars().take(65).collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    // Three rows of the table: two above, one above, and the one being filled.
    let mut above2: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (cell(&above, j) + usize::from(x != y)).min(cell(&above, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(cell(&above2, j - 1) + 1);
            }
            row.push(best);
        }
        above2 = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits_and_swaps() {
        for (a, b, edits) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("realm", "relam", 1),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn what_is_similar_is_suggested_and_nothing_else() {
        let known = ["realm", "path", "access", "upstream", "nonce-window"];
        assert_eq!(closest("relam", known), Some("realm"));
        assert_eq!(closest("nonce-windw", known), Some("nonce-window"));
        assert_eq!(closest("paths", known), Some("path"));
        assert_eq!(closest("color", known), None);
        assert_eq!(closest(&"x".repeat(10_000), known), None);
    }
}
