//! Signature schemes (RFC 9846 §4.3.3).

use core::fmt;

use aws_lc_rs::signature::{self, VerificationAlgorithm};

macro_rules! schemes {
    ($($(#[$doc:meta])* $constant:ident = $code:literal, $name:literal, $algorithm:ident;)*) => {
        impl SignatureScheme {
            $($(#[$doc])* pub const $constant: Self = Self($code);)*

            /// The name in the RFC, as `ecdsa_secp256r1_sha256`; `unknown` for other numbers.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$constant => $name,)*
                    _ => "unknown",
                }
            }

            /// What verifies it.
            pub(super) fn verification(self) -> Option<&'static dyn VerificationAlgorithm> {
                match self {
                    $(Self::$constant => Some(&signature::$algorithm),)*
                    _ => None,
                }
            }
        }
    };
}

/// A signature algorithm together with its hash function and, for ECDSA, its curve.
///
/// ```
/// use countersign::SignatureScheme;
/// assert_eq!(SignatureScheme::from(0x0403), SignatureScheme::ECDSA_SECP256R1_SHA256);
/// assert_eq!(SignatureScheme::ED25519.to_string(), "ed25519 (0x0807)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureScheme(u16);

schemes! {
    /// ECDSA with P-256 and SHA-256.
    ECDSA_SECP256R1_SHA256 = 0x0403, "ecdsa_secp256r1_sha256", ECDSA_P256_SHA256_ASN1;
    /// ECDSA with P-384 and SHA-384.
    ECDSA_SECP384R1_SHA384 = 0x0503, "ecdsa_secp384r1_sha384", ECDSA_P384_SHA384_ASN1;
    /// ECDSA with P-521 and SHA-512.
    ECDSA_SECP521R1_SHA512 = 0x0603, "ecdsa_secp521r1_sha512", ECDSA_P521_SHA512_ASN1;
    /// Ed25519 (RFC 8032).
    ED25519 = 0x0807, "ed25519", ED25519;
    /// RSASSA-PSS with SHA-256, by a key that may also do other things.
    RSA_PSS_RSAE_SHA256 = 0x0804, "rsa_pss_rsae_sha256", RSA_PSS_2048_8192_SHA256;
    /// RSASSA-PSS with SHA-384, by a key that may also do other things.
    RSA_PSS_RSAE_SHA384 = 0x0805, "rsa_pss_rsae_sha384", RSA_PSS_2048_8192_SHA384;
    /// RSASSA-PSS with SHA-512, by a key that may also do other things.
    RSA_PSS_RSAE_SHA512 = 0x0806, "rsa_pss_rsae_sha512", RSA_PSS_2048_8192_SHA512;
    /// RSASSA-PSS with SHA-256, by a key that may do nothing else.
    RSA_PSS_PSS_SHA256 = 0x0809, "rsa_pss_pss_sha256", RSA_PSS_2048_8192_SHA256;
    /// RSASSA-PSS with SHA-384, by a key that may do nothing else.
    RSA_PSS_PSS_SHA384 = 0x080a, "rsa_pss_pss_sha384", RSA_PSS_2048_8192_SHA384;
    /// RSASSA-PSS with SHA-512, by a key that may do nothing else.
    RSA_PSS_PSS_SHA512 = 0x080b, "rsa_pss_pss_sha512", RSA_PSS_2048_8192_SHA512;
    /// RSASSA-PKCS1-v1_5 with SHA-256: in TLS 1.3 for certificates only.
    RSA_PKCS1_SHA256 = 0x0401, "rsa_pkcs1_sha256", RSA_PKCS1_2048_8192_SHA256;
    /// RSASSA-PKCS1-v1_5 with SHA-384: in TLS 1.3 for certificates only.
    RSA_PKCS1_SHA384 = 0x0501, "rsa_pkcs1_sha384", RSA_PKCS1_2048_8192_SHA384;
    /// RSASSA-PKCS1-v1_5 with SHA-512: in TLS 1.3 for certificates only.
    RSA_PKCS1_SHA512 = 0x0601, "rsa_pkcs1_sha512", RSA_PKCS1_2048_8192_SHA512;
    /// RSASSA-PKCS1-v1_5 with SHA-256, for clients of TLS 1.3 whose keys lie in hardware that knows nothing
    /// newer (RFC 9963). Not used by default.
    RSA_PKCS1_SHA256_LEGACY = 0x0420, "rsa_pkcs1_sha256_legacy", RSA_PKCS1_2048_8192_SHA256;
    /// The same with SHA-384.
    RSA_PKCS1_SHA384_LEGACY = 0x0520, "rsa_pkcs1_sha384_legacy", RSA_PKCS1_2048_8192_SHA384;
    /// The same with SHA-512.
    RSA_PKCS1_SHA512_LEGACY = 0x0620, "rsa_pkcs1_sha512_legacy", RSA_PKCS1_2048_8192_SHA512;
}

impl SignatureScheme {
    /// The schemes in which handshakes are signed unless configured otherwise, most preferred
    /// first. RSASSA-PKCS1-v1_5 is for TLS 1.2 alone.
    pub const HANDSHAKE_DEFAULT: &'static [Self] = &[
        Self::ECDSA_SECP256R1_SHA256,
        Self::ED25519,
        Self::ECDSA_SECP384R1_SHA384,
        Self::ECDSA_SECP521R1_SHA512,
        Self::RSA_PSS_RSAE_SHA256,
        Self::RSA_PSS_RSAE_SHA384,
        Self::RSA_PSS_RSAE_SHA512,
        Self::RSA_PSS_PSS_SHA256,
        Self::RSA_PSS_PSS_SHA384,
        Self::RSA_PSS_PSS_SHA512,
        Self::RSA_PKCS1_SHA256,
        Self::RSA_PKCS1_SHA384,
        Self::RSA_PKCS1_SHA512,
    ];

    /// The schemes accepted in certificates unless configured otherwise, most preferred first.
    pub const CERTIFICATE_DEFAULT: &'static [Self] = &[
        Self::ECDSA_SECP256R1_SHA256,
        Self::ED25519,
        Self::ECDSA_SECP384R1_SHA384,
        Self::ECDSA_SECP521R1_SHA512,
        Self::RSA_PSS_RSAE_SHA256,
        Self::RSA_PSS_RSAE_SHA384,
        Self::RSA_PSS_RSAE_SHA512,
        Self::RSA_PSS_PSS_SHA256,
        Self::RSA_PSS_PSS_SHA384,
        Self::RSA_PSS_PSS_SHA512,
        Self::RSA_PKCS1_SHA256,
        Self::RSA_PKCS1_SHA384,
        Self::RSA_PKCS1_SHA512,
    ];

    /// The number on the wire.
    pub const fn to_u16(self) -> u16 {
        self.0
    }

    /// The strength in bits of the digest that is signed, as OpenSSL's security levels count.
    pub(crate) const fn security_bits(self) -> u32 {
        match self {
            Self::ECDSA_SECP384R1_SHA384
            | Self::RSA_PSS_RSAE_SHA384
            | Self::RSA_PSS_PSS_SHA384
            | Self::RSA_PKCS1_SHA384
            | Self::RSA_PKCS1_SHA384_LEGACY => 192,
            Self::ECDSA_SECP521R1_SHA512
            | Self::RSA_PSS_RSAE_SHA512
            | Self::RSA_PSS_PSS_SHA512
            | Self::RSA_PKCS1_SHA512
            | Self::RSA_PKCS1_SHA512_LEGACY => 256,
            // Ed25519 hashes with SHA-512, but is no stronger than its curve.
            _ => 128,
        }
    }

    /// Whether the key that signs with it is RSA.
    pub(crate) const fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::RSA_PSS_RSAE_SHA256
                | Self::RSA_PSS_RSAE_SHA384
                | Self::RSA_PSS_RSAE_SHA512
                | Self::RSA_PSS_PSS_SHA256
                | Self::RSA_PSS_PSS_SHA384
                | Self::RSA_PSS_PSS_SHA512
                | Self::RSA_PKCS1_SHA256
                | Self::RSA_PKCS1_SHA384
                | Self::RSA_PKCS1_SHA512
        ) || self.is_for_clients_only()
    }

    /// The number of the curve that a key of ours has which signs with it, for ECDSA (RFC 8422 §5.1.1).
    pub(crate) const fn curve(self) -> Option<u16> {
        match self {
            Self::ECDSA_SECP256R1_SHA256 => Some(23),
            Self::ECDSA_SECP384R1_SHA384 => Some(24),
            Self::ECDSA_SECP521R1_SHA512 => Some(25),
            _ => None,
        }
    }

    /// Whether a TLS 1.3 handshake must not be signed with it though certificates may be:
    /// RSASSA-PKCS1-v1_5 with any hash function and everything with SHA-1.
    pub(crate) const fn is_for_certificates_only(self) -> bool {
        matches!(self.0, 0x0401 | 0x0501 | 0x0601 | 0x0201 | 0x0203)
    }

    /// Whether it is for the CertificateVerify of a client of TLS 1.3 and for nothing else (RFC 9963 §3).
    pub(crate) const fn is_for_clients_only(self) -> bool {
        matches!(self.0, 0x0420 | 0x0520 | 0x0620)
    }
}

