//! What users of the crate see: verdicts, sentences, drawings, replays.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up must end"
)]

mod authority;

use authority::{Authority, client, client_at};
use countersign_x509::{
    CheckKind, Decision, ExpectedName, Origin, Outcome, Parameters, Profile, Purpose, Reason,
    Report, Revocation, Skip, SubjectNames, TrustStore, ValidationTime, VerifyCode, verify,
};
use rcgen::{BasicConstraints, DnType, IsCa, KeyUsagePurpose};

/// 2026-11-23.
const LATER: u64 = 1_795_392_000;

/// A root, an intermediate below it, and a certificate of `db.example` below that.
struct Hierarchy {
    root: Authority,
    intermediate: Authority,
}

impl Hierarchy {
    fn new() -> Self {
        let root = Authority::root("Test Root");
        let intermediate = root.subordinate("Test Intermediate", |_| {});
        Self { root, intermediate }
    }

    fn verify(&self, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Report {
        let leaf = self.intermediate.server("db.example", change);
        verify(
            &[leaf, self.intermediate.der.clone()],
            &self.root.trusted(),
            &client(),
        )
    }
}

fn trace(report: &Report) -> Vec<String> {
    let mut trace = Vec::new();
    report.replay(|step| {
        trace.push(step.to_string());
        Decision::Continue
    });
    trace
}

#[test]
fn a_good_chain_is_accepted_and_can_be_looked_at() {
    let hierarchy = Hierarchy::new();
    let report = hierarchy.verify(|_| {});
    assert!(report.is_accepted());
    assert_eq!(report.code(), VerifyCode::OK);
    assert_eq!(
        report.sentence(),
        "The server's certificate is valid (CN=db.example)."
    );
    assert_eq!(report.advice(), None);
    let origins: Vec<_> = report.chain().map(|link| link.origin()).collect();
    assert_eq!(
        origins,
        [Origin::Presented, Origin::Presented, Origin::Anchor]
    );
    assert_eq!(
        report.certificate(2).unwrap().der(),
        hierarchy.root.der.as_ref()
    );
    assert_eq!(trace(&report), ["2:0:1", "1:0:1", "0:0:1"]);
    let skipped: Vec<_> = report
        .checks()
        .iter()
        .filter(|check| check.outcome == Outcome::Skipped(Skip::NotRequested))
        .collect();
    // Names, OCSP responses, revocation lists and policies.
    assert_eq!(skipped.len(), 4, "they were not asked for");
}

#[test]
fn an_expired_certificate_is_explained() {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.intermediate.server("db.example", |_| {});
    let chain = [leaf, hierarchy.intermediate.der.clone()];
    let report = verify(&chain, &hierarchy.root.trusted(), &client_at(LATER));
    assert_eq!(report.code(), VerifyCode::CERT_HAS_EXPIRED);
    assert_eq!(
        report.sentence(),
        "The server's certificate expired on 2026-11-01 (leaf, CN=db.example)."
    );
    assert_eq!(
        report.advice().unwrap(),
        "Renew it on the server, or check this machine's clock (now 2026-11-23)."
    );
    let why: Vec<_> = report
        .checks()
        .iter()
        .filter_map(|check| report.why(check))
        .collect();
    assert_eq!(why, ["expired on 2026-11-01"]);
    assert_eq!(
        report.drawing().to_string(),
        "  2  CN=Test Root          anchor     until 2040-01-01\n\
         \u{20} 1  CN=Test Intermediate  presented  until 2040-01-01\n\
         ✗ 0  CN=db.example         presented  until 2026-11-01  X509_V_ERR_CERT_HAS_EXPIRED\n"
    );
}

#[test]
fn long_names_leave_the_columns_of_a_drawing_in_line() {
    let columns = |name: &str| {
        let root = Authority::root("Root");
        let intermediate = root.subordinate(name, |_| {});
        let chain = [
            intermediate.server("db.example", |_| {}),
            intermediate.der.clone(),
        ];
        let drawing = verify(&chain, &root.trusted(), &client())
            .drawing()
            .to_string();
        let column = |line: &str| line.find("  until").map(|at| line[..at].chars().count());
        drawing.lines().filter_map(column).collect::<Vec<_>>()
    };
    // 3 for `CN=`, 5 before it, 2 after it, 9 for the origin.
    assert_eq!(columns(&"n".repeat(50)), [69, 69, 69]);
    assert_eq!(columns("Zürich"), [29, 29, 29]);
    // The longest common name there is, RFC 5280's upper bound, moves its own line only.
    assert_eq!(columns(&"n".repeat(64)), [80, 83, 80]);
}

#[test]
fn dates_are_compared_to_the_second() {
    let hierarchy = Hierarchy::new();
    let chain = [
        hierarchy.intermediate.server("db.example", |_| {}),
        hierarchy.intermediate.der.clone(),
    ];
    let trust = hierarchy.root.trusted();
    let (first, last) = (1_767_225_600, 1_793_491_200);
    let code = |seconds| verify(&chain, &trust, &client_at(seconds)).code();
    assert_eq!(code(first - 1), VerifyCode::CERT_NOT_YET_VALID);
    assert_eq!(code(first), VerifyCode::OK);
    assert_eq!(code(last - 1), VerifyCode::OK);
    // As OpenSSL 3 has it; RFC 5280 includes the last second, and so does the other profile.
    assert_eq!(code(last), VerifyCode::CERT_HAS_EXPIRED);
    let webpki = |seconds| {
        verify(
            &chain,
            &trust,
            &client_at(seconds).with_profile(Profile::WebPki),
        )
        .code()
    };
    assert_eq!(webpki(last), VerifyCode::OK);
    assert_eq!(webpki(last + 1), VerifyCode::CERT_HAS_EXPIRED);
    let mut parameters = client_at(last);
    parameters.time = ValidationTime::Unchecked;
    assert!(verify(&chain, &trust, &parameters).is_accepted());
}

#[test]
fn a_missing_intermediate_is_explained() {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.intermediate.server("db.example", |_| {});
    let report = verify(&[leaf], &hierarchy.root.trusted(), &client());
    assert_eq!(report.code(), VerifyCode::UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    assert_eq!(
        report.sentence(),
        "The server's certificate was issued by CN=Test Intermediate, which is unknown here \
         (leaf, CN=db.example)."
    );
    assert_eq!(
        report.advice().unwrap(),
        "Let the server send its full chain, or add the missing CA to the trust store."
    );
    assert!(
        report
            .drawing()
            .to_string()
            .starts_with("  ?  no trust anchor\n")
    );
}

#[test]
fn the_order_on_the_wire_does_not_matter() {
    let root = Authority::root("Root");
    let first = root.subordinate("First", |_| {});
    let second = first.subordinate("Second", |_| {});
    let stranger = Authority::root("Stranger");
    let leaf = second.server("db.example", |_| {});
    let chain = [
        leaf,
        stranger.der.clone(),
        first.der.clone(),
        root.der.clone(),
        second.der.clone(),
    ];
    let report = verify(&chain, &root.trusted(), &client());
    assert!(report.is_accepted());
    assert_eq!(report.chain().len(), 4);
}

#[test]
fn names_in_the_subject_count_only_when_asked_for() {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.intermediate.server("db.example", |params| {
        params.subject_alt_names.clear();
    });
    let chain = [leaf, hierarchy.intermediate.der.clone()];
    let trust = hierarchy.root.trusted();
    let expecting = client().with_name(ExpectedName::host("db.example"));
    let report = |parameters: &Parameters| verify(&chain, &trust, parameters);

    let refused = report(&expecting);
    assert_eq!(refused.code(), VerifyCode::HOSTNAME_MISMATCH);
    let advice = refused.advice().unwrap();
    assert!(
        advice.contains("in the subject alone it does not count"),
        "{advice}"
    );

    let accepted = report(&expecting.clone().with_subject_names(SubjectNames::Fallback));
    assert!(accepted.is_accepted(), "{}", accepted.sentence());
    assert_eq!(accepted.matched_name(), Some("db.example"));

    // The rules of the public web do not know it at all.
    let web = expecting
        .with_subject_names(SubjectNames::Fallback)
        .with_profile(Profile::WebPki);
    let refused = report(&web);
    let mut checks = refused.checks().iter();
    let host = checks.find(|check| check.kind == CheckKind::HostName);
    assert_eq!(host.unwrap().failure(), Some(Reason::HostMismatch));
}

#[test]
fn names_are_compared_by_kind() {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.intermediate.server("*.db.example", |params| {
        params
            .subject_alt_names
            .push(rcgen::SanType::IpAddress([192, 0, 2, 7].into()));
        params.subject_alt_names.push(rcgen::SanType::Rfc822Name(
            "dba@db.example".try_into().unwrap(),
        ));
        params.subject_alt_names.push(rcgen::SanType::URI(
            "spiffe://db.example/x".try_into().unwrap(),
        ));
    });
    let chain = [leaf, hierarchy.intermediate.der.clone()];
    let trust = hierarchy.root.trusted();
    let report = |name| verify(&chain, &trust, &client().with_name(name));
    let good = report(ExpectedName::host("a.db.example"));
    assert!(good.is_accepted());
    assert_eq!(good.matched_name(), Some("*.db.example"));
    let code = |name| report(name).code().number();
    assert_eq!(code(ExpectedName::host("192.0.2.7")), 0);
    assert_eq!(code(ExpectedName::Email("dba@DB.example".to_owned())), 0);
    assert_eq!(
        code(ExpectedName::Uri("spiffe://db.example/x".to_owned())),
        0
    );
    assert_eq!(code(ExpectedName::host("a.b.db.example")), 62);
    assert_eq!(code(ExpectedName::host("192.0.2.8")), 64);
    assert_eq!(code(ExpectedName::Email("boss@db.example".to_owned())), 63);
    assert_eq!(
        code(ExpectedName::Uri("spiffe://db.example/y".to_owned())),
        62
    );
    let parameters = client()
        .with_name(ExpectedName::host("other.example"))
        .with_name(ExpectedName::host("192.0.2.8"));
    let report = verify(&chain, &trust, &parameters);
    assert_eq!(
        trace(&report),
        ["0:62:0", "0:64:0", "2:64:1", "1:64:1", "0:64:1"]
    );
    assert_eq!(
        report.sentence(),
        "The server's certificate is not for other.example or 192.0.2.8 (leaf, CN=*.db.example)."
    );
}

#[test]
fn every_failure_is_in_the_report() {
    let root = Authority::root("Root");
    let not_a_ca = root.subordinate("Not A CA", |params| {
        params.is_ca = IsCa::NoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    let leaf = not_a_ca.server("db.example", |_| {});
    let parameters = client_at(LATER)
        .with_name(ExpectedName::host("other.example"))
        .with_revocation(Revocation::Leaf);
    let report = verify(&[leaf, not_a_ca.der.clone()], &root.trusted(), &parameters);
    let failed: Vec<_> = report
        .failures()
        .map(|check| (check.depth, check.failure().unwrap().code().number()))
        .collect();
    assert_eq!(
        failed,
        [(1, 79), (1, 26), (0, 62), (0, 3), (1, 32), (0, 10)]
    );
    assert_eq!(
        report.first_failure().unwrap().kind,
        CheckKind::BasicConstraints
    );
}

#[test]
fn a_revoked_certificate_is_refused() {
    let root = Authority::root("Root");
    let leaf = root.server("db.example", |_| {});
    let other = root.server("other.example", |_| {});
    let stranger = Authority::root("Root");
    let parameters = client().with_revocation(Revocation::Chain);
    let report = |list| {
        let trust = root.trusted().with_crls([list]).unwrap();
        verify(std::slice::from_ref(&leaf), &trust, &parameters)
    };
    let revoked = report(root.list(&[&other, &leaf], |_| {}));
    assert_eq!(
        revoked.sentence(),
        "The server's certificate was revoked on 2026-05-01: its key was compromised (leaf, CN=db.example)."
    );
    let code = |list| report(list).code().number();
    assert_eq!(code(root.list(&[&other], |_| {})), 0);
    assert_eq!(
        code(root.list(&[], |params| params.next_update =
            rcgen::date_time_ymd(2026, 5, 2))),
        12
    );
    assert_eq!(
        code(root.list(&[], |params| params.this_update =
            rcgen::date_time_ymd(2026, 6, 30))),
        11
    );
    // Another CA of the same name: its key identifier gives it away, and no list is left.
    assert_eq!(code(stranger.list(&[&leaf], |_| {})), 3);
    // What the store remembers of a list does not change what the list says.
    let trust = root
        .trusted()
        .with_crls([root.list(&[&leaf], |_| {})])
        .unwrap();
    for expected in [23, 23] {
        let report = verify(std::slice::from_ref(&leaf), &trust, &parameters);
        assert_eq!(report.code().number(), expected);
        assert!(verify(std::slice::from_ref(&other), &trust, &parameters).is_accepted());
    }
    // Asked about nobody's revocation, lists do nothing.
    let trust = root
        .trusted()
        .with_crls([root.list(&[&leaf], |_| {})])
        .unwrap();
    assert!(verify(std::slice::from_ref(&leaf), &trust, &client()).is_accepted());
}

#[test]
fn path_length_is_heeded() {
    let root = Authority::root("Root");
    let narrow = root.subordinate("Narrow", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let below = narrow.subordinate("Below", |_| {});
    let leaf = below.server("db.example", |_| {});
    let report = verify(
        &[leaf, below.der.clone(), narrow.der.clone()],
        &root.trusted(),
        &client(),
    );
    let failure = report.first_failure().unwrap();
    assert_eq!(
        failure.failure(),
        Some(Reason::PathTooLong {
            allowed: 0,
            found: 1
        })
    );
    assert_eq!(failure.depth, 2);
}

#[test]
fn replay_follows_the_callback() {
    let hierarchy = Hierarchy::new();
    let chain = [
        hierarchy.intermediate.server("db.example", |_| {}),
        hierarchy.intermediate.der.clone(),
    ];
    let report = verify(&chain, &hierarchy.root.trusted(), &client_at(LATER));
    let tolerated = report.replay(|_| Decision::Continue);
    assert_eq!((tolerated.code.number(), tolerated.accepted), (10, true));
    let cleared = report.replay(|step| {
        step.set_code(VerifyCode::OK);
        Decision::Continue
    });
    assert_eq!((cleared.code.number(), cleared.accepted), (0, true));
    // The first call is for the root, which has no fault: the real defect is never reached.
    let refused = report.replay(|_| Decision::Stop);
    assert_eq!((refused.code.number(), refused.accepted), (1, false));
    let renamed = report.replay(|step| {
        if !step.is_ok() {
            step.set_code(VerifyCode::APPLICATION_VERIFICATION);
        }
        Decision::unless_failed(step)
    });
    assert_eq!((renamed.code.number(), renamed.accepted), (50, false));
    let mut seen = Vec::new();
    report.replay(|step| {
        seen.push(step.certificate().to_vec());
        Decision::unless_failed(step)
    });
    assert_eq!(
        seen,
        [
            hierarchy.root.der.to_vec(),
            chain[1].to_vec(),
            chain[0].to_vec()
        ]
    );
}

#[test]
fn a_tolerated_failure_takes_the_place_of_a_missing_issuer() {
    // OpenSSL, when a weak key has been tolerated and no anchor is found, names the weak key again.
    let root = Authority::root("Root");
    let leaf = root.server("db.example", |_| {});
    let mut parameters = client();
    parameters.security_level = 5;
    let report = verify(&[leaf], &TrustStore::empty(), &parameters);
    assert_eq!(trace(&report), ["0:66:0", "0:66:0", "0:21:0", "0:21:1"]);
    let stopped = report.replay(|step| Decision::unless_failed(step));
    assert_eq!((stopped.code.number(), stopped.chain_length), (66, 1));
    let cleared = report.replay(|step| {
        step.set_code(VerifyCode::OK);
        if step.check().kind == CheckKind::Trust {
            Decision::Stop
        } else {
            Decision::Continue
        }
    });
    assert!(!cleared.accepted);
}

#[test]
fn an_unreadable_certificate_cannot_be_tolerated() {
    let report = verify(
        &[vec![0x30, 0x03, 1, 2, 3].into()],
        &TrustStore::empty(),
        &client(),
    );
    assert!(matches!(
        report.first_failure().unwrap().failure(),
        Some(Reason::Malformed(_))
    ));
    let result = report.replay(|_| Decision::Continue);
    assert!(!result.accepted && !result.code.is_ok());
    assert!(
        report
            .sentence()
            .starts_with("The server's certificate cannot be read: ")
    );
    let nothing = verify(&[], &TrustStore::empty(), &client());
    assert!(!nothing.replay(|_| Decision::Continue).accepted);
}

#[test]
fn names_of_the_peer_are_escaped() {
    let root = Authority::root("Root");
    let leaf = root.server("db.example", |params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "good\u{1b}[2J\u{202e}elpmaxe");
    });
    let report = verify(&[leaf], &TrustStore::empty(), &client());
    for text in [
        report.sentence(),
        report.drawing().to_string(),
        format!("{report:?}"),
    ] {
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_only_if_it_is_the_very_one() {
    let mine = Authority::root("Same Name");
    let impostor = Authority::root("Same Name");
    let mut parameters = client();
    parameters.purpose = Purpose::Any;
    assert!(
        verify(
            std::slice::from_ref(&mine.der),
            &mine.trusted(),
            &parameters
        )
        .is_accepted()
    );
    let report = verify(
        std::slice::from_ref(&impostor.der),
        &mine.trusted(),
        &parameters,
    );
    assert_eq!(report.code(), VerifyCode::DEPTH_ZERO_SELF_SIGNED_CERT);
}

#[test]
fn purposes_are_kept_apart() {
    let hierarchy = Hierarchy::new();
    let chain = [
        hierarchy.intermediate.server("db.example", |_| {}),
        hierarchy.intermediate.der.clone(),
    ];
    let mut parameters = client();
    parameters.purpose = Purpose::ClientAuth;
    let report = verify(&chain, &hierarchy.root.trusted(), &parameters);
    assert_eq!(report.code(), VerifyCode::INVALID_PURPOSE);
    assert_eq!(
        report.sentence(),
        "The client's certificate was refused: it may not be used for a client (leaf, CN=db.example)."
    );
    parameters.purpose = Purpose::Any;
    assert!(verify(&chain, &hierarchy.root.trusted(), &parameters).is_accepted());
}

#[test]
fn the_search_finds_the_good_one_of_several_chains() {
    // Two CAs of one name and key identifier, one expired: OpenSSL's rule and the search agree
    // here; with a wrong signature only the search goes back and tries the other.
    let root = Authority::root("Root");
    let good = root.subordinate("Twin", |_| {});
    let evil = root.subordinate("Twin", |params| {
        params.use_authority_key_identifier_extension = false;
    });
    let leaf = good.server("db.example", |params| {
        params.use_authority_key_identifier_extension = true;
    });
    let chain = [leaf, evil.der.clone(), good.der.clone()];
    let parameters = client().with_profile(Profile::WebPki);
    let report = verify(&chain, &root.trusted(), &parameters);
    assert!(report.is_accepted(), "{}", report.sentence());
    assert_eq!(report.certificate(1).unwrap().der(), good.der.as_ref());
}

#[test]
fn the_search_ends_within_its_budget() {
    // Many CAs of the same name, each with another key: every pair looks possible.
    let root = Authority::root("Same");
    let crowd: Vec<_> = (0..12)
        .map(|_| root.subordinate("Same", |_| {}).der)
        .collect();
    let leaf = Authority::root("Same").server("db.example", |_| {});
    let chain: Vec<_> = std::iter::once(leaf).chain(crowd).collect();
    let mut parameters = client().with_profile(Profile::WebPki);
    parameters.budget.signatures = 5;
    let report = verify(&chain, &root.trusted(), &parameters);
    assert!(
        report
            .failures()
            .any(|check| check.failure() == Some(Reason::BudgetExhausted))
    );
}

#[test]
fn a_long_chain_that_has_failed_already_is_not_pursued() {
    let root = Authority::root("Root");
    let mut authorities = vec![root.subordinate("0", |_| {})];
    for name in 1..14 {
        let next = authorities[name - 1].subordinate(&name.to_string(), |_| {});
        authorities.push(next);
    }
    let leaf = authorities[13].server("db.example", |_| {});
    let sent = authorities
        .iter()
        .rev()
        .map(|authority| authority.der.clone());
    let chain: Vec<_> = std::iter::once(leaf).chain(sent).collect();
    let given_up = |report: &Report| {
        let mut failures = report.failures();
        failures.any(|check| check.failure() == Some(Reason::BudgetExhausted) && check.depth >= 10)
    };
    let trusted = verify(&chain, &root.trusted(), &client());
    assert!(trusted.is_accepted());
    let unknown = verify(&chain, &TrustStore::empty(), &client());
    assert!(given_up(&unknown));
    assert_eq!(
        unknown.code(),
        VerifyCode::UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    );
}

#[test]
fn a_report_can_be_sent_anywhere() {
    fn check<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    check::<Report>();
    check::<TrustStore>();
}
