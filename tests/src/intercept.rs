//! A line that changes what it carries: it opens each record with the keys that the sender
//! logged, lets a test replace, insert, drop, split or join messages, and seals the result
//! with the same keys and its own record numbers.
//!
//! The receiver cannot tell the result from what a wrong sender would send, up to the next
//! check of the transcript (`CertificateVerify`, `Finished`).

use core::fmt;

use crate::endpoint::{Line, Side};
use crate::wiretap::protection::RecordKeys;
use crate::wiretap::reading::{Agreed, Reading};
use crate::wiretap::{Content, Epoch, KeyLog, Piece};

/// The largest content of a record.
const RECORD_SIZE: usize = 1 << 14;

/// A record to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests build them")]
pub enum Outgoing {
    /// A record, sealed under the keys of its epoch.
    Record {
        /// The keys.
        epoch: Epoch,
        /// 20 `change_cipher_spec`, 21 alert, 22 handshake, 23 data.
        content_type: u8,
        /// The content.
        content: Vec<u8>,
        /// How many bytes of padding; ignored without protection.
        padding: usize,
    },
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

impl Outgoing {
    /// A handshake record under these keys.
    pub fn handshake(epoch: Epoch, content: impl Into<Vec<u8>>) -> Self {
        Self::record(epoch, 22, content)
    }

    /// A record under these keys, without padding.
    pub fn record(epoch: Epoch, content_type: u8, content: impl Into<Vec<u8>>) -> Self {
        Self::Record {
            epoch,
            content_type,
            content: content.into(),
            padding: 0,
        }
    }
}

impl Piece {
    /// The records that deliver this piece as it is.
    pub fn unchanged(&self) -> Vec<Outgoing> {
        match &self.content {
            Content::Handshake(message) => self.in_fragments(message, RECORD_SIZE),
            Content::Alert(level, number) => {
                vec![Outgoing::record(self.epoch, 21, [*level, *number])]
            }
            Content::ChangeCipherSpec(content) => {
                vec![Outgoing::record(self.epoch, 20, content.clone())]
            }
            Content::Data(data) => vec![Outgoing::record(self.epoch, 23, data.clone())],
            Content::Unreadable(record) => vec![Outgoing::Bytes(record.clone())],
        }
    }

    /// A handshake message in place of this piece, in records of at most `size` bytes.
    pub fn in_fragments(&self, message: &[u8], size: usize) -> Vec<Outgoing> {
        message
            .chunks(size)
            .map(|fragment| Outgoing::handshake(self.epoch, fragment))
            .collect()
    }
}

/// What a test does with each piece.
pub type Rewrite<'t> = dyn FnMut(&Piece) -> Vec<Outgoing> + 't;

/// The line.
pub struct Interceptor<'t> {
    logs: [KeyLog; 2],
    agreed: Agreed,
    reading: [Reading; 2],
    writing: [Writing; 2],
    rewrite: Box<Rewrite<'t>>,
    heard: Vec<Piece>,
}

impl<'t> Interceptor<'t> {
    /// A line between two ends that log their secrets, each into its own log.
    pub fn new(
        client: &KeyLog,
        server: &KeyLog,
        rewrite: impl FnMut(&Piece) -> Vec<Outgoing> + 't,
    ) -> Self {
        Self {
            logs: [client.clone(), server.clone()],
            agreed: Agreed::default(),
            reading: [Reading::new(Side::Client), Reading::new(Side::Server)],
            writing: [Writing::default(), Writing::default()],
            rewrite: Box::new(rewrite),
            heard: Vec::new(),
        }
    }

    /// What the ends sent, before anything was changed.
    pub fn heard(&self) -> &[Piece] {
        &self.heard
    }

    /// The alerts that an end sent: their numbers.
    pub fn alerts(&self, from: Side) -> Vec<u8> {
        self.heard
            .iter()
            .filter(|piece| piece.from == from)
            .filter_map(|piece| match piece.content {
                Content::Alert(_, number) => Some(number),
                _ => None,
            })
            .collect()
    }
}

impl Line for Interceptor<'_> {
    fn carry(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        let at = usize::from(from == Side::Server);
        let pieces = self.reading[at].take(bytes, &mut self.agreed, &self.logs[at]);
        let mut delivered = Vec::new();
        for piece in pieces {
            for outgoing in (self.rewrite)(&piece) {
                let keys = |epoch| self.agreed.keys(from, epoch, &self.logs[at]);
                delivered.extend(self.writing[at].write(outgoing, keys));
            }
            self.heard.push(piece);
        }
        delivered
    }
}

impl fmt::Debug for Interceptor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interceptor({} pieces)", self.heard.len())
    }
}

/// One direction, from records to bytes. Every epoch has keys and record numbers of its own.
#[derive(Default)]
struct Writing(Vec<(Epoch, RecordKeys)>);

impl Writing {
    fn write(&mut self, outgoing: Outgoing, keys: impl Fn(Epoch) -> Option<RecordKeys>) -> Vec<u8> {
        let (epoch, content_type, content, padding) = match outgoing {
            Outgoing::Bytes(bytes) => return bytes,
            Outgoing::Record {
                epoch,
                content_type,
                content,
                padding,
            } => (epoch, content_type, content, padding),
        };
        if epoch == Epoch::Plain {
            let length = u16::try_from(content.len()).expect("fits a record");
            let mut record = vec![content_type, 3, 3];
            record.extend_from_slice(&length.to_be_bytes());
            record.extend_from_slice(&content);
            return record;
        }
        if !self.0.iter().any(|(known, _)| *known == epoch) {
            let keys = keys(epoch).expect("the sender has logged the secret of this epoch");
            self.0.push((epoch, keys));
        }
        let (_, keys) = self
            .0
            .iter_mut()
            .find(|(known, _)| *known == epoch)
            .expect("just put there");
        keys.seal(content_type, &content, padding)
    }
}
