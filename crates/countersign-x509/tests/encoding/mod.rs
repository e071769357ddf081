//! PEM text and Base64, to and fro.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "every test file uses another part of it"
)]

use pki_types::CertificateDer;
use pki_types::pem::PemObject;

/// A block of PEM text with this label.
pub(crate) fn pem_block(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, chunk) in der.chunks(3).enumerate() {
        if index % 16 == 0 && index > 0 {
            text.push('\n');
        }
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let value = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap();
            text.push(if place > chunk.len() {
                '='
            } else {
                char::from(ALPHABET[value])
            });
        }
    }
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Base64 with padding, which is put into PEM for a reader of that.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    let lines: Vec<_> = text.as_bytes().chunks(64).collect();
    let body = lines.join(&b'\n');
    let pem = [
        b"-----BEGIN CERTIFICATE-----\n",
        &body[..],
        b"\n-----END CERTIFICATE-----\n",
    ]
    .concat();
    CertificateDer::from_pem_slice(&pem).unwrap().to_vec()
}

/// The Public Key Interoperability Test Suite of NIST.
pub(crate) fn pkits() -> serde_json::Value {
    let packed = &include_bytes!("../data/pkits.json.gz")[..];
    serde_json::from_reader(flate2::read::GzDecoder::new(packed)).unwrap()
}
