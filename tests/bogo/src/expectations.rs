//! What the runner expects of a connection, each expectation with its check.

use countersign::{
    Agreed, Connection, CredentialQuestion, NamedGroup, ProtocolVersion, Role, SignatureScheme,
    VerifyCode,
};
use pki_types::CertificateDer;
use pki_types::pem::PemObject;

use crate::hello::ClientHello;
use crate::settings::{Alpn, Expected, Settings};
use crate::stop::{Stop, expect, unexpected};

/// A complete handshake.
pub(crate) struct Handshake<'c> {
    pub(crate) connection: &'c Connection,
    /// An earlier session should have been resumed.
    pub(crate) resumes: bool,
    /// The number of the credential that this side showed.
    pub(crate) selected_credential: i32,
    /// What the client sent, if this is a server.
    pub(crate) client_hello: Option<Vec<u8>>,
}

/// Checks what is known when the handshake is complete.
pub(crate) fn check_handshake(settings: &Settings, handshake: &Handshake<'_>) -> Result<(), Stop> {
    let agreed = handshake
        .connection
        .agreed()
        .ok_or_else(|| unexpected("Nothing was agreed on"))?;
    check_agreed(&settings.expected, agreed)?;
    check_protocol(settings, agreed)?;
    check_resumption(settings, handshake.resumes, agreed)?;
    check_peer(settings, handshake.connection)?;
    if let Some(expected) = settings.expected.selected_credential {
        equal("the credential", &handshake.selected_credential, &expected)?;
    }
    if let Some(reason) = &settings.expected.early_data_reason {
        check_early_data_reason(reason)?;
    }
    if let Some(hello) = &handshake.client_hello {
        check_client_hello(&settings.expected, ClientHello(hello))?;
    }
    Ok(())
}

fn check_agreed(expected: &Expected, agreed: &Agreed) -> Result<(), Stop> {
    let suite = agreed.suite.to_u16();
    let suite_by_hardware = if has_aes() {
        expected.suite_with_aes
    } else {
        expected.suite_without_aes
    };
    let numbers = [
        ("the version", number_of(agreed.version), expected.version),
        ("the cipher suite", suite, expected.suite),
        ("the cipher suite", suite, suite_by_hardware),
    ];
    for (what, found, wanted) in numbers {
        if let Some(wanted) = wanted {
            equal(what, &found, &wanted)?;
        }
    }
    if let Some(wanted) = expected.group {
        let found = agreed.group.map(NamedGroup::to_u16);
        // A session of TLS 1.2 is resumed without an exchange of keys.
        let has_group = !agreed.resumed || agreed.version == ProtocolVersion::Tls13;
        equal("the group", &found, &Some(wanted).filter(|_| has_group))?;
    }
    if let Some(wanted) = expected.secure_renegotiation {
        // TLS 1.3 cannot be renegotiated at all.
        let found = agreed.secure_renegotiation || agreed.version == ProtocolVersion::Tls13;
        equal("secure renegotiation", &found, &wanted)?;
    }
    if expected.extended_master_secret {
        let found = agreed.extended_master_secret || agreed.version == ProtocolVersion::Tls13;
        equal("the extended master secret", &found, &true)?;
    }
    if let Some(wanted) = expected.peer_signature {
        // Nobody signs in a handshake that resumes a session.
        let wanted = Some(wanted).filter(|_| !agreed.resumed);
        let found = agreed.peer_signature.map(SignatureScheme::to_u16);
        equal("the peer's signature scheme", &found, &wanted)?;
    }
    if let Some(wanted) = expected.retry {
        equal("a HelloRetryRequest", &agreed.retried, &wanted)?;
    }
    if let Some(wanted) = &expected.server_name {
        let found = agreed.server_name.as_deref().map(str::as_bytes);
        equal("the server name", &found, &Some(wanted.as_slice()))?;
    }
    Ok(())
}

/// A server finds what it selected itself, a client what the runner says.
fn check_protocol(settings: &Settings, agreed: &Agreed) -> Result<(), Stop> {
    let wanted: &[u8] = match (settings.role, &settings.alpn) {
        (Role::Server, Alpn::Selected(protocol)) => protocol,
        (Role::Server, _) => &[],
        (Role::Client, _) => &settings.expected.alpn,
    };
    let found = agreed.alpn.as_deref().unwrap_or_default();
    equal("the application protocol", &found, &wanted)
}

fn check_resumption(settings: &Settings, resumes: bool, agreed: &Agreed) -> Result<(), Stop> {
    let wanted = resumes && !settings.expected.session_miss;
    equal("resumption", &agreed.resumed, &wanted)
}

