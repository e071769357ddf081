//! PEM text (RFC 7468) that may hold a private key.
//!
//! Readers made for certificates decode every block that they know, and leave the text and what it says behind in
//! memory. This one decodes what is asked for, in a time that does not depend on the key, and erases it.

use core::mem;
use core::slice::Split;

use base64ct::{Base64Unpadded, Encoding};
use pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use super::CredentialError;

/// Every certificate, in the order of the text.
pub(super) fn read_certificates(
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let mut certificates = Vec::new();
    for block in Blocks::of(text) {
        let block = block?;
        if block.label == b"CERTIFICATE" {
            let mut der = block.decode()?;
            certificates.push(CertificateDer::from(mem::take(&mut *der)));
        }
    }
    Ok(certificates)
}

/// The first private key that is not encrypted.
pub(super) fn read_key(text: &[u8]) -> Result<Zeroizing<PrivateKeyDer<'static>>, CredentialError> {
    for block in Blocks::of(text) {
        let block = block?;
        let make: fn(Vec<u8>) -> PrivateKeyDer<'static> = match block.label {
            b"PRIVATE KEY" => |der| PrivatePkcs8KeyDer::from(der).into(),
            b"RSA PRIVATE KEY" => |der| PrivatePkcs1KeyDer::from(der).into(),
            b"EC PRIVATE KEY" => |der| PrivateSec1KeyDer::from(der).into(),
            _ => continue,
        };
        if block.is_encrypted() {
            continue;
        }
        let mut der = block.decode()?;
        return Ok(Zeroizing::new(make(mem::take(&mut *der))));
    }
    Err(CredentialError::NoKey)
}

/// What lies between two lines of the text, which it borrows.
struct Block<'t> {
    label: &'t [u8],
    lines: Vec<&'t [u8]>,
}

impl Block<'_> {
    /// The old form of a key under a password says so in its first line (RFC 1421 §4.6.1.1).
    fn is_encrypted(&self) -> bool {
        let first = self.lines.first();
        first.is_some_and(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b",ENCRYPTED"))
    }

    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
        // RFC 7468 §2: parsers SHOULD pass over whitespace, wherever it is.
        let lines = self.lines.iter();
        let pieces = lines.flat_map(|line| line.split(u8::is_ascii_whitespace));
        let pieces: Vec<&[u8]> = pieces.collect();
        let digits = Zeroizing::new(pieces.concat());
        // Padding says nothing that the length does not.
        let padding = digits.iter().rev().take_while(|digit| **digit == b'=');
        let end = digits.len().saturating_sub(padding.count().min(2));
        let digits = digits.get(..end).unwrap_or_default();
        // There are fewer bytes than digits.
        let mut der = Zeroizing::new(vec![0; digits.len()]);
        let decoded = Base64Unpadded::decode(digits, &mut der);
        let length = decoded.map_err(|_| fault(NOT_BASE64))?.len();
        der.truncate(length);
        Ok(der)
    }
}

/// Goes over the text block by block.
struct Blocks<'t> {
    lines: Split<'t, u8, fn(&u8) -> bool>,
}

impl<'t> Blocks<'t> {
    fn of(text: &'t [u8]) -> Self {
        Self {
            lines: text.split(|byte| matches!(byte, b'\n' | b'\r')),
        }
    }

    fn rest_of(&mut self, label: &'t [u8]) -> Result<Block<'t>, CredentialError> {
        let mut lines = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.trim_ascii();
            if line.starts_with(BEGIN) {
                break;
            }
            if line.strip_prefix(END).and_then(until_dashes) == Some(label) {
                return Ok(Block { label, lines });
            }
            lines.push(line);
        }
        Err(fault(UNFINISHED))
    }
}

impl<'t> Iterator for Blocks<'t> {
    type Item = Result<Block<'t>, CredentialError>;

