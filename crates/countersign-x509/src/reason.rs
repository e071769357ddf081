//! Why a check failed or was left out, as data.

use crate::checks::signature::SignatureFault;
use crate::code::VerifyCode;
use crate::crl::RevocationReason;
use crate::der::{Malformed, ParseError};
use crate::time::Time;

/// Why a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The certificate, or one of its extensions, cannot be read (13 or 14 for its dates, else 20).
    Malformed(ParseError),
    /// No certificate was presented.
    NoCertificate,
    /// The application refused it, with this code.
    Application(VerifyCode),
    /// It failed on an earlier connection, of which only this code is known.
    EarlierConnection(VerifyCode),
    /// The peer's own key is below the security level (66).
    LeafKeyTooWeak {
        /// Strength of the key in bits; 0 for a kind of key not known here.
        bits: u32,
        /// Strength asked for, in bits.
        required: u32,
    },
    /// A CA's key is below the security level (67).
    IssuerKeyTooWeak {
        /// Strength of the key in bits; 0 for a kind of key not known here.
        bits: u32,
        /// Strength asked for, in bits.
        required: u32,
    },
    /// A signature's digest is below the security level (68).
    SignatureTooWeak {
        /// Strength of the digest in bits; 0 for an algorithm not known here.
        bits: u32,
        /// Strength asked for, in bits.
        required: u32,
    },
    /// The public key cannot be read (1).
    KeyUnreadable,
    /// More intermediate certificates than allowed (22).
    ChainTooLong {
        /// Number of intermediate certificates allowed.
        limit: u32,
    },
    /// The only certificate of the chain is self-signed and not in the trust store (18).
    SelfSignedLeaf,
    /// The chain ends at a self-signed certificate that is not in the trust store (19).
    UntrustedRoot,
    /// Nobody supplied the issuer of a certificate that the peer sent (20).
    IssuerMissing,
    /// The trust store lacks the issuer of one of its own certificates (2).
    StoredIssuerMissing,
    /// A lone certificate whose signature nothing can confirm (21).
    LeafSignatureUnverifiable,
    /// The search ended at a limit of the [`Budget`](crate::Budget) before a path was found, or the
    /// check was not made because the chain is long and had failed already (1).
    BudgetExhausted,
    /// A critical extension is unknown (34).
    UnknownCriticalExtension,
    /// A proxy certificate (40).
    ProxyCertificate,
    /// A certificate that issued another is not a CA (79).
    NotACa,
    /// The key spells out its curve (94).
    ExplicitCurve,
    /// An additional check of strict mode (78 to 93).
    Strict(StrictRule),
    /// A rule of [`Profile::WebPki`](crate::Profile::WebPki) that OpenSSL does not have.
    WebPki(WebPkiRule),
    /// Key usage, extended key usage or Netscape type forbids the use (26).
    WrongPurpose,
    /// More CAs below this one than its path length constraint allows (25).
    PathTooLong {
        /// CAs allowed below this one.
        allowed: u32,
        /// CAs found below it, those issued to themselves left out.
        found: u32,
    },
    /// None of the expected host names (62).
    HostMismatch,
    /// None of the expected e-mail addresses (63).
    EmailMismatch,
    /// None of the expected IP addresses (64).
    IpMismatch,
    /// None of the expected URIs (62, as OpenSSL has no code for it).
    UriMismatch,
    /// Something about revocation.
    Revocation(RevocationFailure),
    /// Something about a stapled OCSP response.
    Ocsp(OcspFailure),
    /// The certificate is revoked (23).
    Revoked {
        /// When it was revoked.
        on: Time,
        /// Why, if the list says so.
        why: Option<RevocationReason>,
    },
    /// The issuer's key usage does not allow signing certificates (32).
    IssuerMayNotSign,
    /// The issuer's key cannot be read (6).
    IssuerKeyUnreadable,
    /// The signature is not the issuer's (7).
    BadSignature(SignatureFault),
    /// Validity begins later (9).
    NotYetValid {
        /// Start of validity.
        from: Time,
    },
    /// Validity has ended (10).
    Expired {
        /// End of validity.
        since: Time,
    },
    /// A name breaks a name constraint of a CA above, or cannot be compared with it.
    NameConstraint(ConstraintFailure),
    /// Something about certificate policies.
    Policy(PolicyFailure),
}

