//! TLS 1.2: its handshakes, in every suite and group, with and without certificates.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::sync::Arc;

use countersign::{
    CipherSuite, ClientConfig, Completed, ConfigBuilder, Error, Misuse, NamedGroup, PeerNames,
    ProtocolVersion, ServerConfig, Since, VerifyMode,
};
use pair::{Authority, For, Pair};

struct Setup {
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            authority: Authority::new("root"),
        }
    }

    fn client(&self) -> ConfigBuilder<countersign::ClientSide> {
        ClientConfig::builder()
            .versions([ProtocolVersion::Tls12])
            .trust(self.authority.trust())
    }

    fn server(&self) -> ConfigBuilder<countersign::ServerSide> {
        ServerConfig::builder()
            .trust(self.authority.trust())
            .credential(self.authority.issue("server.example", For::Server))
    }
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.run();
    pair
}

fn assert_connected(pair: &mut Pair) {
    let errors = (&pair.client.error, &pair.server.error);
    assert!(matches!(errors, (None, None)), "{errors:?}");
    assert_eq!(pair.client.completed, [Completed::Handshake]);
    assert_eq!(pair.server.completed, [Completed::Handshake]);
    pair.assert_alive();
}

#[test]
fn every_suite_and_group_connects_with_mutual_authentication() {
    let setup = Setup::new();
    for suite in CipherSuite::defaults().filter(|suite| suite.version() == ProtocolVersion::Tls12) {
        let is_rsa = suite.name().contains("_RSA_");
        for group in [
            NamedGroup::X25519,
            NamedGroup::Secp256r1,
            NamedGroup::Secp384r1,
        ] {
            if is_rsa {
                continue;
            }
            let groups = [group, NamedGroup::Secp256r1];
            let client = setup
                .client()
                .suites([suite])
                .groups(groups)
                .credential(setup.authority.issue("client", For::Client))
                .build()
                .unwrap();
            let server = setup
                .server()
                .groups(groups)
                .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
                .build()
                .unwrap();
            let mut pair = connect(&client, &server);
            assert_connected(&mut pair);
            let agreed = pair.server.connection.agreed().unwrap();
            assert_eq!(agreed.version, ProtocolVersion::Tls12);
            assert_eq!((agreed.suite, agreed.group), (suite, Some(group)));
            assert!(agreed.extended_master_secret && agreed.secure_renegotiation);
            let peer = pair.server.connection.peer().unwrap();
            assert!(peer.is_verified());
            assert_eq!(peer.since(), Since::Handshake);
        }
    }
}

#[test]
fn a_request_renegotiates() {
    let setup = Setup::new();
    let client = setup
        .client()
        .credential(setup.authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = setup.server().build().unwrap();
    let mut pair = connect(&client, &server);
    assert_connected(&mut pair);
    assert!(pair.server.connection.peer().is_none());
    let refused = pair
        .server
        .connection
        .request_peer_certificate(&mut pair.server.output);
    assert!(
        matches!(refused, Err(Error::Misuse(Misuse::ModeDoesNotAsk(_)))),
        "{refused:?}"
    );
    pair.server
        .connection
        .set_verify_mode(VerifyMode::PEER)
        .unwrap();
    pair.server
        .connection
        .request_peer_certificate(&mut pair.server.output)
        .unwrap();
    pair.run();
    assert_eq!(pair.client.error.as_ref().map(ToString::to_string), None);
    assert_eq!(pair.server.error.as_ref().map(ToString::to_string), None);
    assert_eq!(
        pair.server.completed.last(),
        Some(&Completed::Renegotiation)
    );
    let peer = pair.server.connection.peer().unwrap();
    assert!(peer.is_verified());
    assert_eq!(peer.since(), Since::Renegotiation);
    pair.assert_alive();
}

#[test]
fn sessions_are_resumed() {
    let setup = Setup::new();
    let client = setup
        .client()
        .credential(setup.authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = setup.server().verify(VerifyMode::PEER).build().unwrap();
    for resumed in [false, true, true] {
        let mut pair = connect(&client, &server);
        assert_connected(&mut pair);
        let agreed = pair.server.connection.agreed().unwrap();
        assert_eq!(agreed.resumed, resumed);
        assert_eq!(pair.client.connection.agreed().unwrap().resumed, resumed);
        assert!(pair.server.connection.peer().unwrap().is_verified());
        assert!(pair.client.connection.peer().unwrap().is_verified());
    }
}

#[test]
fn anonymous() {
    let client = ClientConfig::builder()
        .versions([ProtocolVersion::Tls12])
        .verify(VerifyMode::NONE)
        .peer_names(PeerNames::Unchecked)
        .allow_anonymous()
        .build()
        .unwrap();
    let server = ServerConfig::builder().allow_anonymous().build().unwrap();
    let mut pair = connect(&client, &server);
    assert_connected(&mut pair);
    assert!(pair.client.connection.is_anonymous() && pair.server.connection.is_anonymous());
    assert!(pair.client.connection.peer().is_none());
}
