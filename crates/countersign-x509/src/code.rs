//! The verification result codes of OpenSSL (`X509_V_OK`, `X509_V_ERR_*`) as one table.
//!
//! A code is what remains of a [`Report`](crate::Report) when only one number can be said. Each
//! row holds everything a human or a TLS stack may want to know about it, so that
//! `explain CODE` needs no second source.

use core::fmt;

/// A verification result code, numbered as OpenSSL numbers `X509_V_ERR_*` (0 is `X509_V_OK`).
///
/// Numbers outside the table are kept as they are, because a verify callback may set any.
///
/// ```
/// use countersign_x509::VerifyCode;
///
/// let code = VerifyCode::CERT_HAS_EXPIRED;
/// assert_eq!(code.number(), 10);
/// assert_eq!(code.name(), "X509_V_ERR_CERT_HAS_EXPIRED");
/// assert_eq!(code.alert(), 45); // certificate_expired
/// assert_eq!(VerifyCode::new(10), code);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerifyCode(u32);

/// One line of the table: what is known about one code.
struct Row {
    name: &'static str,
    /// TLS alert number (RFC 9846 §6.2) that tells the peer about this failure.
    alert: u8,
    meaning: &'static str,
    usual_cause: &'static str,
    remedy: &'static str,
}

impl VerifyCode {
    /// The code with this number. No number is refused.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number, as `SSL_get_verify_result` returns it.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// True for `X509_V_OK`.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// OpenSSL's name, `"X509_V_ERR_CERT_HAS_EXPIRED"` for example; `"unknown"` outside the table.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What the code says, as a clause without a full stop.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What is most often behind it.
    pub fn usual_cause(self) -> &'static str {
        self.row().usual_cause
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// The number of the TLS alert with which OpenSSL answers this code.
    ///
    /// Codes without an alert of their own, and numbers outside the table, give
    /// `certificate_unknown` (46). That includes [`VerifyCode::OK`], which is asked for only
    /// when verification failed although no error is recorded.
    pub fn alert(self) -> u8 {
        self.row().alert
    }

    /// The code with this OpenSSL name, with or without the leading `X509_V_` or `X509_V_ERR_`.
    /// Letters may be of either case.
    ///
    /// ```
    /// use countersign_x509::VerifyCode;
    /// assert_eq!(VerifyCode::from_name("cert_revoked"), Some(VerifyCode::CERT_REVOKED));
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        let matches = |known: &str| {
            let short = known.strip_prefix("X509_V_").unwrap_or(known);
            let bare = short.strip_prefix("ERR_").unwrap_or(short);
            [known, short, bare]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        Self::all().find(|code| matches(code.name()))
    }

    /// Every code of the table in the order of the numbers, 0 to 101.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).zip(TABLE).map(|(number, _)| Self(number))
    }

    fn row(self) -> &'static Row {
        usize::try_from(self.0)
            .ok()
            .and_then(|index| TABLE.get(index))
            .unwrap_or(&OUTSIDE)
    }
}

impl fmt::Display for VerifyCode {
    /// Number, name and meaning on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.0, self.name(), self.meaning())
    }
}

/// Stands for every number OpenSSL has given no meaning.
const OUTSIDE: Row = Row {
    name: "unknown",
    alert: 46,
    meaning: "a code without a meaning of its own",
    usual_cause: "an application's callback has set a number of its own",
    remedy: "ask the operator of the application",
};

/// Writes the table, and a constant for each of its rows.
macro_rules! codes {
    ($($constant:ident = $number:literal $name:literal $alert:literal: $meaning:literal, $cause:literal, $remedy:literal;)*) => {
        impl VerifyCode {
            $(#[doc = concat!("`", $name, "`: ", $meaning, ".")]
            pub const $constant: Self = Self($number);)*
        }

        /// Indexed by the code's number, which a test compares with the constants.
        static TABLE: &[Row] = &[$(Row {
            name: $name,
            alert: $alert,
            meaning: $meaning,
            usual_cause: $cause,
            remedy: $remedy,
        }),*];
    };
}

