//! The one source of our own random bytes. (Key pairs draw theirs inside the cryptographic library,
//! but for those of finite-field Diffie-Hellman.)

use core::fmt;

use crate::error::Error;

/// Where random bytes come from: hello randoms, session identifiers, tickets and their keys, and
/// the private exponents of finite-field Diffie-Hellman.
///
/// The default is [`SystemRandom`]. Tests that need a reproducible handshake supply their own.
///
/// ```
/// use countersign::{Random, SystemRandom};
/// let mut bytes = [0; 32];
/// SystemRandom.fill(&mut bytes)?;
/// # Ok::<(), countersign::RandomFailed>(())
/// ```
pub trait Random: Send + Sync {
    /// Fills all of `out` with bytes that nobody can predict.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed>;
}

/// The random number generator of the cryptographic library, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        aws_lc_rs::rand::fill(out).map_err(|_| RandomFailed)
    }
}

/// No random bytes could be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailed;

impl fmt::Display for RandomFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("No random bytes could be had.")
    }
}

impl core::error::Error for RandomFailed {}

impl From<RandomFailed> for Error {
    fn from(_: RandomFailed) -> Self {
        Self::Internal("no random bytes could be had")
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, SystemRandom};

    #[test]
    fn all_of_the_slice_is_filled() {
        // 64 zero bytes in a row have a probability of 2^-512.
        let mut bytes = [0; 128];
        SystemRandom.fill(&mut bytes).unwrap();
        assert_ne!(bytes[..64], [0; 64]);
        assert_ne!(bytes[64..], [0; 64]);
    }
}
