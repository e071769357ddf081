//! The Public Key Interoperability Test Suite of NIST, version 1.0.1: every verdict must be as
//! its table says, but for the rows listed here with the reason.
//!
//! `data/pkits.json.gz` holds the certificates, lists, settings and expected results.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a case that cannot be read must end the test"
)]

mod encoding;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use countersign_x509::{
    CertificateDer, Decision, Parameters, PolicyRequirements, Purpose, Report, Revocation,
    TrustStore, UnixTime, ValidationTime, VerifyCode, verify,
};
use encoding::base64;
use serde_json::Value;

/// 2011-04-15, the day of the suite.
const NOW: u64 = 1_302_825_600;

const NO_DSA: &str = "the cryptographic library has no DSA, and what it cannot verify cannot be \
    trusted; besides, 1024 bits of DSA with SHA-1 are below security level 2";

/// Tests with another verdict than the suite expects, and why.
const LISTED: &[(&str, &str)] = &[("4.1.4", NO_DSA), ("4.1.5", NO_DSA)];

#[test]
fn every_verdict_is_as_expected() {
    let suite = Suite::read();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for test in suite.tests() {
        let id = test["id"].as_str().unwrap();
        let report = suite.verify(test);
        let expected = test["expected"] == "SUCCESS";
        if LISTED.iter().any(|(listed, _)| *listed == id) {
            assert!(expected && !report.is_accepted(), "{id} need not be listed");
            *counts.entry("listed").or_default() += 1;
        } else if report.is_accepted() != expected {
            let kind = if expected { "rejected" } else { "accepted" };
            *counts.entry(kind).or_default() += 1;
            let title = test["title"].as_str().unwrap();
            let failures: Vec<_> = report.failures().collect();
            differences.push(format!("{id} {title}: wrongly {kind} {failures:?}"));
        }
    }
    let count = |kind| counts.get(kind).copied().unwrap_or(0);
    let _ = writeln!(
        std::io::stdout(),
        "pkits: {} cases, wrongly accepted {}, wrongly rejected {}, listed {}",
        suite.tests().len(),
        count("accepted"),
        count("rejected"),
        count("listed"),
    );
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    assert_eq!((suite.tests().len(), count("listed")), (249, LISTED.len()));
}

/// What OpenSSL finds first in each test: a chain can be refused for a wrong reason too.
const OPENSSL: &str = include_str!("data/pkits-openssl.txt");

/// OpenSSL does not look at the list by which a list's issuer speaks about itself.
const OPENSSL_IS_WRONG: &str = "4.14.30";

#[test]
fn code_and_depth_are_those_of_openssl() {
    let suite = Suite::read();
    let rows = OPENSSL.lines().filter(|line| !line.starts_with('#'));
    let mut compared = 0;
    for (test, row) in suite.tests().iter().zip(rows) {
        let (id, theirs) = row.split_once(' ').unwrap_or((row, ""));
        assert_eq!(test["id"], id);
        let report = suite.verify(test);
        let ours = report.first_failure().map(|check| {
            let code = check.failure().map_or(0, |reason| reason.code().number());
            format!("{code} {}", check.depth)
        });
        let ours = ours.unwrap_or_default();
        if id == OPENSSL_IS_WRONG {
            assert_eq!((ours.as_str(), theirs), ("", "54 0"));
        } else {
            assert_eq!(ours, theirs, "{id}");
        }
        compared += 1;
    }
    assert_eq!(compared, 249);
}

#[test]
fn a_callback_hears_of_policies_last_and_may_tolerate_them() {
    let suite = Suite::read();
    let test = suite.tests().iter().find(|test| test["id"] == "4.8.4");
    let report = suite.verify(test.unwrap());
    let mut trace = Vec::new();
    let result = report.replay(|step| {
        trace.push(step.to_string());
        Decision::Continue
    });
    assert_eq!(trace, ["3:0:1", "2:0:1", "1:0:1", "0:0:1", "0:43:0"]);
    assert!(result.accepted);
    assert_eq!(result.code, VerifyCode::NO_EXPLICIT_POLICY);
}

struct Suite(Value);

impl Suite {
    fn read() -> Self {
        Self(encoding::pkits())
    }

    fn tests(&self) -> &[Value] {
        self.0["tests"].as_array().unwrap()
    }

    fn verify(&self, test: &Value) -> Report {
        let mut certificates = names(&test["certs"]).map(|name| self.certificate(name));
        let trust = TrustStore::from_der(certificates.next()).unwrap();
        let presented: Vec<_> = certificates.rev().collect();
        let lists = names(&test["crls"]).map(|name| self.der("crls", name));
        // A list that cannot be read covers nobody.
        for list in lists {
            let _unreadable = trust.clone().with_crls([list.into()]);
        }
        verify(&presented, &trust, &self.parameters(&test["settings"]))
    }

    fn parameters(&self, settings: &Value) -> Parameters {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        let policies = names(&settings["initial_policy_set"])
            .map(|name| self.0["policy_oids"][name].as_str().unwrap());
        let policies = policies.map(|policy| policy.parse().unwrap());
        let mut requirements = PolicyRequirements::new(policies);
        let switch = |name: &str| settings[name].as_bool().unwrap();
        requirements.explicit = switch("initial_explicit_policy");
        requirements.inhibit_mapping = switch("initial_policy_mapping_inhibit");
        requirements.inhibit_any = switch("initial_inhibit_any_policy");
        Parameters::new(Purpose::Any, ValidationTime::At(now))
            .with_policies(requirements)
            .with_revocation(Revocation::Chain)
            .with_extended_crls(true)
    }

    fn certificate(&self, name: &str) -> CertificateDer<'static> {
        self.der("certs", name).into()
    }

    fn der(&self, kind: &str, name: &str) -> Vec<u8> {
        base64(self.0[kind][name].as_str().unwrap())
    }
}

fn names(list: &Value) -> impl DoubleEndedIterator<Item = &str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
}
