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
use crate::checks::{constraints, usage, validity};
use crate::parameters::{Budget, Parameters, Profile};
use crate::signature_memory::{SignatureMemory, SignedPair};
use crate::store::Set;

/// A search that can be asked for one complete chain after the other.
pub(crate) struct Search<'a, 'p> {
    store: &'a Set,
    parameters: &'p Parameters,
    presented: Vec<(usize, Certificate<'a>)>,
    signatures: Signatures,
    steps_left: u32,
    comparisons_left: usize,
}

/// The search ended at a limit of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// Signatures verified already: certificate, issuer, result.
#[derive(Clone, Debug)]
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
        store: &Set,
    ) -> Result<(), SignatureFault> {
        let verify = || {
            let key = issuer.certificate.public_key();
            let ready = match issuer.source {
                Source::Stored(position) => store.key(position),
                Source::Presented(_) => None,
            };
            match ready {
                Some(ready) => ready.verify(&node.certificate, &key),
                None => verify_certificate_signature(&node.certificate, &key),
            }
        };
        let Some(memory) = &self.memory else {
            return verify();
        };
        let pair = SignedPair::new(&node.certificate, &issuer.certificate);
        if !memory.knows(&pair) {
            verify()?;
        }
        self.right.push((node.source, issuer.source, pair));
        Ok(())
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
    ) -> Self {
        let Budget {
            steps,
            name_constraint_comparisons,
            ..
        } = parameters.budget;
        let presented = presented
            .iter()
            .enumerate()
            .skip(1)
            .filter_map(|(index, der)| Some((index, Certificate::parse(der).ok()?)))
            .collect();
        Self {
            store,
            parameters,
            presented,
            signatures: Signatures::new(parameters),
            steps_left: steps,
            comparisons_left: usize::try_from(name_constraint_comparisons).unwrap_or(usize::MAX),
        }
    }

    /// The signatures that were verified on the way.
    pub(crate) fn into_signatures(self) -> Signatures {
        self.signatures
    }

    /// Goes over all complete chains from `leaf` until `accept` takes one.
    ///
    /// The stack of open branches replaces recursion: what a peer sends must not decide how deep
    /// this goes.
    pub(crate) fn run(
        &mut self,
        leaf: Node<'a>,
        mut accept: impl FnMut(&[Node<'a>], &Signatures) -> bool,
    ) -> Result<bool, Exhausted> {
        let first = self.issuers_of(&leaf.certificate);
        let mut path = vec![leaf];
        let mut open = vec![first];
        while let Some(branches) = open.last_mut() {
            let Some(issuer) = branches.pop() else {
                open.pop();
                path.pop();
                continue;
            };
            self.steps_left = self.steps_left.checked_sub(1).ok_or(Exhausted)?;
            if !self.leads_on(&path, &issuer)? {
                continue;
            }
            let is_anchor = issuer.is_stored();
            path.push(issuer);
            if is_anchor {
                self.charge_name_constraints(&path)?;
                if accept(&path, &self.signatures) {
                    return Ok(true);
                }
                path.pop();
                continue;
            }
            let next = path.last().map(|top| self.issuers_of(&top.certificate));
            open.push(next.unwrap_or_default());
        }
        Ok(false)
    }

    /// Possible issuers, the one to try first last. Key identifiers only give the order: they are
    /// hints (RFC 5280 §4.2.1.1), not proof.
    fn issuers_of(&self, subject: &Certificate<'a>) -> Vec<Node<'a>> {
        let sent = self
            .presented
            .iter()
            .filter(|(_, other)| other.subject() == subject.issuer());
        let sent = sent.map(|(index, issuer)| Node::new(issuer, Source::Presented(*index)));
        let stored = self.store.with_subject(subject.issuer());
        let stored = stored.map(|(position, issuer)| Node::new(&issuer, Source::Stored(position)));
        let mut issuers: Vec<_> = stored.chain(sent).collect();
        issuers.sort_by_key(|issuer| {
            let fits = super::key_identifier_fits(&issuer.certificate, subject);
            (issuer.is_stored(), fits)
        });
        // Of those equally good, the first one found is tried first.
        issuers
    }

    /// Is the path with this issuer on top worth following? The issuer may appear once only, must
    /// be allowed to issue and, if the peer sent it, be within its dates; and it must have signed.
    fn leads_on(&mut self, path: &[Node<'a>], issuer: &Node<'a>) -> Result<bool, Exhausted> {
        let Some(top) = path.last() else {
            return Ok(false);
        };
        let certificate = &issuer.certificate;
        let repeated = path.iter().any(|node| {
            node.certificate.subject() == certificate.subject()
                && node.certificate.public_key().der() == certificate.public_key().der()
        });
        // RFC 5280 §6.1.4 (l): those issued to themselves do not count.
        let counts = |node: &&Node<'_>| !node.self_issued && !node.is_stored();
        let intermediates = path.iter().skip(1).chain([issuer]).filter(counts).count();
        let limit = usize::try_from(self.parameters.depth_limit()).unwrap_or(usize::MAX);
        let too_long = intermediates > limit;
        let unfit = !issuer.is_stored()
            && (!validity::is_current(certificate, self.parameters.time, Profile::WebPki)
                || usage::is_ca(issuer, false, true).is_err()
                || usage::critical_extensions(certificate).is_err());
        if repeated || too_long || unfit {
            return Ok(false);
        }
        self.has_signed(top, issuer)
    }

    fn has_signed(&mut self, node: &Node<'a>, issuer: &Node<'a>) -> Result<bool, Exhausted> {
        if let Some(known) = self.signatures.known(node, issuer) {
            return Ok(known.is_ok());
        }
        let limit = usize::try_from(self.parameters.budget.signatures).unwrap_or(usize::MAX);
        if self.signatures.known.len() >= limit {
            return Err(Exhausted);
        }
        let result = self.signatures.verify(node, issuer, self.store);
        self.signatures
            .known
            .push((node.source, issuer.source, result));
        Ok(result.is_ok())
    }

    /// Takes from the budget what comparing the names of this path will cost.
    fn charge_name_constraints(&mut self, path: &[Node<'a>]) -> Result<(), Exhausted> {
        for (depth, node) in path.iter().enumerate() {
            for above in path.iter().skip(depth.saturating_add(1)) {
                let Some(limits) = above.certificate.extensions().name_constraints() else {
                    continue;
                };
                let cost = constraints::comparisons(&node.certificate, &limits);
                self.comparisons_left = self.comparisons_left.checked_sub(cost).ok_or(Exhausted)?;
            }
        }
        Ok(())
    }
}
