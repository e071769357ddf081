//! Any bytes as records, before and under a key, and as the content of records.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| countersign::fuzzing::records(data));
