//! A strict, borrowing reader of DER (X.690), the encoding of certificates and CRLs.
//!
//! Every length is definite, minimal and checked against what is there, and nothing is copied. The
//! reader keeps the offset from the start of the outermost structure, so that an error can say where
//! it lies.

use core::fmt;

use crate::oid::Oid;

mod list;

pub(crate) use list::Item;
pub use list::{List, ListIter};

/// Why a certificate, CRL or part of one could not be read, and where.
///
/// ```
/// use countersign_x509::{Certificate, Malformed};
/// let error = Certificate::parse(&[0x30, 0x80, 0, 0]).unwrap_err();
/// assert_eq!(error.what, Malformed::IndefiniteLength);
/// assert_eq!(error.at, 0);
/// assert_eq!(error.to_string(), "At byte 0, an element has an indefinite length.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong.
    pub what: Malformed,
    /// The offset, in bytes from the start of the input, of the element that is wrong; the greatest
    /// number for all beyond it.
    pub at: u32,
}

impl ParseError {
    pub(crate) fn new(what: Malformed, at: usize) -> Self {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        Self { what, at }
    }

    /// The same place, described more closely.
    pub(crate) const fn as_what(self, what: Malformed) -> Self {
        Self { what, at: self.at }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At byte {}, {}.", self.at, self.what.clause())
    }
}

impl core::error::Error for ParseError {}

macro_rules! malformed {
    ($($variant:ident, $clause:literal;)*) => {
        /// What is wrong with an encoding. The table's text is shown to the end user.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Malformed {
            $(#[doc = concat!("In words: ", $clause, ".")] $variant,)*
        }

        impl Malformed {
            /// Every kind of fault, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The fault as a clause without a full stop, to be used in a sentence.
            pub const fn clause(self) -> &'static str {
                match self { $(Self::$variant => $clause,)* }
            }
        }
    };
}

malformed! {
    Truncated, "the data ends in the middle of an element";
    TrailingData, "there is data after the end of the structure";
    UnexpectedTag, "an element is of another type than the structure demands";
    LongTag, "a tag is in the multi-byte form, which X.509 never uses";
    IndefiniteLength, "an element has an indefinite length";
    NonMinimalLength, "a length is not in its shortest form";
    ExcessiveLength, "a length has more than four bytes";
    NonCanonicalBoolean, "a BOOLEAN is neither 0x00 nor 0xFF";
    EmptyInteger, "an INTEGER has no bytes";
    NonMinimalInteger, "an INTEGER is not in its shortest form";
    NegativeInteger, "an INTEGER that must not be negative is";
    BadBitString, "a BIT STRING has a bad number of unused bits, or sets them";
    BadObjectIdentifier, "an OBJECT IDENTIFIER is not well-formed";
    NonAscii, "an IA5String has a byte outside ASCII";
    BadNull, "a NULL has content";
    BadTime, "a time is not of the form that X.509 demands";
    BadNotBefore, "notBefore is not a time of the form that X.509 demands";
    BadNotAfter, "notAfter is not a time of the form that X.509 demands";
    BadThisUpdate, "thisUpdate is not a time of the form that X.509 demands";
    BadNextUpdate, "nextUpdate is not a time of the form that X.509 demands";
    UnknownVersion, "the version is none that exists";
    BadName, "a distinguished name is not well-formed";
    UnknownGeneralName, "a GeneralName is of no known kind";
    EmptyDistributionPoint, "a distribution point names neither a place nor an issuer";
    DuplicateExtension, "an extension occurs for the second time";
    TooManyExtensions, "there are more than 64 extensions";
    UnknownReason, "the reason of a revocation is none that exists";
    UnknownResponseStatus, "the status of an OCSP response is none that exists";
    UnknownResponseType, "an OCSP response is of another type than the basic one";
}

pub(crate) type Result<T> = core::result::Result<T, ParseError>;

