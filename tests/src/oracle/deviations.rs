//! Where countersign differs from OpenSSL on purpose.
//!
//! Each entry says which rows it concerns, which decision asks for it, and exactly what is
//! expected instead: the comparison stays strict, only against another record. A
//! difference that no entry explains is a failure.

use super::callback::APPLICATION_ERROR;
use super::row::{Alerted, Record, Row, SideRecord};
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
    /// The configuration is refused before anything is sent, in a sentence with these words.
    Refused(&'static str),
}

/// Every decided difference.
pub static DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "no-check-time beats an explicit time",
        decision: "quirk 16: the rule of OpenSSL 4.0",
        applies: |row| row.out_4_0.is_some() && either(row, "param", &["notime"]),
        instead: Instead::OpenSsl4,
    },
    Deviation {
        name: "an empty trust store with PEER is refused when the configuration is built",
        decision: "defaults: the mistake is found at start-up",
        applies: |row| either(row, "trust", &["none"]),
        instead: Instead::Refused("no authority is trusted"),
    },
    Deviation {
        name: "an own certificate below the security level is refused when the configuration is built",
        decision: "defaults: the mistake is found at start-up",
        applies: |row| level(row, "slevel") > 3 || level(row, "clevel") > 3 && row.has("ccert"),
        instead: Instead::Refused("security level"),
    },
    Deviation {
        name: "a replacement verifier of the server that says no leaves a code",
        decision: "quirk 12: a rejection carries its reason",
        applies: |row| row.is("savc", &["ok0", "neg"]),
        instead: Instead::Changed(|record| record.server.verify_result = APPLICATION_ERROR),
    },
    Deviation {
        name: "a replacement verifier of the client that says no leaves a code",
        decision: "quirk 12: a rejection carries its reason",
        applies: |row| row.is("cavc", &["ok0", "neg"]),
        instead: Instead::Changed(|record| record.client.verify_result = APPLICATION_ERROR),
    },
    Deviation {
        name: "a client's RSA key of 1024 bits does not authenticate",
        decision: "RSA keys below 2048 bits never authenticate a handshake",
        applies: |row| row.is("ccert", &["weakkey"]),
        instead: Instead::Changed(|record| {
            refused(&mut record.server);
            record.client.ok = false;
            unsupported(record, "s");
        }),
    },
    Deviation {
        name: "a server's RSA key of 1024 bits does not authenticate",
        decision: "RSA keys below 2048 bits never authenticate a handshake",
        applies: |row| row.is("scert", &["weakkey"]),
        instead: Instead::Changed(|record| {
            refused(&mut record.client);
            record.server.completed = false;
            record.server.ok = false;
            unsupported(record, "c");
        }),
    },
];

/// Whether the input of either side, `sparam` or `cparam` for example, has one of the values.
fn either(row: &Row, name: &str, values: &[&str]) -> bool {
    ["s", "c"]
        .iter()
        .any(|side| row.is(&format!("{side}{name}"), values))
}

fn level(row: &Row, name: &str) -> u64 {
    let value = row.raw_inputs.get(name);
    value.and_then(serde_json::Value::as_u64).unwrap_or(2)
}

/// The end that did not accept its peer, before any verification had a result.
fn refused(side: &mut SideRecord) {
    side.completed = false;
    side.ok = false;
    side.verify_result = 0;
    side.peer = None;
}

fn unsupported(record: &mut Record, by: &str) {
    record.alerts = vec![Alerted(by.to_owned(), 2, 43)];
    record.alive = Some(false);
}

impl Deviation {
    /// Whether `outcome` is exactly what this entry expects for `row`.
    pub fn explains(&self, row: &Row, outcome: &Outcome) -> bool {
        if !(self.applies)(row) {
            return false;
        }
        match (self.instead, outcome) {
            (Instead::Refused(words), Outcome::Refused(sentence)) => sentence.contains(words),
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
