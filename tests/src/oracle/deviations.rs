//! Where countersign differs from OpenSSL on purpose.
//!
//! Each entry says which rows it concerns, which decision asks for it, and exactly what is
//! expected instead: the comparison stays strict, only against other records. A
//! difference that no entry explains is a failure, and so is one that an entry asks for and that
//! does not happen.

mod tls12;

use super::callback::APPLICATION_ERROR;
use super::data::Files;
use super::expectation::{Expectation, quiet};
use super::row::{Alerted, Record, Row, SideRecord};
use super::step::Step;
use crate::endpoint::Side;

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
    /// The records after this change.
    Changed(fn(&mut Expectation<'_>)),
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
        name: "an answer that names no certificate is no error",
        decision: "CredentialQuestion::answer takes a credential or none: the rule of OpenSSL 4.0",
        applies: |row| row.out_4_0.is_some() && row.is("cccb", &["retnull"]),
        instead: Instead::OpenSsl4,
    },
    Deviation {
        name: "a depth below -1 cannot be said",
        decision: "quirk 11: unrepresentable",
        applies: |row| number(row, "sdepth", 0) < -1 || number(row, "cdepth", 0) < -1,
        instead: Instead::Refused("never negative"),
    },
    Deviation {
        name: "an empty trust store with PEER is refused when the configuration is built",
        decision: "defaults: the mistake is found at start-up",
        applies: |row| {
            let client = row.is("ctrust", &["none"]) && number(row, "cmode", 0) != 0;
            client || row.is("strust", &["none"]) && number(row, "smode", 0) & 1 == 1
        },
        instead: Instead::Refused("no authority is trusted"),
    },
    Deviation {
        name: "a server of TLS 1.3 without a certificate is refused when the configuration is built",
        decision: "defaults: the mistake is found at start-up",
        applies: |row| row.is("proto", &["13"]) && row.is("scert", &["none"]),
        instead: Instead::Refused("needs a certificate"),
    },
    Deviation {
        name: "an own certificate below the security level is refused when the configuration is built",
        decision: "defaults: the mistake is found at start-up",
        applies: |row| {
            number(row, "slevel", 2) > 3 || number(row, "clevel", 2) > 3 && row.has("ccert")
        },
        instead: Instead::Refused("security level"),
    },
    Deviation {
        name: "a replacement verifier of the server that says no leaves a code",
        decision: "quirk 12: a rejection carries its reason",
        applies: |row| row.is("savc", &["ok0", "neg"]),
        instead: Instead::Changed(|rows| {
            rows.each(|record| record.server.verify_result = APPLICATION_ERROR);
        }),
    },
    Deviation {
        name: "a replacement verifier of the client that says no leaves a code",
        decision: "quirk 12: a rejection carries its reason",
        applies: |row| row.is("cavc", &["ok0", "neg"]),
        instead: Instead::Changed(|rows| {
            rows.each(|record| record.client.verify_result = APPLICATION_ERROR);
        }),
    },
    Deviation {
        name: "a client's RSA key of 1024 bits does not authenticate",
        decision: "RSA keys below 2048 bits never authenticate a handshake",
        applies: |row| row.is("ccert", &["weakkey"]),
        instead: Instead::Changed(|rows| {
            let is_tls12 = rows.is_tls12();
            rows.each(|record| {
                // A verification that fails has the first word.
                if record.server.ok && record.server.peer.is_some() {
                    refused(&mut record.server);
                    record.client.ok = false;
                    record.client.completed = !is_tls12;
                    unsupported(record, "s");
                }
            });
        }),
    },
    Deviation {
        name: "a server's RSA key of 1024 bits does not authenticate",
        decision: "RSA keys below 2048 bits never authenticate a handshake",
        applies: |row| row.is("scert", &["weakkey"]),
        instead: Instead::Changed(|rows| {
            rows.each(|record| {
                if record.client.ok {
                    refused(&mut record.client);
                    record.server.completed = false;
                    record.server.ok = false;
                    unsupported(record, "c");
                }
            });
        }),
    },
    Deviation {
        name: "a connection is not used twice: nothing of the first is left in the second",
        decision: "quirks 7 and 8: cannot arise",
        applies: |row| row.steps.iter().any(|step| step == "reuse"),
        instead: Instead::Changed(new_connections),
    },
    Deviation {
        name: "a stored session without a context is resumed by a server that lacks PEER by now",
        decision: "ConfigBuilder::session_store: what is stored resumes as what is in tickets",
        applies: |row| row.is_number("sidctx", 0) && row.is("sopts", &["NOTICKET"]),
        instead: Instead::Changed(stored_as_in_tickets),
    },
    Deviation {
        name: "a session without a context leads to a full handshake under PEER, not to an alert",
        decision: "quirk 1: declined into a full handshake, never an error",
        applies: |row| row.is_number("sidctx", 0),
        instead: Instead::Changed(full_handshakes_for_alerts),
    },
    Deviation {
        name: "nothing waits to be sent, so nothing has to wait for it",
        decision: "Connection: what has to be sent is in the output of the call that causes it",
        applies: |row| row.family() == 'H',
        instead: Instead::Changed(nothing_in_the_way),
    },
    Deviation {
        name: "a renegotiation is a full handshake",
        decision: "quirk 2: to set the mode and ask again authenticates",
        applies: |row| renegotiates(row),
        instead: Instead::Changed(tls12::full_renegotiations),
    },
    Deviation {
        name: "a request for a certificate renegotiates",
        decision: "Connection::request_peer_certificate: one call for both versions",
        applies: |row| row.is("proto", &["12", "c12"]),
        instead: Instead::Changed(tls12::requests_that_renegotiate),
    },
    Deviation {
        name: "a renegotiation of a connection that has ended, or has not begun, is refused by the call",
        decision: "Connection::renegotiate: an error that says what to do",
        applies: |row| renegotiates(row),
        instead: Instead::Changed(tls12::refused_calls),
    },
    Deviation {
        name: "an identity outlives a renegotiation in which CLIENT_ONCE asks no more",
        decision: "quirk 6: the identity established earlier stays",
        applies: |row| renegotiates(row),
        instead: Instead::Changed(tls12::identities_asked_for_once),
    },
    Deviation {
        name: "a connection that failed leaves no session behind",
        decision: "RFC 5246 §7.2.2: a fatal alert invalidates the session",
        applies: |row| renegotiates(row),
        instead: Instead::Changed(tls12::no_session_after_failure),
    },
    Deviation {
        name: "a client whose certificate has expired gets no ticket",
        decision: "ConfigBuilder::ticket_lifetime: it never outlives the client's certificate",
        applies: |row| {
            let expires = |step: &String| step == "ccert:expired";
            row.is("ccert", &["expired"]) || row.steps.iter().any(expires)
        },
        instead: Instead::Changed(no_tickets_for_expired),
    },
    Deviation {
        name: "anonymous suites are allowed by one call, whatever the security level",
        decision: "defaults: off; ConfigBuilder::allow_anonymous",
        applies: |row| {
            row.has("ciphers") && (number(row, "slevel", 2) > 0 || number(row, "clevel", 2) > 0)
        },
        instead: Instead::Changed(|rows| {
            for at in 0..rows.moments.len() {
                rows.moments[at].record = rows.at_level(at, 0);
            }
        }),
    },
    Deviation {
        name: "a server that insists on certificates takes no anonymous suite",
        decision: "quirk 4: PEER with FAIL_IF_NO_PEER_CERT is fixed",
        applies: |row| row.has("ciphers"),
        instead: Instead::Changed(tls12::no_anonymous_suites),
    },
    Deviation {
        name: "no certificate means not verified",
        decision: "quirk 5: the result belongs to an identity",
        applies: |_| true,
        instead: Instead::Changed(not_verified),
    },
    Deviation {
        name: "an identity is not shown as current after a later authentication failed",
        decision: "quirk 19: the connection dies, the report is in the error",
        applies: |_| true,
        instead: Instead::Changed(no_peer_after_failure),
    },
];

