//! The writing half of a connection: seals records straight into the caller's output.

use std::io::IoSlice;
use std::sync::Arc;

use crate::alert::Alert;
use crate::connection::trace::{Direction, Protection, Traced, Tracer};
use crate::error::{Misuse, Result};
use crate::handshake::script::Effect;
use crate::keys::installed::{Successors, TrafficKeys};
use crate::keys::schedule13::{Installed, TrafficSecret};
use crate::messages::{KeyUpdate, write_message};
use crate::record::{ContentType, Gather, Sealer};

/// What goes in front of an alert (RFC 9846 §6).
const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// The writing half.
#[derive(Debug)]
pub(crate) struct Outbound {
    sealer: Sealer,
    successors: Option<Successors>,
    /// The peer was asked for a KeyUpdate and has not sent one since.
    update_awaited: bool,
    /// The peer has asked for a KeyUpdate and has not got one since.
    update_owed: bool,
    closed: bool,
    /// The largest content of a record, in bytes.
    max_fragment: usize,
    tracer: Tracer,
}

impl Outbound {
    pub(crate) fn new(sealer: Sealer, max_fragment: usize, tracer: Tracer) -> Self {
        Self {
            sealer,
            successors: None,
            update_awaited: false,
            update_owed: false,
            closed: false,
            max_fragment,
            tracer,
        }
    }

    /// Under which keys the next record goes out.
    fn protection(&self) -> Protection {
        match (&self.sealer, &self.successors) {
            (Sealer::Plain { .. }, _) => Protection::Plain,
            (Sealer::Keyed(_), None) => Protection::Handshake,
            (Sealer::Tls12(_), _) | (Sealer::Keyed(_), Some(_)) => Protection::Application,
        }
    }

    fn trace_message(&self, message: &[u8]) {
        self.tracer
            .message(Direction::Sent, self.protection(), message);
    }

