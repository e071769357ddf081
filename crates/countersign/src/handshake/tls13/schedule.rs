//! From the shared secret to installed keys: what both roles do alike, each with its own
//! direction for reading and writing.

use crate::config::Config;
use crate::crypto::group::SharedSecret;
use crate::error::Result;
use crate::handshake::transcript::Transcript;
use crate::keys::exporter::Exporter;
use crate::keys::point::{At, ClientFinished, ServerFinished, ServerHello};
use crate::keys::schedule13::{
    ClientToServer, EarlySecret, HandshakeSecret, MasterSecret, ResumptionSecret, ServerToClient,
    TrafficSecret,
};

/// The secrets that protect the handshake itself.
pub(crate) struct HandshakeSecrets {
    secret: HandshakeSecret,
    pub(crate) client: TrafficSecret<ClientToServer>,
    pub(crate) server: TrafficSecret<ServerToClient>,
}

/// The secrets that protect application data.
pub(crate) struct ApplicationSecrets {
    pub(crate) client: TrafficSecret<ClientToServer>,
    pub(crate) server: TrafficSecret<ServerToClient>,
    pub(crate) exporter: Exporter,
    pub(crate) master: MasterSecret,
}

/// Logs secrets under the ClientHello's random value.
pub(crate) struct SecretLog<'a> {
    pub(crate) config: &'a Config,
    pub(crate) client_random: &'a [u8; 32],
}

impl SecretLog<'_> {
    fn log(&self, label: &str, secret: &[u8]) {
        if let Some(log) = &self.config.environment.key_log {
            log.log(label, self.client_random, secret);
        }
    }
}

impl HandshakeSecrets {
    /// The secrets after the ServerHello, the last message of `transcript`.
    pub(crate) fn after_server_hello(
        early: EarlySecret,
        shared: &SharedSecret,
        transcript: &Transcript,
        log: &SecretLog<'_>,
    ) -> Result<Self> {
        let secret = early.into_handshake(shared)?;
        let at = At::<ServerHello>::new(transcript.hash());
        let client = secret.client_traffic(&at)?;
        let server = secret.server_traffic(&at)?;
        log.log("CLIENT_HANDSHAKE_TRAFFIC_SECRET", client.for_key_log());
        log.log("SERVER_HANDSHAKE_TRAFFIC_SECRET", server.for_key_log());
        Ok(Self {
            secret,
            client,
            server,
        })
    }

    /// The secrets after the server's Finished, the last message of `transcript`, and what
    /// remains of these: the secrets whose Finished are still to come.
    pub(crate) fn after_server_finished(
        self,
        transcript: &Transcript,
        log: &SecretLog<'_>,
    ) -> Result<(ApplicationSecrets, TrafficSecret<ClientToServer>)> {
        let master = self.secret.into_master()?;
        let at = At::<ServerFinished>::new(transcript.hash());
        let secrets = ApplicationSecrets {
            client: master.client_traffic(&at)?,
            server: master.server_traffic(&at)?,
            exporter: master.exporter(&at)?,
            master,
        };
        log.log("CLIENT_TRAFFIC_SECRET_0", secrets.client.for_key_log());
        log.log("SERVER_TRAFFIC_SECRET_0", secrets.server.for_key_log());
        log.log("EXPORTER_SECRET", secrets.exporter.for_key_log());
        Ok((secrets, self.client))
    }
}

/// The secret that tickets come from, after the client's Finished, the last message of
/// `transcript`.
pub(crate) fn resumption_secret(
    master: &MasterSecret,
    transcript: &Transcript,
) -> Result<ResumptionSecret> {
    master.resumption(&At::<ClientFinished>::new(transcript.hash()))
}
