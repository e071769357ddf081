//! The cell that a secret lives in, and the one function that derives secrets from secrets.

use core::fmt;

use zeroize::Zeroizing;

use crate::crypto::hmac::HmacKey;
use crate::error::{Error, Result};

/// Secret bytes in one place on the heap: moving it copies a pointer, dropping it erases the
/// bytes. It cannot be copied, compared with `==` or printed.
pub(crate) struct Secret {
    bytes: Zeroizing<Box<[u8]>>,
}

impl Secret {
    /// Allocates a cell of `len` bytes and lets `fill` write it.
    pub(super) fn fill_with(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<Self> {
        let mut bytes = Zeroizing::new(vec![0; len].into_boxed_slice());
        fill(&mut bytes)?;
        Ok(Self { bytes })
    }

    /// Copies a secret that came from outside: an external pre-shared key, or a stored one.
    pub(crate) fn from_slice(bytes: &[u8]) -> Self {
        Self {
            bytes: Zeroizing::new(bytes.into()),
        }
    }

    /// The bytes themselves.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// HKDF-Expand-Label (RFC 9846 §7.1): fills `out`.
///
/// ```text
/// struct { uint16 length; opaque label<7..255> = "tls13 " + Label; opaque context<0..255>; } HkdfLabel;
/// ```
pub(super) fn expand_label(
    secret: &HmacKey,
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<()> {
    const PREFIX: &[u8] = b"tls13 ";
    const TOO_LONG: Error = Error::Internal("a label, context or output is too long to derive");
    let length = u16::try_from(out.len()).map_err(|_| TOO_LONG)?;
    let label_len = u8::try_from(PREFIX.len() + label.len()).map_err(|_| TOO_LONG)?;
    let context_len = u8::try_from(context.len()).map_err(|_| TOO_LONG)?;
    let info: [&[u8]; 6] = [
        &length.to_be_bytes(),
        &[label_len],
        PREFIX,
        label,
        &[context_len],
        context,
    ];
    secret.expand(&info, out)
}

/// HKDF-Expand-Label into a secret of its own, as long as the digest.
pub(super) fn derive(secret: &HmacKey, label: &[u8], context: &[u8]) -> Result<Secret> {
    Secret::fill_with(secret.hash().output_len(), |out| {
        expand_label(secret, label, context, out)
    })
}
