//! Reads the presentation language of RFC 9846 §3: numbers, and vectors behind their length.

use crate::error::Result;
use crate::violation::Violation;

/// A cursor over bytes from the peer. Whatever is missing or left over is a violation.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    blame: Blame,
}

/// What is malformed when the bytes do not fit.
#[derive(Clone, Copy, Debug)]
enum Blame {
    Message,
    Extension,
}

impl<'a> Reader<'a> {
    /// Reads a message; what does not fit is blamed on the message.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            blame: Blame::Message,
        }
    }

    /// Reads the body of an extension; what does not fit is blamed on the extension.
    pub(crate) const fn of_extension(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            blame: Blame::Extension,
        }
    }

    /// Reads other bytes, blaming what this reader blames.
    pub(super) const fn beside(&self, bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            blame: self.blame,
        }
    }

    /// The violation for bytes that cannot be decoded here.
    pub(crate) const fn malformed(&self) -> Violation {
        match self.blame {
            Blame::Message => Violation::MalformedMessage,
            Blame::Extension => Violation::MalformedExtension,
        }
    }

    /// Whether everything has been read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Demands that everything has been read.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        Err(match self.blame {
            Blame::Message => Violation::TrailingData,
            Blame::Extension => Violation::MalformedExtension,
        }
        .into())
    }

    /// Everything that has not been read.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes, as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.array().map(|[byte]: &[u8; 1]| *byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    pub(crate) fn u24(&mut self) -> Result<u32> {
        self.array()
            .map(|[high, middle, low]: &[u8; 3]| u32::from_be_bytes([0, *high, *middle, *low]))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// A vector `opaque <0..2^8-1>`.
    pub(crate) fn bytes_u8(&mut self) -> Result<&'a [u8]> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    /// A vector `opaque <0..2^16-1>`.
    pub(crate) fn bytes_u16(&mut self) -> Result<&'a [u8]> {
        let length = self.u16()?;
        self.bytes(length.into())
    }

    /// A vector `opaque <0..2^24-1>`.
    pub(crate) fn bytes_u24(&mut self) -> Result<&'a [u8]> {
        let length = self.u24()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Passes on `bytes` unless they are empty where the RFC's vector starts at length 1.
    pub(crate) fn not_empty(&self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        if bytes.is_empty() {
            return Err(self.malformed().into());
        }
        Ok(bytes)
    }

    /// Reads what stands within a length of one byte, all of it.
    pub(crate) fn within_u8<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let bytes = self.bytes_u8()?;
        self.within(bytes, read)
    }

    /// Reads what stands within a length of two bytes, all of it.
    pub(crate) fn within_u16<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let bytes = self.bytes_u16()?;
        self.within(bytes, read)
    }

    /// Reads what stands within a length of three bytes, all of it.
    pub(crate) fn within_u24<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let bytes = self.bytes_u24()?;
        self.within(bytes, read)
    }

    fn within<T>(&self, bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut inner = self.beside(bytes);
        let value = read(&mut inner)?;
        inner.finish()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use crate::Alert;
    use crate::error::Error;
    use crate::violation::Violation;

    fn violation<T: core::fmt::Debug>(result: Result<T, Error>) -> Violation {
        match result.unwrap_err() {
            Error::PeerViolated { violation, alert } => {
                assert_eq!(alert, violation.alert());
                violation
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn numbers_are_big_endian() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(reader.u8().unwrap(), 0x01);
        assert_eq!(reader.u16().unwrap(), 0x0203);
        assert_eq!(reader.u24().unwrap(), 0x04_0506);
        assert_eq!(reader.u32().unwrap(), 0x0708_090a);
        assert!(reader.is_empty());
    }

    #[test]
    fn a_length_beyond_the_end_is_malformed() {
        assert_eq!(
            violation(Reader::new(&[3, 1, 2]).bytes_u8()),
            Violation::MalformedMessage
        );
        assert_eq!(
            violation(Reader::of_extension(&[0, 3, 1, 2]).bytes_u16()),
            Violation::MalformedExtension
        );
        assert_eq!(
            violation(Reader::new(&[0, 0]).u24()),
            Violation::MalformedMessage
        );
    }

    #[test]
    fn what_is_left_within_a_length_is_an_error() {
        let read = Reader::new(&[2, 7, 8]).within_u8(Reader::u8);
        assert_eq!(violation(read), Violation::TrailingData);
        let read = Reader::of_extension(&[0, 2, 7, 8]).within_u16(Reader::u8);
        assert_eq!(violation(read), Violation::MalformedExtension);
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut reader = Reader::new(&[1, 2]);
        assert_eq!(reader.u32().unwrap_err().alert(), Some(Alert::DecodeError));
        assert_eq!(reader.u16().unwrap(), 0x0102);
    }
}