    /// Whether this side closed its direction.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Seals application data. Returns how many bytes.
    pub(crate) fn send_data(
        &mut self,
        plaintext: &[IoSlice<'_>],
        output: &mut Vec<u8>,
    ) -> Result<usize> {
        if self.closed {
            return Err(Misuse::AlreadyClosed.into());
        }
        let length = plaintext
            .iter()
            .map(|slice| slice.len())
            .fold(0, usize::saturating_add);
        if length == 0 {
            return Ok(0);
        }
        let mut plaintext = Gather::in_records_of(self.max_fragment, plaintext);
        while plaintext.remaining() > 0 {
            // RFC 9846 §4.7.3: a request MUST be answered with a KeyUpdate before the next data.
            if self.update_owed || self.sealer.should_update_keys() {
                self.update_keys(KeyUpdate::NotRequested, output)?;
            }
            self.sealer
                .seal_record(ContentType::ApplicationData, &mut plaintext, output)?;
        }
        self.tracer.record(Traced::Data {
            direction: Direction::Sent,
            length,
        });
        Ok(length)
    }

    /// Sends a KeyUpdate and changes keys (RFC 9846 §4.7.3).
    pub(crate) fn update_keys(
        &mut self,
        mut request: KeyUpdate,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        // RFC 9846 §4.7.3: until the peer's KeyUpdate comes, the sender MUST NOT send another that
        // requests one.
        if self.update_awaited {
            request = KeyUpdate::NotRequested;
        } else {
            self.update_awaited = request == KeyUpdate::Requested;
        }
        let mut message = Vec::new();
        write_message(&request, &mut message)?;
        self.sealer
            .seal(ContentType::Handshake, &[IoSlice::new(&message)], output)?;
        self.trace_message(&message);
        let next = Successors::next(self.successors.take())?;
        self.install(next);
        self.update_owed = false;
        Ok(())
    }

    /// Notes that the peer sent a KeyUpdate, asked or not.
    ///
    /// What it requests is done with the next data, once for however many requests: a peer cannot make
    /// this side write.
    pub(crate) fn note_peer_update(&mut self, request: KeyUpdate) {
        self.update_awaited = false;
        self.update_owed |= request == KeyUpdate::Requested;
    }

    /// Writes with these keys from here on.
    fn install(&mut self, keys: TrafficKeys) {
        (self.sealer, self.successors) = keys.into_sealer();
    }

    /// The secret of the keys that are installed, if they are those of application data.
    pub(crate) fn secret(&self) -> Option<Arc<TrafficSecret<Installed>>> {
        self.successors.as_ref().map(Successors::secret)
    }

    /// Ends this direction.
    pub(crate) fn close(&mut self, output: &mut Vec<u8>) {
        self.send_alert(WARNING, Alert::CloseNotify, output);
    }

    /// Ends this direction with an error.
    pub(crate) fn fail(&mut self, alert: Alert, output: &mut Vec<u8>) {
        self.send_alert(FATAL, alert, output);
    }

    /// Sends nothing more, not even an alert.
    pub(crate) fn stop(&mut self) {
        self.closed = true;
    }

    /// Nothing follows an alert, so it is sent once and closes this direction.
    fn send_alert(&mut self, level: u8, alert: Alert, output: &mut Vec<u8>) {
        if self.closed {
            return;
        }
        self.closed = true;
        let before = output.len();
        let content = [level, alert.code()];
        if self
            .sealer
            .seal(ContentType::Alert, &[IoSlice::new(&content)], output)
            .is_err()
        {
            // A key that may seal no more cannot seal an alert either.
            output.truncate(before);
            return;
        }
        self.tracer.record(Traced::Alert {
            direction: Direction::Sent,
            protection: self.protection(),
            alert,
        });
    }

    /// Puts the messages of a flight into records, and changes keys between them.
    ///
    /// Messages under the same keys share records.
    pub(crate) fn apply(
        &mut self,
        effect: Effect,
        flight: &mut Flight<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        match effect {
            Effect::Send { length } => {
                let message = flight.extend(length);
                // Nothing is sent any more after a close_notify.
                if !self.closed {
                    self.trace_message(message);
                }
            }
            Effect::SendChangeCipherSpec => {
                self.flush(flight, output)?;
                let protection = self.write_change_cipher_spec(output)?;
                self.tracer.record(Traced::ChangeCipherSpec {
                    direction: Direction::Sent,
                    protection,
                });
            }
            Effect::InstallWriteKeys(keys) => {
                self.flush(flight, output)?;
                self.install(keys);
            }
            Effect::Note(note) => self.tracer.record(note),
            Effect::InstallReadKeys(_)
            | Effect::SkipEarlyData
            | Effect::SettleVersion(_)
            | Effect::Identify(_) => {}
        }
        Ok(())
    }

    /// Writes what has gathered.
    pub(crate) fn flush(&mut self, flight: &mut Flight<'_>, output: &mut Vec<u8>) -> Result<()> {
        let gathered = flight.take();
        // RFC 9846 §6.1: nothing follows a close_notify, not even an answer that was on its way.
        if gathered.is_empty() || self.closed {
            return Ok(());
        }
        let gathered = [IoSlice::new(gathered)];
        let gathered = Gather::in_records_of(self.max_fragment, &gathered);
        self.sealer
            .seal_records(ContentType::Handshake, gathered, output)?;
        // RFC 9846 §5.1: only the first ClientHello may say TLS 1.0.
        if let Sealer::Plain { .. } = self.sealer {
            self.sealer = Sealer::plain();
        }
        Ok(())
    }

    /// In TLS 1.3 a `change_cipher_spec` is never encrypted (RFC 9846 §5). In TLS 1.2 it is a record as
    /// others: in a renegotiation it goes out under the keys of before. Says which it was.
    fn write_change_cipher_spec(&mut self, output: &mut Vec<u8>) -> Result<Protection> {
        let content = [IoSlice::new(&[1])];
        match &mut self.sealer {
            Sealer::Tls12(_) if self.closed => Ok(Protection::Application),
            Sealer::Tls12(_) => {
                let kind = ContentType::ChangeCipherSpec;
                self.sealer.seal(kind, &content, output)?;
                Ok(Protection::Application)
            }
            Sealer::Plain { .. } | Sealer::Keyed(_) => {
                Sealer::plain().seal(ContentType::ChangeCipherSpec, &content, output)?;
                Ok(Protection::Plain)
            }
        }
    }

    /// Seals whatever it is. Returns whether it was encrypted.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn forge(&mut self, content_type: u8, content: &[u8], output: &mut Vec<u8>) -> bool {
        use crate::record::ContentType;
        let Some(content_type) = ContentType::from_code(content_type) else {
            return false;
        };
        let sealed = self
            .sealer
            .seal(content_type, &[IoSlice::new(content)], output);
        sealed.is_ok() && !matches!(self.sealer, Sealer::Plain { .. })
    }

