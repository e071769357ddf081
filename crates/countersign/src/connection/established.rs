//! What a completed handshake left behind.

use std::sync::Arc;

use countersign_x509::VerifyCode;
use pki_types::ServerName;

use crate::connection::Connection;
use crate::crypto::finite_field::FiniteFieldGroup;
use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::Error;
use crate::handshake::authenticate::Shown;
use crate::handshake::tls12::Derivation;
use crate::handshake::transcript::Transcript;
use crate::keys::exporter::Exporter;
use crate::keys::schedule12::VerifyData;
use crate::keys::schedule13::ResumptionSecret;
use crate::session::client_cache::Origin;
use crate::verify::peer::{CertificateChain, Peer};
use crate::verify::policy::Why;

impl Connection {
    /// Who the peer is. `None` before the handshake is complete, if the peer presented no
    /// certificate, and once this side has ended the connection for an error. It stays after the peer's alert
    /// or a truncation: who it was is still known. A client that a server of TLS 1.2 has refused knows it too, if the
    /// server has proved who it is by then.
    pub fn peer(&self) -> Option<&Peer> {
        match (&self.failure, &self.established) {
            (Some(failure), _) if failure.alert().is_some() => None,
            (_, Some(established)) => established.peer.as_ref(),
            (Some(_), None) => self.identified.as_ref(),
            (None, None) => None,
        }
    }

    /// The verify result: `None` if no certificate was verified, which is not success
    /// (`SSL_get_verify_result` says 0 then).
    pub fn verify_result(&self) -> Option<VerifyCode> {
        if let Some(Error::PeerRejected { rejection, .. }) = &self.failure {
            return Some(rejection.code);
        }
        self.peer().map(Peer::code)
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// TLS 1.2 (RFC 5246), with extended master secret (RFC 7627) and secure renegotiation (RFC 5746)
    /// wherever the peer has them.
    Tls12,
    /// TLS 1.3 (RFC 9846).
    Tls13,
}

impl ProtocolVersion {
    /// The number on the wire.
    pub(crate) const fn to_u16(self) -> u16 {
        match self {
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

impl core::fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
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
    /// The group of the key exchange. `None` if there was none, because TLS 1.2 resumed a session, or it was in a
    /// [finite field](Self::finite_field).
    pub group: Option<NamedGroup>,
    /// The group over a finite field in which an anonymous suite exchanged its keys (TLS 1.2).
    pub finite_field: Option<FiniteFieldGroup>,
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
    /// TLS 1.2: whether the keys are bound to the whole handshake (RFC 7627). Those of TLS 1.3 always are.
    pub extended_master_secret: bool,
    /// TLS 1.2: whether the peer has secure renegotiation (RFC 5746; `SSL_get_secure_renegotiation_support`).
    pub secure_renegotiation: bool,
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
    pub(crate) after: Continuation,
}

/// What comes later builds on this.
#[derive(Clone, Debug)]
pub(crate) enum Continuation {
    Tls12(Arc<AfterTls12>),
    Tls13(Arc<AfterTls13>),
}

impl Continuation {
    /// On a client: whom it connected to.
    pub(crate) fn server(&self) -> Option<&ServerName<'static>> {
        match self {
            Self::Tls12(after) => after.server.as_ref(),
            Self::Tls13(after) => after.server.as_ref(),
        }
    }
}

/// What a renegotiation needs of the handshake.
#[derive(Debug)]
pub(crate) struct AfterTls12 {
    /// What both Finished said (RFC 5746 §3.1).
    pub(crate) client_finished: VerifyData,
    pub(crate) server_finished: VerifyData,
    /// Both ends have RFC 5746.
    pub(crate) secure_renegotiation: bool,
    pub(crate) derivation: Derivation,
    /// The name that the client asked for.
    pub(crate) server_name: Option<String>,
    /// On a client: whom it connected to.
    pub(crate) server: Option<ServerName<'static>>,
    pub(crate) alpn: Option<Vec<u8>>,
    /// Who the peer last was on this connection, also if it has been nobody since.
    pub(crate) presented: Option<CertificateChain>,
}

/// What later authentications and tickets need of the handshake.
#[derive(Debug)]
pub(crate) struct AfterTls13 {
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
