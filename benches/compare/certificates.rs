//! The certificates of all libraries: ECDSA P-256, each leaf under an intermediate under one root.

use pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::library::SERVER_NAME;
use crate::measuring::Outcome;

/// A root, and under it an identity for each side.
pub(crate) struct Certificates {
    pub(crate) root: CertificateDer<'static>,
    pub(crate) server: Identity,
    pub(crate) client: Identity,
}

/// A leaf with its intermediate, and the leaf's key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

impl Certificates {
    pub(crate) fn new() -> Outcome<Self> {
        let root = Issuer::self_signed(authority("Bench Root"), KeyPair::generate()?)?;
        let intermediate =
            Issuer::signed_by(authority("Bench Intermediate"), KeyPair::generate()?, &root)?;
        Ok(Self {
            root: root.der().clone(),
            server: issue(
                &intermediate,
                SERVER_NAME,
                ExtendedKeyUsagePurpose::ServerAuth,
            )?,
            client: issue(
                &intermediate,
                "client.example",
                ExtendedKeyUsagePurpose::ClientAuth,
            )?,
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

fn issue(intermediate: &Issuer, name: &str, purpose: ExtendedKeyUsagePurpose) -> Outcome<Identity> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, intermediate)?;
    Ok(Identity {
        chain: vec![leaf.der().clone(), intermediate.der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    })
}
