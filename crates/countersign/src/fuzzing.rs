//! What the fuzzer calls, and a few tests call with known input. Not part of the API.
//!
//! Each function takes any bytes, and panics if they lead to something that must not be.

#![allow(
    clippy::expect_used,
    reason = "a panic is how the fuzzer learns that something is wrong"
)]

mod connection;
mod input;
mod papers;
mod pem;
#[cfg(test)]
mod seeds;
mod tickets;

use std::io::IoSlice;

pub use connection::connections;
pub use pem::pem;
pub use tickets::tickets;

use crate::alert::Alert;
use crate::crypto::suite::{AeadKey, CipherSuite, Iv};
use crate::error::{Error, Result};
use crate::messages::{
    Certificate, CertificateRequest, CertificateVerify, ClientHello, EncryptedExtensions, Finished,
    KeyUpdate, Message, MessageType, NewSessionTicket, Reader, ServerHelloOrRetry, Writer, tls12,
};
use crate::record::{
    ContentType, HEADER_LEN, Joiner, MessageLimits, NonceSequence12, Opener, PlaintextAlerts,
    Sealer, parse_header,
};

/// Reads as one message what can be written, and then reads as the same.
macro_rules! round_trip {
    ($message:ty, $body:expr) => {
        match <$message>::read(&mut Reader::new($body)) {
            Ok(message) => {
                // What has no field, as an unknown extension, is gone after the first writing.
                let written = rewritten(&message);
                let again = <$message>::read(&mut Reader::new(&written));
                let again = again.expect("what was written can be read");
                assert_eq!(rewritten(&again), written);
            }
            Err(error) => check_alert(&error),
        }
    };
}

