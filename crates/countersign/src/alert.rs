//! TLS alerts: the one-byte reasons for which a connection is closed (RFC 9846 §6).

use core::fmt;

macro_rules! alerts {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// A TLS alert description (RFC 9846 §6).
        ///
        /// The numbers are those on the wire and those OpenSSL prints.
        ///
        /// ```
        /// use countersign::Alert;
        /// assert_eq!(Alert::from(116), Alert::CertificateRequired);
        /// assert_eq!(Alert::CertificateRequired.code(), 116);
        /// assert_eq!(Alert::CertificateRequired.name(), "certificate_required");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Alert {
            $($(#[$doc])* $variant,)*
            /// A number that no RFC read here assigns.
            Unknown(u8),
        }

        impl From<u8> for Alert {
            fn from(code: u8) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl Alert {
            /// The number on the wire.
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Unknown(code) => code,
                }
            }

            /// The name of the RFC, as `certificate_required`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown(_) => "unknown_alert",
                }
            }
        }
    };
}

alerts! {
    /// The sender will write nothing more. Not an error.
    CloseNotify = 0, "close_notify";
    /// A message that does not fit here, or not now.
    UnexpectedMessage = 10, "unexpected_message";
    /// A record could not be authenticated.
    BadRecordMac = 20, "bad_record_mac";
    /// A record longer than allowed.
    RecordOverflow = 22, "record_overflow";
    /// No acceptable set of parameters.
    HandshakeFailure = 40, "handshake_failure";
    /// A certificate was corrupt or refused.
    BadCertificate = 42, "bad_certificate";
    /// A certificate of an unsupported kind or purpose.
    UnsupportedCertificate = 43, "unsupported_certificate";
    /// A certificate was revoked by its issuer.
    CertificateRevoked = 44, "certificate_revoked";
    /// A certificate has expired or is not yet valid.
    CertificateExpired = 45, "certificate_expired";
    /// A certificate was refused for another reason.
    CertificateUnknown = 46, "certificate_unknown";
    /// A field was out of range or inconsistent.
    IllegalParameter = 47, "illegal_parameter";
    /// No path to a trusted authority.
    UnknownCa = 48, "unknown_ca";
    /// A valid certificate, but access is denied.
    AccessDenied = 49, "access_denied";
    /// A message could not be decoded.
    DecodeError = 50, "decode_error";
    /// A signature or a Finished did not verify.
    DecryptError = 51, "decrypt_error";
    /// The peer's protocol versions are not supported.
    ProtocolVersion = 70, "protocol_version";
    /// The parameters are not secure enough.
    InsufficientSecurity = 71, "insufficient_security";
    /// A failure that is not the peer's fault.
    InternalError = 80, "internal_error";
    /// A retry with a lower version was detected (RFC 7507).
    InappropriateFallback = 86, "inappropriate_fallback";
    /// The user gave up.
    UserCanceled = 90, "user_canceled";
    /// Renegotiation is refused (TLS 1.2, a warning).
    NoRenegotiation = 100, "no_renegotiation";
    /// A required extension was not sent.
    MissingExtension = 109, "missing_extension";
    /// An extension that may not be answered here was sent.
    UnsupportedExtension = 110, "unsupported_extension";
    /// No server of that name lives here.
    UnrecognizedName = 112, "unrecognized_name";
    /// A stapled OCSP response was refused.
    BadCertificateStatusResponse = 113, "bad_certificate_status_response";
    /// No such pre-shared key.
    UnknownPskIdentity = 115, "unknown_psk_identity";
    /// A client certificate is required and none was sent.
    CertificateRequired = 116, "certificate_required";
    /// No application protocol in common (RFC 7301).
    NoApplicationProtocol = 120, "no_application_protocol";
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Alert;

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in 0..=u8::MAX {
            assert_eq!(Alert::from(code).code(), code);
        }
    }
}
