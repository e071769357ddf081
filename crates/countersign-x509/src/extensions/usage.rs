//! What a key and a certificate may be used for: keyUsage, extendedKeyUsage, Netscape's
//! certificate type, tlsFeature (RFC 5280 §4.2.1.3, §4.2.1.12, RFC 7633).

use crate::der::{Item, List, Reader, Result, tag};
use crate::oid::Oid;

/// keyUsage: a set of bits.
///
/// Bits without a name are ignored. The set may be empty, which RFC 5280 §4.2.1.3 forbids
/// issuers and OpenSSL treats as an invalid certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    flags: u16,
}

macro_rules! bits {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $($(#[$doc])*
        pub const fn $name(self) -> bool {
            self.flags & (0x8000 >> $number) != 0
        })*
    };
}

impl KeyUsage {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.bit_string().map(|bits| Self {
            flags: bits.flags(),
        })
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.flags & 0xff80 == 0
    }

    bits! {
        /// Verifying signatures other than on certificates and CRLs.
        digital_signature = 0;
        /// Verifying signatures that commit the signer; once called nonRepudiation.
        content_commitment = 1;
        /// Encrypting keys to the subject.
        key_encipherment = 2;
        /// Encrypting data to the subject.
        data_encipherment = 3;
        /// Key agreement.
        key_agreement = 4;
        /// Verifying signatures on certificates.
        key_cert_sign = 5;
        /// Verifying signatures on CRLs.
        crl_sign = 6;
        /// Key agreement for encrypting only.
        encipher_only = 7;
        /// Key agreement for decrypting only.
        decipher_only = 8;
    }
}

/// Netscape's certificate type: a set of bits, older than extendedKeyUsage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetscapeCertType {
    flags: u16,
}

impl NetscapeCertType {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.bit_string().map(|bits| Self {
            flags: bits.flags(),
        })
    }

    bits! {
        /// TLS client.
        ssl_client = 0;
        /// TLS server.
        ssl_server = 1;
        /// S/MIME.
        smime = 2;
        /// Signing of objects.
        object_signing = 3;
        /// CA for TLS certificates.
        ssl_ca = 5;
        /// CA for S/MIME certificates.
        smime_ca = 6;
        /// CA for certificates that sign objects.
        object_signing_ca = 7;
    }
}

/// extendedKeyUsage: the purposes a certificate serves.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedKeyUsage<'a> {
    purposes: List<'a, Oid<'a>>,
}

impl<'a> ExtendedKeyUsage<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        List::read(reader).map(Self::new)
    }

    pub(crate) const fn new(purposes: List<'a, Oid<'a>>) -> Self {
        Self { purposes }
    }

    /// The purposes in the order of the encoding.
    pub fn iter(&self) -> impl Iterator<Item = Oid<'a>> + use<'a> {
        self.purposes.iter()
    }

    /// Whether this very purpose is listed. `anyExtendedKeyUsage` gets no special treatment.
    pub fn contains(&self, purpose: Oid<'_>) -> bool {
        self.iter().any(|listed| listed == purpose)
    }

    /// Whether no purpose is listed, which RFC 5280 §4.2.1.12 forbids issuers.
    pub const fn is_empty(&self) -> bool {
        self.purposes.is_empty()
    }
}

/// The numbers of TLS extensions in tlsFeature.
pub type TlsFeatures<'a> = List<'a, u32>;

impl Item<'_> for u32 {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.expect(tag::INTEGER)?.as_count()
    }
}
