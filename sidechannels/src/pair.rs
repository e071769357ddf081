//! Two connections face to face in memory.

use std::hint::black_box;
use std::io::IoSlice;
use std::mem;
use std::sync::Arc;

use countersign::{ClientConfig, Completed, Connection, Error, Event, ServerConfig};

/// One end.
pub struct End {
    pub connection: Connection,
    output: Vec<u8>,
    input: Vec<u8>,
    pub completed: Vec<Completed>,
    pub data: Vec<u8>,
}

impl End {
    fn new(connection: Connection, output: Vec<u8>) -> Self {
        Self {
            connection,
            output,
            input: Vec::new(),
            completed: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Does something that may cause output.
    ///
    /// # Panics
    /// If it fails.
    pub fn act<T>(&mut self, what: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<T, Error>) {
        clear_stack();
        what(&mut self.connection, &mut self.output).expect("nothing forbids it");
    }

    /// Sends data.
    pub fn send(&mut self, data: &[u8]) {
        self.act(|connection, output| connection.send(&[IoSlice::new(data)], output));
    }

    /// Takes in what has arrived, until nothing more happens.
    fn process(&mut self, arrived: &[u8]) -> Result<(), Error> {
        self.input.extend_from_slice(arrived);
        loop {
            clear_stack();
            let received = self.connection.receive(&mut self.input, &mut self.output)?;
            let goes_on = match received.event {
                Event::Data(range) => {
                    self.data.extend_from_slice(&self.input[range]);
                    true
                }
                Event::Completed(what) => {
                    self.completed.push(what);
                    true
                }
                Event::NeedInput | Event::PeerClosed => false,
                other => panic!("{other:?}"),
            };
            self.input.drain(..received.consumed);
            if !goes_on {
                return Ok(());
            }
        }
    }
}

/// Overwrites what earlier calls have left on the stack. Moving a value copies the gaps in it too, and whatever was
/// there: it would be found in memory, though nobody put it there.
#[expect(
    clippy::large_stack_arrays,
    reason = "it is the stack that is overwritten"
)]
#[inline(never)]
fn clear_stack() {
    black_box([0_u8; 256 * 1024]);
}

/// What happens to the bytes on the line, in order.
pub type Line<'l> = &'l mut dyn FnMut(&mut [u8]);

/// A client and a server.
pub struct Pair {
    pub client: End,
    pub server: End,
}

impl Pair {
    /// # Panics
    /// If there is no ClientHello.
    pub fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        clear_stack();
        let mut output = Vec::new();
        let name = "server.example".try_into().expect("it is a name");
        let connection = Connection::client(client, name, &mut output);
        Self {
            client: End::new(connection.expect("there are random bytes"), output),
            server: End::new(Connection::server(server), Vec::new()),
        }
    }

    /// Carries bytes to and fro until both ends are idle.
    ///
    /// # Errors
    /// Which end refuses to go on, with its error.
    pub fn run(&mut self, line: Line<'_>) -> Result<(), (Which, Error)> {
        loop {
            let mut to_server = mem::take(&mut self.client.output);
            let mut to_client = mem::take(&mut self.server.output);
            line(&mut to_server);
            line(&mut to_client);
            self.server
                .process(&to_server)
                .map_err(|error| (Which::Server, error))?;
            self.client
                .process(&to_client)
                .map_err(|error| (Which::Client, error))?;
            if self.client.output.is_empty() && self.server.output.is_empty() {
                return Ok(());
            }
        }
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Client,
    Server,
}
