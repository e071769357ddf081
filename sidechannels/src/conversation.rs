//! What is said: handshakes of both versions, authentication later on, new keys, sessions, and attempts to deceive.

use std::sync::Arc;
use std::time::Duration;

use countersign::{
    CipherSuite, ClientConfig, Clock, Completed, ConfigBuilder, Connection, Credential, KeyLog,
    MemoryStore, NamedGroup, ProtocolVersion, Random, RandomFailed, ServerConfig, SystemRandom,
    TicketKeyring, TrustStore, VerifyMode,
};
use pki_types::UnixTime;

use crate::pair::{Pair, Which};

/// An authority, and a certificate and a key of each end.
pub const ROOT: &[u8] = include_bytes!("../../crates/countersign/src/fuzzing/root.pem");
pub const CLIENT: &[u8] = include_bytes!("../../crates/countersign/src/fuzzing/client.pem");
pub const SERVER: &[u8] = include_bytes!("../../crates/countersign/src/fuzzing/server.pem");

/// A year after the certificates were made.
const NOW: u64 = 1_830_000_000;

/// How many random bytes a private exponent has in the finite field that is used. Nothing else has so many.
pub const EXPONENT_LEN: usize = 40;

/// How many random bytes a ticket key has. Nothing else has so many. The first are its name.
pub const TICKET_KEY_LEN: usize = 80;
pub const TICKET_KEY_NAME_LEN: usize = 16;

/// Each way to derive keys and to protect records, of either version.
pub const SUITES: [CipherSuite; 6] = [
    CipherSuite::Aes128GcmSha256,
    CipherSuite::Aes256GcmSha384,
    CipherSuite::ChaCha20Poly1305Sha256,
    CipherSuite::EcdheEcdsaAes128GcmSha256,
    CipherSuite::EcdheEcdsaAes256GcmSha384,
    CipherSuite::EcdheEcdsaChaCha20Poly1305Sha256,
];

/// Who watches the secrets of a conversation.
#[derive(Clone, Copy)]
pub struct Watch {
    /// Called with what an application is given: `label` as in the key log, or `exported`.
    pub secret: fn(label: &str, secret: &[u8]),
    /// Called with the random bytes that countersign asks for.
    pub random: fn(&[u8]),
    /// Called with what goes over the wire.
    pub public: fn(&[u8]),
}

impl KeyLog for Watch {
    fn log(&self, label: &str, _: &[u8; 32], secret: &[u8]) {
        (self.secret)(label, secret);
    }
}

impl Random for Watch {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        SystemRandom.fill(out)?;
        (self.random)(out);
        Ok(())
    }
}

struct FixedTime;

impl Clock for FixedTime {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(NOW))
    }
}

/// What the two ends of a conversation are like, besides the suite.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sessions are in tickets, sealed with keys that the server makes. TLS 1.3 uses the hybrid group.
    Usual,
    /// Sessions are in a store, sealed with keys that the server is given. TLS 1.3 has to ask for another group.
    Unusual,
}

impl Kind {
    pub const BOTH: [Self; 2] = [Self::Usual, Self::Unusual];

    /// Those of the client, and those of the server. TLS 1.2 takes the second, where the first is hybrid.
    fn groups(self) -> [Vec<NamedGroup>; 2] {
        match self {
            Self::Usual => {
                let groups = vec![NamedGroup::X25519MlKem768, NamedGroup::X25519];
                [groups.clone(), groups]
            }
            Self::Unusual => [
                vec![NamedGroup::Secp256r1, NamedGroup::Secp384r1],
                vec![NamedGroup::Secp384r1],
            ],
        }
    }
}

/// Two configurations that can talk to each other.
pub struct Setup {
    watch: Watch,
    version: ProtocolVersion,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

/// What both configurations have.
fn settings<Side>(
    builder: ConfigBuilder<Side>,
    watch: Watch,
    suite: CipherSuite,
) -> ConfigBuilder<Side> {
    builder
        .clock(FixedTime)
        .random(watch)
        .key_log(watch)
        .versions([suite.version()])
        .suites([suite])
        .verify(VerifyMode::PEER)
        .trust(TrustStore::from_pem(ROOT).expect("it is well made"))
}

impl Setup {
    /// Both ends have certificates.
    ///
    /// # Panics
    /// If something contradicts.
    pub fn new(watch: Watch, suite: CipherSuite, kind: Kind) -> Self {
        let credential = |pem| Credential::from_pem(pem, pem).expect("it is well made");
        let [of_client, of_server] = kind.groups();
        let version = suite.version();
        let client = settings(ClientConfig::builder(), watch, suite)
            .groups(of_client)
            .credential(credential(CLIENT))
            .post_handshake_auth(version == ProtocolVersion::Tls13);
        let server = settings(ServerConfig::builder(), watch, suite)
            .groups(of_server)
            .credential(credential(SERVER))
            .client_renegotiation(true);
        let server = match kind {
            Kind::Usual => server,
            Kind::Unusual => {
                let keyring = TicketKeyring::from_keys([[0x5a; 48]]);
                server
                    .session_store(MemoryStore::new(8))
                    .ticket_keyring(keyring.expect("it has the right length"))
            }
        };
        Self {
            watch,
            version,
            client: client.build().expect("nothing contradicts"),
            server: server.build().expect("nothing contradicts"),
        }
    }

