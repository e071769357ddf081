//! What BoringSSL would call an error: the names that the runner looks for.

use std::sync::{Arc, Mutex, PoisonError};

use countersign::{
    Alert, Direction, Error, Negotiated, State, Trace, TraceEvent, Traced, Violation,
};

/// What was going on when an error came up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) during: State,
    /// The name of the handshake message that came last.
    pub(crate) last_message: Option<&'static str>,
}

/// Watches a connection.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    last_message: Option<&'static str>,
    client_hello: Option<Vec<u8>>,
    tickets: usize,
    is_complete: bool,
    wishes_to_renegotiate: u32,
}

impl Watch {
    /// This moment.
    pub(crate) fn moment(&self, during: State) -> Moment {
        Moment {
            during,
            last_message: self.lock(|seen| seen.last_message),
        }
    }

    /// The ClientHello that this side received last.
    pub(crate) fn client_hello(&self) -> Option<Vec<u8>> {
        self.lock(|seen| seen.client_hello.clone())
    }

    /// How many tickets this side received.
    pub(crate) fn tickets(&self) -> usize {
        self.lock(|seen| seen.tickets)
    }

    /// How often the peer wanted to negotiate again.
    pub(crate) fn wishes_to_renegotiate(&self) -> u32 {
        self.lock(|seen| seen.wishes_to_renegotiate)
    }

    fn lock<R>(&self, look: impl FnOnce(&mut Seen) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Trace for Watch {
    fn record(&self, event: &TraceEvent<'_>) {
        self.lock(|seen| match event.what {
            Traced::Message {
                direction: Direction::Received,
                name,
                bytes,
                ..
            } => {
                seen.last_message = Some(name);
                if seen.is_complete && matches!(name, "HelloRequest" | "ClientHello") {
                    seen.wishes_to_renegotiate = seen.wishes_to_renegotiate.saturating_add(1);
                }
                match name {
                    "ClientHello" => seen.client_hello = Some(bytes.to_vec()),
                    "NewSessionTicket" => seen.tickets = seen.tickets.saturating_add(1),
                    _ => {}
                }
            }
            Traced::Completed { .. } => seen.is_complete = true,
            _ => {}
        });
    }
}

/// The name of an error.
pub(crate) fn of(error: &Error, moment: Moment) -> &'static str {
    match error {
        Error::PeerViolated { violation, .. } => of_violation(*violation, moment),
        Error::NothingInCommon { what, .. } => of_negotiation(*what),
        Error::PeerRejected { .. } => "CERTIFICATE_VERIFY_FAILED",
        Error::NoPeerCertificate { .. } => "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        Error::AlertReceived {
            alert: Alert::HandshakeFailure,
            during: State::AwaitingServerHello,
        } => "HANDSHAKE_FAILURE_ON_CLIENT_HELLO",
        Error::AlertReceived { alert, .. } => of_alert(*alert),
        Error::Truncated { .. } | Error::Closed => "UNEXPECTED_EOF_WHILE_READING",
        _ => "INTERNAL_ERROR",
    }
}

fn of_negotiation(what: Negotiated) -> &'static str {
    match what {
        Negotiated::Version => "UNSUPPORTED_PROTOCOL",
        Negotiated::CipherSuite => "NO_SHARED_CIPHER",
        Negotiated::Group => "NO_SHARED_GROUP",
        Negotiated::SignatureScheme => "NO_COMMON_SIGNATURE_ALGORITHMS",
        Negotiated::Authority => "NO_MATCHING_ISSUER",
        Negotiated::ApplicationProtocol => "NO_APPLICATION_PROTOCOL",
        _ => "INTERNAL_ERROR",
    }
}

