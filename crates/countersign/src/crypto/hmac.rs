//! HMAC (RFC 2104) and, built on it, HKDF (RFC 5869).
//!
//! A key that is set up once serves every later expansion of the same secret; outputs are written
//! straight to where they belong, so that no copy of a secret stays behind.

use core::fmt;

use aws_lc_rs::hmac;
use zeroize::{Zeroize, Zeroizing};

use super::hash::{Digest, HashAlgorithm, MAX_DIGEST_LEN};
use crate::error::{Error, Result};

/// What one block of HKDF-Expand may hash: a previous block, an `HkdfLabel` at its longest
/// (RFC 9846 §7.1: two bytes of length, 1 + 255 of label, 1 + 255 of context) and a counter.
const MAX_EXPAND_INPUT: usize = MAX_DIGEST_LEN + 514 + 1;

/// A key for HMAC, which is also a pseudorandom key of HKDF.
pub(crate) struct HmacKey {
    hash: HashAlgorithm,
    key: hmac::Key,
}

impl HmacKey {
    /// Sets up a key of any length.
    pub(crate) fn new(hash: HashAlgorithm, key: &[u8]) -> Self {
        let algorithm = match hash {
            HashAlgorithm::Sha256 => hmac::HMAC_SHA256,
            HashAlgorithm::Sha384 => hmac::HMAC_SHA384,
            HashAlgorithm::Sha512 => hmac::HMAC_SHA512,
        };
        Self {
            hash,
            key: hmac::Key::new(algorithm, key),
        }
    }

    /// The hash function inside.
    pub(crate) fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// The MAC over the parts in a row. The MAC is taken for public.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        Digest::from_slice(context.sign().as_ref())
    }

    /// HKDF-Extract (RFC 5869 §2.2) with this key as the salt.
    ///
    /// What it returns is kept for a while, therefore boxed: a move copies the pointer, not the key.
    pub(crate) fn extract(&self, input: &[u8]) -> Result<Box<Self>> {
        let mut block = Zeroizing::new([0; MAX_DIGEST_LEN]);
        let pseudorandom = self.sign_into(input, block.as_mut_slice())?;
        Ok(Box::new(Self::new(self.hash, pseudorandom)))
    }

    /// HKDF-Expand (RFC 5869 §2.3) with this key as the pseudorandom key. `info` is what the
    /// parts make in a row. Fails if `info` is longer than an `HkdfLabel` can be or `out` longer
    /// than 255 digests; neither depends on the peer.
    pub(crate) fn expand(&self, info: &[&[u8]], out: &mut [u8]) -> Result<()> {
        let block_len = self.hash.output_len();
        let mut input = ExpandInput::new();
        let mut previous = Zeroizing::new([0; MAX_DIGEST_LEN]);
        let several = out.len() > block_len;
        for (index, piece) in out.chunks_mut(block_len).enumerate() {
            let counter = u8::try_from(index + 1).map_err(|_| TOO_LONG)?;
            input.clear();
            if index > 0 {
                input.push(previous.get(..block_len).ok_or(TOO_LONG)?)?;
            }
            for part in info {
                input.push(part)?;
            }
            input.push(&[counter])?;
            if piece.len() == block_len && !several {
                self.sign_into(input.as_slice(), piece)?;
            } else {
                let block = self.sign_into(input.as_slice(), previous.as_mut_slice())?;
                for (to, from) in piece.iter_mut().zip(block) {
                    *to = *from;
                }
            }
        }
        if several {
            input.bytes.zeroize();
        }
        Ok(())
    }

    /// The MAC over `message`, written to the front of `out` and nowhere else.
    fn sign_into<'out>(&self, message: &[u8], out: &'out mut [u8]) -> Result<&'out mut [u8]> {
        hmac::sign_to_buffer(&self.key, message, out).map_err(|_| Error::Internal("HMAC failed"))
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

const TOO_LONG: Error = Error::Internal("HKDF was asked for more than it can give");

/// The input of one block, on the stack. It holds secrets only where several blocks are chained.
struct ExpandInput {
    bytes: [u8; MAX_EXPAND_INPUT],
    len: usize,
}

