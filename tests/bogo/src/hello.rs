//! Looks into a ClientHello for what the runner expects in it.

const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;

/// A ClientHello: a whole message, with its header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientHello<'a>(pub(crate) &'a [u8]);

impl<'a> ClientHello<'a> {
    /// Whether it names the server that it wants (RFC 6066 §3).
    pub(crate) fn names_a_server(self) -> bool {
        self.extension(SERVER_NAME).is_some()
    }

    /// The schemes in which it can verify a handshake, in its order (RFC 9846 §4.3.3).
    pub(crate) fn signature_schemes(self) -> Option<Vec<u16>> {
        let mut extension = self.extension(SIGNATURE_ALGORITHMS)?;
        let list = take_vector(&mut extension, 2)?;
        let pairs = list.chunks_exact(2);
        Some(
            pairs
                .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
                .collect(),
        )
    }

    /// The application protocols that it offers, a list as it is on the wire (RFC 7301 §3.1).
    pub(crate) fn protocols(self) -> Option<&'a [u8]> {
        take_vector(&mut self.extension(ALPN)?, 2)
    }

    fn extension(self, wanted: u16) -> Option<&'a [u8]> {
        let mut message = self.0;
        // The header, the version and the random value.
        take(&mut message, 4 + 2 + 32)?;
        take_vector(&mut message, 1)?; // session id
        take_vector(&mut message, 2)?; // cipher suites
        take_vector(&mut message, 1)?; // compression methods
        let mut extensions = take_vector(&mut message, 2)?;
        loop {
            let kind = take(&mut extensions, 2)?;
            let body = take_vector(&mut extensions, 2)?;
            if kind == wanted.to_be_bytes() {
                return Some(body);
            }
        }
    }
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

/// Takes what follows its own length, a number of so many bytes.
fn take_vector<'a>(input: &mut &'a [u8], length_of_length: usize) -> Option<&'a [u8]> {
    let length = take(input, length_of_length)?;
    let length = length
        .iter()
        .fold(0, |sum: usize, byte| (sum << 8) | usize::from(*byte));
    take(input, length)
}

#[cfg(test)]
mod tests {
    use super::ClientHello;

    fn hello(extensions: &[u8]) -> Vec<u8> {
        let mut message = vec![1, 0, 0, 0, 3, 3];
        message.extend([0; 32]);
        message.extend([1, 7, 0, 2, 0x13, 1, 1, 0]);
        message.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        message.extend(extensions);
        message
    }

    #[test]
    fn extensions_are_found_behind_others() {
        let message = hello(&[
            0, 5, 0, 1, 9, // something else
            0, 13, 0, 6, 0, 4, 8, 4, 4, 3, // signature_algorithms
            0, 16, 0, 5, 0, 3, 2, b'h', b'2', // ALPN
        ]);
        let hello = ClientHello(&message);
        assert_eq!(hello.signature_schemes(), Some(vec![0x0804, 0x0403]));
        assert_eq!(hello.protocols(), Some(&b"\x02h2"[..]));
        assert!(!hello.names_a_server());
        assert!(ClientHello(&super::tests::hello(&[0, 0, 0, 0])).names_a_server());
    }

    #[test]
    fn what_is_cut_holds_nothing() {
        let message = hello(&[0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
        for length in 0..message.len() {
            assert_eq!(
                ClientHello(&message[..length]).protocols(),
                None,
                "{length}"
            );
        }
    }
}
