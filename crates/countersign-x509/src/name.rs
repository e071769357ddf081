//! Distinguished names: reading, comparing, showing (RFC 5280 §4.1.2.4, §7.1).

use core::fmt;
use core::hash::{Hash, Hasher};
use std::borrow::Cow;

use crate::der::{Item, List, ListIter, Malformed, Reader, Result, tag};
use crate::escape::Escaped;
use crate::oid::Oid;
use crate::text::{Characters, has_octet_characters};

/// A distinguished name, as in the subject and issuer of a certificate.
///
/// Two names are equal if RFC 5280 §7.1 says so: letter case, the kind of string and the
/// amount of space do not matter. [`Display`](fmt::Display) gives the order and the escapes
/// of RFC 4514, most specific part first, and escapes everything that could deceive a reader.
///
/// ```
/// use countersign_x509::Name;
/// let name = Name::from_der(&[
///     0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, b'm', b'e',
/// ])?;
/// assert_eq!(name.to_string(), "CN=me");
/// assert_eq!(name.common_name().as_deref(), Some("me"));
/// # Ok::<(), countersign_x509::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Name<'a> {
    der: &'a [u8],
    parts: List<'a, RelativeName<'a>>,
}

impl<'a> Name<'a> {
    /// Reads a name that is all of `der`.
    pub fn from_der(der: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(der);
        let name = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(name)
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let element = reader.expect_element(tag::SEQUENCE)?;
        Ok(Self {
            der: element.whole,
            parts: List::new(element.content)?,
        })
    }

    /// A name that was read before: the encoding, and what stands inside it.
    pub(crate) const fn known(der: &'a [u8], content: &'a [u8]) -> Self {
        Self {
            der,
            parts: List::known(Reader::new(content)),
        }
    }

    /// What stands inside the encoding.
    pub(crate) const fn content(&self) -> &'a [u8] {
        self.parts.content()
    }

    /// The whole DER encoding.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// Whether the name has no parts.
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The relative distinguished names in the order of the encoding, most general first.
    pub const fn relative_names(&self) -> ListIter<'a, RelativeName<'a>> {
        self.parts.iter()
    }

    /// All attributes in the order of the encoding.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.relative_names().flat_map(|part| part.attributes())
    }

    /// The last, so most specific, commonName that is text.
    pub fn common_name(&self) -> Option<Cow<'a, str>> {
        self.common_names()
            .filter_map(|attribute| attribute.text())
            .last()
    }

    /// Every commonName, most general first.
    pub fn common_names(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.attributes()
            .filter(|attribute| attribute.kind == Oid::COMMON_NAME)
    }

    /// Every emailAddress attribute (PKCS #9), most general first.
    pub fn email_addresses(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.attributes()
            .filter(|attribute| attribute.kind == Oid::EMAIL_ADDRESS)
    }

    /// Whether this name lies in the subtree of `base`: its first parts equal all parts of
    /// `base` (RFC 5280 §4.2.1.10, directoryName).
    pub fn is_within(&self, base: &Name<'_>) -> bool {
        let mut parts = self.relative_names();
        base.relative_names()
            .all(|wanted| parts.next().is_some_and(|part| part == wanted))
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der || self.relative_names().eq(other.relative_names())
    }
}

impl Eq for Name<'_> {}

impl Hash for Name<'_> {
    /// Equal names hash alike, so a name can be the key of an index.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for part in self.relative_names() {
            part.hash(state);
        }
    }
}

/// The parts beyond this are not shown: a peer must not fill the log.
const SHOWN_PARTS: usize = 16;

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("(empty name)");
        }
        // RFC 4514 §2.1: starting with the last element of the sequence.
        let count = self.relative_names().count();
        let skipped = count.saturating_sub(SHOWN_PARTS);
        for index in (skipped..count).rev() {
            if index.saturating_add(1) != count {
                f.write_str(", ")?;
            }
            if let Some(part) = self.relative_names().nth(index) {
                part.fmt(f)?;
            }
        }
        if skipped > 0 {
            f.write_str(", …")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// One part of a name: a set of attributes, nearly always of one.
#[derive(Clone, Copy)]
pub struct RelativeName<'a> {
    attributes: List<'a, Attribute<'a>>,
}