impl ExpandInput {
    fn new() -> Self {
        Self {
            bytes: [0; MAX_EXPAND_INPUT],
            len: 0,
        }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    fn push(&mut self, part: &[u8]) -> Result<()> {
        let end = self.len.checked_add(part.len()).ok_or(TOO_LONG)?;
        let free = self.bytes.get_mut(self.len..end).ok_or(TOO_LONG)?;
        free.copy_from_slice(part);
        self.len = end;
        Ok(())
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::HmacKey;
    use crate::crypto::hash::HashAlgorithm;

    fn from_hex(hex: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    }

    /// RFC 5869 §A.1.
    #[test]
    fn hkdf_basic_case() {
        let salt = HmacKey::new(
            HashAlgorithm::Sha256,
            &from_hex("000102030405060708090a0b0c"),
        );
        let pseudorandom = salt.extract(&[0x0b; 22]).unwrap();
        let printed = "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";
        let printed = HmacKey::new(HashAlgorithm::Sha256, &from_hex(printed));
        assert_eq!(pseudorandom.sign(&[b"x"]), printed.sign(&[b"x"]));
        let info = from_hex("f0f1f2f3f4f5f6f7f8f9");
        let mut out = [0; 42];
        pseudorandom
            .expand(&[&info[..3], &info[3..]], &mut out)
            .unwrap();
        let printed = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
                       34007208d5b887185865";
        assert_eq!(out[..], from_hex(printed));
    }

    /// RFC 5869 §A.2: three blocks.
    #[test]
    fn hkdf_with_longer_inputs() {
        let input: Vec<u8> = (0x00..=0x4f).collect();
        let salt: Vec<u8> = (0x60..=0xaf).collect();
        let info: Vec<u8> = (0xb0..=0xff).collect();
        let pseudorandom = HmacKey::new(HashAlgorithm::Sha256, &salt)
            .extract(&input)
            .unwrap();
        let mut out = [0; 82];
        pseudorandom.expand(&[&info], &mut out).unwrap();
        let printed = "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                       59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                       cc30c58179ec3e87c14c01d5c1f3434f1d87";
        assert_eq!(out[..], from_hex(printed));
    }

    /// RFC 5869 §A.3: neither salt nor info.
    #[test]
    fn hkdf_with_nothing_but_a_secret() {
        let salt = HmacKey::new(HashAlgorithm::Sha256, &[]);
        let mut out = [0; 42];
        salt.extract(&[0x0b; 22])
            .unwrap()
            .expand(&[], &mut out)
            .unwrap();
        let printed = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d\
                       9d201395faa4b61a96c8";
        assert_eq!(out[..], from_hex(printed));
    }

    /// RFC 4231 §4.3, test case 2, with each hash function of TLS.
    #[test]
    fn hmac_of_parts_is_that_of_the_whole() {
        let printed = [
            (
                HashAlgorithm::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                HashAlgorithm::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
                 8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                HashAlgorithm::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (hash, printed) in printed {
            let key = HmacKey::new(hash, b"Jefe");
            let mac = key.sign(&[b"what do ya want ", b"", b"for nothing?"]);
            assert_eq!(mac.as_ref(), from_hex(printed), "{hash:?}");
        }
    }

    #[test]
    fn every_output_length_is_a_prefix_of_the_longest() {
        for hash in [
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
        ] {
            let key = HmacKey::new(hash, b"secret");
            let mut longest = [0; 200];
            key.expand(&[b"info"], &mut longest).unwrap();
            for len in 0..longest.len() {
                let mut out = vec![0; len];
                key.expand(&[b"info"], &mut out).unwrap();
                assert_eq!(out, longest[..len], "{hash:?} {len}");
            }
        }
    }

    #[test]
    fn more_than_hkdf_can_give_is_refused() {
        let key = HmacKey::new(HashAlgorithm::Sha256, b"secret");
        assert!(key.expand(&[], &mut [0; 255 * 32]).is_ok());
        assert!(key.expand(&[], &mut [0; 255 * 32 + 1]).is_err());
        assert!(key.expand(&[&[0; 514]], &mut [0; 64]).is_ok());
        assert!(key.expand(&[&[0; 600]], &mut [0; 32]).is_err());
    }
}