fn check_peer(settings: &Settings, connection: &Connection) -> Result<(), Stop> {
    let expected = &settings.expected;
    let chain = connection.peer().map(countersign::Peer::certificates);
    if expected.no_peer_certificate {
        expect(chain.is_none(), || "The peer has a certificate".to_owned())?;
    } else if settings.role == Role::Client || settings.require_certificate {
        expect(chain.is_some(), || "The peer has no certificate".to_owned())?;
    }
    if let Some(file) = &expected.peer_chain_file {
        let wanted: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
            .map_err(|error| unexpected(format!("{file}: {error}")))?
            .collect();
        let wanted = wanted.map_err(|error| unexpected(format!("{file}: {error}")))?;
        expect(chain == Some(&wanted), || {
            "The peer's chain is another one".to_owned()
        })?;
    }
    if expected.verify_result {
        let wanted = if settings.verify_fails {
            VerifyCode::APPLICATION_VERIFICATION
        } else {
            VerifyCode::OK
        };
        // As OpenSSL counts, nothing was wrong where there was no certificate.
        let found = connection.verify_result().unwrap_or(VerifyCode::OK);
        equal("the verify result", &found, &wanted)?;
    }
    Ok(())
}

/// There is but one reason why no early data is sent or taken here.
fn check_early_data_reason(reason: &[u8]) -> Result<(), Stop> {
    match reason {
        b"disabled" => Ok(()),
        b"accepted" => Err(unexpected("No early data was accepted")),
        _ => Err(Stop::Unimplemented("early data".to_owned())),
    }
}

fn check_client_hello(expected: &Expected, hello: ClientHello<'_>) -> Result<(), Stop> {
    if !expected.peer_schemes.is_empty() {
        let found = hello.signature_schemes().unwrap_or_default();
        equal(
            "the client's signature schemes",
            &found,
            &expected.peer_schemes,
        )?;
    }
    if let Some(wanted) = &expected.advertised_alpn {
        let found = hello.protocols();
        equal("the client's protocols", &found, &Some(wanted.as_slice()))?;
    }
    if expected.no_server_name {
        expect(!hello.names_a_server(), || {
            "The client names a server".to_owned()
        })?;
    }
    Ok(())
}

/// Checks what a server says when it asks for a certificate.
pub(crate) fn check_request(settings: &Settings, request: &CredentialQuestion) -> Result<(), Stop> {
    let expected = &settings.expected;
    if !expected.peer_schemes.is_empty() {
        let schemes = request.schemes().iter();
        let found: Vec<_> = schemes.map(|scheme| scheme.to_u16()).collect();
        equal(
            "the server's signature schemes",
            &found,
            &expected.peer_schemes,
        )?;
    }
    if let Some(wanted) = &expected.authorities {
        equal(
            "the names of the authorities",
            &request.authorities(),
            &wanted.as_slice(),
        )?;
    }
    Ok(())
}

/// What a connection left behind.
pub(crate) struct Kept {
    /// How many tickets came in the handshake.
    pub(crate) tickets_in_handshake: usize,
    /// A client can come back with a session of this connection.
    pub(crate) sessions: bool,
    /// A server has put a session into its store.
    pub(crate) stored: bool,
}

/// Checks, at the end of a connection, whether it left something to resume.
pub(crate) fn check_kept(
    settings: &Settings,
    connection: &Connection,
    resumes: bool,
    kept: &Kept,
) -> Result<(), Stop> {
    let expected = &settings.expected;
    let agreed = connection.agreed();
    if settings.role == Role::Server {
        return match expected.session_id {
            Some(wanted) if !resumes => equal("a session in the store", &kept.stored, &wanted),
            _ => Ok(()),
        };
    }
    if agreed.is_some_and(|agreed| agreed.version == ProtocolVersion::Tls13) {
        // Tickets come after the handshake, so one who goes at once takes in none.
        let wanted = !expected.no_session && !settings.shuts_down;
        return equal("a new session", &kept.sessions, &wanted);
    }
    if agreed.is_some_and(|agreed| agreed.resumed) {
        let renewed = kept.tickets_in_handshake > 0;
        return equal("a new ticket", &renewed, &expected.ticket_renewal);
    }
    equal("a new session", &kept.sessions, &!expected.no_session)
}

/// Checks, at the end of a connection, how often the handshake was made again.
pub(crate) fn check_renegotiations(settings: &Settings, count: u32) -> Result<(), Stop> {
    equal(
        "the renegotiations",
        &count,
        &settings.expected.renegotiations,
    )
}

fn number_of(version: ProtocolVersion) -> u16 {
    match version {
        ProtocolVersion::Tls12 => 0x0303,
        ProtocolVersion::Tls13 => 0x0304,
        _ => 0,
    }
}

/// Whether BoringSSL would prefer AES on this machine.
fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

fn equal<T: PartialEq + core::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), Stop> {
    expect(found == wanted, || {
        format!("Expected {what} to be {wanted:?}, but it is {found:?}")
    })
}
