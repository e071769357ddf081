//! Listening to a conversation: from the bytes on the wire and the secrets that the ends
//! log to the messages that were sent.

pub mod key_log;
pub mod protection;
pub(crate) mod reading;
pub(crate) mod tls12;

use core::fmt;

pub use key_log::KeyLog;
pub use protection::Suite;
pub use reading::{Content, Epoch, Piece};

use self::reading::{Agreed, Reading, ServerHello};
use crate::endpoint::{Line, Side};

/// A line that changes nothing and understands everything.
pub struct Wiretap {
    log: KeyLog,
    agreed: Agreed,
    client: Reading,
    server: Reading,
    pieces: Vec<Piece>,
}

impl Wiretap {
    /// Listens to one conversation, with the secrets that either end logs.
    pub fn new(log: &KeyLog) -> Self {
        Self {
            log: log.clone(),
            agreed: Agreed::default(),
            client: Reading::new(Side::Client),
            server: Reading::new(Side::Server),
            pieces: Vec::new(),
        }
    }

    /// Hears bytes, and gives what became whole by them.
    pub fn hear(&mut self, from: Side, bytes: &[u8]) -> Vec<Piece> {
        let reading = match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let pieces = reading.take(bytes, &mut self.agreed, &self.log);
        self.pieces.extend_from_slice(&pieces);
        pieces
    }

    /// Everything that was sent, in the order in which it was.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The handshake messages and alerts in the notation of the matrix: `c1 s2 s8 … c!2.48`.
    pub fn wire(&self) -> String {
        notation(&self.pieces)
    }

    /// The alerts: side, level, number.
    pub fn alerts(&self) -> Vec<(Side, u8, u8)> {
        self.pieces
            .iter()
            .filter_map(|piece| match piece.content {
                Content::Alert(level, number) => Some((piece.from, level, number)),
                _ => None,
            })
            .collect()
    }

    /// The messages of one type.
    pub fn messages(&self, from: Side, message_type: u8) -> Vec<&[u8]> {
        self.pieces
            .iter()
            .filter_map(|piece| match &piece.content {
                Content::Handshake(message)
                    if piece.from == from && message.first() == Some(&message_type) =>
                {
                    Some(message.as_slice())
                }
                _ => None,
            })
            .collect()
    }

    /// The cipher suite of TLS 1.3 that the server chose.
    pub fn suite(&self) -> Option<Suite> {
        self.agreed.suite
    }

    /// The number of the group that the server chose.
    pub fn group(&self) -> Option<u16> {
        self.server_hellos().last()?.group
    }

    /// Whether the server asked for another `ClientHello`.
    pub fn retried(&self) -> bool {
        self.server_hellos().iter().any(|hello| hello.is_retry)
    }

    /// The number of the scheme in which an end signed, if it did.
    pub fn signature_scheme(&self, by: Side) -> Option<u16> {
        let message = *self.messages(by, 15).first()?;
        Some(u16::from_be_bytes(message.get(4..6)?.try_into().ok()?))
    }

    fn server_hellos(&self) -> Vec<ServerHello> {
        self.messages(Side::Server, 2)
            .into_iter()
            .filter_map(ServerHello::read)
            .collect()
    }
}

/// The handshake messages and alerts among `pieces` in the notation of the matrix.
pub fn notation(pieces: &[Piece]) -> String {
    let words: Vec<String> = pieces
        .iter()
        .filter_map(|piece| match &piece.content {
            Content::Handshake(message) => Some(format!("{}{}", piece.from, message[0])),
            Content::Alert(level, number) => Some(format!("{}!{level}.{number}", piece.from)),
            Content::Unreadable(_) => Some(format!("{}?", piece.from)),
            Content::ChangeCipherSpec(_) | Content::Data(_) => None,
        })
        .collect();
    words.join(" ")
}

impl Line for Wiretap {
    fn carry(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        self.hear(from, bytes);
        bytes.to_vec()
    }
}

impl fmt::Debug for Wiretap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wiretap({})", self.wire())
    }
}
