//! What is known about the peer of a connection.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use countersign_x509::{Certificate, Report, VerifyCode};
use pki_types::{CertificateDer, UnixTime};

/// The certificates that a peer sent, its own first. Cheap to clone; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateChain(Arc<[CertificateDer<'static>]>);

impl CertificateChain {
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self(certificates.into())
    }

    /// The certificates, the peer's own first, then the others as they were sent.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// The peer's own certificate, at depth 0.
    pub fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.0.first()
    }
}

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateChain({} certificates)", self.0.len())
    }
}

/// The identity that the peer proved, and what verification thought of it.
///
/// A peer without a certificate has no `Peer`: [`Connection::peer`](crate::Connection::peer)
/// is `None` then, which is never to be taken for success.
#[derive(Clone, Debug)]
pub struct Peer {
    pub(crate) chain: CertificateChain,
    pub(crate) report: Arc<Report>,
    pub(crate) code: VerifyCode,
    pub(crate) standing: Standing,
    pub(crate) since: Since,
    pub(crate) epoch: u64,
}

/// How far a peer's certificate is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Every check passed.
    Verified,
    /// A check failed, but the verify callback or the application accepted the peer.
    Tolerated,
    /// Verification refused the certificate; only the mode `NONE` let the connection go on.
    /// The peer holds the certificate's key, and that is all that is known.
    Refused,
}

/// When a peer's identity was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Since {
    /// In the first handshake.
    Handshake,
    /// In a renegotiation (TLS 1.2).
    Renegotiation,
    /// When the server asked after the handshake (TLS 1.3).
    PostHandshake,
    /// On an earlier connection, of which this one resumed the session.
    Resumption,
}

impl Peer {
    /// The certificates as received (`SSL_get_peer_cert_chain`, here with the leaf in both roles).
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        self.chain.certificates()
    }

    /// The peer's own certificate (`SSL_get0_peer_certificate`).
    pub fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.chain.leaf()
    }

    /// Every check that was made, and the path as it was built (`SSL_get0_verified_chain`).
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The verify result (`SSL_get_verify_result`): the report's code, unless the verify
    /// callback changed it. A code of 0 alone does not say that every check passed, because a callback can
    /// clear it: ask [`standing`](Self::standing).
    pub fn code(&self) -> VerifyCode {
        self.code
    }

    /// How far the certificate is to be believed.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether every check passed.
    pub fn is_verified(&self) -> bool {
        self.standing == Standing::Verified
    }

    /// When this identity was established.
    pub fn since(&self) -> Since {
        self.since
    }

    /// The epoch of the verifier under which the certificate was verified
    /// ([`Verifier::epoch`](crate::Verifier::epoch); for the built-in one that of its
    /// [`TrustStore`](crate::TrustStore)). If the epoch has moved since, trust was replaced while the connection lives: ask
    /// again, or end it.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Until when all certificates of the path are valid, in seconds since 1970: the
    /// earliest of their ends. `None` if nothing is known of the path.
    pub fn valid_until(&self) -> Option<UnixTime> {
        let path = self.report.chain().map(|link| link.der());
        let sent = self.chain.certificates().iter().take(1).map(AsRef::as_ref);
        let ends = path
            .chain(sent)
            .filter_map(|der| Certificate::parse(der).ok());
        let earliest = ends
            .map(|certificate| certificate.not_after().unix_seconds())
            .min()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            u64::try_from(earliest).unwrap_or_default(),
        )))
    }
}
