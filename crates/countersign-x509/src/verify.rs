//! Verification: builds the chain and makes every check of it, in OpenSSL's order.

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::checks::strength;
use crate::parameters::{Parameters, Profile};
use crate::path::webpki::{Search, Signatures};
use crate::path::{self, Node, Path, Source};
use crate::presented::Presented;
use crate::reason::Reason;
use crate::report::{Check, CheckKind, Facts, Link, Outcome, Report};
use crate::store::{Set, TrustStore};

mod stages;
mod status;

/// Verifies the certificates a peer sent, its own first, and reports every check.
///
/// All checks are made, also after one has failed: the report says everything that is wrong, and
/// [`Report::replay`] can play OpenSSL's verify callback from it. Nothing is read but the
/// arguments: no clock, no file, no network.
///
/// ```
/// use countersign_x509::*;
/// use std::time::Duration;
///
/// # let made = rcgen::generate_simple_self_signed(["db.example".to_owned()])?;
/// # let der = made.cert.der().clone();
/// # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_780_272_000));
/// let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
///     .with_name(ExpectedName::host("db.example"));
///
/// // Nobody vouches for this certificate.
/// let report = verify(&[der.clone()], &TrustStore::empty(), &parameters);
/// assert_eq!(report.code(), VerifyCode::DEPTH_ZERO_SELF_SIGNED_CERT);
///
/// // Now it is trusted.
/// let report = verify(&[der.clone()], &TrustStore::from_der([der])?, &parameters);
/// assert!(report.is_accepted(), "{}", report.sentence());
/// assert_eq!(report.matched_name(), Some("db.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify(
    presented: &[CertificateDer<'_>],
    trust: &TrustStore,
    parameters: &Parameters,
) -> Report {
    verify_presented(Presented::new(presented), trust, parameters)
}

/// [`verify`] with what the peer stapled to its certificates.
pub fn verify_presented(
    presented: Presented<'_>,
    trust: &TrustStore,
    parameters: &Parameters,
) -> Report {
    let store = trust.content();
    let (verification, links) = Verification::run(presented, &store, parameters);
    let (checks, matched_name, expected) = verification;
    let mut copied = Vec::new();
    let links = links
        .into_iter()
        .map(|source| copy(source, presented.certificates, &mut copied))
        .collect();
    let anchored = checks
        .iter()
        .any(|check| check.kind == CheckKind::Trust && check.outcome == Outcome::Passed);
    Report::new(Facts {
        checks,
        links,
        presented: copied,
        store,
        anchored,
        purpose: parameters.purpose,
        profile: parameters.profile,
        time: parameters.time,
        matched_name,
        expected,
    })
}

/// The report owns what the peer sent: the caller's buffer does not live as long.
fn copy(source: Source, presented: &[CertificateDer<'_>], copied: &mut Vec<u8>) -> Link {
    match source {
        Source::Stored(position) => Link::Stored(position),
        Source::Presented(index) => {
            let start = copied.len();
            copied.extend_from_slice(presented.get(index).map_or(&[], |der| der.as_ref()));
            Link::Presented(start..copied.len())
        }
    }
}

type Found = (Vec<Check>, Option<Box<str>>, Option<Box<str>>);

/// The checks made so far of one chain.
#[derive(Clone)]
struct Verification<'v, 'a> {
    parameters: &'v Parameters,
    presented: Presented<'a>,
    store: &'a Set,
    nodes: Vec<Node<'a>>,
    checks: Vec<Check>,
    matched_name: Option<Box<str>>,
    expected: Option<Box<str>>,
    has_failed: bool,
    /// What the search has verified already.
    signatures: Signatures,
    errand: Errand,
}

/// What a verification is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// The chain of the peer.
    Peer,
    /// The chain of somebody who issued a revocation list for another chain.
    ListIssuer,
}

/// About what a good chain of three needs, so that the list is allocated once.
const USUAL_NUMBER_OF_CHECKS: usize = 40;