    fn next(&mut self) -> Option<Self::Item> {
        let label = self
            .lines
            .find_map(|line| line.trim_ascii_end().strip_prefix(BEGIN))?;
        Some(match until_dashes(label) {
            Some(label) => self.rest_of(label),
            None => Err(fault(MALFORMED)),
        })
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

const UNFINISHED: &str = "a section begins but does not end";
const MALFORMED: &str = "a section begins in the middle of a line or is malformed";
const NOT_BASE64: &str = "the text between BEGIN and END is not base64";

/// The label in front of the dashes that end the line.
fn until_dashes(rest: &[u8]) -> Option<&[u8]> {
    rest.strip_suffix(b"-----")
}

fn fault(what: &str) -> CredentialError {
    CredentialError::Pem(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{MALFORMED, NOT_BASE64, UNFINISHED, read_certificates, read_key};
    use crate::config::credential::CredentialError;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAAx\nQUI=\n-----END PRIVATE KEY-----\n";
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAAy\n-----END CERTIFICATE-----\n";

    fn key(text: &str) -> Vec<u8> {
        read_key(text.as_bytes()).unwrap().secret_der().to_vec()
    }

    fn what(error: CredentialError) -> String {
        match error {
            CredentialError::Pem(what) => what,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn each_kind_is_found_among_the_others() {
        let text = format!("Subject: none\n{CERTIFICATE}{KEY}\n{CERTIFICATE}");
        assert_eq!(key(&text), b"0\x001AB");
        let certificates = read_certificates(text.as_bytes()).unwrap();
        assert_eq!(
            certificates,
            [b"0\x002".to_vec().into(), b"0\x002".to_vec().into()]
        );
        assert!(read_certificates(KEY.as_bytes()).unwrap().is_empty());
        let none = read_key(CERTIFICATE.as_bytes());
        assert!(matches!(none, Err(CredentialError::NoKey)));
    }

    #[test]
    fn lines_end_and_begin_as_they_like() {
        for text in [
            KEY.replace('\n', "\r\n"),
            KEY.replace('\n', "\r"),
            KEY.replace('\n', " \n"),
            KEY.replace('M', "\tM"),
            KEY.replace("QUI", "Q UI\t"),
            KEY.replace('=', ""),
            KEY.trim_end().to_owned(),
        ] {
            assert_eq!(key(&text), b"0\x001AB", "{text:?}");
        }
    }

    #[test]
    fn the_form_of_a_key_is_its_label() {
        use pki_types::PrivateKeyDer as K;
        let read = |label| read_key(KEY.replace("PRIVATE", label).as_bytes());
        assert!(matches!(**read("PRIVATE").as_ref().unwrap(), K::Pkcs8(_)));
        assert!(matches!(
            **read("RSA PRIVATE").as_ref().unwrap(),
            K::Pkcs1(_)
        ));
        assert!(matches!(**read("EC PRIVATE").as_ref().unwrap(), K::Sec1(_)));
        let encrypted = read("ENCRYPTED PRIVATE");
        assert!(matches!(encrypted, Err(CredentialError::NoKey)));
    }

    #[test]
    fn a_key_under_a_password_is_passed_over_in_its_old_form_too() {
        let header = "KEY-----\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-256-CBC,0A\n\nM";
        let locked = KEY.replace("KEY-----\nM", header);
        assert!(matches!(
            read_key(locked.as_bytes()),
            Err(CredentialError::NoKey)
        ));
        assert_eq!(key(&format!("{locked}{KEY}")), b"0\x001AB");
    }

    #[test]
    fn what_is_wrong_with_the_text_is_said() {
        for (text, said) in [
            (KEY.replace("-----END", "-----AND"), UNFINISHED),
            (KEY.replace("END PRIVATE", "END PUBLIC"), UNFINISHED),
            (
                format!("-----BEGIN CERTIFICATE-----\nMAAy\n{KEY}"),
                UNFINISHED,
            ),
            (KEY.replace("KEY-----\nM", "KEY--\nM"), MALFORMED),
            (KEY.replace("MAAx", "MA!x"), NOT_BASE64),
            (KEY.replace("MAAx", "MA=x"), NOT_BASE64),
            (KEY.replace("QUI=", "QUI==="), NOT_BASE64),
            (KEY.replace("QUI=", "Q"), NOT_BASE64),
            (KEY.replace("QUI=", "Proc-Type: 4,ENCRYPTED"), NOT_BASE64),
        ] {
            assert_eq!(what(read_key(text.as_bytes()).unwrap_err()), said, "{text}");
        }
    }
}
