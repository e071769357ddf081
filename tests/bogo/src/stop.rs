//! Why the shim stops before its end, and with which exit status.

use core::fmt;
use std::process::ExitCode;

use countersign::Error;

use crate::reason::{self, Moment};

/// Tells the runner that a flag, or what it asks for, is not implemented.
const UNIMPLEMENTED: u8 = 89;

/// Why the shim stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// countersign, or this shim, does not have what the test is about.
    Unimplemented(String),
    /// The connection ended with an error.
    Connection(Error, Moment),
    /// Something was not as the runner expects.
    Unexpected(String),
}

impl Stop {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unimplemented(_) => ExitCode::from(UNIMPLEMENTED),
            Self::Connection(..) | Self::Unexpected(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unimplemented(what) => write!(f, "Not implemented: {what}."),
            Self::Connection(error, moment) => {
                write!(f, ":{}: {error}", reason::of(error, *moment))
            }
            Self::Unexpected(what) => f.write_str(what),
        }
    }
}

/// Something was not as the runner expects.
pub(crate) fn unexpected(what: impl Into<String>) -> Stop {
    Stop::Unexpected(what.into())
}

/// Ends with what was not as expected, unless it was.
pub(crate) fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds {
        Ok(())
    } else {
        Err(Stop::Unexpected(otherwise()))
    }
}
