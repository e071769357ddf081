//! Parsing a certificate takes nothing from the heap.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::hint::black_box;

use allocation_counter::measure;
use countersign_x509::{Certificate, CertificateDer};
use pki_types::pem::PemObject;

/// Certificates of every kind of key and signature there is.
const KINDS: &str = include_str!("data/self-signed.pem");

/// Everything that can be asked of a certificate without making a string of it.
fn look_at(certificate: &Certificate<'_>) {
    black_box((
        certificate.subject() == certificate.issuer(),
        certificate.is_self_issued(),
        certificate.not_before(),
        certificate.not_after(),
        certificate.public_key().bits(),
        certificate.extensions().subject_key_identifier(),
    ));
}

#[test]
fn parsing_does_not_allocate() {
    let mut kinds = 0;
    for der in CertificateDer::pem_slice_iter(KINDS.as_bytes()) {
        let der = der.unwrap();
        let taken = measure(|| look_at(&Certificate::parse(&der).unwrap()));
        assert_eq!(taken.count_total, 0);
        kinds += 1;
    }
    assert!(kinds > 40);
}

#[test]
fn refusing_does_not_allocate() {
    let der = CertificateDer::pem_slice_iter(KINDS.as_bytes()).next();
    let der = der.unwrap().unwrap();
    for length in 0..der.len() {
        let taken = measure(|| {
            black_box(Certificate::parse(&der[..length])).unwrap_err();
        });
        assert_eq!(taken.count_total, 0, "cut after {length}");
    }
}

#[test]
fn the_counter_counts() {
    let taken = measure(|| {
        black_box(vec![0_u8; 100]);
    });
    assert_eq!((taken.count_total, taken.bytes_total), (1, 100));
}
