//! TLS implementations as ends in this process: countersign and its peers.

pub mod countersign;
pub mod credentials;
pub mod openssl;
pub mod rustls;

pub use credentials::{Identity, KeyKind};

use crate::endpoint::Endpoint;
use crate::wiretap::{KeyLog, Suite};

/// The time at which everything in this process is verified: 2026-06-01T00:00:00Z.
pub const NOW: u64 = 1_780_272_000;

/// Makes an end.
pub type Make = fn(&Setup) -> Box<dyn Endpoint>;

/// Every implementation, as a client.
pub const CLIENTS: [(&str, Make); 3] = [
    ("countersign", |setup| Box::new(countersign::client(setup))),
    ("rustls", |setup| Box::new(rustls::client(setup))),
    ("OpenSSL", |setup| Box::new(openssl::client(setup))),
];

/// Every implementation, as a server.
pub const SERVERS: [(&str, Make); 3] = [
    ("countersign", |setup| Box::new(countersign::server(setup))),
    ("rustls", |setup| Box::new(rustls::server(setup))),
    ("OpenSSL", |setup| Box::new(openssl::server(setup))),
];

/// A group of the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "these are tested")]
pub enum Group {
    /// The hybrid of ML-KEM-768 and X25519.
    X25519MlKem768,
    /// X25519.
    X25519,
    /// P-256.
    Secp256r1,
    /// P-384.
    Secp384r1,
    /// The hybrid of P-256 and ML-KEM-768.
    Secp256r1MlKem768,
    /// The hybrid of P-384 and ML-KEM-1024, which rustls does not know.
    Secp384r1MlKem1024,
    /// ML-KEM-1024 alone.
    MlKem1024,
}

impl Group {
    /// Those that everybody uses by default.
    pub const DEFAULT: [Self; 4] = [
        Self::X25519MlKem768,
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
    ];

    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::X25519MlKem768,
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
        Self::Secp256r1MlKem768,
        Self::Secp384r1MlKem1024,
        Self::MlKem1024,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::X25519MlKem768 => 0x11ec,
            Self::X25519 => 0x001d,
            Self::Secp256r1 => 0x0017,
            Self::Secp384r1 => 0x0018,
            Self::Secp256r1MlKem768 => 0x11eb,
            Self::Secp384r1MlKem1024 => 0x11ed,
            Self::MlKem1024 => 0x0202,
        }
    }

    /// The name by which OpenSSL knows it.
    pub const fn openssl_name(self) -> &'static str {
        match self {
            Self::X25519MlKem768 => "X25519MLKEM768",
            Self::X25519 => "X25519",
            Self::Secp256r1 => "P-256",
            Self::Secp384r1 => "P-384",
            Self::Secp256r1MlKem768 => "SecP256r1MLKEM768",
            Self::Secp384r1MlKem1024 => "SecP384r1MLKEM1024",
            Self::MlKem1024 => "MLKEM1024",
        }
    }
}

/// A signature scheme of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "these are tested")]
pub enum Scheme {
    /// ECDSA with P-256.
    EcdsaP256,
    /// ECDSA with P-384.
    EcdsaP384,
    /// ECDSA with P-521.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
    /// RSA-PSS with an ordinary RSA key.
    RsaPssRsaeSha256,
    /// The same with SHA-384.
    RsaPssRsaeSha384,
    /// The same with SHA-512.
    RsaPssRsaeSha512,
    /// RSA-PSS with a key for RSA-PSS only.
    RsaPssPssSha256,
    /// The same with SHA-384.
    RsaPssPssSha384,
    /// The same with SHA-512.
    RsaPssPssSha512,
    /// RSA with PKCS #1 padding: TLS 1.2 only.
    RsaPkcs1Sha256,
    /// The same with SHA-384.
    RsaPkcs1Sha384,
    /// The same with SHA-512.
    RsaPkcs1Sha512,
}

