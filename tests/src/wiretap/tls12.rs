//! Record protection of TLS 1.2 (RFC 5246 §6.3, RFC 5288, RFC 7905), written for the tests alone so that the
//! engine is not checked with its own code.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::hmac;

use crate::endpoint::Side;

/// What a handshake of TLS 1.2 agreed on, as far as its records depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The number of the suite.
    pub(crate) suite: u16,
    pub(crate) client_random: [u8; 32],
    pub(crate) server_random: [u8; 32],
}

impl Terms {
    /// The keys with which `from` writes; `None` for a suite that is not known.
    pub(crate) fn keys(&self, from: Side, master: &[u8]) -> Option<Keys> {
        let (aead, hmac) = match self.suite {
            0xc02b | 0xc02f | 0x00a6 => (&AES_128_GCM, hmac::HMAC_SHA256),
            0xc02c | 0xc030 | 0x00a7 => (&AES_256_GCM, hmac::HMAC_SHA384),
            0xcca8 | 0xcca9 => (&CHACHA20_POLY1305, hmac::HMAC_SHA256),
            _ => return None,
        };
        // RFC 5288 §3: a salt, to which each record adds the rest. RFC 7905 §2: all of it.
        let iv_length = if has_explicit_nonce(aead) { 4 } else { 12 };
        let key_length = aead.key_len();
        let seed = [&self.server_random[..], &self.client_random].concat();
        let length = 2 * (key_length + iv_length);
        let block = expand(
            hmac,
            master,
            &[b"key expansion", &seed[..]].concat(),
            length,
        );
        let (keys, ivs) = block.split_at(2 * key_length);
        let (key, iv) = match from {
            Side::Client => (&keys[..key_length], &ivs[..iv_length]),
            Side::Server => (&keys[key_length..], &ivs[iv_length..]),
        };
        Some(Keys {
            key: LessSafeKey::new(UnboundKey::new(aead, key).expect("the right length")),
            iv: iv.to_vec(),
            sequence: 0,
        })
    }
}

/// `P_hash` (RFC 5246 §5).
fn expand(algorithm: hmac::Algorithm, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let key = hmac::Key::new(algorithm, secret);
    let mut chained = hmac::sign(&key, seed);
    let mut out = Vec::new();
    while out.len() < length {
        let block = [chained.as_ref(), seed].concat();
        out.extend_from_slice(hmac::sign(&key, &block).as_ref());
        chained = hmac::sign(&key, chained.as_ref());
    }
    out.truncate(length);
    out
}

fn has_explicit_nonce(algorithm: &'static Algorithm) -> bool {
    *algorithm != CHACHA20_POLY1305
}

/// The keys of one direction and the number of its next record.
pub(crate) struct Keys {
    key: LessSafeKey,
    iv: Vec<u8>,
    sequence: u64,
}

impl Keys {
    /// Opens a record, header included. Gives content type and content; `None` leaves the
    /// sequence number as it was.
    pub(crate) fn open(&mut self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (header, body) = record.split_at_checked(5)?;
        let (explicit, sealed) = body.split_at_checked(self.explicit_length())?;
        let nonce = self.nonce(explicit);
        let mut sealed = sealed.to_vec();
        let length = sealed.len().checked_sub(16)?;
        let aad = self.additional_data(header[0], length);
        let content = self.key.open_in_place(nonce, Aad::from(aad), &mut sealed);
        let content = content.ok()?.to_vec();
        self.sequence += 1;
        Some((header[0], content))
    }

    /// Makes a record, header included.
    pub(crate) fn seal(&mut self, content_type: u8, content: &[u8]) -> Vec<u8> {
        let sequence = self.sequence.to_be_bytes();
        let explicit = &sequence[..self.explicit_length()];
        let nonce = self.nonce(explicit);
        let aad = self.additional_data(content_type, content.len());
        let mut sealed = content.to_vec();
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed)
            .expect("sealing cannot fail");
        self.sequence += 1;
        let length = u16::try_from(explicit.len() + sealed.len()).expect("fits a record");
        let header = [&[content_type, 3, 3][..], &length.to_be_bytes()].concat();
        [&header[..], explicit, &sealed].concat()
    }

    fn explicit_length(&self) -> usize {
        if has_explicit_nonce(self.key.algorithm()) {
            8
        } else {
            0
        }
    }

    fn nonce(&self, explicit: &[u8]) -> Nonce {
        let mut nonce = [0; 12];
        let (salt, rest) = nonce.split_at_mut(self.iv.len().min(4));
        salt.copy_from_slice(&self.iv[..4]);
        if explicit.is_empty() {
            let number = self.sequence.to_be_bytes();
            for ((byte, iv), number) in rest.iter_mut().zip(&self.iv[4..]).zip(number) {
                *byte = iv ^ number;
            }
        } else {
            rest.copy_from_slice(explicit);
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// RFC 5246 §6.2.3.3: the number of the record and its header, with the length of the content.
    fn additional_data(&self, content_type: u8, length: usize) -> Vec<u8> {
        let length = u16::try_from(length).expect("fits a record");
        [
            &self.sequence.to_be_bytes()[..],
            &[content_type, 3, 3],
            &length.to_be_bytes(),
        ]
        .concat()
    }
}
