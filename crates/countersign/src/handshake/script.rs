//! How a straight-line handshake is suspended and resumed. The only clever file.
//!
//! A handshake is an `async fn` that talks to a [`Wire`]. It can wait for just two things: what the peer
//! sends next (a handshake message, or a `change_cipher_spec`), and the answer to a question. Both are handed to it by
//! [`Script::resume`], which polls the function once, with a waker that does nothing,
//! because nobody but the caller ever wakes it. Everything that the function causes (messages to send,
//! keys to install) is left in order in the [`Exchange`] as [`Effect`]s, which the connection applies
//! when the script suspends. The script never sees a record.
//!
//! A function that waits for anything else would never be resumed; [`Script::resume`] turns
//! that into an internal error, since every permitted wait leaves a note of what it awaits.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connection::established::ProtocolVersion;
use crate::connection::settings::Settings;
use crate::connection::state::State;
use crate::connection::trace::Traced;
use crate::error::{Error, Result};
use crate::handshake::transcript::Transcript;
use crate::keys::installed::TrafficKeys;
use crate::keys::schedule13::{Installed, TrafficSecret};
use crate::messages::{Message, write_message};
use crate::session::store::SessionId;
use crate::verify::mode::VerifyMode;
use crate::verify::peer::Peer;
use crate::verify::policy::Request;
use crate::verify::question::{AnswerBody, Inquiry};

/// Something that a script causes, in order.
pub(crate) enum Effect {
    /// Send the next `length` bytes of the flight: one handshake message.
    Send { length: usize },
    /// Send a `change_cipher_spec`: in TLS 1.3 that of middlebox compatibility mode (RFC 9846 §E.4).
    SendChangeCipherSpec,
    /// Read with these keys from here on.
    InstallReadKeys(TrafficKeys),
    /// Write with these keys from here on.
    InstallWriteKeys(TrafficKeys),
    /// Pass over records that cannot be opened, up to a limit.
    SkipEarlyData,
    /// The version is settled, and with it what records and alerts mean.
    SettleVersion(ProtocolVersion),
    /// Who the peer has proved to be, should it end the handshake now.
    Identify(Peer),
    /// Tell whoever traces the connection.
    Note(Traced<'static>),
}

const NO_SECRET: Error = Error::Internal("there are no secrets for application data yet");

/// What a suspended script waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaiting {
    Message(State),
    Answer,
}

/// What script and connection exchange. Locked for moments only, never across an await.
pub(crate) struct Exchange {
    message: Option<Vec<u8>>,
    change_cipher_spec: Option<ChangeCipherSpec>,
    answer: Option<AnswerBody>,
    inquiry: Option<Inquiry>,
    awaiting: Option<Awaiting>,
    pub(crate) flight: Vec<u8>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) settings: Settings,
    requests_sent: u32,
    tickets_sent: u32,
    /// Under which names the server's store keeps what the client may come back with.
    stored: Vec<SessionId>,
    /// The secrets of application data, for a Finished after the handshake.
    pub(crate) read_secret: Option<Arc<TrafficSecret<Installed>>>,
    pub(crate) write_secret: Option<Arc<TrafficSecret<Installed>>>,
}

/// TLS 1.2: the peer's next record is under its new keys.
struct ChangeCipherSpec;

/// About what a flight with two certificates takes, so that it is allocated once.
const USUAL_FLIGHT: usize = 1536;

/// The script's view of the connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Mutex<Exchange>>);

