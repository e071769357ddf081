//! The x509-limbo cases, judged under the profile of the public web.
//!
//! `COUNTERSIGN_LIMBO` names the file of cases; without it, one beside the repository is used. Where there is
//! none the test says that it was skipped, and fails if the suites are required.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a case that cannot be read must end the test"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use countersign_x509::{
    Certificate, CertificateDer, ExpectedName, Parameters, Profile, Purpose, Report, Revocation,
    TrustStore, UnixTime, ValidationTime, verify,
};
use pki_types::pem::PemObject;
use serde_json::Value;

/// Features that are not claimed, and why.
const NOT_CLAIMED: &[(&str, &str)] = &[
    (
        "pedantic-public-suffix-wildcard",
        "needs the list of public suffixes",
    ),
    (
        "pedantic-rfc5280",
        "asks an anchor for an authority key identifier",
    ),
    (
        "rfc5280-incompatible-with-webpki",
        "contradicts the rules of the web",
    ),
];

/// Cases that are judged otherwise on purpose, and why.
const JUDGED_OTHERWISE: &[(&str, &str)] = &[
    (
        "pathlen::validation-ignores-pathlen-in-leaf",
        "webpki::ca-as-leaf wants the opposite",
    ),
    (
        "rfc5280::ca-as-leaf",
        "webpki::ca-as-leaf wants the opposite",
    ),
    (
        "rfc5280::eku::ee-without-eku",
        "webpki::eku::ee-without-eku wants the opposite",
    ),
    (
        "webpki::cn::not-in-san",
        "a common name is never taken for an identity",
    ),
    (
        "webpki::cn::punycode-not-in-san",
        "a common name is never taken for an identity",
    ),
];

#[test]
fn verdicts_are_as_expected() {
    let Some(file) = cases() else {
        let required = std::env::var_os("COUNTERSIGN_REQUIRE_PEERS").is_some();
        assert!(!required, "COUNTERSIGN_LIMBO does not name the cases");
        let skipped = "SKIPPED: limbo, all of it: COUNTERSIGN_LIMBO does not name the cases";
        let _ = writeln!(std::io::stdout(), "{skipped}");
        return;
    };
    let limbo: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in limbo["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let mut outcome = outcome(case);
        if outcome.starts_with("wrongly") {
            if JUDGED_OTHERWISE.iter().any(|(known, _)| *known == id) {
                outcome = "judged otherwise on purpose";
            } else {
                wrong.push(format!("{outcome} {id}: {}", describe(case)));
            }
        }
        let family = id.split("::").next().unwrap().to_owned();
        *counts.entry((family, outcome)).or_default() += 1;
    }
    for ((family, outcome), count) in &counts {
        println!("{family} {count:5} {outcome}");
    }
    let _ = writeln!(std::io::stdout(), "{}", summary(&counts, &wrong));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The file of cases: that which the environment names, else one beside the repository.
fn cases() -> Option<PathBuf> {
    let beside = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/x509/limbo-open.json"
    );
    let beside = Some(PathBuf::from(beside)).filter(|file| file.exists());
    std::env::var_os("COUNTERSIGN_LIMBO")
        .map(PathBuf::from)
        .or(beside)
}

/// One line: what was judged wrongly is never hidden in a sum.
fn summary(counts: &BTreeMap<(String, &str), usize>, wrong: &[String]) -> String {
    let of = |wanted: &[&str]| -> usize {
        let fitting = counts
            .iter()
            .filter(|((_, outcome), _)| wanted.contains(outcome));
        fitting.map(|(_, count)| count).sum()
    };
    let starting = |with: &str| wrong.iter().filter(|line| line.starts_with(with)).count();
    format!(
        "limbo webpki: {} cases, wrongly accepted {}, wrongly rejected {}, listed {}",
        counts.values().sum::<usize>(),
        starting("wrongly accepted"),
        starting("wrongly refused"),
        of(&["judged otherwise on purpose", "skipped"]),
    )
}

fn outcome(case: &Value) -> &'static str {
    let features = case["features"].as_array().unwrap();
    let claimed = |(feature, _): &&(&str, &str)| features.iter().any(|other| other == feature);
    if NOT_CLAIMED.iter().any(|feature| claimed(&feature)) {
        return "skipped";
    }
    let accepted = judge(case).is_some_and(|report| report.is_accepted());
    match (accepted, case["expected_result"] == "SUCCESS") {
        (true, true) => "rightly accepted",
        (false, false) => "rightly refused",
        (true, false) => "wrongly accepted",
        (false, true) => "wrongly refused",
    }
}

fn describe(case: &Value) -> String {
    judge(case).map_or_else(
        || "cannot be read".to_owned(),
        |report| {
            let reasons: Vec<_> = report
                .failures()
                .map(|check| (check.depth, check.failure()))
                .collect();
            format!("{} {reasons:?}", report.sentence())
        },
    )
}

/// `None` if the trust anchors or revocation lists cannot be read.
fn judge(case: &Value) -> Option<Report> {
    let leaf = der(case["peer_certificate"].as_str().unwrap());
    let sent = case["untrusted_intermediates"].as_array().unwrap();
    let presented: Vec<_> = std::iter::once(leaf)
        .chain(sent.iter().map(|pem| der(pem.as_str().unwrap())))
        .collect();
    let anchors = case["trusted_certs"].as_array().unwrap();
    let trust = TrustStore::from_der(anchors.iter().map(|pem| der(pem.as_str().unwrap()))).ok()?;
    for list in case["crls"].as_array().unwrap() {
        trust.add_crls_pem(list.as_str().unwrap().as_bytes()).ok()?;
    }
    Some(verify(&presented, &trust, &parameters(case, &presented[0])))
}

fn parameters(case: &Value, leaf: &CertificateDer<'_>) -> Parameters {
    let purpose = match case["validation_kind"].as_str().unwrap() {
        "SERVER" => Purpose::ServerAuth,
        _ => Purpose::ClientAuth,
    };
    let time = match case["validation_time"].as_str() {
        Some(text) => seconds(text),
        // Any moment at which the chain is meant to work.
        None => Certificate::parse(leaf).map_or(0, |leaf| {
            u64::try_from(leaf.not_before().unix_seconds()).unwrap_or(0) + 86_400
        }),
    };
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(time));
    let mut parameters = Parameters::new(purpose, ValidationTime::At(time));
    parameters.profile = Profile::WebPki;
    parameters.depth = case["max_chain_depth"]
        .as_u64()
        .and_then(|depth| u32::try_from(depth).ok());
    if !case["crls"].as_array().unwrap().is_empty() {
        parameters.revocation = Revocation::Chain;
    }
    let one = std::iter::once(&case["expected_peer_name"]).filter(|name| !name.is_null());
    for name in one.chain(case["expected_peer_names"].as_array().unwrap()) {
        let value = name["value"].as_str().unwrap();
        parameters.names.push(match name["kind"].as_str().unwrap() {
            "DNS" => ExpectedName::Dns(value.to_owned()),
            "IP" => ExpectedName::Ip(value.parse().unwrap()),
            _ => ExpectedName::Email(value.to_owned()),
        });
    }
    parameters
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// RFC 3339, of which the cases use only UTC.
fn seconds(text: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    assert!(text.ends_with('Z') || text.ends_with("+00:00"), "{text}");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days since 1970 in the Gregorian calendar, years beginning in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 719_469;
    let seconds = ((days * 24 + number(11..13)) * 60 + number(14..16)) * 60 + number(17..19);
    u64::try_from(seconds).unwrap()
}
