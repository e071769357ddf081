//! Any bytes as a handshake message: the first says which, the rest is its body.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((message_type, body)) = data.split_first() {
        countersign::fuzzing::messages(*message_type, body);
    }
});
