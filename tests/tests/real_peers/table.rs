//! What happened, as a table, and whether that is what should happen.

use std::fmt::Write as _;
use std::io::Write as _;

use countersign_tests::programs::find;

/// The document that holds the rows, each table under its heading.
const DOCUMENT: &str = include_str!("../../../docs/interoperability.md");

/// What happened with one peer in one situation: a cell for each certificate.
#[derive(Clone)]
pub(crate) struct Row {
    /// The peer and what is asked of it.
    pub(crate) title: String,
    /// What happened.
    pub(crate) cells: Vec<String>,
    /// What should have.
    pub(crate) expected: Vec<&'static str>,
}

impl Row {
    pub(crate) fn new(title: &str, cells: Vec<String>, expected: &[&'static str]) -> Self {
        Self {
            title: title.to_owned(),
            cells,
            expected: expected.to_vec(),
        }
    }

    fn line(&self) -> String {
        format!("| {} | {} |", self.title, self.cells.join(" | "))
    }
}

/// The lines of the document under that heading.
fn section(heading: &str) -> impl Iterator<Item = &'static str> {
    let begins = move |line: &&str| line.strip_prefix("## ") == Some(heading);
    let mut lines = DOCUMENT.lines();
    assert!(lines.any(|line| begins(&line)), "no section {heading:?}");
    lines.take_while(|line| !line.starts_with("## "))
}

/// Prints the rows, also where the output of tests that pass is not shown.
///
/// # Panics
/// If a cell is not as expected, or a row is not in the document under that heading.
pub(crate) fn check(heading: &'static str, rows: &[Row]) {
    let mut table = format!("\n{heading}\n");
    let mut wrong = String::new();
    for row in rows {
        writeln!(table, "{}", row.line()).unwrap();
        if row.cells != row.expected {
            writeln!(wrong, "{}\n  expected {:?}", row.line(), row.expected).unwrap();
        } else if !section(heading).any(|line| line == row.line()) {
            writeln!(wrong, "{}\n  is not in the document", row.line()).unwrap();
        }
    }
    say(&table);
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Writes past the capture of a test's output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Where all of these programs are. If one is missing, says so and which rows are missing with it.
pub(crate) fn find_all<const N: usize>(
    names: [&str; N],
    rows: &str,
) -> Option<[std::path::PathBuf; N]> {
    let found = names.map(find);
    let missing = names.iter().zip(&found).filter(|(_, path)| path.is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Some(found.map(Option::unwrap_or_default));
    }
    say(&format!(
        "SKIPPED: {rows}, for want of {}",
        missing.join(", ")
    ));
    None
}
