//! Everything that is read from PEM text: chains, private keys in each of their forms, anchors and revocation lists.
//! A mutation of Base64 seldom is Base64, so the same keys and certificates are read from DER as well.

use countersign_x509::{Certificate, TrustError, TrustStore};
use pki_types::pem::PemObject;
use pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

use super::input::Input;
use crate::config::credential::{Credential, CredentialError};
use crate::crypto::peer_key::{self, PeerKey};
use crate::crypto::private_key::PrivateKey;

/// Takes `data` for the text of files, or for a certificate and a key.
///
/// Whatever it is: a credential that can be read signs so that its certificate verifies it; what cannot be read is
/// named by a line that is there; and no error and no `Debug` text shows anything of a private key.
pub fn pem(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte() & 7;
    if kind == 0 {
        read_one_file(input.0);
        return;
    }
    let length = usize::from(u16::from_be_bytes([input.byte(), input.byte()]));
    let (first, second) = input.0.split_at(length.min(input.0.len()));
    let key = match kind {
        1 => PrivatePkcs8KeyDer::from(second).into(),
        2 => PrivatePkcs1KeyDer::from(second).into(),
        3 => PrivateSec1KeyDer::from(second).into(),
        _ => {
            check_credential(Credential::from_pem(first, second));
            return;
        }
    };
    let chain = vec![CertificateDer::from(first.to_vec())];
    check_credential(Credential::new(chain, &key));
    read_key(&key);
}

/// A file that holds everything.
fn read_one_file(text: &[u8]) {
    check_credential(Credential::from_pem(text, text));
    for key in PrivateKeyDer::pem_slice_iter(text).flatten() {
        read_key(&key);
    }
    check_trust(TrustStore::from_pem(text), text);
    let store = TrustStore::empty();
    check_trust(store.add_crls_pem(text), text);
    check_trust(store.replace_crls_pem(text), text);
}

fn read_key(der: &PrivateKeyDer<'_>) {
    match PrivateKey::from_der(der) {
        Ok(key) => {
            check_words(&format!("{key:?}"));
            assert!(!key.schemes().is_empty());
        }
        Err(error) => check_words(&format!("{error} {error:?}")),
    }
}

fn check_credential(read: Result<Credential, CredentialError>) {
    let credential = match read {
        Ok(credential) => credential,
        Err(error) => {
            check_words(&without_certificate(&error));
            return;
        }
    };
    check_words(&format!("{credential:?}"));
    let leaf = credential.certificates().first().expect("there is a leaf");
    let leaf = Certificate::parse(leaf).expect("it was read before");
    // What is wrong with a public key alone is the peer's to say.
    if let Ok(public) = PeerKey::from_spki(leaf.public_key().der()) {
        let signer = credential.signer();
        let scheme = *signer.schemes().first().expect("it signs with something");
        let signature = signer.sign(scheme, b"message").expect("the key signs");
        let verified = peer_key::verify(scheme, &public, b"message", &signature);
        verified.expect("the certificate is of this key");
    }
}

/// What an error says, without what it has from the certificate, which is no secret.
fn without_certificate(error: &CredentialError) -> String {
    let text = format!("{error} {error:?}");
    match error {
        CredentialError::Certificate(public) | CredentialError::KeyMismatch { subject: public } => {
            assert!(!public.chars().any(char::is_control));
            text.replace(&format!("{public:?}"), "").replace(public, "")
        }
        CredentialError::File { .. } | CredentialError::In { .. } => panic!("there is no file"),
        _ => text,
    }
}

/// If it cannot be read, the line is one of the text, on which something begins.
fn check_trust<T>(read: Result<T, TrustError>, text: &[u8]) {
    let Err(error) = read else {
        return;
    };
    check_words(&format!("{error} {error:?}"));
    assert!(error.file().is_none());
    if let Some(line) = error.line() {
        let above = line.checked_sub(1).expect("lines are counted from 1");
        let line = text.split(|byte| *byte == b'\n').nth(above);
        let line = line.expect("there is such a line");
        assert!(line.starts_with(b"-----BEGIN "), "nothing begins there");
    }
}

