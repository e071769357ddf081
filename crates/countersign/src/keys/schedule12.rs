//! The key schedule of TLS 1.2: one master secret, and everything from it by the pseudorandom function.
//!
//! ```text
//!   premaster secret ──► PRF(…, "extended master secret", session hash)   RFC 7627 §4
//!                    or  PRF(…, "master secret", both randoms)            RFC 5246 §8.1
//!                              │
//!                        master secret ──► PRF(…, "key expansion", both randoms)      record keys
//!                              ├─────────► PRF(…, "client finished" / "server finished", hash)
//!                              └─────────► PRF(…, label, both randoms, context)       exporter, RFC 5705
//! ```

use zeroize::Zeroizing;

use super::installed::TrafficKeys;
use super::secret::Secret;
use crate::crypto::group::SharedSecret;
use crate::crypto::hash::{Digest, HashAlgorithm, constant_time_eq};
use crate::crypto::prf;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::verify::mode::Role;
use crate::violation::Violation;

/// RFC 5246 §8.1: the master secret is always 48 bytes long.
const MASTER_SECRET_LEN: usize = 48;

/// RFC 5246 §7.4.9: the length of `verify_data` of every suite that is used here.
pub(crate) const VERIFY_DATA_LEN: usize = 12;

/// What a Finished of TLS 1.2 says, and a renegotiation repeats (RFC 5746 §3.1).
pub(crate) type VerifyData = [u8; VERIFY_DATA_LEN];

/// The random values of both hellos.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randoms {
    pub(crate) client: [u8; 32],
    pub(crate) server: [u8; 32],
}

/// The master secret, from which everything else comes.
#[derive(Debug)]
pub(crate) struct MasterSecret {
    hash: HashAlgorithm,
    secret: Secret,
}

/// The record keys of both directions.
pub(crate) struct KeyBlock {
    pub(crate) client: TrafficKeys,
    pub(crate) server: TrafficKeys,
}

impl MasterSecret {
    /// Bound to the whole handshake up to the ClientKeyExchange (RFC 7627 §4).
    pub(crate) fn extended(
        hash: HashAlgorithm,
        premaster: &SharedSecret,
        session_hash: &Digest,
    ) -> Result<Self> {
        let seed = [session_hash.as_ref(), &[]];
        Self::derive(hash, premaster, b"extended master secret", seed)
    }

    /// Bound to the random values alone (RFC 5246 §8.1), for a peer that knows nothing better.
    pub(crate) fn unextended(
        hash: HashAlgorithm,
        premaster: &SharedSecret,
        randoms: &Randoms,
    ) -> Result<Self> {
        let seed = [&randoms.client[..], &randoms.server];
        Self::derive(hash, premaster, b"master secret", seed)
    }

    fn derive(
        hash: HashAlgorithm,
        premaster: &SharedSecret,
        label: &[u8],
        seed: [&[u8]; 2],
    ) -> Result<Self> {
        let secret = Secret::fill_with(MASTER_SECRET_LEN, |out| {
            prf::expand(hash, premaster.as_ref(), label, seed, out)
        })?;
        Ok(Self { hash, secret })
    }

    /// The one of a session that is resumed.
    pub(crate) fn of_session(hash: HashAlgorithm, secret: &Secret) -> Self {
        Self {
            hash,
            secret: Secret::from_slice(secret.expose()),
        }
    }

    /// A copy for a session, to be resumed with.
    pub(crate) fn for_session(&self) -> Secret {
        Secret::from_slice(self.secret.expose())
    }

    /// The secret as `SSLKEYLOGFILE` records it.
    pub(crate) fn for_key_log(&self) -> &[u8] {
        self.secret.expose()
    }

    fn expand(&self, label: &[u8], seed: [&[u8]; 2], out: &mut [u8]) -> Result<()> {
        prf::expand(self.hash, self.secret.expose(), label, seed, out)
    }

    /// The record keys (RFC 5246 §6.3). Suites with authenticated encryption need no MAC keys.
    pub(crate) fn keys(&self, suite: CipherSuite, randoms: &Randoms) -> Result<KeyBlock> {
        const TOO_SHORT: Error = Error::Internal("a key block is too short");
        let (key_len, iv_len) = (suite.key_len(), suite.nonce_form().fixed_len());
        let half = key_len.saturating_add(iv_len);
        let mut block = Zeroizing::new(vec![0; half.saturating_mul(2)]);
        let seed = [&randoms.server[..], &randoms.client];
        self.expand(b"key expansion", seed, &mut block)?;
        let (keys, ivs) = block
            .split_at_checked(key_len.saturating_mul(2))
            .ok_or(TOO_SHORT)?;
        let (client_key, server_key) = keys.split_at_checked(key_len).ok_or(TOO_SHORT)?;
        let (client_iv, server_iv) = ivs.split_at_checked(iv_len).ok_or(TOO_SHORT)?;
        Ok(KeyBlock {
            client: TrafficKeys::of_tls12(suite, client_key, client_iv)?,
            server: TrafficKeys::of_tls12(suite, server_key, server_iv)?,
        })
    }

