//! Verification: builds the chain and makes every check of it, in OpenSSL's order.

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::checks::signature::{SignatureFault, verify_certificate_signature};
use crate::checks::{constraints, host, revocation, strength, strict, usage, validity, webpki};
use crate::parameters::{ExpectedName, Parameters, Profile, Revocation};
use crate::path::webpki::{Search, Signatures};
use crate::path::{self, Node, Path, Source};
use crate::profile::{Place, applies};
use crate::reason::{Reason, Skip};
use crate::report::{Check, CheckKind, Facts, Link, Outcome, Report};
use crate::store::{Set, TrustStore};

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
    let store = trust.content();
    let (verification, links) = Verification::run(presented, &store, parameters);
    let (checks, matched_name, expected) = verification;
    let mut copied = Vec::new();
    let links = links
        .into_iter()
        .map(|source| copy(source, presented, &mut copied))
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
    store: &'a Set,
    nodes: Vec<Node<'a>>,
    checks: Vec<Check>,
    matched_name: Option<Box<str>>,
    expected: Option<Box<str>>,
    /// What the search has verified already.
    signatures: Signatures,
}

/// About what a good chain of three needs, so that the list is allocated once.
const USUAL_NUMBER_OF_CHECKS: usize = 40;

impl<'v, 'a> Verification<'v, 'a> {
    fn run(
        presented: &'a [CertificateDer<'_>],
        store: &'a Set,
        parameters: &'v Parameters,
    ) -> (Found, Vec<Source>) {
        let mut run = Self {
            parameters,
            store,
            nodes: Vec::new(),
            checks: Vec::with_capacity(USUAL_NUMBER_OF_CHECKS),
            matched_name: None,
            expected: None,
            signatures: Signatures::default(),
        };
        let leaf = presented.first().map(|der| Certificate::parse(der));
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
            Some(Ok(leaf)) => run.check_leaf_and_chain(&leaf, presented),
        }
        let sources = run.nodes.iter().map(|node| node.source).collect();
        (run.into_found(), sources)
    }

    fn into_found(self) -> Found {
        (self.checks, self.matched_name, self.expected)
    }

    fn check_leaf_and_chain(
        &mut self,
        leaf: &Certificate<'a>,
        presented: &'a [CertificateDer<'_>],
    ) {
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
                let path = path::openssl::build(leaf, presented, self.store, self.parameters);
                self.check_path(path);
            }
            Profile::WebPki => self.search(leaf, presented),
        }
    }

    /// Tries all chains and keeps the checks of the first that passes all, or else those of the
    /// first that is complete, or else those of the chain that OpenSSL would build.
    fn search(&mut self, leaf: &Certificate<'a>, presented: &'a [CertificateDer<'_>]) {
        let mut search = Search::new(presented, self.store, self.parameters);
        let mut kept: Option<Self> = None;
        let found = search.run(
            Node::new(leaf, Source::Presented(0)),
            |nodes, signatures| {
                let mut attempt = self.clone();
                attempt.signatures = signatures.clone();
                let trusted = Outcome::Passed;
                attempt.check_path(Path {
                    nodes: nodes.to_vec(),
                    length: trusted,
                    trust: trusted,
                });
                let accepted = !attempt.has_failed();
                if accepted || kept.is_none() {
                    kept = Some(attempt);
                }
                accepted
            },
        );
        if found == Ok(true) || kept.as_ref().is_some_and(Self::has_failed) {
            if let Some(kept) = kept {
                *self = kept;
            }
            return;
        }
        self.signatures = search.into_signatures();
        let mut path = path::openssl::build(leaf, presented, self.store, self.parameters);
        if found.is_err() {
            path.trust = Outcome::Failed(Reason::BudgetExhausted);
        }
        self.check_path(path);
        if !self.has_failed() {
            // The search knows of no good chain, so there is none.
            self.record(0, CheckKind::Trust, Outcome::Failed(Reason::IssuerMissing));
        }
    }

    fn has_failed(&self) -> bool {
        self.checks.iter().any(|check| check.failure().is_some())
    }

    /// Everything after the chain has been built, stage by stage.
    fn check_path(&mut self, path: Path<'a>) {
        let Path {
            nodes,
            length,
            trust,
        } = path;
        let top = nodes.len().saturating_sub(1);
        self.nodes = nodes;
        self.record(top, CheckKind::ChainLength, length);
        self.record(top, CheckKind::Trust, trust);
        self.check_extensions();
        self.check_strength();
        self.check_names();
        self.check_leaf_key();
        self.check_revocation();
        self.check_signatures_and_dates();
        self.check_name_constraints();
    }

    /// From the leaf upwards: what extensions say about each certificate.
    fn check_extensions(&mut self) {
        let nodes = core::mem::take(&mut self.nodes);
        let mut cas_below: u32 = 0;
        for (depth, node) in nodes.iter().enumerate() {
            let is_last = depth.checked_add(1) == Some(nodes.len());
            let certificate = &node.certificate;
            self.check(depth, nodes.len(), CheckKind::CriticalExtensions, || {
                usage::critical_extensions(certificate)
            });
            self.check(depth, nodes.len(), CheckKind::ProxyCertificate, || {
                usage::proxy(certificate)
            });
            let strict = self.parameters.strict;
            self.check(depth, nodes.len(), CheckKind::BasicConstraints, || {
                usage::is_ca(node, is_last, strict)
            });
            if depth == 0 && strict {
                self.record(
                    0,
                    CheckKind::Strict,
                    strict::leaf_ca_is_proper(node)
                        .map_err(Reason::Strict)
                        .into(),
                );
            }
            if nodes.len() > 1 {
                self.check(depth, nodes.len(), CheckKind::CurveParameters, || {
                    strength::curve(certificate)
                });
                self.check_strict(depth, node, !is_last);
            }
            self.check_webpki(depth, nodes.len(), node);
            let purpose = self.parameters.purpose;
            self.check(depth, nodes.len(), CheckKind::Purpose, || {
                usage::purpose(node, purpose, depth == 0)
            });
            // The certificate directly above the leaf has no CA below it.
            if depth > 1 {
                self.check(depth, nodes.len(), CheckKind::PathLength, || {
                    usage::path_length(certificate, cas_below)
                });
            }
            if depth > 0 && !node.self_issued {
                cas_below = cas_below.saturating_add(1);
            }
        }
        self.nodes = nodes;
    }

    fn check_strict(&mut self, depth: usize, node: &Node<'_>, has_issuer: bool) {
        if !self.parameters.strict {
            return;
        }
        let before = self.checks.len();
        for rule in strict::broken_rules(node, has_issuer) {
            self.record(
                depth,
                CheckKind::Strict,
                Outcome::Failed(Reason::Strict(rule)),
            );
        }
        if self.checks.len() == before {
            self.record(depth, CheckKind::Strict, Outcome::Passed);
        }
    }

    fn check_webpki(&mut self, depth: usize, length: usize, node: &Node<'_>) {
        if !self.applies(depth, length, CheckKind::WebPki) {
            return;
        }
        let before = self.checks.len();
        let place = Place::of(depth, length);
        for rule in webpki::broken_rules(node, place, self.parameters.purpose) {
            self.record(
                depth,
                CheckKind::WebPki,
                Outcome::Failed(Reason::WebPki(rule)),
            );
        }
        if self.checks.len() == before {
            self.record(depth, CheckKind::WebPki, Outcome::Passed);
        }
    }

    /// From the leaf upwards: issuers' keys, and all signatures but the anchor's own.
    fn check_strength(&mut self) {
        let required = self.parameters.required_bits();
        let nodes = core::mem::take(&mut self.nodes);
        for (depth, node) in nodes.iter().enumerate() {
            if depth > 0 {
                let outcome = strength::issuer_key(&node.certificate, required).into();
                self.record(depth, CheckKind::KeyStrength, outcome);
            }
            if depth.checked_add(1) != Some(nodes.len()) {
                let outcome = strength::signature(&node.certificate, required).into();
                self.record(depth, CheckKind::SignatureStrength, outcome);
            }
        }
        self.nodes = nodes;
    }

    /// Each kind of name that is expected, in OpenSSL's order.
    fn check_names(&mut self) {
        let parameters = self.parameters;
        let profile = parameters.profile;
        if parameters.names.is_empty() {
            return self.record(0, CheckKind::HostName, Outcome::Skipped(Skip::NotRequested));
        }
        let Some(leaf) = self.nodes.first().map(|node| &node.certificate) else {
            return;
        };
        let mut matched_name = None;
        let hosts = parameters.names.iter().filter_map(|name| match name {
            ExpectedName::Dns(host) => Some(host.as_str()),
            _ => None,
        });
        let host = any(hosts, |expected| {
            matched_name = host::matching_host(leaf, expected, profile);
            matched_name.is_some()
        });
        self.matched_name = matched_name.map(|name| name.into_owned().into_boxed_str());
        let emails = parameters.names.iter().filter_map(|name| match name {
            ExpectedName::Email(address) => Some(address.as_str()),
            _ => None,
        });
        let email = any(emails, |expected| host::has_email(leaf, expected, profile));
        let addresses = parameters.names.iter().filter_map(|name| match name {
            ExpectedName::Ip(address) => Some(*address),
            _ => None,
        });
        let ip = any(addresses, |expected| host::has_ip(leaf, expected));
        let uris = parameters.names.iter().filter_map(|name| match name {
            ExpectedName::Uri(uri) => Some(uri.as_str()),
            _ => None,
        });
        let uri = any(uris, |expected| host::has_uri(leaf, expected));
        self.record_name(CheckKind::HostName, host, Reason::HostMismatch);
        self.record_name(CheckKind::Email, email, Reason::EmailMismatch);
        self.record_name(CheckKind::IpAddress, ip, Reason::IpMismatch);
        self.record_name(CheckKind::Uri, uri, Reason::UriMismatch);
    }

    fn record_name(&mut self, kind: CheckKind, matches: Option<bool>, mismatch: Reason) {
        match matches {
            None => {}
            Some(true) => self.record(0, kind, Outcome::Passed),
            Some(false) => {
                self.expected =
                    Some(crate::explain::list_names(&self.parameters.names).into_boxed_str());
                self.record(0, kind, Outcome::Failed(mismatch));
            }
        }
    }

    /// OpenSSL needs the leaf's key here and gives up without it.
    fn check_leaf_key(&mut self) {
        let readable = self
            .nodes
            .first()
            .is_some_and(|leaf| strength::is_readable(&leaf.certificate.public_key()));
        let outcome = if readable {
            Outcome::Passed
        } else {
            Outcome::Failed(Reason::KeyUnreadable)
        };
        self.record(0, CheckKind::PublicKey, outcome);
    }

    fn check_revocation(&mut self) {
        let last = match self.parameters.revocation {
            Revocation::None => {
                return self.record(
                    0,
                    CheckKind::Revocation,
                    Outcome::Skipped(Skip::NotRequested),
                );
            }
            Revocation::Leaf => 1,
            Revocation::Chain => self.nodes.len(),
        };
        let nodes = core::mem::take(&mut self.nodes);
        for (depth, node) in nodes.iter().enumerate().take(last) {
            if revocation::is_exempt(node) {
                self.record(
                    depth,
                    CheckKind::Revocation,
                    Outcome::Skipped(Skip::SelfSigned),
                );
                continue;
            }
            if !self.applies(depth, nodes.len(), CheckKind::Revocation) {
                self.record(
                    depth,
                    CheckKind::Revocation,
                    Outcome::Skipped(Skip::NotInProfile),
                );
                continue;
            }
            let before = self.checks.len();
            revocation::check(&nodes, depth, self.store, self.parameters, |reason| {
                self.record(depth, CheckKind::Revocation, Outcome::Failed(reason));
            });
            if self.checks.len() == before {
                self.record(depth, CheckKind::Revocation, Outcome::Passed);
            }
        }
        self.nodes = nodes;
    }

    /// From the top down to the leaf: who signed, and the dates.
    fn check_signatures_and_dates(&mut self) {
        let nodes = core::mem::take(&mut self.nodes);
        let top = nodes.len().saturating_sub(1);
        let anchors_itself = self.parameters.takes_partial_chains()
            || nodes.last().is_some_and(|node| node.self_signed);
        for (depth, node) in nodes.iter().enumerate().rev() {
            let issuer = depth
                .checked_add(1)
                .and_then(|above| Some((above, nodes.get(above)?)));
            match issuer {
                Some((above, issuer)) => self.check_signature(depth, node, above, issuer),
                None if anchors_itself => {
                    self.record(
                        top,
                        CheckKind::Signature,
                        Outcome::Skipped(Skip::SelfSigned),
                    );
                }
                None if depth == 0 => {
                    let outcome = Outcome::Failed(Reason::LeafSignatureUnverifiable);
                    self.record(0, CheckKind::Signature, outcome);
                }
                // The chain ends at a certificate whose issuer nobody knows: it only lends its key
                // to the one below.
                None => {
                    self.record(
                        top,
                        CheckKind::NotBefore,
                        Outcome::Skipped(Skip::Unanchored),
                    );
                    self.record(top, CheckKind::NotAfter, Outcome::Skipped(Skip::Unanchored));
                    continue;
                }
            }
            self.check_dates(depth, nodes.len(), node);
        }
        self.nodes = nodes;
    }

    fn check_signature(&mut self, depth: usize, node: &Node<'_>, above: usize, issuer: &Node<'_>) {
        self.record(
            above,
            CheckKind::IssuerKeyUsage,
            usage::may_sign_certificates(&issuer.certificate).into(),
        );
        let key = issuer.certificate.public_key();
        let result = self.signatures.known(node, issuer);
        match result.unwrap_or_else(|| verify_certificate_signature(&node.certificate, &key)) {
            Ok(()) => self.record(depth, CheckKind::Signature, Outcome::Passed),
            Err(SignatureFault::UnreadableKey) => {
                self.record(
                    above,
                    CheckKind::Signature,
                    Outcome::Failed(Reason::IssuerKeyUnreadable),
                );
            }
            Err(fault) => {
                self.record(
                    depth,
                    CheckKind::Signature,
                    Outcome::Failed(Reason::BadSignature(fault)),
                );
            }
        }
    }

    fn check_dates(&mut self, depth: usize, length: usize, node: &Node<'_>) {
        let Parameters { time, profile, .. } = *self.parameters;
        let (begun, ended) = if self.applies(depth, length, CheckKind::NotAfter) {
            let ended = validity::not_after(&node.certificate, time, profile);
            (validity::not_before(&node.certificate, time), ended)
        } else {
            (
                Outcome::Skipped(Skip::NotInProfile),
                Outcome::Skipped(Skip::NotInProfile),
            )
        };
        self.record(depth, CheckKind::NotBefore, begun);
        self.record(depth, CheckKind::NotAfter, ended);
    }

    /// From the top down to the leaf: the names of each certificate against the constraints of all
    /// above it.
    fn check_name_constraints(&mut self) {
        let nodes = core::mem::take(&mut self.nodes);
        let before = self.checks.len();
        for (depth, node) in nodes.iter().enumerate().rev() {
            // RFC 5280 §6.1.3 (b): not for self-issued certificates unless it is the leaf.
            if depth > 0 && node.self_issued {
                continue;
            }
            for above in nodes.iter().skip(depth.saturating_add(1)).rev() {
                let Some(constraints) = above.certificate.extensions().name_constraints() else {
                    continue;
                };
                let profile = self.parameters.profile;
                let result =
                    constraints::check(&node.certificate, &constraints, depth == 0, profile);
                self.record(
                    depth,
                    CheckKind::NameConstraints,
                    result.map_err(Reason::NameConstraint).into(),
                );
            }
        }
        if self.checks.len() == before {
            self.record(
                0,
                CheckKind::NameConstraints,
                Outcome::Skipped(Skip::NothingToCheck),
            );
        }
        self.nodes = nodes;
    }

    fn applies(&self, depth: usize, length: usize, kind: CheckKind) -> bool {
        applies(self.parameters.profile, kind, Place::of(depth, length))
    }

    /// Makes a check if the profile makes it in this place.
    fn check(
        &mut self,
        depth: usize,
        length: usize,
        kind: CheckKind,
        make: impl FnOnce() -> Result<(), Reason>,
    ) {
        if self.applies(depth, length, kind) {
            self.record(depth, kind, make().into());
        }
    }

    fn record(&mut self, depth: usize, kind: CheckKind, outcome: Outcome) {
        let depth = u32::try_from(depth).unwrap_or(u32::MAX);
        self.checks.push(Check::new(depth, kind, outcome));
    }
}

/// Does any of the expected names match? `None` if there is none.
fn any<T>(names: impl Iterator<Item = T>, mut matches: impl FnMut(T) -> bool) -> Option<bool> {
    let mut result = None;
    for name in names {
        if matches(name) {
            return Some(true);
        }
        result = Some(false);
    }
    result
}