impl Scheme {
    /// Those that only TLS 1.2 has.
    pub const TLS12_ONLY: [Self; 3] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
    ];

    /// All that both versions have.
    pub const ALL: [Self; 10] = [
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::RsaPssRsaeSha256,
        Self::RsaPssRsaeSha384,
        Self::RsaPssRsaeSha512,
        Self::RsaPssPssSha256,
        Self::RsaPssPssSha384,
        Self::RsaPssPssSha512,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::EcdsaP256 => 0x0403,
            Self::EcdsaP384 => 0x0503,
            Self::EcdsaP521 => 0x0603,
            Self::Ed25519 => 0x0807,
            Self::RsaPssRsaeSha256 => 0x0804,
            Self::RsaPssRsaeSha384 => 0x0805,
            Self::RsaPssRsaeSha512 => 0x0806,
            Self::RsaPssPssSha256 => 0x0809,
            Self::RsaPssPssSha384 => 0x080a,
            Self::RsaPssPssSha512 => 0x080b,
            Self::RsaPkcs1Sha256 => 0x0401,
            Self::RsaPkcs1Sha384 => 0x0501,
            Self::RsaPkcs1Sha512 => 0x0601,
        }
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa_secp256r1_sha256",
            Self::EcdsaP384 => "ecdsa_secp384r1_sha384",
            Self::EcdsaP521 => "ecdsa_secp521r1_sha512",
            Self::Ed25519 => "ed25519",
            Self::RsaPssRsaeSha256 => "rsa_pss_rsae_sha256",
            Self::RsaPssRsaeSha384 => "rsa_pss_rsae_sha384",
            Self::RsaPssRsaeSha512 => "rsa_pss_rsae_sha512",
            Self::RsaPssPssSha256 => "rsa_pss_pss_sha256",
            Self::RsaPssPssSha384 => "rsa_pss_pss_sha384",
            Self::RsaPssPssSha512 => "rsa_pss_pss_sha512",
            Self::RsaPkcs1Sha256 => "rsa_pkcs1_sha256",
            Self::RsaPkcs1Sha384 => "rsa_pkcs1_sha384",
            Self::RsaPkcs1Sha512 => "rsa_pkcs1_sha512",
        }
    }

    /// The kind of key that signs in this scheme.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::EcdsaP256 => KeyKind::EcdsaP256,
            Self::EcdsaP384 => KeyKind::EcdsaP384,
            Self::EcdsaP521 => KeyKind::EcdsaP521,
            Self::Ed25519 => KeyKind::Ed25519,
            Self::RsaPssRsaeSha256
            | Self::RsaPssRsaeSha384
            | Self::RsaPssRsaeSha512
            | Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512 => KeyKind::Rsa,
            Self::RsaPssPssSha256 | Self::RsaPssPssSha384 | Self::RsaPssPssSha512 => {
                KeyKind::RsaPss
            }
        }
    }
}

/// A cipher suite of TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Tls12Suite {
    /// The number on the wire.
    pub number: u16,
    /// The name by which OpenSSL knows it.
    pub openssl_name: &'static str,
    /// A kind of key that can authenticate under it.
    pub key_kind: KeyKind,
}

impl Tls12Suite {
    /// All with certificates.
    pub const ALL: [Self; 6] = [
        Self::new(0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", KeyKind::EcdsaP256),
        Self::new(0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", KeyKind::EcdsaP256),
        Self::new(0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", KeyKind::EcdsaP256),
        Self::new(0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", KeyKind::Rsa),
        Self::new(0xc030, "ECDHE-RSA-AES256-GCM-SHA384", KeyKind::Rsa),
        Self::new(0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", KeyKind::Rsa),
    ];

    const fn new(number: u16, openssl_name: &'static str, key_kind: KeyKind) -> Self {
        Self {
            number,
            openssl_name,
            key_kind,
        }
    }
}

/// How a peer is set up, whatever the implementation.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests fill it in")]
pub struct Setup {
    /// The only version.
    pub version: Version,
    /// The only cipher suite of TLS 1.3, or all.
    pub suite: Option<Suite>,
    /// The only cipher suite of TLS 1.2, or all.
    pub tls12_suite: Option<Tls12Suite>,
    /// The groups, most wanted first. A client sends a share of the first.
    pub groups: Vec<Group>,
    /// The only scheme in which the other end may sign, or all.
    pub peer_scheme: Option<Scheme>,
    /// The own certificate.
    pub identity: Option<&'static Identity>,
    /// On a server: whether a client must show a certificate.
    pub client_certificate: ClientCertificate,
    /// The application protocols.
    pub alpn: Vec<&'static str>,
    /// Where the secrets go.
    pub log: KeyLog,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no other")]
pub enum Version {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    #[default]
    Tls13,
}

/// What a server demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no other")]
pub enum ClientCertificate {
    /// It does not ask.
    NotAsked,
    /// It asks, and takes no for an answer.
    Optional,
    /// It insists.
    Required,
}

impl Default for Setup {
    /// A client without a certificate, or a server that asks for none (and lacks its own).
    fn default() -> Self {
        Self {
            version: Version::Tls13,
            suite: None,
            tls12_suite: None,
            groups: Group::DEFAULT.to_vec(),
            peer_scheme: None,
            identity: None,
            client_certificate: ClientCertificate::NotAsked,
            alpn: Vec::new(),
            log: KeyLog::default(),
        }
    }
}

impl Setup {
    /// A server with a certificate of this kind.
    pub fn server(kind: KeyKind) -> Self {
        Self {
            identity: Some(Identity::server(kind)),
            ..Self::default()
        }
    }

    /// A client with a certificate of this kind.
    pub fn client(kind: KeyKind) -> Self {
        Self {
            identity: Some(Identity::client(kind)),
            ..Self::default()
        }
    }
}
