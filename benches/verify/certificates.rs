//! A leaf under an intermediate under a root, all with keys of one kind.

use pki_types::{CertificateDer, UnixTime};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
};

use crate::measuring::Outcome;

/// The name that is looked for.
pub(crate) const NAME: &str = "server.example";

/// The kind of all keys.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    EcdsaP256,
    /// With a public exponent of 65537, and PKCS #1 v1.5 signatures with SHA-256.
    Rsa2048,
}

pub(crate) struct Chain {
    pub(crate) root: CertificateDer<'static>,
    /// Leaf and intermediate, as a server sends them.
    pub(crate) presented: Vec<CertificateDer<'static>>,
    pub(crate) time: UnixTime,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

impl Chain {
    pub(crate) fn new(kind: Kind) -> Outcome<Self> {
        let key = || {
            KeyPair::generate_for(match kind {
                Kind::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
                Kind::Rsa2048 => &PKCS_RSA_SHA256,
            })
        };
        let root = Issuer::self_signed(authority("Bench Root"), key()?)?;
        let intermediate = Issuer::signed_by(authority("Bench Intermediate"), key()?, &root)?;
        let mut leaf = CertificateParams::new(vec![NAME.to_owned()])?;
        leaf.distinguished_name.push(DnType::CommonName, NAME);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key()?, &intermediate)?;
        Ok(Self {
            root: root.der().clone(),
            presented: vec![leaf.der().clone(), intermediate.der().clone()],
            time: UnixTime::now(),
        })
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}
