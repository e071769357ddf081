//! The command line: every option with its help.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help text, which is not Markdown"
)]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use countersign::ProtocolVersion;
use countersign_x509::{ExpectedName, UnixTime};

use crate::address::Target;
use crate::authority::Algorithm;

const EXIT_CODES: &str = "\
Exit codes:
  0  done as asked
  1  anything else (demo: a row is not as it should be)
  2  the command line, or a file it names, cannot be used
  3  no connection
  4  TLS failed: handshake, protocol or truncated stream
  5  this side refused the peer's certificate
  6  the peer refused this side: its certificate, or the lack of one";

/// TLS that knows who is at the other end.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let two endpoints authenticate each other in every way, and show what happens.
    Demo(DemoArguments),
    /// Connect to a TLS server, show who it is, then pass stdin and stdout through.
    Connect(ConnectArguments),
    /// Serve a page over HTTPS that tells visitors who they are.
    Serve(ServeArguments),
    /// Make a throwaway authority with a server and a client certificate, for trying things.
    Ca(CaArguments),
    /// Verify a certificate chain in a file, and show every check.
    Verify(VerifyArguments),
    /// Say what a verify result or a TLS alert means, and what to do about it.
    Explain(ExplainArguments),
}

const DEMO_EXAMPLES: &str = "\
Examples:
  countersign demo
  countersign demo --trace server-ask-expired
  countersign demo --json | jq '.rows[] | select(.verdict == \"refused\")'";

#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArguments {
    /// Print JSON instead of a table (schema: docs/cli-json.md).
    #[arg(long)]
    pub json: bool,
    /// Run one case only and draw the conversation: who sends what, under which keys, and what comes of it. A
    /// wrong name prints all names.
    #[arg(long, value_name = "CASE", conflicts_with = "json")]
    pub trace: Option<String>,
    /// Wrap the table to this many columns instead of the terminal's width.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=1000))]
    pub width: Option<u16>,
}

const CONNECT_EXAMPLES: &str = "\
Examples:
  countersign connect example.org
  countersign connect localhost:4433 --ca countersign-ca/ca.pem \\
      --cert countersign-ca/client.pem --key countersign-ca/client.key
  countersign connect localhost:4433 --ca countersign-ca/ca.pem --probe --path /private
  countersign connect localhost:4433 --ca countersign-ca/ca.pem --trace --renegotiate
  countersign connect 192.0.2.7:8443 --name db.example --json < /dev/null

The summary goes to stderr, what the server sends goes to stdout.
SSLKEYLOGFILE names a file to which the session's secrets are appended, for Wireshark.";

#[derive(Debug, Args)]
#[command(after_help = CONNECT_EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct ConnectArguments {
    /// The server: a host name, an IPv4 address or an [IPv6 address]; port 443 unless given.
    #[arg(value_name = "HOST[:PORT]")]
    pub target: Target,
    /// Trust the authorities in this PEM file instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    #[command(flatten)]
    pub credential: CredentialArguments,
    /// What to do with the server's certificate.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = ServerCheck::Peer)]
    pub verify: ServerCheck,
    /// The name to ask for and to expect in the certificate, if it is not HOST.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Take names from the subject where there are no alternative names, as OpenSSL does.
    #[arg(long)]
    pub subject_names: bool,
    /// Allow at most this many intermediate certificates.
    #[arg(long, value_name = "N")]
    pub depth: Option<u32>,
    /// Offer these application protocols, the preferred one first.
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',')]
    pub alpn: Vec<String>,
    /// Draw the conversation on stderr: who sends what, under which keys, and what comes of it.
    #[arg(long)]
    pub trace: bool,
    /// Report what the server does, with a few connections: what it asks for and when, tickets, resumption,
    /// suites, groups, application protocols.
    #[arg(long, conflicts_with = "trace")]
    pub probe: bool,
    /// What --probe asks for, since a server may ask for a certificate there.
    #[arg(long, value_name = "PATH", default_value = "/", requires = "probe")]
    pub path: String,
    #[command(flatten)]
    pub version: VersionArguments,
    /// Renegotiate once after the handshake, as client; means --tls12, since TLS 1.3 has no renegotiation.
    #[arg(long, conflicts_with_all = ["tls13", "probe"])]
    pub renegotiate: bool,
    /// Offer suites under which NOBODY IS AUTHENTICATED too: whoever is on the way may be at the other end (TLS 1.2).
    #[arg(long, conflicts_with = "tls13")]
    pub anonymous: bool,
    /// Give up connecting, and then the handshake, after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Print the summary as JSON on stdout (schema: docs/cli-json.md) and close.
    #[arg(long)]
    pub json: bool,
}