/// Tag bytes: class, constructed bit and number in one, as they stand in the encoding.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const T61_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1a;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[number]` around or instead of a primitive type.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]` around or instead of a constructed type.
    pub(crate) const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// One element: its tag, its content, and the whole of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Tag, length and content as they stand.
    pub(crate) whole: &'a [u8],
    pub(crate) content: Reader<'a>,
    /// Offset of the tag.
    pub(crate) at: usize,
}

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of the end, which does not move while the reader does.
    end: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            end: input.len(),
        }
    }

    /// What has not been read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Offset of the next byte.
    pub(crate) const fn at(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// Offset of the end.
    pub(crate) const fn end(&self) -> usize {
        self.end
    }

    /// A reader of `octets`, which must be the last of those that this one reads.
    pub(crate) const fn last(&self, octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            end: self.end,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[cold]
    pub(crate) fn fault(&self, what: Malformed) -> ParseError {
        ParseError::new(what, self.at())
    }

    /// Demands that everything has been read.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.fault(Malformed::TrailingData))
        }
    }

    /// Passes over these octets, if they are next, and gives them.
    pub(crate) fn skip(&mut self, octets: &[u8]) -> Option<&'a [u8]> {
        let (next, rest) = self.rest.split_at_checked(octets.len())?;
        if next != octets {
            return None;
        }
        self.rest = rest;
        Some(next)
    }

    /// Whether the next element has this tag.
    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.rest.first() == Some(&tag)
    }

    /// Reads the next element, whatever its tag.
    #[inline]
    pub(crate) fn element(&mut self) -> Result<Element<'a>> {
        let at = self.at();
        let (tag, length, header) = self.header()?;
        let parts = header
            .checked_add(length)
            .and_then(|end| self.rest.split_at_checked(end))
            .and_then(|(whole, rest)| Some((whole, whole.get(header..)?, rest)));
        let Some((whole, content, rest)) = parts else {
            return Err(self.fault(Malformed::Truncated));
        };
        self.rest = rest;
        let content = Self {
            rest: content,
            end: self.at(),
        };
        Ok(Element {
            tag,
            whole,
            content,
            at,
        })
    }

    /// Reads an element that was read before: its tag and its content.
    #[inline]
    pub(crate) fn known_element(&mut self) -> Result<(u8, &'a [u8])> {
        // Most elements are short.
        if let [tag, length @ 0..=0x7f, after @ ..] = self.rest
            && let Some((content, rest)) = after.split_at_checked(usize::from(*length))
        {
            self.rest = rest;
            return Ok((*tag, content));
        }
        self.element()
            .map(|element| (element.tag, element.content.rest()))
    }

    /// Tag, length of the content, length of the header (X.690 §8.1, §10.1).
    #[inline]
    fn header(&self) -> Result<(u8, usize, usize)> {
        match self.rest {
            // Most elements are short.
            [tag, length @ 0..=0x7f, ..] if tag & 0x1f != 0x1f => {
                Ok((*tag, usize::from(*length), 2))
            }
            _ => self.long_header(),
        }
    }

    // Beside it the other way should stay short.
    #[inline(never)]
    fn long_header(&self) -> Result<(u8, usize, usize)> {
        let [tag, first, after @ ..] = self.rest else {
            return Err(self.fault(Malformed::Truncated));
        };
        if tag & 0x1f == 0x1f {
            return Err(self.fault(Malformed::LongTag));
        }
        // X.690 §10.1: the definite form of length, in the minimum number of octets.
        let (length, header, least) = match (first, after) {
            (0..=0x7f, _) => (u32::from(*first), 2, 0),
            (0x80, _) => return Err(self.fault(Malformed::IndefiniteLength)),
            (0x81, [a, ..]) => (u32::from(*a), 3, 0x80),
            (0x82, [a, b, ..]) => (u32::from_be_bytes([0, 0, *a, *b]), 4, 0x100),
            (0x83, [a, b, c, ..]) => (u32::from_be_bytes([0, *a, *b, *c]), 5, 0x1_0000),
            (0x84, [a, b, c, d, ..]) => (u32::from_be_bytes([*a, *b, *c, *d]), 6, 0x100_0000),
            (0x81..=0x84, _) => return Err(self.fault(Malformed::Truncated)),
            _ => return Err(self.fault(Malformed::ExcessiveLength)),
        };
        if length < least {
            return Err(self.fault(Malformed::NonMinimalLength));
        }
        let length = usize::try_from(length).or(Err(self.fault(Malformed::ExcessiveLength)))?;
        Ok((*tag, length, header))
    }

    /// Reads an element that must have this tag; gives the whole of it too.
    pub(crate) fn expect_element(&mut self, tag: u8) -> Result<Element<'a>> {
        self.demand(tag)?;
        self.element()
    }

    /// Reads an element that must have this tag; gives its content.
    #[inline]
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Self> {
        self.demand(tag)?;
        Ok(self.element()?.content)
    }

    /// Reads an element with this tag and less than 128 octets of content. `None` if the next one is any
    /// other, or has a fault; then nothing has been read.
    #[inline]
    pub(crate) fn short(&mut self, tag: u8) -> Option<Self> {
        let [next, length @ 0..=0x7f, after @ ..] = self.rest else {
            return None;
        };
        let (content, rest) = after.split_at_checked(usize::from(*length))?;
        if *next != tag {
            return None;
        }
        self.rest = rest;
        Some(Self {
            rest: content,
            end: self.at(),
        })
    }

    /// Demands that the next element has this tag.
    fn demand(&self, tag: u8) -> Result<()> {
        match self.rest.first() {
            Some(next) if *next == tag => Ok(()),
            Some(_) => Err(self.fault(Malformed::UnexpectedTag)),
            None => Err(self.fault(Malformed::Truncated)),
        }
    }

    /// Reads the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Self>> {
        if self.next_is(tag) {
            self.element().map(|element| Some(element.content))
        } else {
            Ok(None)
        }
    }

    pub(crate) fn sequence(&mut self) -> Result<Self> {
        self.expect(tag::SEQUENCE)
    }

    /// BOOLEAN DEFAULT FALSE. An explicit FALSE is let pass: old certificates have it.
    pub(crate) fn optional_boolean(&mut self, tag: u8) -> Result<bool> {
        self.optional(tag)?.map_or(Ok(false), Self::as_boolean)
    }

    pub(crate) fn integer(&mut self) -> Result<&'a [u8]> {
        self.expect(tag::INTEGER)?.as_integer()
    }

    pub(crate) fn bit_string(&mut self) -> Result<BitString<'a>> {
        self.expect(tag::BIT_STRING)?.as_bit_string()
    }

    pub(crate) fn octet_string(&mut self) -> Result<Self> {
        self.expect(tag::OCTET_STRING)
    }

    pub(crate) fn object_identifier(&mut self) -> Result<Oid<'a>> {
        // There are more of them than of anything else, and nearly all are short.
        if let [tag::OBJECT_IDENTIFIER, length @ 0..=0x7f, after @ ..] = self.rest
            && let Some((content, rest)) = after.split_at_checked(usize::from(*length))
            && let Some(oid) = Oid::from_content(content)
        {
            self.rest = rest;
            return Ok(oid);
        }
        self.expect(tag::OBJECT_IDENTIFIER)?.as_object_identifier()
    }
}