impl<'a> Item<'a> for RelativeName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut after = *reader;
        if let Some(content) = after.short(tag::SET)
            && Attribute::from_short(content.rest()).is_some()
        {
            *reader = after;
            let attributes = List::known(content);
            return Ok(Self { attributes });
        }
        Self::from_content(reader.expect(tag::SET)?)
    }

    fn read_again(reader: &mut Reader<'a>) -> Result<Self> {
        let (_, content) = reader.known_element()?;
        let attributes = List::known(Reader::new(content));
        Ok(Self { attributes })
    }
}

impl<'a> RelativeName<'a> {
    /// Takes what stands inside the SET, as `nameRelativeToCRLIssuer` is tagged.
    pub(crate) fn from_content(content: Reader<'a>) -> Result<Self> {
        // RFC 5280 §4.1.2.4: SET SIZE (1..MAX).
        if content.is_empty() {
            return Err(content.fault(Malformed::BadName));
        }
        Ok(Self {
            attributes: List::new(content)?,
        })
    }

    /// The attributes in the order of the encoding.
    pub const fn attributes(&self) -> ListIter<'a, Attribute<'a>> {
        self.attributes.iter()
    }
}

/// Sets with more attributes are compared in order only, since comparing in any order costs
/// the square of their number. DER fixes the order, and real sets have two or three.
const UNORDERED_LIMIT: usize = 8;

impl PartialEq for RelativeName<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (content, other_content) = (self.attributes.content(), other.attributes.content());
        if content == other_content {
            return true;
        }
        if let (Some(only), Some(other_only)) = (
            Attribute::from_short(content),
            Attribute::from_short(other_content),
        ) {
            return only == other_only;
        }
        let (mut ours, mut theirs) = (self.attributes(), other.attributes());
        let first_are_equal = ours.next() == theirs.next();
        if ours.is_empty() && theirs.is_empty() {
            return first_are_equal;
        }
        if first_are_equal && ours.eq(theirs) {
            return true;
        }
        let count = self.attributes().count();
        if !(2..=UNORDERED_LIMIT).contains(&count) || count != other.attributes().count() {
            return false;
        }
        // Each attribute has one of its own in the other set.
        let mut taken = [false; UNORDERED_LIMIT];
        self.attributes().all(|attribute| {
            let mut others = taken.iter_mut().zip(other.attributes());
            let own = others.find(|(taken, other)| !**taken && *other == attribute);
            own.map(|(taken, _)| *taken = true).is_some()
        })
    }
}

impl Eq for RelativeName<'_> {}

impl Hash for RelativeName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut attributes = self.attributes();
        match (attributes.next(), attributes.next()) {
            (Some(only), None) => only.hash(state),
            // Sets are equal in any order, so only their size can count.
            _ => self.attributes().count().hash(state),
        }
    }
}

impl fmt::Display for RelativeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attribute) in self.attributes().enumerate() {
            if index == SHOWN_PARTS {
                return f.write_str("+…");
            }
            if index > 0 {
                f.write_str("+")?;
            }
            attribute.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for RelativeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelativeName({self})")
    }
}

/// One attribute of a name: its type and its value, such as a commonName.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    kind: Oid<'a>,
    tag: u8,
    value: &'a [u8],
}

impl<'a> Item<'a> for Attribute<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut pair = reader.sequence()?;
        let kind = pair.object_identifier()?;
        let value = pair.element()?;
        pair.finish()?;
        Ok(Self {
            kind,
            tag: value.tag,
            value: value.content.rest(),
        })
    }

    fn read_again(reader: &mut Reader<'a>) -> Result<Self> {
        let (_, pair) = reader.known_element()?;
        let mut pair = Reader::new(pair);
        let kind = Oid::read_again(&mut pair)?;
        let (tag, value) = pair.known_element()?;
        Ok(Self { kind, tag, value })
    }
}

impl<'a> Attribute<'a> {
    /// Reads an attribute that is all of `der` and is as nearly all are: of `id-at`, 2.5.4, and short. `None`
    /// for every other, and for one with a fault.
    fn from_short(der: &'a [u8]) -> Option<Self> {
        let [tag::SEQUENCE, length @ 0..=0x7f, pair @ ..] = der else {
            return None;
        };
        let [tag::OBJECT_IDENTIFIER, 3, after @ ..] = pair else {
            return None;
        };
        let (kind, value) = after.split_at_checked(3)?;
        let ([0x55, 0x04, 0..=0x7f], [tag, value_length @ 0..=0x7f, value @ ..]) = (kind, value)
        else {
            return None;
        };
        let is_whole =
            usize::from(*length) == pair.len() && usize::from(*value_length) == value.len();
        // The tag is not the first of several octets.
        (is_whole && tag & 0x1f != 0x1f).then_some(Self {
            kind: Oid::from_known_content(kind),
            tag: *tag,
            value,
        })
    }

