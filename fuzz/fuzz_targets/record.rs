//! Any bytes as records, before and under a key, and as the content of records.

#![no_main]

use countersign_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 64 * 1024,
    for_a_byte: 16,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, countersign::fuzzing::records));
