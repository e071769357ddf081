//! Renegotiation: the same handshakes once more on a living connection, bound to what came before
//! (RFC 5746).

use std::sync::Arc;

use pki_types::CertificateDer;

use crate::config::Config;
use crate::connection::established::{AfterTls12, Established, ProtocolVersion};
use crate::connection::state::State;
use crate::crypto::hash::constant_time_eq;
use crate::error::{Error, Result};
use crate::handshake::authenticate::Shown;
use crate::handshake::offer::Offer;
use crate::handshake::script::Wire;
use crate::handshake::tls12::{client, server};
use crate::handshake::transcript::Transcript;
use crate::messages::tls12::HelloRequest;
use crate::messages::{ClientHello, ServerHello, read_message};
use crate::session::client_cache::Origin;
use crate::verify::peer::{CertificateChain, Peer};
use crate::violation::Violation;

/// RFC 5746 §3.3: a client has secure renegotiation, said without an extension.
const EMPTY_RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;

/// What the connection is before a renegotiation.
#[derive(Clone, Debug)]
pub(crate) struct Previous {
    pub(crate) after: Arc<AfterTls12>,
    /// Who the peer is, if anybody.
    pub(crate) peer: Option<Peer>,
    /// On a client: marks the sessions that come on this connection.
    pub(crate) origin: Origin,
    /// What this side has shown of itself.
    pub(crate) shown: Option<Shown>,
}

impl Previous {
    /// Demands that the peer is who it was, unless it may be somebody else.
    ///
    /// RFC 5746 §5: once the peer has been identified, implementations MUST verify that the identity does not
    /// change: the end-entity certificate is the same, bit by bit. A handshake without one in between is no way around
    /// that.
    pub(crate) fn check_identity(&self, config: &Config, chain: &CertificateChain) -> Result<()> {
        let presented = self.after.presented.as_ref();
        let known: Option<&CertificateDer<'_>> = presented.and_then(CertificateChain::leaf);
        if config.accept_identity_change || known.is_none() || known == chain.leaf() {
            return Ok(());
        }
        Err(Violation::IdentityChanged.into())
    }

    /// Client: demands that a server that was somebody does not become nobody, under an anonymous suite.
    pub(crate) fn check_anonymous(&self, config: &Config) -> Result<()> {
        if config.accept_identity_change || self.after.presented.is_none() {
            return Ok(());
        }
        Err(Violation::IdentityChanged.into())
    }

    /// Demands that the client still asks for the same server.
    ///
    /// RFC 5746 §5: the `server_name` MUST NOT change.
    pub(crate) fn check_server_name(&self, server_name: Option<&str>) -> Result<()> {
        if self.after.server_name.as_deref() == server_name {
            return Ok(());
        }
        Err(Violation::ServerNameChanged.into())
    }
}

/// Whether the other end has secure renegotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secure {
    Yes,
    No,
}

/// Server: checks what a ClientHello says about the handshake before it (RFC 5746 §3.6, §3.7).
pub(crate) fn check_client_hello(
    hello: &ClientHello<'_>,
    previous: Option<&Previous>,
) -> Result<Secure> {
    let info = hello.extensions.renegotiation_info;
    let has_scsv = hello.cipher_suites.contains(&EMPTY_RENEGOTIATION_INFO_SCSV);
    match (previous, info) {
        (None, None) if has_scsv => Ok(Secure::Yes),
        (None, None) => Ok(Secure::No),
        (None, Some([])) => Ok(Secure::Yes),
        // RFC 5746 §3.7: a renegotiating client that sends the SCSV MUST be refused.
        (Some(_), _) if has_scsv => Err(Violation::RenegotiationMismatch.into()),
        (Some(previous), Some(info)) if constant_time_eq(&previous.after.client_finished, info) => {
            Ok(Secure::Yes)
        }
        // RFC 5746 §3.6: in the first handshake it MUST be empty. §3.7: in a renegotiation it MUST be there, and MUST
        // be what the client's last Finished said.
        (_, _) => Err(Violation::RenegotiationMismatch.into()),
    }
}

/// Server: what the ServerHello answers (RFC 5746 §3.6, §3.7).
pub(crate) fn answer_client_hello(previous: Option<&Previous>) -> Vec<u8> {
    previous.map_or_else(Vec::new, |previous| {
        let after = &previous.after;
        [after.client_finished, after.server_finished].concat()
    })
}

/// Client: checks what a ServerHello says about the handshake before it (RFC 5746 §3.4, §3.5).
pub(crate) fn check_server_hello(
    config: &Config,
    hello: &ServerHello<'_>,
    previous: Option<&Previous>,
) -> Result<Secure> {
    let Some(info) = hello.tls12.renegotiation_info else {
        // RFC 5746 §3.5: missing in a renegotiation, the handshake MUST be aborted. §4.1: who wants to be protected does
        // so in the first handshake too.
        return if previous.is_some() || config.require_renegotiation_info {
            Err(Violation::MissingRenegotiationInfo.into())
        } else {
            Ok(Secure::No)
        };
    };
    if constant_time_eq(&answer_client_hello(previous), info) {
        Ok(Secure::Yes)
    } else {
        Err(Violation::RenegotiationMismatch.into())
    }
}

/// Server: has the client make the handshake again. Until its ClientHello comes, data flows.
pub(crate) async fn ask_client(
    wire: Wire,
    config: Arc<Config>,
    previous: Previous,
) -> Result<Established> {
    wire.send_untracked(&HelloRequest)?;
    let hello = wire.receive(State::AwaitingRenegotiation).await;
    server::serve(wire, config, hello, Some(previous)).await
}

/// Client: makes the handshake again.
pub(crate) async fn connect_again(
    wire: Wire,
    config: Arc<Config>,
    previous: Previous,
) -> Result<Established> {
    let mut transcript = Transcript::new();
    let after = &previous.after;
    let mut offer = Offer::again(&config, after.server_name.clone(), &after.client_finished)?;
    let hello = offer.encode(&config, &transcript)?;
    transcript.add(&hello);
    wire.send_whole(&hello);
    let answer = wire.receive(State::AwaitingServerHello).await;
    let hello: ServerHello<'_> = read_message(&answer)?;
    // RFC 9846 §4.3.1: the version of the connection MUST be retained.
    if hello.selected_version.is_some() || hello.legacy_version != ProtocolVersion::Tls12.to_u16() {
        return Err(Violation::VersionNotOffered.into());
    }
    let server = after
        .server
        .clone()
        .ok_or(Error::Internal("a client does not know its server"))?;
    let attempt = client::Attempt {
        server,
        offer,
        transcript,
        previous: Some(previous),
    };
    client::connect(wire, config, attempt, answer).await
}
