//! How much work a verification does, and when it is too much.
//!
//! What a peer sends must not decide how long its verifier is busy. Whatever a certificate can have repeated is
//! counted here, in units that take about the same time whatever they are about.

use core::cell::Cell;

use crate::name::Name;
use crate::parameters::Budget;
use crate::public_key::{EcCurve, KeyAlgorithm, PublicKeyInfo};
use crate::report::Report;

/// The work that a verification took, in the units of [`Budget`]; from [`Report::effort`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Effort {
    /// Signatures verified.
    pub signatures: u32,
    /// Comparisons of a name with a name constraint.
    pub name_constraint_comparisons: u32,
    /// Certificates looked at while building paths.
    pub steps: u32,
}

impl Report {
    /// The work that this verification took: never more than its [`Budget`]. Unusual effort is a sign
    /// of a peer who means to cause it.
    pub fn effort(&self) -> Effort {
        self.facts().effort
    }
}

/// A limit of the budget has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// Counts the work of one verification, with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    signatures: Cell<u32>,
    comparisons: Cell<u32>,
    steps: Cell<u32>,
}

/// Octets of a name that are compared in the time of one step or one comparison, at worst.
const OCTETS_OF_NAME: usize = 64;

/// Octets of a message that are hashed in the time of one signature, at worst.
const OCTETS_OF_MESSAGE: usize = 16 * 1024;

/// Octets of a chain that are checked in the time of one step.
const OCTETS_OF_CHAIN: usize = 64;

impl Meter {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            signatures: Cell::new(0),
            comparisons: Cell::new(0),
            steps: Cell::new(0),
        }
    }

    pub(crate) fn effort(&self) -> Effort {
        Effort {
            signatures: self.signatures.get(),
            name_constraint_comparisons: self.comparisons.get(),
            steps: self.steps.get(),
        }
    }

    /// To be called before a signature of this key is verified.
    pub(crate) fn signature(
        &self,
        key: &PublicKeyInfo<'_>,
        message: &[u8],
    ) -> Result<(), Exhausted> {
        let hashing = message.len().div_euclid(OCTETS_OF_MESSAGE);
        let cost = cost_of_key(key).saturating_add(hashing);
        charge(&self.signatures, self.budget.signatures, cost)
    }

    /// To be called before names are compared with constraints.
    pub(crate) fn comparisons(&self, names: Extent, subtrees: Extent) -> Result<(), Exhausted> {
        let octets = names
            .octets
            .saturating_mul(subtrees.count)
            .min(subtrees.octets.saturating_mul(names.count));
        let cost = names
            .count
            .saturating_mul(subtrees.count)
            .saturating_add(octets.div_euclid(OCTETS_OF_NAME));
        let limit = self.budget.name_constraint_comparisons;
        charge(&self.comparisons, limit, cost)
    }

    /// To be called for each certificate that is looked at as an issuer.
    pub(crate) fn step(&self) -> Result<(), Exhausted> {
        charge(&self.steps, self.budget.steps, 1)
    }

    /// To be called before two names are compared. Usual ones cost nothing.
    pub(crate) fn names(&self, one: &Name<'_>, other: &Name<'_>) -> Result<(), Exhausted> {
        let octets = one.der().len().min(other.der().len());
        let cost = octets.div_euclid(OCTETS_OF_NAME.saturating_mul(4));
        charge(&self.steps, self.budget.steps, cost)
    }

    /// To be called before one more complete chain of that many octets is checked.
    pub(crate) fn chain(&self, octets: usize) -> Result<(), Exhausted> {
        let cost = octets.div_euclid(OCTETS_OF_CHAIN);
        charge(&self.steps, self.budget.steps, cost)
    }
}

fn charge(spent: &Cell<u32>, limit: u32, cost: usize) -> Result<(), Exhausted> {
    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    let sum = spent.get().saturating_add(cost);
    if sum > limit {
        return Err(Exhausted);
    }
    spent.set(sum);
    Ok(())
}

/// Some names or subtrees: how many, and their octets together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) count: usize,
    pub(crate) octets: usize,
}

/// How long verifying one signature takes, in verifications with a key on P-256.
fn cost_of_key(key: &PublicKeyInfo<'_>) -> usize {
    match key.algorithm() {
        KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss => match key.key_bytes().len() {
            0..=400 => 1,
            401..=528 => 2,
            _ => 6,
        },
        KeyAlgorithm::Ec(EcCurve::P384) | KeyAlgorithm::MlDsa87 => 4,
        KeyAlgorithm::Ec(EcCurve::P521) => 7,
        KeyAlgorithm::Ec(EcCurve::Secp256k1) => 5,
        KeyAlgorithm::MlDsa44 => 2,
        KeyAlgorithm::MlDsa65 => 3,
        _ => 1,
    }
}
