//! Every verify mode, callback, certificate and parameter of the matrix under TLS 1.3: in the handshake, after
//! it, and on resumption, compared strictly with what OpenSSL did.

use std::io::Write as _;

use countersign::ResumePolicy;
use countersign_tests::oracle::countersign::{CountersignItself, Resumption, resumptions};
use countersign_tests::oracle::data::Data;
use countersign_tests::oracle::openssl::OpenSslItself;
use countersign_tests::oracle::step::Step;
use countersign_tests::oracle::{Row, Scope, run};

/// All that can be done under TLS 1.3: no renegotiation (E), no anonymous suites (G).
const TLS13: Scope = Scope {
    families: "ABCDFHIJK",
    includes: |row: &Row| row.is("proto", &["13"]),
};

/// One handshake of TLS 1.3, which is what OpenSSL plays here.
const ONE_HANDSHAKE: Scope = Scope {
    families: "ABCJK",
    includes: |row: &Row| row.is("proto", &["13"]) && row.steps == ["hs"],
};

/// Writes past the capture of a test's output: what was compared is to be seen.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[test]
fn countersign_does_what_openssl_does() {
    let data = Data::load();
    let summary = run(&data, TLS13, &CountersignItself);
    say(&format!("{}\n{}", data.source, summary.report()));
    assert_eq!(summary.failed(), 0, "{}", summary.failures.join("\n"));
    assert!(summary.families.values().all(|tally| tally.passed > 0));
}

/// An entry of the table that explains nothing would hide a failure one day, and so would a row
/// that is not played.
#[test]
fn every_deviation_happens() {
    let summary = run(&Data::copy(), TLS13, &CountersignItself);
    assert_eq!(summary.unused_deviations(), Vec::<&str>::new());
    let ran: usize = summary.families.values().map(|tally| tally.ran).sum();
    assert_eq!(ran, 2_580, "every row in scope is played");
}

#[test]
fn openssl_does_again_what_it_did() {
    let data = Data::load();
    let summary = run(&data, ONE_HANDSHAKE, &OpenSslItself);
    say(&format!("{}\n{}", data.source, summary.report()));
    assert_eq!(summary.failed(), 0, "{}", summary.failures.join("\n"));
    assert!(summary.families.values().any(|tally| tally.passed > 0));
}

/// Every resumption of these families under this policy, with the row that it belongs to.
fn all_resumptions<'d>(
    data: &'d Data,
    families: &str,
    policy: ResumePolicy,
) -> Vec<(&'d Row, Resumption)> {
    let mut found = Vec::new();
    let rows = data
        .rows
        .iter()
        .filter(|row| families.contains(row.family()) && (TLS13.includes)(row));
    for row in rows {
        let (Ok(inputs), Ok(steps)) = (row.inputs(), row.read_steps()) else {
            panic!("not understood: {}", row.describe());
        };
        if !steps.contains(&Step::Resume) {
            continue;
        }
        let played = resumptions(policy, &inputs, &steps, &data.files)
            .unwrap_or_else(|sentence| panic!("{}: {sentence}", row.describe()));
        found.extend(played.into_iter().map(|resumption| (row, resumption)));
    }
    found
}

fn bypasses(resumptions: &[(&Row, Resumption)]) -> Vec<String> {
    let found = resumptions.iter().filter_map(|(row, resumption)| {
        let bypass = resumption.bypass()?;
        Some(format!("{}\n{bypass}", row.describe()))
    });
    found.collect()
}

/// Quirk 1: the default policy accepts nobody whom a full handshake of this moment would
/// refuse, and knows nobody as somebody else.
#[test]
fn a_resumption_is_no_way_around_verification() {
    let data = Data::load();
    let reverified = all_resumptions(&data, "DFI", ResumePolicy::Reverify);
    let used = |found: &[(&Row, Resumption)]| {
        found
            .iter()
            .filter(|(_, resumption)| resumption.used)
            .count()
    };
    let found = bypasses(&reverified);
    assert!(found.is_empty(), "{}", found.join("\n"));

    // What OpenSSL does is one, and would have been found.
    let reused = all_resumptions(&data, "F", ResumePolicy::Reuse);
    say(&format!(
        "Reverify: {} sessions used in {} resumptions; Reuse: {} in {}, {} of them a way around verification",
        used(&reverified),
        reverified.len(),
        used(&reused),
        reused.len(),
        bypasses(&reused).len()
    ));
    assert!(used(&reverified) > 0);
    assert!(!bypasses(&reused).is_empty());
}