fn of_violation(violation: Violation, moment: Moment) -> &'static str {
    let place = moment.last_message.unwrap_or_default();
    match (violation, place) {
        (Violation::VersionNotOffered | Violation::MisplacedExtension, _)
            if moment.during == State::AwaitingSecondServerHello =>
        {
            "SECOND_SERVERHELLO_VERSION_MISMATCH"
        }
        (Violation::MalformedMessage | Violation::TrailingData, "ClientHello") => {
            "CLIENTHELLO_PARSE_FAILED"
        }
        (Violation::MisplacedExtension, "ClientHello" | "EncryptedExtensions") => {
            "ERROR_PARSING_EXTENSION"
        }
        (Violation::MissingSignatureAlgorithms, "CertificateRequest") => "DECODE_ERROR",
        _ => BY_VIOLATION
            .iter()
            .find(|(known, _)| *known == violation)
            .map_or("INTERNAL_ERROR", |(_, name)| name),
    }
}

/// The names that do not depend on the place.
const BY_VIOLATION: &[(Violation, &str)] = &[
    (Violation::UnknownContentType, "UNEXPECTED_RECORD"),
    (Violation::NotTls, "WRONG_VERSION_NUMBER"),
    (Violation::RecordTooLong, "ENCRYPTED_LENGTH_TOO_LONG"),
    (Violation::PlaintextTooLong, "DATA_LENGTH_TOO_LONG"),
    (Violation::EmptyFragment, "UNEXPECTED_RECORD"),
    (Violation::TooManyEmptyRecords, "TOO_MANY_EMPTY_FRAGMENTS"),
    (
        Violation::BadRecordMac,
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
    ),
    (
        Violation::OnlyPadding,
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
    ),
    (Violation::UnencryptedRecord, "INVALID_OUTER_RECORD_TYPE"),
    (Violation::UnexpectedChangeCipherSpec, "UNEXPECTED_RECORD"),
    (
        Violation::MalformedChangeCipherSpec,
        "BAD_CHANGE_CIPHER_SPEC",
    ),
    (
        Violation::TooManyChangeCipherSpecs,
        "TOO_MANY_EMPTY_FRAGMENTS",
    ),
    (Violation::InterleavedRecords, "UNEXPECTED_RECORD"),
    (Violation::EarlyApplicationData, "UNEXPECTED_RECORD"),
    (
        Violation::ReadLimitReached,
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
    ),
    (Violation::MalformedAlert, "BAD_ALERT"),
    (Violation::TooManyWarnings, "TOO_MANY_WARNING_ALERTS"),
    (Violation::MessageTooLong, "EXCESSIVE_MESSAGE_SIZE"),
    (Violation::HandshakeTooLong, "EXCESSIVE_MESSAGE_SIZE"),
    (Violation::MalformedMessage, "DECODE_ERROR"),
    (Violation::TrailingData, "DECODE_ERROR"),
    (Violation::UnexpectedMessage, "UNEXPECTED_MESSAGE"),
    (Violation::MessageAcrossKeyChange, "EXCESS_HANDSHAKE_DATA"),
    (Violation::DuplicateExtension, "DUPLICATE_EXTENSION"),
    (Violation::MisplacedExtension, "UNEXPECTED_EXTENSION"),
    (Violation::UnsolicitedExtension, "UNEXPECTED_EXTENSION"),
    (Violation::MalformedExtension, "ERROR_PARSING_EXTENSION"),
    (
        Violation::MissingNullCompression,
        "INVALID_COMPRESSION_LIST",
    ),
    (Violation::MissingKeyShare, "MISSING_KEY_SHARE"),
    (Violation::MissingSupportedGroups, "NO_SHARED_GROUP"),
    (
        Violation::MissingSignatureAlgorithms,
        "NO_COMMON_SIGNATURE_ALGORITHMS",
    ),
    (Violation::MissingPskModes, "MISSING_EXTENSION"),
    (Violation::BadPskBinder, "DIGEST_CHECK_FAILED"),
    (Violation::PskNotOffered, "PSK_IDENTITY_NOT_FOUND"),
    (Violation::PskSuiteMismatch, "OLD_SESSION_PRF_HASH_MISMATCH"),
    (Violation::PskNotLast, "PRE_SHARED_KEY_MUST_BE_LAST"),
    (
        Violation::PskBinderCount,
        "PSK_IDENTITY_BINDER_COUNT_MISMATCH",
    ),
    (Violation::BadServerName, "DECODE_ERROR"),
    (Violation::KeyShareNotInGroups, "WRONG_CURVE"),
    (Violation::DuplicateKeyShare, "DUPLICATE_KEY_SHARE"),
    (Violation::BadKeyShare, "BAD_ECPOINT"),
    (Violation::RetryKeyShareMissing, "WRONG_CURVE"),
    (Violation::RetryHelloChanged, "UNEXPECTED_MESSAGE"),
    (Violation::SecondRetry, "UNEXPECTED_MESSAGE"),
    (Violation::NeedlessRetry, "EMPTY_HELLO_RETRY_REQUEST"),
    (Violation::RetryGroupNotOffered, "WRONG_CURVE"),
    (Violation::SuiteNotOffered, "WRONG_CIPHER_RETURNED"),
    (Violation::SuiteChanged, "WRONG_CIPHER_RETURNED"),
    (Violation::VersionNotOffered, "UNSUPPORTED_PROTOCOL"),
    (
        Violation::SessionIdNotEchoed,
        "SERVER_ECHOED_INVALID_SESSION_ID",
    ),
    (Violation::CompressionChosen, "DECODE_ERROR"),
    (Violation::ServerShareNotOffered, "WRONG_CURVE"),
    (Violation::AlpnNotOffered, "INVALID_ALPN_PROTOCOL"),
    (Violation::EmptyServerCertificate, "DECODE_ERROR"),
    (Violation::TooManyCertificates, "EXCESSIVE_MESSAGE_SIZE"),
    (Violation::RequestContextNotEmpty, "DECODE_ERROR"),
    (Violation::RequestContextMismatch, "DECODE_ERROR"),
    (
        Violation::UndecodableLeafCertificate,
        "CANNOT_PARSE_LEAF_CERT",
    ),
    (Violation::UnsupportedPublicKey, "WRONG_CERTIFICATE_TYPE"),
    (Violation::KeyNotForSigning, "KEY_USAGE_BIT_INCORRECT"),
    (Violation::MalformedPublicKey, "WRONG_CERTIFICATE_TYPE"),
    (Violation::SignatureSchemeNotOffered, "WRONG_SIGNATURE_TYPE"),
    (
        Violation::SignatureSchemeForCertificatesOnly,
        "WRONG_SIGNATURE_TYPE",
    ),
    (Violation::SignatureKeyMismatch, "WRONG_SIGNATURE_TYPE"),
    (Violation::BadHandshakeSignature, "BAD_SIGNATURE"),
    (Violation::BadFinished, "DIGEST_CHECK_FAILED"),
    (Violation::BadKeyUpdate, "DECODE_ERROR"),
    (Violation::TooManyKeyUpdates, "TOO_MANY_KEY_UPDATES"),
    (Violation::TooManyMessages, "UNEXPECTED_MESSAGE"),
    (
        Violation::UnexpectedPostHandshakeRequest,
        "UNEXPECTED_MESSAGE",
    ),
    (
        Violation::PostHandshakeRequestUnderHttp2,
        "UNEXPECTED_MESSAGE",
    ),
    (Violation::MissingChangeCipherSpec, "UNEXPECTED_RECORD"),
    (Violation::BadAlertLevel, "UNKNOWN_ALERT_TYPE"),
    (Violation::BadDiffieHellmanValue, "BAD_ECPOINT"),
    (Violation::InappropriateFallback, "INAPPROPRIATE_FALLBACK"),
    (Violation::DowngradeDetected, "TLS13_DOWNGRADE"),
    (
        Violation::MissingUncompressedPoints,
        "ERROR_PARSING_EXTENSION",
    ),
    (
        Violation::SessionNotOffered,
        "SERVER_ECHOED_INVALID_SESSION_ID",
    ),
    (
        Violation::SessionSuiteChanged,
        "OLD_SESSION_CIPHER_NOT_RETURNED",
    ),
    (
        Violation::ExtendedMasterSecretLost,
        "RESUMED_EMS_SESSION_WITHOUT_EMS_EXTENSION",
    ),
    (
        Violation::MissingRenegotiationInfo,
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    ),
    (Violation::RenegotiationMismatch, "RENEGOTIATION_MISMATCH"),
    (Violation::ServerNameChanged, "RENEGOTIATION_MISMATCH"),
    (Violation::IdentityChanged, "SERVER_CERT_CHANGED"),
    (Violation::SuiteKeyMismatch, "WRONG_CERTIFICATE_TYPE"),
    (Violation::AnonymousRequest, "UNEXPECTED_MESSAGE"),
];

