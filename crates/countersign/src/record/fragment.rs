//! Splits what is to be sent into records, out of as many slices as it lies in.

use std::io::IoSlice;

/// A cursor over slices that are read as if they were one.
#[derive(Debug)]
pub(crate) struct Gather<'s> {
    /// What is left of the slice under the cursor.
    current: &'s [u8],
    following: core::slice::Iter<'s, IoSlice<'s>>,
    remaining: usize,
}

impl<'s> Gather<'s> {
    pub(crate) fn new(slices: &'s [IoSlice<'s>]) -> Self {
        Self {
            current: &[],
            following: slices.iter(),
            remaining: slices
                .iter()
                .fold(0, |sum: usize, slice| sum.saturating_add(slice.len())),
        }
    }

    /// How many bytes are left.
    pub(crate) const fn remaining(&self) -> usize {
        self.remaining
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
    fn nothing_is_nothing() {
        let mut gather = Gather::new(&[]);
        let mut output = Vec::new();
        gather.copy(5, &mut output);
        assert_eq!(gather.remaining(), 0);
        assert!(output.is_empty());
    }
}
