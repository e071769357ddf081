//! The server's first step: which version it makes of what the client offers.

use std::sync::Arc;

use crate::config::Config;
use crate::connection::established::{Established, ProtocolVersion};
use crate::connection::state::State;
use crate::error::Result;
use crate::handshake::hello::choose_version;
use crate::handshake::script::Wire;
use crate::handshake::{tls12, tls13};
use crate::messages::read_message;

/// Accepts: from the ClientHello to both Finished.
pub(crate) async fn serve(wire: Wire, config: Arc<Config>) -> Result<Established> {
    let hello = wire.receive(State::AwaitingClientHello).await;
    match choose_version(&config, &read_message(&hello)?)? {
        ProtocolVersion::Tls13 => tls13::server::serve(wire, config, hello).await,
        ProtocolVersion::Tls12 => tls12::server::serve(wire, config, hello, None).await,
    }
}
