//! Why a trust store cannot be filled.

use core::fmt;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::der::ParseError;

/// Why a [`TrustStore`](crate::TrustStore) cannot be filled, and where the fault is.
#[derive(Debug)]
pub struct TrustError {
    problem: TrustProblem,
    file: Option<PathBuf>,
    line: Option<usize>,
}

/// What is wrong with the material of a trust store.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrustProblem {
    /// The file or folder cannot be read.
    Io(io::Error),
    /// The file has more than 64 MiB.
    TooLarge,
    /// There is no certificate where one was expected.
    NoCertificate,
    /// There is no revocation list where one was expected.
    NoRevocationList,
    /// A PEM block begins and does not end.
    UnfinishedBlock,
    /// A PEM block is not Base64.
    NotBase64,
    /// A block `TRUSTED CERTIFICATE`, OpenSSL's own format with trust settings, which is not
    /// supported: taking the certificate without its restrictions would trust it too far.
    TrustSettings,
    /// A certificate cannot be read.
    Certificate(ParseError),
    /// A revocation list cannot be read.
    RevocationList(ParseError),
    /// The operating system gave no certificate; the text is its reason.
    System(String),
}

impl TrustError {
    pub(super) fn in_file(problem: TrustProblem, file: &Path) -> Self {
        Self {
            problem,
            file: Some(file.to_owned()),
            line: None,
        }
    }

    pub(super) fn at_line(problem: TrustProblem, file: Option<&Path>, line: usize) -> Self {
        Self {
            problem,
            file: file.map(Path::to_owned),
            line: Some(line),
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &TrustProblem {
        &self.problem
    }

    /// The file or folder, if the material came from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The line on which the PEM block at fault begins, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl From<TrustProblem> for TrustError {
    fn from(problem: TrustProblem) -> Self {
        Self {
            problem,
            file: None,
            line: None,
        }
    }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}, line {line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        match &self.problem {
            TrustProblem::Io(error) => write!(f, "cannot be read: {error}"),
            TrustProblem::TooLarge => {
                f.write_str("it has more than 64 MiB; a file of certificates is smaller, so divide it or name another")
            }
            TrustProblem::NoCertificate => {
                f.write_str("there is no certificate in it (no -----BEGIN CERTIFICATE-----)")
            },
            TrustProblem::NoRevocationList => {
                f.write_str("there is no revocation list in it (no -----BEGIN X509 CRL-----)")
            },
            TrustProblem::UnfinishedBlock => f.write_str("a PEM block begins here and does not end"),
            TrustProblem::NotBase64 => f.write_str("the PEM block that begins here is not Base64"),
            TrustProblem::TrustSettings => f.write_str(
                "trust settings (TRUSTED CERTIFICATE) are not supported; store the plain certificate",
            ),
            TrustProblem::Certificate(error) => write!(f, "the certificate cannot be read: {error}"),
            TrustProblem::RevocationList(error) => write!(f, "the revocation list cannot be read: {error}"),
            TrustProblem::System(reason) if reason.is_empty() => {
                f.write_str("the operating system has no trusted certificates")
            }
            TrustProblem::System(reason) => {
                write!(f, "the operating system's trusted certificates cannot be read: {reason}")
            }
        }
    }
}

impl Error for TrustError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            TrustProblem::Io(error) => Some(error),
            TrustProblem::Certificate(error) | TrustProblem::RevocationList(error) => Some(error),
            _ => None,
        }
    }
}
