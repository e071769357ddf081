//! What peers can make this side keep: little, and bounded.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use allocation_counter::measure;
use countersign::{
    ClientConfig, ClientSessions, Connection, Event, MemoryStore, ProtocolVersion, ServerConfig,
    VerifyMode,
};
use pair::{Authority, For, Pair};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// A server that insists on certificates, and a client that has one.
fn mutual(version: ProtocolVersion) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let authority = Authority::new("root");
    let client = ClientConfig::builder()
        .versions([version])
        .trust(authority.trust())
        .credential(authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = ServerConfig::builder()
        .versions([version])
        .trust(authority.trust())
        .credential(authority.issue("server.example", For::Server))
        .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
        .build()
        .unwrap();
    (client, server)
}

/// The first flight of a client of this configuration.
fn client_hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let mut hello = Vec::new();
    let name = "server.example".try_into().unwrap();
    Connection::client(config, name, &mut hello).unwrap();
    hello
}

/// An idle connection holds its keys, its peer with the report, and no handshake.
#[test]
fn an_idle_connection_holds_little() {
    for version in VERSIONS {
        let (client, server) = mutual(version);
        // What is made once for all connections is made now.
        let mut first = Pair::new(&client, &server);
        first.run();
        let mut held = None;
        let taken = measure(|| {
            let mut pair = Pair::new(&client, &server);
            pair.run();
            let ends = [pair.client.connection, pair.server.connection];
            assert!(ends.iter().all(|end| end.peer().is_some()));
            held = Some(ends);
        });
        let bytes = taken.bytes_current / 2;
        println!(
            "{version}: an idle connection with a verified peer holds {bytes} bytes on the heap, and {} itself",
            size_of::<Connection>()
        );
        assert!(bytes < 16 * 1024, "{version}: {bytes}");
        assert!(
            size_of::<Connection>() < 4096,
            "{}",
            size_of::<Connection>()
        );
    }
}

/// Who says half a word costs what that half word takes.
#[test]
fn ten_thousand_half_open_connections_hold_little_and_harm_nobody() {
    const STRANGERS: usize = 10_000;
    let (client, server) = mutual(ProtocolVersion::Tls13);
    let mut living = Pair::new(&client, &server);
    living.run();
    let hello = client_hello(&client);
    let half = &hello[..hello.len() / 2];
    let mut strangers = Vec::with_capacity(STRANGERS);
    let taken = measure(|| {
        for _ in 0..STRANGERS {
            let mut connection = Connection::server(&server);
            let mut input = half.to_vec();
            let received = connection.receive(&mut input, &mut Vec::new()).unwrap();
            assert!(matches!(received.event, Event::NeedInput));
            strangers.push((connection, input));
        }
    });
    let each = taken.bytes_current / i64::try_from(STRANGERS).unwrap();
    println!("a half-open connection holds {each} bytes on the heap");
    assert!(each < 16 * 1024, "{each}");
    living.assert_alive();
    let shed = measure(|| strangers.clear());
    assert!(-shed.bytes_current >= taken.bytes_current * 9 / 10);
    living.assert_alive();
}

/// How many sockets this process may have, as far as it can be told.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(1024)
}

/// The same over loopback, with one thread for all: a server that has no time for anybody but who speaks.
#[test]
fn half_open_sockets_are_held_and_shed() {
    let strangers = (descriptors().saturating_sub(200) / 2).min(10_000);
    assert!(strangers > 100, "{strangers}");
    let (client, server) = mutual(ProtocolVersion::Tls12);
    let hello = client_hello(&client);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut outside = Vec::with_capacity(strangers);
    let mut inside = Vec::with_capacity(strangers);
    for _ in 0..strangers {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(&hello[..20]).unwrap();
        outside.push(socket);
        let (socket, _) = listener.accept().unwrap();
        inside.push((socket, Connection::server(&server)));
    }
    for (socket, connection) in &mut inside {
        let mut input = [0; 20];
        socket.read_exact(&mut input).unwrap();
        let received = connection.receive(&mut input, &mut Vec::new()).unwrap();
        assert!(matches!(received.event, Event::NeedInput));
    }

    let visitor = std::thread::spawn({
        let client = Arc::clone(&client);
        move || visit(&client, TcpStream::connect(address).unwrap()).unwrap()
    });
    let (socket, _) = listener.accept().unwrap();
    let mut stream = countersign::Stream::accept(&server, socket).unwrap();
    assert!(stream.connection().peer().unwrap().is_verified());
    stream.write_all(b"welcome").unwrap();
    stream.close().unwrap();
    assert_eq!(visitor.join().unwrap(), "welcome");

    // Shed: the transport ends, and each connection says in which state.
    drop(outside);
    for (mut socket, mut connection) in inside {
        assert_eq!(socket.read(&mut [0; 1]).unwrap(), 0);
        let ended = connection.end_of_input().unwrap_err().to_string();
        assert!(ended.contains("waiting for the ClientHello"), "{ended}");
    }
    println!("{strangers} half-open sockets were held and shed");
}

fn visit(config: &Arc<ClientConfig>, socket: TcpStream) -> io::Result<String> {
    let name = "server.example".try_into().map_err(io::Error::other)?;
    let mut stream = countersign::Stream::connect(config, name, socket)?;
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting)?;
    Ok(greeting)
}

/// A server hands out as many tickets as it likes; a client keeps a few.
#[test]
fn a_client_keeps_few_tickets_of_few_servers() {
    let authority = Authority::new("root");
    let sessions = ClientSessions::new(3);
    let client = ClientConfig::builder()
        .verify(VerifyMode::NONE)
        .sessions(sessions.clone())
        .build()
        .unwrap();
    let server = ServerConfig::builder()
        .credential(authority.issue("server.example", For::Server))
        .tickets(60)
        .build()
        .unwrap();
    for name in ["a.example", "b.example", "c.example", "d.example"] {
        let mut pair = Pair::named(name, &client, &server);
        pair.run();
        assert!(pair.client.error.is_none());
    }
    assert_eq!(sessions.len(), 3 * 4);
}

/// A server's store holds as many sessions as it was made for, in both versions.
#[test]
fn a_store_does_not_grow() {
    for version in VERSIONS {
        let authority = Authority::new("root");
        let store = Arc::new(MemoryStore::new(5));
        let server = ServerConfig::builder()
            .credential(authority.issue("server.example", For::Server))
            .session_store(Arc::clone(&store))
            .build()
            .unwrap();
        let client = ClientConfig::builder()
            .versions([version])
            .verify(VerifyMode::NONE)
            .build()
            .unwrap();
        let visit = || {
            for _ in 0..50 {
                let client = ClientConfig::builder()
                    .versions([version])
                    .verify(VerifyMode::NONE)
                    .build()
                    .unwrap();
                Pair::new(&client, &server).run();
            }
        };
        let mut pair = Pair::new(&client, &server);
        pair.run();
        visit();
        let grown = measure(visit).bytes_current;
        assert!(grown < 16 * 1024, "{version}: {grown}");
    }
}
