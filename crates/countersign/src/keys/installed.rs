//! Keys as they are installed in one direction of a connection.

use core::fmt;
use std::sync::Arc;

use crate::connection::established::ProtocolVersion;
use crate::crypto::suite::{AeadKey, CipherSuite, Iv};
use crate::error::{Error, Result};
use crate::keys::schedule13::{Installed, TrafficSecret};
use crate::record::{NonceSequence12, Opener, PlaintextAlerts, Sealer};
use crate::verify::mode::Role;

/// The record key of one direction, and the secret that its successors come from. The
/// handshake's keys have no successors.
pub(crate) struct TrafficKeys {
    suite: CipherSuite,
    key: AeadKey,
    iv: Iv,
    secret: Option<Arc<TrafficSecret<Installed>>>,
}

/// What is kept of installed keys: enough for a KeyUpdate.
#[derive(Debug)]
pub(crate) struct Successors {
    suite: CipherSuite,
    secret: Arc<TrafficSecret<Installed>>,
}

impl TrafficKeys {
    /// The keys that protect the handshake.
    pub(crate) fn of_handshake<Direction>(
        suite: CipherSuite,
        secret: &TrafficSecret<Direction>,
    ) -> Result<Self> {
        let (key, iv) = secret.keys(suite)?;
        Ok(Self {
            suite,
            key,
            iv,
            secret: None,
        })
    }

    /// The keys of a connection of TLS 1.2, for the last messages of the handshake and for data.
    pub(crate) fn of_tls12(suite: CipherSuite, key: &[u8], fixed_iv: &[u8]) -> Result<Self> {
        let iv = Iv::fill_with(|out| {
            out.iter_mut()
                .zip(fixed_iv)
                .for_each(|(to, from)| *to = *from);
            Ok(())
        })?;
        Ok(Self {
            suite,
            key: AeadKey::new(suite, key)?,
            iv,
            secret: None,
        })
    }

    /// The keys that protect application data.
    pub(crate) fn of_application<Direction>(
        suite: CipherSuite,
        secret: TrafficSecret<Direction>,
    ) -> Result<Self> {
        let (key, iv) = secret.keys(suite)?;
        Ok(Self {
            suite,
            key,
            iv,
            secret: Some(Arc::new(secret.installed())),
        })
    }

    /// Opens what the peer sealed with these keys.
    pub(crate) fn into_opener(self, whose: Role) -> (Opener, Option<Successors>) {
        if self.suite.version() == ProtocolVersion::Tls12 {
            let nonces = NonceSequence12::new(self.suite.nonce_form(), self.iv);
            return (Opener::tls12(self.key, nonces), None);
        }
        // A client that rejects the ServerHello has no keys yet: its alert comes unencrypted.
        let alerts = match (whose, &self.secret) {
            (Role::Client, None) => PlaintextAlerts::AcceptBeforeFirstRecord,
            _ => PlaintextAlerts::Refuse,
        };
        let successors = Successors::of(self.suite, self.secret);
        (Opener::keyed(self.key, self.iv, alerts), successors)
    }

    /// Seals with these keys.
    pub(crate) fn into_sealer(self) -> (Sealer, Option<Successors>) {
        let limit = self.suite.confidentiality_limit();
        if self.suite.version() == ProtocolVersion::Tls12 {
            let nonces = NonceSequence12::new(self.suite.nonce_form(), self.iv);
            return (Sealer::tls12(self.key, nonces, limit), None);
        }
        let successors = Successors::of(self.suite, self.secret);
        (Sealer::keyed(self.key, self.iv, limit), successors)
    }
}

impl Successors {
    fn of(suite: CipherSuite, secret: Option<Arc<TrafficSecret<Installed>>>) -> Option<Self> {
        secret.map(|secret| Self { suite, secret })
    }

    /// The secret of the keys that are installed.
    pub(crate) fn secret(&self) -> Arc<TrafficSecret<Installed>> {
        Arc::clone(&self.secret)
    }

    /// The keys after a KeyUpdate (RFC 9846 §7.2).
    pub(crate) fn next(successors: Option<Self>) -> Result<TrafficKeys> {
        let Some(Self { suite, secret }) = successors else {
            return Err(Error::Internal("these keys have no successors"));
        };
        TrafficKeys::of_application(suite, secret.next()?)
    }
}

impl fmt::Debug for TrafficKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrafficKeys")
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}
