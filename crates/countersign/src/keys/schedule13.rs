//! The key schedule of TLS 1.3 (RFC 9846 §7.1). The code follows the drawing downwards; each
//! stage is a type that is consumed to reach the next.
//!
//! ```text
//!             0
//!             |
//!             v
//!   PSK ->  HKDF-Extract = Early Secret                          EarlySecret
//!             |
//!             +-----> Derive-Secret(., "ext binder" |            .binder_key()
//!             |                        "res binder", "")
//!             +-----> Derive-Secret(., "c e traffic", CH)        .client_early_traffic()
//!             +-----> Derive-Secret(., "e exp master", CH)       .early_exporter()
//!             v
//!       Derive-Secret(., "derived", "")
//!             |
//!             v
//! (EC)DHE -> HKDF-Extract = Handshake Secret                     .into_handshake()
//!             |
//!             +-----> Derive-Secret(., "c hs traffic", CH..SH)   .client_traffic()
//!             +-----> Derive-Secret(., "s hs traffic", CH..SH)   .server_traffic()
//!             v
//!       Derive-Secret(., "derived", "")
//!             |
//!             v
//!   0 ->    HKDF-Extract = Master Secret                         .into_master()
//!             |
//!             +-----> Derive-Secret(., "c ap traffic", CH..SF)   .client_traffic()
//!             +-----> Derive-Secret(., "s ap traffic", CH..SF)   .server_traffic()
//!             +-----> Derive-Secret(., "exp master", CH..SF)     .exporter()
//!             +-----> Derive-Secret(., "res master", CH..CF)     .resumption()
//! ```
//!
//! CH is the `ClientHello`, SH the `ServerHello`, SF and CF the Finished of server and client.

use core::fmt;
use core::marker::PhantomData;
use std::sync::OnceLock;

use super::exporter::Exporter;
use super::point::{At, ClientFinished, ClientHello, ServerFinished, ServerHello};
use super::secret::{Secret, derive, expand_label};
use crate::crypto::CipherSuite;
use crate::crypto::group::SharedSecret;
use crate::crypto::hash::{Digest, HashAlgorithm, MAX_DIGEST_LEN, constant_time_eq};
use crate::crypto::hmac::HmacKey;
use crate::crypto::suite::{AeadKey, Iv};
use crate::error::Result;
use crate::violation::Violation;

/// What goes in wherever the drawing says 0: as many zero bytes as the digest has.
const ZEROS: [u8; MAX_DIGEST_LEN] = [0; MAX_DIGEST_LEN];

fn zeros(hash: HashAlgorithm) -> &'static [u8] {
    ZEROS.get(..hash.output_len()).unwrap_or(&ZEROS)
}

/// The first stage. With a pre-shared key it is used in full; without one it is a constant, whose
/// only use is to be consumed.
#[derive(Debug)]
pub(crate) struct EarlySecret {
    hash: HashAlgorithm,
    pub(super) key: Option<Box<HmacKey>>,
}

impl EarlySecret {
    /// Without a pre-shared key.
    pub(crate) fn without_psk(hash: HashAlgorithm) -> Self {
        Self { hash, key: None }
    }

    /// From a pre-shared key.
    pub(crate) fn new(hash: HashAlgorithm, psk: &Secret) -> Result<Self> {
        let key = HmacKey::new(hash, zeros(hash)).extract(psk.expose())?;
        Ok(Self {
            hash,
            key: Some(key),
        })
    }

    /// The key that proves possession of the pre-shared key in the `ClientHello`.
    pub(crate) fn binder_key(&self, source: PskSource) -> Result<BinderKey> {
        let label: &[u8] = match source {
            PskSource::External => b"ext binder",
            PskSource::Resumption => b"res binder",
        };
        let nothing = self.hash.digest(b"");
        Ok(BinderKey {
            hash: self.hash,
            secret: self.with_key(|key| derive(key, label, nothing.as_ref()))?,
        })
    }

