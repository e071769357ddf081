//! Paths that were not chosen, where each of them broke, and what the other profile would have said.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up must end"
)]

mod authority;

use authority::{Authority, client};
use countersign_x509::{
    CertificateDer, CheckKind, Obstacle, Parameters, Profile, Purpose, Reason, Report,
    SignatureMemory, TrustStore, VerifyCode, verify,
};
use rcgen::{CertificateParams, GeneralSubtree, KeyIdMethod, NameConstraints, date_time_ymd};

fn webpki() -> Parameters {
    client().with_profile(Profile::WebPki)
}

/// Twins have different keys under one identifier.
fn twin(params: &mut CertificateParams) {
    params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
}

fn expired(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2025, 1, 1);
}

/// The paths not chosen: length, depth and obstacle.
fn not_chosen(report: &Report) -> Vec<(usize, u32, Obstacle)> {
    let paths = report.paths_not_chosen();
    let told = paths.map(|path| (path.certificates().len(), path.depth(), path.obstacle()));
    told.collect()
}

#[test]
fn where_there_is_one_path_none_was_left_out() {
    let root = Authority::root("Root");
    let intermediate = root.subordinate("Intermediate", |_| {});
    let leaf = intermediate.server("db.example", |_| {});
    // The root is sent too, as many servers do.
    let chain = [leaf, intermediate.der.clone(), root.der.clone()];
    for parameters in [client(), webpki()] {
        let report = verify(&chain, &root.trusted(), &parameters);
        assert!(report.is_accepted(), "{report}");
        assert_eq!(not_chosen(&report), []);
        assert_eq!(report.further_paths_not_chosen(), 0);
    }
}

#[test]
fn openssl_says_which_issuers_it_passed_over() {
    let root = Authority::root("Root");
    let namesake = Authority::root("Root");
    let intermediate = root.subordinate("Intermediate", |_| {});
    let old = intermediate.cross_signed("Intermediate", &root, expired);
    let leaf = intermediate.server("db.example", |_| {});
    let trust = TrustStore::from_der([namesake.der.clone(), root.der.clone()]).unwrap();
    let chain = [
        leaf,
        old.clone(),
        intermediate.der.clone(),
        namesake.der.clone(),
    ];
    let report = verify(&chain, &trust, &client());
    assert!(report.is_accepted(), "{report}");
    let [ended, other_key, sent] = &not_chosen(&report)[..] else {
        panic!("{report}");
    };
    assert!(
        matches!(
            ended,
            (
                2,
                1,
                Obstacle::Check(CheckKind::NotAfter, Reason::Expired { .. })
            )
        ),
        "{ended:?}"
    );
    assert_eq!(*other_key, (3, 2, Obstacle::OtherKeyIdentifier));
    assert_eq!(*sent, (3, 2, Obstacle::OtherKeyIdentifier));
    let first = report.paths_not_chosen().next().unwrap();
    assert_eq!(first.certificates().nth(1), Some(old.as_ref()));
    assert_eq!(
        first.to_string(),
        "CN=db.example, CN=Intermediate: depth 1 expired on 2025-01-01"
    );
}

#[test]
fn an_expired_twin_in_the_store_is_told() {
    let root = Authority::root("Root");
    let old = root.cross_signed("Root", &root, expired);
    let leaf = root.server("db.example", |_| {});
    for order in [[&old, &root.der], [&root.der, &old]] {
        let trust = TrustStore::from_der(order.map(Clone::clone)).unwrap();
        let report = verify(std::slice::from_ref(&leaf), &trust, &client());
        assert!(report.is_accepted(), "{report}");
        assert!(
            matches!(
                not_chosen(&report)[..],
                [(2, 1, Obstacle::Check(CheckKind::NotAfter, _))]
            ),
            "{report}"
        );
    }
}

#[test]
fn openssl_never_comes_back_to_what_it_did_not_prefer() {
    let root = Authority::root("Root");
    let good = root.subordinate("Twin", twin);
    let evil = root.subordinate("Twin", twin);
    let leaf = good.server("db.example", |_| {});
    let chain = [leaf, evil.der.clone(), good.der.clone()];
    let report = verify(&chain, &root.trusted(), &client());
    assert_eq!(report.code(), VerifyCode::CERT_SIGNATURE_FAILURE);
    assert_eq!(not_chosen(&report), [(2, 1, Obstacle::NotPreferred)]);
    let path = report.paths_not_chosen().next().unwrap();
    assert_eq!(path.certificates().nth(1), Some(good.der.as_ref()));

    // The search does, and tells which way was wrong.
    let other = report.under_other_profile().unwrap();
    assert_eq!(other.profile(), Profile::WebPki);
    assert!(other.is_accepted(), "{other}");
    assert!(
        matches!(
            not_chosen(other)[..],
            [(
                2,
                0,
                Obstacle::Check(CheckKind::Signature, Reason::BadSignature(_))
            )]
        ),
        "{other}"
    );
}

