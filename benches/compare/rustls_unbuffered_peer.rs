//! rustls with its unbuffered interface, where the caller owns the buffers.

use std::hint::black_box;
use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{ClientConfig, HandshakeKind, ServerConfig};

use crate::certificates::Certificates;
use crate::library::{Authentication, Case, FLIGHT, Kind, Library, SERVER_NAME, Transfer};
use crate::measuring::{Operation, Outcome, ensure};
use crate::rustls_peer::{configure, expected};

pub(crate) struct RustlsUnbuffered {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    authentication: Authentication,
    kind: Kind,
}

/// What is alike in a client and a server.
trait Unbuffered {
    type Data;
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Unbuffered for UnbufferedClientConnection {
    type Data = ClientConnectionData;
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(input)
    }
}

impl Unbuffered for UnbufferedServerConnection {
    type Data = ServerConnectionData;
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(input)
    }
}

impl RustlsUnbuffered {
    pub(crate) fn new(certificates: &Certificates, case: &Case) -> Outcome<Self> {
        let (client, server) = configure(certificates, case)?;
        let made = Self {
            client,
            server,
            authentication: case.authentication,
            kind: case.kind,
        };
        if case.kind == Kind::Resumed {
            made.connect(HandshakeKind::Full)?;
        }
        Ok(made)
    }

    fn connect(
        &self,
        kind: HandshakeKind,
    ) -> Outcome<(UnbufferedClientConnection, UnbufferedServerConnection)> {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        let mut client =
            UnbufferedClientConnection::new(Arc::clone(&self.client), SERVER_NAME.try_into()?)?;
        let mut server = UnbufferedServerConnection::new(Arc::clone(&self.server))?;
        let (mut client_done, mut server_done) = (false, false);
        while !(client_done && server_done && to_server.is_empty() && to_client.is_empty()) {
            client_done = drive(&mut client, &mut to_client, &mut to_server)?;
            server_done = drive(&mut server, &mut to_server, &mut to_client)?;
        }
        ensure(
            client.peer_certificates().is_some(),
            "the server is not verified",
        )?;
        ensure(
            server.peer_certificates().is_some() == (self.authentication == Authentication::Mutual),
            "the client's authentication is not as wanted",
        )?;
        ensure(
            client.handshake_kind() == Some(kind),
            "the handshake is not of the kind wanted",
        )?;
        Ok((client, server))
    }
}

/// Goes on until there is nothing more to do, and says whether the handshake is complete.
fn drive(
    connection: &mut impl Unbuffered,
    input: &mut Vec<u8>,
    output: &mut Vec<u8>,
) -> Outcome<bool> {
    let mut position = 0;
    loop {
        let UnbufferedStatus { discard, state, .. } = connection.process(&mut input[position..]);
        position += discard;
        let done = match state? {
            ConnectionState::EncodeTlsData(mut encode) => {
                // Asking for the size first is the way that is documented.
                let Err(EncodeError::InsufficientSize(needed)) = encode.encode(&mut []) else {
                    return Err("a message without a size".into());
                };
                let start = output.len();
                output.resize(start + needed.required_size, 0);
                encode.encode(&mut output[start..])?;
                continue;
            }
            ConnectionState::TransmitTlsData(transmit) => {
                transmit.done();
                continue;
            }
            ConnectionState::BlockedHandshake => false,
            ConnectionState::WriteTraffic(_) => true,
            other => return Err(format!("not expected: {other:?}").into()),
        };
        input.drain(..position);
        return Ok(done);
    }
}

impl Operation for RustlsUnbuffered {
    fn name(&self) -> &'static str {
        "rustls-unbuffered"
    }

    fn run(&self) -> Outcome<()> {
        self.connect(expected(self.kind)).map(|_| ())
    }
}

impl Library for RustlsUnbuffered {
    fn transfer(&self, record: usize) -> Outcome<Box<dyn Transfer>> {
        let (client, server) = self.connect(HandshakeKind::Full)?;
        Ok(Box::new(Pair {
            client,
            server,
            wire: vec![0; FLIGHT / record * (record + 64)],
            length: 0,
            data: vec![7; record],
        }))
    }
}

struct Pair {
    client: UnbufferedClientConnection,
    server: UnbufferedServerConnection,
    wire: Vec<u8>,
    length: usize,
    data: Vec<u8>,
}

impl Transfer for Pair {
    fn send(&mut self) -> Outcome<()> {
        self.length = 0;
        for _ in 0..FLIGHT / self.data.len() {
            let status = self.client.process_tls_records(&mut []);
            let ConnectionState::WriteTraffic(mut write) = status.state? else {
                return Err("the client cannot write".into());
            };
            self.length += write.encrypt(&self.data, &mut self.wire[self.length..])?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Outcome<usize> {
        let (mut position, mut seen) = (0, 0);
        while position < self.length {
            let status = self
                .server
                .process_tls_records(&mut self.wire[position..self.length]);
            position += status.discard;
            let ConnectionState::ReadTraffic(mut read) = status.state? else {
                return Err("the server has nothing to read".into());
            };
            while let Some(record) = read.next_record() {
                let record = record?;
                position += record.discard;
                seen += black_box(record.payload).len();
            }
        }
        Ok(seen)
    }
}
