//! Any bytes as a handshake message: the first says which, the rest is its body.

#![no_main]

use countersign_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 16 * 1024,
    for_a_byte: 16,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, judge));

fn judge(data: &[u8]) {
    if let Some((message_type, body)) = data.split_first() {
        countersign::fuzzing::messages(*message_type, body);
    }
}
