//! Reports in few octets, as a session keeps them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up must end"
)]

mod authority;

use std::sync::LazyLock;

use authority::{Authority, client_at};
use countersign_x509::{
    CertificateDer, Decision, ExpectedName, Parameters, Profile, Purpose, Report, Revocation,
    TrustStore, VerifyCode, verify,
};
use proptest::prelude::*;

struct World {
    chain: Vec<CertificateDer<'static>>,
    trust: TrustStore,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let root = Authority::root("Root");
    let intermediate = root.subordinate("Intermediate", |params| {
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example".to_owned())],
            excluded_subtrees: vec![],
        });
    });
    let leaf = intermediate.server("db.example", |_| {});
    let trust = root.trusted();
    trust
        .clone()
        .with_crls([intermediate.list(&[&leaf], |_| {})])
        .unwrap();
    World {
        chain: vec![leaf, intermediate.der.clone()],
        trust,
    }
});

fn assert_same(read: &Report, report: &Report) {
    assert_eq!(read.checks(), report.checks());
    assert!(read.chain().eq(report.chain()));
    assert_eq!(read.code(), report.code());
    assert_eq!(read.matched_name(), report.matched_name());
    assert_eq!(read.profile(), report.profile());
    assert_eq!(read.purpose(), report.purpose());
    assert_eq!(read.time(), report.time());
    assert_eq!(read.sentence(), report.sentence());
    assert_eq!(read.advice(), report.advice());
    assert_eq!(read.drawing().to_string(), report.drawing().to_string());
    let trace = |report: &Report| {
        let mut trace = Vec::new();
        report.replay(|step| {
            trace.push(step.to_string());
            Decision::Continue
        });
        trace
    };
    assert_eq!(trace(read), trace(report));
}

fn good() -> Parameters {
    client_at(authority::NOW).with_name(ExpectedName::host("db.example"))
}

#[test]
fn a_good_chain_takes_few_octets() {
    let report = verify(&WORLD.chain, &WORLD.trust, &good());
    assert!(report.is_accepted());
    let octets = report.encode();
    assert!(octets.len() < 150, "{}", octets.len());
    let read = Report::decode(&octets, &WORLD.chain, &WORLD.trust).unwrap();
    assert_same(&read, &report);
    assert_eq!(read.paths_not_chosen().len(), 0);
    assert!(read.under_other_profile().is_none());
}

#[test]
fn a_stated_result_is_kept() {
    for report in [
        Report::from_application(Purpose::ClientAuth, VerifyCode::CERT_REJECTED),
        Report::from_session(Purpose::Any, VerifyCode::new(4711)),
        verify(&[], &TrustStore::empty(), &good()),
    ] {
        let read = Report::decode(&report.encode(), &[], &TrustStore::empty()).unwrap();
        assert_same(&read, &report);
    }
}

#[test]
fn what_was_cut_or_lengthened_or_is_of_another_version_is_refused() {
    let octets = verify(&WORLD.chain, &WORLD.trust, &good()).encode();
    let read = |octets: &[u8]| Report::decode(octets, &WORLD.chain, &WORLD.trust);
    for length in 0..octets.len() {
        assert!(read(&octets[..length]).is_err(), "{length}");
    }
    assert!(read(&[&octets[..], &[0]].concat()).is_err());
    let mut other = octets.clone();
    other[0] = 2;
    assert!(read(&other).is_err());
    let fewer = Report::decode(&octets, &WORLD.chain[..1], &WORLD.trust);
    assert!(fewer.is_err(), "it is about two certificates");
}