impl<'v, 'a> Verification<'v, 'a> {
    fn run(
        presented: Presented<'a>,
        store: &'a Set,
        parameters: &'v Parameters,
    ) -> (Found, Vec<Source>) {
        let mut run = Self::new(presented, store, parameters, Errand::Peer);
        let leaf = presented
            .certificates
            .first()
            .map(|der| Certificate::parse(der));
        match leaf {
            None => run.record(
                0,
                CheckKind::Encoding,
                Outcome::Failed(Reason::NoCertificate),
            ),
            Some(Err(error)) => {
                run.record(
                    0,
                    CheckKind::Encoding,
                    Outcome::Failed(Reason::Malformed(error)),
                );
                return (run.into_found(), vec![Source::Presented(0)]);
            }
            Some(Ok(leaf)) => run.check_leaf_and_chain(&leaf),
        }
        if !run.has_failed {
            run.signatures.remember(&run.nodes);
        }
        let sources = run.nodes.iter().map(|node| node.source).collect();
        (run.into_found(), sources)
    }

    fn new(
        presented: Presented<'a>,
        store: &'a Set,
        parameters: &'v Parameters,
        errand: Errand,
    ) -> Self {
        Self {
            parameters,
            presented,
            store,
            nodes: Vec::new(),
            checks: Vec::with_capacity(USUAL_NUMBER_OF_CHECKS),
            matched_name: None,
            expected: None,
            has_failed: false,
            signatures: Signatures::new(parameters),
            errand,
        }
    }

    fn into_found(self) -> Found {
        (self.checks, self.matched_name, self.expected)
    }

    fn check_leaf_and_chain(&mut self, leaf: &Certificate<'a>) {
        self.record(0, CheckKind::Encoding, Outcome::Passed);
        // OpenSSL refuses a weak key before it builds a chain.
        let required = self.parameters.required_bits();
        self.record(
            0,
            CheckKind::KeyStrength,
            strength::leaf_key(leaf, required).into(),
        );
        match self.parameters.profile {
            Profile::OpenSsl => {
                let path = path::openssl::build(
                    leaf,
                    self.presented.certificates,
                    self.store,
                    self.parameters,
                );
                self.check_path(path);
            }
            Profile::WebPki => self.search(leaf),
        }
    }

    /// Tries all chains and keeps the checks of the first that passes all, or else those of the
    /// first that is complete, or else those of the chain that OpenSSL would build.
    fn search(&mut self, leaf: &Certificate<'a>) {
        let mut search = Search::new(self.presented.certificates, self.store, self.parameters);
        let mut kept: Option<Self> = None;
        let found = search.run(
            Node::new(leaf, Source::Presented(0)),
            |nodes, signatures| {
                let mut attempt = self.clone();
                attempt.checks.reserve(USUAL_NUMBER_OF_CHECKS);
                attempt.signatures = signatures.clone();
                let trusted = Outcome::Passed;
                attempt.check_path(Path {
                    nodes: nodes.to_vec(),
                    length: trusted,
                    trust: trusted,
                });
                let accepted = !attempt.has_failed;
                if accepted || kept.is_none() {
                    kept = Some(attempt);
                }
                accepted
            },
        );
        if found == Ok(true) || kept.as_ref().is_some_and(|kept| kept.has_failed) {
            if let Some(kept) = kept {
                *self = kept;
            }
            return;
        }
        self.signatures = search.into_signatures();
        let mut path = path::openssl::build(
            leaf,
            self.presented.certificates,
            self.store,
            self.parameters,
        );
        if found.is_err() {
            path.trust = Outcome::Failed(Reason::BudgetExhausted);
        }
        self.check_path(path);
        if !self.has_failed {
            // The search knows of no good chain, so there is none.
            self.record(0, CheckKind::Trust, Outcome::Failed(Reason::IssuerMissing));
        }
    }
}
