//! Writing and reading numbers and texts.

use super::UnreadableReport;

/// Octets in the making.
#[derive(Default)]
pub(super) struct Writer {
    octets: Vec<u8>,
}

impl Writer {
    pub(super) fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    pub(super) fn octet(&mut self, octet: u8) {
        self.octets.push(octet);
    }

    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Seven bits an octet, the lowest first; the highest bit says that more follow.
    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.octet(low & 0x7f);
            }
            self.octet(low | 0x80);
        }
    }

    /// A number that may be negative: small ones stay short on both sides of zero.
    pub(super) fn signed(&mut self, number: i64) {
        let folded = number.wrapping_shl(1) ^ number.wrapping_shr(63);
        self.number(u64::from_ne_bytes(folded.to_ne_bytes()));
    }

    pub(super) fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.octets(text.as_bytes());
    }
}

/// Octets that are not read yet.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Demands that everything has been read.
    pub(super) fn finish(self) -> Result<(), UnreadableReport> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(UnreadableReport)
        }
    }

    pub(super) fn octet(&mut self) -> Result<u8, UnreadableReport> {
        let [octet] = *self.array()?;
        Ok(octet)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], UnreadableReport> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(UnreadableReport)?;
        self.rest = rest;
        Ok(array)
    }

    pub(super) fn number(&mut self) -> Result<u64, UnreadableReport> {
        let mut number: u64 = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            let shifted = bits.checked_shl(shift).ok_or(UnreadableReport)?;
            if shifted >> shift != bits {
                return Err(UnreadableReport);
            }
            number |= shifted;
            if octet & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(UnreadableReport)
    }

    pub(super) fn number32(&mut self) -> Result<u32, UnreadableReport> {
        u32::try_from(self.number()?).map_err(|_| UnreadableReport)
    }

    pub(super) fn signed(&mut self) -> Result<i64, UnreadableReport> {
        let folded = i64::from_ne_bytes(self.number()?.to_ne_bytes());
        let half = i64::from_ne_bytes((folded.cast_unsigned() >> 1).to_ne_bytes());
        Ok(half ^ (folded & 1).wrapping_neg())
    }

    /// How many elements follow, each of at least one octet: never more than there are octets.
    pub(super) fn length(&mut self) -> Result<usize, UnreadableReport> {
        let length = usize::try_from(self.number()?).map_err(|_| UnreadableReport)?;
        if length <= self.rest.len() {
            Ok(length)
        } else {
            Err(UnreadableReport)
        }
    }

    pub(super) fn text(&mut self) -> Result<Box<str>, UnreadableReport> {
        let length = self.length()?;
        let (text, rest) = self.rest.split_at_checked(length).ok_or(UnreadableReport)?;
        self.rest = rest;
        core::str::from_utf8(text)
            .map(Box::from)
            .map_err(|_| UnreadableReport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_numbers_are_one_octet() {
        let written = |number| {
            let mut writer = Writer::default();
            writer.number(number);
            writer.into_octets()
        };
        assert_eq!(written(0), [0]);
        assert_eq!(written(127), [127]);
        assert_eq!(written(128), [0x80, 1]);
        assert_eq!(written(u64::MAX).len(), 10);
    }

    #[test]
    fn a_number_too_large_is_refused() {
        for octets in [&[0xff; 10][..], &[0xff; 9], &[0x80; 11], &[]] {
            assert_eq!(Reader::new(octets).number(), Err(UnreadableReport));
        }
    }

    proptest! {
        #[test]
        fn numbers_read_as_they_were_written(number: u64, signed: i64, text: String) {
            let mut writer = Writer::default();
            writer.number(number);
            writer.signed(signed);
            writer.text(&text);
            let octets = writer.into_octets();
            let mut reader = Reader::new(&octets);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(&*reader.text().unwrap(), text.as_str());
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }
}
