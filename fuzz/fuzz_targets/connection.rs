//! Two connections whose owners, and the line between them, do what the input says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| countersign::fuzzing::connections(data));