/// Which versions this side speaks: both, unless one is chosen.
#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
pub(crate) struct VersionArguments {
    /// Speak TLS 1.2 only.
    #[arg(long)]
    pub tls12: bool,
    /// Speak TLS 1.3 only.
    #[arg(long)]
    pub tls13: bool,
}

impl VersionArguments {
    /// The only version, if one is chosen.
    pub(crate) fn only(self) -> Option<ProtocolVersion> {
        match self {
            Self { tls12: true, .. } => Some(ProtocolVersion::Tls12),
            Self { tls13: true, .. } => Some(ProtocolVersion::Tls13),
            _ => None,
        }
    }
}

/// The certificate that this side presents.
#[derive(Debug, Args)]
pub(crate) struct CredentialArguments {
    /// Present the certificate in this PEM file, followed in it by its intermediates.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The PEM file with its private key, unless it is in the same file.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
}

/// What `connect` does with the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerCheck {
    /// Check it and go on whatever comes out (SSL_VERIFY_NONE).
    None,
    /// Check it and end the connection unless it is good (SSL_VERIFY_PEER).
    Peer,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  countersign serve
  countersign ca && countersign serve --verify require --ca countersign-ca/ca.pem \\
      --cert countersign-ca/server.pem --key countersign-ca/server.key
  curl --cacert countersign-ca/ca.pem --cert countersign-ca/client.pem \\
      --key countersign-ca/client.key https://localhost:4433/
  countersign serve --ask /private --ca countersign-ca/ca.pem
  countersign serve --test-responder --verify peer --ca countersign-ca/ca.pem

SSLKEYLOGFILE names a file to which every session's secrets are appended, for Wireshark.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct ServeArguments {
    /// Where to listen; port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4433", value_parser = crate::address::to_listen_on)]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub credential: CredentialArguments,
    /// Trust clients whose certificates these authorities issued (PEM).
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// What to ask of visitors; several with commas, as `require,once`.
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        value_delimiter = ',',
        default_value = "none"
    )]
    pub verify: Vec<ClientCheck>,
    /// Ask visitors of this path, and of all below it, for a certificate, and insist. They are asked when they come
    /// there, after the handshake or by renegotiation (TLS 1.2); several are possible.
    #[arg(long, value_name = "PATH")]
    pub ask: Vec<String>,
    /// The same, without insisting.
    #[arg(long, value_name = "PATH")]
    pub ask_optional: Vec<String>,
    /// Ask every visitor who can be asked right after the handshake, before a request, without insisting.
    #[arg(long)]
    pub ask_at_once: bool,
    /// Change keys where visitors come to this path or below it, and have them change theirs (TLS 1.3); several are
    /// possible.
    #[arg(long, value_name = "PATH", conflicts_with = "tls12")]
    pub update_keys: Vec<String>,
    /// Allow at most this many intermediate certificates.
    #[arg(long, value_name = "N")]
    pub depth: Option<u32>,
    /// Speak these application protocols (today only http/1.1).
    #[arg(
        long,
        value_name = "PROTOCOL",
        value_delimiter = ',',
        default_value = "http/1.1"
    )]
    pub alpn: Vec<String>,
    #[command(flatten)]
    pub version: VersionArguments,
    /// Let visitors renegotiate when they want to (TLS 1.2).
    #[arg(long, conflicts_with = "tls13")]
    pub renegotiate: bool,
    /// Keep the sessions that visitors can resume here, each for one time, instead of in tickets.
    #[arg(long)]
    pub session_store: bool,
    /// Take visitors under suites under which NOBODY IS AUTHENTICATED too; without --cert there are no others (TLS
    /// 1.2).
    #[arg(long, conflicts_with = "tls13")]
    pub anonymous: bool,
    /// Take whatever ends with an empty line for a request, and answer until the visitor closes: for programs that
    /// test TLS and hardly speak HTTP, such as tlsfuzzer.
    #[arg(long)]
    pub test_responder: bool,
    /// End after this many connections.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub once: Option<u64>,
}