impl Wire {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(Exchange {
            message: None,
            change_cipher_spec: None,
            answer: None,
            inquiry: None,
            awaiting: None,
            flight: Vec::new(),
            effects: Vec::new(),
            settings,
            requests_sent: 0,
            tickets_sent: 0,
            stored: Vec::new(),
            read_secret: None,
            write_secret: None,
        })))
    }

    /// A panic cannot happen while the lock is held; if it did, the data would still be whole.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings of this moment.
    pub(crate) fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Decides by the mode and by how often this connection asked before whether the
    /// client is asked for a certificate, and counts it.
    pub(crate) fn decide_certificate_request(
        &self,
        decide: impl FnOnce(VerifyMode, u32) -> Request,
    ) -> Request {
        let mut exchange = self.lock();
        let request = decide(exchange.settings.mode, exchange.requests_sent);
        if request == Request::Send {
            exchange.requests_sent = exchange.requests_sent.saturating_add(1);
        }
        request
    }

    /// What [`decide_certificate_request`](Self::decide_certificate_request) would decide now.
    pub(crate) fn foresee_certificate_request(
        &self,
        decide: impl FnOnce(VerifyMode, u32) -> Request,
    ) -> Request {
        let exchange = self.lock();
        decide(exchange.settings.mode, exchange.requests_sent)
    }

    /// Waits for the next handshake message, whole and with its four-byte header.
    pub(crate) async fn receive(&self, state: State) -> Vec<u8> {
        Receive { wire: self, state }.await
    }

    /// Waits for the `change_cipher_spec` of TLS 1.2, which is no handshake message.
    pub(crate) async fn receive_change_cipher_spec(&self) {
        ReceiveChangeCipherSpec { wire: self }.await;
    }

    /// Asks the owner of the connection and waits for the answer.
    pub(crate) async fn ask(&self, inquiry: Inquiry) -> AnswerBody {
        self.lock().inquiry = Some(inquiry);
        Ask { wire: self }.await
    }

    /// Sends a message and adds it to the transcript.
    pub(crate) fn send<'m>(
        &self,
        transcript: &mut Transcript,
        message: &impl Message<'m>,
    ) -> Result<()> {
        let mut exchange = self.lock();
        let start = exchange.flight.len();
        if start == 0 {
            exchange.flight.reserve(USUAL_FLIGHT);
        }
        write_message(message, &mut exchange.flight)?;
        let encoded = exchange.flight.get(start..).unwrap_or_default();
        transcript.add(encoded);
        let length = encoded.len();
        exchange.effects.push(Effect::Send { length });
        Ok(())
    }

    /// Sends bytes that are a whole message already, and in the transcript if they have to be.
    pub(crate) fn send_whole(&self, message: &[u8]) {
        let mut exchange = self.lock();
        exchange.flight.extend_from_slice(message);
        exchange.effects.push(Effect::Send {
            length: message.len(),
        });
    }

    /// Sends a message that is in no transcript.
    pub(crate) fn send_untracked<'m>(&self, message: &impl Message<'m>) -> Result<()> {
        let mut encoded = Vec::new();
        write_message(message, &mut encoded)?;
        self.send_whole(&encoded);
        Ok(())
    }

    /// The number of the next ticket of this connection.
    pub(crate) fn count_ticket(&self) -> u32 {
        let mut exchange = self.lock();
        let number = exchange.tickets_sent;
        exchange.tickets_sent = number.saturating_add(1);
        number
    }

    /// Notes that the server's store keeps a session of this connection.
    pub(crate) fn note_stored(&self, name: &[u8]) {
        self.lock().stored.push(SessionId::from_ticket(name));
    }

    /// The sessions of this connection in the server's store, which have no other owner from here on.
    pub(crate) fn take_stored(&self) -> Vec<SessionId> {
        core::mem::take(&mut self.lock().stored)
    }

    /// The secret that the peer's next record is under.
    pub(crate) fn read_secret(&self) -> Result<Arc<TrafficSecret<Installed>>> {
        self.lock().read_secret.clone().ok_or(NO_SECRET)
    }

    /// The secret that our next record is under.
    pub(crate) fn write_secret(&self) -> Result<Arc<TrafficSecret<Installed>>> {
        self.lock().write_secret.clone().ok_or(NO_SECRET)
    }

    /// Passes over records that cannot be opened: early data that was declined.
    pub(crate) fn skip_early_data(&self) {
        self.lock().effects.push(Effect::SkipEarlyData);
    }

    /// Settles the version, before anything is sent in it.
    pub(crate) fn settle_version(&self, version: ProtocolVersion) {
        self.lock().effects.push(Effect::SettleVersion(version));
    }

    /// Says who the peer has proved to be, should it end the handshake before it is complete.
    pub(crate) fn identify(&self, peer: Peer) {
        self.lock().effects.push(Effect::Identify(peer));
    }

    /// Tells whoever traces the connection, in order with what is sent.
    pub(crate) fn note(&self, what: Traced<'static>) {
        self.lock().effects.push(Effect::Note(what));
    }

    pub(crate) fn send_change_cipher_spec(&self) {
        self.lock().effects.push(Effect::SendChangeCipherSpec);
    }

    pub(crate) fn install_read_keys(&self, keys: TrafficKeys) {
        self.lock().effects.push(Effect::InstallReadKeys(keys));
    }

    pub(crate) fn install_write_keys(&self, keys: TrafficKeys) {
        self.lock().effects.push(Effect::InstallWriteKeys(keys));
    }
}

/// Waits for a message.
struct Receive<'w> {
    wire: &'w Wire,
    state: State,
}

impl Future for Receive<'_> {
    type Output = Vec<u8>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Vec<u8>> {
        let mut exchange = self.wire.lock();
        if let Some(message) = exchange.message.take() {
            Poll::Ready(message)
        } else {
            exchange.awaiting = Some(Awaiting::Message(self.state));
            Poll::Pending
        }
    }
}

/// Waits for a `change_cipher_spec`.
struct ReceiveChangeCipherSpec<'w> {
    wire: &'w Wire,
}

impl Future for ReceiveChangeCipherSpec<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let mut exchange = self.wire.lock();
        if exchange.change_cipher_spec.take().is_some() {
            return Poll::Ready(());
        }
        exchange.awaiting = Some(Awaiting::Message(State::AwaitingChangeCipherSpec));
        Poll::Pending
    }
}

