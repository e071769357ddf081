//! Authentication as far as it is the same in every version: judging the peer's certificates, choosing and
//! signing with our own.

use std::sync::Arc;

use countersign_x509::{Certificate as X509, ExpectedName};
use pki_types::CertificateDer;

use crate::config::credential::Credential;
use crate::config::{Config, KeyUsageRule, WithoutCredential};
use crate::connection::established::ProtocolVersion;
use crate::crypto::peer_key::PeerKey;
use crate::crypto::private_key::SignError;
use crate::crypto::signature::SignatureScheme;
use crate::error::{Error, Rejection, Result};
use crate::handshake::hello::{self, Wanted};
use crate::handshake::script::Wire;
use crate::messages::ExtensionSet;
use crate::verify::judgement::{Judgement, judge};
use crate::verify::mode::Role;
use crate::verify::peer::{CertificateChain, Peer, Since};
use crate::verify::policy::{self, AfterFailure};
use crate::verify::question::{
    AnswerBody, CredentialInquiry, Inquiry, PeerInquiry, SignatureInquiry,
};
use crate::verify::verifier::{Presented, Verdict, Verification};
use crate::violation::Violation;

/// What came to an end that cannot.
const WRONG_ANSWER: Error = Error::Internal("a question got the answer to another one");

/// What the peer's identity is measured by.
pub(crate) struct Expectation<'a> {
    /// Whose identity it is.
    pub(crate) whose: Role,
    /// The names of which one must be in the certificate.
    pub(crate) names: Vec<ExpectedName>,
    /// The context of the request that it answers.
    pub(crate) context: &'a [u8],
    /// The extensions that its entries may carry.
    pub(crate) solicited: ExtensionSet,
    /// When it is established.
    pub(crate) since: Since,
    /// The name of the server, as the client calls it.
    pub(crate) server_name: Option<&'a str>,
}

/// A peer that has proved who it is, and the scheme in which it did.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) peer: Peer,
    pub(crate) scheme: SignatureScheme,
}

/// What we have shown of ourselves.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) scheme: SignatureScheme,
}

/// Verifies again, as of now, a chain that proved its key on an earlier connection. `None` if
/// it would not be accepted in a handshake of now.
pub(crate) async fn reverify_identity(
    wire: &Wire,
    config: &Config,
    expectation: &Expectation<'_>,
    chain: &CertificateChain,
) -> Result<Option<Peer>> {
    let judgement = decide(wire, config, expectation, chain).await?;
    let refused = refuse_or_go_on(wire, expectation, chain, &judgement).is_err();
    Ok(if refused {
        None
    } else {
        Some(judgement.into_peer(chain.clone(), expectation.since))
    })
}

/// The certificates of a Certificate message. `None` if there are none, which only a client may send.
pub(crate) fn collect_chain<'m>(
    config: &Config,
    whose: Role,
    certificates: impl Iterator<Item = &'m [u8]>,
) -> Result<Option<CertificateChain>> {
    let certificates = certificates.map(|der| CertificateDer::from(der.to_vec()));
    let chain: Vec<_> = certificates
        .take(config.limits.certificates.saturating_add(1))
        .collect();
    if chain.len() > config.limits.certificates {
        return Err(Violation::TooManyCertificates.into());
    }
    match (whose, chain.is_empty()) {
        (_, false) => Ok(Some(CertificateChain::new(chain))),
        // RFC 9846 §4.5.2.4: an empty Certificate of a server MUST be answered with decode_error.
        (Role::Server, true) => Err(Violation::EmptyServerCertificate.into()),
        (Role::Client, true) => Ok(None),
    }
}

/// Lets a client without a certificate pass, if the mode does.
pub(crate) fn accept_absence(wire: &Wire, version: ProtocolVersion) -> Result<()> {
    let mode = wire.settings().mode;
    policy::missing_certificate(mode, version).map_err(|alert| Error::NoPeerCertificate { alert })
}

/// The certificate that holds the key with which the peer has to sign.
pub(crate) fn read_leaf(chain: &CertificateChain) -> Result<X509<'_>> {
    let leaf = chain
        .leaf()
        .ok_or(Error::Internal("a chain without a certificate"))?;
    X509::parse(leaf).map_err(|_| Violation::UndecodableLeafCertificate.into())
}

/// The key with which the peer has to sign the handshake.
pub(crate) fn signing_key(config: &Config, leaf: &X509<'_>) -> Result<PeerKey> {
    // RFC 9846 §4.5.2.2, RFC 5246 §7.4.2: the digitalSignature bit MUST be set if the keyUsage extension is present.
    let usage = leaf.extensions().key_usage();
    if config.key_usage == KeyUsageRule::Enforced
        && usage.is_some_and(|usage| !usage.digital_signature())
    {
        return Err(Violation::KeyNotForSigning.into());
    }
    PeerKey::from_spki(leaf.public_key().der())
}