    /// Protects early data.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "early data is neither offered nor accepted yet")
    )]
    pub(crate) fn client_early_traffic(
        &self,
        transcript: &At<ClientHello>,
    ) -> Result<TrafficSecret<ClientToServer>> {
        self.with_key(|key| TrafficSecret::derive(key, b"c e traffic", transcript.hash()))
    }

    /// Exports keying material before the handshake is complete.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "early data is neither offered nor accepted yet")
    )]
    pub(crate) fn early_exporter(&self, transcript: &At<ClientHello>) -> Result<Exporter> {
        let transcript = transcript.hash();
        let secret = self.with_key(|key| derive(key, b"e exp master", transcript.as_ref()))?;
        Ok(Exporter::tls13(self.hash, secret))
    }

    /// On to the handshake, with what the key exchange gave.
    pub(crate) fn into_handshake(self, shared: &SharedSecret) -> Result<HandshakeSecret> {
        let key = match &self.key {
            Some(key) => next_salt(key)?.extract(shared.as_ref())?,
            None => salt_without_psk(self.hash)?.extract(shared.as_ref())?,
        };
        Ok(HandshakeSecret { key })
    }

    fn with_key<T>(&self, use_key: impl FnOnce(&HmacKey) -> Result<T>) -> Result<T> {
        match &self.key {
            Some(key) => use_key(key),
            None => use_key(early_secret_without_psk(self.hash)?.as_ref()),
        }
    }
}

pub(super) fn early_secret_without_psk(hash: HashAlgorithm) -> Result<Box<HmacKey>> {
    HmacKey::new(hash, zeros(hash)).extract(zeros(hash))
}

/// The salt of the handshake secret without a pre-shared key: a constant for each hash function,
/// computed once per process.
pub(super) fn salt_without_psk(hash: HashAlgorithm) -> Result<&'static HmacKey> {
    static SHA256: OnceLock<HmacKey> = OnceLock::new();
    static SHA384: OnceLock<HmacKey> = OnceLock::new();
    static SHA512: OnceLock<HmacKey> = OnceLock::new();
    let cell = match hash {
        HashAlgorithm::Sha256 => &SHA256,
        HashAlgorithm::Sha384 => &SHA384,
        HashAlgorithm::Sha512 => &SHA512,
    };
    if let Some(salt) = cell.get() {
        return Ok(salt);
    }
    let salt = next_salt(early_secret_without_psk(hash)?.as_ref())?;
    Ok(cell.get_or_init(|| salt))
}

/// `Derive-Secret(., "derived", "")`, which leads from one stage to the next.
pub(super) fn next_salt(key: &HmacKey) -> Result<HmacKey> {
    let hash = key.hash();
    let salt = derive(key, b"derived", hash.digest(b"").as_ref())?;
    Ok(HmacKey::new(hash, salt.expose()))
}

/// Where a pre-shared key comes from; the two must never be mixed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PskSource {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "keys from outside are not offered yet")
    )]
    External,
    Resumption,
}

/// Computes the binder of one pre-shared key (RFC 9846 §4.3.11.2).
#[derive(Debug)]
pub(crate) struct BinderKey {
    hash: HashAlgorithm,
    pub(super) secret: Secret,
}

impl BinderKey {
    /// The binder over the hash of the truncated `ClientHello` (with what precedes it after a
    /// `HelloRetryRequest`).
    pub(crate) fn binder(&self, truncated: &Digest) -> Result<Digest> {
        finished_mac(self.hash, &self.secret, truncated)
    }

    /// Whether the peer's binder is right.
    pub(crate) fn is_bound(&self, truncated: &Digest, theirs: &[u8]) -> Result<bool> {
        Ok(constant_time_eq(self.binder(truncated)?.as_ref(), theirs))
    }
}

/// The second stage: protects the handshake.
#[derive(Debug)]
pub(crate) struct HandshakeSecret {
    pub(super) key: Box<HmacKey>,
}

impl HandshakeSecret {
    /// Protects what the client sends from here to its Finished.
    pub(crate) fn client_traffic(
        &self,
        transcript: &At<ServerHello>,
    ) -> Result<TrafficSecret<ClientToServer>> {
        TrafficSecret::derive(&self.key, b"c hs traffic", transcript.hash())
    }

    /// Protects what the server sends from here to its Finished.
    pub(crate) fn server_traffic(
        &self,
        transcript: &At<ServerHello>,
    ) -> Result<TrafficSecret<ServerToClient>> {
        TrafficSecret::derive(&self.key, b"s hs traffic", transcript.hash())
    }

    /// On to the last stage.
    pub(crate) fn into_master(self) -> Result<MasterSecret> {
        let key = next_salt(&self.key)?.extract(zeros(self.key.hash()))?;
        Ok(MasterSecret { key })
    }
}

