//! countersign.

use std::hint::black_box;
use std::io::IoSlice;
use std::sync::Arc;

use countersign::{
    CipherSuite, ClientConfig, Completed, Connection, Credential, Event, NamedGroup, ServerConfig,
    TrustStore, VerifyMode,
};

use crate::Outcome;
use crate::certificates::{Certificates, Identity};
use crate::library::{
    Authentication, BATCH, Case, Group, Library, RECORD, SERVER_NAME, Transfer, ensure,
};

pub(crate) struct Countersign {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    authentication: Authentication,
}

impl Countersign {
    pub(crate) fn new(certificates: &Certificates, case: &Case) -> Outcome<Self> {
        let group = match case.group {
            Group::X25519 => NamedGroup::X25519,
            Group::X25519MlKem768 => NamedGroup::X25519MlKem768,
        };
        let trust = TrustStore::from_der([certificates.root.clone()])?;
        let mut client = ClientConfig::builder()
            .trust(trust.clone())
            .suites([CipherSuite::Aes128GcmSha256])
            .groups([group]);
        let mut server = ServerConfig::builder()
            .credential(credential(&certificates.server)?)
            .tickets(0)
            .suites([CipherSuite::Aes128GcmSha256])
            .groups([group]);
        if case.authentication == Authentication::Mutual {
            client = client.credential(credential(&certificates.client)?);
            server = server
                .trust(trust)
                .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        Ok(Self {
            client: client.build()?,
            server: server.build()?,
            authentication: case.authentication,
        })
    }

    fn connect(&self) -> Outcome<(Connection, Connection)> {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        let mut client = Connection::client(&self.client, SERVER_NAME.try_into()?, &mut to_server)?;
        let mut server = Connection::server(&self.server);
        let (mut client_done, mut server_done) = (false, false);
        while !(client_done && server_done) {
            server_done |= receive(&mut server, &mut to_server, &mut to_client)?;
            client_done |= receive(&mut client, &mut to_client, &mut to_server)?;
        }
        ensure(
            client.peer().is_some_and(countersign::Peer::is_verified),
            "the server is not verified",
        )?;
        ensure(
            server.peer().is_some_and(countersign::Peer::is_verified)
                == (self.authentication == Authentication::Mutual),
            "the client's authentication is not as wanted",
        )?;
        ensure(
            client.agreed().is_some_and(|agreed| !agreed.resumed),
            "the handshake is not a full one",
        )?;
        Ok((client, server))
    }
}

fn credential(identity: &Identity) -> Outcome<Credential> {
    Ok(Credential::new(identity.chain.clone(), &identity.key)?)
}

/// Takes in all that has come, and says whether the handshake was completed.
fn receive(
    connection: &mut Connection,
    input: &mut Vec<u8>,
    output: &mut Vec<u8>,
) -> Outcome<bool> {
    let mut position = 0;
    let mut completed = false;
    loop {
        let received = connection.receive(&mut input[position..], output)?;
        position += received.consumed;
        match received.event {
            Event::Completed(Completed::Handshake) => completed = true,
            Event::NeedInput => break,
            other => return Err(format!("not expected: {other:?}").into()),
        }
    }
    input.drain(..position);
    Ok(completed)
}

impl Library for Countersign {
    fn name(&self) -> &'static str {
        "countersign"
    }

    fn handshake(&self) -> Outcome<()> {
        self.connect().map(|_| ())
    }

    fn transfer(&self) -> Outcome<Box<dyn Transfer>> {
        let (client, server) = self.connect()?;
        Ok(Box::new(Pair {
            client,
            server,
            wire: Vec::new(),
            answer: Vec::new(),
            data: vec![7; RECORD],
        }))
    }
}

struct Pair {
    client: Connection,
    server: Connection,
    wire: Vec<u8>,
    answer: Vec<u8>,
    data: Vec<u8>,
}

impl Transfer for Pair {
    fn send(&mut self) -> Outcome<()> {
        self.wire.clear();
        for _ in 0..BATCH {
            self.client
                .send(&[IoSlice::new(&self.data)], &mut self.wire)?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Outcome<usize> {
        let (mut position, mut seen) = (0, 0);
        loop {
            let input = &mut self.wire[position..];
            let received = self.server.receive(input, &mut self.answer)?;
            position += received.consumed;
            match received.event {
                Event::Data(range) => seen += black_box(&input[range]).len(),
                Event::NeedInput => return Ok(seen),
                other => return Err(format!("not expected: {other:?}").into()),
            }
        }
    }
}
