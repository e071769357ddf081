//! The key exchange of TLS 1.2: on a curve and signed (RFC 8422), or anonymous in a finite field (RFC 5246 §7.4.3).

use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::established::ProtocolVersion;
use crate::connection::state::State;
use crate::crypto::finite_field::{FiniteFieldGroup, FiniteFieldShare};
use crate::crypto::group::{KeyShare, NamedGroup, SharedSecret};
use crate::crypto::peer_key;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::{Authentication, CipherSuite};
use crate::error::Result;
use crate::handshake::authenticate::sign;
use crate::handshake::hello::{self, Wanted};
use crate::handshake::script::Wire;
use crate::handshake::tls12::authenticate::{Claim, check_scheme};
use crate::handshake::transcript::Transcript;
use crate::keys::schedule12::Randoms;
use crate::messages::tls12::{
    ClientKeyExchange, ClientPublic, CurveParameters, FiniteFieldParameters, ServerKeyExchange,
    SignedParameters,
};
use crate::messages::{ClientHello, List, Writer, read_message};
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::policy;
use crate::violation::Violation;

/// RFC 7919 §2: the numbers of groups over finite fields.
const FINITE_FIELDS: core::ops::RangeInclusive<u16> = 0x0100..=0x01ff;

/// In what keys are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Curve(NamedGroup),
    FiniteField(FiniteFieldGroup),
}

impl Group {
    pub(crate) fn curve(self) -> Option<NamedGroup> {
        match self {
            Self::Curve(group) => Some(group),
            Self::FiniteField(_) => None,
        }
    }

    pub(crate) fn finite_field(self) -> Option<FiniteFieldGroup> {
        match self {
            Self::Curve(_) => None,
            Self::FiniteField(group) => Some(group),
        }
    }
}

/// What a server chooses together, because each depends on the others.
pub(crate) struct Choice<'c> {
    pub(crate) suite: CipherSuite,
    pub(crate) group: Group,
    /// What the server authenticates with, unless the suite is anonymous.
    pub(crate) own: Option<(&'c Credential, SignatureScheme)>,
}

/// Server: the first of our suites that the client offers and for which there is a group and a credential.
pub(crate) fn choose<'c>(
    config: &'c Config,
    mode: VerifyMode,
    hello: &ClientHello<'_>,
) -> Result<Choice<'c>> {
    let offered = hello.cipher_suites;
    let suites = || {
        let ours = config.suites_of(ProtocolVersion::Tls12);
        ours.filter(|suite| offered.contains(&suite.to_u16()))
            .filter(|suite| {
                !suite.is_anonymous() || policy::takes_anonymous_suites(mode, Role::Server)
            })
    };
    if let Some(choice) = suites().find_map(|suite| choose_for(config, suite, hello)) {
        return Ok(choice);
    }
    let ours = || {
        let groups = config.groups.iter().copied();
        groups.filter(|group| group.is_for_tls12())
    };
    Err(if suites().next().is_none() {
        hello::no_common_suite(config, ProtocolVersion::Tls12, offered)
    } else if choose_curve(config, hello).is_none() {
        let theirs = hello.extensions.supported_groups.unwrap_or_default();
        hello::no_common_group(ours(), theirs)
    } else if let Some(scheme) = scheme_without_curve(config, hello) {
        let theirs = hello.extensions.supported_groups.unwrap_or_default();
        hello::no_common_curve(scheme, theirs)
    } else {
        let schemes = hello.extensions.signature_algorithms.unwrap_or_default();
        let wanted = wanted(hello, schemes);
        let mut ours = config.credentials.iter();
        match hello::choose_credential(config, wanted) {
            Some(_) if !ours.any(Credential::may_sign) => hello::no_key_that_signs(schemes),
            // It is of another kind than the suites of the client ask for.
            Some(_) => hello::no_common_suite(config, ProtocolVersion::Tls12, offered),
            None => hello::no_fitting_credential(config, &config.credentials, wanted),
        }
    })
}

fn choose_for<'c>(
    config: &'c Config,
    suite: CipherSuite,
    hello: &ClientHello<'_>,
) -> Option<Choice<'c>> {
    if suite.is_anonymous() {
        return Some(Choice {
            suite,
            group: Group::FiniteField(choose_finite_field(config, hello)?),
            own: None,
        });
    }
    Some(Choice {
        suite,
        group: Group::Curve(choose_curve(config, hello)?),
        own: Some(choose_credential(config, suite, hello)?),
    })
}

