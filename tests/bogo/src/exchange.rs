//! What the shim does on each connection, in order.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};

use countersign::{Alert, Answer, Connection, Credential, Question, Role};
use pki_types::ServerName;

use crate::configure;
use crate::conversation::{Conversation, End};
use crate::credential::{self, KeyUse};
use crate::expectations::{self, Handshake, Kept};
use crate::flags::Plan;
use crate::memory::Memory;
use crate::reason::Watch;
use crate::settings::{Settings, WriteSizes};
use crate::stop::{Stop, expect, unexpected};

/// What a client calls a server of which the runner says no name.
const SOME_SERVER: &str = "server.example";

/// Makes one connection after the other.
pub(crate) fn run(plan: &Plan) -> Result<(), Stop> {
    let memory = Memory::default();
    let mut has_session = false;
    for number in 0..=plan.initial.resume_count {
        let resumes = number > 0;
        let settings = if resumes {
            &plan.resumed
        } else {
            &plan.initial
        };
        if resumes && settings.role == Role::Client {
            expect(has_session, || "There is no session to offer".to_owned())?;
        }
        let mut exchange = connect(settings, &memory)?;
        let outcome = exchange.hold(settings, resumes);
        exchange.talk.drain();
        outcome?;
        has_session = memory.sessions.len() > exchange.before.tickets;
        memory.clock.put_forward(settings.resumption_delay);
    }
    Ok(())
}

/// A conversation with what has to be known about it at its end.
struct Exchange {
    talk: Conversation,
    key_use: KeyUse,
    watch: Watch,
    memory: Memory,
    before: Before,
}

/// What there was when the connection began.
struct Before {
    tickets: usize,
    stored: usize,
}

/// Connects to the runner and begins a conversation.
fn connect(settings: &Settings, memory: &Memory) -> Result<Exchange, Stop> {
    let key_use = KeyUse::default();
    let watch = Watch::default();
    let credentials = credential::load(settings, &key_use)?;
    let answer = answerer(settings, credentials.first().cloned(), key_use.clone());
    let mut output = Vec::new();
    let connection = match settings.role {
        Role::Client => {
            let config = configure::client(settings, credentials, memory, &watch)?;
            let name = settings.host_name.as_deref().unwrap_or(SOME_SERVER);
            let name = ServerName::try_from(name).map_err(|error| unexpected(error.to_string()))?;
            Connection::client(&config, name, &mut output)
                .map_err(|error| unexpected(error.to_string()))?
        }
        Role::Server => {
            Connection::server(&configure::server(settings, credentials, memory, &watch)?)
        }
    };
    let socket = call(settings).map_err(|error| unexpected(format!("Cannot connect: {error}")))?;
    let talk = Conversation::new(connection, output, socket, watch.clone(), answer);
    let talk = talk.refusing_renegotiation(settings.renegotiation);
    Ok(Exchange {
        talk,
        key_use,
        watch,
        memory: memory.clone(),
        before: Before {
            tickets: memory.sessions.len(),
            stored: memory.store.given(),
        },
    })
}

/// Connects to the runner and says which test this is.
fn call(settings: &Settings) -> std::io::Result<TcpStream> {
    let address: SocketAddr = if settings.ipv6 {
        (Ipv6Addr::LOCALHOST, settings.port).into()
    } else {
        (Ipv4Addr::LOCALHOST, settings.port).into()
    };
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.write_all(&settings.shim_id.to_le_bytes())?;
    Ok(socket)
}

/// Who answers what the connection asks.
fn answerer(
    settings: &Settings,
    credential: Option<Credential>,
    key_use: KeyUse,
) -> impl FnMut(Question) -> Result<Answer, Stop> + 'static {
    let settings = settings.clone();
    move |question| match question {
        Question::Peer(question) => {
            let whose = question.presented().whose;
            let verdict =
                configure::verdict(settings.verify_fails, settings.verify_callback, whose);
            Ok(question.answer(verdict))
        }
        Question::Credential(question) => {
            expectations::check_request(&settings, &question)?;
            Ok(question.answer(credential.clone()))
        }
        Question::Signature(question) => {
            let signature = key_use.sign_now(question.scheme(), question.message());
            Ok(question.answer(signature))
        }
        _ => Err(unexpected("An unknown question was asked")),
    }
}

