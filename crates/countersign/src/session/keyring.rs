//! [`TicketKeyring`]: the keys that seal tickets, by name, and their rotation.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::crypto::hash::HashAlgorithm;
use crate::crypto::hmac::HmacKey;
use crate::crypto::random::Random;
use crate::crypto::suite::{AeadKey, CipherSuite, NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result};

/// Says which key sealed a ticket.
const NAME_LEN: usize = 16;

/// How many keys are kept: the one that seals, and those that only open.
const KEPT: usize = 3;

/// How long a key seals unless told otherwise.
const DEFAULT_PERIOD: Duration = Duration::from_secs(12 * 60 * 60);

/// The keys that seal tickets. Clones share their keys: a keyring can serve many
/// configurations, be replaced by an operator, and be the same on all machines of a fleet.
///
/// A key seals for a period (12 hours), and opens for two more. Whoever holds a key can read
/// the sessions sealed with it and pretend to be their clients, so keys never outlive that.
///
/// ```
/// use countersign::TicketKeyring;
/// let keyring = TicketKeyring::new();
/// # let shared_secret = [0u8; 80];
/// // Or the same keys everywhere, newest first, in nginx's format of 48 or 80 bytes.
/// let keyring = TicketKeyring::from_keys([&shared_secret[..]])?;
/// # let _ = keyring;
/// # Ok::<(), countersign::TicketKeyError>(())
/// ```
#[derive(Clone)]
pub struct TicketKeyring {
    shared: Arc<RwLock<Ring>>,
}

struct Ring {
    /// Newest first. The first seals.
    keys: Vec<TicketKey>,
    /// `None` if an operator rotates the keys.
    period: Option<Duration>,
}

struct TicketKey {
    name: [u8; NAME_LEN],
    key: AeadKey,
    /// Seconds since 1970 from which it seals; known when it first does.
    since: Option<u64>,
}

/// A ticket key of a length other than 48 or 80 bytes, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TicketKeyError;

impl fmt::Display for TicketKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A ticket key must be 48 or 80 random bytes, and there must be one. `openssl rand 80` makes one.")
    }
}

impl core::error::Error for TicketKeyError {}

impl TicketKey {
    fn generate(random: &dyn Random) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 80]);
        random
            .fill(bytes.as_mut_slice())
            .map_err(|_| Error::RandomFailed)?;
        Self::from_bytes(bytes.as_slice())
    }

    /// The first 16 bytes are the name; the key is derived from the rest.
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        const UNUSABLE: Error = Error::Internal("a ticket key cannot be derived");
        let (name, rest) = bytes.split_first_chunk::<NAME_LEN>().ok_or(UNUSABLE)?;
        let mut key = Zeroizing::new([0; 32]);
        HmacKey::new(HashAlgorithm::Sha256, b"countersign ticket key")
            .extract(rest)?
            .expand(&[b"aes-256-gcm"], key.as_mut_slice())?;
        Ok(Self {
            name: *name,
            key: AeadKey::new(CipherSuite::Aes256GcmSha384, key.as_slice())?,
            since: None,
        })
    }
}

impl TicketKeyring {
    /// A keyring of its own, whose keys are random and rotate by themselves.
    pub fn new() -> Self {
        Self::from_ring(Ring {
            keys: Vec::new(),
            period: Some(DEFAULT_PERIOD),
        })
    }

    /// A keyring with given keys, newest first, which somebody else rotates with
    /// [`replace_keys`](Self::replace_keys). Each is 48 or 80 random bytes, as in nginx's
    /// `ssl_session_ticket_key`; the first 16 are its name. The tickets themselves are not nginx's.
    ///
    /// # Errors
    /// If there is no key, or one has another length.
    pub fn from_keys<K: AsRef<[u8]>>(
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, TicketKeyError> {
        Ok(Self::from_ring(Ring {
            keys: read_keys(keys)?,
            period: None,
        }))
    }

    /// Replaces all keys at once, newest first. Tickets sealed with a key that is gone lead to full handshakes.
    ///
    /// # Errors
    /// As for [`from_keys`](Self::from_keys); the old keys stay.
    pub fn replace_keys<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), TicketKeyError> {
        let keys = read_keys(keys)?;
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = Ring { keys, period: None };
        Ok(())
    }

    /// Forgets every key: no ticket handed out so far can be used again. A keyring with keys of its own
    /// makes new ones.
    pub fn revoke_all(&self) {
        let mut ring = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        ring.keys.clear();
        ring.period = Some(ring.period.unwrap_or(DEFAULT_PERIOD));
    }

    /// Makes a keyring of its own rotate in this period. Tickets live for up to two
    /// periods longer.
    pub fn rotate_every(self, period: Duration) -> Self {
        self.shared
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .period = Some(period.max(Duration::from_secs(1)));
        self
    }

    fn from_ring(ring: Ring) -> Self {
        Self {
            shared: Arc::new(RwLock::new(ring)),
        }
    }

