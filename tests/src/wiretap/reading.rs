//! One direction of a conversation, from record bytes to messages.

use super::key_log::KeyLog;
use super::protection::{Keys, RecordKeys, Suite};
use super::tls12::Terms;
use crate::endpoint::Side;

/// Under which keys something was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no others")]
pub enum Epoch {
    /// Without protection.
    Plain,
    /// Handshake traffic keys.
    Handshake,
    /// Application traffic keys, after this many key updates.
    Application(u32),
    /// The keys of TLS 1.2, after this many `change_cipher_spec`.
    Tls12(u32),
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a tap has to tell each of these")]
pub enum Content {
    /// A whole handshake message with its header.
    Handshake(Vec<u8>),
    /// An alert: level and number.
    Alert(u8, u8),
    /// The `change_cipher_spec` of TLS 1.2 or of compatibility mode, or any other.
    ChangeCipherSpec(Vec<u8>),
    /// Application data.
    Data(Vec<u8>),
    /// A record that could not be read, whole.
    Unreadable(Vec<u8>),
}

/// Something that one end sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Piece {
    /// Who sent it.
    pub from: Side,
    /// Under which keys.
    pub epoch: Epoch,
    /// What.
    pub content: Content,
}

impl Piece {
    /// The type of a handshake message.
    pub fn message_type(&self) -> Option<u8> {
        match &self.content {
            Content::Handshake(message) => message.first().copied(),
            _ => None,
        }
    }
}

/// The random value of a `ServerHello` that is a `HelloRetryRequest` (RFC 9846 §4.2.4).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a `ServerHello` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello {
    pub(crate) is_retry: bool,
    /// It chooses TLS 1.3.
    is_tls13: bool,
    random: [u8; 32],
    /// The number of the suite.
    number: u16,
    /// The suite, if it is one of TLS 1.3.
    pub(crate) suite: Option<Suite>,
    pub(crate) group: Option<u16>,
}

impl ServerHello {
    /// Reads a whole message, header included; lenient, since a test may have bent it.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let body = message.get(4..)?;
        let random: [u8; 32] = body.get(2..34)?.try_into().ok()?;
        let session_id = usize::from(*body.get(34)?);
        let mut rest = body.get(35 + session_id..)?;
        let number = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
        // In TLS 1.2 there may be no extensions.
        rest = rest.get(5..).unwrap_or_default();
        let mut group = None;
        let mut is_tls13 = false;
        while let Some((header, after)) = rest.split_at_checked(4) {
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            is_tls13 |= header[..2] == [0, 43];
            if header[..2] == [0, 51] {
                group = after
                    .get(..2)
                    .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
            }
            rest = after.get(length..)?;
        }
        Some(Self {
            is_retry: random == RETRY,
            is_tls13,
            random,
            number,
            suite: Suite::from_number(number),
            group,
        })
    }
}

/// What the hellos said, by which both directions are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agreed {
    /// The suite of TLS 1.3.
    pub(crate) suite: Option<Suite>,
    /// What TLS 1.2 agreed on last.
    tls12: Option<Terms>,
    client_random: [u8; 32],
}

impl Agreed {
    /// The keys with which `from` writes in this epoch.
    pub(crate) fn keys(&self, from: Side, epoch: Epoch, log: &KeyLog) -> Option<RecordKeys> {
        let name = match from {
            Side::Client => "CLIENT",
            Side::Server => "SERVER",
        };
        let secret = match epoch {
            Epoch::Plain => return None,
            Epoch::Tls12(_) => {
                let master = log.secret("CLIENT_RANDOM")?;
                return self.tls12?.keys(from, &master).map(RecordKeys::Tls12);
            }
            Epoch::Handshake => log.secret(&format!("{name}_HANDSHAKE_TRAFFIC_SECRET"))?,
            Epoch::Application(updates) => {
                let first = log.secret(&format!("{name}_TRAFFIC_SECRET_0"))?;
                let suite = self.suite?;
                (0..updates).fold(first, |secret, _| suite.next_secret(&secret))
            }
        };
        Some(RecordKeys::Tls13(Keys::new(self.suite?, &secret)))
    }

    fn hear_client_hello(&mut self, message: &[u8]) {
        if let Some(random) = message.get(6..38).and_then(|bytes| bytes.try_into().ok()) {
            self.client_random = random;
        }
    }