/// Has the chain verified, now or later, and judged.
pub(crate) async fn decide(
    wire: &Wire,
    config: &Config,
    expectation: &Expectation<'_>,
    chain: &CertificateChain,
) -> Result<Judgement> {
    let presented = Presented {
        chain: chain.certificates(),
        whose: expectation.whose,
        names: &expectation.names,
        time: config.environment.clock.now(),
        depth: wire.settings().depth,
        security_level: config.security_level,
        since: expectation.since,
        server_name: expectation.server_name,
    };
    // Read first: if trust is replaced meanwhile, the verdict counts as of before.
    let epoch = config.verifier.epoch();
    let verdict = match config.verifier.verify(&presented) {
        Verification::Now(verdict) => verdict,
        Verification::Later => ask_about_peer(wire, &presented, chain).await?,
    };
    // The callback of this moment: it may have been changed while the question was open.
    let callback = wire.settings().callback;
    let judgement = judge(verdict, &presented, callback.as_deref(), epoch);
    wire.note(judgement.traced(expectation.whose));
    Ok(judgement)
}

async fn ask_about_peer(
    wire: &Wire,
    presented: &Presented<'_>,
    chain: &CertificateChain,
) -> Result<Verdict> {
    let inquiry = PeerInquiry {
        chain: chain.clone(),
        whose: presented.whose,
        names: presented.names.to_vec(),
        time: presented.time,
        depth: presented.depth,
        security_level: presented.security_level,
        since: presented.since,
        server_name: presented.server_name.map(str::to_owned),
    };
    match wire.ask(Inquiry::Peer(inquiry)).await {
        AnswerBody::Peer(verdict) => Ok(verdict),
        _ => Err(WRONG_ANSWER),
    }
}

/// Ends the connection if the mode says so.
pub(crate) fn refuse_or_go_on(
    wire: &Wire,
    expectation: &Expectation<'_>,
    chain: &CertificateChain,
    judgement: &Judgement,
) -> Result<()> {
    // The mode of this moment: it may have been changed while a question was open.
    let mode = wire.settings().mode;
    let role = expectation.whose.peer();
    if judgement.accepted || policy::after_failure(mode, role) == AfterFailure::GoOn {
        return Ok(());
    }
    let rejection = Rejection {
        whose: expectation.whose,
        chain: chain.clone(),
        report: Arc::clone(&judgement.report),
        code: judgement.code,
        because: judgement.because.clone(),
    };
    Err(Error::PeerRejected {
        rejection: Arc::new(rejection),
        alert: judgement.alert,
    })
}

/// Client: chooses what to show to a server that asks for a certificate: what the owner names if
/// asked, else what fits best, or nothing. Whether it is good enough is the server's to say.
pub(crate) async fn choose_credential(
    wire: &Wire,
    config: &Config,
    wanted: Wanted<'_>,
    since: Since,
) -> Result<Option<(Credential, SignatureScheme)>> {
    let named = if config.ask_for_credential {
        Some(ask_for_credential(wire, wanted, since).await?)
    } else {
        None
    };
    let chosen = match &named {
        Some(named) => named
            .as_ref()
            .and_then(|own| Some((own, hello::choose_scheme(config, own, wanted)?))),
        None => hello::choose_credential(config, wanted),
    };
    match chosen {
        None if config.without_credential == WithoutCredential::Fail => {
            let ours = named.as_ref().map(Option::as_slice);
            let ours = ours.unwrap_or(&config.credentials);
            Err(hello::no_fitting_credential(config, ours, wanted))
        }
        chosen => Ok(chosen.map(|(credential, scheme)| (credential.clone(), scheme))),
    }
}

async fn ask_for_credential(
    wire: &Wire,
    wanted: Wanted<'_>,
    since: Since,
) -> Result<Option<Credential>> {
    let authorities = wanted.authorities.iter();
    let inquiry = CredentialInquiry {
        authorities: authorities.map(|name| name.0.to_vec()).collect(),
        schemes: wanted.schemes.iter().map(SignatureScheme::from).collect(),
        since,
    };
    match wire.ask(Inquiry::Credential(inquiry)).await {
        AnswerBody::Credential(credential) => Ok(credential),
        _ => Err(WRONG_ANSWER),
    }
}

/// Signs with the key of our credential, now or later.
pub(crate) async fn sign(
    wire: &Wire,
    credential: &Credential,
    scheme: SignatureScheme,
    message: Vec<u8>,
) -> Result<Vec<u8>> {
    match credential.signer().sign(scheme, &message) {
        Ok(signature) => Ok(signature),
        Err(SignError::Later) => ask_for_signature(wire, scheme, message).await,
        Err(error) => Err(Error::SigningFailed(error.to_string())),
    }
}

async fn ask_for_signature(
    wire: &Wire,
    scheme: SignatureScheme,
    message: Vec<u8>,
) -> Result<Vec<u8>> {
    match wire
        .ask(Inquiry::Signature(SignatureInquiry { scheme, message }))
        .await
    {
        AnswerBody::Signature(signature) => signature.map_err(Error::SigningFailed),
        _ => Err(WRONG_ANSWER),
    }
}