impl Exchange {
    /// All that happens on the connection.
    fn hold(&mut self, settings: &Settings, resumes: bool) -> Result<(), Stop> {
        self.talk.handshake()?;
        let tickets_in_handshake = self.watch.tickets();
        expectations::check_handshake(
            settings,
            &Handshake {
                connection: self.talk.connection(),
                resumes,
                selected_credential: self.key_use.selected(),
                client_hello: self.watch.client_hello(),
            },
        )?;
        if settings.handshakes_again {
            expect(self.talk.has_nothing_to_do(), || {
                "The handshake is not complete".to_owned()
            })?;
        }
        self.export(settings)?;
        if settings.sends_alert {
            // decompression_failure: one that nobody else would send.
            return self.talk.abort(Alert::from(30));
        }
        self.write_first(settings)?;
        if !settings.shuts_down {
            self.echo(settings)?;
        }
        let kept = Kept {
            tickets_in_handshake,
            sessions: self.memory.sessions.len() > self.before.tickets,
            stored: self.memory.store.given() > self.before.stored,
        };
        expectations::check_kept(settings, self.talk.connection(), resumes, &kept)?;
        self.shut_down(settings)?;
        let renegotiations = self.talk.renegotiations();
        expectations::check_renegotiations(settings, renegotiations)
    }

    fn export(&mut self, settings: &Settings) -> Result<(), Stop> {
        let export = &settings.export;
        if export.length == 0 {
            return Ok(());
        }
        let mut material = vec![0; export.length];
        let context = Some(export.context.as_slice()).filter(|_| export.has_context);
        let connection = self.talk.connection();
        connection
            .export_keying_material(&export.label, context, &mut material)
            .map_err(|error| unexpected(error.to_string()))?;
        self.talk.write(&material)
    }

    fn write_first(&mut self, settings: &Settings) -> Result<(), Stop> {
        if settings.write_sizes == WriteSizes::AroundLimits {
            return self.write_around_limits();
        }
        if settings.write_is_left_unfinished {
            return self.talk.begin_write(&settings.initial_write);
        }
        if settings.writes_first {
            for _ in 0..settings.initial_writes {
                self.talk.write(&settings.initial_write)?;
            }
        }
        Ok(())
    }

    fn write_around_limits(&mut self) -> Result<(), Stop> {
        let sizes = [
            0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769,
        ];
        for size in sizes {
            self.talk.write(&vec![0x42; size])?;
        }
        Ok(())
    }

    /// Sends back what comes, with every bit turned.
    fn echo(&mut self, settings: &Settings) -> Result<(), Stop> {
        let mut unfinished = settings.write_is_left_unfinished;
        loop {
            if settings.updates_keys_before_read {
                self.update_keys()?;
            }
            let mut data = self.talk.read(settings.read_size)?;
            if settings.exports_between_reads {
                let connection = self.talk.connection();
                connection
                    .export_keying_material(b"", None, &mut [0])
                    .map_err(|_| unexpected("failed to export keying material"))?;
            }
            if data.is_empty() {
                return Ok(());
            }
            if core::mem::take(&mut unfinished) {
                self.talk.finish_write()?;
            }
            if settings.updates_keys_after_read {
                self.update_keys()?;
            }
            for byte in &mut data {
                *byte ^= 0xff;
            }
            self.talk.write(&data)?;
        }
    }

    fn update_keys(&mut self) -> Result<(), Stop> {
        self.talk
            .act(|connection, output| connection.update_keys(false, output))
    }

    /// Closes this side's direction and looks how the peer closed its own, if that is to be checked.
    fn shut_down(&mut self, settings: &Settings) -> Result<(), Stop> {
        if !settings.checks_close_notify {
            return Ok(());
        }
        self.talk.close()?;
        if settings.shuts_down {
            let data = self.talk.read(settings.read_size)?;
            expect(data.is_empty(), || {
                ":APPLICATION_DATA_ON_SHUTDOWN:".to_owned()
            })?;
        }
        expect(self.talk.end() == Some(End::Proper), || {
            "The peer did not close the connection properly".to_owned()
        })
    }
}
