//! Verification: builds the chain and makes every check of it, in OpenSSL's order.

use std::rc::Rc;
use std::sync::Arc;

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::checks::strength;
use crate::meter::Meter;
use crate::not_chosen::DeadEnds;
use crate::parameters::{Parameters, Profile};
use crate::path::webpki::{Search, Signatures};
use crate::path::{self, Node, Path, Source};
use crate::presented::Presented;
use crate::reason::Reason;
use crate::report::{Asked, Certificates, Check, CheckKind, Facts, Outcome, Report};
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
    let signatures = Signatures::new(parameters);
    let mut facts = Verification::run(presented, &store, parameters, signatures);
    facts.asked = Some(Asked::new(parameters, presented.ocsp_responses));
    Report::new(facts)
}

/// Judges once more what a report is about, under the other profile. Signatures that were verified for
/// the report are not verified again.
pub(crate) fn verify_under_other_profile(facts: &Facts, asked: &Asked) -> Report {
    let mut parameters = asked.parameters.clone();
    parameters.profile = match parameters.profile {
        Profile::OpenSsl => Profile::WebPki,
        Profile::WebPki => Profile::OpenSsl,
    };
    let certificates: Vec<_> = facts.presented.iter().map(CertificateDer::from).collect();
    let responses: Vec<&[u8]> = asked.ocsp_responses.iter().map(Box::as_ref).collect();
    let presented = Presented::new(&certificates).with_ocsp_responses(&responses);
    let mut signatures = Signatures::new(&parameters);
    for (subject, issuer, result) in facts.verified_signatures() {
        signatures.note(subject, issuer, result);
    }
    Report::new(Verification::run(
        presented,
        &facts.store,
        &parameters,
        signatures,
    ))
}

/// The checks made so far of one chain.
struct Verification<'v, 'a> {
    parameters: &'v Parameters,
    meter: &'v Meter,
    presented: Presented<'a>,
    store: &'a Set,
    nodes: Vec<Node<'a>>,
    checks: Vec<Check>,
    matched_name: Option<Box<str>>,
    expected: Option<Box<str>>,
    /// The top of the chain is an anchor.
    anchored: bool,
    has_failed: bool,
    /// What the search has verified already.
    signatures: Signatures,
    not_chosen: DeadEnds,
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
const USUAL_NUMBER_OF_CHECKS: usize = 42;

impl<'v, 'a> Verification<'v, 'a> {
    /// Everything that can be said of what a peer sent.
    fn run(
        presented: Presented<'a>,
        store: &'a Arc<Set>,
        parameters: &'v Parameters,
        signatures: Signatures,
    ) -> Facts {
        let meter = Meter::new(parameters.budget);
        let mut run = Verification::new(presented, store, parameters, &meter, signatures);
        let leaf = presented.certificates.first();
        match leaf.map(|der| Certificate::parse(der)) {
            None => run.fail(0, CheckKind::Encoding, Reason::NoCertificate),
            Some(Err(error)) => run.fail(0, CheckKind::Encoding, Reason::Malformed(error)),
            Some(Ok(leaf)) => run.check_leaf_and_chain(&Rc::new(leaf)),
        }
        if !run.has_failed {
            run.signatures.remember(&run.nodes);
        }
        // In the same memory.
        let mut chain: Vec<_> = run.nodes.into_iter().map(|node| node.source).collect();
        if chain.is_empty() && leaf.is_some() {
            chain.push(Source::Presented(0));
        }
        Facts {
            checks: run.checks,
            not_chosen: run.not_chosen.beside(&chain),
            chain,
            // The report owns what the peer sent: the caller's buffer does not live as long.
            presented: Certificates::copy(presented.certificates),
            store: Arc::clone(store),
            anchored: run.anchored,
            effort: meter.effort(),
            purpose: parameters.purpose,
            profile: parameters.profile,
            time: parameters.time,
            matched_name: run.matched_name,
            expected: run.expected,
            asked: None,
        }
    }

    fn new(
        presented: Presented<'a>,
        store: &'a Set,
        parameters: &'v Parameters,
        meter: &'v Meter,
        signatures: Signatures,
    ) -> Self {
        Self {
            parameters,
            meter,
            presented,
            store,
            nodes: Vec::new(),
            checks: Vec::with_capacity(USUAL_NUMBER_OF_CHECKS),
            matched_name: None,
            expected: None,
            anchored: false,
            has_failed: false,
            signatures,
            not_chosen: DeadEnds::default(),
            errand: Errand::Peer,
        }
    }

    fn check_leaf_and_chain(&mut self, leaf: &Rc<Certificate<'a>>) {
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
                let path = self.build(leaf);
                self.check_path(path);
            }
            Profile::WebPki => self.search(leaf),
        }
    }

    /// The chain that OpenSSL would build.
    fn build(&self, leaf: &Rc<Certificate<'a>>) -> Path<'a> {
        path::openssl::build(
            leaf,
            self.presented.certificates,
            self.store,
            self.parameters,
            self.meter,
        )
    }

    /// Takes back everything that was found since there were so many checks, to go on with another chain,
    /// and gives it.
    fn take_back(&mut self, (checks, has_failed): (usize, bool)) -> Self {
        let nothing_verified = Signatures::default();
        let (presented, store) = (self.presented, self.store);
        let mut before = Self::new(
            presented,
            store,
            self.parameters,
            self.meter,
            nothing_verified,
        );
        before.checks.extend(self.checks.iter().take(checks));
        before.has_failed = has_failed;
        before.errand = self.errand;
        core::mem::replace(self, before)
    }

    /// Tries all chains and keeps the checks of the first that passes all, or else those of the
    /// first that is complete, or else those of the chain that OpenSSL would build.
    fn search(&mut self, leaf: &Rc<Certificate<'a>>) {
        let mut search = Search::new(
            self.presented.certificates,
            self.store,
            self.parameters,
            self.meter,
            core::mem::take(&mut self.signatures),
        );
        let before = (self.checks.len(), self.has_failed);
        let mut first_complete: Option<Self> = None;
        let found = search.run(
            Node::new(Rc::clone(leaf), Source::Presented(0)),
            |nodes, signatures, dead_ends| {
                self.signatures = core::mem::take(signatures);
                self.check_path(Path::trusted(core::mem::take(nodes)));
                if !self.has_failed {
                    return true;
                }
                *signatures = core::mem::take(&mut self.signatures);
                nodes.clone_from(&self.nodes);
                let path = nodes.iter().map(|node| node.source);
                dead_ends.note_failure(path, &self.checks);
                let attempt = self.take_back(before);
                first_complete.get_or_insert(attempt);
                false
            },
        );
        let (signatures, dead_ends) = search.into_findings();
        if found == Ok(true) {
            self.not_chosen = dead_ends;
            return;
        }
        if let Some(first_complete) = first_complete {
            *self = first_complete;
            self.not_chosen = dead_ends;
            return;
        }
        self.signatures = signatures;
        let mut path = self.build(leaf);
        if found.is_err() {
            path.trust = Outcome::Failed(Reason::BudgetExhausted);
        }
        // The search has looked at more.
        path.not_chosen = dead_ends;
        self.check_path(path);
        if !self.has_failed {
            // The search knows of no good chain, so there is none.
            self.record(0, CheckKind::Trust, Outcome::Failed(Reason::IssuerMissing));
        }
    }
}