    /// Seals `content`, bound to `purpose`: name, nonce, ciphertext, tag.
    pub(crate) fn seal(
        &self,
        content: &[u8],
        purpose: &[u8],
        random: &dyn Random,
        now: u64,
    ) -> Result<Vec<u8>> {
        self.rotate(random, now)?;
        let ring = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        let key = ring
            .keys
            .first()
            .ok_or(Error::Internal("a keyring without a key"))?;
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce).map_err(|_| Error::RandomFailed)?;
        let mut ticket =
            Vec::with_capacity(content.len().saturating_add(NAME_LEN + NONCE_LEN + TAG_LEN));
        ticket.extend_from_slice(&key.name);
        ticket.extend_from_slice(&nonce);
        ticket.extend_from_slice(content);
        let mut tag = [0; TAG_LEN];
        let sealed = ticket
            .get_mut(NAME_LEN.saturating_add(NONCE_LEN)..)
            .unwrap_or_default();
        key.key
            .seal_in_place(&nonce, purpose, sealed, &[], &mut tag)?;
        ticket.extend_from_slice(&tag);
        Ok(ticket)
    }

    /// Opens what [`seal`](Self::seal) made. `None` if the key is unknown or anything was changed.
    pub(crate) fn open(
        &self,
        ticket: &[u8],
        purpose: &[u8],
        now: u64,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (name, rest) = ticket.split_first_chunk::<NAME_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let ring = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        let key = ring.keys.iter().find(|key| key.name == *name)?;
        if ring.has_expired(key, now) {
            return None;
        }
        let mut content = Zeroizing::new(sealed.to_vec());
        let length = key.key.open_in_place(nonce, purpose, &mut content)?;
        content.truncate(length);
        Some(content)
    }

    /// Makes a new key if it is time.
    fn rotate(&self, random: &dyn Random, now: u64) -> Result<()> {
        if !self
            .shared
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .needs_key(now)
        {
            return Ok(());
        }
        let mut ring = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have been faster.
        if ring.needs_key(now) {
            let mut key = TicketKey::generate(random)?;
            key.since = Some(now);
            ring.keys.insert(0, key);
            ring.keys.truncate(KEPT);
        }
        Ok(())
    }
}

impl Ring {
    /// Whether the first key has sealed long enough. A clock that went backwards makes a new
    /// key too, lest one seals forever.
    fn needs_key(&self, now: u64) -> bool {
        let Some(period) = self.period else {
            return false;
        };
        let age = self
            .keys
            .first()
            .and_then(|key| now.checked_sub(key.since?));
        age.is_none_or(|age| age >= period.as_secs())
    }

    /// Whether a key has sealed and opened as long as it may.
    fn has_expired(&self, key: &TicketKey, now: u64) -> bool {
        let (Some(period), Some(since)) = (self.period, key.since) else {
            return false;
        };
        let kept = u64::try_from(KEPT).unwrap_or(1);
        now.checked_sub(since)
            .is_none_or(|age| age >= period.as_secs().saturating_mul(kept))
    }
}

fn read_keys<K: AsRef<[u8]>>(
    keys: impl IntoIterator<Item = K>,
) -> Result<Vec<TicketKey>, TicketKeyError> {
    let keys: Vec<TicketKey> = keys
        .into_iter()
        .map(|key| match key.as_ref() {
            bytes if matches!(bytes.len(), 48 | 80) => {
                TicketKey::from_bytes(bytes).map_err(|_| TicketKeyError)
            }
            _ => Err(TicketKeyError),
        })
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        Err(TicketKeyError)
    } else {
        Ok(keys)
    }
}

impl Default for TicketKeyring {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TicketKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "TicketKeyring({} keys)", ring.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::SystemRandom;

    const NOW: u64 = 1_780_272_000;

    fn seal(keyring: &TicketKeyring, now: u64) -> Vec<u8> {
        keyring
            .seal(b"a session", b"context", &SystemRandom, now)
            .unwrap()
    }

    fn opens(keyring: &TicketKeyring, ticket: &[u8], now: u64) -> bool {
        keyring
            .open(ticket, b"context", now)
            .is_some_and(|content| content.as_slice() == b"a session")
    }

    #[test]
    fn what_is_sealed_opens_and_nothing_else_does() {
        let keyring = TicketKeyring::new();
        let ticket = seal(&keyring, NOW);
        assert!(opens(&keyring, &ticket, NOW));
        assert!(keyring.open(&ticket, b"another context", NOW).is_none());
        assert!(!opens(&TicketKeyring::new(), &ticket, NOW));
        for index in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[index] ^= 1;
            assert!(!opens(&keyring, &changed, NOW), "byte {index}");
            assert!(!opens(&keyring, &ticket[..index], NOW), "cut at {index}");
        }
    }

    #[test]
    fn keys_rotate_and_expire() {
        let keyring = TicketKeyring::new().rotate_every(Duration::from_secs(100));
        let first = seal(&keyring, NOW);
        let second = seal(&keyring, NOW + 100);
        assert_ne!(first[..NAME_LEN], second[..NAME_LEN]);
        assert!(opens(&keyring, &first, NOW + 299));
        assert!(!opens(&keyring, &first, NOW + 300));
        assert!(opens(&keyring, &second, NOW + 300));
        // A key of the future is none: the clock went backwards.
        assert!(!opens(&keyring, &second, NOW + 99));
    }

    #[test]
    fn a_fleet_shares_keys_and_rotates_them_by_hand() {
        let (old, new) = ([1; 80], [2; 48]);
        let one = TicketKeyring::from_keys([old]).unwrap();
        let ticket = seal(&one, NOW);
        let other = TicketKeyring::from_keys([&new[..], &old[..]]).unwrap();
        assert!(opens(&other, &ticket, NOW + 1_000_000));
        other.replace_keys([new]).unwrap();
        assert!(!opens(&other, &ticket, NOW));
        assert!(TicketKeyring::from_keys([[0; 47]]).is_err());
        assert!(other.replace_keys::<&[u8]>([]).is_err());
        assert!(opens(&other, &seal(&other, NOW), NOW));
    }

    #[test]
    fn revoked_keys_open_nothing() {
        let keyring = TicketKeyring::new();
        let ticket = seal(&keyring, NOW);
        keyring.revoke_all();
        assert!(!opens(&keyring, &ticket, NOW));
        assert!(opens(&keyring, &seal(&keyring, NOW), NOW));
    }
}
