//! Where in its life a connection is.

use core::fmt;

/// Where in its life a connection is: for logs and for error messages
/// (`SSL_state_string_long(3)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// A server waits for the ClientHello.
    AwaitingClientHello,
    /// A server asked for another ClientHello.
    AwaitingSecondClientHello,
    /// A client waits for the ServerHello.
    AwaitingServerHello,
    /// A client sent a second ClientHello.
    AwaitingSecondServerHello,
    /// A client waits for the EncryptedExtensions.
    AwaitingEncryptedExtensions,
    /// A client waits for the server's Certificate, or a CertificateRequest before it.
    AwaitingServerCertificate,
    /// A server waits for the client's Certificate.
    AwaitingClientCertificate,
    /// The peer's certificate is known, its CertificateVerify is not.
    AwaitingCertificateVerify,
    /// Only the peer's Finished is missing.
    AwaitingFinished,
    /// A server asked its client for a certificate after the handshake. Data flows.
    AwaitingAuthentication,
    /// A question is open and waits for its answer.
    AwaitingAnswer,
    /// The handshake is complete: data flows.
    Connected,
    /// The connection is over.
    Closed,
}

impl State {
    /// Whether application data may come in.
    pub(crate) fn takes_data(self) -> bool {
        matches!(self, Self::Connected | Self::AwaitingAuthentication)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwaitingClientHello => "waiting for the ClientHello",
            Self::AwaitingSecondClientHello => "waiting for the second ClientHello",
            Self::AwaitingServerHello => "waiting for the ServerHello",
            Self::AwaitingSecondServerHello => "waiting for the ServerHello after a retry",
            Self::AwaitingEncryptedExtensions => "waiting for the EncryptedExtensions",
            Self::AwaitingServerCertificate => "waiting for the server's Certificate",
            Self::AwaitingClientCertificate => "waiting for the client's Certificate",
            Self::AwaitingCertificateVerify => "waiting for the CertificateVerify",
            Self::AwaitingFinished => "waiting for the Finished",
            Self::AwaitingAuthentication => "waiting for the client to authenticate",
            Self::AwaitingAnswer => "waiting for the answer to a question",
            Self::Connected => "connected",
            Self::Closed => "closed",
        })
    }
}
