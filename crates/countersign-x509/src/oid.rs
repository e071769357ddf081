//! Object identifiers, and those that X.509 gives a meaning.

use core::fmt;
use core::str::FromStr;

use crate::der::{Item, Reader, Result};

/// An object identifier, as the content of its DER encoding.
///
/// ```
/// use countersign_x509::Oid;
/// assert_eq!(Oid::SERVER_AUTH.to_string(), "1.3.6.1.5.5.7.3.1");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid<'a>(&'a [u8]);

impl<'a> Oid<'a> {
    /// Takes the content octets of an OBJECT IDENTIFIER; `None` if they are not well-formed
    /// (X.690 §8.19).
    #[inline]
    pub fn from_content(content: &'a [u8]) -> Option<Self> {
        // Nearly all in names and extensions: 2.5.4 and 2.5.29.
        if let [0x55, 0x04 | 0x1d, 0..=0x7f] = content {
            return Some(Self(content));
        }
        Self::from_any_content(content)
    }

    fn from_any_content(content: &'a [u8]) -> Option<Self> {
        // X.690 §8.19.2: the last octet of a subidentifier is below 0x80, and the first is not 0x80.
        if content.last()? & 0x80 != 0 {
            return None;
        }
        if content.contains(&0x80) {
            let mut subidentifiers = content.split_inclusive(|byte| byte & 0x80 == 0);
            if subidentifiers.any(|octets| octets.first() == Some(&0x80)) {
                return None;
            }
        }
        Some(Self(content))
    }

    /// The same of content octets that were taken before.
    pub(crate) const fn from_known_content(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The content octets of the DER encoding.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Item<'a> for Oid<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader.object_identifier()
    }

    fn read_again(reader: &mut Reader<'a>) -> Result<Self> {
        let (_, content) = reader.known_element()?;
        Ok(Self::from_known_content(content))
    }
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $bytes:expr;)*) => {
        impl Oid<'static> {
            $($(#[$doc])* pub const $name: Self = Self(&$bytes);)*
        }
    };
}

oids! {
    /// anyPolicy, 2.5.29.32.0.
    ANY_POLICY = [0x55, 0x1d, 0x20, 0x00];
    /// id-kp-serverAuth, 1.3.6.1.5.5.7.3.1.
    SERVER_AUTH = [0x2b, 6, 1, 5, 5, 7, 3, 1];
    /// id-kp-clientAuth, 1.3.6.1.5.5.7.3.2.
    CLIENT_AUTH = [0x2b, 6, 1, 5, 5, 7, 3, 2];
    /// id-kp-OCSPSigning, 1.3.6.1.5.5.7.3.9.
    OCSP_SIGNING = [0x2b, 6, 1, 5, 5, 7, 3, 9];
    /// anyExtendedKeyUsage, 2.5.29.37.0.
    ANY_EXTENDED_KEY_USAGE = [0x55, 0x1d, 0x25, 0x00];
    /// Netscape Server Gated Crypto, 2.16.840.1.113730.4.1.
    NETSCAPE_SGC = [0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x04, 0x01];
    /// Microsoft Server Gated Crypto, 1.3.6.1.4.1.311.10.3.3.
    MICROSOFT_SGC = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x0a, 0x03, 0x03];
    /// id-ad-ocsp, 1.3.6.1.5.5.7.48.1.
    ACCESS_OCSP = [0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    /// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2.
    ACCESS_CA_ISSUERS = [0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    /// commonName, 2.5.4.3.
    COMMON_NAME = [0x55, 0x04, 0x03];
    /// emailAddress, 1.2.840.113549.1.9.1.
    EMAIL_ADDRESS = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];
    /// id-on-SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9.
    SMTP_UTF8_MAILBOX = [0x2b, 6, 1, 5, 5, 7, 8, 9];
}

impl fmt::Display for Oid<'_> {
    /// Dotted decimals. A number beyond 64 bits is shown as `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for part in self.0.split_inclusive(|byte| byte & 0x80 == 0) {
            let number = part.iter().try_fold(0u64, |value, byte| {
                value
                    .checked_mul(128)
                    .map(|value| value | u64::from(byte & 0x7f))
            });
            match (first, number) {
                // X.690 §8.19.4: the first subidentifier holds the first two numbers.
                (true, Some(both)) => {
                    let top = (both / 40).min(2);
                    write!(f, "{top}.{}", both.saturating_sub(top.saturating_mul(40)))?;
                }
                (false, Some(number)) => write!(f, ".{number}")?,
                (true, None) => f.write_str("2.?")?,
                (false, None) => f.write_str(".?")?,
            }
            first = false;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// An object identifier that owns its octets, to be kept in parameters.