/// What `serve` asks of its visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientCheck {
    /// Ask for no certificate (SSL_VERIFY_NONE).
    None,
    /// Ask for one and check it; a visitor without one is welcome (SSL_VERIFY_PEER).
    Peer,
    /// Ask for one and turn away visitors without one (adds SSL_VERIFY_FAIL_IF_NO_PEER_CERT).
    Require,
    /// Ask only once per connection (adds SSL_VERIFY_CLIENT_ONCE); shows only where TLS asks again.
    Once,
}

const CA_EXAMPLES: &str = "\
Examples:
  countersign ca
  countersign ca --out lab --name db.lab --name 192.0.2.7 --client ada@lab --days 7

The authority's own keys are thrown away unless --keep-ca-keys is given, so that a
browser that trusts it cannot be deceived with it later.";

#[derive(Debug, Args)]
#[command(after_help = CA_EXAMPLES)]
pub(crate) struct CaArguments {
    /// Write the files into this directory.
    #[arg(long, value_name = "DIR", default_value = "countersign-ca")]
    pub out: PathBuf,
    /// A host name or IP address of the server; several are possible.
    #[arg(long, value_name = "HOST", default_values = ["localhost", "127.0.0.1", "::1"])]
    pub name: Vec<String>,
    /// The name of the client: a host name or an e-mail address.
    #[arg(long, value_name = "NAME", default_value = "client")]
    pub client: String,
    /// For how many days everything is valid.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// The kind of all keys.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = KeyKind::EcdsaP256)]
    pub algorithm: KeyKind,
    /// The password of the PKCS#12 file.
    #[arg(long, value_name = "TEXT", default_value = "changeit")]
    pub password: String,
    /// Write the private keys of the root and the intermediate too.
    #[arg(long)]
    pub keep_ca_keys: bool,
    /// Replace files that exist.
    #[arg(long)]
    pub force: bool,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  countersign verify chain.pem --name db.example
  countersign verify countersign-ca/client.pem --ca countersign-ca/ca.pem --purpose client --all
  countersign verify chain.pem --ca ca.pem --crl ca.crl --time 2027-01-01T00:00:00Z --json

The exit code is 0 if the chain is accepted and 5 if it is refused.";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct VerifyArguments {
    /// A PEM file with the certificate to verify, followed in it by its intermediates; - is stdin.
    #[arg(value_name = "CHAIN")]
    pub chain: PathBuf,
    /// Trust the authorities in this PEM file or folder instead of the system's; several are possible.
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<PathBuf>,
    /// Use the intermediates in this PEM file too, without trusting them; several are possible.
    #[arg(long, value_name = "FILE")]
    pub untrusted: Vec<PathBuf>,
    /// Check revocation with the lists in this PEM file; several are possible.
    #[arg(long, value_name = "FILE")]
    pub crl: Vec<PathBuf>,
    /// Which certificates need a revocation list [default: leaf with --crl, else none].
    #[arg(long, value_enum, value_name = "WHICH")]
    pub revocation: Option<RevocationCheck>,
    /// Expect this host name, IP address, e-mail address or URI; several are possible.
    #[arg(long, value_name = "NAME", value_parser = crate::verify::input::name)]
    pub name: Vec<ExpectedName>,
    /// Whose certificate it is.
    #[arg(long, value_enum, value_name = "WHOSE", default_value_t = Owner::Server)]
    pub purpose: Owner,
    /// The moment at which it must be valid, as 2026-11-23T12:00:00Z or @1795392000 [default: now].
    #[arg(long, value_name = "TIME", value_parser = crate::verify::input::time)]
    pub time: Option<UnixTime>,
    /// The rules that apply [default: openssl with --ca, else web-pki].
    #[arg(long, value_enum, value_name = "RULES")]
    pub profile: Option<Rules>,
    /// Allow at most this many intermediate certificates.
    #[arg(long, value_name = "N")]
    pub depth: Option<u32>,
    /// Take names from the subject where there are no alternative names, as OpenSSL does.
    #[arg(long)]
    pub subject_names: bool,
    /// Take every certificate of --ca for an anchor, not only self-signed ones (X509_V_FLAG_PARTIAL_CHAIN).
    #[arg(long)]
    pub partial_chain: bool,
    /// Make the additional checks of RFC 5280 too (X509_V_FLAG_X509_STRICT).
    #[arg(long)]
    pub strict: bool,
    /// List every check, not only those that failed.
    #[arg(long)]
    pub all: bool,
    /// Print JSON instead of text (schema: docs/cli-json.md).
    #[arg(long)]
    pub json: bool,
}