/// Reads `body` as the handshake message of that type. What can be read can be written, and
/// then reads as the same.
pub fn messages(message_type: u8, body: &[u8]) {
    match MessageType::from(message_type) {
        MessageType::ClientHello => {
            round_trip!(ClientHello<'_>, body);
            if let Ok(hello) = ClientHello::read(&mut Reader::new(body)) {
                let repeats = hello.check_retry_of(&hello).is_ok();
                assert_eq!(repeats, !hello.extensions.early_data);
                let _ = hello.check_key_shares();
            }
        }
        MessageType::ServerHello => round_trip!(ServerHelloOrRetry<'_>, body),
        MessageType::EncryptedExtensions => round_trip!(EncryptedExtensions<'_>, body),
        MessageType::CertificateRequest => {
            round_trip!(CertificateRequest<'_>, body);
            round_trip!(tls12::CertificateRequest<'_>, body);
        }
        MessageType::Certificate => {
            round_trip!(Certificate<'_>, body);
            round_trip!(tls12::Certificate<'_>, body);
        }
        MessageType::CertificateVerify => round_trip!(CertificateVerify<'_>, body),
        MessageType::Finished => round_trip!(Finished<'_>, body),
        MessageType::NewSessionTicket => {
            round_trip!(NewSessionTicket<'_>, body);
            round_trip!(tls12::NewSessionTicket<'_>, body);
        }
        MessageType::KeyUpdate => round_trip!(KeyUpdate, body),
        MessageType::HelloRequest
        | MessageType::ServerHelloDone
        | MessageType::ServerKeyExchange
        | MessageType::ClientKeyExchange => messages_of_tls12(message_type, body),
        MessageType::EndOfEarlyData | MessageType::MessageHash | MessageType::Unknown(_) => {}
    }
}

fn messages_of_tls12(message_type: u8, body: &[u8]) {
    match MessageType::from(message_type) {
        MessageType::HelloRequest => round_trip!(tls12::HelloRequest, body),
        MessageType::ServerHelloDone => round_trip!(tls12::ServerHelloDone, body),
        MessageType::ServerKeyExchange => {
            round_trip!(tls12::ServerKeyExchange<'_>, body);
            let exchange = tls12::ServerKeyExchange { content: body };
            let read = [
                exchange.signed().map(|_| ()),
                exchange.anonymous().map(|_| ()),
            ];
            read.iter()
                .filter_map(|read| read.as_ref().err())
                .for_each(check_alert);
        }
        MessageType::ClientKeyExchange => {
            round_trip!(tls12::ClientKeyExchange<'_>, body);
            let content = tls12::ClientPublic::Undecoded(body);
            let exchange = tls12::ClientKeyExchange { content };
            let read = [exchange.curve_point(), exchange.finite_field()];
            read.iter()
                .filter_map(|read| read.as_ref().err())
                .for_each(check_alert);
        }
        _ => {}
    }
}

fn rewritten<'a, M: Message<'a>>(message: &M) -> Vec<u8> {
    let mut output = Vec::new();
    let mut writer = Writer::new(&mut output);
    message.write(&mut writer);
    writer.finish().expect("what was read fits its prefixes");
    output
}

fn check_alert(error: &Error) {
    let fitting = [
        Alert::DecodeError,
        Alert::IllegalParameter,
        Alert::BadCertificate,
    ];
    let alert = error.alert().expect("the peer is told");
    assert!(fitting.contains(&alert), "{error}");
}

/// Reads `data` as records, without a key and under one, and as the content of records.
pub fn records(data: &[u8]) {
    let _ = receive(&mut Opener::Plain, data);
    for suite in [
        CipherSuite::Aes128GcmSha256,
        CipherSuite::ChaCha20Poly1305Sha256,
    ] {
        let opener = || {
            let key = key(suite).expect("the key has the right length");
            Opener::keyed(key, Iv::known(IV), PlaintextAlerts::AcceptBeforeFirstRecord)
        };
        let _ = receive(&mut opener(), data);
        let sealed = sealed(suite, data);
        let received = receive(&mut opener(), &sealed).expect("what was sealed can be opened");
        assert_eq!(received, data);
        damaged_is_refused(&mut opener(), sealed, data);
    }
    for suite in [
        CipherSuite::EcdheEcdsaAes128GcmSha256,
        CipherSuite::EcdheEcdsaChaCha20Poly1305Sha256,
    ] {
        let key = || key(suite).expect("the key has the right length");
        let nonces = || NonceSequence12::new(suite.nonce_form(), Iv::known(IV));
        let opener = || Opener::tls12(key(), nonces());
        let _ = receive(&mut opener(), data);
        let sealed = seal(Sealer::tls12(key(), nonces(), u64::MAX), data);
        let received = receive(&mut opener(), &sealed).expect("what was sealed can be opened");
        assert_eq!(received, data);
        damaged_is_refused(&mut opener(), sealed, data);
    }
}

const IV: [u8; 12] = [7; 12];

fn key(suite: CipherSuite) -> Result<AeadKey> {
    match suite {
        CipherSuite::Aes128GcmSha256 | CipherSuite::EcdheEcdsaAes128GcmSha256 => {
            AeadKey::new(suite, &[9; 16])
        }
        _ => AeadKey::new(suite, &[9; 32]),
    }
}

fn sealed(suite: CipherSuite, data: &[u8]) -> Vec<u8> {
    let key = key(suite).expect("the key has the right length");
    seal(Sealer::keyed(key, Iv::known(IV), u64::MAX), data)
}

fn seal(mut sealer: Sealer, data: &[u8]) -> Vec<u8> {
    let (head, tail) = data.split_at(data.len() / 3);
    let slices = [IoSlice::new(head), IoSlice::new(&[]), IoSlice::new(tail)];
    let mut output = Vec::new();
    let result = sealer.seal(ContentType::ApplicationData, &slices, &mut output);
    result.expect("there is room for every sequence number");
    output
}

/// Opens all records in `data`, and returns the application data in them.
fn receive(opener: &mut Opener, data: &[u8]) -> Result<Vec<u8>> {
    let mut data = data.to_vec();
    let mut rest = data.as_mut_slice();
    let mut joiner = Joiner::new(MessageLimits {
        certificate: 3000,
        other: 2000,
    });
    let mut application_data = Vec::new();
    while let Some(header) = parse_header(rest, opener.protection())? {
        let Some((record, following)) = rest.split_at_mut_checked(header.record_len()) else {
            break;
        };
        let body = record.get_mut(HEADER_LEN..).unwrap_or_default();
        let result = opener.open(header, body)?;
        let content = body.get(result.range).expect("the range lies in the body");
        match result.content_type {
            ContentType::Handshake => {
                joiner.push(content)?;
                while let Some(message) = joiner.next()? {
                    let (kind, body) = message.split_first().expect("a message has a header");
                    messages(*kind, body.get(3..).expect("a message has a header"));
                }
            }
            ContentType::ApplicationData => application_data.extend_from_slice(content),
            ContentType::Alert | ContentType::ChangeCipherSpec => {}
        }
        rest = following;
    }
    Ok(application_data)
}

/// Changes one byte after the first header: some record does not open any more, or is missing.
fn damaged_is_refused(opener: &mut Opener, mut sealed: Vec<u8>, data: &[u8]) {
    let body_len = sealed.len().saturating_sub(HEADER_LEN);
    if let Some(byte) = sealed.get_mut(HEADER_LEN + data.len() % body_len) {
        *byte ^= 1;
    }
    let received = receive(opener, &sealed);
    assert!(received.is_err() || received.is_ok_and(|received| received.len() < data.len()));
}

#[cfg(test)]
mod tests {
    use super::records;

    #[test]
    fn records_of_all_kinds_are_harmless() {
        let seeds: [&[u8]; 7] = [
            b"",
            b"GET / HTTP/1.1\r\n\r\n",
            &[20, 3, 3, 0, 1, 1],
            &[21, 3, 3, 0, 2, 2, 40],
            &[22, 3, 1, 0, 4, 14, 0, 0, 0, 22, 3, 3, 0, 5, 24, 0, 0, 1, 0],
            &[22, 3, 3, 0, 3, 11, 0xff, 0xff, 22, 3, 3, 0, 1, 0xff],
            &[23, 3, 3, 0x40, 0x11],
        ];
        for seed in seeds {
            records(seed);
        }
        for length in [1, 16_383, 16_384, 16_385, 40_000] {
            records(&vec![0xa5; length]);
            records(&vec![0; length]);
        }
    }
}
