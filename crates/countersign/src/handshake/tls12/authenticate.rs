//! Authentication in TLS 1.2: the Certificate of either end with our verdict, and the CertificateVerify of the
//! client (RFC 5246 §7.4.2, §7.4.6, §7.4.8).

use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::established::ProtocolVersion;
use crate::connection::state::State;
use crate::crypto::peer_key::{self, PeerKey};
use crate::crypto::signature::SignatureScheme;
use crate::error::Result;
use crate::handshake::authenticate::{
    Expectation, Identity, accept_absence, choose_credential, collect_chain, decide, read_leaf,
    refuse_or_go_on, signing_key,
};
use crate::handshake::hello::Wanted;
use crate::handshake::script::Wire;
use crate::handshake::tls12::renegotiation::Previous;
use crate::handshake::transcript::Transcript;
use crate::messages::tls12::{Certificate, CertificateData, CertificateRequest, CertificateType};
use crate::messages::{CertificateVerify, List, read_message};
use crate::verify::judgement::Judgement;
use crate::verify::peer::{CertificateChain, Since};
use crate::violation::Violation;

/// A certificate that may be the peer's: what we think of it, and the key that it has to prove it holds.
pub(crate) struct Claim {
    chain: CertificateChain,
    judgement: Judgement,
    pub(crate) key: PeerKey,
    since: Since,
}

impl Claim {
    /// The peer, which has signed in this scheme.
    pub(crate) fn proved(self, scheme: SignatureScheme) -> Identity {
        Identity {
            peer: self.judgement.into_peer(self.chain, self.since),
            scheme,
        }
    }
}

/// Takes in the peer's Certificate (already received) and our verdict about it. `None` if the peer has none and
/// that is acceptable.
pub(crate) async fn receive_certificate(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    (expectation, previous): (Expectation<'_>, Option<&Previous>),
    message: &[u8],
) -> Result<Option<Claim>> {
    let Some(chain) = read_chain(config, &expectation, message)? else {
        transcript.add(message);
        return accept_absence(wire, ProtocolVersion::Tls12).map(|()| None);
    };
    if let Some(previous) = previous {
        previous.check_identity(config, &chain)?;
    }
    // One that cannot be read has no faults that a verifier could report or a mode let pass.
    let leaf = read_leaf(&chain)?;
    let judgement = decide(wire, config, &expectation, &chain).await?;
    refuse_or_go_on(wire, &expectation, &chain, &judgement)?;
    let key = signing_key(config, &leaf)?;
    transcript.add(message);
    Ok(Some(Claim {
        chain,
        judgement,
        key,
        since: expectation.since,
    }))
}

/// Reads the Certificate message. `None` if it is empty, which only a client's may be.
fn read_chain(
    config: &Config,
    expectation: &Expectation<'_>,
    message: &[u8],
) -> Result<Option<CertificateChain>> {
    let certificate: Certificate<'_> = read_message(message)?;
    let certificates = certificate.certificates.iter();
    collect_chain(
        config,
        expectation.whose,
        certificates.map(|certificate| certificate.0),
    )
}

/// Server: takes in the client's CertificateVerify, over everything before it (RFC 5246 §7.4.8). It comes if there is
/// something to prove.
pub(crate) async fn receive_certificate_verify(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    claim: Option<Claim>,
) -> Result<Option<Identity>> {
    let Some(claim) = claim else {
        return Ok(None);
    };
    let message = wire.receive(State::AwaitingCertificateVerify).await;
    let verify: CertificateVerify<'_> = read_message(&message)?;
    let scheme = SignatureScheme::from(verify.scheme);
    check_scheme(config, scheme)?;
    let signed = transcript.take_messages();
    peer_key::verify_tls12(scheme, &claim.key, &signed, verify.signature)?;
    transcript.add(&message);
    Ok(Some(claim.proved(scheme)))
}

/// Demands that the peer signed in a scheme that was offered (RFC 5246 §7.4.3, §7.4.8).
pub(crate) fn check_scheme(config: &Config, scheme: SignatureScheme) -> Result<()> {
    let mut offered = config.schemes_of(ProtocolVersion::Tls12);
    if offered.any(|own| own == scheme) {
        Ok(())
    } else {
        Err(Violation::SignatureSchemeNotOffered.into())
    }
}

/// Sends our Certificate; without a credential an empty one, as a client has to that was asked (RFC 5246 §7.4.6).
pub(crate) fn send_certificate(
    wire: &Wire,
    transcript: &mut Transcript,
    credential: Option<&Credential>,
) -> Result<()> {
    let chain = credential.map(Credential::certificates).unwrap_or_default();
    let certificates: Vec<_> = chain
        .iter()
        .map(|certificate| CertificateData(certificate))
        .collect();
    wire.send(
        transcript,
        &Certificate {
            certificates: List::from(certificates.as_slice()),
        },
    )
}

/// Client: chooses what to show to the server that sent this request.
pub(crate) async fn choose_own(
    wire: &Wire,
    config: &Config,
    request: &CertificateRequest<'_>,
    since: Since,
) -> Result<Option<(Credential, SignatureScheme)>> {
    let schemes: Vec<u16> = request
        .signature_algorithms
        .iter()
        .filter(|code| has_type(request, SignatureScheme::from(*code)))
        .collect();
    let wanted = Wanted {
        version: ProtocolVersion::Tls12,
        schemes: List::from(schemes.as_slice()),
        authorities: request.certificate_authorities,
    };
    choose_credential(wire, config, wanted, since).await
}

/// Whether a key that signs in this scheme is of a type that the server takes (RFC 5246 §7.4.4: both MUST fit).
fn has_type(request: &CertificateRequest<'_>, scheme: SignatureScheme) -> bool {
    let wanted = if scheme.is_rsa() {
        CertificateType::RSA_SIGN
    } else {
        CertificateType::ECDSA_SIGN
    };
    request.certificate_types.contains(&wanted)
}