/// Whose certificate `verify` verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Owner {
    /// A TLS server's.
    Server,
    /// A TLS client's.
    Client,
    /// Anybody's: key usages are not looked at.
    Any,
}

/// By which rules `verify` verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rules {
    /// As OpenSSL does.
    #[value(name = "openssl")]
    OpenSsl,
    /// As the public web demands.
    WebPki,
}

/// Of which certificates `verify` needs to know that they are not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevocationCheck {
    /// None.
    None,
    /// The first (X509_V_FLAG_CRL_CHECK).
    Leaf,
    /// All that are not self-signed (X509_V_FLAG_CRL_CHECK_ALL).
    Chain,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  countersign explain
  countersign explain 20
  countersign explain X509_V_ERR_CERT_HAS_EXPIRED
  countersign explain cert_has_expired
  countersign explain unknown_ca
  countersign explain --alert 116";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// A verify result by number or name, or a TLS alert by name; without it, all are listed.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// CODE is a TLS alert; without CODE, list the alerts.
    #[arg(long)]
    pub alert: bool,
    /// Print JSON instead of text (schema: docs/cli-json.md).
    #[arg(long)]
    pub json: bool,
}

/// The kinds of keys `ca` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    EcdsaP256,
    EcdsaP384,
    Ed25519,
    Rsa2048,
    Rsa3072,
}

impl From<KeyKind> for Algorithm {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::EcdsaP256 => Self::EcdsaP256,
            KeyKind::EcdsaP384 => Self::EcdsaP384,
            KeyKind::Ed25519 => Self::Ed25519,
            KeyKind::Rsa2048 => Self::Rsa2048,
            KeyKind::Rsa3072 => Self::Rsa3072,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, ClientCheck, Command};

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn modes_are_listed_with_commas() {
        let arguments =
            Arguments::try_parse_from(["countersign", "serve", "--verify", "require,once"])
                .unwrap();
        let Command::Serve(serve) = arguments.command else {
            panic!("not serve");
        };
        assert_eq!(serve.verify, [ClientCheck::Require, ClientCheck::Once]);
    }

    #[test]
    fn only_one_version_can_be_the_only_one() {
        for switches in [["--tls12", "--tls13"], ["--renegotiate", "--tls13"]] {
            let all = ["countersign", "connect", "example.org"].into_iter();
            let refused = Arguments::try_parse_from(all.chain(switches));
            assert!(refused.unwrap_err().to_string().contains("--tls13"));
        }
    }

    #[test]
    fn a_key_needs_its_certificate() {
        let refused =
            Arguments::try_parse_from(["countersign", "connect", "example.org", "--key", "k.pem"]);
        assert!(refused.unwrap_err().to_string().contains("--cert"));
    }
}
