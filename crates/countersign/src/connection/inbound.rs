//! The reading half of a connection: opens records, joins handshake messages, and counts
//! what a peer could send forever without getting anywhere.

use core::ops::Range;
use std::sync::Arc;

use crate::alert::Alert;
use crate::config::Config;
use crate::config::limits::Limits;
use crate::connection::established::ProtocolVersion;
use crate::connection::state::State;
use crate::connection::trace::{Direction, Protection as Keys, Traced, Tracer};
use crate::error::{Error, Result};
use crate::keys::installed::{Successors, TrafficKeys};
use crate::keys::schedule13::{Installed, TrafficSecret};
use crate::messages::MessageType;
use crate::record::{
    ContentType, HEADER_LEN, Header, Joiner, MessageLimits, Opener, Protection, parse_header,
};
use crate::verify::mode::Role;
use crate::violation::Violation;

/// How many `change_cipher_spec` records a whole handshake may hold. Two are usual.
const CHANGE_CIPHER_SPEC_LIMIT: u32 = 8;

/// How many bytes of declined early data are passed over: what servers usually accept.
const EARLY_DATA_SKIPPED: usize = 16 * 1024;

/// What one record brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// There is no whole record yet.
    Incomplete,
    /// Nothing that matters.
    Nothing,
    /// Handshake bytes, which the joiner has now.
    Handshake,
    /// Application data, where it lies in the input.
    Data(Range<usize>),
    /// The peer of TLS 1.2 changes to its new keys.
    ChangeCipherSpec,
    /// The peer of TLS 1.2 refuses to negotiate again: a warning.
    NoRenegotiation,
    /// The peer closed its direction.
    Closed,
}

/// What goes in front of an alert of TLS 1.2 (RFC 5246 §7.2).
const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// The reading half.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Who sends.
    peer: Role,
    /// `None` until it is settled.
    version: Option<ProtocolVersion>,
    opener: Opener,
    successors: Option<Successors>,
    joiner: Joiner,
    limits: Limits,
    /// Handshake bytes of the handshake in flight.
    handshake_bytes: usize,
    /// How much early data is still passed over.
    early_data_left: usize,
    change_cipher_specs: u32,
    warnings: u32,
    empty_records: u32,
    key_updates: u32,
    messages_after_handshake: u32,
    closed: bool,
    tracer: Tracer,
}

impl Inbound {
    pub(crate) fn new(peer: Role, config: &Config, tracer: Tracer) -> Self {
        let limits = &config.limits;
        let size = limits.message_size;
        Self {
            peer,
            version: config.only_version(),
            opener: Opener::Plain,
            successors: None,
            joiner: Joiner::new(MessageLimits {
                certificate: size,
                other: size.min(MessageLimits::default().other),
            }),
            limits: limits.clone(),
            handshake_bytes: 0,
            early_data_left: 0,
            change_cipher_specs: 0,
            warnings: 0,
            empty_records: 0,
            key_updates: 0,
            messages_after_handshake: 0,
            closed: false,
            tracer,
        }
    }

    /// Whether the peer closed its direction.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Notes the version, which says what records and alerts mean.
    pub(crate) fn settle_version(&mut self, version: ProtocolVersion) -> Result<()> {
        // In TLS 1.2 a change_cipher_spec means something, and none was due so far.
        if version == ProtocolVersion::Tls12 && self.change_cipher_specs > 0 {
            return Err(Violation::UnexpectedChangeCipherSpec.into());
        }
        self.version = Some(version);
        Ok(())
    }

    /// Whether the version is TLS 1.2, or not settled yet.
    pub(crate) fn may_be_tls12(&self) -> bool {
        self.version != Some(ProtocolVersion::Tls13)
    }

    fn is_tls12(&self) -> bool {
        self.version == Some(ProtocolVersion::Tls12)
    }

    /// Takes the next handshake message that is whole.
    pub(crate) fn next_message(&mut self) -> Result<Option<Vec<u8>>> {
        let message = self.joiner.next()?;
        if let Some(message) = &message {
            self.tracer
                .message(Direction::Received, self.keys(), message);
        }
        Ok(message)
    }

    /// Under which keys the peer's records come.
    fn keys(&self) -> Keys {
        match (self.opener.protection(), &self.successors) {
            (Protection::Plain, _) => Keys::Plain,
            // TLS 1.2 has no others.
            (Protection::Encrypted, _) if self.is_tls12() => Keys::Application,
            (Protection::Encrypted, None) => Keys::Handshake,
            (Protection::Encrypted, Some(_)) => Keys::Application,
        }
    }

