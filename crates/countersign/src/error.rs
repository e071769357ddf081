//! What can go wrong on a connection, sorted by who has to act.
//!
//! The alert is chosen where the error is made and travels inside it;
//! [`Connection`](crate::Connection) sends it once.

use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

use countersign_x509::{Report, VerifyCode};

use crate::alert::Alert;
use crate::connection::state::State;
use crate::crypto::finite_field::FiniteFieldGroup;
use crate::verify::mode::Role;
use crate::verify::peer::CertificateChain;
use crate::verify::policy::Why;
use crate::violation::Violation;

/// The result of everything in the engine that can fail.
pub(crate) type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a call on a connection failed. The variant says who has to act.
///
/// Except for [`Misuse`](Self::Misuse), every error ends the connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol.
    PeerViolated {
        /// The rule that it broke.
        violation: Violation,
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// The two ends have nothing in common where they must agree.
    NothingInCommon {
        /// On what they could not agree.
        what: Negotiated,
        /// What this side offers.
        ours: String,
        /// What the peer offers.
        theirs: String,
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// The server chose a group for finite-field Diffie-Hellman that is too small, or that is not
    /// known to be safe.
    UnsafeGroup {
        /// The size of its prime in bits.
        bits: u32,
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// The peer's certificate was refused.
    PeerRejected {
        /// What was wrong with it.
        rejection: Arc<Rejection>,
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// The client sent no certificate although one is required.
    NoPeerCertificate {
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// The peer ended the connection with an alert.
    AlertReceived {
        /// The alert.
        alert: Alert,
        /// What this side was waiting for.
        during: State,
    },
    /// The transport ended without the peer having closed the connection: data may be missing.
    Truncated {
        /// What this side was waiting for.
        during: State,
    },
    /// The peer refused to negotiate again (TLS 1.2).
    RenegotiationRefused {
        /// The alert that was sent for it.
        alert: Alert,
    },
    /// A key of TLS 1.2 has encrypted all the records that it safely may (RFC 9325 §4.4).
    KeyExhausted,
    /// The connection is closed.
    Closed,
    /// A call that does not fit here. It is never caused by what the peer sent; the
    /// connection is unharmed.
    Misuse(Misuse),
    /// The private key could not sign.
    SigningFailed(String),
    /// The source of random bytes failed.
    RandomFailed,
    /// A mistake in this library.
    Internal(&'static str),
}

/// Why a peer's certificate was refused: everything that is known about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejection {
    /// Whose certificate.
    pub whose: Role,
    /// The certificates as the peer sent them, its own first.
    pub chain: CertificateChain,
    /// Every check that was made.
    pub report: Arc<Report>,
    /// The verify result as OpenSSL counts (`SSL_get_verify_result`).
    pub code: VerifyCode,
    /// What the application said, if it refused the peer.
    pub because: Option<String>,
}

/// What two ends have to agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Negotiated {
    /// The protocol version.
    Version,
    /// The cipher suite.
    CipherSuite,
    /// The group of the key exchange.
    Group,
    /// The scheme of the handshake's signature.
    SignatureScheme,
    /// The application protocol.
    ApplicationProtocol,
    /// The extended master secret (RFC 7627).
    ExtendedMasterSecret,
    /// The authority that issued this side's certificate.
    Authority,
}

impl fmt::Display for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "protocol version",
            Self::CipherSuite => "cipher suite",
            Self::Group => "key exchange group",
            Self::SignatureScheme => "signature scheme",
            Self::ApplicationProtocol => "application protocol",
            Self::ExtendedMasterSecret => "derivation of the master secret",
            Self::Authority => "certificate authority",
        })
    }
}

