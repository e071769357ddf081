//! The command line: every option with its help.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help text, which is not Markdown"
)]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
}

const DEMO_EXAMPLES: &str = "\
Examples:
  countersign demo
  countersign demo --json | jq '.rows[] | select(.verdict == \"refused\")'";

#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArguments {
    /// Print JSON instead of a table (schema: docs/cli-json.md).
    #[arg(long)]
    pub json: bool,
    /// Wrap the table to this many columns instead of the terminal's width.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=1000))]
    pub width: Option<u16>,
}

const CONNECT_EXAMPLES: &str = "\
Examples:
  countersign connect example.org
  countersign connect localhost:4433 --ca countersign-ca/ca.pem \\
      --cert countersign-ca/client.pem --key countersign-ca/client.key
  countersign connect 192.0.2.7:8443 --name db.example --json < /dev/null

The summary goes to stderr, what the server sends goes to stdout.
SSLKEYLOGFILE names a file to which the session's secrets are appended, for Wireshark.";

#[derive(Debug, Args)]
#[command(after_help = CONNECT_EXAMPLES)]
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
    /// Allow at most this many intermediate certificates.
    #[arg(long, value_name = "N")]
    pub depth: Option<u32>,
    /// Offer these application protocols, the preferred one first.
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',')]
    pub alpn: Vec<String>,
    /// Speak TLS 1.3 only (today the only version there is).
    #[arg(long)]
    pub tls13: bool,
    /// Give up connecting, and then the handshake, after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Print the summary as JSON on stdout (schema: docs/cli-json.md) and close.
    #[arg(long)]
    pub json: bool,
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

SSLKEYLOGFILE names a file to which every session's secrets are appended, for Wireshark.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArguments {
    /// Where to listen; port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4433")]
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
    fn a_key_needs_its_certificate() {
        let refused =
            Arguments::try_parse_from(["countersign", "connect", "example.org", "--key", "k.pem"]);
        assert!(refused.unwrap_err().to_string().contains("--cert"));
    }
}
