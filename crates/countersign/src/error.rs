//! What can go wrong on a connection, sorted by who has to act.
//!
//! The alert is chosen where the error is made and travels inside it; [`crate::Connection`] sends it once.

use core::fmt;
use std::borrow::Cow;

use crate::alert::Alert;
use crate::violation::Violation;

/// The result of everything in the engine that can fail.
pub(crate) type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a connection failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol.
    PeerViolated {
        /// The rule that it broke.
        violation: Violation,
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// This side failed in a way that is nobody's fault but ours.
    Internal(&'static str),
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::PeerViolated {
            violation,
            alert: violation.alert(),
        }
    }
}

impl Error {
    /// The alert that this error puts on the wire, if any.
    pub fn alert(&self) -> Option<Alert> {
        match self {
            Self::PeerViolated { alert, .. } => Some(*alert),
            Self::Internal(_) => Some(Alert::InternalError),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<Cow<'_, str>> {
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerViolated { violation, .. } => {
                write!(f, "The peer broke the protocol. {violation}")
            }
            Self::Internal(what) => write!(f, "Internal error: {what}."),
        }
    }
}

impl core::error::Error for Error {}
