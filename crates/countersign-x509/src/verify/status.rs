//! The status of the chain's certificates: revoked or not.

use super::{Errand, Verification};
use std::rc::Rc;

use crate::certificate::Certificate;
use crate::checks::ocsp;
use crate::checks::revocation::{self, Sources};
use crate::parameters::{Parameters, Purpose, Revocation, Stapling};
use crate::path::webpki::Signatures;
use crate::reason::{OcspFailure, Reason, Skip};
use crate::report::{CheckKind, Outcome};

/// Issuers of revocation lists outside the chain whose own chain is verified, for each chain. More
/// are not needed by anybody, and each costs as much as the chain.
const MAXIMUM_LIST_ISSUERS: usize = 4;

/// What is known about issuers of lists: certificate, and whether its chain is good.
type ListIssuers<'a> = Vec<(&'a [u8], bool)>;

impl<'a> Verification<'_, 'a> {
    /// From the leaf upwards: OCSP responses, and lists where they leave it open.
    pub(super) fn check_status(&mut self) {
        let length = self.nodes.len();
        let by_response = match self.parameters.stapling {
            Stapling::Ignored => 0,
            Stapling::Leaf => 1,
            Stapling::IfPresented | Stapling::Chain => length,
        };
        let by_list = match self.parameters.revocation {
            Revocation::None => 0,
            Revocation::Leaf => 1,
            Revocation::Chain => length,
        };
        if by_response == 0 {
            self.skip(0, CheckKind::Ocsp, Skip::NotRequested);
        }
        if by_list == 0 {
            self.skip(0, CheckKind::Revocation, Skip::NotRequested);
        }
        let mut list_issuers = Vec::new();
        for depth in 0..by_response.max(by_list).min(length) {
            let known = depth < by_response && self.check_responses(depth, depth < by_list);
            if depth < by_list {
                self.check_lists(depth, known, &mut list_issuers);
            }
        }
    }

    /// Why the status of this certificate does not matter, if it does not.
    fn why_exempt(&self, depth: usize, kind: CheckKind) -> Option<Skip> {
        let node = self.nodes.get(depth)?;
        if revocation::is_exempt(node) {
            Some(Skip::SelfSigned)
        } else if !self.applies(depth, self.nodes.len(), kind) {
            Some(Skip::NotInProfile)
        } else {
            None
        }
    }

    /// Returns whether a response has told the status, so that lists need not be asked.
    fn check_responses(&mut self, depth: usize, lists_follow: bool) -> bool {
        let kind = CheckKind::Ocsp;
        if let Some(why) = self.why_exempt(depth, kind) {
            self.skip(depth, kind, why);
            return false;
        }
        if self.out_of_patience(depth) {
            self.fail(depth, kind, Reason::BudgetExhausted);
            return false;
        }
        let result = ocsp::check(self.sources(), depth, self.presented.ocsp_responses);
        let Err(reason) = result else {
            self.record(depth, kind, Outcome::Passed);
            return true;
        };
        if matches!(reason, Reason::Revoked { .. }) {
            self.fail(depth, kind, reason);
            return true;
        }
        // RFC 7633 §4: the certificate says that its owner always has a response.
        let missing = reason == Reason::Ocsp(OcspFailure::NoResponse);
        let demanded = depth == 0 && self.demands_response();
        if demanded && missing {
            self.fail(depth, kind, Reason::Ocsp(OcspFailure::MustStaple));
        } else if demanded {
            self.fail(depth, kind, reason);
        } else if lists_follow {
            self.skip(depth, kind, Skip::LeftToLists);
        } else if self.may_do_without(depth, reason) {
            self.skip(depth, kind, Skip::NothingToCheck);
        } else {
            self.fail(depth, kind, reason);
        }
        false
    }

    /// Is no response needed, and none there? One that cannot be read is taken for one about the
    /// peer's own certificate.
    fn may_do_without(&self, depth: usize, reason: Reason) -> bool {
        self.parameters.stapling == Stapling::IfPresented
            && match reason {
                Reason::Ocsp(OcspFailure::NoResponse) => true,
                Reason::Ocsp(OcspFailure::Unusable) => depth > 0,
                _ => false,
            }
    }

    fn demands_response(&self) -> bool {
        let leaf = self.nodes.first();
        leaf.is_some_and(|leaf| leaf.certificate.extensions().must_staple())
    }

    fn check_lists(&mut self, depth: usize, known: bool, list_issuers: &mut ListIssuers<'a>) {
        let kind = CheckKind::Revocation;
        if let Some(why) = self.why_exempt(depth, kind) {
            return self.skip(depth, kind, why);
        }
        if known {
            return self.skip(depth, kind, Skip::StatusKnown);
        }
        if self.out_of_patience(depth) {
            return self.fail(depth, kind, Reason::BudgetExhausted);
        }
        let reasons = revocation::check(self.sources(), depth, |issuer| {
            self.is_list_issuer_valid(issuer, list_issuers)
        });
        if reasons.is_empty() {
            self.record(depth, kind, Outcome::Passed);
        }
        for reason in reasons {
            self.fail(depth, kind, reason);
        }
    }

    fn sources(&self) -> Sources<'_, 'a> {
        Sources {
            nodes: &self.nodes,
            presented: self.presented.certificates,
            store: self.store,
            parameters: self.parameters,
            meter: self.meter,
        }
    }

    /// RFC 5280 §6.3.3 (f): obtain and validate the certification path for the issuer of the list;
    /// the trust anchor MUST be the same as the one used to validate the certificate.
    ///
    /// The chain of a list's issuer may not rest on a third chain: that keeps the work bounded, and
    /// OpenSSL does the same. But a CA may leave it to a list's issuer to tell whether it is itself
    /// revoked: that needs no chain but the one just being verified.
    fn is_list_issuer_valid(&self, issuer: &Certificate<'a>, known: &mut ListIssuers<'a>) -> bool {
        if let Some((_, valid)) = known.iter().find(|(der, _)| *der == issuer.der()) {
            return *valid;
        }
        if self.errand == Errand::ListIssuer {
            let own = self.nodes.first();
            return own.is_some_and(|own| own.certificate.der() == issuer.der());
        }
        if known.len() >= MAXIMUM_LIST_ISSUERS {
            return false;
        }
        let mut parameters = Parameters::new(Purpose::Any, self.parameters.time)
            .with_security_level(self.parameters.security_level)
            .with_partial_chain(self.parameters.takes_partial_chains())
            .with_strict(self.parameters.strict)
            .with_extended_crls(true);
        parameters.depth = self.parameters.depth;
        parameters
            .signature_memory
            .clone_from(&self.parameters.signature_memory);
        if self.parameters.revocation == Revocation::Chain {
            parameters.revocation = Revocation::Chain;
        }
        let signatures = Signatures::new(&parameters);
        let mut chain = Verification::new(
            self.presented,
            self.store,
            &parameters,
            self.meter,
            signatures,
        );
        chain.errand = Errand::ListIssuer;
        chain.check_leaf_and_chain(&Rc::new(*issuer));
        let same_anchor = match (chain.nodes.last(), self.nodes.last()) {
            (Some(theirs), Some(ours)) => theirs.certificate.der() == ours.certificate.der(),
            _ => false,
        };
        let valid = same_anchor && !chain.has_failed;
        known.push((issuer.der(), valid));
        valid
    }
}