    /// Both ends are nobody, and exchange keys in a finite field of 3072 bits.
    ///
    /// # Panics
    /// If something contradicts.
    pub fn anonymous(watch: Watch) -> Self {
        let suite = CipherSuite::DhAnonAes128GcmSha256;
        let client = settings(ClientConfig::builder(), watch, suite)
            .security_level(3)
            .allow_anonymous();
        let server = settings(ServerConfig::builder(), watch, suite)
            .security_level(3)
            .allow_anonymous();
        Self {
            watch,
            version: suite.version(),
            client: client.build().expect("nothing contradicts"),
            server: server.build().expect("nothing contradicts"),
        }
    }

    /// Two ends that have not spoken yet.
    pub fn pair(&self) -> Pair {
        Pair::new(&self.client, &self.server)
    }

    fn run(&self, pair: &mut Pair) {
        let outcome = pair.run(&mut |bytes| (self.watch.public)(bytes));
        outcome.expect("both ends are honest");
    }

    /// Sends data both ways, and exports keying material.
    fn use_connection(&self, pair: &mut Pair) {
        pair.client.send(b"from the client");
        pair.server.send(b"from the server");
        self.run(pair);
        assert_eq!(pair.server.data, b"from the client");
        assert_eq!(pair.client.data, b"from the server");
        pair.server.data.clear();
        pair.client.data.clear();
        for end in [&pair.client, &pair.server] {
            let mut out = [0; 32];
            let exported = end.connection.export_keying_material(
                b"EXPORTER-sidechannels",
                Some(b""),
                &mut out,
            );
            exported.expect("the connection is established");
            (self.watch.secret)("exported", &out);
        }
    }

    /// Everything that a connection can go through, and then its session. Returns the connection that resumed it.
    ///
    /// # Panics
    /// If anything goes otherwise.
    pub fn converse(&self) -> Pair {
        match self.version {
            ProtocolVersion::Tls13 => self.converse_in_tls13(),
            _ => self.converse_in_tls12(),
        }
        self.resume()
    }

    fn converse_in_tls13(&self) {
        let mut pair = self.pair();
        self.run(&mut pair);
        self.use_connection(&mut pair);
        pair.client
            .act(|connection, output| connection.update_keys(true, output));
        self.use_connection(&mut pair);
        pair.server
            .act(|connection, output| connection.update_keys(true, output));
        self.use_connection(&mut pair);
        pair.server.act(Connection::request_peer_certificate);
        self.run(&mut pair);
        assert!(
            pair.server
                .completed
                .contains(&Completed::PostHandshakeAuthentication)
        );
        pair.server.act(Connection::send_ticket);
        self.use_connection(&mut pair);
    }

    fn converse_in_tls12(&self) {
        let mut pair = self.pair();
        self.run(&mut pair);
        self.use_connection(&mut pair);
        pair.server.act(Connection::renegotiate);
        self.run(&mut pair);
        assert_eq!(
            pair.server.completed.last(),
            Some(&Completed::Renegotiation)
        );
        self.use_connection(&mut pair);
        pair.client.act(Connection::renegotiate);
        self.run(&mut pair);
        assert_eq!(pair.client.completed.len(), 3);
        self.use_connection(&mut pair);
    }

    fn resume(&self) -> Pair {
        let mut pair = self.pair();
        self.run(&mut pair);
        for end in [&pair.client, &pair.server] {
            assert!(end.connection.agreed().is_some_and(|agreed| agreed.resumed));
        }
        self.use_connection(&mut pair);
        pair
    }

    /// An anonymous connection.
    ///
    /// # Panics
    /// If anything goes otherwise.
    pub fn converse_in_a_finite_field(&self) -> Pair {
        let mut pair = self.pair();
        self.run(&mut pair);
        self.use_connection(&mut pair);
        pair
    }

    /// An anonymous handshake up to the server's public value, which is lost on the way.
    ///
    /// # Panics
    /// If the client takes it nevertheless.
    pub fn exchange_keys_in_a_finite_field(&self) {
        let mut pair = self.pair();
        let mut flight = 0;
        let outcome = pair.run(&mut |bytes| {
            (self.watch.public)(bytes);
            flight += usize::from(!bytes.is_empty());
            if let Some(version) = bytes.get_mut(1)
                && flight == 2
            {
                *version = 0xff;
            }
        });
        assert!(matches!(outcome, Err((Which::Client, _))), "{outcome:?}");
    }

    /// Resumes, with one bit changed in the last byte of a flight: in the first of TLS 1.3 it is the binder's, later
    /// on it is in the tag of a record.
    ///
    /// # Panics
    /// If nobody notices.
    pub fn deceive(&self) {
        let flights = match self.version {
            ProtocolVersion::Tls13 => 1..4,
            _ => 2..4,
        };
        for damaged in flights {
            self.run(&mut self.pair());
            let mut flight = 0;
            let outcome = self.pair().run(&mut |bytes| {
                (self.watch.public)(bytes);
                flight += usize::from(!bytes.is_empty());
                if let Some(last) = bytes.last_mut()
                    && flight == damaged
                {
                    *last ^= 1;
                }
            });
            assert!(outcome.is_err(), "flight {damaged}");
        }
    }
}
