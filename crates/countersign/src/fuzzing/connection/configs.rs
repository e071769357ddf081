//! How both ends are configured.

use std::sync::Arc;

use crate::config::{ClientConfig, ServerConfig};
use crate::connection::established::ProtocolVersion;
use crate::fuzzing::input::Input;
use crate::fuzzing::papers::{FixedTime, papers};
use crate::verify::mode::VerifyMode;
use crate::verify::verifier::{Presented, Verification, Verifier};
use crate::{ConfigBuilder, MemoryStore};

pub(super) struct Configs {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
}

impl Configs {
    /// Five bytes: the versions of either end, the mode of either end, and what else there is to choose.
    pub(super) fn read(input: &mut Input<'_>) -> Self {
        let [client, server] = [input.byte(), input.byte()];
        let modes = [input.byte(), input.byte()].map(mode);
        let choice = input.byte();
        let chooses = |bit: u8| choice >> bit & 1 == 1;
        let papers = papers();
        let mut builder = settings(ClientConfig::builder(), client, modes[0], chooses(0))
            .post_handshake_auth(!chooses(1))
            .renegotiation(client & 16 == 0)
            .ask_for_credential(client & 32 != 0);
        if !chooses(1) {
            builder = builder.credential(papers.client.clone());
        }
        let client_config = builder.build().expect("nothing contradicts");
        let mut builder = settings(ServerConfig::builder(), server, modes[1], chooses(0))
            .credential(papers.server.clone())
            .client_renegotiation(chooses(2));
        if chooses(3) {
            builder = builder.session_store(MemoryStore::new(8));
        }
        Self {
            client: client_config,
            server: builder.build().expect("nothing contradicts"),
        }
    }
}

pub(super) fn mode(byte: u8) -> VerifyMode {
    let flags = [
        VerifyMode::FAIL_IF_NO_PEER_CERT,
        VerifyMode::CLIENT_ONCE,
        VerifyMode::POST_HANDSHAKE,
    ];
    if byte & 1 == 1 {
        return VerifyMode::NONE;
    }
    let chosen = (1..).zip(flags).filter(|(bit, _)| byte >> bit & 1 == 1);
    chosen.fold(VerifyMode::PEER, |mode, (_, flag)| mode | flag)
}

fn settings<R>(
    builder: ConfigBuilder<R>,
    byte: u8,
    mode: VerifyMode,
    anonymous: bool,
) -> ConfigBuilder<R> {
    let versions: &[ProtocolVersion] = match byte & 3 {
        0 => &[ProtocolVersion::Tls12],
        1 => &[ProtocolVersion::Tls13],
        _ => &[ProtocolVersion::Tls12, ProtocolVersion::Tls13],
    };
    let builder = builder
        .clock(FixedTime)
        .verify(mode)
        .versions(versions.iter().copied());
    let builder = if anonymous {
        builder.allow_anonymous()
    } else {
        builder
    };
    let builder = match byte >> 2 & 1 {
        0 => builder.trust(papers().trust.clone()),
        _ => builder.verifier(Later),
    };
    match byte >> 3 & 1 {
        0 => builder,
        _ => builder.alpn(["h2"]),
    }
}

/// Needs time, always.
struct Later;

impl Verifier for Later {
    fn verify(&self, _: &Presented<'_>) -> Verification {
        Verification::Later
    }
}
