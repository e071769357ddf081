//! basicConstraints and nameConstraints (RFC 5280 §4.2.1.9, §4.2.1.10).

use crate::der::{Item, List, Reader, Result, tag};
use crate::general_name::GeneralName;

/// basicConstraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BasicConstraints {
    /// Whether the key may sign certificates.
    pub is_ca: bool,
    /// How many certificates that are not self-issued may stand between this one and the end
    /// of the path. More than 2^32 - 1 counts as that many.
    pub path_length: Option<u32>,
}

impl BasicConstraints {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let is_ca = content.optional_boolean(tag::BOOLEAN)?;
        let path_length = content
            .optional(tag::INTEGER)?
            .map(Reader::as_count)
            .transpose()?;
        content.finish()?;
        Ok(Self { is_ca, path_length })
    }
}

/// nameConstraints.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NameConstraints<'a> {
    /// The subtrees that names must lie in; `None` if the field is absent.
    pub permitted: Option<Subtrees<'a>>,
    /// The subtrees that names must not lie in; `None` if the field is absent.
    pub excluded: Option<Subtrees<'a>>,
}

/// A sequence of [`Subtree`]s.
pub type Subtrees<'a> = List<'a, Subtree<'a>>;

impl<'a> NameConstraints<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let permitted = read_subtrees(&mut content, tag::constructed(0))?;
        let excluded = read_subtrees(&mut content, tag::constructed(1))?;
        content.finish()?;
        Ok(Self {
            permitted,
            excluded,
        })
    }

    /// Whether there is no subtree at all, which RFC 5280 §4.2.1.10 forbids issuers.
    pub fn is_empty(&self) -> bool {
        let none = |subtrees: Option<Subtrees<'_>>| subtrees.is_none_or(|list| list.is_empty());
        none(self.permitted) && none(self.excluded)
    }

    /// The permitted subtrees; none if the field is absent.
    pub fn permitted_subtrees(&self) -> impl Iterator<Item = Subtree<'a>> + use<'a> {
        self.permitted.into_iter().flatten()
    }

    /// The excluded subtrees; none if the field is absent.
    pub fn excluded_subtrees(&self) -> impl Iterator<Item = Subtree<'a>> + use<'a> {
        self.excluded.into_iter().flatten()
    }
}

fn read_subtrees<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<Option<Subtrees<'a>>> {
    reader.optional(tag)?.map(List::new).transpose()
}

/// A name and everything below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subtree<'a> {
    /// The top of the subtree.
    pub base: GeneralName<'a>,
    /// How far below the base the subtree begins. RFC 5280 §4.2.1.10 demands 0; OpenSSL's
    /// code 49 says otherwise.
    pub minimum: u32,
    /// How far down it goes. RFC 5280 §4.2.1.10 demands that it be absent.
    pub maximum: Option<u32>,
}

impl<'a> Item<'a> for Subtree<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let base = GeneralName::read(&mut content)?;
        let minimum = content
            .optional(tag::context(0))?
            .map(Reader::as_count)
            .transpose()?;
        let maximum = content
            .optional(tag::context(1))?
            .map(Reader::as_count)
            .transpose()?;
        content.finish()?;
        Ok(Self {
            base,
            minimum: minimum.unwrap_or(0),
            maximum,
        })
    }
}