    /// Opens the record at the start of `input`, in place, and returns its length and what it brought.
    pub(crate) fn open(&mut self, input: &mut [u8], state: State) -> Result<(usize, Arrival)> {
        let Some(header) = parse_header(input, self.opener.protection())? else {
            return Ok((0, Arrival::Incomplete));
        };
        let Some(body) = input.get_mut(HEADER_LEN..header.record_len()) else {
            return Ok((0, Arrival::Incomplete));
        };
        let opened = match self.opener.open(header, body) {
            Err(error) if self.skips(&error, header) => {
                return Ok((header.record_len(), Arrival::Nothing));
            }
            opened => opened?,
        };
        if opened.protection == Protection::Encrypted {
            self.early_data_left = 0;
        } else if self.joiner.is_empty() && self.skips_plain(opened.content_type, header) {
            return Ok((header.record_len(), Arrival::Nothing));
        }
        if !self.joiner.is_empty() && !self.may_interrupt(opened.content_type, state) {
            return Err(Violation::InterleavedRecords.into());
        }
        let content = body.get(opened.range.clone()).unwrap_or_default();
        self.trace(opened.content_type, opened.protection, content);
        let arrival = match opened.content_type {
            ContentType::Handshake => self.take_handshake(content, state)?,
            ContentType::ApplicationData => self.take_data(opened.range, state)?,
            ContentType::Alert => self.take_alert(content, state)?,
            ContentType::ChangeCipherSpec => {
                self.take_change_cipher_spec(content, opened.protection, state)?
            }
        };
        Ok((header.record_len(), arrival))
    }

    /// Whether such a record may come between the fragments of a handshake message.
    ///
    /// RFC 9846 §5.1: they MUST NOT be interleaved with other record types. An alert may come if it is the last that
    /// does: [`Self::take_alert`] knows. RFC 5246 §6.2.1: in TLS 1.2 application data MUST be taken in any handshake but the
    /// first. It begins with its ClientHello.
    fn may_interrupt(&self, content_type: ContentType, state: State) -> bool {
        match content_type {
            ContentType::Handshake | ContentType::Alert => true,
            ContentType::ChangeCipherSpec => false,
            ContentType::ApplicationData => {
                let begins = self.joiner.kind() == Some(MessageType::ClientHello);
                let renegotiates = begins || !state.takes_data();
                self.is_tls12() && renegotiates && self.takes_data(state)
            }
        }
    }

    /// Tells of what is no handshake message: those are told of when they are whole.
    fn trace(&self, content_type: ContentType, protection: Protection, content: &[u8]) {
        let direction = Direction::Received;
        let protection = match protection {
            Protection::Plain => Keys::Plain,
            Protection::Encrypted => self.keys(),
        };
        match (content_type, content) {
            (ContentType::Alert, [_, code]) => self.tracer.record(Traced::Alert {
                direction,
                protection,
                alert: Alert::from(*code),
            }),
            (ContentType::ChangeCipherSpec, _) => {
                self.tracer.record(Traced::ChangeCipherSpec {
                    direction,
                    protection,
                });
            }
            (ContentType::ApplicationData, _) => self.tracer.record(Traced::Data {
                direction,
                length: content.len(),
            }),
            (ContentType::Alert | ContentType::Handshake, _) => {}
        }
    }

    fn take_handshake(&mut self, content: &[u8], state: State) -> Result<Arrival> {
        if !state.takes_data() {
            self.handshake_bytes = self.handshake_bytes.saturating_add(content.len());
            if self.handshake_bytes > self.limits.handshake_size {
                return Err(Violation::HandshakeTooLong.into());
            }
        }
        self.warnings = 0;
        self.joiner.push(content)?;
        Ok(Arrival::Handshake)
    }

    fn take_data(&mut self, range: Range<usize>, state: State) -> Result<Arrival> {
        if !self.takes_data(state) {
            return Err(Violation::EarlyApplicationData.into());
        }
        if range.is_empty() {
            // RFC 9846 §5.1: empty fragments of application data MAY be sent, against traffic analysis.
            self.empty_records = self.empty_records.saturating_add(1);
            if self.empty_records > self.limits.empty_records {
                return Err(Violation::TooManyEmptyRecords.into());
            }
            return Ok(Arrival::Nothing);
        }
        self.warnings = 0;
        self.empty_records = 0;
        self.key_updates = 0;
        self.messages_after_handshake = 0;
        Ok(Arrival::Data(
            range.start.saturating_add(HEADER_LEN)..range.end.saturating_add(HEADER_LEN),
        ))
    }

    /// Whether application data may come in: both ends hold the keys for it only when the handshake is complete. In a
    /// renegotiation of TLS 1.2 the keys of before are good until the peer changes to new ones, which are good
    /// with its Finished.
    fn takes_data(&self, state: State) -> bool {
        let renegotiates = self.is_tls12()
            && self.opener.protection() == Protection::Encrypted
            && state != State::AwaitingFinished;
        state.takes_data() || renegotiates
    }

