//! TLS 1.2 (RFC 5246), with what makes it safe: authenticated encryption and forward secrecy only, the extended
//! master secret (RFC 7627) and secure renegotiation (RFC 5746).

pub(crate) mod authenticate;
pub(crate) mod client;
pub(crate) mod key_exchange;
pub(crate) mod renegotiation;
pub(crate) mod server;
pub(crate) mod session;

use crate::alert::Alert;
use crate::config::Config;
use crate::connection::established::AfterTls12;
use crate::connection::state::State;
use crate::crypto::group::SharedSecret;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Negotiated, Result};
use crate::handshake::script::Wire;
use crate::handshake::transcript::Transcript;
use crate::keys::exporter::Exporter;
use crate::keys::schedule12::{MasterSecret, Randoms, VERIFY_DATA_LEN, VerifyData};
use crate::messages::{Finished, read_message};
use crate::verify::mode::Role;
use crate::verify::peer::Since;

/// What hellos and records of TLS 1.2 say their version is.
pub(crate) const VERSION: u16 = 0x0303;

/// RFC 9846 §4.2.3: what the last bytes of a server's random value say if it could have chosen TLS 1.3.
pub(crate) const DOWNGRADE_FROM_13: [u8; 8] = *b"DOWNGRD\x01";

/// RFC 9846 §4.2.3: the same if it chose TLS 1.1 or less, which a server of TLS 1.2 never says.
pub(crate) const DOWNGRADE_FROM_12: [u8; 8] = *b"DOWNGRD\x00";

/// When what this handshake finds out is found out.
pub(crate) fn since(previous: Option<&renegotiation::Previous>) -> Since {
    match previous {
        None => Since::Handshake,
        Some(_) => Since::Renegotiation,
    }
}

/// How the master secret is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derivation {
    /// From the whole handshake (RFC 7627).
    Extended,
    /// From the random values, which an attacker can make equal on two connections.
    Plain,
}

impl Derivation {
    /// What both ends have in common, given what the peer's hello says.
    pub(crate) fn agree(config: &Config, peer_extends: bool) -> Result<Self> {
        if peer_extends {
            return Ok(Self::Extended);
        }
        if !config.require_extended_master_secret {
            return Ok(Self::Plain);
        }
        Err(Error::NothingInCommon {
            what: Negotiated::ExtendedMasterSecret,
            ours: "extended_master_secret (RFC 7627)".to_owned(),
            theirs: "the one of RFC 5246".to_owned(),
            alert: Alert::HandshakeFailure,
        })
    }

    /// The master secret, after the ClientKeyExchange, the last message of `transcript`.
    fn master_secret(
        self,
        suite: CipherSuite,
        premaster: &SharedSecret,
        (transcript, randoms): (&Transcript, &Randoms),
    ) -> Result<MasterSecret> {
        match self {
            Self::Extended => MasterSecret::extended(suite.hash(), premaster, &transcript.hash()),
            Self::Plain => MasterSecret::unextended(suite.hash(), premaster, randoms),
        }
    }

    /// What may be exported (RFC 7627 §5.4: nothing, unless the master secret is bound to the handshake).
    fn exporter(self, master: MasterSecret, randoms: Randoms) -> Exporter {
        match self {
            Self::Extended => Exporter::Tls12 { master, randoms },
            Self::Plain => Exporter::Unsafe,
        }
    }
}

/// Logs the master secret, as `SSLKEYLOGFILE` has it for TLS 1.2.
fn log_master_secret(config: &Config, randoms: &Randoms, master: &MasterSecret) {
    if let Some(log) = &config.environment.key_log {
        log.log("CLIENT_RANDOM", &randoms.client, master.for_key_log());
    }
}

/// Sends our Finished (RFC 5246 §7.4.9). The new keys are installed before.
fn send_finished(
    wire: &Wire,
    transcript: &mut Transcript,
    master: &MasterSecret,
    whose: Role,
) -> Result<VerifyData> {
    let verify_data = master.finished(whose, &transcript.hash())?;
    wire.send(
        transcript,
        &Finished {
            verify_data: &verify_data,
        },
    )?;
    Ok(verify_data)
}

/// Takes in the peer's Finished, which proves that both ends saw the same handshake.
async fn receive_finished(
    wire: &Wire,
    transcript: &mut Transcript,
    master: &MasterSecret,
    whose: Role,
) -> Result<VerifyData> {
    let message = wire.receive(State::AwaitingFinished).await;
    let finished: Finished<'_> = read_message(&message)?;
    let claimed = finished.of_length(VERIFY_DATA_LEN)?;
    let verify_data = master.verify_finished(whose, &transcript.hash(), claimed)?;
    transcript.add(&message);
    Ok(verify_data)
}

/// Whether a handshake like this can be made again safely.
pub(crate) fn can_renegotiate(after: &AfterTls12) -> bool {
    after.secure_renegotiation && after.derivation == Derivation::Extended
}