/// Whether the input of either side, `sparam` or `cparam` for example, has one of the values.
fn either(row: &Row, name: &str, values: &[&str]) -> bool {
    ["s", "c"]
        .iter()
        .any(|side| row.is(&format!("{side}{name}"), values))
}

fn number(row: &Row, name: &str, default: i64) -> i64 {
    let value = row.raw_inputs.get(name);
    value.and_then(serde_json::Value::as_i64).unwrap_or(default)
}

fn renegotiates(row: &Row) -> bool {
    row.steps.iter().any(|step| step.starts_with("reneg"))
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

/// After `reuse` everything is as on a new connection; `resume` makes one in OpenSSL too.
fn new_connections(rows: &mut Expectation<'_>) {
    let mut is_second = false;
    for at in 0..rows.moments.len() {
        match rows.moments[at].step {
            Step::Reuse => {
                is_second = true;
                rows.moments[at].record = rows.full_handshake(at);
            }
            Step::Authenticate if is_second => {
                let before = rows.moments[at - 1].record.clone();
                rows.moments[at].record = rows.authentication(at, &before);
            }
            _ => is_second = false,
        }
    }
}

/// With PEER and without a context OpenSSL stores nothing, but seals tickets.
fn stored_as_in_tickets(rows: &mut Expectation<'_>) {
    for at in 1..rows.moments.len() {
        let (before, now) = (&rows.moments[at - 1].record, &rows.moments[at]);
        let lacks_peer = now.inputs.server.mode & 1 == 0;
        if now.step == Step::Resume && lacks_peer && before.server.ok {
            let api = now.record.api.clone();
            let resumed = quiet(before);
            rows.moments[at].record = Record { api, ..resumed };
        }
    }
}

/// *session id context uninitialized* is an alert 80.
fn full_handshakes_for_alerts(rows: &mut Expectation<'_>) {
    let alert = Alerted("s".to_owned(), 2, 80);
    for at in 0..rows.moments.len() {
        let moment = &rows.moments[at];
        if moment.step == Step::Resume && moment.record.alerts.contains(&alert) {
            rows.moments[at].record = rows.full_handshake(at);
        }
    }
}

/// The common name of the client's certificate that has expired.
const EXPIRED: &str = "client expired";

/// Follows what the newest ticket says about the client, if there is a ticket.
fn no_tickets_for_expired(rows: &mut Expectation<'_>) {
    let mut held: Option<(Option<String>, u32)> = None;
    // The last handshake, if it is a full one only here.
    let mut full: Option<Record> = None;
    for at in 0..rows.moments.len() {
        let moment = &rows.moments[at];
        // Where OpenSSL had no session either, there is nothing to change.
        let resumes = moment.step == Step::Resume && moment.record.client.trace.is_empty();
        match (&held, &full) {
            (None, _) if resumes => {
                rows.moments[at].record = rows.full_handshake(at);
                full = Some(rows.moments[at].record.clone());
            }
            (Some((peer, result)), _) if resumes => {
                let server = &mut rows.moments[at].record.server;
                (server.peer, server.verify_result) = (peer.clone(), *result);
                full = None;
            }
            (_, Some(full)) if moment.step == Step::Authenticate => {
                rows.moments[at].record = rows.authentication(at, full);
            }
            _ => {}
        }
        let record = &rows.moments[at].record;
        // TLS 1.2 has session ids besides tickets.
        let is_ticket = record.wrote("s4") || record.wrote("s12");
        let server = &record.server;
        if !server.ok {
            held = None;
        } else if is_ticket && server.peer.as_deref() != Some(EXPIRED) {
            held = Some((server.peer.clone(), server.verify_result));
        }
    }
}

/// OpenSSL refuses a call while something of another call waits to be sent (*still in init*).
fn nothing_in_the_way(rows: &mut Expectation<'_>) {
    for at in 1..rows.moments.len() {
        let before = &rows.moments[at - 1];
        let now = &rows.moments[at];
        let is_refused = before.record.succeeded() == Some(true)
            && before.record.server.ok
            && now.record.succeeded() == Some(false);
        match (&before.step, &now.step) {
            (Step::Ask(Side::Server), Step::UpdateKeys(Side::Server) | Step::NewTicket)
                if is_refused =>
            {
                rows.moments[at].record.api = Some("ok".to_owned());
            }
            (Step::UpdateKeys(Side::Server), Step::Ask(Side::Server)) if is_refused => {
                let handshake = rows.moments[0].record.clone();
                let asked = rows.authentication(at, &handshake);
                rows.moments[at].record.api.clone_from(&asked.api);
                if asked.succeeded() == Some(true) {
                    let pump = &mut rows.moments[at + 1].record;
                    *pump = Record { api: None, ..asked };
                }
            }
            _ => {}
        }
    }
}

/// On an end that refused what came after the handshake, until there is another connection.
fn no_peer_after_failure(rows: &mut Expectation<'_>) {
    let mut failed = [false; 2];
    for moment in &mut rows.moments {
        if matches!(moment.step, Step::Resume | Step::Reuse) {
            failed = [false; 2];
        }
        let record = &mut moment.record;
        let sides = [("c", &mut record.client), ("s", &mut record.server)];
        for ((name, side), failed) in sides.into_iter().zip(&mut failed) {
            let refuses = record
                .alerts
                .iter()
                .any(|Alerted(by, level, _)| by == name && *level == 2);
            *failed |= side.completed && refuses;
            if *failed {
                side.peer = None;
            }
        }
    }
}

/// Where OpenSSL shows the result of an earlier handshake, or 0.
fn not_verified(rows: &mut Expectation<'_>) {
    let mut ended_without = false;
    for moment in &mut rows.moments {
        if matches!(moment.step, Step::Resume | Step::Reuse) {
            ended_without = false;
        }
        let record = &mut moment.record;
        // A client that was asked and has no certificate signs nothing.
        ended_without |= !record.server.ok && record.wrote("c11") && !record.wrote("c15");
        if ended_without && record.server.peer.is_none() {
            record.server.verify_result = 0;
        }
        for side in [&mut record.client, &mut record.server] {
            if side.ok && side.peer.is_none() {
                side.verify_result = 0;
            }
        }
    }
}

/// What is expected of a row, and the deviations that led to it.
#[derive(Debug)]
pub(crate) enum Expected {
    Records {
        records: Vec<Record>,
        by: Vec<&'static str>,
    },
    Refusal {
        words: &'static str,
        by: &'static str,
    },
}

/// Applies every deviation that concerns the row, in the order of the table.
pub(crate) fn expected(row: &Row, files: &Files, table: &[Deviation]) -> Result<Expected, String> {
    let mut expectation = Expectation::of(row, files)?;
    let records = |expectation: &Expectation<'_>| -> Vec<Record> {
        let moments = expectation.moments.iter();
        moments.map(|moment| moment.record.clone()).collect()
    };
    let mut by = Vec::new();
    for deviation in table.iter().filter(|entry| (entry.applies)(row)) {
        let before = records(&expectation);
        match deviation.instead {
            Instead::Refused(words) => {
                let by = deviation.name;
                return Ok(Expected::Refusal { words, by });
            }
            Instead::OpenSsl4 => {
                expectation.replace(row.out_4_0.as_deref().unwrap_or_default());
            }
            Instead::Changed(change) => change(&mut expectation),
        }
        if !same(&before, &records(&expectation)) {
            by.push(deviation.name);
        }
    }
    let records = records(&expectation);
    Ok(Expected::Records { records, by })
}

fn same(expected: &[Record], observed: &[Record]) -> bool {
    expected.len() == observed.len()
        && expected
            .iter()
            .zip(observed)
            .all(|(expected, observed)| super::compare::differences(expected, observed).is_empty())
}