    /// The type of the attribute.
    pub const fn kind(&self) -> Oid<'a> {
        self.kind
    }

    /// The tag byte of the value's type, 0x0c for `UTF8String` for example.
    pub const fn value_tag(&self) -> u8 {
        self.tag
    }

    /// The content octets of the value, in the encoding of its type.
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The value as text; `None` if it is of no string type or badly encoded.
    ///
    /// Borrowed where the encoding is UTF-8 already.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let characters = Characters::new(self.tag, self.value)?;
        Some(match core::str::from_utf8(self.value) {
            Ok(text) if characters.are_those_of(text) => Cow::Borrowed(text),
            _ => Cow::Owned(characters.collect()),
        })
    }
}

impl PartialEq for Attribute<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.kind != other.kind {
            return false;
        }
        if self.tag == other.tag {
            if self.value == other.value {
                return true;
            }
            if has_octet_characters(self.tag) && differ_in_text(self.value, other.value) {
                return false;
            }
        }
        match (self.folded(), other.folded()) {
            (Some(ours), Some(theirs)) => ours.eq(theirs),
            // Not both text: equal only as bytes, which they are not.
            _ => false,
        }
    }
}

impl Eq for Attribute<'_> {}

impl Hash for Attribute<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        match Characters::new(self.tag, self.value) {
            // Where there is space, and how much, does not tell names apart.
            Some(characters) => characters
                .filter(|character| !is_space(*character))
                .for_each(|character| character.to_ascii_lowercase().hash(state)),
            None => (self.tag, self.value).hash(state),
        }
    }
}

impl<'a> Attribute<'a> {
    fn folded(&self) -> Option<Folded<Characters<'a>>> {
        let inner = Characters::new(self.tag, self.value)?;
        Some(Folded {
            inner,
            started: false,
            pending: None,
        })
    }
}

/// Whether the first octets that differ, but for the case of ASCII letters, are both no space. Then the
/// characters differ there too: before them all are the same, gaps included.
fn differ_in_text(ours: &[u8], theirs: &[u8]) -> bool {
    let mut pairs = ours.iter().zip(theirs);
    let first = pairs.find(|(ours, theirs)| ours != theirs && !ours.eq_ignore_ascii_case(theirs));
    let is_none = |octet: &u8| !is_space(char::from(*octet));
    first.is_some_and(|(ours, theirs)| is_none(ours) && is_none(theirs))
}

/// Characters as RFC 5280 §7.1 compares them: ASCII letters in lower case, space at the
/// ends dropped, space within as one blank. It is what OpenSSL compares.
struct Folded<I> {
    inner: I,
    started: bool,
    pending: Option<char>,
}

impl<I: Iterator<Item = char>> Iterator for Folded<I> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(character) = self.pending.take() {
            return Some(character);
        }
        let mut gap = false;
        loop {
            let character = self.inner.next()?;
            if is_space(character) {
                gap = self.started;
                continue;
            }
            let character = character.to_ascii_lowercase();
            self.started = true;
            if gap {
                self.pending = Some(character);
                return Some(' ');
            }
            return Some(character);
        }
    }
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// The characters of a value beyond this are not shown.
const SHOWN_CHARACTERS: usize = 128;

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match short_name(self.kind) {
            Some(name) => write!(f, "{name}=")?,
            None => write!(f, "{}=", self.kind)?,
        }
        match self.text() {
            Some(text) => Escaped::attribute_value(text.as_bytes(), SHOWN_CHARACTERS).fmt(f),
            None if is_text(self.tag) => {
                Escaped::attribute_value(self.value, SHOWN_CHARACTERS).fmt(f)
            }
            // RFC 4514 §2.4: a value that is no string is shown as hexadecimal.
            None => {
                f.write_str("#")?;
                self.value
                    .iter()
                    .take(SHOWN_CHARACTERS)
                    .try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({self})")
    }
}