impl Reason {
    /// The code that OpenSSL gives this failure.
    pub fn code(&self) -> VerifyCode {
        match self {
            Self::Malformed(error) => match error.what {
                Malformed::BadNotBefore => VerifyCode::ERROR_IN_CERT_NOT_BEFORE_FIELD,
                Malformed::BadNotAfter => VerifyCode::ERROR_IN_CERT_NOT_AFTER_FIELD,
                // OpenSSL finds no issuer for a certificate whose extensions it cannot read.
                _ => VerifyCode::UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            },
            Self::KeyUnreadable | Self::BudgetExhausted => VerifyCode::UNSPECIFIED,
            Self::NoCertificate => VerifyCode::INVALID_CALL,
            Self::Application(code) | Self::EarlierConnection(code) => *code,
            Self::LeafKeyTooWeak { .. } => VerifyCode::EE_KEY_TOO_SMALL,
            Self::IssuerKeyTooWeak { .. } => VerifyCode::CA_KEY_TOO_SMALL,
            Self::SignatureTooWeak { .. } => VerifyCode::CA_MD_TOO_WEAK,
            Self::ChainTooLong { .. } => VerifyCode::CERT_CHAIN_TOO_LONG,
            Self::SelfSignedLeaf => VerifyCode::DEPTH_ZERO_SELF_SIGNED_CERT,
            Self::UntrustedRoot => VerifyCode::SELF_SIGNED_CERT_IN_CHAIN,
            Self::IssuerMissing => VerifyCode::UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            Self::StoredIssuerMissing => VerifyCode::UNABLE_TO_GET_ISSUER_CERT,
            Self::LeafSignatureUnverifiable => VerifyCode::UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            Self::UnknownCriticalExtension => VerifyCode::UNHANDLED_CRITICAL_EXTENSION,
            Self::ProxyCertificate => VerifyCode::PROXY_CERTIFICATES_NOT_ALLOWED,
            Self::NotACa => VerifyCode::INVALID_CA,
            Self::ExplicitCurve => VerifyCode::EC_KEY_EXPLICIT_PARAMS,
            Self::Strict(rule) => rule.code(),
            Self::WebPki(rule) => rule.code(),
            Self::WrongPurpose => VerifyCode::INVALID_PURPOSE,
            Self::PathTooLong { .. } => VerifyCode::PATH_LENGTH_EXCEEDED,
            Self::HostMismatch | Self::UriMismatch => VerifyCode::HOSTNAME_MISMATCH,
            Self::EmailMismatch => VerifyCode::EMAIL_MISMATCH,
            Self::IpMismatch => VerifyCode::IP_ADDRESS_MISMATCH,
            Self::Revocation(failure) => failure.code(),
            Self::Ocsp(failure) => failure.code(),
            Self::Revoked { .. } => VerifyCode::CERT_REVOKED,
            Self::IssuerMayNotSign => VerifyCode::KEYUSAGE_NO_CERTSIGN,
            Self::IssuerKeyUnreadable => VerifyCode::UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
            Self::BadSignature(_) => VerifyCode::CERT_SIGNATURE_FAILURE,
            Self::NotYetValid { .. } => VerifyCode::CERT_NOT_YET_VALID,
            Self::Expired { .. } => VerifyCode::CERT_HAS_EXPIRED,
            Self::NameConstraint(failure) => failure.code(),
            Self::Policy(failure) => failure.code(),
        }
    }
}

/// Writes an enum each of whose variants stands for one code.
macro_rules! coded {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:ident,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// The code that OpenSSL gives this failure, or the nearest one.
            pub fn code(self) -> VerifyCode {
                match self {
                    $(Self::$variant => VerifyCode::$code,)*
                }
            }
        }
    };
}

