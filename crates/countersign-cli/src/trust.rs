//! Certificates, keys and trust from the command line to the engine.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use countersign::{BuildError, Credential, CredentialError, KeyLog, TrustStore};
use countersign_x509::{TrustError, TrustProblem};

use crate::arguments::CredentialArguments;
use crate::failure::{Exit, Failure};
use crate::files;

/// The authorities in a file.
pub(crate) fn from_file(path: &Path) -> Result<TrustStore, Failure> {
    TrustStore::from_pem_file(path).map_err(|error| unreadable(path, &error))
}

/// Why there are no authorities in `path`.
pub(crate) fn unreadable(path: &Path, error: &TrustError) -> Failure {
    let file = error.file().unwrap_or(path);
    if let TrustProblem::Io(error) = error.problem() {
        return Failure::file(Exit::Usage, "read", file, error);
    }
    // Where text was read from goes before what is wrong with it, which may begin with the line.
    let place = match (error.file(), error.line()) {
        (Some(_), _) => String::new(),
        (None, Some(_)) => format!("{}, ", file.display()),
        (None, None) => format!("{}: ", file.display()),
    };
    Failure::usage(format!("The authorities cannot be read: {place}{error}.")).advise(
        "A file of authorities holds one or more -----BEGIN CERTIFICATE----- sections. \
         DER is converted by: openssl x509 -inform der -in FILE",
    )
}

/// The certificate that this side presents, if it was given one.
pub(crate) fn credential(arguments: &CredentialArguments) -> Result<Option<Credential>, Failure> {
    let Some(chain_file) = &arguments.cert else {
        return Ok(None);
    };
    let (key_file, advice) = match &arguments.key {
        Some(key_file) => (key_file, files::EXCHANGED),
        None => (chain_file, "Name the file with the private key: --key FILE"),
    };
    let chain = files::read_certificates(chain_file)?;
    let key = files::read_private_key(key_file, advice)?;
    Credential::new(chain, &key)
        .map(Some)
        .map_err(|error| unusable(chain_file, key_file, &error))
}

fn unusable(chain: &Path, key: &Path, error: &CredentialError) -> Failure {
    match error {
        CredentialError::KeyMismatch { subject } => Failure::usage(format!(
            "The private key in {} does not belong to the first certificate in {} ({subject}).",
            key.display(),
            chain.display()
        ))
        .advise("Give the key that the certificate was made for, and this side's own certificate first."),
        CredentialError::Key(_) => Failure::usage(format!("{}: {error}", key.display())),
        _ => Failure::usage(format!("{}: {error}", chain.display())),
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::NothingTrusted => Self::usage(
                "The other side's certificate is to be checked, but nobody is trusted to issue it.",
            )
            .advise("Name a file of authorities with --ca, or check nothing with --verify none."),
            other => Self::usage(other.to_string()),
        }
    }
}

/// Appends the secrets of sessions to the file that `SSLKEYLOGFILE` names.
pub(crate) struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens the file for appending if the variable is set and not empty.
    pub(crate) fn from_environment() -> Result<Option<Self>, Failure> {
        let Some(path) = std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(&path);
        let file = opened
            .map_err(|error| Failure::file(Exit::Usage, "open the key log", &path, &error))?;
        Ok(Some(Self(Mutex::new(file))))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8; 32], secret: &[u8]) {
        let line = format!(
            "{label} {} {}\n",
            hexadecimal(client_random),
            hexadecimal(secret)
        );
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written must not end the connection.
        let _ = file.write_all(line.as_bytes());
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
