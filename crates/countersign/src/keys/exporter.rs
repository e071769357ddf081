//! Keying material for use outside of TLS (RFC 9846 §7.5, RFC 5705).

use super::schedule12::{MasterSecret, Randoms};
use super::secret::{Secret, derive, expand_label};
use crate::crypto::hash::HashAlgorithm;
use crate::crypto::hmac::HmacKey;
use crate::error::{Misuse, Result};

/// Derives keying material that both sides of a connection can compute and nobody else.
#[derive(Debug)]
pub(crate) enum Exporter {
    /// RFC 9846 §7.5.
    Tls13 { hash: HashAlgorithm, secret: Secret },
    /// RFC 5705, with the extended master secret only (RFC 7627 §5.4).
    Tls12 {
        master: MasterSecret,
        randoms: Randoms,
    },
    /// TLS 1.2 without the extended master secret: what is exported might be the same on two connections.
    Unsafe,
}

impl Exporter {
    pub(super) fn tls13(hash: HashAlgorithm, secret: Secret) -> Self {
        Self::Tls13 { hash, secret }
    }

    /// Fills `out`, which may be 255 digests long (8160 bytes with SHA-256), for a label of at
    /// most 249 bytes. In TLS 1.3 no context is the same as an empty one.
    pub(crate) fn derive(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<()> {
        let (hash, secret) = match self {
            Self::Tls13 { hash, secret } => (*hash, secret),
            Self::Tls12 { master, randoms } => {
                return master
                    .export(randoms, label, context, out)
                    .map_err(|_| Misuse::ExportTooLong.into());
            }
            Self::Unsafe => return Err(Misuse::ExportWithoutExtendedMasterSecret.into()),
        };
        let context = context.unwrap_or_default();
        expand(hash, secret, (label, context), out).map_err(|_| Misuse::ExportTooLong.into())
    }

    /// The exporter secret, as `SSLKEYLOGFILE` records it.
    pub(crate) fn for_key_log(&self) -> &[u8] {
        match self {
            Self::Tls13 { secret, .. } => secret.expose(),
            Self::Tls12 { .. } | Self::Unsafe => &[],
        }
    }
}

fn expand(
    hash: HashAlgorithm,
    secret: &Secret,
    (label, context): (&[u8], &[u8]),
    out: &mut [u8],
) -> Result<()> {
    let secret = HmacKey::new(hash, secret.expose());
    let secret = derive(&secret, label, hash.digest(b"").as_ref())?;
    let secret = HmacKey::new(hash, secret.expose());
    expand_label(&secret, b"exporter", hash.digest(context).as_ref(), out)
}
