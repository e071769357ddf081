//! Two connections whose owners, and the line between them, do what the input says.

#![no_main]

use countersign_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 8 * 1024 * 1024,
    for_a_byte: 1024,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, countersign::fuzzing::connections));