fn is_text(tag: u8) -> bool {
    Characters::new(tag, &[]).is_some()
}

/// The short names of RFC 4514 §3 and RFC 4519, and those OpenSSL prints.
fn short_name(kind: Oid<'_>) -> Option<&'static str> {
    Some(match kind.as_bytes() {
        [0x55, 0x04, 0x03] => "CN",
        [0x55, 0x04, 0x04] => "SN",
        [0x55, 0x04, 0x05] => "serialNumber",
        [0x55, 0x04, 0x06] => "C",
        [0x55, 0x04, 0x07] => "L",
        [0x55, 0x04, 0x08] => "ST",
        [0x55, 0x04, 0x09] => "street",
        [0x55, 0x04, 0x0a] => "O",
        [0x55, 0x04, 0x0b] => "OU",
        [0x55, 0x04, 0x0c] => "title",
        [0x55, 0x04, 0x0f] => "businessCategory",
        [0x55, 0x04, 0x11] => "postalCode",
        [0x55, 0x04, 0x2a] => "GN",
        [0x55, 0x04, 0x2e] => "dnQualifier",
        [0x55, 0x04, 0x61] => "organizationIdentifier",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01] => "emailAddress",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use core::hash::BuildHasher;
    use core::slice;

    use super::*;
    use crate::der::encode::{element, sequence};
    use proptest::prelude::*;

    const CN: &[u8] = &[0x55, 0x04, 0x03];
    const O: &[u8] = &[0x55, 0x04, 0x0a];

    fn attribute(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        sequence(&[
            &element(tag::OBJECT_IDENTIFIER, &[kind]),
            &element(tag, &[value]),
        ])
    }

    fn name(parts: &[&[Vec<u8>]]) -> Vec<u8> {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| element(tag::SET, &[&part.concat()]))
            .collect();
        sequence(&[&parts.concat()])
    }

    fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
        name(&[&[attribute(CN, tag, value)]])
    }

    /// Compares both ways round, and demands that equal names hash alike.
    fn equal(a: &[u8], b: &[u8]) -> bool {
        let (a, b) = (Name::from_der(a).unwrap(), Name::from_der(b).unwrap());
        let equal = a == b;
        assert_eq!(b == a, equal);
        let hasher = std::collections::hash_map::RandomState::new();
        assert!(!equal || hasher.hash_one(a) == hasher.hash_one(b));
        equal
    }

    #[test]
    fn case_space_and_string_type_do_not_matter() {
        let plain = common_name(tag::UTF8_STRING, b"good ca");
        for (tag, value) in [
            (tag::PRINTABLE_STRING, &b"Good CA"[..]),
            (tag::IA5_STRING, b"  good   ca "),
            (tag::T61_STRING, b"good\t\r\nca"),
            (tag::VISIBLE_STRING, b"GOOD CA"),
            (tag::BMP_STRING, b"\0G\0o\0o\0d\0 \0C\0a"),
            (
                tag::UNIVERSAL_STRING,
                b"\0\0\0g\0\0\0o\0\0\0o\0\0\0d\0\0\0 \0\0\0c\0\0\0a",
            ),
        ] {
            assert!(equal(&plain, &common_name(tag, value)), "{tag:02x}");
        }
        for (tag, value) in [
            (tag::UTF8_STRING, &b"goodca"[..]),
            (tag::UTF8_STRING, b"good cas"),
            (tag::UTF8_STRING, b"good c"),
            (tag::UTF8_STRING, b""),
            (tag::OCTET_STRING, b"good ca"),
            (tag::BMP_STRING, b"\0g\0o\0o\0d\0 \0c\0a\0"),
        ] {
            assert!(
                !equal(&plain, &common_name(tag, value)),
                "{tag:02x} {value:?}"
            );
        }
    }

    #[test]
    fn letters_beyond_ascii_keep_their_case() {
        let upper = common_name(tag::UTF8_STRING, "É".as_bytes());
        assert!(!equal(
            &upper,
            &common_name(tag::UTF8_STRING, "é".as_bytes())
        ));
        assert!(equal(&upper, &common_name(tag::T61_STRING, b"\xc9")));
    }

    #[test]
    fn what_is_not_text_is_equal_as_bytes_only() {
        let broken = common_name(tag::UTF8_STRING, b"\xff");
        assert!(equal(&broken, &broken.clone()));
        assert!(!equal(&broken, &common_name(tag::UTF8_STRING, b"\xfe")));
        assert!(!equal(&broken, &common_name(tag::T61_STRING, b"\xff")));
    }

    #[test]
    fn the_order_within_a_set_does_not_matter_and_that_of_parts_does() {
        let a = attribute(CN, tag::UTF8_STRING, b"a");
        let capital_a = attribute(CN, tag::UTF8_STRING, b"A");
        let b = attribute(O, tag::UTF8_STRING, b"b");
        assert!(equal(
            &name(&[&[capital_a.clone(), b.clone()]]),
            &name(&[&[b.clone(), a.clone()]])
        ));
        assert!(!equal(
            &name(&[&[a.clone(), a.clone()]]),
            &name(&[&[a.clone(), b.clone()]])
        ));
        assert!(!equal(
            &name(&[&[a.clone(), a.clone()]]),
            &name(&[&[capital_a]])
        ));
        assert!(!equal(
            &name(&[slice::from_ref(&a), slice::from_ref(&b)]),
            &name(&[&[b], &[a]])
        ));
    }

    #[test]
    fn a_name_lies_within_its_beginnings() {
        let (o, cn) = (
            attribute(O, tag::UTF8_STRING, b"Peer"),
            attribute(CN, tag::UTF8_STRING, b"a"),
        );
        let whole = name(&[&[o], slice::from_ref(&cn)]);
        let base = name(&[&[attribute(O, tag::PRINTABLE_STRING, b"PEER")]]);
        let (empty, other) = (name(&[]), name(&[&[cn]]));
        let [whole, base, empty, other] =
            [&whole, &base, &empty, &other].map(|der| Name::from_der(der).unwrap());
        assert!(whole.is_within(&whole) && whole.is_within(&base) && whole.is_within(&empty));
        assert!(!whole.is_within(&other) && !base.is_within(&whole) && !empty.is_within(&base));
    }

    #[test]
    fn shows_the_most_specific_part_first() {
        let parts = [
            &[attribute(&[0x55, 0x04, 0x06], tag::PRINTABLE_STRING, b"DE")][..],
            &[attribute(O, tag::UTF8_STRING, b"A, B + C")],
            &[
                attribute(CN, tag::UTF8_STRING, b"x\x1b"),
                attribute(&[0x2a, 0x03], 0x04, b"\x01\xff"),
            ],
        ];
        let der = name(&parts);
        let name = Name::from_der(&der).unwrap();
        assert_eq!(name.to_string(), r"CN=x\1B+1.2.3=#01ff, O=A\, B \+ C, C=DE");
        assert_eq!(name.common_name().as_deref(), Some("x\x1b"));
        assert_eq!(
            Name::from_der(&[0x30, 0]).unwrap().to_string(),
            "(empty name)"
        );
    }

    #[test]
    fn a_name_of_many_parts_is_shown_in_part() {
        let part = [attribute(CN, tag::UTF8_STRING, &[b'a'; 1000])];
        let der = name(&[&part[..]; 40]);
        let shown = Name::from_der(&der).unwrap().to_string();
        assert!(shown.len() < 16 * 140, "{}", shown.len());
        assert!(shown.ends_with(", …"));
    }

    #[test]
    fn text_is_decoded_by_its_type() {
        let der = common_name(tag::BMP_STRING, b"\x00A\x5f\x20");
        assert_eq!(
            Name::from_der(&der).unwrap().common_name().as_deref(),
            Some("A\u{5f20}")
        );
        let der = common_name(tag::BMP_STRING, b"\xd8\x00");
        assert_eq!(Name::from_der(&der).unwrap().common_name(), None);
        let der = common_name(tag::T61_STRING, "é".as_bytes());
        assert_eq!(
            Name::from_der(&der).unwrap().common_name().as_deref(),
            Some("Ã©")
        );
    }

    #[test]
    fn refuses_what_is_no_name() {
        for bad in [
            &[][..],
            &[0x31, 0x00],
            &[0x30, 0x02, 0x31, 0x00],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x30, 0x00, 0x00],
            &sequence(&[&element(tag::SET, &[&sequence(&[&element(6, &[CN])])])]),
        ] {
            assert!(Name::from_der(bad).is_err(), "{bad:02x?}");
        }
    }

    /// With any octet changed to any other, cut off anywhere, and with more behind it.
    fn spoil(der: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let changed = (0..der.len()).flat_map(move |place| {
            (0..=255).map(move |octet| {
                let mut changed = der.to_vec();
                changed[place] = octet;
                changed
            })
        });
        let cut = (0..der.len()).map(|length| der[..length].to_vec());
        let longer = [[der, &[0x31, 0]].concat()];
        changed.chain(cut).chain(longer)
    }

    #[test]
    fn short_parts_are_read_as_any_other() {
        let part = element(tag::SET, &[&attribute(CN, tag::UTF8_STRING, b"ab")]);
        let mut read = 0;
        for der in spoil(&part) {
            let (mut quick, mut usual) = (Reader::new(&der), Reader::new(&der));
            let result = RelativeName::read(&mut quick);
            let expected = usual.expect(tag::SET).and_then(RelativeName::from_content);
            assert_eq!(quick.rest(), usual.rest(), "{der:x?}");
            match (result, expected) {
                (Ok(part), Ok(expected)) => {
                    assert_eq!(part.attributes.content(), expected.attributes.content());
                    read += 1;
                }
                (result, expected) => assert_eq!(result.err(), expected.err(), "{der:x?}"),
            }
        }
        assert!(read > 500, "{read}");
    }

    #[test]
    fn short_parts_are_compared_as_any_other() {
        let ours = element(tag::SET, &[&attribute(CN, tag::UTF8_STRING, b"a B")]);
        let (mut same, mut different) = (0, 0);
        for der in spoil(&element(
            tag::SET,
            &[&attribute(CN, tag::UTF8_STRING, b"A b")],
        )) {
            let Ok(part) = RelativeName::read(&mut Reader::new(&der)) else {
                continue;
            };
            let own = RelativeName::read(&mut Reader::new(&ours)).unwrap();
            let expected = own.attributes().eq(part.attributes());
            assert_eq!(own == part, expected, "{der:x?}");
            *(if expected { &mut same } else { &mut different }) += 1;
        }
        assert!(same > 3 && different > 500, "{same} {different}");
    }

    proptest! {
        #[test]
        fn equal_names_hash_alike(a in "[ aA]{0,4}", b in "[ aA]{0,4}") {
            let folded = |text: &str| {
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
            };
            let same = equal(
                &common_name(tag::UTF8_STRING, a.as_bytes()),
                &common_name(tag::PRINTABLE_STRING, b.as_bytes()),
            );
            prop_assert_eq!(same, folded(&a) == folded(&b));
        }
    }

    /// Every string of up to three of these octets, of every type, beside every other.
    #[test]
    fn attributes_are_equal_if_their_characters_are() {
        let octets = [b' ', b'a', b'A', 0xc3, 0xa9];
        let mut strings = vec![Vec::new()];
        let mut shorter = strings.clone();
        for _ in 0..3 {
            let longer = shorter
                .iter()
                .flat_map(|string| octets.map(|octet| [string.as_slice(), &[octet]].concat()));
            shorter = longer.collect();
            strings.extend(shorter.iter().cloned());
        }
        let of_type = |tag| strings.iter().map(move |value| attribute(CN, tag, value));
        let encoded: Vec<_> = STRING_TYPES.into_iter().flat_map(of_type).collect();
        let attributes: Vec<_> = encoded
            .iter()
            .map(|der| Attribute::read(&mut Reader::new(der)).unwrap())
            .map(|attribute| {
                (
                    attribute,
                    attribute.folded().map(Iterator::collect::<String>),
                )
            })
            .collect();
        for (a, characters_a) in &attributes {
            for (b, characters_b) in &attributes {
                let same = match (characters_a, characters_b) {
                    (Some(a), Some(b)) => a == b,
                    _ => (a.tag, a.value) == (b.tag, b.value),
                };
                assert_eq!(a == b, same, "{a:?} {b:?}");
            }
        }
    }

    const STRING_TYPES: [u8; 6] = [
        tag::UTF8_STRING,
        tag::PRINTABLE_STRING,
        tag::IA5_STRING,
        tag::T61_STRING,
        tag::BMP_STRING,
        tag::OCTET_STRING,
    ];
}
