//! Clients whose keys lie in hardware that signs with RSASSA-PKCS1-v1_5 alone, as many a token and TPM does,
//! in TLS 1.3 (RFC 9963).
#![allow(clippy::unwrap_used, reason = "a broken assumption must stop the test")]

use ::countersign::{
    BuildError, ClientConfig, ConfigBuilder, Credential, Error, PrivateKey, ServerConfig,
    ServerSide, SignError, SignatureScheme, Signer,
};
use countersign_tests::endpoint::{Endpoint as _, Side, is_alive, run_until_idle};
use countersign_tests::peers::countersign::{Countersign, client_builder, server_builder};
use countersign_tests::peers::{ClientCertificate, Identity, KeyKind, Setup, Version};
use countersign_tests::wiretap::Wiretap;
use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, PrivateKeyDer};

const LEGACY: SignatureScheme = SignatureScheme::RSA_PKCS1_SHA256_LEGACY;

/// All that one signs in by default in a version, and that.
fn and_legacy(version: Version) -> impl Iterator<Item = SignatureScheme> {
    const TLS12_ONLY: [SignatureScheme; 3] = [
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ];
    let default = SignatureScheme::HANDSHAKE_DEFAULT.iter().copied();
    let default =
        default.filter(move |scheme| version == Version::Tls12 || !TLS12_ONLY.contains(scheme));
    default.chain([LEGACY])
}

/// Hardware that knows one way of signing.
struct Token(PrivateKey);

impl Signer for Token {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::RSA_PKCS1_SHA256, LEGACY]
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        assert!(self.schemes().contains(&scheme));
        self.0.sign(SignatureScheme::RSA_PKCS1_SHA256, message)
    }
}

fn token(identity: &Identity) -> Credential {
    let chain = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    Credential::with_signer(chain, Token(PrivateKey::from_der(&key).unwrap())).unwrap()
}

/// A server that asks for a certificate in these versions.
fn server(version: Version, client_certificate: ClientCertificate) -> (Setup, Setup) {
    let server = Setup {
        version,
        client_certificate,
        ..Setup::server(KeyKind::EcdsaP256)
    };
    let client = Setup {
        version,
        ..Setup::default()
    };
    (client, server)
}

/// A client with a token that it may use, and a server.
fn meet(
    client: &Setup,
    credential: Credential,
    server: ConfigBuilder<ServerSide>,
    tap: &mut Wiretap,
) -> (Countersign, Countersign) {
    let schemes = and_legacy(client.version);
    let client = client_builder(client).credential(credential);
    let client = client.signing_schemes(schemes).build().unwrap();
    let mut from = Countersign::client(&client);
    let mut to = Countersign::server(&server.build().unwrap());
    run_until_idle(&mut from, &mut to, tap);
    (from, to)
}

#[test]
fn a_token_authenticates_its_client_if_the_server_takes_such_signatures() {
    for (version, scheme) in [
        (Version::Tls13, LEGACY),
        (Version::Tls12, SignatureScheme::RSA_PKCS1_SHA256),
    ] {
        let (client, server) = server(version, ClientCertificate::Required);
        let builder = server_builder(&server).signature_schemes(and_legacy(server.version));
        let mut tap = Wiretap::new(&server.log);
        let credential = token(Identity::client(KeyKind::Rsa));
        let (mut from, mut to) = meet(&client, credential, builder, &mut tap);
        assert_eq!((from.failure(), to.failure()), (None, None), "{version:?}");
        assert!(is_alive(&mut from, &mut to, &mut tap), "{version:?}");
        assert!(to.connection().peer().unwrap().is_verified());
        let (ours, theirs) = (from.connection().agreed(), to.connection().agreed());
        assert_eq!(ours.unwrap().own_signature, Some(scheme), "{version:?}");
        assert_eq!(theirs.unwrap().peer_signature, Some(scheme), "{version:?}");
    }
}

#[test]
fn in_tls_1_2_nobody_is_asked_for_such_a_signature() {
    let (client, server) = server(Version::Tls12, ClientCertificate::Optional);
    let builder = server_builder(&server).signature_schemes(and_legacy(server.version));
    let mut tap = Wiretap::new(&server.log);
    let credential = token(Identity::client(KeyKind::Rsa));
    meet(&client, credential, builder, &mut tap);
    let request = tap.messages(Side::Server, 13)[0];
    let types = usize::from(request[4]);
    let list = &request[5 + types..];
    let length = usize::from(u16::from_be_bytes([list[0], list[1]]));
    let schemes = list[2..2 + length].chunks(2);
    let schemes: Vec<_> = schemes
        .map(|two| u16::from_be_bytes([two[0], two[1]]))
        .collect();
    let default = SignatureScheme::HANDSHAKE_DEFAULT.iter();
    assert_eq!(
        schemes,
        default.map(|scheme| scheme.to_u16()).collect::<Vec<_>>()
    );
}

#[test]
fn a_token_stays_unused_if_the_server_does_not_take_such_signatures() {
    let (client, server) = server(Version::Tls13, ClientCertificate::Optional);
    let mut tap = Wiretap::new(&server.log);
    let credential = token(Identity::client(KeyKind::Rsa));
    let (mut from, mut to) = meet(&client, credential, server_builder(&server), &mut tap);
    assert!(is_alive(&mut from, &mut to, &mut tap));
    assert!(to.connection().peer().is_none());
    let answer = tap.messages(Side::Client, 11);
    assert_eq!(answer, [[11, 0, 0, 4, 0, 0, 0, 0]]);
}

#[test]
fn a_key_that_can_do_better_does() {
    let (client, server) = server(Version::Tls13, ClientCertificate::Required);
    let builder = server_builder(&server).signature_schemes(and_legacy(server.version));
    let mut tap = Wiretap::new(&server.log);
    let own = Identity::client(KeyKind::Rsa);
    let credential = Credential::from_pem(own.chain_pem.as_bytes(), own.key_pem.as_bytes());
    meet(&client, credential.unwrap(), builder, &mut tap);
    let used = tap
        .signature_scheme(Side::Client)
        .map(SignatureScheme::from);
    assert_eq!(used, Some(SignatureScheme::RSA_PSS_RSAE_SHA256));
}

/// RFC 9963 §3: servers sign as before.
#[test]
fn a_server_does_not_sign_so_and_a_client_does_not_ask_it_to() {
    let server = Setup::default();
    let builder = server_builder(&server).signing_schemes(and_legacy(server.version));
    let builder = builder.credential(token(Identity::server(KeyKind::Rsa)));
    let mut tap = Wiretap::new(&server.log);
    let mut from = Countersign::client(&client_builder(&server).build().unwrap());
    let mut to = Countersign::server(&builder.build().unwrap());
    run_until_idle(&mut from, &mut to, &mut tap);
    assert!(matches!(to.error(), Some(Error::NothingInCommon { .. })));
    let refused = Some(BuildError::SchemeForClientsOnly(LEGACY.to_string()));
    let asking = client_builder(&server).signature_schemes(and_legacy(server.version));
    assert_eq!(asking.build().err(), refused);
    let asking = ClientConfig::builder().verify(::countersign::VerifyMode::NONE);
    assert_eq!(asking.certificate_schemes([LEGACY]).build().err(), refused);
    let own = token(Identity::server(KeyKind::Rsa));
    let asking = ServerConfig::builder().credential(own);
    assert_eq!(asking.certificate_schemes([LEGACY]).build().err(), refused);
}
