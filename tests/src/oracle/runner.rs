//! Runs rows and counts.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use super::compare::differences;
use super::data::{Data, Files};
use super::deviations::{DEVIATIONS, Deviation, Expected, expected};
use super::inputs::Inputs;
use super::row::{Record, Row};
use super::step::Step;

/// Something that can be put through the rows.
pub trait Implementation {
    /// Where it differs from OpenSSL on purpose.
    fn deviations(&self) -> &'static [Deviation];
    /// What is played in place of an input that it does not have, in words.
    fn substitute(&self, _: &Inputs) -> Option<String> {
        None
    }
    /// Plays both sides of a row.
    fn play(&self, inputs: &Inputs, steps: &[Step], files: &Files) -> Outcome;
}

/// What an implementation did with a row.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the runner has to count each of these"
)]
pub enum Outcome {
    /// It ran; one record a step.
    Ran(Vec<Record>),
    /// The configuration was refused before anything was sent, with this sentence.
    Refused(String),
    /// It cannot express this row, for this reason.
    LeftOut(String),
}

/// Which rows are run.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Which rows it is about.
    pub covers: fn(&Row) -> bool,
    /// Which of them are played; the others are counted as left out.
    pub plays: fn(&Row) -> bool,
}

/// Counts of one family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that were played.
    pub ran: usize,
    /// Rows without any difference.
    pub passed: usize,
    /// Rows that differ exactly as a decision says.
    pub deviated: usize,
    /// Rows that differ otherwise.
    pub failed: usize,
    /// Rows that were not played.
    pub left_out: usize,
}

impl Tally {
    /// A line of the report.
    fn write(&self, name: &str, text: &mut String) {
        let _ = writeln!(
            text,
            "{name} {:7} {:7} {:21} {:7} {:9}",
            self.ran, self.passed, self.deviated, self.failed, self.left_out
        );
    }
}

/// Everything a run found.
#[derive(Debug, Default)]
pub struct Summary {
    /// Counts by family.
    pub families: BTreeMap<char, Tally>,
    /// Counts by deviation.
    pub deviations: BTreeMap<&'static str, usize>,
    /// Counts by what was played in place of something else.
    pub substitutes: BTreeMap<String, usize>,
    /// Counts by reason for leaving a row out.
    pub reasons: BTreeMap<String, usize>,
    /// One text for each failed row.
    pub failures: Vec<String>,
}

/// Plays every row in `scope` and compares strictly.
pub fn run(data: &Data, scope: Scope, implementation: &dyn Implementation) -> Summary {
    let mut summary = Summary::default();
    for row in data.rows.iter().filter(|row| (scope.covers)(row)) {
        let read = || Ok::<_, String>((row.inputs()?, row.read_steps()?));
        let outcome = if (scope.plays)(row) {
            match read() {
                Ok((inputs, steps)) => {
                    if let Some(substitute) = implementation.substitute(&inputs) {
                        *summary.substitutes.entry(substitute).or_default() += 1;
                    }
                    implementation.play(&inputs, &steps, &data.files)
                }
                Err(reason) => Outcome::LeftOut(reason),
            }
        } else {
            Outcome::LeftOut("out of the scope of this test".to_owned())
        };
        if let Outcome::LeftOut(reason) = outcome {
            summary.leave_out(row, reason);
        } else {
            let table = implementation.deviations();
            summary.count(row, &compare(row, &outcome, &data.files, table));
        }
    }
    summary
}

impl Summary {
    fn leave_out(&mut self, row: &Row, reason: String) {
        self.families.entry(row.family()).or_default().left_out += 1;
        *self.reasons.entry(reason).or_default() += 1;
    }

    fn count(&mut self, row: &Row, compared: &Result<Vec<&'static str>, String>) {
        let tally = self.families.entry(row.family()).or_default();
        tally.ran += 1;
        match compared {
            Ok(by) if by.is_empty() => tally.passed += 1,
            Ok(by) => {
                tally.deviated += 1;
                for name in by {
                    *self.deviations.entry(name).or_default() += 1;
                }
            }
            Err(found) => {
                tally.failed += 1;
                self.failures.push(format!("{}\n{found}", row.describe()));
            }
        }
    }

    /// All families together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.families.values() {
            total.ran += tally.ran;
            total.passed += tally.passed;
            total.deviated += tally.deviated;
            total.failed += tally.failed;
            total.left_out += tally.left_out;
        }
        total
    }

    /// The deviations that explained nothing: on the whole matrix there must be none.
    pub fn unused_deviations(&self) -> Vec<&'static str> {
        DEVIATIONS
            .iter()
            .map(|deviation| deviation.name)
            .filter(|name| !self.deviations.contains_key(name))
            .collect()
    }

    /// A line for each family, for each deviation, and for each reason to leave rows out.
    pub fn report(&self) -> String {
        let mut text =
            String::from("family     ran  passed  deviated by decision  failed  left out\n");
        for (family, tally) in &self.families {
            tally.write(&format!("{family:6}"), &mut text);
        }
        self.total().write("all   ", &mut text);
        for deviation in DEVIATIONS {
            if let Some(count) = self.deviations.get(deviation.name) {
                let _ = writeln!(
                    text,
                    "deviated {count}: {} ({})",
                    deviation.name, deviation.decision
                );
            }
        }
        for (substitute, count) in &self.substitutes {
            let _ = writeln!(text, "played {count} with {substitute}");
        }
        for (reason, count) in &self.reasons {
            let _ = writeln!(text, "left out {count}: {reason}");
        }
        text
    }
}

/// The names of the deviations with which the outcome is what is expected, or the
/// differences as text.
fn compare(
    row: &Row,
    outcome: &Outcome,
    files: &Files,
    table: &[Deviation],
) -> Result<Vec<&'static str>, String> {
    match (expected(row, files, table)?, outcome) {
        (Expected::Records { records, by }, Outcome::Ran(observed)) => {
            let found = describe(&records, observed);
            if found.is_empty() { Ok(by) } else { Err(found) }
        }
        (Expected::Refusal { words, by }, Outcome::Refused(sentence))
            if sentence.contains(words) =>
        {
            Ok(vec![by])
        }
        (Expected::Refusal { words, .. }, outcome) => {
            Err(format!("  expected to be refused: {words}\n  {outcome:?}"))
        }
        (_, outcome) => Err(format!("  {outcome:?}")),
    }
}

/// The differences as text; empty if there are none.
fn describe(expected: &[Record], observed: &[Record]) -> String {
    let mut text = String::new();
    if observed.len() != expected.len() {
        let _ = writeln!(
            text,
            "  {} records instead of {}",
            observed.len(),
            expected.len()
        );
    }
    for (expected, observed) in expected.iter().zip(observed) {
        for difference in differences(expected, observed) {
            let _ = writeln!(text, "  {difference}");
        }
        if !text.is_empty() {
            let _ = writeln!(
                text,
                "  wire: OpenSSL {} | here {}",
                expected.wire, observed.wire
            );
        }
    }
    text
}
