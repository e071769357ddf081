//! Splits what is to be sent into records, out of as many slices as it lies in.

use std::io::IoSlice;

use super::frame::MAX_PLAINTEXT;

/// A cursor over slices that are read as if they were one.
#[derive(Debug)]
pub(crate) struct Gather<'s> {
    /// What is left of the slice under the cursor.
    current: &'s [u8],
    following: core::slice::Iter<'s, IoSlice<'s>>,
    remaining: usize,
    largest: usize,
}

impl<'s> Gather<'s> {
    /// For records as large as they may be.
    pub(crate) fn new(slices: &'s [IoSlice<'s>]) -> Self {
        Self::in_records_of(MAX_PLAINTEXT, slices)
    }

    /// For records with at most so many bytes of content.
    pub(crate) fn in_records_of(largest: usize, slices: &'s [IoSlice<'s>]) -> Self {
        Self {
            current: &[],
            following: slices.iter(),
            remaining: slices
                .iter()
                .fold(0, |sum: usize, slice| sum.saturating_add(slice.len())),
            largest: largest.min(MAX_PLAINTEXT),
        }
    }

    /// How many bytes are left.
    pub(crate) const fn remaining(&self) -> usize {
        self.remaining
    }

    /// How many bytes go into the next record.
    pub(crate) fn next_record(&self) -> usize {
        self.remaining.min(self.largest)
    }

    /// Appends the next `length` bytes, or those that are left, to `output`.
    pub(crate) fn copy(&mut self, length: usize, output: &mut Vec<u8>) {
        let mut wanted = length.min(self.remaining);
        self.remaining = self.remaining.saturating_sub(wanted);
        while wanted > 0 {
            let step = wanted.min(self.current.len());
            let (taken, rest) = self.current.split_at_checked(step).unwrap_or_default();
            output.extend_from_slice(taken);
            wanted = wanted.saturating_sub(step);
            self.current = rest;
            if wanted > 0 {
                match self.following.next() {
                    Some(slice) => self.current = slice,
                    None => return,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::Gather;

    #[test]
    fn slices_are_read_as_one() {
        let slices = [&b"ab"[..], b"", b"cdef", b"", b"g", b""].map(IoSlice::new);
        for step in 1..=8 {
            let mut gather = Gather::new(&slices);
            let mut output = Vec::new();
            while gather.remaining() > 0 {
                let before = output.len();
                gather.copy(step, &mut output);
                assert_eq!(output.len(), 7.min(before + step));
                assert_eq!(gather.remaining(), 7 - output.len());
            }
            assert_eq!(output, b"abcdefg");
        }
    }

    #[test]
    fn records_are_as_large_as_they_may_be() {
        let data = vec![0; 40_000];
        let slices = [IoSlice::new(&data)];
        assert_eq!(Gather::new(&slices).next_record(), 16_384);
        assert_eq!(Gather::in_records_of(20_000, &slices).next_record(), 16_384);
        let mut gather = Gather::in_records_of(15_000, &slices);
        for length in [15_000, 15_000, 10_000, 0] {
            assert_eq!(gather.next_record(), length);
            gather.copy(length, &mut Vec::new());
        }
    }

    #[test]
    fn nothing_is_nothing() {
        let mut gather = Gather::new(&[]);
        let mut output = Vec::new();
        gather.copy(5, &mut output);
        assert_eq!(gather.remaining(), 0);
        assert!(output.is_empty());
    }
}