    fn take_alert(&mut self, content: &[u8], state: State) -> Result<Arrival> {
        let [level, code] = content else {
            return Err(Violation::MalformedAlert.into());
        };
        if self.may_be_tls12() {
            match (*level, Alert::from(*code)) {
                (WARNING | FATAL, Alert::CloseNotify | Alert::UserCanceled) | (FATAL, _) => {}
                (WARNING, alert) => return self.take_warning(alert),
                _ => return Err(Violation::BadAlertLevel.into()),
            }
        }
        match Alert::from(*code) {
            Alert::CloseNotify => {
                self.closed = true;
                Ok(Arrival::Closed)
            }
            // RFC 9846 §6: the level can be ignored; user_canceled alone is not an error.
            Alert::UserCanceled if !self.joiner.is_empty() => {
                Err(Violation::InterleavedRecords.into())
            }
            Alert::UserCanceled => {
                self.count_warning()?;
                Ok(Arrival::Nothing)
            }
            alert => Err(Error::AlertReceived {
                alert,
                during: state,
            }),
        }
    }

    /// RFC 5246 §7.2.2: after a warning the connection can go on.
    fn take_warning(&mut self, alert: Alert) -> Result<Arrival> {
        if !self.joiner.is_empty() {
            return Err(Violation::InterleavedRecords.into());
        }
        self.count_warning()?;
        Ok(match alert {
            Alert::NoRenegotiation if self.is_tls12() => Arrival::NoRenegotiation,
            _ => Arrival::Nothing,
        })
    }

    fn count_warning(&mut self) -> Result<()> {
        self.warnings = self.warnings.saturating_add(1);
        if self.warnings > self.limits.warnings {
            return Err(Violation::TooManyWarnings.into());
        }
        Ok(())
    }

    /// In TLS 1.2 a `change_cipher_spec` comes when it is due.
    ///
    /// In TLS 1.3 (RFC 9846 §5) one of the single byte 1, between the first ClientHello and the
    /// peer's Finished, is dropped; anything else MUST be answered with `unexpected_message`.
    fn take_change_cipher_spec(
        &mut self,
        content: &[u8],
        protection: Protection,
        state: State,
    ) -> Result<Arrival> {
        if content != [1] {
            return Err(Violation::MalformedChangeCipherSpec.into());
        }
        if self.is_tls12() {
            if state != State::AwaitingChangeCipherSpec {
                return Err(Violation::UnexpectedChangeCipherSpec.into());
            }
            // RFC 5246 §7.1: what was begun under the old keys does not end under the new ones.
            self.check_record_boundary()?;
            return Ok(Arrival::ChangeCipherSpec);
        }
        // The keys of application data are the first that have successors.
        let too_early_or_late = state == State::AwaitingClientHello || self.successors.is_some();
        if protection == Protection::Encrypted || too_early_or_late {
            return Err(Violation::UnexpectedChangeCipherSpec.into());
        }
        self.change_cipher_specs = self.change_cipher_specs.saturating_add(1);
        if self.change_cipher_specs > CHANGE_CIPHER_SPEC_LIMIT {
            return Err(Violation::TooManyChangeCipherSpecs.into());
        }
        Ok(Arrival::Nothing)
    }

    /// Passes over early data from here on, up to a limit (RFC 9846 §4.3.10).
    pub(crate) fn skip_early_data(&mut self) {
        self.early_data_left = EARLY_DATA_SKIPPED;
    }

    /// Whether a record that cannot be opened is taken for early data.
    fn skips(&mut self, error: &Error, header: Header) -> bool {
        let unreadable = matches!(
            error,
            Error::PeerViolated {
                violation: Violation::BadRecordMac,
                ..
            }
        );
        unreadable && self.spend_early_data(header)
    }

    /// Whether an application data record before the keys, between two ClientHellos, is
    /// taken for early data.
    fn skips_plain(&mut self, content_type: ContentType, header: Header) -> bool {
        content_type == ContentType::ApplicationData && self.spend_early_data(header)
    }

    fn spend_early_data(&mut self, header: Header) -> bool {
        match self.early_data_left.checked_sub(header.body_len()) {
            Some(left) => {
                self.early_data_left = left;
                header.body_len() > 0
            }
            None => false,
        }
    }

    /// A handshake or an authentication is complete: the next one has all its bytes again.
    pub(crate) fn complete(&mut self) {
        self.handshake_bytes = 0;
        self.early_data_left = 0;
    }

    /// The secret of the keys that are installed, if they are those of application data.
    pub(crate) fn secret(&self) -> Option<Arc<TrafficSecret<Installed>>> {
        self.successors.as_ref().map(Successors::secret)
    }

    /// Counts a message after the handshake other than a KeyUpdate.
    pub(crate) fn count_message_after_handshake(&mut self) -> Result<()> {
        self.messages_after_handshake = self.messages_after_handshake.saturating_add(1);
        if self.messages_after_handshake > self.limits.messages_after_handshake {
            return Err(Violation::TooManyMessages.into());
        }
        Ok(())
    }

