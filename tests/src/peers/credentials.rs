//! A certificate authority of this process and certificates for every kind of key.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ::openssl::asn1::Asn1Time;
use ::openssl::bn::BigNum;
use ::openssl::ec::{Asn1Flag, EcGroup, EcKey};
use ::openssl::hash::MessageDigest;
use ::openssl::nid::Nid;
use ::openssl::pkey::{Id, PKey, Private};
use ::openssl::pkey_ctx::PkeyCtx;
use ::openssl::rsa::Rsa;
use ::openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use ::openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "these are tested")]
pub enum KeyKind {
    /// On the curve P-256.
    EcdsaP256,
    /// On the curve P-384.
    EcdsaP384,
    /// On the curve P-521.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
    /// RSA, 2048 bits, for any padding.
    Rsa,
    /// RSA, 2048 bits, for RSA-PSS only (`id-RSASSA-PSS`).
    RsaPss,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::Rsa,
        Self::RsaPss,
    ];

    fn generate(self) -> PKey<Private> {
        match self {
            Self::EcdsaP256 => on_curve(Nid::X9_62_PRIME256V1),
            Self::EcdsaP384 => on_curve(Nid::SECP384R1),
            Self::EcdsaP521 => on_curve(Nid::SECP521R1),
            Self::Ed25519 => PKey::generate_ed25519().unwrap(),
            Self::Rsa => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
            Self::RsaPss => {
                let mut context = PkeyCtx::new_id(Id::RSA_PSS).unwrap();
                context.keygen_init().unwrap();
                context.set_rsa_keygen_bits(2048).unwrap();
                context.keygen().unwrap()
            }
        }
    }
}

fn on_curve(name: Nid) -> PKey<Private> {
    let mut group = EcGroup::from_curve_name(name).unwrap();
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate and its key. Made once in a process and kept.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Identity {
    /// The certificate, PEM; the authority is not in the chain.
    pub chain_pem: String,
    /// The key, PEM (PKCS#8).
    pub key_pem: String,
    /// The certificate, DER.
    pub leaf: Vec<u8>,
    /// The key, DER (PKCS#8).
    pub key: Vec<u8>,
}

struct Authority {
    certificate: X509,
    key: PKey<Private>,
    issued: BTreeMap<(KeyKind, &'static str), &'static Identity>,
}

static AUTHORITY: Mutex<Option<Authority>> = Mutex::new(None);

impl Identity {
    /// The certificate of `localhost` with a key of this kind.
    pub fn server(kind: KeyKind) -> &'static Self {
        Self::issued(kind, "localhost")
    }

    /// The certificate of a client with a key of this kind.
    pub fn client(kind: KeyKind) -> &'static Self {
        Self::issued(kind, "client.example")
    }

    fn issued(kind: KeyKind, name: &'static str) -> &'static Self {
        with_authority(|authority| {
            if let Some(known) = authority.issued.get(&(kind, name)) {
                return *known;
            }
            let identity: &'static Self = Box::leak(Box::new(authority.issue(kind, name)));
            authority.issued.insert((kind, name), identity);
            identity
        })
    }
}

/// The certificate of the authority that issued every [`Identity`], PEM.
pub fn authority_pem() -> String {
    with_authority(|authority| text(authority.certificate.to_pem().unwrap()))
}

/// The same, DER.
pub fn authority_der() -> Vec<u8> {
    with_authority(|authority| authority.certificate.to_der().unwrap())
}

fn with_authority<T>(work: impl FnOnce(&mut Authority) -> T) -> T {
    let mut slot = AUTHORITY.lock().unwrap_or_else(PoisonError::into_inner);
    work(slot.get_or_insert_with(Authority::new))
}

impl Authority {
    fn new() -> Self {
        let key = KeyKind::EcdsaP256.generate();
        let name = "countersign test authority";
        let mut builder = draft(name, &key, 1);
        builder.set_issuer_name(&common_name(name)).unwrap();
        let usage = KeyUsage::new()
            .critical()
            .key_cert_sign()
            .crl_sign()
            .build();
        let constraints = BasicConstraints::new().critical().ca().build();
        builder.append_extension(constraints.unwrap()).unwrap();
        builder.append_extension(usage.unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            certificate: builder.build(),
            key,
            issued: BTreeMap::new(),
        }
    }

    fn issue(&self, kind: KeyKind, name: &str) -> Identity {
        let key = kind.generate();
        let serial = 2 + u32::try_from(self.issued.len()).unwrap();
        let mut builder = draft(name, &key, serial);
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let names = SubjectAlternativeName::new()
            .dns(name)
            .ip("127.0.0.1")
            .build(&context)
            .unwrap();
        let usage = KeyUsage::new().critical().digital_signature().build();
        let purpose = ExtendedKeyUsage::new().server_auth().client_auth().build();
        let constraints = BasicConstraints::new().critical().build();
        for extension in [Ok(names), usage, purpose, constraints] {
            builder.append_extension(extension.unwrap()).unwrap();
        }
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        Identity {
            chain_pem: text(certificate.to_pem().unwrap()),
            key_pem: text(key.private_key_to_pem_pkcs8().unwrap()),
            leaf: certificate.to_der().unwrap(),
            key: key.private_key_to_pkcs8().unwrap(),
        }
    }
}

/// A certificate of version 3, valid from 2000 to 2099, without issuer and signature.
fn draft(name: &str, key: &PKey<Private>, serial: u32) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&common_name(name)).unwrap();
    builder.set_pubkey(key).unwrap();
    let serial = BigNum::from_u32(serial).unwrap().to_asn1_integer();
    builder.set_serial_number(&serial.unwrap()).unwrap();
    let from = Asn1Time::from_str_x509("20000101000000Z").unwrap();
    let until = Asn1Time::from_str_x509("20991231235959Z").unwrap();
    builder.set_not_before(&from).unwrap();
    builder.set_not_after(&until).unwrap();
    builder
}

fn common_name(name: &str) -> X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_text("CN", name).unwrap();
    builder.build()
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).expect("PEM is text")
}
