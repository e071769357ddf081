//! The search of [`Profile::WebPki`](crate::Profile::WebPki): every chain to any certificate of the
//! trust store is tried, depth first, anchors before what the peer sent.
//!
//! What a single pair of certificates can tell, the signature above all, is looked at while
//! searching; what takes the whole chain, when it is complete. Everything is counted against the
//! budget.

use std::rc::Rc;

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
    presented: Vec<(usize, Rc<Certificate<'a>>)>,
    pub(crate) signatures: Signatures,
    meter: &'p Meter,
    dead_ends: DeadEnds,
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
        Self {
            known: Vec::new(),
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
            meter.signature(&key, node.certificate.der())?;
            let ready = match issuer.source {
                Source::Stored(position) => store.key(position),
                Source::Presented(_) => None,
            };
            Ok(match ready {
                Some(ready) => ready.verify(&node.certificate, &key),
                None => verify_certificate_signature(&node.certificate, &key),
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
    ) -> Self {
        let presented = presented
            .iter()
            .enumerate()
            .skip(1)
            .filter_map(|(index, der)| Some((index, Rc::new(Certificate::parse(der).ok()?))))
            .collect();
        Self {
            store,
            parameters,
            presented,
            signatures: Signatures::new(parameters),
            meter,
            dead_ends: DeadEnds::default(),
        }
    }

    /// The signatures that were verified on the way, and the paths that led nowhere.
    pub(crate) fn into_findings(self) -> (Signatures, DeadEnds) {
        (self.signatures, self.dead_ends)
    }

    /// Goes over all complete chains from `leaf` until `accept` takes one. It returns where the others
    /// broke by noting them.
    ///
    /// The stack of open branches replaces recursion: what a peer sends must not decide how deep
    /// this goes.
    pub(crate) fn run(
        &mut self,
        leaf: Node<'a>,
        mut accept: impl FnMut(&[Node<'a>], &mut Signatures, &mut DeadEnds) -> bool,
    ) -> Result<bool, Exhausted> {
        let mut path = Vec::with_capacity(4);
        let mut open = Vec::with_capacity(4);
        let mut has_tried = false;
        open.push(self.issuers_above(&path, &leaf)?);
        path.push(leaf);
        while let Some(branches) = open.last_mut() {
            let Some(issuer) = branches.pop() else {
                open.pop();
                path.pop();
                continue;
            };
            self.meter.step()?;
            if let Some((depth, obstacle)) = self.obstacle(&path, &issuer)? {
                self.give_up(&path, &issuer, depth, obstacle);
                continue;
            }
            if issuer.is_stored() {
                path.push(issuer);
                // One complete chain may be checked, however long it is.
                if has_tried {
                    let octets = path.iter().map(|node| node.certificate.der().len());
                    self.meter.chain(octets.sum())?;
                }
                has_tried = true;
                if accept(&path, &mut self.signatures, &mut self.dead_ends) {
                    return Ok(true);
                }
                path.pop();
                continue;
            }
            open.push(self.issuers_above(&path, &issuer)?);
            path.push(issuer);
        }
        Ok(false)
    }

    fn give_up(&mut self, path: &[Node<'a>], issuer: &Node<'a>, depth: usize, why: Obstacle) {
        let path = path.iter().chain([issuer]).map(|node| node.source);
        self.dead_ends.note(path, depth, why);
    }

    /// The branches above `top`, which is about to be put on the path. Where there are none, the path
    /// ends there.
    fn issuers_above(
        &mut self,
        path: &[Node<'a>],
        top: &Node<'a>,
    ) -> Result<Vec<Node<'a>>, Exhausted> {
        let issuers = self.issuers_of(&top.certificate)?;
        if issuers.is_empty() {
            let missing = Obstacle::Check(CheckKind::Trust, Reason::IssuerMissing);
            self.give_up(path, top, path.len(), missing);
        }
        Ok(issuers)
    }

    /// Possible issuers, the one to try first last. Key identifiers only give the order: they are
    /// hints (RFC 5280 §4.2.1.1), not proof.
    fn issuers_of(&self, subject: &Certificate<'a>) -> Result<Vec<Node<'a>>, Exhausted> {
        let wanted = subject.issuer();
        let stored = self.store.with_subject(wanted);
        let stored = stored.map(|(position, issuer)| Node::new(issuer, Source::Stored(position)));
        let mut issuers: Vec<_> = stored.collect();
        for (index, issuer) in &self.presented {
            if self.meter.same_name(&issuer.subject(), &wanted)? {
                issuers.push(Node::new(Rc::clone(issuer), Source::Presented(*index)));
            }
        }
        // Of those equally good, the first one found is tried first: sorting leaves them as they are.
        issuers.reverse();
        issuers.sort_by_key(|issuer| {
            let fits = super::key_identifier_fits(&issuer.certificate, subject);
            (issuer.is_stored(), fits)
        });
        Ok(issuers)
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
        let counts = |node: &&Node<'_>| !node.self_issued && !node.is_stored();
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
