//! `Finished`: the proof that both sides saw the same handshake.

use super::{Message, MessageType, Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// RFC 9846 §4.5.4: `struct { opaque verify_data[Hash.length]; } Finished;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished<'a> {
    /// Of any length as read: [`Self::of_length`] knows the right one.
    pub(crate) verify_data: &'a [u8],
}

impl<'a> Message<'a> for Finished<'a> {
    const TYPE: MessageType = MessageType::Finished;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            verify_data: reader.rest(),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.verify_data);
    }
}

impl<'a> Finished<'a> {
    /// The `verify_data`, which cannot be decoded unless it is as long as the handshake's hash.
    pub(crate) fn of_length(self, hash_length: usize) -> Result<&'a [u8]> {
        if self.verify_data.len() == hash_length {
            Ok(self.verify_data)
        } else {
            Err(Violation::MalformedMessage.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Finished;
    use crate::messages::tests::violation;
    use crate::violation::Violation;

    #[test]
    fn the_length_is_that_of_the_hash() {
        let finished = Finished {
            verify_data: &[1; 32],
        };
        assert_eq!(finished.of_length(32).unwrap(), [1; 32]);
        for other in [0, 31, 33, 48] {
            assert_eq!(
                violation(finished.of_length(other)),
                Violation::MalformedMessage
            );
        }
    }
}
