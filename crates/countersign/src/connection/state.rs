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
    /// A client of TLS 1.2 waits for the server's half of the key exchange.
    AwaitingServerKeyExchange,
    /// A client of TLS 1.2 waits for the ServerHelloDone, or a CertificateRequest before it.
    AwaitingServerHelloDone,
    /// A server waits for the client's Certificate.
    AwaitingClientCertificate,
    /// A server of TLS 1.2 waits for the client's half of the key exchange.
    AwaitingClientKeyExchange,
    /// The peer's certificate is known, its CertificateVerify is not.
    AwaitingCertificateVerify,
    /// A client of TLS 1.2 waits for the ticket that the server has announced.
    AwaitingNewSessionTicket,
    /// The peer of TLS 1.2 has to change to its new keys.
    AwaitingChangeCipherSpec,
    /// Only the peer's Finished is missing.
    AwaitingFinished,
    /// A server asked its client for a certificate after the handshake. Data flows.
    AwaitingAuthentication,
    /// A server of TLS 1.2 asked its client to negotiate again. Data flows.
    AwaitingRenegotiation,
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
        matches!(
            self,
            Self::Connected | Self::AwaitingAuthentication | Self::AwaitingRenegotiation
        )
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
            Self::AwaitingServerKeyExchange => "waiting for the ServerKeyExchange",
            Self::AwaitingServerHelloDone => "waiting for the ServerHelloDone",
            Self::AwaitingClientKeyExchange => "waiting for the ClientKeyExchange",
            Self::AwaitingNewSessionTicket => "waiting for the NewSessionTicket",
            Self::AwaitingChangeCipherSpec => "waiting for the change_cipher_spec",
            Self::AwaitingRenegotiation => "waiting for the client to negotiate again",
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
