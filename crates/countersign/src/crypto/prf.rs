//! The pseudorandom function of TLS 1.2 (RFC 5246 §5).

use aws_lc_rs::tls_prf::{P_SHA256, P_SHA384, P_SHA512, Secret};

use super::hash::HashAlgorithm;
use crate::error::{Error, Result};

/// Fills `out` with `PRF(secret, label, seed)`, where the seed is what its two parts make in a row.
pub(crate) fn expand(
    hash: HashAlgorithm,
    secret: &[u8],
    label: &[u8],
    seed: [&[u8]; 2],
    out: &mut [u8],
) -> Result<()> {
    // The library takes no output for a mistake; an exporter may be asked for it.
    if out.is_empty() {
        return Ok(());
    }
    let algorithm = match hash {
        HashAlgorithm::Sha256 => &P_SHA256,
        HashAlgorithm::Sha384 => &P_SHA384,
        HashAlgorithm::Sha512 => &P_SHA512,
    };
    let [front, back] = seed;
    // Both are erased when dropped.
    let expanded = Secret::new(algorithm, secret)
        .and_then(|secret| secret.derive_with_seed_concatination(label, front, back, out.len()))
        .map_err(|_| Error::Internal("the pseudorandom function failed"))?;
    out.copy_from_slice(expanded.as_ref());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::expand;
    use crate::crypto::hash::HashAlgorithm;
    use crate::messages::hex;

    /// The published vector for `P_SHA256`, as implementations pass it around.
    #[test]
    fn a_published_vector() {
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let expected = hex(
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a
                            6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab
                            4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701
                            87347b66",
        );
        let hash = HashAlgorithm::Sha256;
        for cut in 0..=seed.len() {
            let (front, back) = seed.split_at(cut);
            let mut out = [0; 100];
            expand(hash, &secret, b"test label", [front, back], &mut out).unwrap();
            assert_eq!(out[..], expected);
        }
        expand(hash, &secret, b"test label", [&seed, &[]], &mut []).unwrap();
    }
}
