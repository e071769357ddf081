//! What the tests of all messages share, and the tests that concern all of them.

mod properties;
mod rfc8448;

use super::{Message, MessageType, Writer, read_message, write_message};
use crate::error::Error;
use crate::messages::extension::ExtensionType;
use crate::violation::Violation;

/// The bytes of a message that is written.
pub(super) fn written<'a, M: Message<'a>>(message: &M) -> Vec<u8> {
    let mut output = Vec::new();
    write_message(message, &mut output).unwrap();
    output
}

/// A message of any body.
pub(super) fn message(kind: MessageType, body: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut writer = Writer::new(&mut output);
    writer.u8(kind.code());
    writer.bytes_u24(body);
    writer.finish().unwrap();
    output
}

/// Extensions within their length.
pub(super) fn extensions(extensions: &[(ExtensionType, &[u8])]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut writer = Writer::new(&mut output);
    writer.within_u16(|writer| {
        for (kind, body) in extensions {
            writer.u16(kind.0);
            writer.bytes_u16(body);
        }
    });
    writer.finish().unwrap();
    output
}

/// What the peer did wrong.
pub(super) fn violation<T: core::fmt::Debug>(result: Result<T, Error>) -> Violation {
    match result.unwrap_err() {
        Error::PeerViolated { violation, alert } => {
            assert_eq!(alert, violation.alert());
            violation
        }
        other => panic!("{other}"),
    }
}

/// The bytes that hexadecimal digits stand for, as an RFC prints them.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| core::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

#[test]
fn every_message_type_survives_the_round_trip() {
    for code in 0..=u8::MAX {
        assert_eq!(MessageType::from(code).code(), code);
    }
}

#[test]
fn another_type_is_an_unexpected_message() {
    let finished = message(MessageType::Finished, &[0]);
    assert_eq!(
        violation(read_message::<super::KeyUpdate>(&finished)),
        Violation::UnexpectedMessage
    );
}

#[test]
fn bytes_after_the_message_are_an_error() {
    let mut update = message(MessageType::KeyUpdate, &[0]);
    update.push(0);
    assert_eq!(
        violation(read_message::<super::KeyUpdate>(&update)),
        Violation::TrailingData
    );
}

#[test]
fn a_message_that_cannot_be_written_leaves_no_trace() {
    let names = [super::ProtocolName(&[b'x'; 256])];
    let hello = super::EncryptedExtensions {
        alpn: Some(names[0]),
        ..super::EncryptedExtensions::default()
    };
    let mut output = vec![1, 2, 3];
    assert!(matches!(
        write_message(&hello, &mut output),
        Err(Error::Internal(_))
    ));
    assert_eq!(output, [1, 2, 3]);
}
