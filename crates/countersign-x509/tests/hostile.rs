//! Certificates that somebody has tampered with: never a panic, never accepted.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up must end"
)]

mod authority;
mod encoding;

use std::sync::LazyLock;
use std::time::Duration;

use authority::{Authority, client};
use countersign_x509::{
    Certificate, CertificateDer, Decision, ExpectedName, Parameters, Profile, Purpose, Revocation,
    TrustStore, UnixTime, ValidationTime, verify,
};
use proptest::prelude::*;

/// A chain of leaf and intermediate, and who trusts it.
static GOOD: LazyLock<(Vec<CertificateDer<'static>>, TrustStore)> = LazyLock::new(|| {
    let root = Authority::root("Root");
    let intermediate = root.subordinate("Intermediate", |params| {
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example".to_owned())],
            excluded_subtrees: vec![],
        });
    });
    let chain = vec![
        intermediate.server("db.example", |_| {}),
        intermediate.der.clone(),
    ];
    (chain, root.trusted())
});

fn every_kind_of_parameters() -> Vec<Parameters> {
    let openssl = client().with_name(ExpectedName::host("db.example"));
    let mut strict = openssl
        .clone()
        .with_strict(true)
        .with_revocation(Revocation::Chain);
    strict.partial_chain = true;
    let webpki = openssl.clone().with_profile(Profile::WebPki);
    vec![openssl, strict, webpki]
}

/// Looks at everything that can be asked of a report, under all parameters.
fn accepted_by_any(chain: &[CertificateDer<'_>]) -> bool {
    let mut any = false;
    for parameters in every_kind_of_parameters() {
        let report = verify(chain, &GOOD.1, &parameters);
        let texts = [
            report.sentence(),
            report.drawing().to_string(),
            format!("{report:?}"),
        ];
        assert!(texts.iter().all(|text| !text.is_empty()));
        assert_eq!(report.is_accepted(), report.advice().is_none());
        let replayed = report.replay(|step| Decision::unless_failed(step));
        assert_eq!(
            (replayed.code, replayed.accepted),
            (report.code(), report.is_accepted())
        );
        report.replay(|_| Decision::Continue);
        any |= report.is_accepted();
    }
    any
}

#[test]
fn the_chain_is_good_before_it_is_tampered_with() {
    assert!(accepted_by_any(&GOOD.0));
}

/// Every octet of `der`, changed in one bit or in all, one after the other.
fn changes(der: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let places = (0..der.len()).flat_map(|place| [0x01, 0xff].map(|flip| (place, flip)));
    places.map(|(place, flip)| {
        let mut changed = der.to_vec();
        changed[place] ^= flip;
        (place, changed)
    })
}

/// Everything in a certificate is signed, or is the signature or says how to check it, so there is nothing that
/// may be changed.
#[test]
fn no_octet_of_any_certificate_can_be_changed() {
    for which in 0..GOOD.0.len() {
        for (place, changed) in changes(&GOOD.0[which]) {
            let mut chain = GOOD.0.clone();
            chain[which] = changed.into();
            assert!(
                !accepted_by_any(&chain),
                "octet {place} of certificate {which}"
            );
        }
    }
}

/// The same of a chain of RSA with lists, of which the leaf's must be there and good.
#[test]
fn no_octet_of_any_certificate_or_list_can_be_changed() {
    let suite = encoding::pkits();
    let der = |kind: &str, name: &str| encoding::base64(suite[kind][name].as_str().unwrap());
    let test = suite["tests"].as_array().unwrap();
    let test = test.iter().find(|test| test["id"] == "4.1.1").unwrap();
    let names = |list: &str| {
        let names = test[list].as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut parts: Vec<_> = names("certs")
        .iter()
        .skip(1)
        .rev()
        .map(|name| der("certs", name))
        .collect();
    let certificates = parts.len();
    parts.extend(names("crls").iter().map(|name| der("crls", name)));
    let anchor = CertificateDer::from(der("certs", &names("certs")[0]));
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_302_825_600));
    let parameters =
        Parameters::new(Purpose::Any, ValidationTime::At(now)).with_revocation(Revocation::Chain);
    let accepted = |parts: &[Vec<u8>]| {
        let trust = TrustStore::from_der([anchor.clone()]).unwrap();
        let (sent, lists) = parts.split_at(certificates);
        for list in lists {
            // A list that cannot be read covers nobody.
            let _unreadable = trust.clone().with_crls([list.clone().into()]);
        }
        let sent: Vec<_> = sent.iter().cloned().map(CertificateDer::from).collect();
        verify(&sent, &trust, &parameters).is_accepted()
    };
    assert!(accepted(&parts));
    for which in 0..parts.len() {
        for (place, changed) in changes(&parts[which]) {
            let mut parts = parts.clone();
            parts[which] = changed;
            assert!(!accepted(&parts), "octet {place} of part {which}");
        }
    }
}

