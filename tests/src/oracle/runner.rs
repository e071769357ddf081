//! Runs rows and counts.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use super::compare::differences;
use super::data::{Data, Files};
use super::deviations::{DEVIATIONS, Deviation};
use super::inputs::Inputs;
use super::row::{Record, Row};

/// Something that can be put through the rows.
pub trait Implementation {
    /// Plays both sides of a row.
    fn play(&self, inputs: &Inputs, steps: &[String], files: &Files) -> Outcome;
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

/// Which rows are run; the others of the same families are counted as left out.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The letters of the families.
    pub families: &'static str,
    /// Whether a row of these families is in scope.
    pub includes: fn(&Row) -> bool,
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

/// Everything a run found.
#[derive(Debug, Default)]
pub struct Summary {
    /// Counts by family.
    pub families: BTreeMap<char, Tally>,
    /// Counts by deviation.
    pub deviations: BTreeMap<&'static str, usize>,
    /// Counts by reason for leaving a row out.
    pub reasons: BTreeMap<String, usize>,
    /// One text for each failed row.
    pub failures: Vec<String>,
}

/// Plays every row in `scope` and compares strictly.
pub fn run(data: &Data, scope: Scope, implementation: &dyn Implementation) -> Summary {
    let mut summary = Summary::default();
    for row in data
        .rows
        .iter()
        .filter(|row| scope.families.contains(row.family()))
    {
        let outcome = match row.inputs() {
            _ if !(scope.includes)(row) => Outcome::LeftOut("not in scope".to_owned()),
            Ok(inputs) => implementation.play(&inputs, &row.steps, &data.files),
            Err(reason) => Outcome::LeftOut(reason),
        };
        summary.count(row, &outcome);
    }
    summary
}

impl Summary {
    fn count(&mut self, row: &Row, outcome: &Outcome) {
        let tally = self.families.entry(row.family()).or_default();
        if let Outcome::LeftOut(reason) = outcome {
            tally.left_out += 1;
            *self.reasons.entry(reason.clone()).or_default() += 1;
            return;
        }
        tally.ran += 1;
        let found = describe(row, outcome);
        if found.is_empty() {
            tally.passed += 1;
        } else if let Some(deviation) = explanation(row, outcome) {
            tally.deviated += 1;
            *self.deviations.entry(deviation.name).or_default() += 1;
        } else {
            tally.failed += 1;
            self.failures.push(format!("{}\n{found}", row.describe()));
        }
    }

    /// The rows that differ from OpenSSL without a decision.
    pub fn failed(&self) -> usize {
        self.families.values().map(|tally| tally.failed).sum()
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
            let _ = writeln!(
                text,
                "{family:6} {:7} {:7} {:21} {:7} {:9}",
                tally.ran, tally.passed, tally.deviated, tally.failed, tally.left_out
            );
        }
        for deviation in DEVIATIONS {
            if let Some(count) = self.deviations.get(deviation.name) {
                let _ = writeln!(
                    text,
                    "deviated {count}: {} ({})",
                    deviation.name, deviation.decision
                );
            }
        }
        for (reason, count) in &self.reasons {
            let _ = writeln!(text, "left out {count}: {reason}");
        }
        text
    }
}

fn explanation(row: &Row, outcome: &Outcome) -> Option<&'static Deviation> {
    DEVIATIONS
        .iter()
        .find(|deviation| deviation.explains(row, outcome))
}

/// The differences as text; empty if there are none.
fn describe(row: &Row, outcome: &Outcome) -> String {
    let records = match outcome {
        Outcome::Ran(records) => records,
        Outcome::Refused(sentence) => return format!("  refused: {sentence}\n"),
        Outcome::LeftOut(reason) => return format!("  left out: {reason}\n"),
    };
    let mut text = String::new();
    if records.len() != row.out.len() {
        let _ = writeln!(
            text,
            "  {} records instead of {}",
            records.len(),
            row.out.len()
        );
    }
    for (expected, observed) in row.out.iter().zip(records) {
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