/// The last stage: application data, exporters and resumption.
#[derive(Debug)]
pub(crate) struct MasterSecret {
    pub(super) key: Box<HmacKey>,
}

impl MasterSecret {
    /// Protects what the client sends after its Finished.
    pub(crate) fn client_traffic(
        &self,
        transcript: &At<ServerFinished>,
    ) -> Result<TrafficSecret<ClientToServer>> {
        TrafficSecret::derive(&self.key, b"c ap traffic", transcript.hash())
    }

    /// Protects what the server sends after its Finished.
    pub(crate) fn server_traffic(
        &self,
        transcript: &At<ServerFinished>,
    ) -> Result<TrafficSecret<ServerToClient>> {
        TrafficSecret::derive(&self.key, b"s ap traffic", transcript.hash())
    }

    /// Exports keying material.
    pub(crate) fn exporter(&self, transcript: &At<ServerFinished>) -> Result<Exporter> {
        let secret = derive(&self.key, b"exp master", transcript.hash().as_ref())?;
        Ok(Exporter::tls13(self.key.hash(), secret))
    }

    /// Where the pre-shared keys of tickets come from.
    pub(crate) fn resumption(&self, transcript: &At<ClientFinished>) -> Result<ResumptionSecret> {
        Ok(ResumptionSecret {
            hash: self.key.hash(),
            secret: derive(&self.key, b"res master", transcript.hash().as_ref())?,
        })
    }
}

/// Makes the pre-shared keys of tickets (RFC 9846 §4.7.1).
#[derive(Debug)]
pub(crate) struct ResumptionSecret {
    hash: HashAlgorithm,
    pub(super) secret: Secret,
}

impl ResumptionSecret {
    /// The pre-shared key that belongs to the ticket of that nonce, of at most 255 bytes.
    pub(crate) fn ticket_psk(&self, nonce: &[u8]) -> Result<Secret> {
        derive(
            &HmacKey::new(self.hash, self.secret.expose()),
            b"resumption",
            nonce,
        )
    }
}

/// The direction from client to server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientToServer {}

/// The direction from server to client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerToClient {}

/// Either direction: which one no longer matters once the keys are installed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Installed {}

/// The secret of one direction in one phase, from which its record keys come.
pub(crate) struct TrafficSecret<Direction> {
    hash: HashAlgorithm,
    secret: Secret,
    direction: PhantomData<Direction>,
}

impl<Direction> TrafficSecret<Direction> {
    fn derive(from: &HmacKey, label: &[u8], transcript: &Digest) -> Result<Self> {
        Ok(Self {
            hash: from.hash(),
            secret: derive(from, label, transcript.as_ref())?,
            direction: PhantomData,
        })
    }

    /// The record key and the static IV (RFC 9846 §7.3).
    pub(crate) fn keys(&self, suite: CipherSuite) -> Result<(AeadKey, Iv)> {
        let secret = HmacKey::new(self.hash, self.secret.expose());
        let key = Secret::fill_with(suite.key_len(), |out| {
            expand_label(&secret, b"key", &[], out)
        })?;
        let iv = Iv::fill_with(|out| expand_label(&secret, b"iv", &[], out))?;
        Ok((AeadKey::new(suite, key.expose())?, iv))
    }

    /// The `verify_data` of a Finished of this direction (RFC 9846 §4.5.4).
    pub(crate) fn finished(&self, transcript: &Digest) -> Result<Digest> {
        finished_mac(self.hash, &self.secret, transcript)
    }

    /// Checks the `verify_data` that the peer sent in this direction.
    pub(crate) fn verify_finished(&self, transcript: &Digest, theirs: &[u8]) -> Result<()> {
        // RFC 9846 §4.5.4: recipients MUST verify that the contents are correct and if incorrect
        // MUST terminate the connection with a decrypt_error alert.
        if constant_time_eq(self.finished(transcript)?.as_ref(), theirs) {
            Ok(())
        } else {
            Err(Violation::BadFinished.into())
        }
    }

    /// The secret after a `KeyUpdate` (RFC 9846 §7.2).
    pub(crate) fn next(&self) -> Result<Self> {
        let secret = HmacKey::new(self.hash, self.secret.expose());
        Ok(Self {
            hash: self.hash,
            secret: derive(&secret, b"traffic upd", &[])?,
            direction: PhantomData,
        })
    }

