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