/// A call that does not fit the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// A question is open: answer it first.
    QuestionOpen,
    /// No question is open, or the answer belongs to another one.
    NotTheOpenQuestion,
    /// The handshake is not complete yet.
    HandshakeRunning,
    /// The mode has a flag that does nothing without `PEER`.
    FlagsWithoutPeer,
    /// This side has closed the connection already.
    AlreadyClosed,
    /// Only a server can ask its peer for a certificate.
    NotServer,
    /// Only a server can send tickets.
    OnlyServersSendTickets,
    /// The client did not offer to authenticate after the handshake.
    PeerCannotAuthenticate,
    /// An earlier request for a certificate is not answered yet.
    RequestUnanswered,
    /// HTTP/2 forbids authentication after the handshake (RFC 9113 §9.2.3).
    ForbiddenUnderHttp2,
    /// The verify mode says not to ask.
    ModeDoesNotAsk(Why),
    /// TLS 1.3 has no renegotiation, and TLS 1.2 no KeyUpdate: the version of this connection lacks
    /// what was called for.
    NotInThisVersion,
    /// A renegotiation is running: nothing can be sent until it is complete.
    RenegotiationRunning,
    /// The peer lacks secure renegotiation (RFC 5746) or the extended master secret (RFC 7627).
    CannotRenegotiateSafely,
    /// The connection has been renegotiated as often as its limits allow.
    TooManyRenegotiations,
    /// Without the extended master secret what is exported need not belong to this connection alone (RFC 7627 §5.4).
    ExportWithoutExtendedMasterSecret,
    /// Exported keying material longer than 255 hash lengths was asked for.
    ExportTooLong,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QuestionOpen => {
                "A question is open. Answer it with Connection::answer first, or tell the Stream who does with Stream::on_question."
            }
            Self::NotTheOpenQuestion => "This answers no open question of this connection.",
            Self::HandshakeRunning => {
                "The handshake is not complete. Wait for Event::Completed first."
            }
            Self::FlagsWithoutPeer => {
                "A verify mode with flags but without PEER does nothing. Add VerifyMode::PEER."
            }
            Self::AlreadyClosed => "This side has closed the connection already.",
            Self::NotServer => "Only a server can ask its peer for a certificate.",
            Self::OnlyServersSendTickets => "Only a server can send tickets.",
            Self::PeerCannotAuthenticate => {
                "The client did not offer to authenticate after the handshake. Have it enable post-handshake \
                 authentication, or ask in the handshake: leave VerifyMode::POST_HANDSHAKE out."
            }
            Self::RequestUnanswered => {
                "An earlier request for a certificate is unanswered. Call Connection::receive until it is answered."
            }
            Self::ForbiddenUnderHttp2 => {
                "HTTP/2 forbids authentication after the handshake. Offer http/1.1 only where it is needed."
            }
            Self::ModeDoesNotAsk(Why::NotAskedFor) => {
                "The verify mode lacks PEER, so nobody is asked. Call Connection::set_verify_mode first."
            }
            Self::ModeDoesNotAsk(Why::AskedOnceAlready) => {
                "The verify mode says CLIENT_ONCE and the client was asked before. Use the identity that is known."
            }
            Self::ModeDoesNotAsk(_) => "The verify mode says not to ask now.",
            Self::NotInThisVersion => {
                "The protocol version of this connection has no such thing: look at Connection::agreed first."
            }
            Self::RenegotiationRunning => {
                "A renegotiation is running. Receive what the peer sends until Event::Completed, then send."
            }
            Self::CannotRenegotiateSafely => {
                "The peer lacks secure renegotiation (RFC 5746) or the extended master secret (RFC 7627). \
                 Have it updated, or ask for the certificate in the first handshake."
            }
            Self::TooManyRenegotiations => {
                "The connection was renegotiated as often as Limits::renegotiations allows. Open another one."
            }
            Self::ExportWithoutExtendedMasterSecret => {
                "The peer lacks the extended master secret (RFC 7627), so exported keying material would be unsafe."
            }
            Self::ExportTooLong => {
                "More keying material was asked for than can be exported at once."
            }
        })
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::PeerViolated {
            violation,
            alert: violation.alert(),
        }
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl Error {
    /// The alert that this error puts on the wire, if any.
    pub fn alert(&self) -> Option<Alert> {
        match self {
            Self::PeerViolated { alert, .. }
            | Self::NothingInCommon { alert, .. }
            | Self::UnsafeGroup { alert, .. }
            | Self::PeerRejected { alert, .. }
            | Self::NoPeerCertificate { alert }
            | Self::RenegotiationRefused { alert } => Some(*alert),
            Self::SigningFailed(_)
            | Self::RandomFailed
            | Self::KeyExhausted
            | Self::Internal(_) => Some(Alert::InternalError),
            Self::AlertReceived { .. }
            | Self::Truncated { .. }
            | Self::Closed
            | Self::Misuse(_) => None,
        }
    }

    /// What to do about it, as a sentence for the person who reads the log.
    pub fn advice(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::PeerViolated { violation: Violation::NotTls, .. } => {
                Some("Check the address and the port: something that is not a TLS server answers there.".into())
            }
            Self::PeerViolated { violation: Violation::BadHandshakeSignature, .. } => {
                Some("The peer's private key does not belong to its certificate, or somebody is in between.".into())
            }
            Self::PeerViolated { .. } => Some("The peer's implementation is at fault, or somebody is in between.".into()),
            Self::NothingInCommon { what: Negotiated::Version, .. } => {
                Some("Enable TLS 1.2 or 1.3 at the other end: older versions are broken (RFC 8996).".into())
            }
            Self::NothingInCommon { what: Negotiated::ExtendedMasterSecret, .. } => {
                Some("Update the other end, or do not require the extended master secret.".into())
            }
            Self::NothingInCommon { what, .. } => {
                Some(format!("Configure a common {what} at one of the two ends.").into())
            }
            Self::UnsafeGroup { .. } => Some(
                "Usual cause: an old or home-made dhparam file on the server. Have it use ffdhe2048 or a larger group of RFC 7919.".into(),
            ),
            Self::PeerRejected { rejection, .. } => rejection.report.advice().map(Cow::from),
            Self::NoPeerCertificate { .. } => Some(
                "Give the client a certificate and its private key, or drop FAIL_IF_NO_PEER_CERT on the server.".into(),
            ),
            Self::AlertReceived { alert: Alert::HandshakeFailure, during: State::AwaitingServerHello } => Some(
                "The other end takes none of the suites, groups and signature schemes that are offered. If it is an old one, enable ECDHE with AES-GCM there.".into(),
            ),
            Self::AlertReceived { alert, .. } => advice_on_alert(*alert).map(Cow::from),
            Self::Truncated { during: State::Connected } => Some(
                "Treat what was received as incomplete, unless the application's own protocol says where it ends.".into(),
            ),
            Self::RenegotiationRefused { .. } => Some(
                "Allow renegotiation at the other end, ask for the certificate in the first handshake, or use TLS 1.3.".into(),
            ),
            Self::KeyExhausted => Some("Renegotiate in time, open another connection, or use TLS 1.3.".into()),
            Self::Truncated { .. } => Some("The log of the other end may say why it gave up.".into()),
            Self::SigningFailed(_) | Self::RandomFailed | Self::Closed | Self::Misuse(_) | Self::Internal(_) => None,
        }
    }
}