coded! {
    /// The additional rules of `X509_V_FLAG_X509_STRICT`, in the order in which OpenSSL asks.
    StrictRule {
        /// The leaf of an old kind is a CA (79).
        OldStyleCa = INVALID_CA,
        /// RFC 5280 §4.2.1.9: a path length only for a CA (80).
        PathLengthWithoutCa = PATHLEN_INVALID_FOR_NON_CA,
        /// RFC 5280 §4.2.1.9: a path length only with keyCertSign (81).
        PathLengthWithoutCertSign = PATHLEN_WITHOUT_KU_KEY_CERT_SIGN,
        /// RFC 5280 §4.2.1.9: basic constraints of a CA are critical (89).
        BasicConstraintsNotCritical = CA_BCONS_NOT_CRITICAL,
        /// RFC 5280 §4.2.1.3: a CA has a key usage (92).
        CaWithoutKeyUsage = CA_CERT_MISSING_KEY_USAGE,
        /// RFC 5280 §4.2.1.9: keyCertSign only for a CA (82).
        CertSignWithoutCa = KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA,
        /// RFC 5280 §4.1.2.4: the issuer has a name (83).
        EmptyIssuer = ISSUER_NAME_EMPTY,
        /// RFC 5280 §4.1.2.6: the subject has a name where it needs one (84).
        EmptySubject = SUBJECT_NAME_EMPTY,
        /// RFC 5280 §4.1.2.6: without a subject the alternative names are critical (88).
        AlternativeNamesNotCritical = EMPTY_SUBJECT_SAN_NOT_CRITICAL,
        /// RFC 5280 §4.2.1.6: alternative names are not empty (87).
        NoAlternativeNames = EMPTY_SUBJECT_ALT_NAME,
        /// RFC 5280 §4.1.1.2: both signature algorithms are equal (78).
        SignatureAlgorithmsDiffer = SIGNATURE_ALGORITHM_INCONSISTENCY,
        /// RFC 5280 §4.2.1.1: the authority key identifier is present (85).
        NoAuthorityKeyIdentifier = MISSING_AUTHORITY_KEY_IDENTIFIER,
        /// RFC 5280 §4.2.1.2: a CA has a subject key identifier (86).
        NoSubjectKeyIdentifier = MISSING_SUBJECT_KEY_IDENTIFIER,
        /// RFC 5280 §4.1.2.9: extensions only in version 3 (93).
        ExtensionsBeforeVersion3 = EXTENSIONS_REQUIRE_VERSION_3,
    }
}

coded! {
    /// Rules of RFC 5280 and of the CA/Browser Forum that OpenSSL does not have.
    WebPkiRule {
        /// RFC 5280 §4.1.2.1: the certificate is of version 3.
        NotVersion3 = EXTENSIONS_REQUIRE_VERSION_3,
        /// RFC 5280 §4.1.2.2: the serial number is positive and at most 20 octets long.
        SerialNumber = INVALID_EXTENSION,
        /// RFC 5280 §4.1.2.4: the issuer has a name.
        EmptyIssuer = ISSUER_NAME_EMPTY,
        /// RFC 5280 §4.1.2.6: a CA has a name.
        EmptySubject = SUBJECT_NAME_EMPTY,
        /// RFC 5280 §4.2.1.1: the authority key identifier is present, not critical, and on a root
        /// names the root's own key and nothing else.
        AuthorityKeyIdentifier = MISSING_AUTHORITY_KEY_IDENTIFIER,
        /// RFC 5280 §4.2.1.2: a CA has a subject key identifier, which is not critical.
        SubjectKeyIdentifier = MISSING_SUBJECT_KEY_IDENTIFIER,
        /// RFC 5280 §4.2.1.9: a CA has basic constraints, and they are critical.
        BasicConstraints = CA_BCONS_NOT_CRITICAL,
        /// RFC 5280 §4.2.1.3: a CA has a key usage with keyCertSign, and nobody else has.
        KeyUsage = CA_CERT_MISSING_KEY_USAGE,
        /// RFC 5280 §4.2.1.10: name constraints stand only in CA certificates, are not empty, and
        /// every base is well-formed.
        NameConstraints = UNSUPPORTED_CONSTRAINT_SYNTAX,
        /// RFC 5280 §4.2.2.1: authority information access is not critical.
        AuthorityInformationAccess = INVALID_EXTENSION,
        /// RFC 5280 §4.2.1.11: policy constraints are critical.
        PolicyConstraints = INVALID_POLICY_EXTENSION,
        /// The peer's certificate lists alternative names, which are critical if it has no subject,
        /// and all of them are well-formed.
        AlternativeNames = UNSUPPORTED_NAME_SYNTAX,
        /// A common name that is an address or a host name is written in its usual form.
        CommonName = HOSTNAME_MISMATCH,
        /// The peer's own certificate is not a CA certificate.
        LeafIsCa = INVALID_NON_CA,
        /// The peer's certificate has an extended key usage, which is not critical and does not
        /// allow any use; a root has none.
        ExtendedKeyUsage = INVALID_PURPOSE,
        /// A kind and size of key that public CAs may certify.
        Key = EE_KEY_TOO_SMALL,
        /// A signature algorithm that public CAs may use.
        SignatureAlgorithm = CA_MD_TOO_WEAK,
    }
}