    /// Forgets the direction.
    pub(crate) fn installed(self) -> TrafficSecret<Installed> {
        TrafficSecret {
            hash: self.hash,
            secret: self.secret,
            direction: PhantomData,
        }
    }

    /// The secret, as `SSLKEYLOGFILE` records it.
    pub(crate) fn for_key_log(&self) -> &[u8] {
        self.secret.expose()
    }
}

impl<Direction> fmt::Debug for TrafficSecret<Direction> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrafficSecret").finish_non_exhaustive()
    }
}

/// `HMAC(finished_key, hash)` with the key that belongs to `base` (RFC 9846 §4.5.4).
fn finished_mac(hash: HashAlgorithm, base: &Secret, transcript: &Digest) -> Result<Digest> {
    let key = derive(&HmacKey::new(hash, base.expose()), b"finished", &[])?;
    Ok(HmacKey::new(hash, key.expose()).sign(&[transcript.as_ref()]))
}

#[cfg(test)]
mod tests {
    use super::{EarlySecret, MasterSecret, PskSource};
    use crate::crypto::CipherSuite;
    use crate::crypto::group::SharedSecret;
    use crate::crypto::hash::{Digest, HashAlgorithm};
    use crate::error::Error;
    use crate::keys::point::At;
    use crate::keys::secret::Secret;
    use crate::violation::Violation;

    const SHA256: &str = include_str!("computed/sha256.txt");
    const SHA384: &str = include_str!("computed/sha384.txt");
    const BOTH: [(HashAlgorithm, &str); 2] = [
        (HashAlgorithm::Sha256, SHA256),
        (HashAlgorithm::Sha384, SHA384),
    ];

    fn assert_is(bytes: &[u8], values: &str, name: &str) {
        let printed = values
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let hex = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = hex
            .map(|digit| char::from_digit(digit.into(), 16).unwrap())
            .collect();
        assert_eq!(Some(&hex[..]), printed, "{name}");
    }

    fn shared() -> SharedSecret {
        SharedSecret::from_slice(b"shared secret of 32 bytes length")
    }

    fn master(hash: HashAlgorithm) -> MasterSecret {
        let handshake = EarlySecret::without_psk(hash).into_handshake(&shared());
        handshake.unwrap().into_master().unwrap()
    }

    #[test]
    fn traffic_secrets_of_both_hash_functions() {
        for (hash, values) in BOTH {
            let handshake = EarlySecret::without_psk(hash)
                .into_handshake(&shared())
                .unwrap();
            let transcript = At::new(hash.digest(b"to server hello"));
            let secret = handshake.client_traffic(&transcript).unwrap();
            assert_is(secret.for_key_log(), values, "client_handshake_traffic");
            let finished = secret
                .finished(&hash.digest(b"to certificate verify"))
                .unwrap();
            assert_is(finished.as_ref(), values, "client_finished");
            let transcript = At::new(hash.digest(b"to server finished"));
            let secret = master(hash).server_traffic(&transcript).unwrap();
            assert_is(secret.for_key_log(), values, "server_application_traffic");
            let secret = secret.next().unwrap();
            assert_is(
                secret.for_key_log(),
                values,
                "server_application_traffic_next",
            );
        }
    }

    #[test]
    fn exported_keying_material_of_both_hash_functions() {
        for (hash, values) in BOTH {
            let transcript = At::new(hash.digest(b"to server finished"));
            let exporter = master(hash).exporter(&transcript).unwrap();
            assert_is(exporter.for_key_log(), values, "exporter_master");
            let mut out = [0; 100];
            exporter
                .derive(b"EXPORTER-test", Some(b"context"), &mut out)
                .unwrap();
            assert_is(&out, values, "exported_100_with_context");
            let mut out = [0; 20];
            exporter.derive(b"EXPORTER-test", None, &mut out).unwrap();
            assert_is(&out, values, "exported_20_without_context");
        }
    }

    #[test]
    fn what_cannot_be_exported_is_refused() {
        let transcript = At::new(HashAlgorithm::Sha256.digest(b""));
        let exporter = master(HashAlgorithm::Sha256).exporter(&transcript).unwrap();
        assert!(
            exporter
                .derive(&[b'x'; 249], Some(&[0; 10_000]), &mut [0; 8160])
                .is_ok()
        );
        assert!(exporter.derive(&[b'x'; 250], None, &mut [0; 32]).is_err());
        assert!(exporter.derive(b"label", None, &mut [0; 8161]).is_err());
        assert!(
            exporter
                .derive(b"label", None, &mut vec![0; 1 << 16])
                .is_err()
        );
    }

