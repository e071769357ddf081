//! The blocking stream, where TLS 1.2 renegotiates while one side writes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use countersign::{
    ClientConfig, Completed, ConfigBuilder, Error, Misuse, Progress, ProtocolVersion, ServerConfig,
    ServerSide, Stream, StreamError, VerifyMode,
};
use pair::{Authority, For};

/// Long enough that it takes several calls of `write`.
const BODY: usize = 100_000;

type Tcp = Stream<TcpStream>;

struct Setup {
    client: Arc<ClientConfig>,
    server: ConfigBuilder<ServerSide>,
}

impl Setup {
    fn new() -> Self {
        let authority = Authority::new("root");
        let client = ClientConfig::builder()
            .versions([ProtocolVersion::Tls12])
            .trust(authority.trust())
            .credential(authority.issue("client", For::Client));
        let server = ServerConfig::builder()
            .trust(authority.trust())
            .credential(authority.issue("localhost", For::Server))
            .client_renegotiation(true);
        Self {
            client: client.build().unwrap(),
            server,
        }
    }

    /// Both ends after the handshake, the server in a thread of its own.
    fn connect<T: Send + 'static>(
        self,
        serve: impl FnOnce(Tcp) -> T + Send + 'static,
    ) -> (Tcp, JoinHandle<T>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = self.server.build().unwrap();
        let server = thread::spawn(move || {
            let socket = patient(listener.accept().unwrap().0);
            serve(Stream::accept(&config, socket).unwrap())
        });
        let socket = patient(TcpStream::connect(address).unwrap());
        let name = "localhost".try_into().unwrap();
        (Stream::connect(&self.client, name, socket).unwrap(), server)
    }
}

/// A socket over which a test that hangs fails.
fn patient(socket: TcpStream) -> TcpStream {
    let patience = Some(Duration::from_secs(60));
    socket.set_read_timeout(patience).unwrap();
    socket.set_write_timeout(patience).unwrap();
    socket
}

fn body() -> Vec<u8> {
    (0..=250).cycle().take(BODY).collect()
}

/// Reads so many bytes, and tells how many of them came before a renegotiation was complete.
fn read_with_mark(stream: &mut Tcp, length: usize) -> (Vec<u8>, Option<usize>) {
    let (mut data, mut mark) = (Vec::new(), None);
    while data.len() < length {
        match stream.step().unwrap() {
            Progress::Completed(Completed::Renegotiation) => mark = Some(data.len()),
            Progress::Data => {
                let read = stream.fill_buf().unwrap();
                let taken = read.len().min(length - data.len());
                data.extend_from_slice(&read[..taken]);
                stream.consume(taken);
            }
            Progress::More => {}
            other => panic!("{other:?}"),
        }
    }
    (data, mark)
}

fn step_until_renegotiating(stream: &mut Tcp) {
    while !stream.connection().is_renegotiating() {
        let progress = stream.step().unwrap();
        // Data that comes with the request is not read yet.
        assert!(matches!(progress, Progress::More | Progress::Data));
    }
}

fn renegotiate(stream: &mut Tcp) {
    let (connection, output) = stream.connection_and_output();
    connection.renegotiate(output).unwrap();
}

fn tls(error: io::Error) -> Error {
    match StreamError::from(error) {
        StreamError::Tls(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_posts_while_the_server_asks_for_its_certificate() {
    let (mut client, server) = Setup::new().connect(|mut stream| {
        let mut head = [0; 4];
        stream.read_exact(&mut head).unwrap();
        stream.write_all(b"100 ").unwrap();
        let (connection, output) = stream.connection_and_output();
        connection.set_verify_mode(VerifyMode::PEER).unwrap();
        connection.request_peer_certificate(output).unwrap();
        stream.write_all(b"go on, ").unwrap();
        let (posted, mark) = read_with_mark(&mut stream, BODY);
        let known = stream.connection().peer().is_some();
        stream.write_all(b"done").unwrap();
        (head, posted, mark, known)
    });
    client.write_all(b"POST").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"100 ");
    step_until_renegotiating(&mut client);
    client.write_all(&body()).unwrap();
    // What the server said before the client's ClientHello reached it, and what it said at the end.
    let (answer, mark) = read_with_mark(&mut client, 11);
    assert_eq!((&answer[..], mark), (&b"go on, done"[..], Some(7)));
    let (head, posted, mark, known) = server.join().unwrap();
    assert_eq!(&head, b"POST");
    assert!(posted == body());
    assert_eq!((mark, known), (Some(0), true));
}

#[test]
fn a_server_answers_while_the_client_renegotiates() {
    let (mut client, server) = Setup::new().connect(|mut stream| {
        step_until_renegotiating(&mut stream);
        stream.write_all(&body()).unwrap();
        read_with_mark(&mut stream, 5)
    });
    renegotiate(&mut client);
    client.write_all(b"hello").unwrap();
    let (answer, mark) = read_with_mark(&mut client, BODY);
    assert!(answer == body());
    assert_eq!(mark, Some(0));
    assert_eq!(server.join().unwrap(), (b"hello".to_vec(), Some(0)));
}

#[test]
fn what_comes_in_meanwhile_is_read_in_its_order_and_in_pieces() {
    let (mut client, server) = Setup::new().connect(|mut stream| {
        for word in ["one ", "two ", "three "] {
            stream.write_all(word.as_bytes()).unwrap();
        }
        let mut request = [0; 3];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(b"four").unwrap();
        request
    });
    // A part of it is decrypted and not yet read when the renegotiation begins.
    let mut first = [0; 2];
    client.read_exact(&mut first).unwrap();
    renegotiate(&mut client);
    client.write_all(b"GET").unwrap();
    assert!(!client.connection().is_renegotiating());
    let mut rest = Vec::new();
    while rest.len() < 16 {
        let mut piece = [0; 3];
        let length = client.read(&mut piece).unwrap();
        rest.extend_from_slice(&piece[..length]);
    }
    assert_eq!(&first, b"on");
    assert_eq!(rest, b"e two three four");
    assert_eq!(&server.join().unwrap(), b"GET");
}

#[test]
fn more_than_is_kept_has_to_be_read_first() {
    const MUCH: usize = 400_000;
    let (mut client, server) = Setup::new().connect(|mut stream| {
        stream.write_all(&vec![7; MUCH]).unwrap();
        read_with_mark(&mut stream, 3)
    });
    renegotiate(&mut client);
    let refused = tls(client.write(b"GET").unwrap_err());
    assert!(
        matches!(refused, Error::Misuse(Misuse::RenegotiationRunning)),
        "{refused:?}"
    );
    let (data, mark) = read_with_mark(&mut client, MUCH);
    assert!(data == vec![7; MUCH]);
    assert_eq!(mark, None);
    client.write_all(b"GET").unwrap();
    assert_eq!(server.join().unwrap(), (b"GET".to_vec(), Some(0)));
}

#[test]
fn a_peer_that_closes_instead_is_told_of_by_the_write() {
    let (mut client, server) = Setup::new().connect(|mut stream| {
        stream.write_all(b"bye").unwrap();
        stream.close().unwrap();
        // To the end, or what was sent might be lost.
        let _ = io::copy(stream.transport_mut(), &mut io::sink());
    });
    renegotiate(&mut client);
    let refused = tls(client.write(b"GET").unwrap_err());
    assert!(matches!(refused, Error::Closed), "{refused:?}");
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "bye");
    drop(client);
    server.join().unwrap();
}
