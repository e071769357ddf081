//! Certificates that somebody has tampered with: never a panic, never accepted.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must end")]

mod authority;

use std::sync::LazyLock;

use authority::{Authority, client};
use countersign_x509::{
    CertificateDer, Decision, ExpectedName, Parameters, Profile, Revocation, TrustStore, verify,
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
