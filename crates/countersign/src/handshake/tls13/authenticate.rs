//! Authentication: Certificate, verdict, CertificateVerify (RFC 9846 §4.5). The same
//! functions serve the handshake and what comes after it, in both roles.

use std::sync::Arc;

use countersign_x509::{Certificate as X509, ExpectedName};
use pki_types::CertificateDer;

use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::state::State;
use crate::crypto::peer_key::{self, PeerKey};
use crate::crypto::signature::SignatureScheme;
use crate::crypto::signed_content::{SignedBy, certificate_verify_content};
use crate::error::{Error, Rejection, Result};
use crate::handshake::script::Wire;
use crate::handshake::transcript::Transcript;
use crate::keys::schedule13::TrafficSecret;
use crate::messages::{
    Certificate, CertificateEntry, CertificateVerify, ExtensionSet, Finished, List, read_message,
};

use crate::verify::judgement::{Judgement, judge};
use crate::verify::mode::Role;
use crate::verify::peer::{CertificateChain, Peer, Since};
use crate::verify::policy::{self, AfterFailure, Version};
use crate::verify::question::PeerInquiry;
use crate::verify::verifier::{Presented, Verdict, Verification};
use crate::violation::Violation;

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
}

/// A peer that has proved who it is, and the scheme in which it did.
pub(crate) struct Identity {
    pub(crate) peer: Peer,
    pub(crate) scheme: SignatureScheme,
}

/// Takes in the peer's identity: its Certificate (already received), our verdict about it, and the
/// CertificateVerify that proves it. `None` if the peer has none and that is acceptable.
pub(crate) async fn receive_identity(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    expectation: Expectation<'_>,
    certificate: &[u8],
) -> Result<Option<Identity>> {
    let Some(chain) = read_chain(config, &expectation, certificate)? else {
        transcript.add(certificate);
        return accept_absence(wire).map(|()| None);
    };
    let judgement = decide(wire, config, &expectation, &chain).await;
    refuse_or_go_on(wire, &expectation, &chain, &judgement)?;
    let key = leaf_key(&chain)?;
    transcript.add(certificate);

    let message = wire.receive(State::AwaitingCertificateVerify).await;
    let scheme = check_certificate_verify(config, &expectation, transcript, &key, &message)?;
    transcript.add(&message);
    let standing = judgement.standing();
    let Judgement { report, code, .. } = judgement;
    Ok(Some(Identity {
        peer: Peer {
            chain,
            report,
            code,
            standing,
            since: expectation.since,
        },
        scheme,
    }))
}

/// Reads the Certificate message. `None` if it is empty, which only a client's may be.
fn read_chain(
    config: &Config,
    expectation: &Expectation<'_>,
    message: &[u8],
) -> Result<Option<CertificateChain>> {
    let certificate: Certificate<'_> = read_message(message)?;
    // RFC 9846 §4.5.2: the context is that of the request, and empty in the handshake.
    if certificate.context != expectation.context {
        return Err(Violation::RequestContextMismatch.into());
    }
    certificate.check_solicited(expectation.solicited)?;
    if certificate.entries.iter().count() > config.limits.certificates {
        return Err(Violation::TooManyCertificates.into());
    }
    let chain: Vec<_> = certificate
        .entries
        .iter()
        .map(|entry| CertificateDer::from(entry.certificate.to_vec()))
        .collect();
    if chain.is_empty() {
        return match expectation.whose {
            // RFC 9846 §4.5.2.4: an empty Certificate of a server MUST be answered with decode_error.
            Role::Server => Err(Violation::EmptyServerCertificate.into()),
            Role::Client => Ok(None),
        };
    }
    Ok(Some(CertificateChain::new(chain)))
}

/// Lets a client without a certificate pass, if the mode does.
fn accept_absence(wire: &Wire) -> Result<()> {
    let mode = wire.settings().verify_mode;
    policy::missing_certificate(mode, Version::Tls13)
        .map_err(|alert| Error::NoPeerCertificate { alert })
}

/// The key with which the peer has to sign.
fn leaf_key(chain: &CertificateChain) -> Result<PeerKey> {
    let leaf = chain
        .leaf()
        .ok_or(Error::Internal("a chain without a certificate"))?;
    let parsed = X509::parse(leaf).map_err(|_| Violation::UndecodableLeafCertificate)?;
    PeerKey::from_spki(parsed.public_key().der())
}

