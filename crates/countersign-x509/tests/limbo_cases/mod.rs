//! The cases of x509-limbo, which lie outside the repository.
//!
//! `COUNTERSIGN_LIMBO` names the file; without it, one beside the repository is used.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a case that cannot be read must end the test, and every test uses another part of it"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use countersign_x509::{
    Certificate, CertificateDer, ExpectedName, Parameters, Profile, Purpose, Revocation,
    SubjectNames, TrustStore, UnixTime, ValidationTime,
};
use pki_types::pem::PemObject;
use serde_json::Value;

/// All cases. Where there is no file, says so and returns `None`, or fails if the suites are required.
pub(crate) fn read(test: &str) -> Option<Vec<Case>> {
    let Some(file) = file() else {
        let required = std::env::var_os("COUNTERSIGN_REQUIRE_PEERS").is_some();
        assert!(!required, "COUNTERSIGN_LIMBO does not name the cases");
        let skipped =
            format!("SKIPPED: {test}, all of it: COUNTERSIGN_LIMBO does not name the cases");
        let _ = writeln!(std::io::stdout(), "{skipped}");
        return None;
    };
    let mut limbo: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let Value::Array(cases) = limbo["testcases"].take() else {
        panic!("{} has no test cases", file.display());
    };
    Some(cases.into_iter().map(Case).collect())
}

/// The file of cases: that which the environment names, else one beside the repository.
fn file() -> Option<PathBuf> {
    let beside = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/x509/limbo-open.json"
    );
    // The test package lies one folder higher than a crate.
    let higher = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/x509/limbo-open.json"
    );
    let there = [beside, higher].map(PathBuf::from);
    let named = std::env::var_os("COUNTERSIGN_LIMBO").map(PathBuf::from);
    named.or_else(|| there.into_iter().find(|file| file.exists()))
}

/// One case.
pub(crate) struct Case(Value);

impl Case {
    pub(crate) fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    /// What the identifier begins with.
    pub(crate) fn family(&self) -> &str {
        self.id().split("::").next().unwrap()
    }

    pub(crate) fn has_feature(&self, feature: &str) -> bool {
        let features = self.0["features"].as_array().unwrap();
        features.iter().any(|other| other == feature)
    }

    pub(crate) fn is_expected_to_succeed(&self) -> bool {
        self.0["expected_result"] == "SUCCESS"
    }

    /// The certificates of the peer, its own first.
    pub(crate) fn presented(&self) -> Vec<CertificateDer<'static>> {
        let leaf = der(self.0["peer_certificate"].as_str().unwrap());
        let others = self.texts("untrusted_intermediates").into_iter().map(der);
        std::iter::once(leaf).chain(others).collect()
    }

    pub(crate) fn trusted(&self) -> Vec<CertificateDer<'static>> {
        self.texts("trusted_certs").into_iter().map(der).collect()
    }

    /// Revocation lists as PEM.
    pub(crate) fn lists(&self) -> Vec<&str> {
        self.texts("crls")
    }

    /// `None` if the trust anchors or revocation lists cannot be read.
    pub(crate) fn trust(&self) -> Option<TrustStore> {
        let trust = TrustStore::from_der(self.trusted()).ok()?;
        for list in self.lists() {
            trust.add_crls_pem(list.as_bytes()).ok()?;
        }
        Some(trust)
    }

    pub(crate) fn parameters(&self, profile: Profile) -> Parameters {
        let purpose = match self.0["validation_kind"].as_str().unwrap() {
            "SERVER" => Purpose::ServerAuth,
            _ => Purpose::ClientAuth,
        };
        let time = UnixTime::since_unix_epoch(Duration::from_secs(self.seconds()));
        let mut parameters = Parameters::new(purpose, ValidationTime::At(time));
        parameters.profile = profile;
        parameters.depth = self.0["max_chain_depth"]
            .as_u64()
            .and_then(|depth| u32::try_from(depth).ok());
        if !self.lists().is_empty() {
            parameters.revocation = Revocation::Chain;
        }
        parameters.names = self.names().into();
        // As OpenSSL, with which these are compared. The other profile does not do it.
        parameters.subject_names = SubjectNames::Fallback;
        parameters
    }

    /// The moment of validity; if none is given, any at which the chain is meant to work.
    pub(crate) fn seconds(&self) -> u64 {
        if let Some(text) = self.0["validation_time"].as_str() {
            return seconds(text);
        }
        let leaf = der(self.0["peer_certificate"].as_str().unwrap());
        Certificate::parse(&leaf).map_or(0, |leaf| {
            u64::try_from(leaf.not_before().unix_seconds()).unwrap_or(0) + 86_400
        })
    }

    fn names(&self) -> Vec<ExpectedName> {
        let one = std::iter::once(&self.0["expected_peer_name"]).filter(|name| !name.is_null());
        let names = one.chain(self.0["expected_peer_names"].as_array().unwrap());
        let read = names.map(|name| {
            let value = name["value"].as_str().unwrap();
            match name["kind"].as_str().unwrap() {
                "DNS" => ExpectedName::Dns(value.to_owned()),
                "IP" => ExpectedName::Ip(value.parse().unwrap()),
                _ => ExpectedName::Email(value.to_owned()),
            }
        });
        read.collect()
    }

    fn texts(&self, field: &str) -> Vec<&str> {
        let list = self.0[field].as_array().unwrap();
        list.iter().map(|text| text.as_str().unwrap()).collect()
    }
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
