//! Which certificate is shown to whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod pair;

use countersign::{
    Alert, BuildError, ChainVerifier, CipherSuite, ClientConfig, ClientSide, ConfigBuilder,
    Credential, Error, KeyUsageRule, Negotiated, Presented, ProtocolVersion, ServerConfig,
    ServerSide, SignatureScheme, TrustStore, Verdict, VerifyMode, Violation,
};
use pair::{Authority, For, Pair};
use rcgen::KeyUsagePurpose;

const REQUIRED: VerifyMode = VerifyMode::PEER.with(VerifyMode::FAIL_IF_NO_PEER_CERT);

/// Two authorities, of which a certificate of either kind can be had from each.
struct Setup {
    first: Authority,
    second: Authority,
    neither: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            first: Authority::new("First CA"),
            second: Authority::new("Second CA"),
            neither: Authority::new("Neither CA"),
        }
    }

    /// A client that trusts the first authority.
    fn client(&self, credentials: &[Credential]) -> ConfigBuilder<ClientSide> {
        let builder = ClientConfig::builder().trust(self.first.trust());
        with(builder, credentials)
    }

    /// A server with a certificate of the first authority, which asks for one of an authority in `trust`.
    fn server(&self, trust: &TrustStore) -> ConfigBuilder<ServerSide> {
        let builder = ServerConfig::builder()
            .trust(trust.clone())
            .verify(REQUIRED);
        builder.credential(self.first.issue("server.example", For::Server))
    }

    /// A client's certificates of both authorities, the first first.
    fn both(&self) -> [Credential; 2] {
        [&self.first, &self.second].map(|authority| authority.issue("client.example", For::Client))
    }
}

fn with<R>(builder: ConfigBuilder<R>, credentials: &[Credential]) -> ConfigBuilder<R> {
    let credentials = credentials.iter().cloned();
    credentials.fold(builder, ConfigBuilder::credential)
}

fn connect(client: ConfigBuilder<ClientSide>, server: ConfigBuilder<ServerSide>) -> Pair {
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    let mut pair = Pair::new(&client, &server);
    pair.run();
    pair
}

/// Whether the client showed this one.
fn shows(pair: &Pair, credential: &Credential) -> bool {
    let peer = pair.server.connection.peer();
    peer.is_some_and(|peer| peer.leaf() == credential.certificates().first())
}

fn disagreement(error: Option<&Error>) -> Option<Negotiated> {
    match error? {
        Error::NothingInCommon { what, .. } => Some(*what),
        _ => None,
    }
}

#[test]
fn a_client_shows_the_certificate_of_an_authority_that_the_server_names() {
    let setup = Setup::new();
    let both = setup.both();
    for (trust, shown) in [(&setup.first, &both[0]), (&setup.second, &both[1])] {
        let server = setup.server(&trust.trust());
        assert!(shows(&connect(setup.client(&both), server), shown));
    }
}

