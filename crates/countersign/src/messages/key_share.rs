//! The key shares of both hellos.

use super::list::Item;
use super::{Reader, Writer};
use crate::error::Result;

/// RFC 9846 §4.3.8: `struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } KeyShareEntry;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyShareEntry<'a> {
    pub(crate) group: u16,
    pub(crate) key_exchange: &'a [u8],
}

impl<'a> Item<'a> for KeyShareEntry<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let group = reader.u16()?;
        let key_exchange = reader.bytes_u16()?;
        Ok(Self {
            group,
            key_exchange: reader.not_empty(key_exchange)?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u16(self.group);
        writer.bytes_u16(self.key_exchange);
    }
}
