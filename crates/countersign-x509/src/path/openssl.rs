//! OpenSSL's chain building, trusted first, without its alternative chains: with trusted-first
//! on, as it is by default, those are never tried.

use core::borrow::Borrow;
use core::iter;

use pki_types::CertificateDer;

use super::{Node, Path, Source, may_have_issued, why_untrusted};
use crate::certificate::Certificate;
use crate::checks::validity;
use crate::parameters::{Parameters, Profile};
use crate::reason::Reason;
use crate::report::Outcome;
use crate::store::Set;

/// Builds the chain of `leaf`. The order in which the peer sent its certificates does not matter,
/// and those not needed are ignored.
pub(crate) fn build<'a>(
    leaf: &Certificate<'a>,
    presented: &'a [CertificateDer<'_>],
    store: &'a Set,
    parameters: &Parameters,
) -> Path<'a> {
    let others = presented
        .iter()
        .enumerate()
        .skip(1)
        .filter_map(|(index, der)| Some((index, Certificate::parse(der).ok()?)));
    let pool = iter::once((0, *leaf)).chain(others).collect();
    // Room for the leaf, two intermediates and the anchor.
    let mut nodes = Vec::with_capacity(4);
    nodes.push(Node::new(leaf, Source::Presented(0)));
    // Neither leaf nor anchor counts for the limit.
    let limit = usize::try_from(parameters.depth_limit()).unwrap_or(usize::MAX);
    Builder {
        store,
        parameters,
        pool,
        nodes,
        maximum: limit.saturating_add(1),
    }
    .build()
}

struct Builder<'a, 'p> {
    store: &'a Set,
    parameters: &'p Parameters,
    /// What the peer sent and is not on the path yet. The leaf is in it, as in OpenSSL.
    pool: Vec<(usize, Certificate<'a>)>,
    nodes: Vec<Node<'a>>,
    /// A path with more certificates than this, and no anchor, is too long.
    maximum: usize,
}

impl<'a> Builder<'a, '_> {
    fn build(mut self) -> Path<'a> {
        let trusted = self.extend_to_anchor() || self.leaf_is_stored();
        let (length, trust) = if trusted {
            (Outcome::Passed, Outcome::Passed)
        } else {
            let length = if self.is_too_long() {
                Outcome::Failed(Reason::ChainTooLong {
                    limit: self.parameters.depth_limit(),
                })
            } else {
                Outcome::Passed
            };
            (length, Outcome::Failed(why_untrusted(&self.nodes)))
        };
        Path {
            nodes: self.nodes,
            length,
            trust,
        }
    }

    /// Adds issuers until one is an anchor (true), or no issuer is found or allowed (false).
    /// Each round adds a certificate, and there is a limit to their number.
    fn extend_to_anchor(&mut self) -> bool {
        let mut only_store = false;
        while !self.is_too_long() {
            let Some(top) = self.nodes.last() else {
                return false;
            };
            let (top_self_signed, top_der) = (top.self_signed, top.certificate.der());
            let stored = self.stored_issuer(&top.certificate);
            // A self-signed certificate with the name of an anchor but not equal to it is an
            // impostor, and nobody else can have issued it.
            let stored =
                stored.filter(|issuer| !top_self_signed || issuer.certificate.der() == top_der);
            if let Some(issuer) = stored {
                // From here on only the store is asked: what the peer sent cannot lend trust to
                // a certificate of the store.
                only_store = true;
                if top_self_signed {
                    self.nodes.pop();
                }
                let is_anchor = issuer.self_signed || self.parameters.takes_partial_chains();
                self.nodes.push(issuer);
                if is_anchor {
                    return true;
                }
                continue;
            }
            if only_store || top_self_signed {
                return false;
            }
            let Some(issuer) = self.take_presented_issuer() else {
                return false;
            };
            self.nodes.push(issuer);
        }
        false
    }

    fn is_too_long(&self) -> bool {
        self.nodes.len() > self.maximum
    }

    /// `X509_V_FLAG_PARTIAL_CHAIN`: failing all else, the leaf itself may be in the store.
    fn leaf_is_stored(&mut self) -> bool {
        if !self.parameters.takes_partial_chains()
            || self.is_too_long()
            || self.nodes.iter().any(Node::is_stored)
        {
            return false;
        }
        let Some(leaf) = self.nodes.first_mut() else {
            return false;
        };
        let mut same_name = self.store.with_subject(leaf.certificate.subject());
        let Some((position, _)) =
            same_name.find(|(_, stored)| stored.der() == leaf.certificate.der())
        else {
            return false;
        };
        leaf.source = Source::Stored(position);
        true
    }

    fn stored_issuer(&self, subject: &Certificate<'a>) -> Option<Node<'a>> {
        let issuers = self
            .store
            .with_subject(subject.issuer())
            .filter(|(_, candidate)| may_have_issued(candidate, subject));
        let (position, issuer) = self.best(issuers)?;
        Some(Node::new(&issuer, Source::Stored(position)))
    }

    /// The best issuer of the top among what the peer sent; it is not offered again.
    fn take_presented_issuer(&mut self) -> Option<Node<'a>> {
        let top = self.nodes.last()?;
        let leaf_may_repeat = top.self_issued && self.nodes.len() == 1;
        let on_path = |candidate: &Certificate<'_>| {
            self.nodes
                .iter()
                .any(|node| node.certificate.der() == candidate.der())
        };
        let issuers = self
            .pool
            .iter()
            .enumerate()
            .filter_map(|(place, (_, candidate))| {
                let issued = may_have_issued(candidate, &top.certificate);
                (issued && (leaf_may_repeat || !on_path(candidate))).then_some((place, candidate))
            });
        let (place, _) = self.best(issuers)?;
        let (index, issuer) = self.pool.remove(place);
        Some(Node::new(&issuer, Source::Presented(index)))
    }

    /// The first candidate that is within its dates, else the one that expires last.
    fn best<C: Borrow<Certificate<'a>>>(
        &self,
        candidates: impl Iterator<Item = (usize, C)>,
    ) -> Option<(usize, C)> {
        let mut best: Option<(usize, C)> = None;
        for candidate in candidates {
            let certificate = candidate.1.borrow();
            if validity::is_current(certificate, self.parameters.time, Profile::OpenSsl) {
                return Some(candidate);
            }
            let expires_last = best
                .as_ref()
                .is_none_or(|(_, best)| certificate.not_after() > best.borrow().not_after());
            if expires_last {
                best = Some(candidate);
            }
        }
        best
    }
}