/// Readers that already stand inside an element and take all of it as one value.
impl<'a> Reader<'a> {
    pub(crate) fn as_boolean(self) -> Result<bool> {
        // X.690 §11.1: TRUE has all eight bits set.
        match self.rest {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(self.fault(Malformed::NonCanonicalBoolean)),
        }
    }

    /// Two's complement, in the fewest bytes (X.690 §8.3.2).
    pub(crate) fn as_integer(self) -> Result<&'a [u8]> {
        match self.rest {
            [] => Err(self.fault(Malformed::EmptyInteger)),
            [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => {
                Err(self.fault(Malformed::NonMinimalInteger))
            }
            bytes => Ok(bytes),
        }
    }

    /// A number that must not be negative, without its sign byte.
    pub(crate) fn as_unsigned(self) -> Result<&'a [u8]> {
        match self.as_integer()? {
            [0x00, magnitude @ ..] if !magnitude.is_empty() => Ok(magnitude),
            [0x80..=0xff, ..] => Err(self.fault(Malformed::NegativeInteger)),
            bytes => Ok(bytes),
        }
    }

    /// A number that must not be negative; what does not fit counts as the greatest.
    pub(crate) fn as_count(self) -> Result<u32> {
        let magnitude = self.as_unsigned()?;
        if magnitude.len() > 4 {
            return Ok(u32::MAX);
        }
        Ok(magnitude.iter().fold(0, |value: u32, byte| {
            value.wrapping_shl(8) | u32::from(*byte)
        }))
    }

    pub(crate) fn as_bit_string(self) -> Result<BitString<'a>> {
        let Some((&unused, bytes)) = self.rest.split_first() else {
            return Err(self.fault(Malformed::BadBitString));
        };
        let well_formed = match bytes.last() {
            None => unused == 0,
            // X.690 §11.2.1: each unused bit is zero.
            Some(last) => unused < 8 && last.trailing_zeros() >= u32::from(unused),
        };
        if !well_formed {
            return Err(self.fault(Malformed::BadBitString));
        }
        Ok(BitString { unused, bytes })
    }

    pub(crate) fn as_object_identifier(self) -> Result<Oid<'a>> {
        Oid::from_content(self.rest).ok_or_else(|| self.fault(Malformed::BadObjectIdentifier))
    }

    pub(crate) fn as_ia5(self) -> Result<&'a str> {
        match core::str::from_utf8(self.rest) {
            Ok(text) if text.is_ascii() => Ok(text),
            _ => Err(self.fault(Malformed::NonAscii)),
        }
    }
}

