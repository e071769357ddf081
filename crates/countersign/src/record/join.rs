//! Joins the fragments of handshake messages, and separates the messages of one record.

use crate::error::Result;
use crate::messages::{HEADER_LEN, MessageType, Reader};
use crate::violation::Violation;

/// The longest handshake messages that are accepted, without their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageLimits {
    /// For `Certificate`.
    pub(crate) certificate: usize,
    /// For all others.
    pub(crate) other: usize,
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self {
            certificate: 128 * 1024,
            other: 64 * 1024,
        }
    }
}

/// The handshake bytes that have come in and do not make a whole message yet, or have not been
/// asked for.
///
/// Pushing and taking together cost time linear in the number of bytes, however small the
/// fragments; nothing is held while no message is under way.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    buffer: Vec<u8>,
    /// Where in `buffer` the first message that was not taken starts.
    start: usize,
    limits: MessageLimits,
}

impl Joiner {
    pub(crate) const fn new(limits: MessageLimits) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limits,
        }
    }

    /// Adds the content of a handshake record.
    ///
    /// Take what [`Self::next`] has before the next push: a message is too long as soon as its
    /// header says so, and then nothing of it is kept, but only the first is looked at here.
    pub(crate) fn push(&mut self, fragment: &[u8]) -> Result<()> {
        let pending = self.pending();
        let mut header = [0; HEADER_LEN];
        let bytes = pending.iter().chain(fragment);
        let filled = header.iter_mut().zip(bytes).map(|(to, from)| *to = *from);
        if filled.count() == HEADER_LEN {
            self.check_length(&header)?;
        }
        // Moving what is pending to the front is paid for by the longer part that was taken.
        if self.start > pending.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(fragment);
        Ok(())
    }

    /// Takes the next whole message, header included, if it is there.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let pending = self.pending();
        let Some(header) = pending.first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let length = self.check_length(header)?;
        let Some(message) = pending.get(..length) else {
            return Ok(None);
        };
        let message = message.to_vec();
        self.start = self.start.saturating_add(length);
        if self.is_empty() {
            self.buffer = Vec::new();
            self.start = 0;
        }
        Ok(Some(message))
    }

    /// Whether everything was taken.
    ///
    /// RFC 9846 §5.1: Handshake messages MUST NOT span key changes, and MUST NOT be interleaved
    /// with other record types: at both, this has to be true.
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.buffer.len()
    }

    fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The length of the whole message with this header, if it may be that long.
    fn check_length(&self, header: &[u8; HEADER_LEN]) -> Result<usize> {
        let mut reader = Reader::new(header);
        let kind = MessageType::from(reader.u8()?);
        let length = usize::try_from(reader.u24()?).unwrap_or(usize::MAX);
        let (limit, violation) = match kind {
            // These are as long as they are, so that a longer one is no such message.
            MessageType::EndOfEarlyData => (0, Violation::MalformedMessage),
            MessageType::KeyUpdate => (1, Violation::MalformedMessage),
            MessageType::Certificate => (self.limits.certificate, Violation::MessageTooLong),
            _ => (self.limits.other, Violation::MessageTooLong),
        };
        if length > limit {
            return Err(violation.into());
        }
        Ok(length.saturating_add(HEADER_LEN))
    }
}
