//! Authentication in TLS 1.3: Certificate, verdict, CertificateVerify, Finished (RFC 9846 §4.5). The same
//! functions serve the handshake and what comes after it, in both roles.

use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::established::ProtocolVersion;
use crate::connection::state::State;
use crate::crypto::peer_key::{self, PeerKey};
use crate::crypto::signature::SignatureScheme;
use crate::crypto::signed_content::{SignedBy, certificate_verify_content};
use crate::error::Result;
use crate::handshake::authenticate::{
    Expectation, Identity, Shown, accept_absence, choose_credential, collect_chain, decide,
    read_leaf, refuse_or_go_on, sign, signing_key,
};
use crate::handshake::hello::Wanted;
use crate::handshake::script::Wire;
use crate::handshake::transcript::Transcript;
use crate::keys::schedule13::TrafficSecret;
use crate::messages::{
    Certificate, CertificateEntry, CertificateRequest, CertificateVerify, Finished, List,
    read_message, write_message,
};
use crate::verify::mode::Role;
use crate::verify::peer::{CertificateChain, Since};
use crate::violation::Violation;

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
        return accept_absence(wire, ProtocolVersion::Tls13).map(|()| None);
    };
    // One that cannot be read has no faults that a verifier could report or a mode let pass.
    let leaf = read_leaf(&chain)?;
    let judgement = decide(wire, config, &expectation, &chain).await?;
    refuse_or_go_on(wire, &expectation, &chain, &judgement)?;
    let key = signing_key(config, &leaf)?;
    transcript.add(certificate);

    let message = wire.receive(State::AwaitingCertificateVerify).await;
    let scheme = check_certificate_verify(config, &expectation, transcript, &key, &message)?;
    transcript.add(&message);
    let peer = judgement.into_peer(chain, expectation.since);
    Ok(Some(Identity { peer, scheme }))
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
    let entries = certificate.entries.iter();
    collect_chain(
        config,
        expectation.whose,
        entries.map(|entry| entry.certificate),
    )
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
    let mut offered = config.schemes_of(ProtocolVersion::Tls13);
    if offered.all(|own| own != scheme) {
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

/// Answers a CertificateRequest, and returns what was shown, if anything.
pub(crate) async fn answer_request(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    request: &CertificateRequest<'_>,
    since: Since,
) -> Result<Option<Shown>> {
    let wanted = Wanted {
        version: ProtocolVersion::Tls13,
        schemes: request.signature_algorithms.unwrap_or_default(),
        authorities: request.certificate_authorities.unwrap_or_default(),
    };
    let Some((credential, scheme)) = choose_credential(wire, config, wanted, since).await? else {
        // RFC 9846 §4.5.2: a client without a suitable certificate MUST send an empty Certificate.
        wire.send(
            transcript,
            &Certificate {
                context: request.context,
                entries: List::default(),
            },
        )?;
        return Ok(None);
    };
    send_identity(
        wire,
        transcript,
        Role::Client,
        request.context,
        (&credential, scheme),
    )
    .await?;
    Ok(credential.certificates().first().map(|certificate| Shown {
        certificate: certificate.clone(),
        scheme,
    }))
}

/// Sends our identity: Certificate and CertificateVerify.
pub(crate) async fn send_identity(
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
    // RFC 9846 §4.7.2: nothing may come between the messages of an answer after the handshake, so
    // the first waits for the signature in the second.
    let mut certificate = Vec::new();
    write_message(
        &Certificate {
            context,
            entries: List::from(entries.as_slice()),
        },
        &mut certificate,
    )?;
    transcript.add(&certificate);
    let message = certificate_verify_content(signed_by(role), &transcript.hash());
    let signature = sign(wire, credential, scheme, message).await?;
    wire.send_whole(&certificate);
    wire.send(
        transcript,
        &CertificateVerify {
            scheme: scheme.to_u16(),
            signature: &signature,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Certificate, CertificateEntry, List, receive_identity};
    use crate::config::ClientConfig;
    use crate::error::Error;
    use crate::handshake::authenticate::Expectation;
    use crate::handshake::script::{Script, Wire};
    use crate::handshake::transcript::Transcript;
    use crate::messages::{ExtensionSet, write_message};
    use crate::verify::mode::{Role, VerifyMode};
    use crate::verify::peer::Since;
    use crate::verify::verifier::{Presented, Verdict};
    use crate::violation::Violation;

    /// What comes of a server's Certificate in which there is only this.
    fn receive(mode: VerifyMode, certificate: &[u8]) -> Error {
        let refuse = |_: &Presented<'_>| Verdict::Reject {
            alert: crate::Alert::AccessDenied,
            because: "it was asked".to_owned(),
        };
        let config = ClientConfig::builder().verify(mode).verifier(refuse);
        let config = Arc::clone(&config.build().unwrap().0);
        let entries = [CertificateEntry {
            certificate,
            ..CertificateEntry::default()
        }];
        let message = Certificate {
            context: &[],
            entries: List::from(&entries),
        };
        let mut bytes = Vec::new();
        write_message(&message, &mut bytes).unwrap();
        let wire = Wire::new(config.settings.clone());
        let handshake = {
            let wire = wire.clone();
            async move {
                let expectation = Expectation {
                    whose: Role::Server,
                    names: Vec::new(),
                    context: &[],
                    solicited: ExtensionSet::default(),
                    since: Since::Handshake,
                    server_name: None,
                };
                let mut transcript = Transcript::new();
                receive_identity(&wire, &config, &mut transcript, expectation, &bytes)
                    .await
                    .map(|_| ())
            }
        };
        Script::new(wire, handshake, |()| ())
            .resume()
            .err()
            .unwrap()
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_refused_before_anybody_is_asked() {
        for mode in [VerifyMode::PEER, VerifyMode::NONE] {
            let error = receive(mode, b"garbage");
            assert!(
                matches!(
                    error,
                    Error::PeerViolated {
                        violation: Violation::UndecodableLeafCertificate,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
}