/// A received alert, as OpenSSL names it: by the version that brought it in.
fn of_alert(alert: Alert) -> &'static str {
    match alert {
        Alert::UnexpectedMessage => "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        Alert::BadRecordMac => "SSLV3_ALERT_BAD_RECORD_MAC",
        Alert::HandshakeFailure => "SSLV3_ALERT_HANDSHAKE_FAILURE",
        Alert::BadCertificate => "SSLV3_ALERT_BAD_CERTIFICATE",
        Alert::IllegalParameter => "SSLV3_ALERT_ILLEGAL_PARAMETER",
        Alert::RecordOverflow => "TLSV1_ALERT_RECORD_OVERFLOW",
        Alert::DecodeError => "TLSV1_ALERT_DECODE_ERROR",
        Alert::ProtocolVersion => "TLSV1_ALERT_PROTOCOL_VERSION",
        Alert::InternalError => "TLSV1_ALERT_INTERNAL_ERROR",
        Alert::NoRenegotiation => "NO_RENEGOTIATION",
        Alert::Unknown(30) => "SSLV3_ALERT_DECOMPRESSION_FAILURE",
        Alert::Unknown(_) => "UNKNOWN_ALERT_TYPE",
        _ => "TLSV1_ALERT",
    }
}

#[cfg(test)]
mod tests {
    use countersign::{Alert, Error, State, Violation};

