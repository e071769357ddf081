//! Any bytes as a revocation list and as an OCSP response.

#![no_main]

use countersign_fuzz::Memory;
use countersign_x509::{CertificateList, OcspResponse};
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 16 * 1024,
    for_a_byte: 16,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, judge));

fn judge(data: &[u8]) {
    if let Ok(list) = CertificateList::parse(data) {
        assert!(list.entries().count() <= data.len());
        let _ = list.check_entries();
        let _ = list.find(&[1], &list.issuer());
    }
    if let Ok(OcspResponse::Basic(response)) = OcspResponse::parse(data) {
        assert!(response.responses().iter().count() <= data.len());
        assert!(response.certificates().count() <= data.len());
        assert!(!format!("{response:?}").is_empty());
    }
}
