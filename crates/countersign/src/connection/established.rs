//! What a completed handshake left behind.

use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::keys::exporter::Exporter;
use crate::verify::peer::Peer;
use crate::verify::policy::Why;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// TLS 1.3 (RFC 9846).
    Tls13,
}

impl core::fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Tls13 => f.write_str("TLS 1.3"),
        }
    }
}

/// What the two ends agreed on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Agreed {
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The group of the key exchange.
    pub group: NamedGroup,
    /// How the peer signed the handshake; `None` if it presented no certificate.
    pub peer_signature: Option<SignatureScheme>,
    /// How this side signed the handshake; `None` if it presented no certificate.
    pub own_signature: Option<SignatureScheme>,
    /// The application protocol (ALPN, RFC 7301), if one was negotiated.
    pub alpn: Option<Vec<u8>>,
    /// The server name that the client asked for (SNI, RFC 6066), in lower case.
    pub server_name: Option<String>,
    /// Whether a HelloRetryRequest was needed.
    pub retried: bool,
    /// The server asked the client for a certificate, or why it did not. On a client that
    /// was not asked the reason is unknown, so it is `None` for both.
    pub certificate_requested: bool,
    /// On a server: why the client was not asked for a certificate.
    pub not_requested_because: Option<Why>,
}

/// Facts of a connection whose handshake is complete.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) agreed: Agreed,
    pub(crate) peer: Option<Peer>,
    pub(crate) exporter: Exporter,
}