    /// The `verify_data` of whose Finished it is (RFC 5246 §7.4.9).
    pub(crate) fn finished(&self, whose: Role, transcript: &Digest) -> Result<VerifyData> {
        let label: &[u8] = match whose {
            Role::Client => b"client finished",
            Role::Server => b"server finished",
        };
        let mut verify_data = [0; VERIFY_DATA_LEN];
        self.expand(label, [transcript.as_ref(), &[]], &mut verify_data)?;
        Ok(verify_data)
    }

    /// Checks the peer's Finished, in constant time.
    pub(crate) fn verify_finished(
        &self,
        whose: Role,
        transcript: &Digest,
        verify_data: &[u8],
    ) -> Result<VerifyData> {
        let expected = self.finished(whose, transcript)?;
        // RFC 5246 §7.4.9: recipients MUST verify that the contents are correct.
        if constant_time_eq(&expected, verify_data) {
            Ok(expected)
        } else {
            Err(Violation::BadFinished.into())
        }
    }

    /// Fills `out` for another protocol (RFC 5705 §4). Here no context is not the same as an empty one.
    pub(crate) fn export(
        &self,
        randoms: &Randoms,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<()> {
        const TOO_LONG: Error = Error::Internal("a context is too long to export with");
        let mut seed = [randoms.client, randoms.server].concat();
        if let Some(context) = context {
            let length = u16::try_from(context.len()).map_err(|_| TOO_LONG)?;
            seed.extend_from_slice(&length.to_be_bytes());
        }
        self.expand(label, [&seed, context.unwrap_or_default()], out)
    }
}

#[cfg(test)]
mod tests {
    use super::{MasterSecret, Randoms};
    use crate::crypto::group::SharedSecret;
    use crate::crypto::hash::HashAlgorithm;
    use crate::error::Error;
    use crate::verify::mode::Role;
    use crate::violation::Violation;

    const RANDOMS: Randoms = Randoms {
        client: [1; 32],
        server: [2; 32],
    };

    fn master(hash: HashAlgorithm) -> MasterSecret {
        let premaster = SharedSecret::from_slice(&[9; 32]);
        MasterSecret::unextended(hash, &premaster, &RANDOMS).unwrap()
    }

    #[test]
    fn a_finished_verifies_only_as_it_was_made() {
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384] {
            let master = master(hash);
            let transcript = hash.digest(b"messages");
            let good = master.finished(Role::Client, &transcript).unwrap();
            let verify = |whose, data: &[u8]| master.verify_finished(whose, &transcript, data);
            assert_eq!(verify(Role::Client, &good).unwrap(), good);
            let mut damaged = good;
            damaged[11] ^= 1;
            for (whose, data) in [
                (Role::Server, &good[..]),
                (Role::Client, &damaged),
                (Role::Client, &good[..11]),
                (Role::Client, &[]),
            ] {
                assert!(matches!(
                    verify(whose, data),
                    Err(Error::PeerViolated {
                        violation: Violation::BadFinished,
                        ..
                    })
                ));
            }
        }
    }

    #[test]
    fn the_extended_master_secret_depends_on_the_handshake() {
        let hash = HashAlgorithm::Sha256;
        let premaster = SharedSecret::from_slice(&[9; 32]);
        let of = |message: &[u8]| {
            let secret = MasterSecret::extended(hash, &premaster, &hash.digest(message)).unwrap();
            secret.for_key_log().to_vec()
        };
        assert_eq!(of(b"this"), of(b"this"));
        assert_ne!(of(b"this"), of(b"that"));
        assert_ne!(of(b"this"), master(hash).for_key_log());
    }

    #[test]
    fn an_empty_context_exports_something_else_than_none() {
        let master = master(HashAlgorithm::Sha256);
        let export = |context| {
            let mut out = [0; 100];
            master
                .export(&RANDOMS, b"EXPORTER", context, &mut out)
                .unwrap();
            out
        };
        assert_ne!(export(None), export(Some(b"")));
        assert_ne!(export(Some(b"")), export(Some(b"x")));
        assert_eq!(export(None), export(None));
    }
}