///
/// ```
/// use countersign_x509::{Oid, OwnedOid};
/// let policy: OwnedOid = "2.5.29.32.0".parse()?;
/// assert_eq!(policy.as_oid(), Oid::ANY_POLICY);
/// assert_eq!(policy.to_string(), "2.5.29.32.0");
/// assert!("2.5.x".parse::<OwnedOid>().is_err());
/// # Ok::<(), countersign_x509::InvalidOid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnedOid(Box<[u8]>);

impl OwnedOid {
    /// The identifier, borrowed.
    pub fn as_oid(&self) -> Oid<'_> {
        Oid(&self.0)
    }
}

impl From<Oid<'_>> for OwnedOid {
    fn from(oid: Oid<'_>) -> Self {
        Self(oid.0.into())
    }
}

/// The text is not an object identifier in dotted decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct InvalidOid;

impl fmt::Display for InvalidOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an object identifier is written as numbers with dots between, like 2.5.29.32.0",
        )
    }
}

impl core::error::Error for InvalidOid {}

impl FromStr for OwnedOid {
    type Err = InvalidOid;

    /// Reads dotted decimals; no number may need more than 64 bits.
    fn from_str(text: &str) -> core::result::Result<Self, InvalidOid> {
        let mut parts = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| part.parse::<u64>().ok()).flatten();
            number.ok_or(InvalidOid)
        });
        let (Some(top), Some(second)) = (parts.next(), parts.next()) else {
            return Err(InvalidOid);
        };
        let (top, second) = (top?, second?);
        // X.690 §8.19.4: below the roots 0 and 1 there are no more than 40 numbers.
        if top > 2 || (top < 2 && second > 39) {
            return Err(InvalidOid);
        }
        let first = top
            .checked_mul(40)
            .and_then(|base| base.checked_add(second))
            .ok_or(InvalidOid)?;
        let mut content = Vec::with_capacity(text.len());
        push_base_128(&mut content, first);
        for part in parts {
            push_base_128(&mut content, part?);
        }
        Ok(Self(content.into()))
    }
}

/// X.690 §8.19.2: seven bits an octet, the highest first; all but the last have bit 8 set.
fn push_base_128(content: &mut Vec<u8>, number: u64) {
    let groups = number
        .checked_ilog2()
        .map_or(1, |log| (log / 7).saturating_add(1));
    for group in (0..groups).rev() {
        let [.., low] = number.wrapping_shr(group.saturating_mul(7)).to_be_bytes();
        let more = if group > 0 { 0x80 } else { 0 };
        content.push(low & 0x7f | more);
    }
}

impl fmt::Display for OwnedOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_oid().fmt(f)
    }
}

impl fmt::Debug for OwnedOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_oid().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_decimals_are_read_back() {
        for text in [
            "0.0",
            "1.2.840.113549.1.9.1",
            "2.5.29.32.0",
            "2.999.1",
            "2.16.840.1.101.3.2.1.48.127",
            "2.16.840.1.101.3.2.1.48.128",
            "1.39.18446744073709551615",
        ] {
            let oid: OwnedOid = text.parse().unwrap();
            assert!(
                Oid::from_content(oid.as_oid().as_bytes()).is_some(),
                "{text}"
            );
            assert_eq!(oid.to_string(), text);
        }
        let expected = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
        let oid: OwnedOid = "1.2.840.113549.1.9.1".parse().unwrap();
        assert_eq!(oid.as_oid().as_bytes(), expected);
    }

    #[test]
    fn other_texts_are_no_identifiers() {
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "1..2",
            "3.1",
            "0.40",
            "1.40",
            "1.2.-3",
            "1.2.+3",
            "1.2 .3",
            "1.2.18446744073709551616",
            "2.18446744073709551615",
            "a.b",
        ] {
            assert_eq!(text.parse::<OwnedOid>(), Err(InvalidOid), "{text}");
        }
    }

    #[test]
    fn shows_dotted_decimals() {
        for (content, dotted) in [
            (&[0x00][..], "0.0"),
            (&[0x2a, 0x86, 0x48], "1.2.840"),
            (&[0x55, 0x04, 0x03], "2.5.4.3"),
            (&[0x88, 0x37, 0x01], "2.999.1"),
            (
                &[
                    0x2a, 0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
                ],
                "1.2.?",
            ),
        ] {
            assert_eq!(Oid::from_content(content).unwrap().to_string(), dotted);
        }
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for bad in [
            &[][..],
            &[0x80],
            &[0x55, 0x84],
            &[0x55, 0x80, 0x01],
            &[0x55, 0x81],
        ] {
            assert_eq!(Oid::from_content(bad), None, "{bad:02x?}");
        }
    }
}