/// Names that were expected go into sentences as they were kept.
#[test]
fn a_name_that_could_deceive_is_refused() {
    let mut parameters = good();
    parameters.names = [ExpectedName::host("a\u{1b}[2Jb.example")].into();
    let report = verify(&WORLD.chain, &WORLD.trust, &parameters);
    let octets = report.encode();
    let read = Report::decode(&octets, &WORLD.chain, &WORLD.trust).unwrap();
    assert_same(&read, &report);
    assert!(read.sentence().contains(r"a\1B[2Jb.example"), "{read}");
    let shown = br"a\1B[2Jb";
    let at = octets
        .windows(shown.len())
        .position(|window| window == shown)
        .unwrap();
    for (instead, accepted) in [(b"xyz", true), (b"\x1b[2", false), (b"\xe2\x80\xae", false)] {
        let mut changed = octets.clone();
        changed[at..at + 3].copy_from_slice(instead);
        let read = Report::decode(&changed, &WORLD.chain, &WORLD.trust);
        assert_eq!(read.is_ok(), accepted, "{instead:?}");
    }
}

#[test]
fn an_anchor_is_found_wherever_it_is_now_or_missed() {
    let report = verify(&WORLD.chain, &WORLD.trust, &good());
    let octets = report.encode();
    let anchor = report.certificate(2).unwrap().der();
    let more = [
        Authority::root("Other").der,
        CertificateDer::from(anchor.to_vec()),
    ];
    let moved = TrustStore::from_der(more).unwrap();
    let read = Report::decode(&octets, &WORLD.chain, &moved).unwrap();
    assert_same(&read, &report);
    let read = Report::decode(&octets, &WORLD.chain, &TrustStore::empty()).unwrap();
    assert_eq!(read.checks(), report.checks());
    assert_eq!(read.certificate(2).unwrap().der(), b"");
    let drawing = read.drawing().to_string();
    assert!(
        drawing.starts_with("  2  no longer in the trust store  anchor "),
        "{drawing}"
    );
    // And once more.
    let again = Report::decode(&read.encode(), &WORLD.chain, &TrustStore::empty()).unwrap();
    assert_same(&again, &read);
}

proptest! {
    #[test]
    fn whatever_came_out_of_a_verification_is_kept(
        damage in prop::option::of((0..2usize, any::<prop::sample::Index>(), any::<u8>())),
        seconds in 1_500_000_000..2_500_000_000u64,
        (webpki, strict, lists, level) in (any::<bool>(), any::<bool>(), any::<bool>(), 0..6u8),
        name in prop::option::of(prop::sample::select(vec!["db.example", "www.example", "192.0.2.1"])),
        length in 1..3usize,
    ) {
        let mut chain: Vec<Vec<u8>> = WORLD.chain.iter().map(|der| der.to_vec()).collect();
        if let Some((which, place, octet)) = damage {
            let place = place.index(chain[which].len());
            chain[which][place] = octet;
        }
        chain.truncate(length);
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let mut parameters = client_at(seconds).with_strict(strict).with_security_level(level);
        parameters.names = name.map(ExpectedName::host).into_iter().collect();
        if webpki {
            parameters.profile = Profile::WebPki;
        }
        if lists {
            parameters.revocation = Revocation::Chain;
        }
        let report = verify(&chain, &WORLD.trust, &parameters);
        let read = Report::decode(&report.encode(), &chain, &WORLD.trust).unwrap();
        assert_same(&read, &report);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let octets = [&[1][..], &octets].concat();
        if let Ok(report) = Report::decode(&octets, &WORLD.chain, &WORLD.trust) {
            let read = Report::decode(&report.encode(), &WORLD.chain, &WORLD.trust).unwrap();
            assert_same(&read, &report);
        }
    }

    #[test]
    fn damaged_octets_are_read_or_refused(place in any::<prop::sample::Index>(), octet: u8) {
        let mut octets = verify(&WORLD.chain, &WORLD.trust, &good()).encode();
        let place = place.index(octets.len());
        octets[place] = octet;
        if let Ok(report) = Report::decode(&octets, &WORLD.chain, &WORLD.trust) {
            let read = Report::decode(&report.encode(), &WORLD.chain, &WORLD.trust).unwrap();
            assert_same(&read, &report);
            prop_assert!(!report.to_string().is_empty());
        }
    }
}
