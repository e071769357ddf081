//! countersign.

use std::hint::black_box;
use std::io::IoSlice;
use std::sync::Arc;

use countersign::{
    ChainVerifier, CipherSuite, ClientConfig, Completed, Connection, Credential, Event, NamedGroup,
    ProtocolVersion, ResumePolicy, ServerConfig, TrustStore, VerifyMode,
};

use crate::certificates::{Certificates, Identity};
use crate::library::{
    Authentication, Case, Cipher, FLIGHT, Group, Kind, Library, SERVER_NAME, Transfer, Version,
};
use crate::measuring::{Operation, Outcome, ensure};

/// How countersign is configured.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    name: &'static str,
    /// Whether verified signatures of certificates are remembered, as they are by default.
    remembers: bool,
    policy: ResumePolicy,
}

impl Setting {
    pub(crate) const COLD: Self = Self::full("countersign-cold", false);
    pub(crate) const WARM: Self = Self::full("countersign-warm", true);
    pub(crate) const DEFAULT: Self = Self::full("countersign", true);
    pub(crate) const REVERIFY_COLD: Self = Self::full("countersign-reverify-cold", false);
    pub(crate) const REVERIFY: Self = Self::full("countersign-reverify", true);
    pub(crate) const REUSE: Self = Self {
        name: "countersign-reuse",
        remembers: true,
        policy: ResumePolicy::Reuse,
    };

    /// Everything but the signatures is verified anew, also when a session is resumed.
    const fn full(name: &'static str, remembers: bool) -> Self {
        Self {
            name,
            remembers,
            policy: ResumePolicy::Reverify,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        self.name
    }

    /// A verifier with a memory of its own, or none.
    pub(crate) fn verifier(self, trust: TrustStore) -> ChainVerifier {
        let verifier = ChainVerifier::new(trust);
        if self.remembers {
            verifier
        } else {
            verifier.signature_memory(None)
        }
    }
}

pub(crate) struct Countersign {
    name: &'static str,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    authentication: Authentication,
    kind: Kind,
}

impl Countersign {
    pub(crate) fn new(setting: Setting, certificates: &Certificates, case: &Case) -> Outcome<Self> {
        let groups: &[NamedGroup] = match (case.version, case.group) {
            (Version::Tls12, _) => &[NamedGroup::X25519, NamedGroup::Secp256r1],
            (Version::Tls13, Group::X25519) => &[NamedGroup::X25519],
            (Version::Tls13, Group::X25519MlKem768) => &[NamedGroup::X25519MlKem768],
        };
        let (version, suite) = version_and_suite(case);
        let trust = TrustStore::from_der([certificates.root.clone()])?;
        let mut client = ClientConfig::builder()
            .versions([version])
            .verifier(setting.verifier(trust.clone()))
            .resume_policy(setting.policy)
            .suites([suite])
            .groups(groups.iter().copied());
        let mut server = ServerConfig::builder()
            .versions([version])
            .credential(credential(&certificates.server)?)
            .resume_policy(setting.policy)
            .tickets(u8::from(case.kind == Kind::Resumed))
            // Who is to be taken as he was must have been so in the same place.
            .session_context("bench")
            .suites([suite])
            .groups(groups.iter().copied());
        if case.authentication == Authentication::Mutual {
            client = client.credential(credential(&certificates.client)?);
            server = server
                .verifier(setting.verifier(trust.clone()))
                // For the names of the authorities, which rustls sends too.
                .trust(trust)
                .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let made = Self {
            name: setting.name,
            client: client.build()?,
            server: server.build()?,
            authentication: case.authentication,
            kind: case.kind,
        };
        if case.kind == Kind::Resumed {
            made.connect(false)?;
        }
        Ok(made)
    }

    fn connect(&self, resumed: bool) -> Outcome<(Connection, Connection)> {
        let (client, server) = connect(&self.client, &self.server)?;
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
            client
                .agreed()
                .is_some_and(|agreed| agreed.resumed == resumed),
            "the handshake is not of the kind wanted",
        )?;
        Ok((client, server))
    }
}

fn version_and_suite(case: &Case) -> (ProtocolVersion, CipherSuite) {
    match (case.version, case.cipher) {
        (Version::Tls13, Cipher::Aes128Gcm) => {
            (ProtocolVersion::Tls13, CipherSuite::Aes128GcmSha256)
        }
        (Version::Tls13, Cipher::ChaCha20Poly1305) => {
            (ProtocolVersion::Tls13, CipherSuite::ChaCha20Poly1305Sha256)
        }
        (Version::Tls12, Cipher::Aes128Gcm) => (
            ProtocolVersion::Tls12,
            CipherSuite::EcdheEcdsaAes128GcmSha256,
        ),
        (Version::Tls12, Cipher::ChaCha20Poly1305) => (
            ProtocolVersion::Tls12,
            CipherSuite::EcdheEcdsaChaCha20Poly1305Sha256,
        ),
    }
}

/// Makes a client and a server, and has them talk until both have completed the handshake.
pub(crate) fn connect(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> Outcome<(Connection, Connection)> {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut client = Connection::client(client, SERVER_NAME.try_into()?, &mut to_server)?;
    let mut server = Connection::server(server);
    let (mut client_done, mut server_done) = (false, false);
    while !(client_done && server_done && to_server.is_empty() && to_client.is_empty()) {
        let completed = receive(&mut server, &mut to_server, &mut to_client)?;
        server_done |= completed == Some(Completed::Handshake);
        let completed = receive(&mut client, &mut to_client, &mut to_server)?;
        client_done |= completed == Some(Completed::Handshake);
    }
    Ok((client, server))
}

pub(crate) fn credential(identity: &Identity) -> Outcome<Credential> {
    Ok(Credential::new(identity.chain.clone(), &identity.key)?)
}

/// Takes in all that has come, and says what was completed with it.
pub(crate) fn receive(
    connection: &mut Connection,
    input: &mut Vec<u8>,
    output: &mut Vec<u8>,
) -> Outcome<Option<Completed>> {
    let mut position = 0;
    let mut completed = None;
    loop {
        let received = connection.receive(&mut input[position..], output)?;
        position += received.consumed;
        match received.event {
            Event::Completed(what) => completed = Some(what),
            Event::NeedInput => break,
            other => return Err(format!("not expected: {other:?}").into()),
        }
    }
    input.drain(..position);
    Ok(completed)
}

impl Operation for Countersign {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        self.connect(self.kind == Kind::Resumed).map(|_| ())
    }
}

impl Library for Countersign {
    fn transfer(&self, record: usize) -> Outcome<Box<dyn Transfer>> {
        let (client, server) = self.connect(false)?;
        Ok(Box::new(Pair {
            client,
            server,
            wire: Vec::new(),
            answer: Vec::new(),
            data: vec![7; record],
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
        for _ in 0..FLIGHT / self.data.len() {
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
