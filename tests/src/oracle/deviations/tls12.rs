//! What the deviations of TLS 1.2 change.

use crate::endpoint::Side;
use crate::oracle::expectation::{Expectation, quiet};
use crate::oracle::row::{Alerted, Record};
use crate::oracle::step::Step;

/// `SSL_VERIFY_PEER`, `SSL_VERIFY_CLIENT_ONCE`.
const PEER: u32 = 1;
const CLIENT_ONCE: u32 = 4;

/// A renegotiation in which OpenSSL resumed the session is a full one, and what follows from that.
pub(super) fn full_renegotiations(rows: &mut Expectation<'_>) {
    let mut asked = 0;
    let mut differs = false;
    for at in 0..rows.moments.len() {
        let moment = &rows.moments[at];
        if let Step::Renegotiate(_) = moment.step
            && at > 0
        {
            let before = rows.moments[at - 1].record.clone();
            let resumed = moment.record.wrote("s2") && !moment.record.wrote("s12");
            if is_alive(&before) && (resumed || differs && moment.record.wrote("s2")) {
                differs = true;
                rows.moments[at].record = rows.renegotiation(at, asked);
            } else if !is_alive(&before) && differs {
                rows.moments[at].record = Record {
                    api: Some("ok".to_owned()),
                    ..quiet(&before)
                };
            }
        }
        asked += rows.moments[at].record.requests;
        if differs && at > 0 {
            follow_session(rows, at);
        }
    }
}

/// A session that is not OpenSSL's says what this connection found out about the client.
fn follow_session(rows: &mut Expectation<'_>, at: usize) {
    let before = rows.moments[at - 1].record.clone();
    let moment = &mut rows.moments[at];
    if resumes(&moment.step, &moment.record) && is_alive(&before) {
        moment.record.server.peer = before.server.peer;
        moment.record.server.verify_result = before.server.verify_result;
    }
}

/// After a renegotiation that failed OpenSSL resumes the session of the handshake before it.
pub(super) fn no_session_after_failure(rows: &mut Expectation<'_>) {
    for at in 1..rows.moments.len() {
        let moment = &rows.moments[at];
        let before = &rows.moments[at - 1].record;
        if resumes(&moment.step, &moment.record) && !is_alive(before) {
            rows.moments[at].record = rows.full_handshake(at);
        }
    }
}

fn resumes(step: &Step, record: &Record) -> bool {
    *step == Step::Resume && record.wrote("s2") && !record.wrote("s12")
}

/// What OpenSSL refuses (*wrong ssl version*) asks the client to make the handshake again.
pub(super) fn requests_that_renegotiate(rows: &mut Expectation<'_>) {
    let mut asked = 0;
    for at in 0..rows.moments.len() {
        let moment = &rows.moments[at];
        if at > 0 {
            let before = rows.moments[at - 1].record.clone();
            let mode = moment.inputs.server.mode;
            let asks = mode & PEER != 0 && (mode & CLIENT_ONCE == 0 || asked == 0);
            match moment.step {
                Step::Authenticate if is_alive(&before) && asks => {
                    rows.moments[at].record = rows.renegotiation(at, asked);
                }
                Step::Ask(Side::Server) if is_alive(&before) && asks => {
                    rows.moments[at].record.api = Some("ok".to_owned());
                }
                _ => {}
            }
        }
        asked += rows.moments[at].record.requests;
    }
}

/// OpenSSL only takes note of the wish. Before the handshake that breaks it, in the middle of one it ends the
/// connection afterwards, and at the end nothing happens.
pub(super) fn refused_calls(rows: &mut Expectation<'_>) {
    for at in 0..rows.moments.len() {
        let Step::Renegotiate(_) = rows.moments[at].step else {
            continue;
        };
        let before = at.checked_sub(1).map(|before| rows.moments[before].clone());
        let is_early = before
            .as_ref()
            .is_none_or(|before| before.step == Step::HalfHandshake);
        if is_early {
            let mut record = rows.full_handshake(at);
            if before.is_some() {
                record.requests = 0;
            }
            rows.moments[at].record = record;
        }
        if is_early || before.is_some_and(|before| !is_alive(&before.record)) {
            rows.moments[at].record.api = Some("fail:".to_owned());
        }
    }
}

/// OpenSSL forgets who the client is.
pub(super) fn identities_asked_for_once(rows: &mut Expectation<'_>) {
    let (mut asked, mut differs) = (0, false);
    for at in 1..rows.moments.len() {
        let before = rows.moments[at - 1].record.clone();
        asked += before.requests;
        if differs {
            follow_session(rows, at);
        }
        let moment = &mut rows.moments[at];
        let mode = moment.inputs.server.mode;
        let is_asked_once = mode & PEER != 0 && mode & CLIENT_ONCE != 0 && asked > 0;
        let is_again = before.server.ok && moment.record.server.ok && moment.record.wrote("s12");
        if let Step::Renegotiate(_) = moment.step
            && is_asked_once
            && is_again
        {
            differs = true;
            moment.record.server.peer = before.server.peer;
            moment.record.server.verify_result = before.server.verify_result;
        }
    }
}

/// OpenSSL asks for a certificate, which the protocol does not allow, and every client refuses that.
pub(super) fn no_anonymous_suites(rows: &mut Expectation<'_>) {
    for moment in &mut rows.moments {
        let record = &mut moment.record;
        if moment.inputs.ciphers.are_anonymous() && record.requests > 0 {
            record.requests = 0;
            record.alerts = vec![Alerted("s".to_owned(), 2, 40)];
        }
    }
}

fn is_alive(record: &Record) -> bool {
    record.client.ok && record.server.ok
}