/// The signature of an anchor is not looked at: that it is in the store is the reason to trust it. What
/// it signs counts.
#[test]
fn of_an_anchor_only_the_signature_can_be_changed() {
    let root = Authority::root("Root");
    let leaf = root.server("db.example", |_| {});
    let parameters = client().with_name(ExpectedName::host("db.example"));
    let mut accepted = Vec::new();
    for (place, changed) in changes(&root.der) {
        let Ok(trust) = TrustStore::from_der([changed.into()]) else {
            continue;
        };
        if verify(std::slice::from_ref(&leaf), &trust, &parameters).is_accepted() {
            accepted.push(place);
        }
    }
    assert!(accepted.contains(&(root.der.len() - 1)), "{accepted:?}");
    let key = Certificate::parse(&root.der)
        .unwrap()
        .public_key()
        .key_bytes()
        .to_vec();
    let start = root
        .der
        .windows(key.len())
        .position(|window| window == key)
        .unwrap();
    let in_key = |place: &usize| (start..start + key.len()).contains(place);
    assert!(!accepted.iter().any(in_key), "{accepted:?}");
}

proptest! {
    /// Everything in a certificate is signed, or is the signature or says how to check it.
    #[test]
    fn a_changed_octet_is_noticed(which in 0..2usize, at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let mut chain: Vec<Vec<u8>> = GOOD.0.iter().map(|der| der.to_vec()).collect();
        let octet = at.index(chain[which].len());
        chain[which][octet] ^= flip;
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        prop_assert!(!accepted_by_any(&chain), "octet {octet} of certificate {which}");
    }

    #[test]
    fn a_truncated_certificate_is_noticed(which in 0..2usize, at in any::<prop::sample::Index>()) {
        let mut chain: Vec<Vec<u8>> = GOOD.0.iter().map(|der| der.to_vec()).collect();
        let length = at.index(chain[which].len());
        chain[which].truncate(length);
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        prop_assert!(!accepted_by_any(&chain));
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4)) {
        let chain: Vec<_> = noise.into_iter().map(CertificateDer::from).collect();
        prop_assert!(!accepted_by_any(&chain));
    }

    /// More certificates, in any order, repeated or not, never make a good chain bad.
    #[test]
    fn additional_certificates_do_no_harm(extra in prop::collection::vec(0..2usize, 0..8)) {
        let mut chain = GOOD.0.clone();
        chain.extend(extra.iter().map(|which| GOOD.0[*which].clone()));
        prop_assert!(accepted_by_any(&chain));
    }

    /// PEM text with anything in it is read or refused.
    #[test]
    fn a_trust_store_survives_any_text(text in "(-----(BEGIN|END) (CERTIFICATE|X509 CRL|KEY)-----\r?\n|[A-Za-z0-9+/=]{0,8}\r?\n|.{0,9}){0,12}") {
        if let Err(error) = TrustStore::from_pem(text.as_bytes()) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
