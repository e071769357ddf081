//! Any bytes as PEM text for a trust store. What cannot be read changes nothing.

#![no_main]

use countersign_fuzz::Memory;
use countersign_x509::TrustStore;
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 64 * 1024,
    for_a_byte: 16,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, judge));

fn judge(data: &[u8]) {
    match TrustStore::from_pem(data) {
        Ok(store) => {
            assert!(!store.is_empty());
            assert!(store.len() + store.crl_count() <= data.len());
            assert!(store.subjects().len() <= store.len());
            // Everything in it reads again, and adding it once more adds nothing.
            let (certificates, lists) = (store.len(), store.crl_count());
            store.add_pem(data).expect("what was read reads again");
            assert_eq!((store.len(), store.crl_count()), (certificates, lists));
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
    }
    let store = TrustStore::empty();
    if store.replace_crls_pem(data).is_err() {
        assert_eq!((store.epoch(), store.crl_count()), (0, 0));
    }
}
