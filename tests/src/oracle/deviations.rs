//! Where countersign differs from OpenSSL on purpose.
//!
//! Each entry says which rows it concerns, which decision asks for it, and exactly what is
//! expected instead: the comparison stays strict, only against another record. A
//! difference that no entry explains is a failure.

use super::row::{Record, Row};
use super::runner::Outcome;

/// A difference that was decided.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    /// A name for the summary.
    pub name: &'static str,
    /// The decision that asks for it.
    pub decision: &'static str,
    /// Whether a row is concerned.
    pub applies: fn(&Row) -> bool,
    /// What is expected instead.
    pub instead: Instead,
}

/// What is expected instead of what OpenSSL 3.6.3 did.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Instead {
    /// What OpenSSL 4.0 did.
    OpenSsl4,
    /// The record after this change.
    Changed(fn(&mut Record)),
    /// The configuration is refused before anything is sent.
    Refused,
}

/// Every decided difference.
pub static DEVIATIONS: &[Deviation] = &[Deviation {
    name: "no-check-time beats an explicit time",
    decision: "quirk 16: the rule of OpenSSL 4.0",
    applies: |row| row.out_4_0.is_some() && uses_flag(row, "notime"),
    instead: Instead::OpenSsl4,
}];

fn uses_flag(row: &Row, flag: &str) -> bool {
    ["sparam", "cparam"]
        .iter()
        .any(|name| row.raw_inputs.get(*name).and_then(|value| value.as_str()) == Some(flag))
}

impl Deviation {
    /// Whether `outcome` is exactly what this entry expects for `row`.
    pub fn explains(&self, row: &Row, outcome: &Outcome) -> bool {
        if !(self.applies)(row) {
            return false;
        }
        match (self.instead, outcome) {
            (Instead::Refused, Outcome::Refused(_)) => true,
            (Instead::OpenSsl4, Outcome::Ran(records)) => row
                .out_4_0
                .as_ref()
                .is_some_and(|expected| same(expected, records)),
            (Instead::Changed(change), Outcome::Ran(records)) => {
                let mut expected = row.out.clone();
                expected.iter_mut().for_each(change);
                same(&expected, records)
            }
            _ => false,
        }
    }
}

fn same(expected: &[Record], observed: &[Record]) -> bool {
    expected.len() == observed.len()
        && expected
            .iter()
            .zip(observed)
            .all(|(expected, observed)| super::compare::differences(expected, observed).is_empty())
}
