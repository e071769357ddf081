//! TLS 1.2: its handshakes, in every suite and group, with and without certificates.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::sync::Arc;

use countersign::{
    Alert, BuildError, CipherSuite, ClientConfig, ClientSide, Completed, ConfigBuilder, Error,
    FiniteFieldGroup, MemoryStore, NamedGroup, Negotiated, ProtocolVersion, ServerConfig,
    ServerSide, Since, TicketKeyring, VerifyMode, Violation,
};
use pair::{Authority, End, For, Pair};
use rcgen::KeyUsagePurpose;

/// A server in this mode takes nobody without a certificate.
const INSIST: VerifyMode = VerifyMode::PEER.with(VerifyMode::FAIL_IF_NO_PEER_CERT);

struct Setup {
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            authority: Authority::new("root"),
        }
    }

    fn client(&self) -> ConfigBuilder<ClientSide> {
        ClientConfig::builder()
            .versions([ProtocolVersion::Tls12])
            .trust(self.authority.trust())
    }

    fn server(&self) -> ConfigBuilder<ServerSide> {
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
    // Those for RSA are tried with other libraries: making a key for it takes long.
    let suites = CipherSuite::defaults()
        .filter(|suite| suite.version() == ProtocolVersion::Tls12)
        .filter(|suite| !suite.name().contains("_RSA_"));
    for suite in suites {
        for group in [
            NamedGroup::X25519,
            NamedGroup::Secp256r1,
            NamedGroup::Secp384r1,
        ] {
            // The curve of the certificates has to be there as well.
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
                .verify(INSIST)
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

/// The groups that TLS 1.2 does not have.
const ML_KEM: [NamedGroup; 4] = [
    NamedGroup::X25519MlKem768,
    NamedGroup::Secp256r1MlKem768,
    NamedGroup::Secp384r1MlKem1024,
    NamedGroup::MlKem1024,
];

#[test]
fn groups_with_ml_kem_are_passed_over() {
    let setup = Setup::new();
    let groups = || ML_KEM.into_iter().chain([NamedGroup::Secp256r1]);
    let server = setup.server().versions([ProtocolVersion::Tls12]);
    let server = server.groups(groups()).build().unwrap();
    let both = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
    // Offered for TLS 1.3, or not at all.
    for versions in [&both[..], &both[..1]] {
        let client = setup.client().versions(versions.to_vec()).groups(groups());
        let mut pair = connect(&client.build().unwrap(), &server);
        assert_connected(&mut pair);
        let agreed = pair.client.connection.agreed().unwrap();
        assert_eq!(agreed.version, ProtocolVersion::Tls12);
        assert_eq!(agreed.group, Some(NamedGroup::Secp256r1));
    }
}

#[test]
fn records_and_messages_may_come_in_any_pieces() {
    let setup = Setup::new();
    let client = setup
        .client()
        .credential(setup.authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = setup.server().verify(INSIST).build().unwrap();
    for size in [1, 7, 100] {
        let mut pair = Pair::new(&client, &server);
        pair.run_in_pieces(size);
        assert_connected(&mut pair);
    }
}

#[test]
fn the_newest_version_that_both_ends_have_is_chosen() {
    let setup = Setup::new();
    let tls12 = [ProtocolVersion::Tls12];
    let tls13 = [ProtocolVersion::Tls13];
    let both = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
    let version = |client: &[ProtocolVersion], server: &[ProtocolVersion]| {
        let client = setup.client().versions(client.to_vec()).build().unwrap();
        let server = setup.server().versions(server.to_vec()).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        pair.run();
        let agreed = pair.server.connection.agreed().map(|agreed| agreed.version);
        (agreed, pair.server.error, pair.client.error)
    };
    for (client, server, newest) in [
        (&both[..], &both[..], ProtocolVersion::Tls13),
        (&both, &tls12, ProtocolVersion::Tls12),
        (&tls12, &both, ProtocolVersion::Tls12),
        (&both, &tls13, ProtocolVersion::Tls13),
        (&tls13, &both, ProtocolVersion::Tls13),
    ] {
        let (agreed, ours, theirs) = version(client, server);
        assert_eq!(agreed, Some(newest), "{ours:?} {theirs:?}");
    }
    for (client, server) in [(&tls12, &tls13), (&tls13, &tls12)] {
        let (agreed, at_server, at_client) = version(client, server);
        assert_eq!(agreed, None);
        assert!(matches!(
            at_server,
            Some(Error::NothingInCommon {
                what: Negotiated::Version,
                alert: Alert::ProtocolVersion,
                ..
            })
        ));
        assert!(matches!(
            at_client,
            Some(Error::AlertReceived {
                alert: Alert::ProtocolVersion,
                ..
            })
        ));
    }
}

#[test]
fn sessions_are_resumed_from_tickets_and_from_a_store() {
    let setup = Setup::new();
    for stored in [false, true] {
        let client = setup
            .client()
            .credential(setup.authority.issue("client", For::Client))
            .build()
            .unwrap();
        let mut server = setup.server().verify(INSIST);
        if stored {
            server = server.session_store(MemoryStore::new(10));
        }
        let server = server.build().unwrap();
        // The same session serves any number of times.
        for resumed in [false, true, true] {
            let mut pair = connect(&client, &server);
            assert_connected(&mut pair);
            for end in [&pair.client, &pair.server] {
                let agreed = end.connection.agreed().unwrap();
                assert_eq!((agreed.resumed, agreed.group.is_none()), (resumed, resumed));
                assert!(end.connection.peer().unwrap().is_verified());
            }
            let since = pair.server.connection.peer().unwrap().since();
            assert_eq!(since == Since::Resumption, resumed);
        }
    }
}

#[test]
fn a_session_is_no_way_around_the_mode_or_the_trust_of_now() {
    let setup = Setup::new();
    let keyring = TicketKeyring::default();
    let client = setup
        .client()
        .credential(setup.authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = |mode, trust| {
        let server = setup.server().ticket_keyring(keyring.clone());
        server.verify(mode).trust(trust).build().unwrap()
    };
    let asks_nobody = server(VerifyMode::NONE, setup.authority.trust());
    let insists = server(INSIST, setup.authority.trust());
    let distrusts = server(INSIST, Authority::new("another root").trust());

    let mut pair = connect(&client, &asks_nobody);
    assert_connected(&mut pair);
    // The session knows nobody: a full handshake, in which the client is asked.
    let mut pair = connect(&client, &insists);
    assert_connected(&mut pair);
    assert!(!pair.server.connection.agreed().unwrap().resumed);
    assert!(pair.server.connection.peer().unwrap().is_verified());
    // The session knows whom this server does not trust: a full handshake, which refuses.
    let pair = connect(&client, &distrusts);
    assert!(matches!(
        pair.server.error,
        Some(Error::PeerRejected { .. })
    ));
}

#[test]
fn exported_keying_material_is_the_same_at_both_ends() {
    let setup = Setup::new();
    let mut pair = connect(
        &setup.client().build().unwrap(),
        &setup.server().build().unwrap(),
    );
    assert_connected(&mut pair);
    let export = |end: &End, context: Option<&[u8]>| {
        let mut out = [0; 40];
        let connection = &end.connection;
        connection
            .export_keying_material(b"EXPORTER-test", context, &mut out)
            .unwrap();
        out
    };
    for context in [None, Some(&b""[..]), Some(b"context")] {
        assert_eq!(export(&pair.client, context), export(&pair.server, context));
    }
    assert_ne!(export(&pair.client, None), export(&pair.client, Some(b"")));
}

/// Ends that allow anonymous suites, and have no certificates.
fn anonymous() -> (ConfigBuilder<ClientSide>, ConfigBuilder<ServerSide>) {
    let client = ClientConfig::builder()
        .versions([ProtocolVersion::Tls12])
        .verify(VerifyMode::NONE)
        .allow_anonymous();
    (client, ServerConfig::builder().allow_anonymous())
}

#[test]
fn anonymous_ends_talk_and_nobody_is_anybody() {
    for suite in [
        CipherSuite::DhAnonAes128GcmSha256,
        CipherSuite::DhAnonAes256GcmSha384,
    ] {
        let (client, server) = anonymous();
        let client = client.suites([suite]).build().unwrap();
        let mut pair = connect(&client, &server.build().unwrap());
        assert_connected(&mut pair);
        for end in [&pair.client, &pair.server] {
            assert!(end.connection.is_anonymous());
            assert!(end.connection.peer().is_none());
            assert_eq!(end.connection.verify_result(), None);
            let agreed = end.connection.agreed().unwrap();
            assert_eq!(agreed.finite_field, Some(FiniteFieldGroup::Ffdhe2048));
            assert_eq!((agreed.suite, agreed.group), (suite, None));
        }
    }
}

/// `SSL_CTX_set_verify(3)`: the mode of a client is ignored.
#[test]
fn a_client_that_allows_anonymity_takes_it_in_mode_peer_too() {
    let setup = Setup::new();
    let (_, server) = anonymous();
    let client = setup.client().allow_anonymous().build().unwrap();
    let mut pair = connect(&client, &server.build().unwrap());
    assert_connected(&mut pair);
    assert!(pair.client.connection.is_anonymous());
    assert!(pair.client.connection.peer().is_none());
}

#[test]
fn a_server_that_insists_on_certificates_is_not_anonymous() {
    let setup = Setup::new();
    let (client, _) = anonymous();
    let suites = [CipherSuite::DhAnonAes128GcmSha256];
    let client = client.suites(suites).build().unwrap();
    for (mode, connects) in [(VerifyMode::PEER, true), (INSIST, false)] {
        let server = setup.server().allow_anonymous().verify(mode);
        let pair = connect(&client, &server.build().unwrap());
        assert_eq!(pair.server.connection.agreed().is_some(), connects);
        if !connects {
            assert!(matches!(
                pair.server.error,
                Some(Error::NothingInCommon {
                    what: Negotiated::CipherSuite,
                    ..
                })
            ));
        }
    }
}

#[test]
fn nobody_is_anonymous_unless_both_ends_allow_it() {
    let setup = Setup::new();
    let suite = CipherSuite::DhAnonAes128GcmSha256;
    let refused = setup.client().suites([suite]).build().unwrap_err();
    assert_eq!(refused, BuildError::AnonymousNotAllowed(suite));
    let refused = ServerConfig::builder().build().unwrap_err();
    assert_eq!(refused, BuildError::NoCredential);

    let (client, _) = anonymous();
    let client = client.suites([suite]).build().unwrap();
    let pair = connect(&client, &setup.server().build().unwrap());
    assert!(pair.server.connection.agreed().is_none());
    // Where a certificate is to be had, it is preferred.
    let client = setup.client().allow_anonymous().build().unwrap();
    let server = setup.server().allow_anonymous().build().unwrap();
    let mut pair = connect(&client, &server);
    assert_connected(&mut pair);
    assert!(!pair.client.connection.is_anonymous());
}

#[test]
fn a_configuration_without_a_version_is_refused() {
    let setup = Setup::new();
    let newest = setup.client().versions([ProtocolVersion::Tls13]);
    let older = [CipherSuite::EcdheEcdsaAes128GcmSha256];
    let refused = newest.suites(older).build().unwrap_err();
    assert_eq!(refused, BuildError::NoSuiteOfVersion);
    for group in ML_KEM {
        let newer = setup.client().groups([group]);
        assert_eq!(newer.build().unwrap_err(), BuildError::NoSuiteOfVersion);
    }
    let none = setup.client().versions([]);
    assert_eq!(
        none.build().unwrap_err(),
        BuildError::EmptyList(".versions(…)")
    );
}

#[test]
fn a_refused_client_knows_who_refused_it() {
    let setup = Setup::new();
    let server = setup
        .server()
        .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
        .build()
        .unwrap();
    let mut pair = Pair::new(&setup.client().build().unwrap(), &server);
    // The client has finished, and waits for the server to do so.
    pair.server.input = std::mem::take(&mut pair.client.output);
    pair.server.process();
    pair.client.input = std::mem::take(&mut pair.server.output);
    pair.client.process();
    assert!(pair.client.error.is_none() && pair.client.connection.is_handshaking());
    assert!(pair.client.connection.peer().is_none());

    pair.run();
    let refused = pair.client.error.as_ref().unwrap();
    assert!(matches!(refused, Error::AlertReceived { .. }), "{refused}");
    let peer = pair.client.connection.peer().unwrap();
    assert!(peer.is_verified());
    assert!(pair.server.connection.peer().is_none());
}

/// A server that has shown a certificate, and not that the key is its own, has proved nothing.
#[test]
fn a_server_that_gives_up_early_is_nobody() {
    let setup = Setup::new();
    let client = setup.client().build().unwrap();
    let mut pair = Pair::new(&client, &setup.server().build().unwrap());
    pair.server.input = std::mem::take(&mut pair.client.output);
    pair.server.process();
    // All messages are in one record; what is left of it are ServerHello and Certificate.
    let flight = std::mem::take(&mut pair.server.output);
    let lengths = |at: usize| usize::from(flight[at + 2]) << 8 | usize::from(flight[at + 3]);
    let certificate = 5 + 4 + lengths(5);
    assert_eq!((flight[5], flight[certificate]), (2, 11));
    let end = certificate + 4 + lengths(certificate);
    let length = u16::try_from(end - 5).unwrap().to_be_bytes();
    let alert = [21, 3, 3, 0, 2, 2, 40];
    pair.client.input = [&flight[..3], &length, &flight[5..end], &alert].concat();
    pair.client.process();
    let refused = pair.client.error.as_ref().unwrap();
    assert!(matches!(refused, Error::AlertReceived { .. }), "{refused}");
    assert!(pair.client.connection.peer().is_none());
}

/// RFC 5246 §7.4.2: the server signs its half of the key exchange, and its certificate has to allow that.
#[test]
fn a_server_whose_key_may_not_sign_does_not_authenticate() {
    let setup = Setup::new();
    let issue = |usage| {
        let authority = &setup.authority;
        authority.issue_with("server.example", For::Server, |params| {
            params.key_usages = vec![usage];
        })
    };
    let agreement = issue(KeyUsagePurpose::KeyAgreement);
    let connect_to = |credentials: &[&countersign::Credential]| {
        let mut server = ServerConfig::builder();
        for credential in credentials {
            server = server.credential((*credential).clone());
        }
        connect(&setup.client().build().unwrap(), &server.build().unwrap())
    };
    let pair = connect_to(&[&agreement]);
    let refused = pair.server.error.as_ref().unwrap();
    assert_eq!(refused.alert(), Some(Alert::HandshakeFailure));
    assert!(refused.to_string().contains("digitalSignature"));

    let signature = issue(KeyUsagePurpose::DigitalSignature);
    assert_connected(&mut connect_to(&[&agreement, &signature]));
}

#[test]
fn a_server_without_a_certificate_meets_a_client_of_both_versions_in_tls_1_2() {
    let (client, server) = anonymous();
    let client = client.versions([ProtocolVersion::Tls12, ProtocolVersion::Tls13]);
    let mut pair = connect(&client.build().unwrap(), &server.build().unwrap());
    assert_connected(&mut pair);
    assert!(pair.client.connection.is_anonymous());
}

#[test]
fn a_server_of_tls_1_3_needs_a_certificate_in_any_case() {
    let (_, server) = anonymous();
    let newest = server.versions([ProtocolVersion::Tls13]);
    assert_eq!(newest.build().err(), Some(BuildError::NoCredential));
}

/// Where no record boundary is between them, a Finished could pass for one under the new keys.
#[test]
fn a_finished_does_not_come_in_the_record_before_its_change_cipher_spec() {
    let setup = Setup::new();
    let client = setup.client().build().unwrap();
    let mut pair = Pair::new(&client, &setup.server().build().unwrap());
    let hello = std::mem::take(&mut pair.client.output);
    pair.server.input = hello;
    pair.server.process();
    pair.client.input = std::mem::take(&mut pair.server.output);
    pair.client.process();
    // The ClientKeyExchange, the change_cipher_spec, and the Finished.
    let flight = std::mem::take(&mut pair.client.output);
    let length = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
    let (exchange, rest) = flight.split_at(5 + length);
    let finished = [&[20, 0, 0, 12][..], &[0; 12]].concat();
    let longer = u16::try_from(length + finished.len())
        .unwrap()
        .to_be_bytes();
    let record = [&exchange[..3], &longer, &exchange[5..], &finished].concat();
    pair.server.input = [&record, rest].concat();
    pair.server.process();
    let error = pair.server.error.as_ref().unwrap();
    let violation = match error {
        Error::PeerViolated { violation, .. } => Some(*violation),
        _ => None,
    };
    assert_eq!(
        violation,
        Some(Violation::MissingChangeCipherSpec),
        "{error}"
    );
}
