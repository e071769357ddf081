//! Joins the fragments of handshake messages, and separates the messages of one record.

use core::fmt;

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
            // A ClientHello has as much if its extensions fill their block of 2^16 - 1 bytes.
            other: 65 * 1024,
        }
    }
}

/// The handshake bytes that have come in and do not make a whole message yet, or have not been
/// asked for.
///
/// Pushing and taking together cost time linear in the number of bytes, however small the
/// fragments; nothing is held while no message is under way.
#[derive(Default)]
pub(crate) struct Joiner {
    buffer: Vec<u8>,
    /// Where in `buffer` the first message that was not taken starts.
    start: usize,
    limits: MessageLimits,
}

impl fmt::Debug for Joiner {
    /// Not the bytes: a ticket is as good as a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joiner({} bytes)", self.pending().len())
    }
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
            self.check_length(header)?;
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
        let length = self.check_length(*header)?;
        let Some(message) = pending.get(..length) else {
            return Ok(None);
        };
        // A message that came alone need not be copied.
        if message.len() == self.buffer.len() {
            return Ok(Some(core::mem::take(&mut self.buffer)));
        }
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

    /// What the first message that was not taken says it is.
    pub(crate) fn kind(&self) -> Option<MessageType> {
        self.pending().first().map(|kind| MessageType::from(*kind))
    }

    fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The length of the whole message with this header, if it may be that long.
    fn check_length(&self, header: [u8; HEADER_LEN]) -> Result<usize> {
        let mut reader = Reader::new(&header);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Joiner, MessageLimits};
    use crate::Alert;

    const LIMITS: MessageLimits = MessageLimits {
        certificate: 300,
        other: 200,
    };

    fn message(kind: u8, length: usize) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes()[1..]);
        message.resize(4 + length, kind);
        message
    }

    #[test]
    fn a_message_comes_out_when_its_last_byte_has_come_in() {
        let mut joiner = Joiner::new(LIMITS);
        let message = message(8, 3);
        for byte in &message[..6] {
            joiner.push(&[*byte]).unwrap();
            assert_eq!(joiner.next().unwrap(), None);
            assert!(!joiner.is_empty());
        }
        joiner.push(&message[6..]).unwrap();
        assert_eq!(joiner.next().unwrap(), Some(message));
        assert!(joiner.is_empty());
        assert_eq!(joiner.next().unwrap(), None);
    }

    #[test]
    fn messages_in_one_fragment_come_out_one_by_one() {
        let mut joiner = Joiner::new(LIMITS);
        let (first, second, third) = (message(8, 3), message(20, 0), message(11, 200));
        joiner
            .push(&[&first[..], &second, &third[..100]].concat())
            .unwrap();
        assert_eq!(joiner.next().unwrap(), Some(first));
        assert_eq!(joiner.next().unwrap(), Some(second));
        assert_eq!(joiner.next().unwrap(), None);
        joiner.push(&third[100..]).unwrap();
        assert_eq!(joiner.next().unwrap(), Some(third));
        assert!(joiner.is_empty());
    }

    #[test]
    fn what_is_held_is_not_printed() {
        let mut joiner = Joiner::new(LIMITS);
        joiner.push(&[4, 0, 0, 100, 0xab, 0xcd]).unwrap();
        assert_eq!(format!("{joiner:?}"), "Joiner(6 bytes)");
    }

    #[test]
    fn nothing_is_held_between_messages() {
        let mut joiner = Joiner::new(LIMITS);
        joiner.push(&message(8, 200)).unwrap();
        joiner.next().unwrap();
        assert_eq!(joiner.buffer.capacity(), 0);
    }

    #[test]
    fn the_header_decides_before_anything_is_kept() {
        let mut joiner = Joiner::new(LIMITS);
        let header = &message(8, 201)[..4];
        joiner.push(&header[..3]).unwrap();
        let error = joiner.push(&[header[3], 0, 0]).unwrap_err();
        assert_eq!(error.alert(), Some(Alert::IllegalParameter));
        assert_eq!(joiner.buffer.len(), 3);
        assert!(Joiner::new(LIMITS).push(&message(8, 200)).is_ok());
    }

    #[test]
    fn certificates_may_be_longer() {
        assert!(Joiner::new(LIMITS).push(&message(11, 300)).is_ok());
        assert!(Joiner::new(LIMITS).push(&message(11, 301)).is_err());
    }

    #[test]
    fn messages_of_a_fixed_length_have_that_length() {
        for too_long in [message(24, 2), message(5, 1)] {
            let error = Joiner::new(LIMITS).push(&too_long).unwrap_err();
            assert_eq!(error.alert(), Some(Alert::DecodeError));
        }
    }

    #[test]
    fn a_later_message_is_checked_when_its_turn_comes() {
        let mut joiner = Joiner::new(LIMITS);
        let both = [message(8, 3), message(8, 201)].concat();
        joiner.push(&both).unwrap();
        assert!(joiner.next().unwrap().is_some());
        assert!(joiner.next().is_err());
    }

    #[test]
    fn the_consumed_part_does_not_pile_up() {
        // Each fragment ends one message and starts another, so the buffer is never empty.
        let mut joiner = Joiner::new(LIMITS);
        let message = message(8, 100);
        joiner.push(&message[..50]).unwrap();
        for _ in 0..1000 {
            joiner
                .push(&[&message[50..], &message[..50]].concat())
                .unwrap();
            assert_eq!(joiner.next().unwrap().as_ref(), Some(&message));
            assert_eq!(joiner.next().unwrap(), None);
        }
        assert!(joiner.buffer.capacity() < 1000);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_messages(
            lengths in prop::collection::vec(0..200_usize, 1..9),
            cuts in prop::collection::vec(1..300_usize, 1..20),
        ) {
            let messages: Vec<_> = lengths.iter().map(|length| message(8, *length)).collect();
            let stream = messages.concat();
            let mut joiner = Joiner::new(LIMITS);
            let mut joined = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (fragment, following) = rest.split_at(rest.len().min(*cut));
                rest = following;
                joiner.push(fragment).unwrap();
                while let Some(message) = joiner.next().unwrap() {
                    joined.push(message);
                }
            }
            prop_assert_eq!(joined, messages);
            prop_assert!(joiner.is_empty());
        }
    }
}
