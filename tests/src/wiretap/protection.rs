//! Record protection, that of TLS 1.3 (RFC 9846 §5.2, §7.3) here, written for the tests alone so that the
//! engine is not checked with its own code.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::hmac;

use super::tls12;

/// A cipher suite of TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "these are tested")]
pub enum Suite {
    /// `TLS_AES_128_GCM_SHA256`.
    Aes128GcmSha256,
    /// `TLS_AES_256_GCM_SHA384`.
    Aes256GcmSha384,
    /// `TLS_CHACHA20_POLY1305_SHA256`.
    ChaCha20Poly1305Sha256,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::Aes128GcmSha256,
        Self::Aes256GcmSha384,
        Self::ChaCha20Poly1305Sha256,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::Aes128GcmSha256 => 0x1301,
            Self::Aes256GcmSha384 => 0x1302,
            Self::ChaCha20Poly1305Sha256 => 0x1303,
        }
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128GcmSha256 => "TLS_AES_128_GCM_SHA256",
            Self::Aes256GcmSha384 => "TLS_AES_256_GCM_SHA384",
            Self::ChaCha20Poly1305Sha256 => "TLS_CHACHA20_POLY1305_SHA256",
        }
    }

    /// The suite with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.number() == number)
    }

    fn aead(self) -> &'static Algorithm {
        match self {
            Self::Aes128GcmSha256 => &AES_128_GCM,
            Self::Aes256GcmSha384 => &AES_256_GCM,
            Self::ChaCha20Poly1305Sha256 => &CHACHA20_POLY1305,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Aes256GcmSha384 => hmac::HMAC_SHA384,
            Self::Aes128GcmSha256 | Self::ChaCha20Poly1305Sha256 => hmac::HMAC_SHA256,
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 9846 §7.1). No output is longer than one
    /// hash here, so that one HMAC is all of HKDF-Expand.
    fn expand_label(self, secret: &[u8], label: &str, length: usize) -> Vec<u8> {
        let length_byte = u8::try_from(length).expect("short");
        let label_length = u8::try_from(label.len() + 6).expect("short");
        let mut info = vec![0, length_byte, label_length];
        info.extend_from_slice(b"tls13 ");
        info.extend_from_slice(label.as_bytes());
        info.extend_from_slice(&[0, 1]);
        let block = hmac::sign(&hmac::Key::new(self.hmac(), secret), &info);
        block.as_ref()[..length].to_vec()
    }

    /// The traffic secret after this one (RFC 9846 §7.2).
    pub(crate) fn next_secret(self, secret: &[u8]) -> Vec<u8> {
        self.expand_label(secret, "traffic upd", secret.len())
    }
}

/// The keys of one direction and the number of its next record.
pub(crate) enum RecordKeys {
    Tls12(tls12::Keys),
    Tls13(Keys),
}

impl RecordKeys {
    /// Opens a record, header included. Gives content type and content; `None` leaves the
    /// sequence number as it was.
    pub(crate) fn open(&mut self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        match self {
            Self::Tls12(keys) => keys.open(record),
            Self::Tls13(keys) => keys.open(record),
        }
    }

    /// Makes a record, header included, with this much padding, which there is in TLS 1.3 only.
    pub(crate) fn seal(&mut self, content_type: u8, content: &[u8], padding: usize) -> Vec<u8> {
        match self {
            Self::Tls12(keys) => keys.seal(content_type, content),
            Self::Tls13(keys) => keys.seal(content_type, content, padding),
        }
    }
}

/// Those of TLS 1.3.
pub(crate) struct Keys {
    key: LessSafeKey,
    iv: Vec<u8>,
    sequence: u64,
}

impl Keys {
    pub(crate) fn new(suite: Suite, secret: &[u8]) -> Self {
        let key = suite.expand_label(secret, "key", suite.aead().key_len());
        Self {
            key: LessSafeKey::new(UnboundKey::new(suite.aead(), &key).expect("the right length")),
            iv: suite.expand_label(secret, "iv", 12),
            sequence: 0,
        }
    }

    fn nonce(&self) -> Nonce {
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().expect("twelve bytes");
        for (byte, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    fn open(&mut self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (header, body) = record.split_at_checked(5)?;
        let mut body = body.to_vec();
        let inner = self
            .key
            .open_in_place(self.nonce(), Aad::from(header), &mut body)
            .ok()?;
        self.sequence += 1;
        let last = inner.iter().rposition(|byte| *byte != 0)?;
        Some((inner[last], inner[..last].to_vec()))
    }

    fn seal(&mut self, content_type: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let mut body = content.to_vec();
        body.push(content_type);
        body.resize(body.len() + padding, 0);
        let length = u16::try_from(body.len() + 16).expect("fits a record");
        let mut record = vec![23, 3, 3];
        record.extend_from_slice(&length.to_be_bytes());
        let aad = Aad::from(record.clone());
        self.key
            .seal_in_place_append_tag(self.nonce(), aad, &mut body)
            .expect("sealing cannot fail");
        self.sequence += 1;
        record.extend_from_slice(&body);
        record
    }
}
