//! Any bytes as a ticket, as the session in one, and as the sessions that two ends resume with.

#![no_main]

use countersign_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 8 * 1024 * 1024,
    for_a_byte: 1024,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, countersign::fuzzing::tickets));
