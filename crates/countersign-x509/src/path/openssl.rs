//! OpenSSL's chain building, trusted first, without its alternative chains: with trusted-first
//! on, as it is by default, those are never tried.

use core::iter;
use std::rc::Rc;

use pki_types::CertificateDer;

use super::{Node, Path, Source, fits, key_identifier_fits, may_have_issued, why_untrusted};
use crate::certificate::Certificate;
use crate::checks::{strength, usage, validity};
use crate::meter::{Exhausted, Meter};
use crate::not_chosen::{DeadEnds, Obstacle};
use crate::parameters::{Parameters, Profile};
use crate::reason::Reason;
use crate::report::{CheckKind, Outcome};
use crate::store::Set;

/// Builds the chain of `leaf`. The order in which the peer sent its certificates does not matter,
/// and those not needed are ignored.
pub(crate) fn build<'a>(
    leaf: &Rc<Certificate<'a>>,
    presented: &'a [CertificateDer<'_>],
    store: &'a Set,
    parameters: &Parameters,
    meter: &Meter,
) -> Path<'a> {
    let others = presented
        .iter()
        .enumerate()
        .skip(1)
        .filter_map(|(index, der)| Some((index, Rc::new(Certificate::parse(der).ok()?))));
    let pool = iter::once((0, Rc::clone(leaf))).chain(others).collect();
    // Room for the leaf, two intermediates and the anchor.
    let mut nodes = Vec::with_capacity(4);
    nodes.push(Node::new(Rc::clone(leaf), Source::Presented(0)));
    // Neither leaf nor anchor counts for the limit.
    let limit = usize::try_from(parameters.depth_limit()).unwrap_or(usize::MAX);
    Builder {
        store,
        parameters,
        meter,
        exhausted: false,
        pool,
        nodes,
        maximum: limit.saturating_add(1),
        had_choice: false,
    }
    .build()
}

struct Builder<'a, 'p> {
    store: &'a Set,
    parameters: &'p Parameters,
    meter: &'p Meter,
    /// The budget was not enough.
    exhausted: bool,
    /// What the peer sent and is not on the path yet. The leaf is in it, as in OpenSSL.
    pool: Vec<(usize, Rc<Certificate<'a>>)>,
    nodes: Vec<Node<'a>>,
    /// A path with more certificates than this, and no anchor, is too long.
    maximum: usize,
    /// The store had several certificates with the name of an issuer.
    had_choice: bool,
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
            let why = if self.exhausted {
                Reason::BudgetExhausted
            } else {
                why_untrusted(&self.nodes)
            };
            (length, Outcome::Failed(why))
        };
        // On the usual path nothing was passed over: the leaf alone is left of what the peer sent.
        let nothing_else = trusted && !self.had_choice && self.pool.len() <= 1;
        let not_chosen = if nothing_else || self.exhausted {
            DeadEnds::default()
        } else {
            self.passed_over()
        };
        Path {
            nodes: self.nodes,
            length,
            trust,
            not_chosen,
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
            let (top_self_signed, top) = (top.is_self_signed(), Rc::clone(&top.certificate));
            let stored = self.stored_issuer(&top);
            // A self-signed certificate with the name of an anchor but not equal to it is an
            // impostor, and nobody else can have issued it.
            let stored =
                stored.filter(|issuer| !top_self_signed || issuer.certificate.der() == top.der());
            if let Some(issuer) = stored {
                // From here on only the store is asked: what the peer sent cannot lend trust to
                // a certificate of the store.
                only_store = true;
                if top_self_signed {
                    self.nodes.pop();
                }
                let is_anchor = issuer.is_self_signed() || self.parameters.takes_partial_chains();
                self.nodes.push(issuer);
                if is_anchor {
                    return true;
                }
                continue;
            }
            if only_store || top_self_signed {
                return false;
            }
            match self.take_presented_issuer() {
                Ok(Some(issuer)) => self.nodes.push(issuer),
                Ok(None) => return false,
                Err(Exhausted) => {
                    self.exhausted = true;
                    return false;
                }
            }
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
        let Some(stored) =
            same_name.find(|stored| stored.certificate.der() == leaf.certificate.der())
        else {
            return false;
        };
        leaf.source = stored.source;
        true
    }