codes! {
    OK = 0 "X509_V_OK" 46:
        "no error: the chain was accepted, or nothing has been checked yet",
        "every required check passed",
        "nothing to do";
    UNSPECIFIED = 1 "X509_V_ERR_UNSPECIFIED" 80:
        "verification failed and nobody named a reason",
        "a verify callback refused a step that had no error, or a certificate's key cannot be used at all",
        "let the callback name a code when it refuses; otherwise inspect the certificate with another tool";
    UNABLE_TO_GET_ISSUER_CERT = 2 "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT" 48:
        "the chain reached a certificate of the trust store that is not self-signed, and its own issuer is missing",
        "the trust store holds an intermediate CA but not the root above it",
        "add the root certificate to the trust store, or allow partial chains";
    UNABLE_TO_GET_CRL = 3 "X509_V_ERR_UNABLE_TO_GET_CRL" 48:
        "revocation is to be checked, and no usable revocation list covers this certificate",
        "the issuer's list was not loaded, or belongs to another issuer or scope",
        "load a current list of this certificate's issuer, or ask for less revocation checking";
    UNABLE_TO_DECRYPT_CERT_SIGNATURE = 4 "X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE" 42:
        "the signature value of a certificate could not be recovered",
        "historic; current code reports CERT_SIGNATURE_FAILURE instead",
        "have the certificate issued again";
    UNABLE_TO_DECRYPT_CRL_SIGNATURE = 5 "X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE" 42:
        "the signature value of a revocation list could not be recovered",
        "historic; current code reports CRL_SIGNATURE_FAILURE instead",
        "fetch the revocation list again";
    UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY = 6 "X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY" 42:
        "the public key of the issuer cannot be read",
        "the issuer's certificate holds a key of an unknown kind or a malformed one",
        "replace the issuer's certificate by one with an RSA, ECDSA or Ed25519 key";
    CERT_SIGNATURE_FAILURE = 7 "X509_V_ERR_CERT_SIGNATURE_FAILURE" 51:
        "the signature on the certificate is not its issuer's",
        "the certificate was altered, or another CA of the same name signed it",
        "have the peer send the certificate as it was issued, with the matching intermediate";
    CRL_SIGNATURE_FAILURE = 8 "X509_V_ERR_CRL_SIGNATURE_FAILURE" 51:
        "the signature on the revocation list is not its issuer's",
        "the list was altered or truncated, or signed with an older key of the CA",
        "fetch the revocation list again from the CA";
    CERT_NOT_YET_VALID = 9 "X509_V_ERR_CERT_NOT_YET_VALID" 42:
        "the certificate's validity has not begun",
        "this machine's clock is behind, or the certificate was issued for a later date",
        "correct this machine's clock, or wait until the certificate becomes valid";
    CERT_HAS_EXPIRED = 10 "X509_V_ERR_CERT_HAS_EXPIRED" 45:
        "the certificate's validity has ended",
        "it was not renewed in time, or this machine's clock is ahead",
        "renew the certificate where it is used, or correct this machine's clock";
    CRL_NOT_YET_VALID = 11 "X509_V_ERR_CRL_NOT_YET_VALID" 42:
        "the revocation list was issued in the future",
        "this machine's clock is behind the CA's",
        "correct this machine's clock";
    CRL_HAS_EXPIRED = 12 "X509_V_ERR_CRL_HAS_EXPIRED" 45:
        "the revocation list should have been replaced by a newer one",
        "the job that fetches revocation lists has stopped",
        "fetch the current list from the CA";
    ERROR_IN_CERT_NOT_BEFORE_FIELD = 13 "X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD" 42:
        "the start of the certificate's validity is malformed",
        "the software that issued it writes times in a form RFC 5280 does not allow",
        "have the certificate issued again with correct times";
    ERROR_IN_CERT_NOT_AFTER_FIELD = 14 "X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD" 42:
        "the end of the certificate's validity is malformed",
        "the software that issued it writes times in a form RFC 5280 does not allow",
        "have the certificate issued again with correct times";
    ERROR_IN_CRL_LAST_UPDATE_FIELD = 15 "X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD" 42:
        "the issue time of the revocation list is malformed",
        "the software that made the list writes times wrongly",
        "have the CA issue the list again";
    ERROR_IN_CRL_NEXT_UPDATE_FIELD = 16 "X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD" 42:
        "the time of the next update in the revocation list is malformed",
        "the software that made the list writes times wrongly",
        "have the CA issue the list again";
    OUT_OF_MEM = 17 "X509_V_ERR_OUT_OF_MEM" 80:
        "there was not enough memory to verify",
        "the machine is overloaded",
        "try again with more memory";
    DEPTH_ZERO_SELF_SIGNED_CERT = 18 "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT" 48:
        "the peer's certificate is self-signed and not trusted here",
        "a test or home-made certificate, or a device's factory certificate",
        "add exactly this certificate to the trust store, or use one issued by a CA that is trusted";
    SELF_SIGNED_CERT_IN_CHAIN = 19 "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN" 48:
        "the chain ends at a root that is not trusted here",
        "a private CA whose root was never added, or an interception proxy",
        "add the root to the trust store if it deserves trust";
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20 "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY" 48:
        "the issuer of a certificate the peer sent is neither among the sent certificates nor in the trust store",
        "the peer does not send its intermediate certificate, or the trust store lacks the root",
        "let the peer send its full chain, or add the missing CA to the trust store";
    UNABLE_TO_VERIFY_LEAF_SIGNATURE = 21 "X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE" 48:
        "the chain is one certificate without an issuer, so nothing can confirm its signature",
        "the issuer was missing and a callback went on all the same",
        "supply the issuer's certificate";
    CERT_CHAIN_TOO_LONG = 22 "X509_V_ERR_CERT_CHAIN_TOO_LONG" 48:
        "the chain has more intermediate certificates than the depth limit allows",
        "the depth limit is too small for this CA's hierarchy",
        "raise the depth limit, or let the peer use a shorter chain";
    CERT_REVOKED = 23 "X509_V_ERR_CERT_REVOKED" 44:
        "the issuer has revoked the certificate",
        "its key was lost or stolen, or it was replaced",
        "do not trust it; the owner needs a new certificate";
    NO_ISSUER_PUBLIC_KEY = 24 "X509_V_ERR_NO_ISSUER_PUBLIC_KEY" 46:
        "the issuer's certificate holds no usable public key",
        "the issuer's certificate is damaged",
        "replace the issuer's certificate";
    PATH_LENGTH_EXCEEDED = 25 "X509_V_ERR_PATH_LENGTH_EXCEEDED" 48:
        "more CAs stand below a CA than its path length constraint allows",
        "a CA issued a sub-CA it was not entitled to issue",
        "use a certificate issued directly by the constrained CA";
    INVALID_PURPOSE = 26 "X509_V_ERR_INVALID_PURPOSE" 43:
        "the certificate may not be used for this purpose",
        "a server certificate used by a client or the other way round, or a CA restricted to other uses",
        "issue a certificate whose extended key usage and key usage fit the role";
    CERT_UNTRUSTED = 27 "X509_V_ERR_CERT_UNTRUSTED" 42:
        "the root is not marked as trusted for this purpose",
        "set by applications",
        "mark the root as trusted for this purpose";
    CERT_REJECTED = 28 "X509_V_ERR_CERT_REJECTED" 42:
        "the root is marked as rejected for this purpose",
        "an administrator has distrusted this root",
        "use a certificate of another CA";
    SUBJECT_ISSUER_MISMATCH = 29 "X509_V_ERR_SUBJECT_ISSUER_MISMATCH" 46:
        "the candidate's subject is not the issuer named",
        "used inside the issuer search only",
        "nothing to do";
    AKID_SKID_MISMATCH = 30 "X509_V_ERR_AKID_SKID_MISMATCH" 46:
        "the authority key identifier names another key than the candidate's",
        "used inside the issuer search; two CA certificates of one name",
        "supply the CA certificate with the matching key";
    AKID_ISSUER_SERIAL_MISMATCH = 31 "X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH" 46:
        "the authority key identifier names another certificate than the candidate",
        "used inside the issuer search; the CA certificate was reissued",
        "supply the CA certificate that was in use when this one was issued";
    KEYUSAGE_NO_CERTSIGN = 32 "X509_V_ERR_KEYUSAGE_NO_CERTSIGN" 46:
        "the issuer's key usage does not allow signing certificates",
        "an end-entity certificate was used as a CA",
        "use a proper CA certificate to issue certificates";
    UNABLE_TO_GET_CRL_ISSUER = 33 "X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER" 48:
        "the certificate of the revocation list's issuer is missing",
        "the list is signed by a CA outside this chain",
        "supply the certificate of the list's issuer";
    UNHANDLED_CRITICAL_EXTENSION = 34 "X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION" 46:
        "an extension marked critical is not understood here",
        "the CA uses a private or very new extension",
        "issue the certificate without marking that extension critical";
    KEYUSAGE_NO_CRL_SIGN = 35 "X509_V_ERR_KEYUSAGE_NO_CRL_SIGN" 46:
        "the issuer's key usage does not allow signing revocation lists",
        "the CA certificate was issued without the cRLSign bit",
        "reissue the CA certificate with cRLSign";
    UNHANDLED_CRITICAL_CRL_EXTENSION = 36 "X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION" 46:
        "the revocation list has a critical extension that is not understood here",
        "the CA publishes lists of an unusual kind",
        "load a complete, direct revocation list";
    INVALID_NON_CA = 37 "X509_V_ERR_INVALID_NON_CA" 46:
        "a CA certificate stands where only an end-entity certificate may",
        "a proxy certificate was issued by a CA",
        "use an ordinary certificate";
    PROXY_PATH_LENGTH_EXCEEDED = 38 "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED" 46:
        "more proxy certificates than allowed",
        "delegation went further than its owner permitted",
        "delegate fewer times";
    KEYUSAGE_NO_DIGITAL_SIGNATURE = 39 "X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE" 46:
        "the key usage of a proxy certificate's issuer does not allow signing",
        "the owner's certificate is for encryption only",
        "use a certificate with digitalSignature";
    PROXY_CERTIFICATES_NOT_ALLOWED = 40 "X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED" 46:
        "the peer uses a proxy certificate, which is not accepted here",
        "grid software delegating rights",
        "use an ordinary end-entity certificate";
    INVALID_EXTENSION = 41 "X509_V_ERR_INVALID_EXTENSION" 46:
        "an extension is malformed or contradicts another",
        "faulty issuing software",
        "have the certificate issued again";
    INVALID_POLICY_EXTENSION = 42 "X509_V_ERR_INVALID_POLICY_EXTENSION" 46:
        "a policy extension is malformed or contradicts another",
        "faulty issuing software",
        "have the certificate issued again";
    NO_EXPLICIT_POLICY = 43 "X509_V_ERR_NO_EXPLICIT_POLICY" 46:
        "a policy is required and none is valid along the chain",
        "the chain was not issued under the policy asked for",
        "use a chain issued under that policy";
    DIFFERENT_CRL_SCOPE = 44 "X509_V_ERR_DIFFERENT_CRL_SCOPE" 46:
        "the revocation lists at hand cover other certificates than this",
        "a list for CA certificates only, or of another distribution point, was loaded",
        "load the list that covers this certificate";
    UNSUPPORTED_EXTENSION_FEATURE = 45 "X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE" 46:
        "an extension uses a feature that is not supported",
        "unusual issuing software",
        "have the certificate issued without that feature";
    UNNESTED_RESOURCE = 46 "X509_V_ERR_UNNESTED_RESOURCE" 46:
        "address or AS numbers exceed those of the issuer",
        "a routing certificate claims resources its issuer does not hold",
        "correct the resource certificates";
    PERMITTED_VIOLATION = 47 "X509_V_ERR_PERMITTED_VIOLATION" 46:
        "a name lies outside the name space its CA is restricted to",
        "a constrained CA issued a certificate for a foreign name",
        "use a certificate for a permitted name, or a CA without that constraint";
    EXCLUDED_VIOLATION = 48 "X509_V_ERR_EXCLUDED_VIOLATION" 46:
        "a name lies in a name space its CA is barred from",
        "a constrained CA issued a certificate for a barred name",
        "use a certificate for another name, or of another CA";
    SUBTREE_MINMAX = 49 "X509_V_ERR_SUBTREE_MINMAX" 46:
        "a name constraint uses minimum or maximum, which RFC 5280 forbids",
        "faulty issuing software",
        "reissue the CA certificate without them";
    APPLICATION_VERIFICATION = 50 "X509_V_ERR_APPLICATION_VERIFICATION" 40:
        "the application refused the certificate",
        "a rule of the application itself",
        "ask the operator of the application";
    UNSUPPORTED_CONSTRAINT_TYPE = 51 "X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE" 46:
        "a name constraint of a kind that cannot be checked applies",
        "a CA constrained in an unusual kind of name",
        "use a CA constrained in usual kinds of names";
    UNSUPPORTED_CONSTRAINT_SYNTAX = 52 "X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX" 46:
        "a name constraint is malformed",
        "faulty issuing software",
        "reissue the CA certificate";
    UNSUPPORTED_NAME_SYNTAX = 53 "X509_V_ERR_UNSUPPORTED_NAME_SYNTAX" 46:
        "a name to compare with a name constraint is malformed",
        "faulty issuing software",
        "have the certificate issued again with correct names";
    CRL_PATH_VALIDATION_ERROR = 54 "X509_V_ERR_CRL_PATH_VALIDATION_ERROR" 46:
        "the chain of the revocation list's own issuer does not verify",
        "an indirect revocation list with an incomplete chain",
        "supply the list issuer's chain";
    PATH_LOOP = 55 "X509_V_ERR_PATH_LOOP" 46:
        "the chain runs in a circle",
        "two CAs have certified each other",
        "supply the self-signed root";
    SUITE_B_INVALID_VERSION = 56 "X509_V_ERR_SUITE_B_INVALID_VERSION" 46:
        "Suite B: the certificate is not of version 3",
        "an old certificate under Suite B rules",
        "use a certificate of version 3";
    SUITE_B_INVALID_ALGORITHM = 57 "X509_V_ERR_SUITE_B_INVALID_ALGORITHM" 46:
        "Suite B: the key is not an elliptic curve key",
        "an RSA certificate under Suite B rules",
        "use an ECDSA certificate";
    SUITE_B_INVALID_CURVE = 58 "X509_V_ERR_SUITE_B_INVALID_CURVE" 46:
        "Suite B: the curve is neither P-256 nor P-384",
        "another curve under Suite B rules",
        "use P-256 or P-384";
    SUITE_B_INVALID_SIGNATURE_ALGORITHM = 59 "X509_V_ERR_SUITE_B_INVALID_SIGNATURE_ALGORITHM" 46:
        "Suite B: the signature algorithm is not allowed",
        "another digest under Suite B rules",
        "sign with SHA-256 or SHA-384 as the curve demands";
    SUITE_B_LOS_NOT_ALLOWED = 60 "X509_V_ERR_SUITE_B_LOS_NOT_ALLOWED" 46:
        "Suite B: the curve is not allowed at this level of security",
        "P-256 under the 192-bit level",
        "use P-384";
    SUITE_B_CANNOT_SIGN_P_384_WITH_P_256 = 61 "X509_V_ERR_SUITE_B_CANNOT_SIGN_P_384_WITH_P_256" 46:
        "Suite B: a P-384 key is certified by a weaker P-256 key",
        "a mixed hierarchy",
        "use a P-384 CA";
    HOSTNAME_MISMATCH = 62 "X509_V_ERR_HOSTNAME_MISMATCH" 42:
        "the certificate is not for the expected name",
        "connecting under another name than the certificate's, or a certificate without subject alternative names",
        "connect under a name the certificate lists, or have one issued for this name";
    EMAIL_MISMATCH = 63 "X509_V_ERR_EMAIL_MISMATCH" 42:
        "the certificate is not for the expected e-mail address",
        "another person's certificate",
        "use the certificate issued for that address";
    IP_ADDRESS_MISMATCH = 64 "X509_V_ERR_IP_ADDRESS_MISMATCH" 42:
        "the certificate is not for the expected IP address",
        "connecting by address to a server whose certificate lists only names",
        "connect by name, or have the address added to the certificate";
    DANE_NO_MATCH = 65 "X509_V_ERR_DANE_NO_MATCH" 42:
        "no DANE record matches the chain",
        "the certificate was renewed without updating DNS",
        "publish a TLSA record for the current certificate";
    EE_KEY_TOO_SMALL = 66 "X509_V_ERR_EE_KEY_TOO_SMALL" 42:
        "the peer's own key is weaker than the security level asks for",
        "an old RSA key of 1024 bits",
        "issue a certificate with a stronger key, or lower the security level";
    CA_KEY_TOO_SMALL = 67 "X509_V_ERR_CA_KEY_TOO_SMALL" 42:
        "the key of a CA in the chain is weaker than the security level asks for",
        "an old CA",
        "move to a CA with a stronger key, or lower the security level";
    CA_MD_TOO_WEAK = 68 "X509_V_ERR_CA_MD_TOO_WEAK" 42:
        "a signature in the chain uses a digest weaker than the security level asks for",
        "a certificate signed with SHA-1 or MD5",
        "have it issued again with SHA-256 or better, or lower the security level";
    INVALID_CALL = 69 "X509_V_ERR_INVALID_CALL" 80:
        "verification was started without a certificate",
        "a programming error in the caller",
        "pass at least the peer's certificate";
    STORE_LOOKUP = 70 "X509_V_ERR_STORE_LOOKUP" 80:
        "the trust store could not be searched",
        "a store that reads from disk or network failed",
        "check that the trust store is readable";
    NO_VALID_SCTS = 71 "X509_V_ERR_NO_VALID_SCTS" 46:
        "certificate transparency is required and no acceptable timestamp is there",
        "a CA that does not log its certificates",
        "use a certificate that carries signed timestamps";
    PROXY_SUBJECT_NAME_VIOLATION = 72 "X509_V_ERR_PROXY_SUBJECT_NAME_VIOLATION" 46:
        "a proxy certificate's subject is not derived from its issuer's",
        "faulty delegation software",
        "create the proxy certificate again";
    OCSP_VERIFY_NEEDED = 73 "X509_V_ERR_OCSP_VERIFY_NEEDED" 46:
        "the application is asked to check OCSP",
        "set by applications",
        "answer the request";
    OCSP_VERIFY_FAILED = 74 "X509_V_ERR_OCSP_VERIFY_FAILED" 46:
        "the OCSP check failed",
        "the responder refused or could not be used",
        "check the OCSP responder";
    OCSP_CERT_UNKNOWN = 75 "X509_V_ERR_OCSP_CERT_UNKNOWN" 46:
        "the OCSP responder does not know the certificate",
        "a responder of another CA",
        "ask the right responder";
    UNSUPPORTED_SIGNATURE_ALGORITHM = 76 "X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM" 46:
        "the signature algorithm of the certificate is unknown",
        "a very old or very new algorithm",
        "have the certificate issued with ECDSA, RSA or Ed25519";
    SIGNATURE_ALGORITHM_MISMATCH = 77 "X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH" 46:
        "the signature algorithm does not fit the issuer's key",
        "used inside the issuer search; two CA certificates of one name",
        "supply the CA certificate with the matching key";
    SIGNATURE_ALGORITHM_INCONSISTENCY = 78 "X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY" 46:
        "strict: the certificate names two different signature algorithms",
        "an altered certificate or faulty issuing software",
        "have the certificate issued again";
    INVALID_CA = 79 "X509_V_ERR_INVALID_CA" 48:
        "a certificate was used as issuer that is not a CA",
        "an end-entity certificate signed another one",
        "issue from a certificate with basic constraints CA and key usage keyCertSign";
    PATHLEN_INVALID_FOR_NON_CA = 80 "X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA" 46:
        "strict: a path length constraint on a certificate that is no CA",
        "faulty issuing software",
        "reissue without the path length";
    PATHLEN_WITHOUT_KU_KEY_CERT_SIGN = 81 "X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN" 46:
        "strict: a path length constraint without key usage keyCertSign",
        "faulty issuing software",
        "reissue with keyCertSign";
    KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA = 82 "X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA" 46:
        "strict: key usage keyCertSign on a certificate that is no CA",
        "faulty issuing software",
        "reissue without keyCertSign";
    ISSUER_NAME_EMPTY = 83 "X509_V_ERR_ISSUER_NAME_EMPTY" 46:
        "strict: the issuer has no name",
        "faulty issuing software",
        "give the CA a name and reissue";
    SUBJECT_NAME_EMPTY = 84 "X509_V_ERR_SUBJECT_NAME_EMPTY" 46:
        "strict: the subject has no name where it needs one",
        "faulty issuing software",
        "reissue with a subject name";
    MISSING_AUTHORITY_KEY_IDENTIFIER = 85 "X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER" 46:
        "strict: the authority key identifier is missing",
        "home-made certificates",
        "reissue with the extension";
    MISSING_SUBJECT_KEY_IDENTIFIER = 86 "X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER" 46:
        "strict: a CA certificate has no subject key identifier",
        "home-made CA certificates",
        "reissue the CA certificate with the extension";
    EMPTY_SUBJECT_ALT_NAME = 87 "X509_V_ERR_EMPTY_SUBJECT_ALT_NAME" 46:
        "strict: the subject alternative name lists nothing",
        "faulty issuing software",
        "reissue with at least one name";
    EMPTY_SUBJECT_SAN_NOT_CRITICAL = 88 "X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL" 46:
        "strict: the subject is empty and the subject alternative name is not critical",
        "faulty issuing software",
        "mark the extension critical, or name the subject";
    CA_BCONS_NOT_CRITICAL = 89 "X509_V_ERR_CA_BCONS_NOT_CRITICAL" 46:
        "strict: basic constraints of a CA are not marked critical",
        "home-made CA certificates",
        "reissue the CA certificate with critical basic constraints";
    AUTHORITY_KEY_IDENTIFIER_CRITICAL = 90 "X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL" 46:
        "strict: the authority key identifier is marked critical",
        "faulty issuing software",
        "reissue without that mark";
    SUBJECT_KEY_IDENTIFIER_CRITICAL = 91 "X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL" 46:
        "strict: the subject key identifier is marked critical",
        "faulty issuing software",
        "reissue without that mark";
    CA_CERT_MISSING_KEY_USAGE = 92 "X509_V_ERR_CA_CERT_MISSING_KEY_USAGE" 46:
        "strict: a CA certificate has no key usage",
        "home-made CA certificates",
        "reissue the CA certificate with keyCertSign";
    EXTENSIONS_REQUIRE_VERSION_3 = 93 "X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3" 46:
        "strict: a certificate before version 3 has extensions",
        "faulty issuing software",
        "reissue as version 3";
    EC_KEY_EXPLICIT_PARAMS = 94 "X509_V_ERR_EC_KEY_EXPLICIT_PARAMS" 42:
        "an elliptic curve key spells out its curve instead of naming it",
        "a key made with unusual settings",
        "make a key on a named curve";
    RPK_UNTRUSTED = 95 "X509_V_ERR_RPK_UNTRUSTED" 46:
        "a raw public key was received and nothing vouches for it",
        "no record of the expected key",
        "configure the expected key";
    OCSP_RESP_INVALID = 96 "X509_V_ERR_OCSP_RESP_INVALID" 46:
        "the stapled OCSP response cannot be used",
        "the server staples a damaged or refused response",
        "repair stapling on the server";
    OCSP_SIGNATURE_FAILURE = 97 "X509_V_ERR_OCSP_SIGNATURE_FAILURE" 46:
        "the signature on the stapled OCSP response is wrong",
        "a response of another responder",
        "repair stapling on the server";
    OCSP_NOT_YET_VALID = 98 "X509_V_ERR_OCSP_NOT_YET_VALID" 46:
        "the stapled OCSP response is from the future",
        "this machine's clock is behind",
        "correct this machine's clock";
    OCSP_HAS_EXPIRED = 99 "X509_V_ERR_OCSP_HAS_EXPIRED" 46:
        "the stapled OCSP response is out of date",
        "the server has stopped refreshing it",
        "restart stapling on the server";
    OCSP_NO_RESPONSE = 100 "X509_V_ERR_OCSP_NO_RESPONSE" 46:
        "no stapled OCSP response covers this certificate",
        "stapling is off on the server",
        "switch stapling on";
    CRL_VERIFY_FAILED = 101 "X509_V_ERR_CRL_VERIFY_FAILED" 46:
        "the revocation check as a whole failed",
        "never raised by OpenSSL itself",
        "look at the checks of the report";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_in_order() {
        assert_eq!(TABLE.len(), 102);
        assert_eq!(VerifyCode::OK.name(), "X509_V_OK");
        assert_eq!(
            VerifyCode::CRL_VERIFY_FAILED.name(),
            "X509_V_ERR_CRL_VERIFY_FAILED"
        );
        for code in VerifyCode::all() {
            assert_eq!(VerifyCode::from_name(code.name()), Some(code), "{code}");
            assert!(!code.meaning().is_empty() && !code.remedy().is_empty());
            for text in [code.meaning(), code.usual_cause(), code.remedy()] {
                assert!(!text.ends_with('.') && !text.contains("://"), "{text}");
            }
        }
    }

    #[test]
    fn alerts_are_those_of_the_table_of_openssl() {
        let of = |number| VerifyCode::new(number).alert();
        let expected = [
            (1, 80),
            (2, 48),
            (7, 51),
            (9, 42),
            (10, 45),
            (12, 45),
            (18, 48),
            (20, 48),
            (22, 48),
            (23, 44),
            (24, 46),
            (25, 48),
            (26, 43),
            (32, 46),
            (34, 46),
            (47, 46),
            (48, 46),
            (50, 40),
            (62, 42),
            (66, 42),
            (79, 48),
            (94, 42),
        ];
        for (number, alert) in expected {
            assert_eq!(of(number), alert, "code {number}");
        }
        assert_eq!(of(9999), 46);
    }
}