/// Has the chain verified, now or later.
async fn decide(
    wire: &Wire,
    config: &Config,
    expectation: &Expectation<'_>,
    chain: &CertificateChain,
) -> Judgement {
    let settings = wire.settings();
    let presented = Presented {
        chain: chain.certificates(),
        whose: expectation.whose,
        names: &expectation.names,
        time: config.environment.clock.now(),
        depth: settings.verify_depth,
        security_level: config.security_level,
    };
    let verdict = match config.verifier.verify(&presented) {
        Verification::Now(verdict) => verdict,
        Verification::Later => ask(wire, &presented, chain).await,
    };
    // The callback of this moment: it may have been changed while the question was open.
    let callback = wire.settings().verify_callback;
    judge(verdict, expectation.whose, callback.as_deref())
}

async fn ask(wire: &Wire, presented: &Presented<'_>, chain: &CertificateChain) -> Verdict {
    let inquiry = PeerInquiry {
        chain: chain.clone(),
        whose: presented.whose,
        names: presented.names.to_vec(),
        time: presented.time,
        depth: presented.depth,
        security_level: presented.security_level,
    };
    wire.ask_about_peer(inquiry).await
}

/// Ends the connection if the mode says so.
fn refuse_or_go_on(
    wire: &Wire,
    expectation: &Expectation<'_>,
    chain: &CertificateChain,
    judgement: &Judgement,
) -> Result<()> {
    // The mode of this moment: it may have been changed while a question was open.
    let mode = wire.settings().verify_mode;
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

/// Checks that the peer holds the key of its certificate.
fn check_certificate_verify(
    config: &Config,
    expectation: &Expectation<'_>,
    transcript: &Transcript,
    key: &PeerKey,
    message: &[u8],
) -> Result<SignatureScheme> {
    let verify: CertificateVerify<'_> = read_message(message)?;
    let scheme = SignatureScheme::from(verify.scheme);
    // RFC 9846 §4.5.3: the algorithm MUST be one that was offered in signature_algorithms.
    if !config.signature_schemes.contains(&scheme) {
        return Err(if scheme.is_for_certificates_only() {
            Violation::SignatureSchemeForCertificatesOnly.into()
        } else {
            Violation::SignatureSchemeNotOffered.into()
        });
    }
    let content = certificate_verify_content(signed_by(expectation.whose), &transcript.hash());
    peer_key::verify(scheme, key, &content, verify.signature)?;
    Ok(scheme)
}

fn signed_by(role: Role) -> SignedBy {
    match role {
        Role::Client => SignedBy::Client,
        Role::Server => SignedBy::Server,
    }
}

/// Sends our identity: Certificate and CertificateVerify.
pub(crate) fn send_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    role: Role,
    context: &[u8],
    (credential, scheme): (&Credential, SignatureScheme),
) -> Result<()> {
    let entries: Vec<_> = credential
        .certificates()
        .iter()
        .map(|certificate| CertificateEntry {
            certificate,
            ..CertificateEntry::default()
        })
        .collect();
    wire.send(
        transcript,
        &Certificate {
            context,
            entries: List::from(entries.as_slice()),
        },
    )?;
    let message = certificate_verify_content(signed_by(role), &transcript.hash());
    let signature = credential
        .signer()
        .sign(scheme, &message)
        .map_err(|error| Error::SigningFailed(error.to_string()))?;
    wire.send(
        transcript,
        &CertificateVerify {
            scheme: scheme.to_u16(),
            signature: &signature,
        },
    )
}

/// Says that we have no certificate.
///
/// RFC 9846 §4.5.2: a client without a suitable certificate MUST send an empty Certificate.
pub(crate) fn send_no_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    context: &[u8],
) -> Result<()> {
    wire.send(
        transcript,
        &Certificate {
            context,
            entries: List::default(),
        },
    )
}

/// Sends the Finished of the direction that `secret` belongs to (RFC 9846 §4.5.4).
pub(crate) fn send_finished<Direction>(
    wire: &Wire,
    transcript: &mut Transcript,
    secret: &TrafficSecret<Direction>,
) -> Result<()> {
    let verify_data = secret.finished(&transcript.hash())?;
    wire.send(
        transcript,
        &Finished {
            verify_data: verify_data.as_ref(),
        },
    )
}

/// Takes in the peer's Finished, which proves that both ends saw the same handshake.
pub(crate) async fn receive_finished<Direction>(
    wire: &Wire,
    transcript: &mut Transcript,
    secret: &TrafficSecret<Direction>,
) -> Result<()> {
    let message = wire.receive(State::AwaitingFinished).await;
    let finished: Finished<'_> = read_message(&message)?;
    let hash = transcript.hash();
    secret.verify_finished(&hash, finished.of_length(hash.as_ref().len())?)?;
    transcript.add(&message);
    Ok(())
}
