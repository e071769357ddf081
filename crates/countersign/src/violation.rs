//! The table of protocol violations: what a peer can do wrong, the alert it earns, the
//! rule it broke and a sentence about it. A row cannot lack any of the four.

use core::fmt;

use crate::alert::Alert;

macro_rules! violations {
    ($($variant:ident, $alert:ident, $source:literal, $sentence:literal;)*) => {
        /// A rule of the protocol that the peer broke.
        ///
        /// Each names its alert, its source and says in a sentence what happened.
        ///
        /// ```
        /// use countersign::{Alert, Violation};
        /// let broken = Violation::BadRecordMac;
        /// assert_eq!(broken.alert(), Alert::BadRecordMac);
        /// assert_eq!(broken.source(), "RFC 9846 §5.2");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Violation {
            $(#[doc = concat!($sentence, " (", $source, ")")] $variant,)*
        }

        impl Violation {
            /// Every row of the table, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The alert sent to the peer.
            pub const fn alert(self) -> Alert {
                match self { $(Self::$variant => Alert::$alert,)* }
            }

            /// The rule that was broken: an RFC and its section.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }

            /// What the peer did, as a sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

violations! {
    // Records
    UnknownContentType, UnexpectedMessage, "RFC 9846 §5.1", "It sent a record of an unknown content type.";
    NotTls, ProtocolVersion, "RFC 9846 §5.1", "It did not answer in TLS.";
    RecordTooLong, RecordOverflow, "RFC 9846 §5.1", "It sent a record longer than the protocol allows.";
    PlaintextTooLong, RecordOverflow, "RFC 9846 §5.4", "It sent a record whose content is longer than 16,384 bytes.";
    EmptyFragment, UnexpectedMessage, "RFC 9846 §5.1", "It sent an empty record of a type that must not be empty.";
    TooManyEmptyRecords, UnexpectedMessage, "RFC 9846 §5.1", "It sent too many empty records in a row.";
    BadRecordMac, BadRecordMac, "RFC 9846 §5.2", "A record could not be authenticated: it was damaged, forged or encrypted under another key.";
    OnlyPadding, UnexpectedMessage, "RFC 9846 §5.4", "It sent an encrypted record that holds nothing but padding.";
    UnencryptedRecord, UnexpectedMessage, "RFC 9846 §5.2", "It sent a plaintext record where an encrypted one was due.";
    UnexpectedChangeCipherSpec, UnexpectedMessage, "RFC 9846 §5", "It sent a change_cipher_spec where none is allowed.";
    MalformedChangeCipherSpec, UnexpectedMessage, "RFC 9846 §5", "It sent a change_cipher_spec other than the single byte 1.";
    TooManyChangeCipherSpecs, UnexpectedMessage, "RFC 9846 §5", "It sent too many change_cipher_spec records.";
    InterleavedRecords, UnexpectedMessage, "RFC 9846 §5.1", "It put another record between the fragments of a handshake message.";
    EarlyApplicationData, UnexpectedMessage, "RFC 9846 §2", "It sent application data before the handshake allows it.";
    ReadLimitReached, BadRecordMac, "RFC 9846 §5.5", "It used one key for more records than is safe.";

    MissingChangeCipherSpec, UnexpectedMessage, "RFC 5246 §7.4.9", "It did not send the change_cipher_spec that was due.";

    // Alerts
    BadAlertLevel, IllegalParameter, "RFC 5246 §7.2", "It sent an alert that is neither a warning nor fatal.";
    MalformedAlert, DecodeError, "RFC 9846 §6", "It sent an alert that is not exactly two bytes.";
    TooManyWarnings, UnexpectedMessage, "RFC 9846 §6", "It sent too many warning alerts in a row.";

    // Handshake messages
    MessageTooLong, IllegalParameter, "RFC 9846 §4", "It announced a handshake message longer than the limit.";
    HandshakeTooLong, IllegalParameter, "RFC 9846 §4", "Its handshake is longer than the limit.";
    MalformedMessage, DecodeError, "RFC 9846 §3", "It sent a handshake message that cannot be decoded.";
    TrailingData, DecodeError, "RFC 9846 §3", "It sent a handshake message with bytes left over.";
    UnexpectedMessage, UnexpectedMessage, "RFC 9846 §4", "It sent a handshake message that does not fit here.";
    MessageAcrossKeyChange, UnexpectedMessage, "RFC 9846 §5.1", "It let a handshake message run across a change of keys.";
    DuplicateExtension, IllegalParameter, "RFC 9846 §4.3", "It sent the same extension twice in one message.";
    MisplacedExtension, IllegalParameter, "RFC 9846 §4.3", "It sent an extension in a message that may not carry it.";
    UnsolicitedExtension, UnsupportedExtension, "RFC 9846 §4.3", "It answered an extension that was not offered.";
    MalformedExtension, DecodeError, "RFC 9846 §4.3", "It sent an extension that cannot be decoded.";

    // Hellos
    MissingNullCompression, IllegalParameter, "RFC 9846 §4.2.1", "Its ClientHello does not offer exactly the null compression method.";
    MissingKeyShare, MissingExtension, "RFC 9846 §9.2", "It sent no key_share extension.";
    MissingSupportedGroups, MissingExtension, "RFC 9846 §9.2", "It sent no supported_groups extension.";
    MissingSignatureAlgorithms, MissingExtension, "RFC 9846 §9.2", "It sent no signature_algorithms extension.";
    MissingPskModes, MissingExtension, "RFC 9846 §4.3.9", "It offered a pre-shared key without psk_key_exchange_modes.";
    BadPskBinder, DecryptError, "RFC 9846 §4.3.11", "It offered to resume a session without holding its secret.";
    PskNotOffered, IllegalParameter, "RFC 9846 §4.3.11", "It resumed a session that was not offered.";
    PskSuiteMismatch, IllegalParameter, "RFC 9846 §4.3.11", "It resumed a session with a cipher suite of another hash.";
    PskNotLast, IllegalParameter, "RFC 9846 §4.3.11", "Its pre_shared_key extension is not the last one.";
    PskBinderCount, IllegalParameter, "RFC 9846 §4.3.11", "It did not send one binder for each pre-shared key.";
    BadServerName, IllegalParameter, "RFC 6066 §3", "It asked for a server by more than one host name, or by one that is not printable ASCII.";
    KeyShareNotInGroups, IllegalParameter, "RFC 9846 §4.3.8", "It sent a key share for a group that it does not support.";
    DuplicateKeyShare, IllegalParameter, "RFC 9846 §4.3.8", "It sent two key shares for one group.";
    BadKeyShare, IllegalParameter, "RFC 9846 §4.3.8", "It sent a key share that is not a valid public value of its group.";
    BadDiffieHellmanValue, HandshakeFailure, "RFC 7919 §5.1", "It sent a Diffie-Hellman value that is not between 1 and p - 1.";
    RetryKeyShareMissing, IllegalParameter, "RFC 9846 §4.2.2", "Its second ClientHello does not hold just the key share that was asked for.";
    RetryHelloChanged, IllegalParameter, "RFC 9846 §4.2.2", "Its second ClientHello differs from the first where it must not.";
    SecondRetry, UnexpectedMessage, "RFC 9846 §4.2.4", "It asked for a second retry of the ClientHello.";
    NeedlessRetry, IllegalParameter, "RFC 9846 §4.2.4", "Its HelloRetryRequest would not change the ClientHello.";
    RetryGroupNotOffered, IllegalParameter, "RFC 9846 §4.3.8", "Its HelloRetryRequest names a group that was not offered or already has a share.";
    SuiteNotOffered, IllegalParameter, "RFC 9846 §4.2.3", "It chose a cipher suite that was not offered.";
    SuiteChanged, IllegalParameter, "RFC 9846 §4.2.4", "It changed the cipher suite after its HelloRetryRequest.";
    VersionNotOffered, IllegalParameter, "RFC 9846 §4.3.1", "It chose a protocol version that was not offered.";
    SessionIdNotEchoed, IllegalParameter, "RFC 9846 §4.2.3", "It did not return the session id of the ClientHello.";
    CompressionChosen, IllegalParameter, "RFC 9846 §4.2.3", "It chose a compression method.";
    ServerShareNotOffered, IllegalParameter, "RFC 9846 §4.3.8", "Its key share is of a group that was not offered.";
    AlpnNotOffered, IllegalParameter, "RFC 7301 §3.1", "It chose an application protocol that was not offered.";

    // Hellos of TLS 1.2
    InappropriateFallback, InappropriateFallback, "RFC 7507 §3", "It fell back to an older version although both ends have a newer one.";
    DowngradeDetected, IllegalParameter, "RFC 9846 §4.2.3", "Its random value says that somebody made it choose an older version than it has.";
    MissingUncompressedPoints, IllegalParameter, "RFC 8422 §5.1.2", "It does not take points in uncompressed form.";
    SessionNotOffered, IllegalParameter, "RFC 5246 §7.4.1.3", "It resumed a session that was not offered.";
    SessionSuiteChanged, IllegalParameter, "RFC 5246 §7.4.1.3", "It resumed a session with another cipher suite.";
    ExtendedMasterSecretLost, HandshakeFailure, "RFC 7627 §5.3", "It dropped the extended master secret of the session or connection at hand.";
    MissingRenegotiationInfo, HandshakeFailure, "RFC 5746 §3.4", "It lacks secure renegotiation.";
    RenegotiationMismatch, HandshakeFailure, "RFC 5746 §3.5", "Its renegotiation_info does not belong to this connection: somebody is in between.";
    ServerNameChanged, IllegalParameter, "RFC 5746 §5", "It asked for another server name in a renegotiation.";
    IdentityChanged, IllegalParameter, "RFC 5746 §5", "It was somebody else before the renegotiation.";

    // Authentication in TLS 1.2
    SuiteKeyMismatch, IllegalParameter, "RFC 5246 §7.4.2", "The key of its certificate does not fit the cipher suite.";
    AnonymousRequest, HandshakeFailure, "RFC 5246 §7.4.4", "It asked for a certificate although it is anonymous itself.";

    // Authentication
    EmptyServerCertificate, DecodeError, "RFC 9846 §4.5.2", "It sent no certificate although a server must.";
    TooManyCertificates, BadCertificate, "RFC 9846 §4.5.2", "It sent more certificates than the limit.";
    RequestContextNotEmpty, DecodeError, "RFC 9846 §4.4.2", "Its certificate request context must be empty in the handshake.";
    RequestContextMismatch, DecodeError, "RFC 9846 §4.5.2", "Its certificate answers a request that was not made.";
    UndecodableLeafCertificate, BadCertificate, "RFC 9846 §4.5.2", "The certificate that it sent cannot be decoded.";
    UnsupportedPublicKey, UnsupportedCertificate, "RFC 9846 §4.5.2", "The key of its certificate is of a kind or size that is not supported.";
    KeyNotForSigning, UnsupportedCertificate, "RFC 9846 §4.5.2.2", "The keyUsage of its certificate does not allow the key to sign.";
    MalformedPublicKey, BadCertificate, "RFC 9846 §4.5.2", "The key of its certificate is not a valid key of its kind.";
    SignatureSchemeNotOffered, IllegalParameter, "RFC 9846 §4.5.3", "It signed with a scheme that was not offered.";
    SignatureSchemeForCertificatesOnly, IllegalParameter, "RFC 9846 §4.3.3", "It signed the handshake with a scheme that is allowed in certificates only.";
    SignatureKeyMismatch, IllegalParameter, "RFC 9846 §4.5.3", "It signed with a scheme that does not fit the key of its certificate.";
    BadHandshakeSignature, DecryptError, "RFC 9846 §4.5.3", "Its signature over the handshake does not verify: it does not hold the private key of its certificate.";
    BadFinished, DecryptError, "RFC 9846 §4.5.4", "Its Finished does not verify: somebody changed the handshake.";

    // After the handshake
    BadKeyUpdate, IllegalParameter, "RFC 9846 §4.7.3", "It sent a KeyUpdate that is neither a request nor none.";
    TooManyKeyUpdates, UnexpectedMessage, "RFC 9846 §4.7.3", "It sent too many KeyUpdates without data between them.";
    TooManyMessages, UnexpectedMessage, "RFC 9846 §4.7", "It sent too many messages after the handshake without data between them.";
    UnexpectedPostHandshakeRequest, UnexpectedMessage, "RFC 9846 §4.7.2", "It asked for a certificate after the handshake although that was not offered.";
    PostHandshakeRequestUnderHttp2, UnexpectedMessage, "RFC 9113 §9.2.3", "It asked for a certificate after the handshake although HTTP/2 forbids that.";
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.sentence(), self.source())
    }
}

#[cfg(test)]
mod tests {
    use super::Violation;

    #[test]
    fn every_row_is_a_sentence_with_a_source() {
        for row in Violation::ALL {
            assert!(row.sentence().ends_with('.'), "{row:?}");
            assert!(row.source().starts_with("RFC "), "{row:?}");
            assert!(row.source().contains('§'), "{row:?}");
        }
    }
}