/// The text is made of words: nothing is in it that could be bytes, in Base64, in hexadecimal or as a list of numbers.
/// The shortest private key has 32 bytes.
fn check_words(text: &str) {
    let is_word = |word: &str| word.len() < 32;
    let mut words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !"+/=".contains(sign));
    assert!(words.all(is_word), "{text}");
    let is_number =
        |item: &&str| !item.is_empty() && item.bytes().all(|sign| sign.is_ascii_digit());
    let items: Vec<&str> = text.split(", ").collect();
    let mut lists = items.chunk_by(|one, next| is_number(one) && is_number(next));
    assert!(lists.all(|list| list.len() < 8), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

#[cfg(test)]
mod tests {
    use core::fmt::Write as _;

    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    use super::{check_words, pem};
    use crate::Credential;
    use crate::crypto::test_keys::inner_key;
    use crate::fuzzing::seeds::{folder, is_to_be_written, read_all};

    const ONE_FILE: u8 = 0;
    const PKCS8: u8 = 1;
    const PKCS1: u8 = 2;
    const SEC1: u8 = 3;
    const TWO_FILES: u8 = 4;

    /// A self-signed certificate and its key in PKCS#8.
    fn certificate(algorithm: &'static SignatureAlgorithm) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(["server.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (certificate.der().to_vec(), key.serialize_der())
    }

    fn block(label: &str, der: &[u8]) -> Vec<u8> {
        const SIGNS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = format!("-----BEGIN {label}-----\n");
        for line in der.chunks(48) {
            for group in line.chunks(3) {
                let bytes = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or_default());
                let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
                for at in 0..4 {
                    let sign = SIGNS[usize::try_from(bits >> (18 - 6 * at) & 63).unwrap()];
                    text.push(if at <= group.len() { sign.into() } else { '=' });
                }
            }
            text.push('\n');
        }
        writeln!(text, "-----END {label}-----").unwrap();
        text.into_bytes()
    }

    fn of_two(kind: u8, first: &[u8], second: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(first.len()).unwrap().to_be_bytes();
        [&[kind, high, low], first, second].concat()
    }

    fn write_seeds() {
        let mut seeds = Vec::new();
        for (name, algorithm, form) in [
            ("ed25519", &rcgen::PKCS_ED25519, None),
            ("p256", &rcgen::PKCS_ECDSA_P256_SHA256, Some(("EC", SEC1))),
            ("p384", &rcgen::PKCS_ECDSA_P384_SHA384, Some(("EC", SEC1))),
            ("p521", &rcgen::PKCS_ECDSA_P521_SHA512, Some(("EC", SEC1))),
            ("rsa", &rcgen::PKCS_RSA_SHA256, Some(("RSA", PKCS1))),
        ] {
            let (certificate, key) = certificate(algorithm);
            let chain = block("CERTIFICATE", &certificate);
            let file = [&chain[..], &block("PRIVATE KEY", &key)].concat();
            seeds.push((format!("{name}-pkcs8"), of_two(PKCS8, &certificate, &key)));
            seeds.push((format!("{name}-file"), [&[ONE_FILE], &file[..]].concat()));
            if let Some((label, kind)) = form {
                let inner = inner_key(&key);
                let file = block(&format!("{label} PRIVATE KEY"), inner);
                seeds.push((format!("{name}-inner"), of_two(kind, &certificate, inner)));
                seeds.push((format!("{name}-files"), of_two(TWO_FILES, &chain, &file)));
            }
        }
        let encrypted = block("ENCRYPTED PRIVATE KEY", &[0x30, 4, 0x30, 0, 4, 0]);
        seeds.push((
            "encrypted".to_owned(),
            [&[ONE_FILE], &encrypted[..]].concat(),
        ));
        let store = std::fs::read(folder("store").join("root-and-list")).unwrap();
        seeds.push(("lists".to_owned(), [&[ONE_FILE], &store[..]].concat()));
        std::fs::create_dir_all(folder("pem")).unwrap();
        for (name, seed) in seeds {
            std::fs::write(folder("pem").join(name), seed).unwrap();
        }
    }

    /// The keys are others each time, so that the files stay as they were written.
    #[test]
    fn seeds_are_read() {
        if is_to_be_written() {
            write_seeds();
        }
        let seeds = read_all("pem");
        assert_eq!(seeds.len(), 20);
        for (name, seed) in seeds {
            pem(&seed);
            if name.ends_with("file") {
                assert!(
                    Credential::from_pem(&seed[1..], &seed[1..]).is_ok(),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_damaged_seed_is_harmless() {
        for (_, seed) in read_all("pem") {
            for place in (0..seed.len()).step_by(seed.len() / 40) {
                let mut damaged = seed.clone();
                damaged[place] ^= 0x15;
                pem(&damaged);
                pem(&seed[..place]);
            }
        }
    }

    #[test]
    fn a_secret_in_a_text_is_noticed() {
        let secret = [0x5a; 32];
        let hexadecimal = "5a".repeat(32);
        let base64 = String::from_utf8(block("KEY", &secret)).unwrap();
        let base64 = base64.lines().nth(1).unwrap().to_owned();
        for text in [format!("Key({secret:?})"), hexadecimal, base64] {
            let noticed = std::panic::catch_unwind(|| check_words(&text));
            assert!(noticed.is_err(), "{text}");
        }
        check_words("The private key cannot be decoded.");
    }
}