/// Waits for an answer.
struct Ask<'w> {
    wire: &'w Wire,
}

impl Future for Ask<'_> {
    type Output = AnswerBody;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<AnswerBody> {
        let mut exchange = self.wire.lock();
        if let Some(answer) = exchange.answer.take() {
            Poll::Ready(answer)
        } else {
            exchange.awaiting = Some(Awaiting::Answer);
            Poll::Pending
        }
    }
}

/// How far a script got.
pub(crate) enum Progress<T> {
    /// It waits for the next handshake message.
    NeedsMessage(State),
    /// It asks something and waits for the answer.
    Asks(Inquiry),
    /// It is finished.
    Done(T),
}

type Handshake<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// A handshake in flight. It is boxed, and dropped when done: an idle connection holds none.
pub(crate) struct Script<T> {
    /// In a mutex only to be `Sync`; always reached through `get_mut`.
    handshake: Mutex<Handshake<T>>,
    wire: Wire,
}

impl<T> Script<T> {
    /// A script that runs `handshake`, and makes of its outcome what `finish` says.
    pub(crate) fn new<H: 'static>(
        wire: Wire,
        handshake: impl Future<Output = Result<H>> + Send + 'static,
        finish: fn(H) -> T,
    ) -> Self
    where
        T: 'static,
    {
        let handshake = async move { handshake.await.map(finish) };
        Self {
            handshake: Mutex::new(Box::pin(handshake)),
            wire,
        }
    }

    /// Hands over a message and goes on.
    pub(crate) fn resume_with_message(&mut self, message: Vec<u8>) -> Result<Progress<T>> {
        self.wire.lock().message = Some(message);
        self.resume()
    }

    /// Hands over a `change_cipher_spec` and goes on.
    pub(crate) fn resume_with_change_cipher_spec(&mut self) -> Result<Progress<T>> {
        self.wire.lock().change_cipher_spec = Some(ChangeCipherSpec);
        self.resume()
    }

    /// Hands over an answer and goes on.
    pub(crate) fn resume_with_answer(&mut self, answer: AnswerBody) -> Result<Progress<T>> {
        self.wire.lock().answer = Some(answer);
        self.resume()
    }

    /// Runs the handshake until it needs something.
    pub(crate) fn resume(&mut self) -> Result<Progress<T>> {
        self.wire.lock().awaiting = None;
        let handshake = self
            .handshake
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let mut context = Context::from_waker(Waker::noop());
        match handshake.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => outcome.map(Progress::Done),
            Poll::Pending => {
                let mut exchange = self.wire.lock();
                match (exchange.awaiting, exchange.inquiry.take()) {
                    (Some(Awaiting::Message(state)), None) => Ok(Progress::NeedsMessage(state)),
                    (Some(Awaiting::Answer), Some(inquiry)) => Ok(Progress::Asks(inquiry)),
                    _ => Err(Error::Internal(
                        "a handshake waits for something that nobody will bring",
                    )),
                }
            }
        }
    }
}

impl<T> fmt::Debug for Script<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({:?})", self.wire.lock().awaiting)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[cfg(test)]
mod tests {
    use core::future::{pending, ready};

    use super::{Progress, Script, Wire};
    use crate::connection::settings::Settings;
    use crate::connection::state::State;
    use crate::error::Error;
    use crate::verify::mode::VerifyMode;

    fn wire() -> Wire {
        Wire::new(Settings {
            mode: VerifyMode::NONE,
            depth: None,
            callback: None,
        })
    }

    #[test]
    fn a_script_runs_from_message_to_message() {
        let wire = wire();
        let adding = {
            let wire = wire.clone();
            async move {
                let first = wire.receive(State::AwaitingClientHello).await;
                let second = wire.receive(State::AwaitingFinished).await;
                Ok(first.len() + second.len())
            }
        };
        let mut script = Script::new(wire, adding, |sum| sum);
        let waits =
            |progress, state| matches!(progress, Ok(Progress::NeedsMessage(at)) if at == state);
        assert!(waits(script.resume(), State::AwaitingClientHello));
        // Resuming without a message changes nothing.
        assert!(waits(script.resume(), State::AwaitingClientHello));
        assert!(waits(
            script.resume_with_message(vec![1, 2]),
            State::AwaitingFinished
        ));
        assert!(matches!(
            script.resume_with_message(vec![3]),
            Ok(Progress::Done(3))
        ));
    }

    #[test]
    fn waiting_for_anything_else_is_an_error_and_no_silence() {
        let mut script: Script<()> = Script::new(wire(), pending(), |()| ());
        assert!(matches!(script.resume(), Err(Error::Internal(_))));
        let mut script = Script::new(wire(), ready(Ok(())), |()| ());
        assert!(matches!(script.resume(), Ok(Progress::Done(()))));
    }
}
