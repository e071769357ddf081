//! `GeneralName`: the names of subjectAltName, name constraints and distribution points
//! (RFC 5280 §4.2.1.6).

use crate::der::{Item, List, Malformed, Reader, Result, tag};
use crate::name::Name;
use crate::oid::Oid;

/// A sequence of [`GeneralName`]s. Empty ones are let pass: whether one is allowed is for the
/// checks to say.
pub type GeneralNames<'a> = List<'a, GeneralName<'a>>;

/// A name of one of several kinds.
///
/// The content is checked for its encoding only: a DNS name may hold any ASCII characters,
/// an address any number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName<'a> {
    /// A name of a kind that others have defined: its type and the DER of its value.
    Other(Oid<'a>, &'a [u8]),
    /// rfc822Name: a mailbox; in constraints also a host or a domain.
    Email(&'a str),
    /// dNSName.
    Dns(&'a str),
    /// x400Address: the content of its encoding.
    X400(&'a [u8]),
    /// directoryName.
    Directory(Name<'a>),
    /// ediPartyName: the content of its encoding.
    EdiParty(&'a [u8]),
    /// uniformResourceIdentifier.
    Uri(&'a str),
    /// iPAddress: 4 or 16 bytes in names, 8 or 32 in constraints, where the mask follows.
    Ip(&'a [u8]),
    /// registeredID.
    RegisteredId(Oid<'a>),
}

impl<'a> Item<'a> for GeneralName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let at = *reader;
        let element = reader.element()?;
        let content = element.content;
        match element.tag {
            0xa0 => Self::read_other(content),
            0x81 => content.as_ia5().map(Self::Email),
            0x82 => content.as_ia5().map(Self::Dns),
            0xa3 => Ok(Self::X400(content.rest())),
            0xa4 => Self::read_directory(content),
            0xa5 => Ok(Self::EdiParty(content.rest())),
            0x86 => content.as_ia5().map(Self::Uri),
            0x87 => Ok(Self::Ip(content.rest())),
            0x88 => content.as_object_identifier().map(Self::RegisteredId),
            _ => Err(at.fault(Malformed::UnknownGeneralName)),
        }
    }
}

impl<'a> GeneralName<'a> {
    fn read_other(mut content: Reader<'a>) -> Result<Self> {
        let kind = content.object_identifier()?;
        let mut wrapped = content.expect(tag::constructed(0))?;
        content.finish()?;
        let value = wrapped.element()?;
        wrapped.finish()?;
        Ok(Self::Other(kind, value.whole))
    }

    // The tag is explicit, since Name is a CHOICE.
    fn read_directory(mut content: Reader<'a>) -> Result<Self> {
        let name = Name::read(&mut content)?;
        content.finish()?;
        Ok(Self::Directory(name))
    }
}
