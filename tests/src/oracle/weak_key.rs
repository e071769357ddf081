//! A signer for the RSA keys of 1024 bits that some rows use. countersign does not sign with
//! them; a key that lives elsewhere is not its business.

use core::fmt;

use countersign::{Credential, SignError, SignatureScheme, Signer};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer as OpenSslSigner};
use pki_types::CertificateDer;
use pki_types::pem::PemObject as _;

/// Signs through OpenSSL, in `rsa_pss_rsae_sha256`.
pub(crate) struct WeakKey(PKey<Private>);

impl WeakKey {
    /// A chain and its key, PEM.
    pub(crate) fn credential(chain: &str, key: &str) -> Result<Credential, String> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let key = PKey::private_key_from_pem(key.as_bytes()).map_err(|error| error.to_string())?;
        Credential::with_signer(chain, Self(key)).map_err(|error| error.to_string())
    }

    fn sign_with_openssl(&self, message: &[u8]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
        let mut signer = OpenSslSigner::new(MessageDigest::sha256(), &self.0)?;
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        signer.sign_oneshot_to_vec(message)
    }
}

impl Signer for WeakKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::RSA_PSS_RSAE_SHA256]
    }

    fn sign(&self, _: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_with_openssl(message)
            .map_err(|_| SignError::Failed)
    }
}

impl fmt::Debug for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakKey")
    }
}
