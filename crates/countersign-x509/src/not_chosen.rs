//! Paths that were looked at and not chosen, and where each broke.

use core::fmt;

use crate::certificate::Certificate;
use crate::explain::{date, name_of};
use crate::path::Source;
use crate::reason::Reason;
use crate::report::{Check, CheckKind, Outcome, Report};

/// Paths that a report describes; more are counted only. What a peer sends must not decide how long
/// a report is.
const MOST_DESCRIBED: usize = 16;

/// Why a path was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The certificate fails this check.
    Check(CheckKind, Reason),
    /// The certificate's name and key are on the path already: it leads in a circle.
    Circle,
    /// The certificate below names another issuer in its authority key identifier
    /// (RFC 5280 §4.2.1.1).
    OtherKeyIdentifier,
    /// The certificate's key cannot have made the signature on the one below: it is of another kind,
    /// or cannot be read.
    KeyCannotSign,
    /// Extensions of the certificate or of the one below contradict each other.
    Contradictory,
    /// The certificate below is self-signed, so that nobody else has issued it.
    SelfSigned,
    /// Nothing is known against the certificate. [`Profile::OpenSsl`](crate::Profile::OpenSsl) takes one
    /// issuer and never comes back: it preferred the one that is in the chain, or asked the trust store only.
    NotPreferred,
}

/// A path that was looked at and not chosen; from [`Report::paths_not_chosen`].
#[derive(Clone, Copy)]
pub struct PathNotChosen<'a> {
    report: &'a Report,
    dead_end: &'a DeadEnd,
}

impl<'a> PathNotChosen<'a> {
    /// The certificates as DER, the peer's own first, up to where the path was given up.
    pub fn certificates(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator {
        let report = self.report;
        self.dead_end
            .path
            .iter()
            .map(move |source| report.certificate_from(*source))
    }

    /// The place on this path of the certificate at which it broke: 0 is the peer's own.
    pub fn depth(&self) -> u32 {
        self.dead_end.depth
    }

    /// Why it broke there.
    pub fn obstacle(&self) -> Obstacle {
        self.dead_end.obstacle
    }

    /// Why it broke there, as a clause that goes on after that certificate's name.
    ///
    /// *expired on 2021-09-30*
    pub fn why(&self) -> String {
        match self.obstacle() {
            Obstacle::Check(_, Reason::IssuerMissing | Reason::StoredIssuerMissing) => {
                let issuer = self.broken().map(|broken| broken.issuer().to_string());
                let issuer = issuer.unwrap_or_else(|| "somebody".to_owned());
                format!("was issued by {issuer}, of which there is no other certificate here")
            }
            Obstacle::Check(_, Reason::Expired { since }) => format!("expired on {}", date(since)),
            Obstacle::Check(_, reason) => self.report.clause(&reason),
            Obstacle::Circle => "is on the path already".to_owned(),
            Obstacle::OtherKeyIdentifier => {
                "is not the issuer that the key identifier below it names".to_owned()
            }
            Obstacle::KeyCannotSign => {
                "has a key that cannot have made the signature below it".to_owned()
            }
            Obstacle::Contradictory => "has extensions that contradict each other".to_owned(),
            Obstacle::SelfSigned => "stands above a self-signed certificate".to_owned(),
            Obstacle::NotPreferred => "was not preferred".to_owned(),
        }
    }

    fn broken(&self) -> Option<Certificate<'a>> {
        let depth = usize::try_from(self.depth()).ok()?;
        Certificate::parse(self.certificates().nth(depth)?).ok()
    }
}

impl fmt::Display for PathNotChosen<'_> {
    /// The names from the peer's certificate upwards, and what is wrong with which.
    ///
    /// *CN=db.example, CN=Intermediate, CN=Old Root: depth 2 expired on 2021-09-30*
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, der) in self.certificates().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", name_of(der))?;
        }
        write!(f, ": depth {} {}", self.depth(), self.why())
    }
}

impl fmt::Debug for PathNotChosen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathNotChosen({self})")
    }
}

impl Report {
    /// Paths that were looked at and not chosen, in that order, and where each of them broke.
    ///
    /// Under [`Profile::WebPki`](crate::Profile::WebPki) these are the branches that the search took
    /// before it found the chain, or all of them if it found none.
    /// [`Profile::OpenSsl`](crate::Profile::OpenSsl) takes one path; here are the certificates with an
    /// issuer's name that it passed over. One that breaks at a certificate of the [chain](Self::chain) is
    /// left out, as the checks of the chain tell it.
    ///
    /// Sixteen are described at most, see [`further_paths_not_chosen`](Self::further_paths_not_chosen).
    pub fn paths_not_chosen(&self) -> impl ExactSizeIterator<Item = PathNotChosen<'_>> {
        let dead_ends = self.facts().not_chosen.described.iter();
        dead_ends.map(|dead_end| PathNotChosen {
            report: self,
            dead_end,
        })
    }

    /// How many paths were not chosen besides those described.
    pub fn further_paths_not_chosen(&self) -> u32 {
        self.facts().not_chosen.further
    }
}

/// A path and where it broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadEnd {
    pub(crate) path: Vec<Source>,
    pub(crate) depth: u32,
    pub(crate) obstacle: Obstacle,
}

/// The paths not chosen of one verification.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadEnds {
    described: Vec<DeadEnd>,
    further: u32,
}

impl DeadEnds {
    /// Notes a path that broke at `depth`.
    pub(crate) fn note(
        &mut self,
        path: impl Iterator<Item = Source>,
        depth: usize,
        obstacle: Obstacle,
    ) {
        if self.described.len() >= MOST_DESCRIBED {
            self.further = self.further.saturating_add(1);
            return;
        }
        self.described.push(DeadEnd {
            path: path.collect(),
            depth: u32::try_from(depth).unwrap_or(u32::MAX),
            obstacle,
        });
    }

    /// Notes the complete path whose checks these are, at the first that failed.
    pub(crate) fn note_failure(&mut self, path: impl Iterator<Item = Source>, checks: &[Check]) {
        let failed = checks.iter().find_map(|check| match check.outcome {
            Outcome::Failed(reason) => Some((check, reason)),
            Outcome::Passed | Outcome::Skipped(_) => None,
        });
        if let Some((check, reason)) = failed {
            let depth = usize::try_from(check.depth).unwrap_or(usize::MAX);
            self.note(path, depth, Obstacle::Check(check.kind, reason));
        }
    }

    /// Leaves out those that are the chain of the report, or the beginning of it.
    pub(crate) fn beside(mut self, chain: &[Source]) -> Self {
        self.described
            .retain(|dead_end| !chain.starts_with(&dead_end.path));
        self
    }
}
