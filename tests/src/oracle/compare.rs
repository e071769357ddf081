//! The strict comparison of two records.

use core::fmt;

use super::row::{Record, SideRecord};

/// A field in which an observation differs from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field: `s.vr`, `alerts`, …
    pub field: String,
    /// What is recorded.
    pub expected: String,
    /// What was seen.
    pub observed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:9} expected {}\n          observed {}",
            self.field, self.expected, self.observed
        )
    }
}

/// Every strict field in which the two differ.
pub fn differences(expected: &Record, observed: &Record) -> Vec<Difference> {
    let mut found = Vec::new();
    sides("c", &expected.client, &observed.client, &mut found);
    sides("s", &expected.server, &observed.server, &mut found);
    field("creq", &expected.requests, &observed.requests, &mut found);
    field("alerts", &expected.alerts, &observed.alerts, &mut found);
    field("alive", &expected.alive, &observed.alive, &mut found);
    field(
        "api",
        &expected.succeeded(),
        &observed.succeeded(),
        &mut found,
    );
    found
}

fn sides(side: &str, expected: &SideRecord, observed: &SideRecord, found: &mut Vec<Difference>) {
    field(
        &format!("{side}.hsret"),
        &expected.completed,
        &observed.completed,
        found,
    );
    field(&format!("{side}.ok"), &expected.ok, &observed.ok, found);
    field(
        &format!("{side}.vr"),
        &expected.verify_result,
        &observed.verify_result,
        found,
    );
    field(
        &format!("{side}.peer"),
        &expected.peer,
        &observed.peer,
        found,
    );
    field(
        &format!("{side}.trace"),
        &expected.trace,
        &observed.trace,
        found,
    );
}

fn field<T: PartialEq + fmt::Debug>(
    name: &str,
    expected: &T,
    observed: &T,
    found: &mut Vec<Difference>,
) {
    if expected != observed {
        found.push(Difference {
            field: name.to_owned(),
            expected: format!("{expected:?}"),
            observed: format!("{observed:?}"),
        });
    }
}
