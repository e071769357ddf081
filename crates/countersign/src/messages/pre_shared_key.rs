//! The pre-shared keys that a client offers.

use super::list::{Item, List};
use super::{Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// RFC 9846 §4.3.11:
///
/// ```text
/// struct {
///     PskIdentity identities<7..2^16-1>;
///     PskBinderEntry binders<33..2^16-1>;
/// } OfferedPsks;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PreSharedKeys<'a> {
    pub(crate) identities: List<'a, PskIdentity<'a>>,
    pub(crate) binders: List<'a, PskBinder<'a>>,
}

impl<'a> PreSharedKeys<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let (identities, offered) = reader.within_u16(List::read_counted)?;
        let (binders, bound) = reader.within_u16(List::read_counted)?;
        if offered == 0 || bound == 0 {
            return Err(reader.malformed().into());
        }
        // RFC 9846 §4.3.11: a series of HMAC values, one for each value in the identities list and
        // in the same order.
        if offered != bound {
            return Err(Violation::PskBinderCount.into());
        }
        Ok(Self {
            identities,
            binders,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.within_u16(|writer| self.identities.write(writer));
        writer.within_u16(|writer| self.binders.write(writer));
    }

    /// How many bytes the binders take at the end of the message, their length included: what
    /// the truncated `ClientHello` that they authenticate leaves out (RFC 9846 §4.3.11.2).
    pub(crate) fn binders_len(&self) -> usize {
        self.binders.iter().fold(2, |length, binder| {
            length.saturating_add(1).saturating_add(binder.0.len())
        })
    }
}

/// RFC 9846 §4.3.11: `struct { opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; } PskIdentity;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PskIdentity<'a> {
    pub(crate) identity: &'a [u8],
    /// The age of the ticket in milliseconds plus its `ticket_age_add`, modulo 2^32.
    pub(crate) obfuscated_ticket_age: u32,
}

impl<'a> Item<'a> for PskIdentity<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let identity = reader.bytes_u16()?;
        Ok(Self {
            identity: reader.not_empty(identity)?,
            obfuscated_ticket_age: reader.u32()?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u16(self.identity);
        writer.u32(self.obfuscated_ticket_age);
    }
}

/// RFC 9846 §4.3.11: `opaque PskBinderEntry<32..255>;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PskBinder<'a>(pub(crate) &'a [u8]);

impl<'a> Item<'a> for PskBinder<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let binder = reader.bytes_u8()?;
        if binder.len() < 32 {
            return Err(reader.malformed().into());
        }
        Ok(Self(binder))
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u8(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::PreSharedKeys;
    use crate::messages::pre_shared_key::{PskBinder, PskIdentity};
    use crate::messages::tests::violation;
    use crate::messages::{Reader, Writer};
    use crate::violation::Violation;

    fn reread(identities: usize, binders: &[&[u8]]) -> Result<usize, Violation> {
        let identities = vec![
            PskIdentity {
                identity: b"ticket",
                obfuscated_ticket_age: 7,
            };
            identities
        ];
        let binders: Vec<_> = binders.iter().copied().map(PskBinder).collect();
        let keys = PreSharedKeys {
            identities: identities.as_slice().into(),
            binders: binders.as_slice().into(),
        };
        let mut output = Vec::new();
        keys.write(&mut Writer::new(&mut output));
        let read = PreSharedKeys::read(&mut Reader::of_extension(&output));
        match read {
            Ok(read) => Ok(read.binders_len()),
            Err(_) => Err(violation(read)),
        }
    }

    #[test]
    fn each_identity_has_one_binder() {
        let binder = &[1; 32][..];
        assert_eq!(reread(2, &[binder, binder]), Ok(2 + 33 + 33));
        assert_eq!(reread(2, &[binder]), Err(Violation::PskBinderCount));
        assert_eq!(reread(1, &[binder, binder]), Err(Violation::PskBinderCount));
    }

    #[test]
    fn none_at_all_is_malformed() {
        assert_eq!(reread(0, &[]), Err(Violation::MalformedExtension));
        assert_eq!(reread(1, &[]), Err(Violation::MalformedExtension));
    }

    #[test]
    fn a_binder_is_at_least_as_long_as_a_hash() {
        assert_eq!(reread(1, &[&[1; 31]]), Err(Violation::MalformedExtension));
        assert_eq!(reread(1, &[&[1; 255]]), Ok(2 + 256));
    }
}
