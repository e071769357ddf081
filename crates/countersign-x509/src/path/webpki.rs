//! The search of [`Profile::WebPki`](crate::Profile::WebPki): every chain to any certificate of the
//! trust store is tried, depth first, anchors before what the peer sent.
//!
//! What a single pair of certificates can tell, the signature above all, is looked at while
//! searching; what takes the whole chain, when it is complete. Everything is counted against the
//! budget.

use pki_types::CertificateDer;

use super::{Node, Source};
use crate::certificate::Certificate;
use crate::checks::signature::{SignatureFault, verify_certificate_signature};
use crate::checks::{usage, validity};
use crate::meter::{Exhausted, Meter};
use crate::not_chosen::{DeadEnds, Obstacle};
use crate::parameters::{Parameters, Profile};
use crate::reason::Reason;
use crate::report::{CheckKind, Outcome};
use crate::signature_memory::{SignatureMemory, SignedPair};
use crate::store::Set;

/// A search that can be asked for one complete chain after the other.
pub(crate) struct Search<'a, 'p> {
    store: &'a Set,
    parameters: &'p Parameters,
    presented: Vec<Node<'a>>,
    signatures: Signatures,
    meter: &'p Meter,
    dead_ends: DeadEnds,
}

/// A way on that is still to be tried.
struct Branch<'a> {
    /// How many certificates there are below on its path.
    depth: usize,
    issuer: Node<'a>,
}

/// Signatures verified already: certificate, issuer, result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signatures {
    known: Vec<(Source, Source, Result<(), SignatureFault>)>,
    memory: Option<SignatureMemory>,
    /// Those right by the memory or to be remembered there.
    right: Vec<(Source, Source, SignedPair)>,
}

impl Signatures {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        // As many as there are on a usual path, if there is a search that notes them.
        let usual = match parameters.profile {
            Profile::WebPki => 2,
            Profile::OpenSsl => 0,
        };
        Self {
            known: Vec::with_capacity(usual),
            memory: parameters.signature_memory.clone(),
            right: Vec::new(),
        }
    }

    /// Verifies a signature, or finds in the memory that this was done before.
    pub(crate) fn verify(
        &mut self,
        node: &Node<'_>,
        issuer: &Node<'_>,
        (store, meter): (&Set, &Meter),
    ) -> Result<Result<(), SignatureFault>, Exhausted> {
        let verify = || {
            let key = issuer.certificate.public_key();
            meter.signature(key, node.certificate.der())?;
            let ready = match issuer.source {
                Source::Stored(position) => store.key(position),
                Source::Presented(_) => None,
            };
            Ok(match ready {
                Some(ready) => ready.verify(&node.certificate, key),
                None => verify_certificate_signature(&node.certificate, key),
            })
        };
        let Some(memory) = &self.memory else {
            return verify();
        };
        let pair = SignedPair::new(&node.certificate, &issuer.certificate);
        if !memory.knows(&pair)
            && let Err(fault) = verify()?
        {
            return Ok(Err(fault));
        }
        self.right.push((node.source, issuer.source, pair));
        Ok(Ok(()))
    }

    /// Puts the signatures of a path that was accepted into the memory.
    pub(crate) fn remember(&self, path: &[Node<'_>]) {
        let Some(memory) = &self.memory else {
            return;
        };
        for (node, issuer) in path.iter().zip(path.iter().skip(1)) {
            let pair = (node.source, issuer.source);
            let mut right = self.right.iter();
            if let Some((_, _, right)) = right.find(|(node, issuer, _)| (*node, *issuer) == pair) {
                memory.remember(*right);
            }
        }
    }

    /// Notes the result of a verification.
    pub(crate) fn note(
        &mut self,
        subject: Source,
        issuer: Source,
        result: Result<(), SignatureFault>,
    ) {
        self.known.push((subject, issuer, result));
    }

    /// The result of an earlier verification.
    pub(crate) fn known(
        &self,
        node: &Node<'_>,
        issuer: &Node<'_>,
    ) -> Option<Result<(), SignatureFault>> {
        let pair = (node.source, issuer.source);
        let mut known = self.known.iter();
        known
            .find(|(node, issuer, _)| (*node, *issuer) == pair)
            .map(|(_, _, result)| *result)
    }
}