    fn stored_issuer(&mut self, subject: &Certificate<'a>) -> Option<Node<'a>> {
        let mut candidates = self.store.with_subject(subject.issuer());
        let mut seen: usize = 0;
        let mut best: Option<Node<'a>> = None;
        for candidate in candidates.by_ref() {
            seen = seen.saturating_add(1);
            let before = best.as_ref().map(|node| &*node.certificate);
            if may_have_issued(&candidate.certificate, subject)
                && self.is_better(&candidate.certificate, before)
            {
                let is_current = self.is_current(&candidate.certificate);
                best = Some(candidate);
                // No other is better.
                if is_current {
                    break;
                }
            }
        }
        self.had_choice |= seen > 1 || candidates.next().is_some();
        best
    }

    /// The best issuer of the top among what the peer sent; it is not offered again.
    fn take_presented_issuer(&mut self) -> Result<Option<Node<'a>>, Exhausted> {
        let Some(top) = self.nodes.last() else {
            return Ok(None);
        };
        let mut best: Option<(usize, &Certificate<'a>)> = None;
        // All are looked at, and paid for: `passed_over` will look at them once more.
        for (place, (_, candidate)) in self.pool.iter().enumerate() {
            let before = best.map(|(_, certificate)| certificate);
            if self.may_follow(top, candidate)? && self.is_better(candidate, before) {
                best = Some((place, candidate));
            }
        }
        let Some((place, _)) = best else {
            return Ok(None);
        };
        let (index, issuer) = self.pool.remove(place);
        Ok(Some(Node::new(issuer, Source::Presented(index))))
    }

    /// Can this one of the certificates that the peer sent be the issuer of the top?
    fn may_follow(
        &self,
        top: &Node<'a>,
        candidate: &Rc<Certificate<'a>>,
    ) -> Result<bool, Exhausted> {
        let (subject, wanted) = (candidate.subject(), top.certificate.issuer());
        self.meter.names(&subject, &wanted)?;
        // The leaf is offered too, and knows the answer.
        let is_named = if Rc::ptr_eq(candidate, &top.certificate) {
            top.is_self_issued()
        } else {
            subject == wanted
        };
        if !is_named {
            return Ok(false);
        }
        self.meter.step()?;
        let leaf_may_repeat = top.is_self_issued() && self.nodes.len() == 1;
        let is_on_path = || {
            let mut path = self.nodes.iter();
            path.any(|node| node.certificate.der() == candidate.der())
        };
        Ok(fits(candidate, &top.certificate) && (leaf_may_repeat || !is_on_path()))
    }

    /// Is the certificate a better issuer than the one found before it? The best is the first that is within its
    /// dates, else the one that expires last.
    fn is_better(&self, candidate: &Certificate<'_>, before: Option<&Certificate<'_>>) -> bool {
        let Some(before) = before else {
            return true;
        };
        !self.is_current(before)
            && (self.is_current(candidate) || candidate.not_after() > before.not_after())
    }

    fn is_current(&self, certificate: &Certificate<'_>) -> bool {
        validity::is_current(certificate, self.parameters.time, Profile::OpenSsl)
    }

    /// Certificates with the name of an issuer that were not taken: those of the store, and what is
    /// left of what the peer sent.
    fn passed_over(&self) -> DeadEnds {
        let mut dead_ends = DeadEnds::default();
        for (below, subject) in self.nodes.iter().enumerate() {
            let is_top = below.checked_add(1) == Some(self.nodes.len());
            if is_top && subject.is_stored() && self.is_anchor(subject) {
                continue;
            }
            let stored = self.store.with_subject(subject.certificate.issuer());
            let stored = stored.map(|issuer| (issuer.source, issuer.certificate));
            let named = |issuer: &Certificate<'_>| issuer.subject() == subject.certificate.issuer();
            let sent = self.pool.iter().filter(|(_, issuer)| named(issuer));
            let sent = sent.map(|(index, issuer)| (Source::Presented(*index), Rc::clone(issuer)));
            for (source, issuer) in stored.chain(sent) {
                if self.is_issuer_on_path(below, &issuer) {
                    continue;
                }
                let path = self.nodes.iter().map(|node| node.source);
                let path = path.take(below.saturating_add(1)).chain([source]);
                let obstacle = self.why_passed_over(below, subject, &issuer);
                dead_ends.note(path, below.saturating_add(1), obstacle);
            }
        }
        dead_ends
    }

    fn is_anchor(&self, node: &Node<'_>) -> bool {
        node.is_self_signed() || self.parameters.takes_partial_chains()
    }

    /// Is the certificate the one above `below`, or that one itself?
    fn is_issuer_on_path(&self, below: usize, issuer: &Certificate<'_>) -> bool {
        let mut nodes = self.nodes.iter().skip(below).take(2);
        nodes.any(|node| node.certificate.der() == issuer.der())
    }

    fn why_passed_over(
        &self,
        below: usize,
        subject: &Node<'a>,
        issuer: &Certificate<'a>,
    ) -> Obstacle {
        let time = self.parameters.time;
        let mut before = self.nodes.iter().take(below);
        let can_sign = strength::is_readable(issuer.public_key())
            && issuer.public_key().can_make(
                &subject
                    .certificate
                    .inner_signature_algorithm()
                    .signature_algorithm(),
            );
        if before.any(|node| node.certificate.der() == issuer.der()) {
            Obstacle::Circle
        } else if subject.is_self_signed() {
            Obstacle::SelfSigned
        } else if !key_identifier_fits(issuer, &subject.certificate) {
            Obstacle::OtherKeyIdentifier
        } else if usage::contradicts_itself(issuer) || subject.is_invalid() {
            Obstacle::Contradictory
        } else if !can_sign {
            Obstacle::KeyCannotSign
        } else if let Outcome::Failed(reason) = validity::not_before(issuer, time) {
            Obstacle::Check(CheckKind::NotBefore, reason)
        } else if let Outcome::Failed(reason) = validity::not_after(issuer, time, Profile::OpenSsl)
        {
            Obstacle::Check(CheckKind::NotAfter, reason)
        } else {
            Obstacle::NotPreferred
        }
    }
}