    #[test]
    fn every_branch_gives_another_secret() {
        let hash = HashAlgorithm::Sha256;
        let early = EarlySecret::new(hash, &Secret::from_slice(&[9; 32])).unwrap();
        let digest = hash.digest(b"the same everywhere");
        let mut all = Vec::new();
        let mut keep = |secret: &[u8]| all.push(secret.to_vec());
        for source in [PskSource::External, PskSource::Resumption] {
            keep(early.binder_key(source).unwrap().secret.expose());
        }
        let at = At::new(digest);
        keep(early.client_early_traffic(&at).unwrap().for_key_log());
        keep(early.early_exporter(&at).unwrap().for_key_log());
        let handshake = early.into_handshake(&shared()).unwrap();
        let at = At::new(digest);
        keep(handshake.client_traffic(&at).unwrap().for_key_log());
        keep(handshake.server_traffic(&at).unwrap().for_key_log());
        let master = handshake.into_master().unwrap();
        let at = At::new(digest);
        keep(master.client_traffic(&at).unwrap().for_key_log());
        keep(master.server_traffic(&at).unwrap().for_key_log());
        keep(master.exporter(&at).unwrap().for_key_log());
        let resumption = master.resumption(&At::new(digest)).unwrap();
        keep(resumption.secret.expose());
        keep(resumption.ticket_psk(&[0]).unwrap().expose());
        keep(resumption.ticket_psk(&[1]).unwrap().expose());
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn every_suite_gets_a_key_of_its_length() {
        for suite in CipherSuite::ALL {
            let hash = suite.hash();
            let transcript = At::new(hash.digest(b""));
            let secret = master(hash).client_traffic(&transcript).unwrap();
            let (_, first) = secret.keys(*suite).unwrap();
            let (_, second) = secret.next().unwrap().keys(*suite).unwrap();
            assert_ne!(first.expose(), second.expose());
        }
    }

    #[test]
    fn a_finished_must_be_exactly_right() {
        let hash = HashAlgorithm::Sha384;
        let secret = master(hash)
            .client_traffic(&At::new(hash.digest(b"")))
            .unwrap();
        let transcript = hash.digest(b"the handshake");
        let right = secret.finished(&transcript).unwrap();
        secret.verify_finished(&transcript, right.as_ref()).unwrap();
        let mut wrong = right.as_ref().to_vec();
        wrong[0] ^= 1;
        let other = Digest::from_slice(&[0; 48]);
        for bad in [&wrong[..], other.as_ref(), &right.as_ref()[..32], &[]] {
            match secret.verify_finished(&transcript, bad) {
                Err(Error::PeerViolated { violation, .. }) => {
                    assert_eq!(violation, Violation::BadFinished);
                }
                accepted => panic!("{accepted:?}"),
            }
        }
    }

    #[test]
    fn a_handshake_may_move_between_threads() {
        fn assert_send_and_sync<T: Send + Sync>() {}
        assert_send_and_sync::<EarlySecret>();
        assert_send_and_sync::<super::HandshakeSecret>();
        assert_send_and_sync::<MasterSecret>();
        assert_send_and_sync::<super::TrafficSecret<super::ClientToServer>>();
        assert_send_and_sync::<super::Exporter>();
        assert_send_and_sync::<super::AeadKey>();
        assert_send_and_sync::<crate::crypto::group::KeyShare>();
        assert_send_and_sync::<crate::crypto::peer_key::PeerKey>();
        assert_send_and_sync::<crate::PrivateKey>();
    }

    #[test]
    fn no_secret_is_printed() {
        let hash = HashAlgorithm::Sha256;
        let secret = master(hash)
            .client_traffic(&At::new(hash.digest(b"")))
            .unwrap();
        assert_eq!(format!("{secret:?}"), "TrafficSecret { .. }");
        assert_eq!(
            format!("{:?}", Secret::from_slice(&[1; 32])),
            "Secret { .. }"
        );
        assert_eq!(format!("{:?}", shared()), "SharedSecret { .. }");
    }
}