#[test]
fn a_server_names_the_authorities_of_its_verifier() {
    let setup = Setup::new();
    let both = setup.both();
    // What is given to `.trust(…)` counts for nothing beside a verifier that has a store.
    let server = setup
        .server(&setup.first.trust())
        .verifier(ChainVerifier::new(setup.second.trust()));
    assert!(shows(&connect(setup.client(&both), server), &both[1]));
    // One that has none leaves it.
    let second = ChainVerifier::new(setup.second.trust());
    let server = setup
        .server(&setup.second.trust())
        .verifier(move |presented: &Presented<'_>| Verdict::Follow(second.report(presented)));
    assert!(shows(&connect(setup.client(&both), server), &both[1]));
}

#[test]
fn where_no_name_fits_the_first_certificate_is_shown() {
    let setup = Setup::new();
    let both = setup.both();
    let names = [Vec::new(), setup.neither.trust().subjects()];
    for names in names {
        let server = setup.server(&setup.first.trust()).authorities(names);
        assert!(shows(&connect(setup.client(&both), server), &both[0]));
    }
}

#[test]
fn a_certificate_for_its_authorities_is_shown_to_nobody_else() {
    let setup = Setup::new();
    let [first, second] = setup.both();
    let reserved = first.clone().only_for_its_authorities();
    let credentials = [reserved.clone(), second.clone()];
    let pair = connect(
        setup.client(&credentials),
        setup.server(&setup.first.trust()),
    );
    assert!(shows(&pair, &first));
    let pair = connect(
        setup.client(&credentials),
        setup.server(&setup.second.trust()),
    );
    assert!(shows(&pair, &second));
    // Not to one that names nobody either.
    for names in [Vec::new(), setup.neither.trust().subjects()] {
        let server = setup.server(&setup.first.trust()).authorities(names);
        let pair = connect(setup.client(std::slice::from_ref(&reserved)), server);
        assert!(matches!(
            pair.server.error,
            Some(Error::NoPeerCertificate { .. })
        ));
    }
}

#[test]
fn a_client_that_must_authenticate_says_what_it_lacks() {
    let setup = Setup::new();
    let [first, _] = setup.both();
    let client = setup.client(&[first.clone().only_for_its_authorities()]);
    let server = setup.server(&setup.second.trust());
    let pair = connect(client.must_authenticate(true), server);
    let error = pair.client.error.unwrap();
    assert_eq!(disagreement(Some(&error)), Some(Negotiated::Authority));
    let sentence = error.to_string();
    assert!(sentence.contains("CN=First CA") && sentence.contains("CN=Second CA"));
    assert!(
        matches!(pair.server.error, Some(Error::AlertReceived { alert, .. })
        if Some(alert) == error.alert())
    );

    let client = setup.client(&[first]).must_authenticate(true);
    let server = setup
        .server(&setup.first.trust())
        .signature_schemes([SignatureScheme::ED25519])
        .signing_schemes([SignatureScheme::ECDSA_SECP256R1_SHA256]);
    let pair = connect(client, server);
    let what = disagreement(pair.client.error.as_ref());
    assert_eq!(what, Some(Negotiated::SignatureScheme));
}

#[test]
fn a_server_shows_the_certificate_of_an_authority_that_the_client_names() {
    let setup = Setup::new();
    let both = [&setup.first, &setup.second]
        .map(|authority| authority.issue("server.example", For::Server));
    for (trust, shown) in [(&setup.first, &both[0]), (&setup.second, &both[1])] {
        let client = ClientConfig::builder()
            .trust(trust.trust())
            .authorities(trust.trust().subjects());
        let pair = connect(client, with(ServerConfig::builder(), &both));
        let leaf = pair.client.connection.peer().unwrap().leaf();
        assert_eq!(leaf, shown.certificates().first());
    }
    let reserved = both.map(Credential::only_for_its_authorities);
    let client = ClientConfig::builder()
        .trust(setup.first.trust())
        .authorities(setup.neither.trust().subjects());
    let pair = connect(client, with(ServerConfig::builder(), &reserved));
    let what = disagreement(pair.server.error.as_ref());
    assert_eq!(what, Some(Negotiated::Authority));
}

#[test]
fn this_side_may_sign_in_other_schemes_than_the_peer() {
    let setup = Setup::new();
    let server = || {
        let server = setup.server(&setup.first.trust()).verify(VerifyMode::NONE);
        server.signature_schemes([SignatureScheme::ED25519])
    };
    // The key of its certificate is on P-256.
    let pair = connect(setup.client(&[]), server());
    let what = disagreement(pair.server.error.as_ref());
    assert_eq!(what, Some(Negotiated::SignatureScheme));
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let pair = connect(setup.client(&[]), server().signing_schemes([scheme]));
    let agreed = pair.client.connection.agreed().unwrap();
    assert_eq!(agreed.peer_signature, Some(scheme));

    let refused = server().signing_schemes([]).build();
    let expected = BuildError::EmptyList(".signing_schemes(…)");
    assert_eq!(refused.unwrap_err(), expected);
}

/// The key would do, but no suite that the client offers is for keys of its kind.
#[test]
fn a_certificate_of_another_kind_than_the_suites_is_a_matter_of_suites() {
    let setup = Setup::new();
    let client = setup
        .client(&[])
        .suites([CipherSuite::EcdheRsaAes128GcmSha256]);
    let pair = connect(client, setup.server(&setup.first.trust()));
    let what = disagreement(pair.server.error.as_ref());
    assert_eq!(what, Some(Negotiated::CipherSuite));
}

/// RFC 9846 §4.3.3: the peer has to be given a scheme to sign in, and TLS 1.3 has none of those of PKCS #1 v1.5.
#[test]
fn a_side_that_accepts_no_scheme_of_tls_1_3_does_not_offer_it() {
    let setup = Setup::new();
    let old = || [SignatureScheme::RSA_PKCS1_SHA256];
    let new = || [SignatureScheme::ECDSA_SECP256R1_SHA256];
    let server = setup.server(&setup.first.trust());
    let server = server.signature_schemes(old()).signing_schemes(new());
    let pair = connect(setup.client(&[]).signature_schemes(new()), server);
    assert_eq!(negotiated_version(&pair), None);
    // It had to be TLS 1.2, in which the client, asked for a certificate, had none.
    assert!(matches!(
        pair.server.error,
        Some(Error::NoPeerCertificate {
            alert: Alert::HandshakeFailure
        })
    ));
    let server = setup.server(&setup.first.trust()).verify(VerifyMode::NONE);
    let server = server.signature_schemes(old()).signing_schemes(new());
    let pair = connect(setup.client(&[]).signature_schemes(new()), server);
    assert_eq!(negotiated_version(&pair), Some(ProtocolVersion::Tls12));
}

fn negotiated_version(pair: &Pair) -> Option<ProtocolVersion> {
    let agreed = pair.server.connection.agreed();
    agreed.map(|agreed| agreed.version)
}

/// RFC 9846 §4.5.2.2: whoever signs needs a certificate that allows it. OpenSSL does not look.
#[test]
fn a_key_that_may_not_sign_is_refused_if_the_rule_is_enforced() {
    let setup = Setup::new();
    let issue = |purpose, usage| {
        let authority = &setup.first;
        authority.issue_with("server.example", purpose, |params| {
            params.key_usages = vec![usage];
        })
    };
    let refused = |error: Option<&Error>| match error {
        None => false,
        Some(Error::PeerViolated { violation, .. }) => *violation == Violation::KeyNotForSigning,
        Some(error) => panic!("{error}"),
    };
    let cases = [
        (
            KeyUsagePurpose::KeyAgreement,
            KeyUsageRule::AsOpenSsl,
            false,
        ),
        (KeyUsagePurpose::KeyAgreement, KeyUsageRule::Enforced, true),
        (
            KeyUsagePurpose::DigitalSignature,
            KeyUsageRule::Enforced,
            false,
        ),
    ];
    for (usage, rule, wanted) in cases {
        let servers = issue(For::Server, usage);
        let server = ServerConfig::builder().credential(servers);
        let pair = connect(setup.client(&[]).key_usage(rule), server);
        assert_eq!(
            refused(pair.client.error.as_ref()),
            wanted,
            "{usage:?}, {rule:?}"
        );

        let client = setup.client(&[issue(For::Client, usage)]);
        let server = setup.server(&setup.first.trust()).key_usage(rule);
        let pair = connect(client, server);
        assert_eq!(
            refused(pair.server.error.as_ref()),
            wanted,
            "{usage:?}, {rule:?}"
        );
    }
    // A certificate without the extension allows everything.
    let server = setup
        .server(&setup.first.trust())
        .key_usage(KeyUsageRule::Enforced);
    assert!(
        connect(setup.client(&setup.both()), server)
            .server
            .error
            .is_none()
    );
}
