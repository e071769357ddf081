//! One fresh key of each kind, for tests of signing and verifying.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use pki_types::alg_id;

use super::der;
use super::public_key::{KeyAlgorithm, PssHash};

/// `id-RSASSA-PSS` without parameters.
pub(super) const PSS_WITHOUT_PARAMETERS: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a,
];

/// A private key and the `SubjectPublicKeyInfo` of its certificate.
#[derive(Debug)]
pub(super) struct TestKey {
    pub(super) algorithm: KeyAlgorithm,
    pub(super) pkcs8: Vec<u8>,
    pub(super) spki: Vec<u8>,
}

/// Every kind of key, made once per process.
pub(super) fn all() -> &'static [TestKey] {
    static KEYS: OnceLock<Vec<TestKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let pss = |hash| KeyAlgorithm::RsaPss(hash);
        vec![
            ecdsa(KeyAlgorithm::EcdsaP256, &ECDSA_P256_SHA256_ASN1_SIGNING),
            ecdsa(KeyAlgorithm::EcdsaP384, &ECDSA_P384_SHA384_ASN1_SIGNING),
            ecdsa(KeyAlgorithm::EcdsaP521, &ECDSA_P521_SHA512_ASN1_SIGNING),
            ed25519(),
            rsa(KeyAlgorithm::Rsa, &alg_id::RSA_ENCRYPTION),
            rsa(pss(PssHash::Any), PSS_WITHOUT_PARAMETERS),
            rsa(pss(PssHash::Sha256), &alg_id::RSA_PSS_SHA256),
            rsa(pss(PssHash::Sha384), &alg_id::RSA_PSS_SHA384),
            rsa(pss(PssHash::Sha512), &alg_id::RSA_PSS_SHA512),
        ]
    })
}

/// The key of that kind.
pub(super) fn key(algorithm: KeyAlgorithm) -> &'static TestKey {
    let found = all().iter().find(|key| key.algorithm == algorithm);
    found.expect("a key of every kind")
}

/// One DER element around the parts in a row.
pub(super) fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("less than 64 KB");
    let [high, low] = length.to_be_bytes();
    let header = match length {
        ..0x80 => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, content].concat()
}

/// A `SubjectPublicKeyInfo` from the content of its `AlgorithmIdentifier` and its key.
pub(super) fn spki(identifier: &[u8], bits: &[u8]) -> Vec<u8> {
    let identifier = wrap(der::SEQUENCE, &[identifier]);
    wrap(
        der::SEQUENCE,
        &[&identifier, &wrap(der::BIT_STRING, &[&[0], bits])],
    )
}

/// A `PrivateKeyInfo` from the content of its `AlgorithmIdentifier` and its key.
pub(super) fn pkcs8(identifier: &[u8], inner: &[u8]) -> Vec<u8> {
    let identifier = wrap(der::SEQUENCE, &[identifier]);
    let inner = wrap(der::OCTET_STRING, &[inner]);
    wrap(der::SEQUENCE, &[&[der::INTEGER, 1, 0], &identifier, &inner])
}

/// The content of the OCTET STRING of a `PrivateKeyInfo`.
pub(crate) fn inner_key(pkcs8: &[u8]) -> &[u8] {
    let content = der::only(pkcs8, der::SEQUENCE).expect("a PrivateKeyInfo");
    let (_version, rest) = der::element(content, der::INTEGER).expect("a version");
    let (_identifier, rest) = der::element(rest, der::SEQUENCE).expect("an algorithm");
    der::element(rest, der::OCTET_STRING).expect("a key").0
}

/// An RSA key in PKCS#8 form.
pub(super) fn rsa_pkcs8(size: KeySize) -> Vec<u8> {
    let key = RsaKeyPair::generate(size).expect("an RSA key");
    let der: Pkcs8V1Der<'_> = key.as_der().expect("PKCS#8");
    der.as_ref().to_vec()
}

fn ecdsa(algorithm: KeyAlgorithm, signing: &'static EcdsaSigningAlgorithm) -> TestKey {
    let key = EcdsaKeyPair::generate(signing).expect("an ECDSA key");
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a public key");
    TestKey {
        algorithm,
        pkcs8: key.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec(),
        spki: spki.as_ref().to_vec(),
    }
}

fn ed25519() -> TestKey {
    let key = Ed25519KeyPair::generate().expect("an Ed25519 key");
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a public key");
    TestKey {
        algorithm: KeyAlgorithm::Ed25519,
        pkcs8: key.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec(),
        spki: spki.as_ref().to_vec(),
    }
}

fn rsa(algorithm: KeyAlgorithm, identifier: &[u8]) -> TestKey {
    let der = rsa_pkcs8(KeySize::Rsa2048);
    let key = RsaKeyPair::from_pkcs8(&der).expect("an RSA key");
    TestKey {
        algorithm,
        pkcs8: pkcs8(identifier, inner_key(&der)),
        spki: spki(identifier, key.public_key().as_ref()),
    }
}