impl<'a, 'p> Search<'a, 'p> {
    pub(crate) fn new(
        presented: &'a [CertificateDer<'_>],
        store: &'a Set,
        parameters: &'p Parameters,
        meter: &'p Meter,
        signatures: Signatures,
    ) -> Self {
        let presented = presented
            .iter()
            .enumerate()
            .skip(1)
            .filter_map(|(index, der)| {
                let certificate = Certificate::parse(der).ok()?;
                Some(Node::new(certificate, Source::Presented(index)))
            })
            .collect();
        Self {
            store,
            parameters,
            presented,
            signatures,
            meter,
            dead_ends: DeadEnds::default(),
        }
    }

    /// The signatures that were verified on the way, and the paths that led nowhere.
    pub(crate) fn into_findings(self) -> (Signatures, DeadEnds) {
        (self.signatures, self.dead_ends)
    }

    /// Goes over all complete chains from `leaf` until `accept` takes one, and may keep it. Of the others it
    /// notes where they broke, and leaves them as they are.
    ///
    /// The stack of open branches replaces recursion: what a peer sends must not decide how deep
    /// this goes.
    pub(crate) fn run(
        &mut self,
        leaf: Node<'a>,
        mut accept: impl FnMut(&mut Vec<Node<'a>>, &mut Signatures, &mut DeadEnds) -> bool,
    ) -> Result<bool, Exhausted> {
        let mut path = Vec::with_capacity(4);
        let mut open = Vec::with_capacity(4);
        let mut has_tried = false;
        self.open_branches(&path, &leaf, &mut open)?;
        path.push(leaf);
        while let Some(Branch { depth, issuer }) = open.pop() {
            path.truncate(depth);
            self.meter.step()?;
            if let Some((depth, obstacle)) = self.obstacle(&path, &issuer)? {
                self.give_up(&path, &issuer, depth, obstacle);
                continue;
            }
            let is_complete = issuer.is_stored();
            if !is_complete {
                self.open_branches(&path, &issuer, &mut open)?;
            }
            path.push(issuer);
            if !is_complete {
                continue;
            }
            // One complete chain may be checked, however long it is.
            if has_tried {
                let octets = path.iter().map(|node| node.certificate.der().len());
                self.meter.chain(octets.sum())?;
            }
            has_tried = true;
            if accept(&mut path, &mut self.signatures, &mut self.dead_ends) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn give_up(&mut self, path: &[Node<'a>], issuer: &Node<'a>, depth: usize, why: Obstacle) {
        let path = path.iter().chain([issuer]).map(|node| node.source);
        self.dead_ends.note(path, depth, why);
    }

    /// Opens the branches above `top`, which is about to be put on the path. Where there are none, the
    /// path ends there.
    ///
    /// The issuer to try first comes last. Key identifiers only give the order: they are hints
    /// (RFC 5280 §4.2.1.1), not proof.
    fn open_branches(
        &mut self,
        path: &[Node<'a>],
        top: &Node<'a>,
        open: &mut Vec<Branch<'a>>,
    ) -> Result<(), Exhausted> {
        let before = open.len();
        let depth = path.len().saturating_add(1);
        let wanted = top.certificate.issuer();
        let branch = |issuer| Branch { depth, issuer };
        open.extend(self.store.with_subject(wanted).map(branch));
        for issuer in &self.presented {
            let subject = issuer.certificate.subject();
            self.meter.names(&subject, &wanted)?;
            let is_named = if issuer.source == top.source {
                top.is_self_issued()
            } else {
                subject == wanted
            };
            if is_named {
                open.push(branch(issuer.clone()));
            }
        }
        if open.len() == before {
            let missing = Obstacle::Check(CheckKind::Trust, Reason::IssuerMissing);
            self.give_up(path, top, path.len(), missing);
        }
        // Of those equally good, the first one found is tried first: sorting leaves them as they are.
        let opened = open.get_mut(before..).unwrap_or_default();
        opened.reverse();
        opened.sort_by_key(|Branch { issuer, .. }| {
            let fits = super::key_identifier_fits(&issuer.certificate, &top.certificate);
            (issuer.is_stored(), fits)
        });
        Ok(())
    }

    /// Why the path with this issuer on top is not worth following, and at which certificate. The
    /// issuer may appear once only, must be allowed to issue and, if the peer sent it, be within its
    /// dates; and it must have signed.
    fn obstacle(
        &mut self,
        path: &[Node<'a>],
        issuer: &Node<'a>,
    ) -> Result<Option<(usize, Obstacle)>, Exhausted> {
        let Some(top) = path.last() else {
            return Ok(None);
        };
        let certificate = &issuer.certificate;
        let repeated = path.iter().any(|node| {
            node.certificate.public_key().der() == certificate.public_key().der()
                && node.certificate.subject() == certificate.subject()
        });
        if repeated {
            return Ok(Some((path.len(), Obstacle::Circle)));
        }
        // RFC 5280 §6.1.4 (l): those issued to themselves do not count.
        let counts = |node: &&Node<'_>| !node.is_self_issued() && !node.is_stored();
        let intermediates = path.iter().skip(1).chain([issuer]).filter(counts).count();
        let limit = self.parameters.depth_limit();
        if intermediates > usize::try_from(limit).unwrap_or(usize::MAX) {
            let too_long = Reason::ChainTooLong { limit };
            let obstacle = Obstacle::Check(CheckKind::ChainLength, too_long);
            return Ok(Some((path.len(), obstacle)));
        }
        if let Some(unfit) = self.why_unfit(issuer) {
            return Ok(Some((path.len(), unfit)));
        }
        let signed = self.has_signed(top, issuer)?;
        let below = path.len().saturating_sub(1);
        Ok(signed.err().map(|fault| {
            let bad = Reason::BadSignature(fault);
            (below, Obstacle::Check(CheckKind::Signature, bad))
        }))
    }

    /// What the issuer alone can tell, if the peer sent it.
    fn why_unfit(&self, issuer: &Node<'a>) -> Option<Obstacle> {
        if issuer.is_stored() {
            return None;
        }
        let (certificate, time) = (&issuer.certificate, self.parameters.time);
        let failure = |kind, outcome| match outcome {
            Outcome::Failed(reason) => Some(Obstacle::Check(kind, reason)),
            Outcome::Passed | Outcome::Skipped(_) => None,
        };
        let begun = validity::not_before(certificate, time);
        let ended = || validity::not_after(certificate, time, Profile::WebPki);
        let ca = || usage::is_ca(issuer, false, true).into();
        let extensions = || usage::critical_extensions(certificate).into();
        failure(CheckKind::NotBefore, begun)
            .or_else(|| failure(CheckKind::NotAfter, ended()))
            .or_else(|| failure(CheckKind::BasicConstraints, ca()))
            .or_else(|| failure(CheckKind::CriticalExtensions, extensions()))
    }

    fn has_signed(
        &mut self,
        node: &Node<'a>,
        issuer: &Node<'a>,
    ) -> Result<Result<(), SignatureFault>, Exhausted> {
        if let Some(known) = self.signatures.known(node, issuer) {
            return Ok(known);
        }
        let result = self
            .signatures
            .verify(node, issuer, (self.store, self.meter))?;
        self.signatures.note(node.source, issuer.source, result);
        Ok(result)
    }
}