/// What an alert from the other end usually asks this end to do.
fn advice_on_alert(alert: Alert) -> Option<&'static str> {
    Some(match alert {
        Alert::CertificateRequired => {
            "The other end requires a certificate: configure one here, with its private key."
        }
        Alert::CertificateExpired => {
            "The other end finds this side's certificate expired: renew it, or check its clock."
        }
        Alert::CertificateRevoked => {
            "The other end finds this side's certificate revoked: get a new one."
        }
        Alert::UnknownCa => {
            "The other end does not trust the authority of this side's certificate: \
             send the intermediates too, or have it trust the root."
        }
        Alert::BadCertificate | Alert::CertificateUnknown => {
            "The other end refused this side's certificate: its log says why."
        }
        Alert::UnsupportedCertificate => {
            "The other end refused the purpose or kind of this side's certificate: check its extended key usage."
        }
        Alert::AccessDenied => "The certificate is valid, but the other end does not let it in.",
        Alert::ProtocolVersion => {
            "The other end speaks none of the versions that are offered: enable TLS 1.2 or 1.3 there."
        }
        Alert::NoRenegotiation => "The other end does not negotiate again: allow it there.",
        Alert::HandshakeFailure => {
            "The two ends have no common parameters, or the other end wants a certificate."
        }
        Alert::UnrecognizedName => "The other end serves no such name: check the server name.",
        Alert::NoApplicationProtocol => {
            "The two ends have no common application protocol: compare the ALPN lists."
        }
        _ => return None,
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerViolated { violation, .. } => {
                write!(f, "The peer broke the protocol. {violation}")?;
            }
            Self::NothingInCommon {
                what, ours, theirs, ..
            } => {
                write!(
                    f,
                    "The two ends have no {what} in common: this side offers {ours}, the peer {theirs}."
                )?;
            }
            Self::UnsafeGroup { bits, .. } if *bits < FiniteFieldGroup::LEAST_BITS => write!(
                f,
                "The server's Diffie-Hellman group has {bits} bits; at least {} are needed.",
                FiniteFieldGroup::LEAST_BITS
            )?,
            Self::UnsafeGroup { bits, .. } => write!(
                f,
                "The server's Diffie-Hellman group of {bits} bits is not one of RFC 7919 or RFC 3526, \
                 and may be unsafe."
            )?,
            Self::PeerRejected { rejection, .. } => rejection.fmt(f)?,
            Self::NoPeerCertificate { .. } => {
                f.write_str("The client sent no certificate although one is required.")?;
            }
            Self::AlertReceived { alert, during } => {
                write!(
                    f,
                    "The peer ended the connection with the alert {alert} while this side was {during}."
                )?;
            }
            Self::Truncated { during } => write!(
                f,
                "The connection ended without a close_notify while this side was {during}: data may be missing."
            )?,
            Self::RenegotiationRefused { .. } => {
                f.write_str("The peer refused to negotiate again.")?;
            }
            Self::KeyExhausted => {
                f.write_str("A key of TLS 1.2 has encrypted all the records that it safely may.")?;
            }
            Self::Closed => f.write_str("The connection is closed.")?,
            Self::Misuse(misuse) => misuse.fmt(f)?,
            Self::SigningFailed(reason) => {
                write!(f, "The private key could not sign the handshake: {reason}.")?;
            }
            Self::RandomFailed => f.write_str("The system's source of random bytes failed.")?,
            Self::Internal(what) => write!(f, "Internal error: {what}.")?,
        }
        match self.advice() {
            Some(advice) => write!(f, " {advice}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.because {
            Some(because) => write!(
                f,
                "The application refused the {}'s certificate: {because}.",
                self.whose
            ),
            None if self.report.code() != self.code => write!(
                f,
                "The verify callback refused the {}'s certificate with code {}.",
                self.whose, self.code
            ),
            None => f.write_str(&self.report.sentence()),
        }
    }
}

impl core::error::Error for Error {}

impl From<Error> for std::io::Error {
    /// So that a [`Stream`](crate::Stream) can be used where `std::io` is expected. The
    /// [`Error`] is inside: `io::Error::get_ref` and `downcast_ref` find it.
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;
        let kind = match &error {
            Error::Truncated { .. } => ErrorKind::UnexpectedEof,
            Error::Closed => ErrorKind::NotConnected,
            Error::AlertReceived { .. } | Error::RenegotiationRefused { .. } => {
                ErrorKind::ConnectionAborted
            }
            Error::PeerRejected { .. } | Error::NoPeerCertificate { .. } => {
                ErrorKind::PermissionDenied
            }
            Error::Misuse(_) => ErrorKind::InvalidInput,
            Error::PeerViolated { .. }
            | Error::NothingInCommon { .. }
            | Error::UnsafeGroup { .. } => ErrorKind::InvalidData,
            Error::SigningFailed(_)
            | Error::RandomFailed
            | Error::KeyExhausted
            | Error::Internal(_) => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
