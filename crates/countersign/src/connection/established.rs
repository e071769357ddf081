//! What a completed handshake left behind.

use std::sync::Arc;

use pki_types::ServerName;

use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::handshake::tls13::authenticate::Shown;
use crate::handshake::transcript::Transcript;
use crate::keys::exporter::Exporter;
use crate::keys::schedule13::ResumptionSecret;
use crate::session::client_cache::Origin;
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Whether the client offered to authenticate after the handshake too.
    pub post_handshake_auth: bool,
}

/// Facts of a connection whose handshake is complete.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) agreed: Agreed,
    pub(crate) peer: Option<Peer>,
    /// On a client: the certificate that it showed last.
    pub(crate) shown: Option<Shown>,
    /// On a server: the client was asked for a certificate, here or on the connection that this
    /// one resumes.
    pub(crate) asked: bool,
    /// On a client: marks the tickets that come on this connection.
    pub(crate) origin: Origin,
    pub(crate) exporter: Exporter,
    pub(crate) after: Arc<Continuation>,
}

/// What later authentications and tickets need of the handshake.
#[derive(Debug)]
pub(crate) struct Continuation {
    pub(crate) suite: CipherSuite,
    pub(crate) resumption: ResumptionSecret,
    /// Up to the client's Finished; if the client offered post-handshake authentication.
    pub(crate) transcript: Option<Transcript>,
    /// The client can resume.
    pub(crate) wants_tickets: bool,
    /// The name that the client asked for.
    pub(crate) server_name: Option<String>,
    /// On a client: whom it connected to.
    pub(crate) server: Option<ServerName<'static>>,
}
