//! The x509-limbo cases, judged under the profile of the public web.
//!
//! Where there is no file of cases the test says that it was skipped, and fails if the suites are required.

mod limbo_cases;

use std::collections::BTreeMap;
use std::io::Write as _;

use countersign_x509::{Profile, Report, verify};
use limbo_cases::Case;

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
    let Some(cases) = limbo_cases::read("limbo webpki") else {
        return;
    };
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let id = case.id();
        let mut outcome = outcome(case);
        if outcome.starts_with("wrongly") {
            if JUDGED_OTHERWISE.iter().any(|(known, _)| *known == id) {
                outcome = "judged otherwise on purpose";
            } else {
                wrong.push(format!("{outcome} {id}: {}", describe(case)));
            }
        }
        *counts.entry((case.family(), outcome)).or_default() += 1;
    }
    for ((family, outcome), count) in &counts {
        println!("{family} {count:5} {outcome}");
    }
    let _ = writeln!(std::io::stdout(), "{}", summary(&counts, &wrong));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One line: what was judged wrongly is never hidden in a sum.
fn summary(counts: &BTreeMap<(&str, &str), usize>, wrong: &[String]) -> String {
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

fn outcome(case: &Case) -> &'static str {
    if NOT_CLAIMED
        .iter()
        .any(|(feature, _)| case.has_feature(feature))
    {
        return "skipped";
    }
    let accepted = judge(case).is_some_and(|report| report.is_accepted());
    match (accepted, case.is_expected_to_succeed()) {
        (true, true) => "rightly accepted",
        (false, false) => "rightly refused",
        (true, false) => "wrongly accepted",
        (false, true) => "wrongly refused",
    }
}

fn describe(case: &Case) -> String {
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
fn judge(case: &Case) -> Option<Report> {
    let parameters = case.parameters(Profile::WebPki);
    Some(verify(&case.presented(), &case.trust()?, &parameters))
}
