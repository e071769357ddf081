//! The input of the fuzzer, taken byte by byte.

/// The input, byte by byte. What is not there is nothing.
pub(super) struct Input<'d>(pub(super) &'d [u8]);

impl<'d> Input<'d> {
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    /// As many bytes as the next one says.
    pub(super) fn bytes(&mut self) -> &'d [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }
}
