//! OCSP responses as the openssl program makes them: by the issuer itself, by a responder it
//! certified, and with SHA-256 in the certificate's name. They are valid until 2125.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that cannot be read must end the test"
)]

use std::time::Duration;

use countersign_x509::{
    CertificateDer, ExpectedName, OcspResponse, OcspStatus, Parameters, Presented, Profile,
    Purpose, ResponderId, RevocationReason, Stapling, TrustStore, UnixTime, ValidationTime,
    VerifyCode, verify_presented,
};
use pki_types::pem::PemObject;

const CERTIFICATES: &[u8] = include_bytes!("data/ocsp/certificates.pem");
const BY_ISSUER: &[u8] = include_bytes!("data/ocsp/by-issuer.der");
const BY_DELEGATE: &[u8] = include_bytes!("data/ocsp/by-delegate.der");
const SHA256: &[u8] = include_bytes!("data/ocsp/sha256.der");

/// 2027-01-01.
const NOW: u64 = 1_798_761_600;

#[test]
fn responses_of_openssl_are_believed() {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(CERTIFICATES)
        .map(|der| der.unwrap())
        .collect();
    let [ca, leaf, gone] = &certificates[..] else {
        panic!("the fixture holds three certificates");
    };
    let (good, revoked) = (VerifyCode::OK, VerifyCode::CERT_REVOKED);
    for (certificate, response, expected) in [
        (leaf, BY_ISSUER, good),
        (leaf, BY_DELEGATE, good),
        (leaf, SHA256, VerifyCode::OCSP_NO_RESPONSE),
        (gone, BY_ISSUER, revoked),
        (gone, BY_DELEGATE, revoked),
        (gone, SHA256, revoked),
    ] {
        let trust = TrustStore::from_der([ca.clone()]).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
            .with_profile(Profile::OpenSsl)
            .with_name(ExpectedName::host("db.example"))
            .with_stapling(Stapling::Leaf);
        let chain = [certificate.clone()];
        let responses = [response];
        let presented = Presented::new(&chain).with_ocsp_responses(&responses);
        let report = verify_presented(presented, &trust, &parameters);
        assert_eq!(report.code(), expected, "{}", report.sentence());
    }
}

#[test]
fn a_response_says_what_openssl_shows_of_it() {
    let OcspResponse::Basic(response) = OcspResponse::parse(BY_DELEGATE).unwrap() else {
        panic!("the response is an answer");
    };
    let ResponderId::KeyHash(hash) = response.responder() else {
        panic!("the responder is named by its key");
    };
    assert_eq!(hash[..4], [0xf0, 0x37, 0x7b, 0xe1]);
    assert_eq!(
        response.produced_at().to_string(),
        "2026-11-23 13:54:20 UTC"
    );
    assert_eq!(response.certificates().count(), 1);
    let singles: Vec<_> = response.responses().iter().collect();
    assert_eq!(singles.len(), 2);
    assert_eq!(
        (singles[0].certificate.serial, singles[0].status),
        (&[7][..], OcspStatus::Good)
    );
    let OcspStatus::Revoked { on, why } = singles[1].status else {
        panic!("the second certificate is revoked");
    };
    assert_eq!(on.to_string(), "2026-11-01 00:00:00 UTC");
    assert_eq!(why, Some(RevocationReason::KeyCompromise));
    let next = singles[1].next_update.unwrap();
    assert_eq!(next.to_string(), "2125-06-17 13:54:20 UTC");
}
