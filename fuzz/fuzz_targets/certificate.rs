//! Any bytes as a certificate. What can be read says nothing that cannot be asked.

#![no_main]

use countersign_fuzz::Memory;
use countersign_x509::{Certificate, Name};
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 16 * 1024,
    for_a_byte: 16,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, judge));

fn judge(data: &[u8]) {
    let Ok(certificate) = Certificate::parse(data) else {
        return;
    };
    // A name that was read can be shown, and read again.
    for name in [certificate.subject(), certificate.issuer()] {
        let again = Name::from_der(name.der()).expect("a name that was read reads again");
        assert_eq!(again, name);
        assert!(!name.to_string().chars().any(char::is_control));
    }
    let extensions = certificate.extensions();
    if let Some(names) = extensions.subject_alt_name() {
        assert!(names.iter().count() <= data.len());
    }
    if let Some(constraints) = extensions.name_constraints() {
        let permitted = constraints.permitted_subtrees().count();
        let excluded = constraints.excluded_subtrees().count();
        assert!(permitted + excluded <= data.len());
    }
    let _ = certificate.public_key().security_bits();
    // Its own signature, if it is one at all, is checked without a panic.
    let _ = countersign_x509::verify_certificate_signature(&certificate, certificate.public_key());
}
