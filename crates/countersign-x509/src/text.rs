//! The string types of ASN.1 that names are written in, read as characters.

use crate::der::tag;

/// The characters of a string, whatever its type; made only for strings that are well-formed.
#[derive(Clone, Debug)]
pub(crate) enum Characters<'a> {
    Utf8(core::str::Chars<'a>),
    /// One byte a character. OpenSSL reads `T61String` as Latin-1, and so does everybody who
    /// writes it.
    Bytes(core::slice::Iter<'a, u8>),
    /// `BMPString`: two bytes a character.
    Pairs(core::slice::ChunksExact<'a, u8>),
    /// `UniversalString`: four bytes a character.
    Quads(core::slice::ChunksExact<'a, u8>),
}

impl<'a> Characters<'a> {
    /// `None` if the tag is no string type or the content is badly encoded.
    pub(crate) fn new(tag: u8, content: &'a [u8]) -> Option<Self> {
        match tag {
            // Nearly all names are, and it is quicker seen.
            tag::UTF8_STRING if content.is_ascii() => Some(Self::Bytes(content.iter())),
            tag::UTF8_STRING => core::str::from_utf8(content)
                .ok()
                .map(|text| Self::Utf8(text.chars())),
            tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING | tag::T61_STRING => {
                Some(Self::Bytes(content.iter()))
            }
            tag::BMP_STRING => {
                Self::checked(Self::Pairs(content.chunks_exact(2)), content.len(), 2)
            }
            tag::UNIVERSAL_STRING => {
                Self::checked(Self::Quads(content.chunks_exact(4)), content.len(), 4)
            }
            _ => None,
        }
    }

    /// Whether the same octets, read as UTF-8, are the same characters.
    pub(crate) fn are_those_of(&self, text: &str) -> bool {
        match self {
            Self::Utf8(_) => true,
            Self::Bytes(_) => text.is_ascii(),
            Self::Pairs(_) | Self::Quads(_) => text.is_empty(),
        }
    }

    fn checked(self, length: usize, width: usize) -> Option<Self> {
        let decoded = self.clone().count().checked_mul(width);
        (decoded == Some(length)).then_some(self)
    }
}

/// Whether different octets in a string of this type are always different characters: it has one octet
/// for each of them, or is UTF-8.
pub(crate) const fn has_octet_characters(tag: u8) -> bool {
    matches!(
        tag,
        tag::UTF8_STRING
            | tag::PRINTABLE_STRING
            | tag::IA5_STRING
            | tag::VISIBLE_STRING
            | tag::T61_STRING
    )
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Utf8(characters) => characters.next(),
            Self::Bytes(bytes) => bytes.next().map(|byte| char::from(*byte)),
            Self::Pairs(pairs) => match pairs.next()? {
                [a, b] => char::from_u32(u32::from_be_bytes([0, 0, *a, *b])),
                _ => None,
            },
            Self::Quads(quads) => match quads.next()? {
                [a, b, c, d] => char::from_u32(u32::from_be_bytes([*a, *b, *c, *d])),
                _ => None,
            },
        }
    }
}
