//! Any bytes as the text of PEM files, or as a certificate and a private key.

#![no_main]

use countersign_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 1024 * 1024,
    for_a_byte: 64,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, countersign::fuzzing::pem));