/// The content of a BIT STRING.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitString<'a> {
    unused: u8,
    bytes: &'a [u8],
}

impl<'a> BitString<'a> {
    /// The bytes, if the string is made of whole ones.
    pub(crate) fn whole_bytes(self) -> Option<&'a [u8]> {
        (self.unused == 0).then_some(self.bytes)
    }

    /// The first sixteen bits as a set: bit 0 of the string is the highest of the number.
    pub(crate) fn flags(self) -> u16 {
        match self.bytes {
            [] => 0,
            [a] => u16::from_be_bytes([*a, 0]),
            [a, b, ..] => u16::from_be_bytes([*a, *b]),
        }
    }
}

/// Writing DER, for tests that need an encoding nobody would make.
#[cfg(test)]
pub(crate) mod encode {
    pub(crate) fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let mut element = vec![tag];
        match content.len() {
            length @ 0..0x80 => element.push(u8::try_from(length).unwrap()),
            length @ 0x80..0x100 => element.extend([0x81, u8::try_from(length).unwrap()]),
            length => {
                element.push(0x82);
                element.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        element.extend(content);
        element
    }

    pub(crate) fn sequence(content: &[&[u8]]) -> Vec<u8> {
        element(super::tag::SEQUENCE, content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault_of(input: &[u8]) -> Malformed {
        Reader::new(input).element().unwrap_err().what
    }

    #[test]
    fn only_the_shortest_definite_length_is_read() {
        for (input, content_length) in [
            (&[0x04, 0x00][..], 0),
            (&[0x04, 0x01, 0xaa], 1),
            (&[&[0x04, 0x7f][..], &[0; 0x7f]].concat(), 0x7f),
            (&[&[0x04, 0x81, 0x80][..], &[0; 0x80]].concat(), 0x80),
            (
                &[&[0x04, 0x82, 0x01, 0x00][..], &[0; 0x100]].concat(),
                0x100,
            ),
            (
                &[&[0x04, 0x83, 0x01, 0x00, 0x00][..], &vec![0; 0x1_0000]].concat(),
                0x1_0000,
            ),
        ] {
            let mut reader = Reader::new(input);
            let element = reader.element().unwrap();
            assert_eq!(element.content.rest().len(), content_length);
            assert_eq!(element.whole, input);
            assert!(reader.is_empty());
        }
        for (input, what) in [
            (&[][..], Malformed::Truncated),
            (&[0x04], Malformed::Truncated),
            (&[0x04, 0x01], Malformed::Truncated),
            (&[0x04, 0x81], Malformed::Truncated),
            (&[0x04, 0x82, 0x01], Malformed::Truncated),
            (&[0x04, 0x80, 0x00, 0x00], Malformed::IndefiniteLength),
            (&[0x04, 0x81, 0x01, 0xaa], Malformed::NonMinimalLength),
            (
                &[&[0x04, 0x81, 0x7f][..], &[0; 0x7f]].concat(),
                Malformed::NonMinimalLength,
            ),
            (
                &[&[0x04, 0x82, 0x00, 0xff][..], &[0; 0xff]].concat(),
                Malformed::NonMinimalLength,
            ),
            (
                &[0x04, 0x84, 0x00, 0xff, 0xff, 0xff],
                Malformed::NonMinimalLength,
            ),
            (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], Malformed::Truncated),
            (&[0x04, 0x85, 0, 0, 0, 0, 1, 0], Malformed::ExcessiveLength),
            (&[0x04, 0xff], Malformed::ExcessiveLength),
            (&[0x1f, 0x81, 0x01, 0x00], Malformed::LongTag),
        ] {
            assert_eq!(fault_of(input), what, "{input:02x?}");
        }
    }

    #[test]
    fn a_fault_is_placed_from_the_start_of_the_outermost_element() {
        let input = [0x30, 0x05, 0x02, 0x01, 0x07, 0x02, 0x00];
        let mut sequence = Reader::new(&input).sequence().unwrap();
        assert_eq!(sequence.integer().unwrap(), [7]);
        assert_eq!(
            sequence.integer(),
            Err(ParseError::new(Malformed::EmptyInteger, 7))
        );
    }

    #[test]
    fn booleans_are_canonical() {
        let read = |content: &[u8]| {
            Reader::new(content)
                .as_boolean()
                .map_err(|error| error.what)
        };
        assert_eq!(read(&[0x00]), Ok(false));
        assert_eq!(read(&[0xff]), Ok(true));
        for bad in [&[][..], &[0x01], &[0xff, 0xff]] {
            assert_eq!(read(bad), Err(Malformed::NonCanonicalBoolean));
        }
    }

    #[test]
    fn integers_are_minimal_and_counts_are_not_negative() {
        let count = |content: &[u8]| Reader::new(content).as_count().map_err(|error| error.what);
        assert_eq!(count(&[0]), Ok(0));
        assert_eq!(count(&[0x7f]), Ok(127));
        assert_eq!(count(&[0x00, 0x80]), Ok(128));
        assert_eq!(count(&[0x00, 0xff, 0xff, 0xff, 0xff]), Ok(u32::MAX));
        assert_eq!(count(&[0x01, 0, 0, 0, 0]), Ok(u32::MAX));
        assert_eq!(count(&[]), Err(Malformed::EmptyInteger));
        assert_eq!(count(&[0x00, 0x7f]), Err(Malformed::NonMinimalInteger));
        assert_eq!(count(&[0xff, 0x80]), Err(Malformed::NonMinimalInteger));
        assert_eq!(count(&[0x80]), Err(Malformed::NegativeInteger));
        assert_eq!(Reader::new(&[0x80]).as_integer(), Ok(&[0x80][..]));
    }

    #[test]
    fn bit_strings_have_zeros_in_the_unused_bits() {
        let read = |content| Reader::new(content).as_bit_string();
        assert_eq!(read(&[0]).unwrap().flags(), 0);
        assert_eq!(read(&[1, 0x06]).unwrap().flags(), 0x0600);
        assert_eq!(read(&[7, 0x00, 0x80]).unwrap().flags(), 0x0080);
        assert_eq!(read(&[0, 1, 2]).unwrap().whole_bytes(), Some(&[1, 2][..]));
        assert_eq!(read(&[1, 2]).unwrap().whole_bytes(), None);
        for bad in [&[][..], &[1], &[8, 0], &[1, 0x01], &[7, 0x40]] {
            assert!(read(bad).is_err(), "{bad:02x?}");
        }
    }

    #[test]
    fn every_fault_makes_a_sentence() {
        for what in Malformed::ALL {
            let clause = what.clause();
            assert!(clause.starts_with(char::is_lowercase), "{clause}");
            assert!(!clause.ends_with('.'), "{clause}");
        }
    }

    /// What is quicker read is the same, and otherwise nothing is read.
    #[test]
    fn short_elements_are_read_as_any_other() {
        let octets = [0x00, 0x01, 0x02, 0x30, 0x7f, 0x80, 0x81, 0xff];
        for [tag, length, first, second] in every_four(&octets) {
            let input = [tag, length, first, second];
            let (mut quick, mut usual) = (Reader::new(&input), Reader::new(&input));
            let Some(content) = quick.short(tag::SEQUENCE) else {
                assert_eq!(quick.rest(), input);
                assert!(usual.sequence().is_err(), "{input:x?}");
                continue;
            };
            let expected = usual.sequence().unwrap();
            assert_eq!(
                (content.rest(), content.at()),
                (expected.rest(), expected.at())
            );
            assert_eq!((quick.rest(), quick.at()), (usual.rest(), usual.at()));
        }
    }

    fn every_four(octets: &[u8]) -> impl Iterator<Item = [u8; 4]> {
        let pairs = octets.iter().flat_map(|a| octets.iter().map(|b| [*a, *b]));
        let more = pairs.clone();
        pairs.flat_map(move |[a, b]| more.clone().map(move |[c, d]| [a, b, c, d]))
    }

    proptest! {
        #[test]
        fn reading_any_bytes_ends_and_never_goes_beyond_them(input in any::<Vec<u8>>()) {
            let mut reader = Reader::new(&input);
            let mut read = 0;
            while let Ok(element) = reader.element() {
                read += element.whole.len();
                prop_assert!(element.whole.len() >= 2);
                prop_assert_eq!(reader.at(), read);
            }
            prop_assert_eq!(reader.rest(), &input[read..]);
        }
    }
}
