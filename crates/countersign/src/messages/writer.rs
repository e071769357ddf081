//! Writes the presentation language of RFC 9846 §3: numbers, and vectors behind their length.

use crate::error::{Error, Result};

/// Appends to a buffer. A length that does not fit its prefix is remembered, and reported by
/// [`Writer::finish`], so that writing itself reads like the definition in the RFC.
#[derive(Debug)]
pub(crate) struct Writer<'v> {
    output: &'v mut Vec<u8>,
    overflowed: bool,
}

impl<'v> Writer<'v> {
    pub(crate) const fn new(output: &'v mut Vec<u8>) -> Self {
        Self {
            output,
            overflowed: false,
        }
    }

    /// Says whether every vector fitted its length prefix.
    pub(crate) fn finish(self) -> Result<()> {
        if self.overflowed {
            return Err(Error::Internal(
                "a field of a handshake message is longer than its length prefix can say",
            ));
        }
        Ok(())
    }

    /// Appends bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.output.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A vector `opaque <0..2^8-1>`.
    pub(crate) fn bytes_u8(&mut self, bytes: &[u8]) {
        self.within_u8(|writer| writer.bytes(bytes));
    }

    /// A vector `opaque <0..2^16-1>`.
    pub(crate) fn bytes_u16(&mut self, bytes: &[u8]) {
        self.within_u16(|writer| writer.bytes(bytes));
    }

    /// A vector `opaque <0..2^24-1>`.
    pub(crate) fn bytes_u24(&mut self, bytes: &[u8]) {
        self.within_u24(|writer| writer.bytes(bytes));
    }

    /// Writes within a length of one byte.
    pub(crate) fn within_u8(&mut self, write: impl FnOnce(&mut Self)) {
        self.within::<1>(write);
    }

    /// Writes within a length of two bytes.
    pub(crate) fn within_u16(&mut self, write: impl FnOnce(&mut Self)) {
        self.within::<2>(write);
    }

    /// Writes within a length of three bytes.
    pub(crate) fn within_u24(&mut self, write: impl FnOnce(&mut Self)) {
        self.within::<3>(write);
    }

    fn within<const PREFIX: usize>(&mut self, write: impl FnOnce(&mut Self)) {
        let prefix_at = self.output.len();
        self.bytes(&[0; PREFIX]);
        let body_at = self.output.len();
        write(self);
        let length = self.output.len().saturating_sub(body_at).to_be_bytes();
        let fitted = length
            .split_last_chunk::<PREFIX>()
            .filter(|(high, _)| high.iter().all(|byte| *byte == 0))
            .zip(self.output.get_mut(prefix_at..body_at));
        match fitted {
            Some(((_, low), prefix)) => prefix.copy_from_slice(low),
            None => self.overflowed = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;
    use crate::Alert;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut output = vec![0xee];
        let mut writer = Writer::new(&mut output);
        write(&mut writer);
        writer.finish().unwrap();
        output
    }

    #[test]
    fn nesting_on_the_page_is_nesting_on_the_wire() {
        let output = written(|writer| {
            writer.u8(1);
            writer.within_u24(|writer| {
                writer.bytes_u8(&[7]);
                writer.within_u16(|writer| writer.u32(0x0102_0304));
            });
        });
        assert_eq!(output, [0xee, 1, 0, 0, 8, 1, 7, 0, 4, 1, 2, 3, 4]);
    }

    #[test]
    fn a_prefix_holds_up_to_its_last_length() {
        assert_eq!(written(|writer| writer.bytes_u8(&[9; 255])).len(), 257);
        let output = written(|writer| writer.bytes_u16(&vec![9; 0xffff]));
        assert_eq!(output.get(1..3), Some(&[0xff, 0xff][..]));
    }

    #[test]
    fn a_length_that_does_not_fit_is_an_internal_error() {
        let mut output = Vec::new();
        let mut writer = Writer::new(&mut output);
        writer.within_u16(|writer| writer.bytes_u8(&[9; 256]));
        writer.u8(1);
        let error = writer.finish().unwrap_err();
        assert_eq!(error.alert(), Some(Alert::InternalError));
    }
}
