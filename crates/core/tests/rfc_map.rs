//! `docs/rfc-map.md` tells the truth: its rows are complete, and the tests and types that it names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of each RFC: demands (MUST, MUST NOT, SHALL, REQUIRED), and recommendations.
const ROWS: [(&str, usize, usize); 3] = [("8120", 133, 88), ("8121", 14, 1), ("8053", 44, 30)];

/// Who keeps a demand that no test of this crate can see.
const KEEPERS: [&str; 6] = ["caller:", "operator:", "spec author:", "library:", "by construction:", "not followed:"];

/// The heading under which rows have no ids.
const FIGURES: &str = "## The figures";

struct Row {
    id: String,
    section: String,
    level: String,
    kept_by: String,
    test: String,
}

impl Row {
    fn is_demand(&self) -> bool {
        !self.level.contains("SHOULD") && !self.level.contains("RECOMMENDED")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn map() -> String {
    let path = root().join("../../docs/rfc-map.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the tables with ids, which all stand before the figures.
fn rows(map: &str) -> Vec<Row> {
    let (tables, _) = map.split_once(FIGURES).expect("the figures");
    let mut rows = Vec::new();
    for line in tables.lines().filter(|line| line.starts_with("| 8")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        let [id, section, level, requirement, kept_by, test] =
            <[String; 6]>::try_from(cells).unwrap_or_else(|_| panic!("not six cells: {line}"));
        assert!(!requirement.is_empty(), "{id} says nothing");
        rows.push(Row { id, section, level, kept_by, test });
    }
    rows
}

/// The texts between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The text of a module of the library: its file, or all files of its folder, in which its items may really stand.
fn module(path: &[&str]) -> Option<String> {
    let base = path.iter().fold(root().join("src"), |folder, name| folder.join(name));
    read(&base.with_extension("rs")).or_else(|| folder(&base))
}

fn folder(path: &Path) -> Option<String> {
    let mut text = String::new();
    for entry in fs::read_dir(path).ok()? {
        let path = entry.ok()?.path();
        text += &if path.is_dir() { folder(&path)? } else { read(&path)? };
    }
    Some(text)
}

/// Whether `text` has the function `name` with `#[test]` above it.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        line.starts_with(&head) && above.into_iter().any(|line| *line == "#[test]")
    })
}

/// Why a name is no test, if it is none.
fn no_test(name: &str) -> Option<String> {
    let parts: Vec<_> = name.split("::").collect();
    let text = match parts[..] {
        [file, _] => read(&root().join("tests").join(file).with_extension("rs")),
        // Unit tests are in the file of the module, or in `tests.rs` beside it.
        [ref path @ .., "tests", _] => {
            let own = path.iter().fold(root().join("src"), |folder, name| folder.join(name));
            read(&own.join("tests.rs"))
                .or_else(|| read(&own.with_extension("rs")))
                .or_else(|| read(&own.join("mod.rs")))
        }
        _ => None,
    };
    match text {
        None => Some(format!("`{name}`: there is no such file")),
        Some(text) if has_test(&text, parts.last()?) => None,
        Some(_) => Some(format!("`{name}`: there is no such test")),
    }
}

/// Whether `item` is defined in `text`: by a keyword, or at the beginning of a line as variants, fields and what macros make are.
fn defines(text: &str, item: &str) -> bool {
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    text.lines().map(str::trim).any(|line| {
        let keywords = ["fn ", "struct ", "enum ", "trait ", "const ", "static ", "type "];
        let named = keywords
            .iter()
            .filter_map(|keyword| line.split_once(keyword))
            .any(|(_, rest)| rest.strip_prefix(item).is_some_and(is_end));
        let line = line.strip_prefix("pub ").unwrap_or(line);
        named
            || line
                .strip_prefix(item)
                .is_some_and(|rest| is_end(rest) && (rest.starts_with(" {") || !rest.starts_with(['.', '?', ' '])))
    })
}

/// Why a path names nothing, if it does not: its modules have to be files, and its items defined in them.
fn no_item(path: &str) -> Option<String> {
    let parts: Vec<_> = path.split("::").collect();
    let (text, items) = (1..=parts.len())
        .rev()
        .find_map(|length| module(&parts[..length]).map(|text| (text, &parts[length..])))
        .unwrap_or_default();
    let missing = text.is_empty() || !items.iter().all(|item| defines(&text, item));
    missing.then(|| format!("`{path}`: there is no such item"))
}

#[test]
fn every_test_that_the_map_names_exists() {
    let map = map();
    let mut wrong: Vec<_> = rows(&map)
        .iter()
        .flat_map(|row| quoted(&row.test))
        .filter_map(no_test)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    // The tables of the figures have no ids.
    let (_, figures) = map.split_once(FIGURES).expect("the figures");
    let figures: Vec<_> = figures.lines().filter(|line| line.starts_with("| ")).flat_map(quoted).collect();
    assert!(figures.len() >= 25, "the figures have {} tests", figures.len());
    wrong.extend(figures.into_iter().filter_map(no_test));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_item_that_the_map_names_exists() {
    // Fields and codes of the wire stand in backticks as well, but never with a path.
    let map = map();
    let rows = rows(&map);
    let named = rows.iter().flat_map(|row| quoted(&row.kept_by));
    let wrong: BTreeSet<_> = named.filter(|path| path.contains("::")).filter_map(no_item).collect();
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_row_says_who_keeps_it_and_what_would_notice() {
    for row in rows(&map()) {
        let Row { id, section, level, kept_by, test } = &row;
        assert!(!kept_by.is_empty(), "{id} is kept by nobody");
        assert!(id.starts_with(&format!("{}-{section}-", &id[..4])), "{id} is not of section {section}");
        let levels = ["MUST", "MUST NOT", "SHALL", "SHALL NOT", "REQUIRED"];
        let softer = ["SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED"];
        assert!(levels.contains(&level.as_str()) || softer.contains(&level.as_str()), "{id}: {level}");
        match test.as_str() {
            "—" if row.is_demand() => {
                assert!(KEEPERS.iter().any(|keeper| kept_by.starts_with(keeper)), "{id} has no test and no reason");
                assert!(kept_by.len() > 15, "{id}: {kept_by}");
            }
            "—" => {}
            tests => assert!(!quoted(tests).is_empty(), "{id}: {tests}"),
        }
    }
}

#[test]
fn no_row_is_missing_and_none_is_there_twice() {
    let map = map();
    let rows = rows(&map);
    let mut seen = BTreeSet::new();
    for row in &rows {
        assert!(seen.insert(row.id.clone()), "{} is there twice", row.id);
    }
    for (rfc, demands, recommendations) in ROWS {
        let of = |demand: bool| {
            rows.iter().filter(|row| row.id.starts_with(&format!("{rfc}-")) && row.is_demand() == demand).count()
        };
        assert_eq!((of(true), of(false)), (demands, recommendations), "rows of RFC {rfc}");
        // The numbers of a section count from 1; where one governs a list, its parts have letters from a.
        let ids: Vec<_> = rows.iter().filter(|row| row.id.starts_with(&format!("{rfc}-"))).collect();
        let sections: BTreeSet<_> = ids.iter().map(|row| row.section.clone()).collect();
        for section in sections {
            let numbers: BTreeSet<String> = ids
                .iter()
                .filter(|row| row.section == section)
                .map(|row| row.id[rfc.len() + section.len() + 2..].to_owned())
                .collect();
            let mut found = 0;
            for number in 1.. {
                if numbers.contains(&number.to_string()) {
                    found += 1;
                } else if numbers.contains(&format!("{number}a")) {
                    found += ('a'..='z').take_while(|letter| numbers.contains(&format!("{number}{letter}"))).count();
                } else {
                    break;
                }
            }
            assert_eq!(found, numbers.len(), "RFC {rfc} section {section} has a gap: {numbers:?}");
        }
    }
    assert_eq!(rows.len(), ROWS.iter().map(|(_, demands, more)| demands + more).sum::<usize>());
}

#[test]
fn a_map_with_mistakes_would_be_found() {
    assert!(no_test("flows::figure_1_first_access").is_none());
    for wrong in ["flows::figure_1", "flow::figure_1_first_access", "flows::spoil", "realm::tests::x", "support::x"] {
        assert!(no_test(wrong).is_some(), "{wrong}");
    }
    assert!(no_test("message::tests::sids_have_a_bound").is_none());
    assert!(no_test("realm::host::tests::hosts_are_normalised").is_none());
    assert!(no_item("message::VfyS::to_field").is_none());
    assert!(no_item("server::Session::verify_twice").is_some());
    assert!(no_item("nowhere::Session").is_some());
}