    use super::{BY_VIOLATION, Moment, of, of_alert};

    fn at(during: State, last_message: &'static str) -> Moment {
        Moment {
            during,
            last_message: Some(last_message),
        }
    }

    #[test]
    fn every_violation_has_one_name() {
        for violation in Violation::ALL {
            let rows = BY_VIOLATION.iter().filter(|(known, _)| known == violation);
            assert_eq!(rows.count(), 1, "{violation:?}");
        }
    }

    #[test]
    fn some_names_depend_on_the_place() {
        let malformed = Error::PeerViolated {
            violation: Violation::TrailingData,
            alert: Violation::TrailingData.alert(),
        };
        let state = State::AwaitingClientHello;
        assert_eq!(
            of(&malformed, at(state, "ClientHello")),
            "CLIENTHELLO_PARSE_FAILED"
        );
        assert_eq!(of(&malformed, at(state, "Finished")), "DECODE_ERROR");
        let refused = |during| Error::AlertReceived {
            alert: Alert::HandshakeFailure,
            during,
        };
        let early = of(&refused(State::AwaitingServerHello), at(state, ""));
        assert_eq!(early, "HANDSHAKE_FAILURE_ON_CLIENT_HELLO");
        let late = of(&refused(State::Connected), at(state, ""));
        assert_eq!(late, "SSLV3_ALERT_HANDSHAKE_FAILURE");
    }

    #[test]
    fn alerts_are_named_after_the_version_that_brought_them() {
        assert_eq!(
            of_alert(Alert::UnexpectedMessage),
            "SSLV3_ALERT_UNEXPECTED_MESSAGE"
        );
        assert_eq!(
            of_alert(Alert::RecordOverflow),
            "TLSV1_ALERT_RECORD_OVERFLOW"
        );
        assert_eq!(
            of_alert(Alert::Unknown(30)),
            "SSLV3_ALERT_DECOMPRESSION_FAILURE"
        );
        assert_eq!(of_alert(Alert::Unknown(200)), "UNKNOWN_ALERT_TYPE");
    }
}