/// The first of our curves that the client has. One that says nothing about curves is old, and knows P-256 best.
fn choose_curve(config: &Config, hello: &ClientHello<'_>) -> Option<NamedGroup> {
    let says_nothing = hello.extensions.supported_groups.is_none();
    let ours = || {
        let groups = config.groups.iter().copied();
        groups.filter(|group| group.is_for_tls12() && supports(hello, group.to_u16()))
    };
    ours()
        .find(|group| says_nothing && *group == NamedGroup::Secp256r1)
        .or_else(|| ours().next())
}

/// Whether the client has this group. RFC 8422 §4: one that says nothing about curves has any.
fn supports(hello: &ClientHello<'_>, group: u16) -> bool {
    let theirs = hello.extensions.supported_groups;
    theirs.is_none_or(|theirs| theirs.contains(&group))
}

/// The first credential of the suite's kind that the client can verify.
fn choose_credential<'c>(
    config: &'c Config,
    suite: CipherSuite,
    hello: &ClientHello<'_>,
) -> Option<(&'c Credential, SignatureScheme)> {
    let wants_rsa = suite.authentication() == Authentication::Rsa;
    // RFC 5246 §7.4.1.4.1: a client that says nothing verifies SHA-1 only, which is not signed here.
    let schemes: Vec<u16> = hello
        .extensions
        .signature_algorithms
        .unwrap_or_default()
        .iter()
        .filter(|code| {
            let scheme = SignatureScheme::from(*code);
            // RFC 8422 §5.3: the key's curve MUST be one that the client has.
            let curve_fits = scheme.curve().is_none_or(|curve| supports(hello, curve));
            scheme.is_rsa() == wants_rsa && curve_fits
        })
        .collect();
    let wanted = wanted(hello, List::from(schemes.as_slice()));
    // RFC 5246 §7.4.2: the certificate MUST allow the key to be used for signing.
    hello::choose_credential_that(config, wanted, Credential::may_sign)
}

/// What the client says about our certificate, in these schemes.
fn wanted<'a>(hello: &ClientHello<'a>, schemes: List<'a, u16>) -> Wanted<'a> {
    Wanted {
        version: ProtocolVersion::Tls12,
        schemes,
        authorities: hello.extensions.certificate_authorities.unwrap_or_default(),
    }
}

/// A scheme that both ends have, and that only fails because the client lacks the curve of our key.
fn scheme_without_curve(config: &Config, hello: &ClientHello<'_>) -> Option<SignatureScheme> {
    let theirs = hello.extensions.signature_algorithms.unwrap_or_default();
    let (_, scheme) = hello::choose_credential(config, wanted(hello, theirs))?;
    let curve = scheme.curve()?;
    (!supports(hello, curve)).then_some(scheme)
}

/// The smallest group that is strong enough. RFC 7919 §4: a client that names groups over finite fields MUST be given
/// one of them.
fn choose_finite_field(config: &Config, hello: &ClientHello<'_>) -> Option<FiniteFieldGroup> {
    let theirs = hello.extensions.supported_groups.unwrap_or_default();
    let names_some = theirs.iter().any(|code| FINITE_FIELDS.contains(&code));
    let mut strong = FiniteFieldGroup::NAMED
        .iter()
        .filter_map(|code| Some((*code, FiniteFieldGroup::from_u16(*code)?)))
        .filter(|(_, group)| group.security_bits() >= config.required_bits);
    strong
        .find(|(code, _)| !names_some || theirs.contains(code))
        .map(|(_, group)| group)
}

/// One end's private value.
pub(crate) enum Share {
    Curve(KeyShare),
    FiniteField(FiniteFieldShare),
}