#[test]
fn a_path_that_breaks_as_a_whole_is_told_with_its_first_failure() {
    let (narrow, wide) = (Authority::root("Narrow"), Authority::root("Wide"));
    let intermediate = wide.subordinate("Intermediate", |_| {});
    let limited = intermediate.cross_signed("Intermediate", &narrow, |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("other.example".to_owned())],
            excluded_subtrees: vec![],
        });
    });
    let leaf = intermediate.server("db.example", |_| {});
    let trust = TrustStore::from_der([narrow.der.clone(), wide.der.clone()]).unwrap();
    let report = verify(
        &[leaf, limited, intermediate.der.clone()],
        &trust,
        &webpki(),
    );
    assert!(report.is_accepted(), "{report}");
    assert!(
        matches!(
            not_chosen(&report)[..],
            [(3, 0, Obstacle::Check(CheckKind::NameConstraints, _))]
        ),
        "{report}"
    );
}

#[test]
fn circles_and_dead_ends_of_the_search_are_told() {
    // Two CAs that certify each other, and an issuer that nobody knows.
    let (left, right) = (Authority::root("Left"), Authority::root("Right"));
    let left_by_right = left.cross_signed("Left", &right, |_| {});
    let right_by_left = right.cross_signed("Right", &left, |_| {});
    let left_by_nobody = left.cross_signed("Left", &Authority::root("Nobody"), |_| {});
    let leaf = left.server("db.example", |_| {});
    let chain = [leaf, left_by_right, right_by_left, left_by_nobody];
    let report = verify(&chain, &TrustStore::empty(), &webpki());
    assert!(!report.is_accepted());
    let paths = not_chosen(&report);
    assert!(paths.contains(&(4, 3, Obstacle::Circle)), "{paths:?}");
    let missing = Obstacle::Check(CheckKind::Trust, Reason::IssuerMissing);
    assert!(paths.contains(&(2, 1, missing)), "{paths:?}");
    let text = report.to_string();
    let nobody = "not chosen: CN=db.example, CN=Left: depth 1 was issued by CN=Nobody, of which there is \
        no other certificate here\n";
    assert!(text.contains(nobody), "{text}");
}

#[test]
fn the_chain_of_the_report_is_not_told_twice() {
    let root = Authority::root("Root");
    let intermediate = root.subordinate("Intermediate", |_| {});
    let leaf = intermediate.server("db.example", |_| {});
    let report = verify(
        &[leaf, intermediate.der.clone()],
        &TrustStore::empty(),
        &webpki(),
    );
    assert_eq!(report.chain().len(), 2);
    assert_eq!(not_chosen(&report), []);
}

#[test]
fn what_a_peer_sends_does_not_decide_how_many_paths_are_told() {
    let root = Authority::root("Root");
    let good = root.subordinate("Twin", twin);
    let leaf = good.server("db.example", |_| {});
    let crowd = (0..40).map(|_| root.subordinate("Twin", twin).der);
    let chain: Vec<CertificateDer<'_>> = std::iter::once(leaf)
        .chain(crowd)
        .chain([good.der.clone()])
        .collect();
    for (parameters, expected) in [(webpki(), 40), (client(), 40)] {
        let report = verify(&chain, &root.trusted(), &parameters);
        let described = report.paths_not_chosen().len();
        assert_eq!(described, 16);
        let further = usize::try_from(report.further_paths_not_chosen()).unwrap();
        assert_eq!(described + further, expected);
        let last = format!("not chosen: {further} more\n");
        assert!(report.to_string().contains(&last));
    }
}

#[test]
fn a_report_says_what_the_other_profile_would_have_said() {
    let root = Authority::root("Root");
    // Without an extended key usage: a rule of the web alone.
    let leaf = root.server("db.example", |params| params.extended_key_usages.clear());
    let chain = [leaf];
    let report = verify(&chain, &root.trusted(), &client());
    assert!(report.is_accepted());
    let other = report.under_other_profile().unwrap();
    assert_eq!(other.code(), VerifyCode::INVALID_PURPOSE);
    assert!(other.under_other_profile().is_none());
    // As if it had been asked.
    let asked = verify(&chain, &root.trusted(), &webpki());
    assert_eq!(other.checks(), asked.checks());
    assert_eq!(
        asked.under_other_profile().unwrap().checks(),
        report.checks()
    );
    let line = format!("under WebPki: refused: {}\n", other.sentence());
    assert!(report.to_string().contains(&line), "{report}");
}

#[test]
fn the_other_profile_is_asked_about_the_trust_of_that_time() {
    let root = Authority::root("Root");
    let leaf = root.server("db.example", |_| {});
    let trust = root.trusted();
    let memory = SignatureMemory::new(8);
    let parameters = client().with_signature_memory(memory.clone());
    let report = verify(&[leaf], &trust, &parameters);
    trust.replace(&TrustStore::empty());
    assert!(report.under_other_profile().unwrap().is_accepted());
}

#[test]
fn of_a_stated_result_the_other_profile_says_nothing() {
    let report = Report::from_application(Purpose::ClientAuth, VerifyCode::CERT_REJECTED);
    assert!(report.under_other_profile().is_none());
    assert_eq!(report.paths_not_chosen().len(), 0);
    let text = "refused: The client's certificate was refused by the application.\n";
    assert!(report.to_string().starts_with(text), "{report}");
}
