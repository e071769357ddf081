//! Changing the parts of a handshake message, whatever that makes of it.

use crate::wrong_peer::message;

/// Extensions: type and content, in order.
pub type Extensions = Vec<(u16, Vec<u8>)>;

/// A hello, taken apart: what stands before the extensions, and the extensions.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests change it")]
pub struct Hello {
    /// Everything after the header and before the extensions.
    pub front: Vec<u8>,
    /// The extensions.
    pub extensions: Extensions,
}

/// Where the session id begins, in any hello.
pub const SESSION_ID: usize = 34;

/// Changes a `ClientHello`, `ServerHello` or `HelloRetryRequest`.
pub fn hello(whole: &[u8], change: impl FnOnce(&mut Hello)) -> Vec<u8> {
    let body = &whole[4..];
    let mut at = SESSION_ID + 1 + usize::from(body[SESSION_ID]);
    if whole[0] == 1 {
        at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
        at += 1 + usize::from(body[at]);
    } else {
        at += 3;
    }
    let mut parts = Hello {
        front: body[..at].to_vec(),
        extensions: read(&body[at + 2..]),
    };
    change(&mut parts);
    let written = write(&parts.extensions);
    message(whole[0], &[parts.front, written].concat())
}

/// Changes the extensions of an `EncryptedExtensions` or a `CertificateRequest`.
pub fn extensions(whole: &[u8], change: impl FnOnce(&mut Extensions)) -> Vec<u8> {
    let front = match whole[0] {
        13 => 1 + usize::from(whole[4]),
        _ => 0,
    };
    let (front, rest) = whole[4..].split_at(front);
    let mut list = read(&rest[2..]);
    change(&mut list);
    message(whole[0], &[front, &write(&list)].concat())
}

fn read(mut bytes: &[u8]) -> Extensions {
    let mut list = Vec::new();
    while let [kind @ .., _, _] = &bytes[..4.min(bytes.len())] {
        let kind = u16::from_be_bytes([kind[0], kind[1]]);
        let end = 4 + usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        list.push((kind, bytes[4..end].to_vec()));
        bytes = &bytes[end..];
    }
    list
}

fn write(list: &Extensions) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, content) in list {
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&two(content.len()));
        bytes.extend_from_slice(content);
    }
    [&two(bytes.len())[..], &bytes].concat()
}

fn two(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("short").to_be_bytes()
}

#[cfg(test)]
mod tests {
    use crate::endpoint::Side;
    use crate::wrong_peer::script;

    #[test]
    fn what_is_not_changed_stays() {
        for side in [Side::Client, Side::Server] {
            for message in script(side) {
                let again = match message[0] {
                    1 | 2 => super::hello(&message, |_| {}),
                    8 | 13 => super::extensions(&message, |_| {}),
                    _ => continue,
                };
                assert_eq!(again, message);
            }
        }
    }
}
