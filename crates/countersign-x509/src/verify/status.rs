//! The status of the chain's certificates: revoked or not.

use super::{Errand, Verification};
use crate::certificate::Certificate;
use crate::checks::revocation::{self, Sources};
use crate::parameters::{Parameters, Purpose, Revocation};
use crate::reason::{Reason, Skip};
use crate::report::{CheckKind, Outcome};

/// Issuers of revocation lists outside the chain whose own chain is verified, for each chain. More
/// are not needed by anybody, and each costs as much as the chain.
const MAXIMUM_LIST_ISSUERS: usize = 4;

/// What is known about issuers of lists: certificate, and whether its chain is good.
type ListIssuers<'a> = Vec<(&'a [u8], bool)>;

impl<'a> Verification<'_, 'a> {
    /// From the leaf upwards.
    pub(super) fn check_status(&mut self) {
        let last = match self.parameters.revocation {
            Revocation::None => {
                return self.skip(0, CheckKind::Revocation, Skip::NotRequested);
            }
            Revocation::Leaf => 1,
            Revocation::Chain => self.nodes.len(),
        };
        let mut list_issuers = Vec::new();
        for depth in 0..last.min(self.nodes.len()) {
            match self.why_exempt(depth) {
                Some(why) => self.skip(depth, CheckKind::Revocation, why),
                None if self.out_of_patience(depth) => {
                    self.fail(depth, CheckKind::Revocation, Reason::BudgetExhausted);
                }
                None => self.check_lists(depth, &mut list_issuers),
            }
        }
    }

    /// Why the status of this certificate does not matter, if it does not.
    fn why_exempt(&self, depth: usize) -> Option<Skip> {
        let node = self.nodes.get(depth)?;
        if revocation::is_exempt(node) {
            Some(Skip::SelfSigned)
        } else if !self.applies(depth, self.nodes.len(), CheckKind::Revocation) {
            Some(Skip::NotInProfile)
        } else {
            None
        }
    }

    fn check_lists(&mut self, depth: usize, list_issuers: &mut ListIssuers<'a>) {
        let sources = Sources {
            nodes: &self.nodes,
            presented: self.presented,
            store: self.store,
            parameters: self.parameters,
        };
        let reasons = revocation::check(sources, depth, |issuer| {
            self.is_list_issuer_valid(issuer, list_issuers)
        });
        if reasons.is_empty() {
            self.record(depth, CheckKind::Revocation, Outcome::Passed);
        }
        for reason in reasons {
            self.fail(depth, CheckKind::Revocation, reason);
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
        let mut chain =
            Verification::new(self.presented, self.store, &parameters, Errand::ListIssuer);
        chain.check_leaf_and_chain(issuer);
        let same_anchor = match (chain.nodes.last(), self.nodes.last()) {
            (Some(theirs), Some(ours)) => theirs.certificate.der() == ours.certificate.der(),
            _ => false,
        };
        let valid = same_anchor && !chain.has_failed;
        known.push((issuer.der(), valid));
        valid
    }
}
