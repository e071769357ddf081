//! The checks of a chain, stage by stage, in the order in which OpenSSL makes them.

use super::Verification;
use crate::checks::signature::SignatureFault;
use crate::checks::{constraints, host, policy, strength, strict, usage, validity, webpki};
use crate::meter::Exhausted;
use crate::parameters::{ExpectedName, Parameters, PolicyRequirements, Profile};
use crate::path::{Node, Path};
use crate::profile::{Place, applies};
use crate::reason::{ConstraintFailure, Reason, Skip};
use crate::report::{Check, CheckKind, Outcome};

/// Chains of more certificates are possible, but not usual. Where a check has failed already,
/// costly ones are made up to this depth only: a peer must not make its verifier work on a chain
/// that will not be accepted anyway.
const PATIENCE: usize = 10;

impl<'a> Verification<'_, 'a> {
    /// Everything after the chain has been built, stage by stage.
    pub(super) fn check_path(&mut self, path: Path<'a>) {
        let Path {
            nodes,
            length,
            trust,
            not_chosen,
        } = path;
        self.not_chosen = not_chosen;
        let top = nodes.len().saturating_sub(1);
        self.nodes = nodes;
        self.record(top, CheckKind::ChainLength, length);
        self.anchored = trust == Outcome::Passed;
        self.record(top, CheckKind::Trust, trust);
        self.check_extensions();
        self.check_strength();
        self.check_names();
        self.check_leaf_key();
        self.check_status();
        self.check_signatures_and_dates();
        self.check_name_constraints();
        self.check_policies();
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
            if depth == 0 && self.is_strict(0, nodes.len()) {
                let outcome = strict::leaf_ca_is_proper(node).map_err(Reason::Strict);
                self.record(0, CheckKind::Strict, outcome.into());
            }
            if nodes.len() > 1 {
                self.check(depth, nodes.len(), CheckKind::CurveParameters, || {
                    strength::curve(certificate)
                });
                self.check_strict(depth, nodes.len(), node);
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
            if depth > 0 && !node.is_self_issued() {
                cas_below = cas_below.saturating_add(1);
            }
        }
        self.nodes = nodes;
    }

    fn is_strict(&self, depth: usize, length: usize) -> bool {
        self.parameters.strict && self.applies(depth, length, CheckKind::Strict)
    }

    fn check_strict(&mut self, depth: usize, length: usize, node: &Node<'_>) {
        if !self.is_strict(depth, length) {
            return;
        }
        let has_issuer = depth.checked_add(1) != Some(length);
        let before = self.checks.len();
        for rule in strict::broken_rules(node, has_issuer) {
            self.fail(depth, CheckKind::Strict, Reason::Strict(rule));
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
            self.fail(depth, CheckKind::WebPki, Reason::WebPki(rule));
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
            let certificate = &node.certificate;
            // The leaf's key has been looked at before the chain was built.
            if depth > 0 {
                self.check(depth, nodes.len(), CheckKind::KeyStrength, || {
                    strength::issuer_key(certificate, required)
                });
            }
            // A lone certificate is its own last one.
            if nodes.len() > 1 {
                self.check(depth, nodes.len(), CheckKind::SignatureStrength, || {
                    strength::signature(certificate, required)
                });
            }
        }
        self.nodes = nodes;
    }

    /// Each kind of name that is expected, in OpenSSL's order.
    fn check_names(&mut self) {
        let parameters = self.parameters;
        if parameters.names.is_empty() {
            return self.skip(0, CheckKind::HostName, Skip::NotRequested);
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
            matched_name = host::matching_host(leaf, expected, parameters);
            matched_name.is_some()
        });
        self.matched_name = matched_name.map(|name| name.into_owned().into_boxed_str());
        let emails = parameters.names.iter().filter_map(|name| match name {
            ExpectedName::Email(address) => Some(address.as_str()),
            _ => None,
        });
        let email = any(emails, |expected| {
            host::has_email(leaf, expected, parameters)
        });
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
            .is_some_and(|leaf| strength::is_readable(leaf.certificate.public_key()));
        let outcome = if readable {
            Outcome::Passed
        } else {
            Outcome::Failed(Reason::KeyUnreadable)
        };
        self.record(0, CheckKind::PublicKey, outcome);
    }

    /// From the top down to the leaf: who signed, and the dates.
    fn check_signatures_and_dates(&mut self) {
        let nodes = core::mem::take(&mut self.nodes);
        let top = nodes.len().saturating_sub(1);
        let anchors_itself = self.parameters.takes_partial_chains()
            || nodes.last().is_some_and(Node::is_self_signed);
        for (depth, node) in nodes.iter().enumerate().rev() {
            let issuer = depth
                .checked_add(1)
                .and_then(|above| Some((above, nodes.get(above)?)));
            match issuer {
                Some((above, issuer)) => self.check_signature(depth, node, above, issuer),
                None if anchors_itself => {
                    self.skip(top, CheckKind::Signature, Skip::SelfSigned);
                }
                None if depth == 0 => {
                    let outcome = Outcome::Failed(Reason::LeafSignatureUnverifiable);
                    self.record(0, CheckKind::Signature, outcome);
                }
                // The chain ends at a certificate whose issuer nobody knows: it only lends its key
                // to the one below.
                None => {
                    self.skip(top, CheckKind::NotBefore, Skip::Unanchored);
                    self.skip(top, CheckKind::NotAfter, Skip::Unanchored);
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
        if self.out_of_patience(depth) {
            return self.fail(depth, CheckKind::Signature, Reason::BudgetExhausted);
        }
        let known = self.signatures.known(node, issuer).map(Ok);
        let result = known.unwrap_or_else(|| {
            self.signatures
                .verify(node, issuer, (self.store, self.meter))
        });
        let Ok(result) = result else {
            return self.fail(depth, CheckKind::Signature, Reason::BudgetExhausted);
        };
        match result {
            Ok(()) => self.record(depth, CheckKind::Signature, Outcome::Passed),
            Err(SignatureFault::UnreadableKey) => {
                self.fail(above, CheckKind::Signature, Reason::IssuerKeyUnreadable);
            }
            Err(fault) => {
                self.fail(depth, CheckKind::Signature, Reason::BadSignature(fault));
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
        let profile = self.parameters.profile;
        let limits = nodes.iter().enumerate().filter_map(|(depth, node)| {
            let constraints = node.certificate.extensions().name_constraints()?;
            let extent = constraints::subtrees_of(&node.certificate, &constraints);
            Some((depth, constraints, extent))
        });
        let limits: Vec<_> = limits.collect();
        for (depth, node) in nodes.iter().enumerate().rev() {
            // RFC 5280 §6.1.3 (b): not for self-issued certificates unless it is the leaf.
            if depth > 0 && node.is_self_issued() {
                continue;
            }
            let mut names = None;
            for (_, constraints, extent) in limits.iter().rev().filter(|limit| limit.0 > depth) {
                let names = *names.get_or_insert_with(|| constraints::names_of(&node.certificate));
                let result = match self.meter.comparisons(names, *extent) {
                    Ok(()) => {
                        constraints::check(&node.certificate, constraints, depth == 0, profile)
                    }
                    Err(Exhausted) => Err(ConstraintFailure::TooMany),
                };
                self.record(
                    depth,
                    CheckKind::NameConstraints,
                    result.map_err(Reason::NameConstraint).into(),
                );
            }
        }
        if self.checks.len() == before {
            self.skip(0, CheckKind::NameConstraints, Skip::NothingToCheck);
        }
        self.nodes = nodes;
    }

    /// RFC 5280 §6.1 has policies processed always; OpenSSL only if asked to.
    fn check_policies(&mut self) {
        let default = PolicyRequirements::default();
        let requirements = match (&self.parameters.policies, self.parameters.profile) {
            (Some(requirements), _) => requirements,
            (None, Profile::WebPki) => &default,
            (None, Profile::OpenSsl) => {
                return self.skip(0, CheckKind::Policies, Skip::NotRequested);
            }
        };
        match policy::check(&self.nodes, requirements) {
            Ok(()) => self.record(0, CheckKind::Policies, Outcome::Passed),
            Err((depth, failure)) => {
                self.fail(depth, CheckKind::Policies, Reason::Policy(failure));
            }
        }
    }

    pub(super) fn out_of_patience(&self, depth: usize) -> bool {
        self.has_failed && depth >= PATIENCE
    }

    pub(super) fn applies(&self, depth: usize, length: usize, kind: CheckKind) -> bool {
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
            match make() {
                Ok(()) => self.record(depth, kind, Outcome::Passed),
                Err(reason) => self.fail(depth, kind, reason),
            }
        }
    }

    pub(super) fn skip(&mut self, depth: usize, kind: CheckKind, why: Skip) {
        self.record(depth, kind, Outcome::Skipped(why));
    }

    #[cold]
    pub(super) fn fail(&mut self, depth: usize, kind: CheckKind, reason: Reason) {
        self.record(depth, kind, Outcome::Failed(reason));
    }

    pub(super) fn record(&mut self, depth: usize, kind: CheckKind, outcome: Outcome) {
        self.has_failed |= matches!(outcome, Outcome::Failed(_));
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