impl From<u16> for SignatureScheme {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl fmt::Debug for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:04x})", self.name(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SignatureScheme;

    #[test]
    fn the_default_lists_hold_what_they_say() {
        let handshake = SignatureScheme::HANDSHAKE_DEFAULT;
        let certificate = SignatureScheme::CERTIFICATE_DEFAULT;
        assert_eq!(certificate, handshake);
        // What only TLS 1.2 can use comes last.
        let newer = handshake
            .iter()
            .rposition(|s| !s.is_for_certificates_only());
        let older = handshake.iter().position(|s| s.is_for_certificates_only());
        assert!(newer < older);
        for scheme in certificate {
            assert!(scheme.verification().is_some());
            assert_ne!(scheme.name(), "unknown");
            assert_eq!(SignatureScheme::from(scheme.to_u16()), *scheme);
        }
    }

    #[test]
    fn schemes_for_clients_alone_are_off_by_default() {
        let legacy = [
            SignatureScheme::RSA_PKCS1_SHA256_LEGACY,
            SignatureScheme::RSA_PKCS1_SHA384_LEGACY,
            SignatureScheme::RSA_PKCS1_SHA512_LEGACY,
        ];
        for (scheme, bits) in legacy.into_iter().zip([128, 192, 256]) {
            assert!(scheme.is_for_clients_only() && scheme.is_rsa());
            assert!(!scheme.is_for_certificates_only());
            assert_eq!(scheme.security_bits(), bits);
            assert!(scheme.verification().is_some());
        }
        let defaults = [
            SignatureScheme::HANDSHAKE_DEFAULT,
            SignatureScheme::CERTIFICATE_DEFAULT,
        ];
        let mut defaults = defaults.into_iter().flatten();
        assert!(defaults.all(|scheme| !scheme.is_for_clients_only()));
    }

    #[test]
    fn unknown_numbers_are_shown_as_such() {
        let scheme = SignatureScheme::from(0x0a0a);
        assert_eq!(format!("{scheme:?}"), "unknown (0x0a0a)");
        assert!(scheme.verification().is_none());
    }
}