/// Server: sends its half of the key exchange, signed unless the suite is anonymous.
pub(crate) async fn send_server_key_exchange(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    choice: &Choice<'_>,
    randoms: &Randoms,
) -> Result<Share> {
    let (share, content) = match (choice.group, choice.own) {
        (Group::Curve(group), Some((credential, scheme))) => {
            let share = KeyShare::generate(group)?;
            let parameters = CurveParameters {
                group: group.to_u16(),
                point: share.public(),
            };
            let signed = signed_content(randoms, &parameters)?;
            let signature = sign(wire, credential, scheme, signed).await?;
            let content = write_content(|writer| {
                let signed = SignedParameters {
                    parameters,
                    scheme: scheme.to_u16(),
                    signature: &signature,
                };
                signed.write(writer);
            })?;
            (Share::Curve(share), content)
        }
        (Group::FiniteField(group), _) => {
            let share = FiniteFieldShare::generate(group, &*config.environment.random)?;
            let content = write_content(|writer| {
                let parameters = FiniteFieldParameters {
                    prime: group.prime(),
                    generator: FiniteFieldGroup::GENERATOR,
                    public: share.public(),
                };
                parameters.write(writer);
            })?;
            (Share::FiniteField(share), content)
        }
        (Group::Curve(_), None) => {
            return Err(crate::Error::Internal("a server without a credential"));
        }
    };
    wire.send(transcript, &ServerKeyExchange { content: &content })?;
    Ok(share)
}

/// What the server signs: both random values and its parameters (RFC 8422 §5.4).
fn signed_content(randoms: &Randoms, parameters: &CurveParameters<'_>) -> Result<Vec<u8>> {
    write_content(|writer| {
        writer.bytes(&randoms.client);
        writer.bytes(&randoms.server);
        parameters.write(writer);
    })
}

fn write_content(write: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut writer = Writer::new(&mut content);
    write(&mut writer);
    writer.finish()?;
    Ok(content)
}

/// Server: takes in the client's half and computes the premaster secret.
pub(crate) async fn receive_client_key_exchange(
    wire: &Wire,
    transcript: &mut Transcript,
    share: Share,
) -> Result<SharedSecret> {
    let message = wire.receive(State::AwaitingClientKeyExchange).await;
    let exchange: ClientKeyExchange<'_> = read_message(&message)?;
    let premaster = match share {
        Share::Curve(share) => share.agree(exchange.curve_point()?)?,
        Share::FiniteField(share) => share.agree(exchange.finite_field()?)?,
    };
    transcript.add(&message);
    Ok(premaster)
}

/// The server's half, as a client has checked it.
pub(crate) struct ServerShare {
    pub(crate) group: Group,
    public: Vec<u8>,
    /// In which scheme it was signed.
    pub(crate) scheme: Option<SignatureScheme>,
}

/// Client: takes in the server's half. With a `claim` it has to be signed with the key of that certificate.
pub(crate) async fn receive_server_key_exchange(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    claim: Option<&Claim>,
    randoms: &Randoms,
) -> Result<ServerShare> {
    let message = wire.receive(State::AwaitingServerKeyExchange).await;
    let exchange: ServerKeyExchange<'_> = read_message(&message)?;
    transcript.add(&message);
    let Some(claim) = claim else {
        let parameters = exchange.anonymous()?;
        let group = FiniteFieldGroup::recognize(parameters.prime, parameters.generator)?;
        if group.security_bits() < config.required_bits {
            return Err(hello::too_weak(config, group));
        }
        return Ok(ServerShare {
            group: Group::FiniteField(group),
            public: parameters.public.to_vec(),
            scheme: None,
        });
    };
    let signed = exchange.signed()?;
    let scheme = SignatureScheme::from(signed.scheme);
    check_scheme(config, scheme)?;
    let content = signed_content(randoms, &signed.parameters)?;
    peer_key::verify_tls12(scheme, &claim.key, &content, signed.signature)?;
    // RFC 8422 §5.4: the curve MUST be one that was offered.
    let group = NamedGroup::from_u16(signed.parameters.group)
        .filter(|group| group.is_for_tls12() && config.groups.contains(group))
        .ok_or(Violation::ServerShareNotOffered)?;
    Ok(ServerShare {
        group: Group::Curve(group),
        public: signed.parameters.point.to_vec(),
        scheme: Some(scheme),
    })
}

/// Client: sends its half, and computes the premaster secret.
pub(crate) fn send_client_key_exchange(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    server: &ServerShare,
) -> Result<SharedSecret> {
    match server.group {
        Group::Curve(group) => {
            let share = KeyShare::generate(group)?;
            let content = ClientPublic::CurvePoint(share.public());
            wire.send(transcript, &ClientKeyExchange { content })?;
            share.agree(&server.public)
        }
        Group::FiniteField(group) => {
            let share = FiniteFieldShare::generate(group, &*config.environment.random)?;
            let content = ClientPublic::FiniteField(share.public());
            wire.send(transcript, &ClientKeyExchange { content })?;
            share.agree(&server.public)
        }
    }
}