    /// Demands that the last message ended with its record.
    pub(crate) fn check_record_boundary(&self) -> Result<()> {
        // RFC 9846 §5.1: handshake messages MUST NOT span key changes, and a message that may
        // precede one MUST end with its record.
        if !self.joiner.is_empty() {
            return Err(Violation::MessageAcrossKeyChange.into());
        }
        Ok(())
    }

    /// Reads with these keys from here on.
    pub(crate) fn install(&mut self, keys: TrafficKeys) -> Result<()> {
        self.check_record_boundary()?;
        (self.opener, self.successors) = keys.into_opener(self.peer);
        Ok(())
    }

    /// Reads with the next keys from here on: the peer sent a KeyUpdate.
    pub(crate) fn update_keys(&mut self) -> Result<()> {
        self.key_updates = self.key_updates.saturating_add(1);
        if self.key_updates > self.limits.key_updates {
            return Err(Violation::TooManyKeyUpdates.into());
        }
        let keys = Successors::next(self.successors.take())?;
        self.install(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, EARLY_DATA_SKIPPED, Inbound};
    use crate::config::ClientConfig;
    use crate::connection::established::ProtocolVersion;
    use crate::connection::state::State;
    use crate::connection::trace::Tracer;
    use crate::crypto::group::SharedSecret;
    use crate::crypto::suite::CipherSuite;
    use crate::error::Error;
    use crate::keys::installed::TrafficKeys;
    use crate::keys::point::{At, ServerHello};
    use crate::keys::schedule13::EarlySecret;
    use crate::verify::mode::{Role, VerifyMode};
    use crate::violation::Violation;

    fn violation(error: Option<Error>) -> Option<Violation> {
        match error? {
            Error::PeerViolated { violation, .. } => Some(violation),
            _ => None,
        }
    }

    /// A record of application data that nobody can open.
    fn unreadable(length: usize) -> Vec<u8> {
        let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
        [&[23, 3, 3, high, low][..], &vec![7; length]].concat()
    }

    /// A server's.
    fn inbound() -> Inbound {
        let config = ClientConfig::builder()
            .verify(VerifyMode::NONE)
            .versions([ProtocolVersion::Tls13])
            .build()
            .unwrap();
        Inbound::new(Role::Client, &config.0, Tracer::new(None, Role::Server))
    }

    fn handshake_keys() -> TrafficKeys {
        let suite = CipherSuite::Aes128GcmSha256;
        let shared = SharedSecret::from_slice(&[1; 32]);
        let early = EarlySecret::without_psk(suite.hash());
        let secret = early.into_handshake(&shared).unwrap();
        let at = At::<ServerHello>::new(suite.hash().digest(b""));
        TrafficKeys::of_handshake(suite, &secret.client_traffic(&at).unwrap()).unwrap()
    }

    /// RFC 9846 §4.3.10: a server that declines early data passes over it, up to a limit.
    #[test]
    fn declined_early_data_is_passed_over_up_to_a_limit() {
        for keyed in [false, true] {
            let mut inbound = inbound();
            inbound.skip_early_data();
            if keyed {
                inbound.install(handshake_keys()).unwrap();
            }
            let state = State::AwaitingFinished;
            let record = unreadable(1024);
            for _ in 0..EARLY_DATA_SKIPPED / 1024 {
                let opened = inbound.open(&mut record.clone(), state).unwrap();
                assert_eq!(opened, (record.len(), Arrival::Nothing));
            }
            let too_much = inbound.open(&mut record.clone(), state).err();
            let blamed = if keyed {
                Violation::BadRecordMac
            } else {
                Violation::EarlyApplicationData
            };
            assert_eq!(violation(too_much), Some(blamed));
        }
    }

    /// RFC 9846 §5.1: not even declined early data may come within a handshake message.
    #[test]
    fn nothing_is_passed_over_within_a_message() {
        let mut inbound = inbound();
        inbound.skip_early_data();
        let state = State::AwaitingSecondClientHello;
        let mut half = vec![22, 3, 3, 0, 5, 1, 0, 0, 2, 3];
        inbound.open(&mut half, state).unwrap();
        let refused = inbound.open(&mut unreadable(64), state);
        assert_eq!(
            violation(refused.err()),
            Some(Violation::InterleavedRecords)
        );
    }

    #[test]
    fn nothing_is_passed_over_unless_early_data_was_declined() {
        let mut inbound = inbound();
        inbound.install(handshake_keys()).unwrap();
        let refused = inbound.open(&mut unreadable(64), State::AwaitingFinished);
        assert_eq!(violation(refused.err()), Some(Violation::BadRecordMac));
    }
}
