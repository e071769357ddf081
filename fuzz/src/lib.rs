//! What holds for every target: no input makes it keep more memory than a little for each of its bytes.

use allocation_counter::measure;

/// How much a target may hold at one time, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Whatever the input is.
    pub always: usize,
    /// For each byte of the input.
    pub for_a_byte: usize,
}

impl Memory {
    /// Runs a target, and panics if it held more than that.
    pub fn bounds(self, data: &[u8], target: impl FnOnce(&[u8])) {
        let held = measure(|| target(data)).bytes_max;
        let allowed = self
            .for_a_byte
            .saturating_mul(data.len())
            .saturating_add(self.always);
        assert!(
            held <= u64::try_from(allowed).unwrap_or(u64::MAX),
            "{held} bytes were held for an input of {}",
            data.len()
        );
    }
}
