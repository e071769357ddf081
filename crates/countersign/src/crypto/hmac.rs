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
    // Boxed: a move copies the pointer, not the key.
    key: Box<hmac::Key>,
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
            key: Box::new(hmac::Key::new(algorithm, key)),
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
    pub(crate) fn extract(&self, input: &[u8]) -> Result<Self> {
        let mut block = Zeroizing::new([0; MAX_DIGEST_LEN]);
        let pseudorandom = self.sign_into(input, block.as_mut_slice())?;
        Ok(Self::new(self.hash, pseudorandom))
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