coded! {
    /// What is wrong with a certificate's revocation status.
    RevocationFailure {
        /// No usable list covers the certificate (3).
        NoList = UNABLE_TO_GET_CRL,
        /// The list is signed by somebody outside the chain (33).
        NoIssuer = UNABLE_TO_GET_CRL_ISSUER,
        /// The issuer's key usage does not allow signing lists (35).
        IssuerMayNotSign = KEYUSAGE_NO_CRL_SIGN,
        /// The list is for other certificates (44).
        OtherScope = DIFFERENT_CRL_SCOPE,
        /// The list is from the future (11).
        NotYetValid = CRL_NOT_YET_VALID,
        /// The list should have been replaced (12).
        Expired = CRL_HAS_EXPIRED,
        /// The issuer's key cannot be read (6).
        IssuerKeyUnreadable = UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
        /// The list's signature is not its issuer's (8).
        BadSignature = CRL_SIGNATURE_FAILURE,
        /// No valid chain leads from the list's issuer to the same anchor (54).
        IssuerNotValid = CRL_PATH_VALIDATION_ERROR,
        /// The list has an unknown critical extension (36).
        UnknownCriticalExtension = UNHANDLED_CRITICAL_CRL_EXTENSION,
    }
}

coded! {
    /// What is wrong with the OCSP response for a certificate.
    OcspFailure {
        /// The certificate demands a stapled response, and there is none (73).
        MustStaple = OCSP_VERIFY_NEEDED,
        /// The responder is neither the issuer nor certified by it for the task (74).
        ResponderNotAuthorized = OCSP_VERIFY_FAILED,
        /// The response does not come with the certificate of its responder (74).
        ResponderUnknown = OCSP_VERIFY_FAILED,
        /// The responder does not know the certificate (75).
        CertificateUnknown = OCSP_CERT_UNKNOWN,
        /// The response cannot be read, or the responder gave no answer (96).
        Unusable = OCSP_RESP_INVALID,
        /// The response has an unknown critical extension (96).
        UnknownCriticalExtension = OCSP_RESP_INVALID,
        /// The signature is not the responder's (97).
        BadSignature = OCSP_SIGNATURE_FAILURE,
        /// The signature's digest is below the security level (97).
        SignatureTooWeak = OCSP_SIGNATURE_FAILURE,
        /// The response is from the future (98).
        NotYetValid = OCSP_NOT_YET_VALID,
        /// The response should have been replaced (99).
        Expired = OCSP_HAS_EXPIRED,
        /// No response is about the certificate (100).
        NoResponse = OCSP_NO_RESPONSE,
    }
}

coded! {
    /// How a name fails a name constraint.
    ConstraintFailure {
        /// No permitted subtree of that kind of name holds it (47).
        NotPermitted = PERMITTED_VIOLATION,
        /// An excluded subtree holds it (48).
        Excluded = EXCLUDED_VIOLATION,
        /// The constraint has a minimum or maximum (49).
        MinimumOrMaximum = SUBTREE_MINMAX,
        /// A constraint on a kind of name that cannot be compared (51).
        UnsupportedKind = UNSUPPORTED_CONSTRAINT_TYPE,
        /// A malformed constraint (52).
        ConstraintSyntax = UNSUPPORTED_CONSTRAINT_SYNTAX,
        /// A malformed name (53).
        NameSyntax = UNSUPPORTED_NAME_SYNTAX,
        /// More comparisons than are reasonable (1).
        TooMany = UNSPECIFIED,
    }
}

coded! {
    /// What is wrong with certificate policies.
    PolicyFailure {
        /// A policy extension is empty, states a policy twice, or maps anyPolicy (42).
        Contradictory = INVALID_POLICY_EXTENSION,
        /// More policies than are reasonable (42).
        TooMany = INVALID_POLICY_EXTENSION,
        /// A policy is demanded, and no acceptable one applies (43).
        NoneAcceptable = NO_EXPLICIT_POLICY,
    }
}

/// Why a check was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// The parameters do not ask for it.
    NotRequested,
    /// The profile does not ask this of a certificate in this place.
    NotInProfile,
    /// There is nothing the check could look at.
    NothingToCheck,
    /// Dates are not checked ([`ValidationTime::Unchecked`](crate::ValidationTime::Unchecked)).
    TimeUnchecked,
    /// An OCSP response has told it already.
    StatusKnown,
    /// There is no usable OCSP response, so revocation lists decide.
    LeftToLists,
    /// A self-signed certificate is not looked up in revocation lists.
    SelfSigned,
    /// The chain ends here without reaching an anchor, so OpenSSL does not look at this
    /// certificate's dates, nor does it announce it to the verify callback.
    Unanchored,
}
