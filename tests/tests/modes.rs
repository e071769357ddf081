//! Every verify mode, callback, certificate and parameter of the matrix, in TLS 1.2 and TLS 1.3: in the handshake,
//! after it, in renegotiations, on resumption and without certificates, compared strictly with what OpenSSL did.

use std::io::Write as _;

use countersign::ResumePolicy;
use countersign_tests::oracle::compare::differences;
use countersign_tests::oracle::countersign::{Again, CountersignItself, How, later_handshakes};
use countersign_tests::oracle::data::Data;
use countersign_tests::oracle::expectation::Expectation;
use countersign_tests::oracle::openssl::OpenSslItself;
use countersign_tests::oracle::step::Step;
use countersign_tests::oracle::{Row, Scope, run};

fn is_tls12(row: &Row) -> bool {
    row.is("proto", &["12", "c12"])
}

const TLS12: Scope = Scope {
    covers: is_tls12,
    plays: |_| true,
};

const TLS13: Scope = Scope {
    covers: |row: &Row| !is_tls12(row),
    plays: |_| true,
};

/// One handshake, which is what OpenSSL plays here.
const ONE_HANDSHAKE: Scope = Scope {
    covers: |_| true,
    plays: |row: &Row| row.steps == ["hs"],
};

/// Writes past the capture of a test's output: what was compared is to be seen.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Every row of the scope is played, and does as OpenSSL or as decided.
fn assert_as_openssl(title: &str, scope: Scope) {
    let data = Data::load();
    let summary = run(&data, scope, &CountersignItself);
    say(&format!("{title}, {}\n{}", data.source, summary.report()));
    let total = summary.total();
    assert_eq!(total.failed, 0, "{}", summary.failures.join("\n"));
    assert_eq!(total.left_out, 0, "{:?}", summary.reasons);
    assert!(total.passed > 0);
}

#[test]
fn countersign_does_what_openssl_does_in_tls_1_2() {
    assert_as_openssl("TLS 1.2", TLS12);
}

#[test]
fn countersign_does_what_openssl_does_in_tls_1_3() {
    assert_as_openssl("TLS 1.3", TLS13);
}

/// An entry of the table that explains nothing would hide a failure one day, and so would a row
/// that is not played.
#[test]
fn every_deviation_happens() {
    let everything = Scope {
        covers: |_| true,
        plays: |_| true,
    };
    let summary = run(&Data::copy(), everything, &CountersignItself);
    assert_eq!(summary.unused_deviations(), Vec::<&str>::new());
    assert_eq!(summary.total().ran, 5_443, "every row is played");
}

#[test]
fn openssl_does_again_what_it_did() {
    let data = Data::load();
    let summary = run(&data, ONE_HANDSHAKE, &OpenSslItself);
    say(&format!("{}\n{}", data.source, summary.report()));
    assert_eq!(summary.total().failed, 0, "{}", summary.failures.join("\n"));
    assert!(summary.total().passed > 0);
}

/// What is expected of a renegotiation that OpenSSL abbreviates is what it does in a full one. Where it makes a full
/// one itself, that expectation has to be what is recorded.
#[test]
fn a_full_renegotiation_is_known_from_a_full_handshake() {
    let data = Data::load();
    let mut compared = 0;
    for row in data.rows.iter().filter(|row| is_tls12(row)) {
        let expectation = Expectation::of(row, &data.files).expect("every row is understood");
        let mut asked = 0;
        for (at, moment) in expectation.moments.iter().enumerate() {
            let is_full = moment.record.wrote("s12");
            if matches!(moment.step, Step::Renegotiate(_)) && is_full {
                let mut known = expectation.renegotiation(at, asked);
                // A result that is left over from the handshake before (quirk 5).
                if moment.record.server.peer.is_none() && !known.wrote("c15") {
                    known.server.verify_result = moment.record.server.verify_result;
                }
                let found = differences(&known, &moment.record);
                compared += 1;
                assert!(found.is_empty(), "{}\n{found:?}", row.describe());
            }
            asked += moment.record.requests;
        }
    }
    say(&format!(
        "{compared} full renegotiations of OpenSSL are as full handshakes"
    ));
    assert!(compared > 0);
}

/// Every resumption and renegotiation of these families under this policy, with the row that it belongs to.
fn all_later_handshakes<'d>(
    data: &'d Data,
    families: &str,
    policy: ResumePolicy,
) -> Vec<(&'d Row, Again)> {
    let mut found = Vec::new();
    for row in data
        .rows
        .iter()
        .filter(|row| families.contains(row.family()))
    {
        let (Ok(inputs), Ok(steps)) = (row.inputs(), row.read_steps()) else {
            panic!("not understood: {}", row.describe());
        };
        let is_later = |step: &Step| matches!(step, Step::Resume | Step::Renegotiate(_));
        if !steps.iter().any(is_later) {
            continue;
        }
        let played = later_handshakes(policy, &inputs, &steps, &data.files)
            .unwrap_or_else(|sentence| panic!("{}: {sentence}", row.describe()));
        found.extend(played.into_iter().map(|again| (row, again)));
    }
    found
}

fn bypasses(later: &[(&Row, Again)]) -> Vec<String> {
    let found = later.iter().filter_map(|(row, again)| {
        let bypass = again.bypass()?;
        Some(format!("{}\n{bypass}", row.describe()))
    });
    found.collect()
}

fn count(later: &[(&Row, Again)], what: impl Fn(&Again) -> bool) -> usize {
    later.iter().filter(|(_, again)| what(again)).count()
}

/// Quirks 1 and 2: with the default settings nobody is accepted whom a full handshake of this moment would
/// refuse, or known as somebody else.
#[test]
fn no_later_handshake_is_a_way_around_verification() {
    let data = Data::load();
    let by_default = all_later_handshakes(&data, "DEFGHI", ResumePolicy::Reverify);
    let as_openssl = all_later_handshakes(&data, "F", ResumePolicy::Reuse);
    let resumed = |again: &Again| matches!(again.how, How::Resumption { .. });
    let used = |again: &Again| matches!(again.how, How::Resumption { used: true });
    let renegotiated = |again: &Again| !resumed(again) && again.seen.wrote("s12");
    let found = bypasses(&by_default);
    assert!(found.is_empty(), "{}", found.join("\n"));

    // What OpenSSL does is one, and would have been found.
    say(&format!(
        "By default: {} sessions used in {} resumptions, {} renegotiations; Reuse: {} sessions in {}, {} of them a way around verification",
        count(&by_default, used),
        count(&by_default, resumed),
        count(&by_default, renegotiated),
        count(&as_openssl, used),
        count(&as_openssl, resumed),
        bypasses(&as_openssl).len()
    ));
    assert!(count(&by_default, used) > 0 && count(&by_default, renegotiated) > 0);
    assert!(!bypasses(&as_openssl).is_empty());
}

/// RFC 5746 §5: by default a client is who it was. OpenSSL lets it be somebody else, and so does
/// `accept_identity_change`.
#[test]
fn no_renegotiation_changes_who_the_client_is() {
    let data = Data::load();
    let by_default = all_later_handshakes(&data, "E", ResumePolicy::Reverify);
    let as_openssl = all_later_handshakes(&data, "E", ResumePolicy::Reuse);
    assert_eq!(count(&by_default, Again::changes_identity), 0);
    assert!(count(&as_openssl, Again::changes_identity) > 0);
}
