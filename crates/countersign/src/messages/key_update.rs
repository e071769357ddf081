//! `KeyUpdate`: the sender goes on with the next key.

use super::{Message, MessageType, Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// RFC 9846 §4.7.3:
///
/// ```text
/// enum { update_not_requested(0), update_requested(1), (255) } KeyUpdateRequest;
/// struct { KeyUpdateRequest request_update; } KeyUpdate;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUpdate {
    /// The receiver need not do the same.
    NotRequested,
    /// The receiver has to do the same.
    Requested,
}

impl<'a> Message<'a> for KeyUpdate {
    const TYPE: MessageType = MessageType::KeyUpdate;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let request_update = reader.u8()?;
        // A message of the wrong length is no KeyUpdate at all, whatever its first byte says.
        reader.finish()?;
        match request_update {
            0 => Ok(Self::NotRequested),
            1 => Ok(Self::Requested),
            // RFC 9846 §4.7.3: any other value MUST be answered with illegal_parameter.
            _ => Err(Violation::BadKeyUpdate.into()),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            Self::NotRequested => 0,
            Self::Requested => 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::KeyUpdate;
    use crate::messages::tests::{message, violation};
    use crate::messages::{MessageType, read_message};
    use crate::violation::Violation;

    fn refused(body: &[u8]) -> Violation {
        violation(read_message::<KeyUpdate>(&message(
            MessageType::KeyUpdate,
            body,
        )))
    }

    #[test]
    fn any_other_request_is_illegal() {
        assert_eq!(refused(&[2]), Violation::BadKeyUpdate);
        assert_eq!(refused(&[0xff]), Violation::BadKeyUpdate);
    }

    #[test]
    fn any_other_length_is_malformed() {
        assert_eq!(refused(&[]), Violation::MalformedMessage);
        assert_eq!(refused(&[2, 0]), Violation::TrailingData);
    }
}
