//! The frame of a record: what it claims to be and how long it is.

use super::Protection;
use crate::error::Result;
use crate::violation::Violation;

/// The length of what precedes every record: its type, a version, its length.
pub(crate) const HEADER_LEN: usize = 5;

/// RFC 9846 §5.1: The length MUST NOT exceed 2^14 bytes.
pub(crate) const MAX_PLAINTEXT: usize = 1 << 14;

/// RFC 9846 §5.2: The length MUST NOT exceed 2^14 + 256 bytes.
const MAX_CIPHERTEXT: usize = MAX_PLAINTEXT + 256;

/// What a record carries (RFC 9846 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

impl ContentType {
    /// The number on the wire.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }

    /// The type of that number, if there is one.
    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            20 => Some(Self::ChangeCipherSpec),
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) content_type: ContentType,
    /// The `legacy_record_version`, which means nothing but is authenticated.
    pub(crate) version: u16,
    /// The length of the body that follows.
    pub(crate) length: u16,
}

impl Header {
    /// The length of the body, for indexing.
    pub(crate) fn body_len(self) -> usize {
        self.length.into()
    }

    /// The length of the whole record.
    pub(crate) fn record_len(self) -> usize {
        HEADER_LEN.saturating_add(self.body_len())
    }

    /// The header as it stands on the wire.
    pub(super) fn bytes(self) -> [u8; HEADER_LEN] {
        let [major, minor] = self.version.to_be_bytes();
        let [high, low] = self.length.to_be_bytes();
        [self.content_type.code(), major, minor, high, low]
    }
}

/// Reads the header of the record at the start of `input`; `None` if more input is needed for that.
///
/// The body may not be there yet: compare [`Header::record_len`]. `protection` is that of
/// the [`super::Opener`] and decides how long a record may be.
pub(crate) fn parse_header(input: &[u8], protection: Protection) -> Result<Option<Header>> {
    let Some([content_type, major, minor, high, low]) = input.first_chunk::<HEADER_LEN>() else {
        return Ok(None);
    };
    // RFC 9846 §5.1: legacy_record_version MUST be ignored for all purposes. All versions of TLS
    // and SSL 3.0 start with 3, though, so anything else is another protocol altogether.
    if *major != 3 {
        return Err(Violation::NotTls.into());
    }
    // RFC 9846 §5: If a TLS implementation receives an unexpected record type, it MUST terminate
    // the connection with an unexpected_message alert.
    let content_type =
        ContentType::from_code(*content_type).ok_or(Violation::UnknownContentType)?;
    let header = Header {
        content_type,
        version: u16::from_be_bytes([*major, *minor]),
        length: u16::from_be_bytes([*high, *low]),
    };
    let longest = match protection {
        Protection::Plain => MAX_PLAINTEXT,
        Protection::Encrypted => MAX_CIPHERTEXT,
    };
    // RFC 9846 §5.1, §5.2: An endpoint that receives a record that exceeds this length MUST
    // terminate the connection with a record_overflow alert.
    if header.body_len() > longest {
        return Err(Violation::RecordTooLong.into());
    }
    Ok(Some(header))
}

/// Checks content that is not encrypted, or no longer.
pub(super) fn check_content(content_type: ContentType, length: usize) -> Result<()> {
    // RFC 9846 §5.1: Implementations MUST NOT send zero-length fragments of Handshake types, even
    // if those fragments contain padding. §5.4: nor of Alert types; they earn unexpected_message.
    if length == 0 && matches!(content_type, ContentType::Handshake | ContentType::Alert) {
        return Err(Violation::EmptyFragment.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ContentType, HEADER_LEN, Header, Protection, parse_header};
    use crate::Alert;

    fn alert(input: &[u8], protection: Protection) -> Option<Alert> {
        parse_header(input, protection).unwrap_err().alert()
    }

    #[test]
    fn a_header_is_read_as_soon_as_it_is_there() {
        let input = [22, 3, 1, 0x01, 0x02, 0xff];
        for short in 0..HEADER_LEN {
            assert_eq!(
                parse_header(&input[..short], Protection::Plain).unwrap(),
                None
            );
        }
        let header = parse_header(&input, Protection::Plain).unwrap().unwrap();
        assert_eq!(
            header,
            Header {
                content_type: ContentType::Handshake,
                version: 0x0301,
                length: 0x0102,
            }
        );
        assert_eq!(header.record_len(), 5 + 0x0102);
        assert_eq!(header.bytes(), input[..HEADER_LEN]);
    }

    #[test]
    fn every_content_type_survives_the_round_trip() {
        let known = (0..=u8::MAX).filter_map(|code| {
            let content_type = ContentType::from_code(code)?;
            assert_eq!(content_type.code(), code);
            Some(code)
        });
        assert_eq!(known.collect::<Vec<_>>(), [20, 21, 22, 23]);
    }

    #[test]
    fn the_length_limit_depends_on_the_protection() {
        assert!(parse_header(&[23, 3, 3, 0x40, 0x00], Protection::Plain).is_ok());
        assert_eq!(
            alert(&[23, 3, 3, 0x40, 0x01], Protection::Plain),
            Some(Alert::RecordOverflow)
        );
        assert!(parse_header(&[23, 3, 3, 0x41, 0x00], Protection::Encrypted).is_ok());
        assert_eq!(
            alert(&[23, 3, 3, 0x41, 0x01], Protection::Encrypted),
            Some(Alert::RecordOverflow)
        );
    }

    #[test]
    fn other_protocols_are_told_from_bad_records() {
        assert_eq!(
            alert(b"GET / HTTP/1.1\r\n", Protection::Plain),
            Some(Alert::ProtocolVersion)
        );
        assert_eq!(
            alert(&[24, 3, 3, 0, 1], Protection::Plain),
            Some(Alert::UnexpectedMessage)
        );
    }
}
