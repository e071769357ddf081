//! [`Credential`]: a certificate chain and the private key that belongs to it.

mod pem;

use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_x509::{Certificate, KeyUsage, Name};
use pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::crypto::private_key::{KeyError, PrivateKey, Signer};

/// The identity that this side presents: certificates, its own first, and the private key of the first.
///
/// Cheap to clone. The key is never printed.
#[derive(Clone)]
pub struct Credential {
    chain: Arc<[CertificateDer<'static>]>,
    signer: Arc<dyn Signer>,
    key_strength: u32,
    may_sign: bool,
    audience: Audience,
}

/// To whom a credential is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Anybody,
    /// Whoever names an authority that issued it.
    ThoseWhoNameAnIssuer,
}

impl Credential {
    /// A chain and its key. The first certificate is this side's own, each of the others
    /// certifies the one before it; the root is not needed.
    ///
    /// # Errors
    /// If there is no certificate, the first cannot be read, or the key is of an
    /// unsupported kind or belongs to another certificate.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
    ) -> Result<Self, CredentialError> {
        let key = PrivateKey::from_der(key).map_err(CredentialError::Key)?;
        let leaf = chain.first().ok_or(CredentialError::NoCertificate)?;
        let certificate = Certificate::parse(leaf)
            .map_err(|error| CredentialError::Certificate(error.to_string()))?;
        if !key.matches_spki(certificate.public_key().der()) {
            return Err(CredentialError::KeyMismatch {
                subject: certificate.subject().to_string(),
            });
        }
        let key_strength = certificate.public_key().security_bits();
        let may_sign = allows_signing(&certificate);
        Ok(Self {
            chain: chain.into(),
            signer: Arc::new(key),
            key_strength,
            may_sign,
            audience: Audience::Anybody,
        })
    }

    /// A chain whose key lives elsewhere: in a token, a service, another process.
    ///
    /// # Errors
    /// If there is no certificate or the first cannot be read. That the key belongs to it
    /// cannot be checked here; a peer will notice.
    pub fn with_signer(
        chain: Vec<CertificateDer<'static>>,
        signer: impl Signer + 'static,
    ) -> Result<Self, CredentialError> {
        let leaf = chain.first().ok_or(CredentialError::NoCertificate)?;
        let certificate = Certificate::parse(leaf)
            .map_err(|error| CredentialError::Certificate(error.to_string()))?;
        let key_strength = certificate.public_key().security_bits();
        let may_sign = allows_signing(&certificate);
        Ok(Self {
            chain: chain.into(),
            signer: Arc::new(signer),
            key_strength,
            may_sign,
            audience: Audience::Anybody,
        })
    }

    /// Reads a chain and a key from PEM text; they may be the same text.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the text is not PEM or holds no key.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CredentialError> {
        let certificates = pem::read_certificates(chain)?;
        Self::new(certificates, &*pem::read_key(key)?)
    }

    /// Reads a chain and a key from PEM files; they may be the same file.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), with the file that is at fault.
    pub fn from_pem_files(
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, CredentialError> {
        let read = |path: &Path| {
            // Both files may hold the key.
            let content = fs::read(path).map(Zeroizing::new);
            content.map_err(|error| CredentialError::File {
                path: path.to_owned(),
                reason: error.to_string(),
            })
        };
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let (chain_text, key_text) = (read(chain)?, read(key)?);
        let certificates = pem::read_certificates(&chain_text).map_err(|error| error.of(chain))?;
        let private = pem::read_key(&key_text).map_err(|error| error.of(key))?;
        Self::new(certificates, &private).map_err(|error| {
            let at_fault = if error.concerns_key() { key } else { chain };
            error.of(at_fault)
        })
    }

    /// Shows it only to a peer that names the issuer of one of its certificates among the authorities that
    /// it accepts (`SSL_CREDENTIAL_set_must_match_issuer` of BoringSSL).
    ///
    /// Without this the names are advice: a credential whose issuer is named goes before the
    /// others, and if none is named, the first that the peer can verify is shown.
    pub fn only_for_its_authorities(mut self) -> Self {
        self.audience = Audience::ThoseWhoNameAnIssuer;
        self
    }

    /// The certificates, this side's own first.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The strength of the key in bits, as OpenSSL's security levels count.
    pub(crate) fn key_strength(&self) -> u32 {
        self.key_strength
    }

    /// Whether the certificate lets its key sign: there is no keyUsage extension, or it says digitalSignature.
    pub(crate) fn may_sign(&self) -> bool {
        self.may_sign
    }

    /// Whether one of these names, in DER, is that of an issuer of one of the certificates.
    pub(crate) fn is_issued_by_one_of<'n>(&self, names: impl Iterator<Item = &'n [u8]>) -> bool {
        let mut names = names
            .filter_map(|name| Name::from_der(name).ok())
            .peekable();
        if names.peek().is_none() {
            return false;
        }
        let certificates = self.chain.iter();
        let issuers: Vec<_> = certificates
            .filter_map(|der| Some(Certificate::parse(der).ok()?.issuer()))
            .collect();
        names.any(|name| issuers.contains(&name))
    }

    /// Whether it may be shown to a peer that names none of its issuers.
    pub(crate) fn is_for_anybody(&self) -> bool {
        self.audience == Audience::Anybody
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }
}

fn allows_signing(certificate: &Certificate<'_>) -> bool {
    let usage = certificate.extensions().key_usage();
    usage.is_none_or(KeyUsage::digital_signature)
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} certificates)", self.chain.len())
    }
}

/// Why a [`Credential`] cannot be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CredentialError {
    /// A file cannot be read.
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Something is wrong with the content of a file.
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<CredentialError>,
    },
    /// The text is not PEM.
    Pem(String),
    /// There is no certificate.
    NoCertificate,
    /// There is no private key.
    NoKey,
    /// The first certificate cannot be read.
    Certificate(String),
    /// The private key cannot be used.
    Key(KeyError),
    /// The private key belongs to another certificate.
    KeyMismatch {
        /// The subject of the first certificate.
        subject: String,
    },
}

impl CredentialError {
    fn concerns_key(&self) -> bool {
        matches!(self, Self::Key(_) | Self::KeyMismatch { .. })
    }

    /// Says in which file it is.
    fn of(self, file: &Path) -> Self {
        Self::In {
            path: file.to_owned(),
            error: Box::new(self),
        }
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, reason } => write!(f, "{} cannot be read: {reason}.", path.display()),
            Self::In { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Pem(what) => {
                write!(f, "The PEM text cannot be read: {what}. It must hold lines such as -----BEGIN CERTIFICATE-----.")
            }
            Self::NoCertificate => {
                f.write_str("There is no certificate. Expected -----BEGIN CERTIFICATE-----, this side's own first.")
            }
            Self::NoKey => f.write_str(
                "There is no private key. Expected -----BEGIN PRIVATE KEY----- (or RSA or EC PRIVATE KEY), not encrypted.",
            ),
            Self::Certificate(what) => write!(f, "The first certificate cannot be read: {what}"),
            Self::Key(error) => error.fmt(f),
            Self::KeyMismatch { subject } => write!(
                f,
                "The private key does not belong to the first certificate ({subject}). \
                 Give the key that the certificate was made for, and this side's own certificate first."
            ),
        }
    }
}

impl core::error::Error for CredentialError {}
