//! What is wrong with a configuration, found when it is built.

use core::fmt;

use crate::crypto::group::NamedGroup;
use crate::crypto::suite::CipherSuite;
use crate::verify::mode::VerifyMode;

/// Why a configuration cannot be built. Each names the call that is missing or mistaken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither `.trust(…)` nor `.verifier(…)` was called, or the store holds no anchor, and
    /// the mode verifies the peer: everybody would be refused.
    NothingTrusted,
    /// The mode has a flag that does nothing without `PEER`.
    FlagsWithoutPeer(VerifyMode),
    /// A server without `.credential(…)`.
    NoCredential,
    /// An empty list where at least one is needed; the call that was given it.
    EmptyList(&'static str),
    /// An application protocol name that is empty or longer than 255 bytes.
    BadProtocolName(String),
    /// A scheme that is allowed in certificates only was given for handshakes.
    SchemeForCertificatesOnly(String),
    /// A scheme in which only clients may sign was asked for elsewhere.
    SchemeForClientsOnly(String),
    /// A suite under which nobody authenticates was given, without `.allow_anonymous()`.
    AnonymousNotAllowed(CipherSuite),
    /// No suite is of a version that is allowed, with a group for it.
    NoSuiteOfVersion,
    /// A key share was wanted of a group that is not among the groups.
    KeyShareOfNoGroup(NamedGroup),
    /// A key share was wanted twice, or not in the order of the groups.
    KeyShareOutOfOrder(NamedGroup),
    /// The largest content of a record is not 512 to 16,384 bytes.
    BadFragmentSize(usize),
    /// The security level is not 0 to 5.
    BadSecurityLevel(u8),
    /// No suite, group or signature scheme is as strong as the security level asks.
    NothingStrongEnough(u8),
    /// The key of a credential is weaker than the security level asks.
    CredentialTooWeak {
        /// The strength of the key, in bits.
        bits: u32,
        /// The security level.
        level: u8,
        /// The strength that it asks for, in bits.
        required: u32,
    },
    /// The names of the authorities are too long for a certificate request.
    AuthoritiesTooLong,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingTrusted => f.write_str(NOTHING_TRUSTED),
            Self::FlagsWithoutPeer(mode) => write!(
                f,
                "The verify mode {mode} does nothing without PEER. Write VerifyMode::PEER | VerifyMode::{mode}."
            ),
            Self::NoCredential => f.write_str(NO_CREDENTIAL),
            Self::EmptyList(call) => write!(
                f,
                "{call} was given an empty list. Leave the call out for the default."
            ),
            Self::BadProtocolName(name) => write!(
                f,
                "The application protocol name {name:?} is empty or longer than 255 bytes. Use a name such as \"http/1.1\"."
            ),
            Self::SchemeForCertificatesOnly(scheme) => write!(
                f,
                "The signature scheme {scheme} is allowed in certificates and in TLS 1.2 only (RFC 9846 §4.3.3). \
                 Give it to .certificate_schemes(…) instead."
            ),
            Self::SchemeForClientsOnly(scheme) => write!(
                f,
                "In the signature scheme {scheme} clients sign, and nobody else (RFC 9963 §3). Give it to \
                 .signing_schemes(…) of a client and to .signature_schemes(…) of a server."
            ),
            Self::AnonymousNotAllowed(suite) => write!(
                f,
                "Under the suite {suite} neither end authenticates. Leave it out, or call .allow_anonymous() if that is meant."
            ),
            Self::NoSuiteOfVersion => f.write_str(NO_SUITE_OF_VERSION),
            Self::KeyShareOfNoGroup(group) => write!(
                f,
                "A key share of {group} was asked for, which is not among the groups. Add it to .groups(…), or leave it out of \
                 .key_shares(…). Groups that are weaker than the security level asks do not count."
            ),
            Self::KeyShareOutOfOrder(group) => write!(
                f,
                "The key share of {group} comes twice, or after that of a group which is wanted less. Give .key_shares(…) some \
                 of the groups in the order of .groups(…) (RFC 9846 §4.3.8)."
            ),
            Self::BadFragmentSize(bytes) => write!(
                f,
                "Records cannot hold at most {bytes} bytes. Give .max_fragment(…) 512 to 16384."
            ),
            Self::BadSecurityLevel(level) => write!(
                f,
                "The security level {level} does not exist. Use 0 to 5; the default is 2."
            ),
            Self::NothingStrongEnough(level) => write!(
                f,
                "Nothing of what was configured is as strong as security level {level} asks. Lower the level, or \
                 allow stronger suites, groups and signature schemes."
            ),
            Self::CredentialTooWeak {
                bits,
                level,
                required,
            } => write_too_weak(f, *bits, *level, *required),
            Self::AuthoritiesTooLong => f.write_str(AUTHORITIES_TOO_LONG),
        }
    }
}

fn write_too_weak(f: &mut fmt::Formatter<'_>, bits: u32, level: u8, required: u32) -> fmt::Result {
    write!(
        f,
        "The key of this side's certificate has a strength of {bits} bits; security level {level} asks for \
         {required}. Use a stronger key, or lower the level."
    )
}

const NOTHING_TRUSTED: &str = "The mode PEER verifies the peer, but no authority is trusted, so everybody would be \
    refused. Call .trust(…) with a store that holds at least one certificate, or .verifier(…).";

const NO_CREDENTIAL: &str =
    "A server needs a certificate and its private key. Call .credential(…).";

const NO_SUITE_OF_VERSION: &str = "None of the cipher suites can be used in one of the versions. Compare .suites(…) \
    with .versions(…); TLS 1.2 needs a group without ML-KEM as well.";

const AUTHORITIES_TOO_LONG: &str = "The names of the authorities together are longer than 60,000 bytes. \
    Give .authorities(…) fewer of them, or none.";

impl core::error::Error for BuildError {}
