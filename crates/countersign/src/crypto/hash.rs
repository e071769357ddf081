//! Hash functions: one-shot digests and the running hash of a transcript.

use core::fmt;

use aws_lc_rs::{constant_time, digest};

/// The longest digest, in bytes: SHA-512's.
pub(crate) const MAX_DIGEST_LEN: usize = 64;

/// A hash function of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashAlgorithm {
    Sha256,
    Sha384,
    #[cfg_attr(not(test), expect(dead_code, reason = "no suite hashes with it"))]
    Sha512,
}

impl HashAlgorithm {
    /// The hash of all of `data`.
    pub(crate) fn digest(self, data: &[u8]) -> Digest {
        Digest::from_slice(digest::digest(self.primitive(), data).as_ref())
    }

    /// Starts a running hash.
    pub(crate) fn start(self) -> HashContext {
        HashContext {
            context: digest::Context::new(self.primitive()),
        }
    }

    /// The length of a digest in bytes.
    pub(crate) const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn primitive(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// The output of a hash function or of HMAC. Not for secrets: it is `Copy` and `Debug`. What a peer claims it to be
/// is compared with [`constant_time_eq`].
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub(crate) struct Digest {
    bytes: [u8; MAX_DIGEST_LEN],
    len: usize,
}

impl Digest {
    /// Takes over a digest; what exceeds 64 bytes is cut off.
    pub(crate) fn from_slice(digest: &[u8]) -> Self {
        let mut bytes = [0; MAX_DIGEST_LEN];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        Self {
            bytes,
            len: digest.len().min(MAX_DIGEST_LEN),
        }
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(")?;
        for byte in self.as_ref() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// A hash that is still being fed.
#[derive(Clone)]
pub(crate) struct HashContext {
    context: digest::Context,
}

impl HashContext {
    /// Feeds more data.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    /// The hash of everything fed so far; feeding can go on.
    pub(crate) fn peek(&self) -> Digest {
        Digest::from_slice(self.context.clone().finish().as_ref())
    }
}

impl fmt::Debug for HashContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashContext").finish_non_exhaustive()
    }
}

/// Compares without telling by its duration where the first difference is.
pub(crate) fn constant_time_eq(ours: &[u8], theirs: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(ours, theirs).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{HashAlgorithm, constant_time_eq};

    #[test]
    fn peeking_does_not_disturb_the_running_hash() {
        for hash in [
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
        ] {
            let mut running = hash.start();
            assert_eq!(running.peek(), hash.digest(b""));
            running.update(b"client hello, ");
            assert_eq!(running.peek(), hash.digest(b"client hello, "));
            running.update(b"server hello");
            assert_eq!(running.peek(), hash.digest(b"client hello, server hello"));
            assert_eq!(running.peek().as_ref().len(), hash.output_len());
        }
    }

    #[test]
    fn the_hash_of_nothing_is_the_published_one() {
        // RFC 8448 §3: the hash for Derive-Secret(., "derived", "").
        let printed = "Digest(e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855)";
        assert_eq!(format!("{:?}", HashAlgorithm::Sha256.digest(b"")), printed);
    }

    #[test]
    fn comparison_sees_every_byte_and_the_length() {
        assert!(constant_time_eq(b"finished", b"finished"));
        assert!(!constant_time_eq(b"finished", b"finisheD"));
        assert!(!constant_time_eq(b"finished", b"Finished"));
        assert!(!constant_time_eq(b"finished", b"finishe"));
        assert!(!constant_time_eq(b"", b"f"));
    }
}
