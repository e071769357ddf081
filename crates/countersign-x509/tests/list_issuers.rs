//! Revocation lists signed by somebody outside the chain: a CA that has one key for certificates
//! and another for lists.

#![allow(
    clippy::unwrap_used,
    reason = "a list that cannot be made must end the test"
)]

use std::time::Duration;

use countersign_x509::{
    Certificate, CertificateDer, Parameters, Purpose, Revocation, TrustStore, UnixTime,
    ValidationTime, VerifyCode, verify,
};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, DnType, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, date_time_ymd,
};

type Authority = Issuer<'static, KeyPair>;

/// 2026-06-01.
const NOW: u64 = 1_780_272_000;

fn ca(name: &str, usage: KeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![usage];
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn root(name: &str) -> (CertificateDer<'static>, Authority) {
    let (params, key) = (
        ca(name, KeyUsagePurpose::KeyCertSign),
        KeyPair::generate().unwrap(),
    );
    let der = params.self_signed(&key).unwrap().der().clone();
    (der, Issuer::new(params, key))
}

fn below(issuer: &Authority, params: CertificateParams) -> (CertificateDer<'static>, Authority) {
    let key = KeyPair::generate().unwrap();
    let der = params.signed_by(&key, issuer).unwrap().der().clone();
    (der, Issuer::new(params, key))
}

fn list(issuer: &Authority, revoked: &[u64]) -> rcgen::CertificateRevocationList {
    let revoked = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: (*serial).into(),
        revocation_time: date_time_ymd(2026, 5, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 5, 1),
        next_update: date_time_ymd(2026, 7, 1),
        crl_number: 1.into(),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap()
}

/// A leaf with the serial number 7, its CA, and that CA's other key, for lists.
struct World {
    trust: TrustStore,
    chain: Vec<CertificateDer<'static>>,
    lister: Authority,
}

impl World {
    /// `lister` is certified as the CA, by the CA's own root or by another root.
    fn new(own_root: bool, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (root_der, root_key) = root("Root");
        let (other_der, other_key) = root("Other Root");
        let (ca_der, ca_key) = below(&root_key, ca("CA", KeyUsagePurpose::KeyCertSign));
        let mut lister = ca("CA", KeyUsagePurpose::CrlSign);
        change(&mut lister);
        let certifier = if own_root { &root_key } else { &other_key };
        let (lister_der, lister) = below(certifier, lister);
        let mut leaf = CertificateParams::new(["db.example".to_owned()]).unwrap();
        leaf.serial_number = Some(7u64.into());
        leaf.use_authority_key_identifier_extension = true;
        leaf.not_before = date_time_ymd(2026, 1, 1);
        leaf.not_after = date_time_ymd(2027, 1, 1);
        let (leaf_der, _) = below(&ca_key, leaf);
        Self {
            trust: TrustStore::from_der([root_der, other_der]).unwrap(),
            chain: vec![leaf_der, ca_der, lister_der],
            lister,
        }
    }

    fn listing(
        own_root: bool,
        revoked: &[u64],
        change: impl FnOnce(&mut Parameters),
    ) -> VerifyCode {
        let world = Self::new(own_root, |_| {});
        world.check(revoked, change)
    }

    fn check(&self, revoked: &[u64], change: impl FnOnce(&mut Parameters)) -> VerifyCode {
        let list = list(&self.lister, revoked);
        let trust = self.trust.clone().with_crls([list.der().clone()]).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        let mut parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
            .with_revocation(Revocation::Leaf)
            .with_extended_crls(true);
        change(&mut parameters);
        verify(&self.chain, &trust, &parameters).code()
    }
}

#[test]
fn the_other_key_of_a_ca_may_sign_its_lists() {
    assert_eq!(World::listing(true, &[], |_| {}), VerifyCode::OK);
    assert_eq!(World::listing(true, &[7], |_| {}), VerifyCode::CERT_REVOKED);
}

#[test]
fn without_extended_support_such_lists_do_not_exist() {
    let plain = |parameters: &mut Parameters| parameters.extended_crls = false;
    assert_eq!(
        World::listing(true, &[], plain),
        VerifyCode::UNABLE_TO_GET_CRL
    );
    assert_eq!(
        World::listing(true, &[7], plain),
        VerifyCode::UNABLE_TO_GET_CRL
    );
}

#[test]
fn a_namesake_under_another_anchor_is_somebody_else() {
    let refused = VerifyCode::CRL_PATH_VALIDATION_ERROR;
    assert_eq!(World::listing(false, &[], |_| {}), refused);
}

#[test]
fn the_issuer_of_a_list_needs_a_valid_chain() {
    let refused = VerifyCode::CRL_PATH_VALIDATION_ERROR;
    let expired = World::new(true, |lister| lister.not_after = date_time_ymd(2026, 5, 30));
    assert_eq!(expired.check(&[], |_| {}), refused);
    let mut forged = World::new(true, |_| {});
    let mut der = forged.chain.pop().unwrap().to_vec();
    *der.last_mut().unwrap() ^= 1;
    assert!(Certificate::parse(&der).is_ok());
    forged.chain.push(der.into());
    assert_eq!(forged.check(&[], |_| {}), refused);
}

#[test]
fn where_all_of_the_chain_is_checked_the_issuer_of_a_list_is_too() {
    let world = World::new(true, |_| {});
    let chain = |parameters: &mut Parameters| parameters.revocation = Revocation::Chain;
    // Nobody tells whether the issuer of the list, certified by the root, is revoked.
    let code = world.check(&[], chain);
    assert_eq!(code, VerifyCode::CRL_PATH_VALIDATION_ERROR);
}
