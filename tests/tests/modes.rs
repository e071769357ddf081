//! Every verify mode, callback, certificate and parameter of the matrix, compared strictly
//! with what OpenSSL did.

use countersign_tests::oracle::countersign::CountersignItself;
use countersign_tests::oracle::data::Data;
use countersign_tests::oracle::openssl::OpenSslItself;
use countersign_tests::oracle::{Row, Scope, run};

/// One handshake of TLS 1.3 in which one side verifies the other.
const ONE_HANDSHAKE: Scope = Scope {
    families: "AB",
    includes: |row: &Row| {
        let proto = row.raw_inputs.get("proto");
        row.steps == ["hs"] && proto.is_none_or(|proto| proto == "13")
    },
};

#[test]
fn countersign_does_what_openssl_does() {
    let data = Data::load();
    let summary = run(&data, ONE_HANDSHAKE, &CountersignItself);
    println!("{}\n{}", data.source, summary.report());
    assert_eq!(summary.failed(), 0, "{}", summary.failures.join("\n"));
    assert!(summary.families.values().any(|tally| tally.passed > 0));
}

/// An entry of the table that explains nothing would hide a failure one day, and so would a row
/// that is not played.
#[test]
fn every_deviation_happens() {
    let summary = run(&Data::copy(), ONE_HANDSHAKE, &CountersignItself);
    assert_eq!(summary.unused_deviations(), Vec::<&str>::new());
    let ran: usize = summary.families.values().map(|tally| tally.ran).sum();
    assert_eq!(ran, 1_067, "every row in scope is played");
}

#[test]
fn openssl_does_again_what_it_did() {
    let data = Data::load();
    let summary = run(&data, ONE_HANDSHAKE, &OpenSslItself);
    println!("{}\n{}", data.source, summary.report());
    assert_eq!(summary.failed(), 0, "{}", summary.failures.join("\n"));
    assert!(summary.families.values().any(|tally| tally.passed > 0));
}
