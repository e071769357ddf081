//! authorityKeyIdentifier and authorityInfoAccess: which key signed, and where to find more
//! (RFC 5280 §4.2.1.1, §4.2.2.1).

use crate::der::{Item, List, Reader, Result, tag};
use crate::general_name::{GeneralName, GeneralNames};
use crate::oid::Oid;

/// authorityKeyIdentifier: tells the issuer's keys and certificates apart.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuthorityKeyIdentifier<'a> {
    /// The subjectKeyIdentifier of the issuer's certificate.
    pub key_identifier: Option<&'a [u8]>,
    /// Who issued the issuer's certificate.
    pub issuer: Option<GeneralNames<'a>>,
    /// The serial number of the issuer's certificate, as
    /// [`Certificate::serial`](crate::Certificate::serial) gives it.
    pub serial: Option<&'a [u8]>,
}

impl<'a> AuthorityKeyIdentifier<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let key_identifier = match content.short(tag::context(0)) {
            Some(short) => Some(short),
            None => content.optional(tag::context(0))?,
        }
        .map(|key| key.rest());
        if content.is_empty() {
            // Nearly all have nothing else.
            return Ok(Self {
                key_identifier,
                issuer: None,
                serial: None,
            });
        }
        let issuer = content
            .optional(tag::constructed(1))?
            .map(List::new)
            .transpose()?;
        let serial = content
            .optional(tag::context(2))?
            .map(Reader::as_integer)
            .transpose()?;
        content.finish()?;
        Ok(Self {
            key_identifier,
            issuer,
            serial,
        })
    }
}

/// A sequence of [`AccessDescription`]s.
pub type AccessDescriptions<'a> = List<'a, AccessDescription<'a>>;

/// A service of the issuer or subject, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessDescription<'a> {
    /// What is there: [`Oid::ACCESS_OCSP`], [`Oid::ACCESS_CA_ISSUERS`] or another.
    pub method: Oid<'a>,
    /// Where it is.
    pub location: GeneralName<'a>,
}

impl<'a> Item<'a> for AccessDescription<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let method = content.object_identifier()?;
        let location = GeneralName::read(&mut content)?;
        content.finish()?;
        Ok(Self { method, location })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};

    fn read_part_by_part<'a>(reader: &mut Reader<'a>) -> Result<AuthorityKeyIdentifier<'a>> {
        let mut content = reader.sequence()?;
        let key = content.optional(tag::context(0))?;
        let issuer = content.optional(tag::constructed(1))?;
        let issuer = issuer.map(List::new).transpose()?;
        let serial = content.optional(tag::context(2))?;
        let serial = serial.map(Reader::as_integer).transpose()?;
        content.finish()?;
        Ok(AuthorityKeyIdentifier {
            key_identifier: key.map(|key| key.rest()),
            issuer,
            serial,
        })
    }

    /// With any octet changed to any other.
    #[test]
    fn an_identifier_is_read_as_its_parts_are() {
        let key = element(tag::context(0), &[b"key"]);
        let issuer = element(tag::constructed(1), &[&element(0x82, &[b"ca"])]);
        let serial = element(tag::context(2), &[&[5]]);
        let mut read = 0;
        for parts in [
            &[][..],
            &[&key],
            &[&serial],
            &[&key, &serial],
            &[&key, &issuer, &serial],
            &[&key, &key],
        ] {
            let whole = sequence(&parts.iter().map(|part| &part[..]).collect::<Vec<_>>());
            for place in 0..whole.len() {
                for octet in 0..=255 {
                    let mut der = whole.clone();
                    der[place] = octet;
                    let quick = AuthorityKeyIdentifier::read(&mut Reader::new(&der));
                    let usual = read_part_by_part(&mut Reader::new(&der));
                    read += u32::from(usual.is_ok());
                    assert_eq!(format!("{quick:?}"), format!("{usual:?}"), "{der:x?}");
                }
            }
        }
        assert!(read > 2000, "{read}");
    }
}