    /// Says whether the server writes under other keys from here on.
    fn hear_server_hello(&mut self, message: &[u8]) -> bool {
        let Some(hello) = ServerHello::read(message) else {
            return false;
        };
        if !hello.is_tls13 {
            self.tls12 = Some(Terms {
                suite: hello.number,
                client_random: self.client_random,
                server_random: hello.random,
            });
            return false;
        }
        if hello.is_retry {
            return false;
        }
        self.suite = hello.suite;
        true
    }
}

/// One direction of a conversation.
pub(crate) struct Reading {
    from: Side,
    buffer: Vec<u8>,
    unfinished: Vec<u8>,
    epoch: Epoch,
    keys: Option<(Epoch, RecordKeys)>,
}

impl Reading {
    pub(crate) fn new(from: Side) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            unfinished: Vec::new(),
            epoch: Epoch::Plain,
            keys: None,
        }
    }

    /// Takes bytes and gives everything that is whole.
    pub(crate) fn take(&mut self, bytes: &[u8], agreed: &mut Agreed, log: &KeyLog) -> Vec<Piece> {
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(record) = take_record(&mut self.buffer) {
            self.read_record(&record, agreed, log, &mut pieces);
        }
        pieces
    }

    fn read_record(
        &mut self,
        record: &[u8],
        agreed: &mut Agreed,
        log: &KeyLog,
        pieces: &mut Vec<Piece>,
    ) {
        let is_tls12 = matches!(self.epoch, Epoch::Tls12(_));
        let is_protected = is_tls12 || record[0] == 23;
        if is_protected && self.epoch == Epoch::Plain {
            self.epoch = Epoch::Handshake;
        }
        let opened = if is_protected {
            self.open(record, agreed, log)
        } else {
            Some((record[0], record[5..].to_vec()))
        };
        let epoch = if is_protected {
            self.epoch
        } else {
            Epoch::Plain
        };
        let content = match opened {
            Some((22, fragment)) => return self.join(&fragment, epoch, agreed, pieces),
            Some((21, alert)) if alert.len() == 2 => Content::Alert(alert[0], alert[1]),
            Some((20, content)) => Content::ChangeCipherSpec(content),
            Some((23, data)) => Content::Data(data),
            _ => Content::Unreadable(record.to_vec()),
        };
        if let Content::ChangeCipherSpec(_) = content {
            self.change_keys(agreed);
        }
        pieces.push(Piece {
            from: self.from,
            epoch,
            content,
        });
    }

    fn open(&mut self, record: &[u8], agreed: &Agreed, log: &KeyLog) -> Option<(u8, Vec<u8>)> {
        if self.keys.as_ref().map(|(epoch, _)| *epoch) != Some(self.epoch) {
            self.keys = Some((self.epoch, agreed.keys(self.from, self.epoch, log)?));
        }
        self.keys.as_mut()?.1.open(record)
    }

    /// After a `change_cipher_spec`, which means something in TLS 1.2 only.
    fn change_keys(&mut self, agreed: &Agreed) {
        self.epoch = match self.epoch {
            Epoch::Plain if agreed.tls12.is_some() => Epoch::Tls12(1),
            Epoch::Tls12(changes) => Epoch::Tls12(changes + 1),
            unchanged => unchanged,
        };
    }

    fn join(
        &mut self,
        fragment: &[u8],
        epoch: Epoch,
        agreed: &mut Agreed,
        pieces: &mut Vec<Piece>,
    ) {
        self.unfinished.extend_from_slice(fragment);
        while let Some(message) = take_message(&mut self.unfinished) {
            self.follow(&message, agreed);
            pieces.push(Piece {
                from: self.from,
                epoch,
                content: Content::Handshake(message),
            });
        }
    }

    /// Changes keys where the sender does.
    fn follow(&mut self, message: &[u8], agreed: &mut Agreed) {
        match (message[0], self.epoch) {
            (1, _) => agreed.hear_client_hello(message),
            (2, Epoch::Plain | Epoch::Tls12(_)) if agreed.hear_server_hello(message) => {
                self.epoch = Epoch::Handshake;
            }
            (20, Epoch::Handshake) => self.epoch = Epoch::Application(0),
            (24, Epoch::Application(updates)) => self.epoch = Epoch::Application(updates + 1),
            _ => {}
        }
    }
}

fn take_record(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_be_bytes(buffer.get(3..5)?.try_into().ok()?));
    (buffer.len() >= 5 + length).then(|| buffer.drain(..5 + length).collect())
}

fn take_message(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = match *buffer.get(1..4)? {
        [high, middle, low] => u32::from_be_bytes([0, high, middle, low]),
        _ => return None,
    };
    let whole = 4 + usize::try_from(length).ok()?;
    (buffer.len() >= whole).then(|| buffer.drain(..whole).collect())
}
