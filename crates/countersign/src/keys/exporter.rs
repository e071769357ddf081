//! Keying material for use outside of TLS (RFC 9846 §7.5).

use super::secret::{Secret, derive, expand_label};
use crate::crypto::hash::HashAlgorithm;
use crate::crypto::hmac::HmacKey;
use crate::error::Result;

/// Derives keying material that both sides of a connection can compute and nobody else.
#[derive(Debug)]
pub(crate) struct Exporter {
    hash: HashAlgorithm,
    secret: Secret,
}

impl Exporter {
    pub(super) fn new(hash: HashAlgorithm, secret: Secret) -> Self {
        Self { hash, secret }
    }

    /// Fills `out`, which may be 255 digests long (8160 bytes with SHA-256), for a label of at
    /// most 249 bytes. In TLS 1.3 no context is the same as an empty one.
    pub(crate) fn derive(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        let secret = HmacKey::new(self.hash, self.secret.expose());
        let secret = derive(&secret, label, self.hash.digest(b"").as_ref())?;
        let secret = HmacKey::new(self.hash, secret.expose());
        expand_label(
            &secret,
            b"exporter",
            self.hash.digest(context).as_ref(),
            out,
        )
    }

    /// The exporter secret, as `SSLKEYLOGFILE` records it.
    pub(crate) fn for_key_log(&self) -> &[u8] {
        self.secret.expose()
    }
}
