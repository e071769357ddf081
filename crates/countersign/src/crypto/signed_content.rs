//! What a `CertificateVerify` signs (RFC 9846 §4.5.3).

use super::hash::Digest;

/// Whose `CertificateVerify` it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignedBy {
    Client,
    Server,
}

/// The octets that the signature of a `CertificateVerify` covers: 64 spaces, a context string that
/// keeps client and server apart, a zero byte and the transcript hash.
pub(crate) fn certificate_verify_content(by: SignedBy, transcript: &Digest) -> Vec<u8> {
    let context: &[u8] = match by {
        SignedBy::Client => b"TLS 1.3, client CertificateVerify",
        SignedBy::Server => b"TLS 1.3, server CertificateVerify",
    };
    [&[b' '; 64], context, &[0], transcript.as_ref()].concat()
}

#[cfg(test)]
mod tests {
    use super::{SignedBy, certificate_verify_content};
    use crate::crypto::hash::Digest;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 9846 §4.5.3: the content for a transcript hash of 32 bytes of 01.
        let mut expected = vec![0x20; 64];
        expected.extend([
            0x54, 0x4c, 0x53, 0x20, 0x31, 0x2e, 0x33, 0x2c, 0x20, 0x73, 0x65, 0x72, 0x76, 0x65,
            0x72, 0x20, 0x43, 0x65, 0x72, 0x74, 0x69, 0x66, 0x69, 0x63, 0x61, 0x74, 0x65, 0x56,
            0x65, 0x72, 0x69, 0x66, 0x79, 0x00,
        ]);
        expected.extend([1; 32]);
        let hash = Digest::from_slice(&[1; 32]);
        assert_eq!(
            certificate_verify_content(SignedBy::Server, &hash),
            expected
        );
    }

    #[test]
    fn client_and_server_never_sign_the_same() {
        let hash = Digest::from_slice(&[1; 32]);
        assert_ne!(
            certificate_verify_content(SignedBy::Client, &hash),
            certificate_verify_content(SignedBy::Server, &hash)
        );
    }
}
