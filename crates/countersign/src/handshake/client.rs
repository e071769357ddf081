//! The client's first step: what it offers, and which version the server makes of it.

use std::sync::Arc;

use pki_types::ServerName;

use crate::config::Config;
use crate::connection::established::{Established, ProtocolVersion};
use crate::connection::state::State;
use crate::error::Result;
use crate::handshake::offer::Offer;
use crate::handshake::script::Wire;
use crate::handshake::transcript::Transcript;
use crate::handshake::{resume, tls12, tls13};
use crate::messages::{ServerHelloOrRetry, read_message};

/// Connects: from the ClientHello to both Finished.
pub(crate) async fn connect(
    wire: Wire,
    config: Arc<Config>,
    name: ServerName<'static>,
) -> Result<Established> {
    let mut transcript = Transcript::new();
    let session = resume::session_to_offer(&wire, &config, &name);
    let mut offer = Offer::new(&config, &name, session)?;
    let hello = offer.encode(&config, &transcript)?;
    transcript.add(&hello);
    wire.send_whole(&hello);

    let message = wire.receive(State::AwaitingServerHello).await;
    match version_of(&message)? {
        ProtocolVersion::Tls13 => {
            let attempt = tls13::client::Attempt {
                server: name,
                offer,
                transcript,
            };
            tls13::client::connect(wire, config, attempt, message).await
        }
        ProtocolVersion::Tls12 => {
            let attempt = tls12::client::Attempt {
                server: name,
                offer,
                transcript,
                previous: None,
            };
            tls12::client::connect(wire, config, attempt, message).await
        }
    }
}

/// The version of the server's answer. Whether it was offered is checked by the handshake of that version.
///
/// RFC 9846 §4.2.3: a server that chooses TLS 1.3 says so in `supported_versions`.
fn version_of(message: &[u8]) -> Result<ProtocolVersion> {
    let selected = match read_message(message)? {
        ServerHelloOrRetry::ServerHello(hello) => hello.selected_version,
        ServerHelloOrRetry::HelloRetryRequest(_) => return Ok(ProtocolVersion::Tls13),
    };
    Ok(match selected {
        Some(_) => ProtocolVersion::Tls13,
        None => ProtocolVersion::Tls12,
    })
}