    /// Refuses to negotiate again, which ends nothing (RFC 5246 §7.2.2).
    pub(crate) fn refuse_renegotiation(&mut self, output: &mut Vec<u8>) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let alert = Alert::NoRenegotiation;
        let content = [WARNING, alert.code()];
        self.sealer
            .seal(ContentType::Alert, &[IoSlice::new(&content)], output)?;
        self.tracer.record(Traced::Alert {
            direction: Direction::Sent,
            protection: self.protection(),
            alert,
        });
        Ok(())
    }
}

/// The messages of a flight, gathered until the keys change.
pub(crate) struct Flight<'f> {
    rest: &'f [u8],
    gathered: usize,
}

impl<'f> Flight<'f> {
    pub(crate) fn new(messages: &'f [u8]) -> Self {
        Self {
            rest: messages,
            gathered: 0,
        }
    }

    /// Adds the next message and shows it.
    fn extend(&mut self, length: usize) -> &'f [u8] {
        let start = self.gathered;
        self.gathered = start.saturating_add(length);
        self.rest.get(start..self.gathered).unwrap_or_default()
    }

    fn take(&mut self) -> &'f [u8] {
        let (gathered, rest) = self
            .rest
            .split_at_checked(self.gathered)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.gathered = 0;
        gathered
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::{KeyUpdate, Outbound};
    use crate::connection::trace::Tracer;
    use crate::crypto::group::SharedSecret;
    use crate::crypto::suite::CipherSuite;
    use crate::keys::installed::TrafficKeys;
    use crate::keys::point::{At, ServerFinished};
    use crate::keys::schedule13::{EarlySecret, HandshakeSecret};
    use crate::record::Sealer;
    use crate::verify::mode::Role;

    /// A record of one byte of data: header, data, content type, tag.
    const DATA: usize = 5 + 1 + 1 + 16;
    /// A record of a KeyUpdate.
    const KEY_UPDATE: usize = 5 + 5 + 1 + 16;

    /// One whose first key may seal so many records.
    fn connected(limit: u64) -> Outbound {
        let suite = CipherSuite::Aes128GcmSha256;
        let secret = EarlySecret::without_psk(suite.hash())
            .into_handshake(&SharedSecret::from_slice(&[1; 32]))
            .and_then(HandshakeSecret::into_master)
            .unwrap();
        let at = At::<ServerFinished>::new(suite.hash().digest(b""));
        let secret = secret.client_traffic(&at).unwrap();
        let (key, iv) = secret.keys(suite).unwrap();
        let mut outbound = Outbound::new(Sealer::plain(), 1 << 14, Tracer::new(None, Role::Client));
        outbound.install(TrafficKeys::of_application(suite, secret).unwrap());
        outbound.sealer = Sealer::keyed(key, iv, limit);
        outbound
    }

    fn length_of_one_byte(outbound: &mut Outbound) -> usize {
        let mut output = Vec::new();
        outbound
            .send_data(&[IoSlice::new(b"x")], &mut output)
            .unwrap();
        output.len()
    }

    /// RFC 9846 §5.5: keys are updated before they have sealed as many records as is safe.
    #[test]
    fn keys_are_updated_before_their_limit() {
        // A limit that is reached at once: half of it is two records.
        let mut outbound = connected(4);
        let lengths = [(); 4].map(|()| length_of_one_byte(&mut outbound));
        assert_eq!(lengths, [DATA, DATA, KEY_UPDATE + DATA, DATA]);
    }

    /// However much is sent at once, in however many records.
    #[test]
    fn keys_are_updated_in_the_middle_of_data_too() {
        let mut outbound = connected(4);
        outbound.max_fragment = 512;
        let (data, mut output) = ([b'x'; 6 * 512], Vec::new());
        let sent = outbound.send_data(&[IoSlice::new(&data)], &mut output);
        assert_eq!(sent.ok(), Some(data.len()));
        let record = DATA - 1 + 512;
        assert_eq!(output.len(), 2 * record + KEY_UPDATE + 4 * record);
    }

    /// RFC 9846 §4.7.3: whoever asks for new keys often while nothing is sent gets them once.
    #[test]
    fn requests_for_new_keys_are_answered_together_with_the_next_data() {
        let mut outbound = connected(u64::MAX);
        outbound.note_peer_update(KeyUpdate::NotRequested);
        assert_eq!(length_of_one_byte(&mut outbound), DATA);
        outbound.note_peer_update(KeyUpdate::Requested);
        outbound.note_peer_update(KeyUpdate::Requested);
        outbound.note_peer_update(KeyUpdate::NotRequested);
        assert_eq!(length_of_one_byte(&mut outbound), KEY_UPDATE + DATA);
        assert_eq!(length_of_one_byte(&mut outbound), DATA);
    }
}
