//! How the command ends: exit codes, and messages that say what happened, where, and what to do.

use std::fmt;
use std::path::Path;

/// What the shell is told. The numbers are part of the command's interface: see `docs/cli.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done as asked.
    Success,
    /// Anything that has no number of its own, such as a full disk; for `demo`, a row that is not as it should be.
    Other,
    /// The command line, or a file it names, cannot be used.
    Usage,
    /// No connection: the name does not resolve, nobody listens, or the time ran out.
    Connect,
    /// The connection stood, but TLS failed: no handshake, a broken protocol, a truncated stream.
    Tls,
    /// This side refused the peer's certificate.
    Verification,
    /// The peer refused this side: its certificate, or the lack of one.
    Refused,
}

impl Exit {
    /// The number the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::Connect => 3,
            Self::Tls => 4,
            Self::Verification => 5,
            Self::Refused => 6,
        }
    }
}

/// Why the command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    advice: Option<String>,
}

impl Failure {
    /// A failure that is described by one sentence of fact.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            advice: None,
        }
    }

    /// The command line or a file that it names cannot be used.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Reading or writing a file failed.
    pub(crate) fn file(exit: Exit, action: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            exit,
            format!("Cannot {action} {}: {error}.", path.display()),
        )
    }

    /// Adds what to do about it.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The sentence of fact.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it, if anything is known.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.advice {
            Some(advice) => write!(f, "\n  {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::{Exit, Failure};

    #[test]
    fn every_way_to_end_has_its_own_number() {
        let all = [
            Exit::Success,
            Exit::Other,
            Exit::Usage,
            Exit::Connect,
            Exit::Tls,
            Exit::Verification,
            Exit::Refused,
        ];
        for (number, exit) in (0_u8..).zip(all) {
            assert_eq!(exit.code(), number);
        }
    }

    #[test]
    fn advice_stands_on_a_line_of_its_own() {
        let failure = Failure::usage("No such thing.").advise("Try another.");
        assert_eq!(failure.to_string(), "No such thing.\n  Try another.");
    }
}
