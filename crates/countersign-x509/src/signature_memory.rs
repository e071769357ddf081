//! A memory of certificate signatures that were verified before.

use core::fmt;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use crate::certificate::Certificate;
use crate::checks::signature::sha256;

/// Remembers which certificates were signed with which keys, so that a peer who comes back costs
/// no signature verification.
///
/// Only that a signature is right is remembered, and only once a chain with it was accepted as a
/// whole. Everything else, dates, names, purposes, revocation, is checked anew every time. What is
/// kept is a SHA-256 over the issuer's public key and the whole certificate: any other octet
/// anywhere is another entry.
///
/// The number of entries is bounded. There are two generations: new entries go to the younger one;
/// when that is full, the older one is forgotten and the younger takes its place; an old entry that
/// is used again becomes young again. A handle is cheap to clone and can be shared by any number of
/// threads; those that find their entry do not wait for each other.
///
/// ```
/// use countersign_x509::*;
/// use std::time::Duration;
///
/// # let key = rcgen::KeyPair::generate()?;
/// # let mut params = rcgen::CertificateParams::new(vec![])?;
/// # params.distinguished_name.push(rcgen::DnType::CommonName, "CA");
/// # params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
/// # let ca = params.self_signed(&key)?;
/// # let leaf_params = rcgen::CertificateParams::new(["db.example".to_owned()])?;
/// # let leaf = leaf_params.signed_by(&rcgen::KeyPair::generate()?, &rcgen::Issuer::new(params, key))?;
/// # let (trust, leaf) = (TrustStore::from_der([ca.der().clone()])?, leaf.der().clone());
/// # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_780_272_000));
/// let memory = SignatureMemory::new(10_000);
/// let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
///     .with_signature_memory(memory.clone());
///
/// assert!(verify(&[leaf.clone()], &trust, &parameters).is_accepted());
/// assert_eq!(memory.len(), 1);
/// // This time the signature is known already.
/// assert!(verify(&[leaf], &trust, &parameters).is_accepted());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SignatureMemory {
    shards: Arc<[RwLock<Generations>; SHARDS]>,
    /// Entries of one generation of one shard.
    limit: usize,
}

/// Entries are spread over this many locks.
const SHARDS: usize = 16;

/// A certificate together with the key that signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SignedPair([u8; 32]);

impl SignedPair {
    pub(crate) fn new(certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Self {
        let key = issuer.public_key();
        // The length in front keeps apart what is key and what is certificate.
        let length = u64::try_from(key.der().len()).unwrap_or(u64::MAX);
        Self(sha256(&[
            &length.to_be_bytes(),
            key.der(),
            certificate.der(),
        ]))
    }

    fn shard(&self) -> usize {
        let [first, ..] = self.0;
        usize::from(first) % SHARDS
    }
}

#[derive(Default)]
struct Generations {
    young: HashSet<SignedPair>,
    old: HashSet<SignedPair>,
}

impl SignatureMemory {
    /// A memory of at most `capacity` signatures, about 70 octets each; rounded up to a multiple
    /// of 32.
    pub fn new(capacity: usize) -> Self {
        Self {
            shards: Arc::default(),
            limit: capacity.div_ceil(SHARDS.saturating_mul(2)).max(1),
        }
    }

    /// The largest number of entries.
    pub fn capacity(&self) -> usize {
        self.limit.saturating_mul(2).saturating_mul(SHARDS)
    }

    /// The number of entries now.
    pub fn len(&self) -> usize {
        let lengths = self.shards.iter().map(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.young.union(&shard.old).count()
        });
        lengths.sum()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for shard in self.shards.iter() {
            *shard.write().unwrap_or_else(PoisonError::into_inner) = Generations::default();
        }
    }

    pub(crate) fn knows(&self, pair: &SignedPair) -> bool {
        let Some(shard) = self.shards.get(pair.shard()) else {
            return false;
        };
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        shard.young.contains(pair) || shard.old.contains(pair)
    }

    pub(crate) fn remember(&self, pair: SignedPair) {
        let Some(shard) = self.shards.get(pair.shard()) else {
            return;
        };
        // Nearly always it is there already: then nobody else is kept waiting.
        let known = shard.read().unwrap_or_else(PoisonError::into_inner);
        if known.young.contains(&pair) {
            return;
        }
        drop(known);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.young.len() >= self.limit {
            shard.old = core::mem::take(&mut shard.young);
        }
        shard.young.insert(pair);
    }
}

impl PartialEq for SignatureMemory {
    /// Whether both are handles of the same memory.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shards, &other.shards)
    }
}

impl Eq for SignatureMemory {}

impl fmt::Debug for SignatureMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureMemory")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CertificateDer, ExpectedName, Parameters, Profile, Purpose, Report, Revocation, TrustStore,
        UnixTime, ValidationTime, VerifyCode, verify,
    };

    fn pair(number: u16) -> SignedPair {
        SignedPair(sha256(&[&number.to_be_bytes()]))
    }

    /// A CA and a server's certificate from it, both valid all through 2026.
    struct World {
        trust: TrustStore,
        leaf: CertificateDer<'static>,
        issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    }

    impl World {
        fn new() -> Self {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
            ca.distinguished_name.push(rcgen::DnType::CommonName, "CA");
            ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            ca.key_usages = vec![
                rcgen::KeyUsagePurpose::KeyCertSign,
                rcgen::KeyUsagePurpose::CrlSign,
            ];
            let root = ca.self_signed(&key).unwrap();
            let issuer = rcgen::Issuer::new(ca, key);
            let mut leaf = rcgen::CertificateParams::new(["db.example".to_owned()]).unwrap();
            leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
            leaf.not_after = rcgen::date_time_ymd(2027, 1, 1);
            leaf.serial_number = Some(7u64.into());
            leaf.use_authority_key_identifier_extension = true;
            leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
            let subject_key = rcgen::KeyPair::generate().unwrap();
            let leaf = leaf.signed_by(&subject_key, &issuer).unwrap();
            Self {
                trust: TrustStore::from_der([root.der().clone()]).unwrap(),
                leaf: leaf.der().clone(),
                issuer,
            }
        }

        fn root(&self) -> Vec<u8> {
            self.trust.content().certificate(0).to_vec()
        }

        fn verify(&self, parameters: &Parameters) -> Report {
            verify(core::slice::from_ref(&self.leaf), &self.trust, parameters)
        }

        /// The last octet belongs to the signature.
        fn spoil(&mut self) {
            let mut der = self.leaf.to_vec();
            *der.last_mut().unwrap() ^= 1;
            self.leaf = der.into();
        }

        fn revoke(&self) {
            let list = rcgen::CertificateRevocationListParams {
                this_update: rcgen::date_time_ymd(2026, 1, 1),
                next_update: rcgen::date_time_ymd(2027, 1, 1),
                crl_number: 1.into(),
                issuing_distribution_point: None,
                revoked_certs: vec![rcgen::RevokedCertParams {
                    serial_number: 7u64.into(),
                    revocation_time: rcgen::date_time_ymd(2026, 2, 1),
                    reason_code: None,
                    invalidity_date: None,
                }],
                key_identifier_method: rcgen::KeyIdMethod::Sha256,
            };
            let list = list.signed_by(&self.issuer).unwrap();
            let clone = self.trust.clone();
            clone.with_crls([list.der().clone()]).unwrap();
        }
    }

    fn at(seconds: u64) -> ValidationTime {
        ValidationTime::At(UnixTime::since_unix_epoch(core::time::Duration::from_secs(
            seconds,
        )))
    }

    /// 2026-06-01.
    const NOW: u64 = 1_780_272_000;

    fn parameters(memory: &SignatureMemory, profile: Profile) -> Parameters {
        Parameters::new(Purpose::ServerAuth, at(NOW))
            .with_profile(profile)
            .with_name(ExpectedName::host("db.example"))
            .with_signature_memory(memory.clone())
    }

    const PROFILES: [Profile; 2] = [Profile::OpenSsl, Profile::WebPki];

    #[test]
    fn what_is_remembered_is_not_verified_again() {
        for profile in PROFILES {
            let mut world = World::new();
            world.spoil();
            let memory = SignatureMemory::new(32);
            let parameters = parameters(&memory, profile);
            assert!(!world.verify(&parameters).is_accepted());
            assert!(memory.is_empty(), "a wrong signature was remembered");
            // Only a false entry can show that the memory is asked at all.
            let root = world.root();
            memory.remember(SignedPair::new(
                &Certificate::parse(&world.leaf).unwrap(),
                &Certificate::parse(&root).unwrap(),
            ));
            let report = world.verify(&parameters);
            assert!(report.is_accepted(), "{profile:?}: {}", report.sentence());
            // Another wrong octet, and it is another certificate.
            let mut der = world.leaf.to_vec();
            let place = der.len() - 2;
            der[place] ^= 1;
            world.leaf = der.into();
            assert!(!world.verify(&parameters).is_accepted());
        }
    }

    #[test]
    fn only_an_accepted_chain_is_remembered() {
        for profile in PROFILES {
            let world = World::new();
            let memory = SignatureMemory::new(32);
            let parameters = parameters(&memory, profile);
            let mut wrong = parameters.clone();
            wrong.names = [ExpectedName::host("other.example")].into();
            assert!(!world.verify(&wrong).is_accepted());
            assert!(memory.is_empty());
            assert!(world.verify(&parameters).is_accepted());
            assert_eq!(memory.len(), 1);
        }
    }

    #[test]
    fn a_hit_hides_no_other_failure() {
        for profile in PROFILES {
            let world = World::new();
            let memory = SignatureMemory::new(32);
            let good = parameters(&memory, profile);
            assert!(world.verify(&good).is_accepted());
            let code = |change: &dyn Fn(&mut Parameters)| {
                let mut changed = good.clone();
                change(&mut changed);
                world.verify(&changed).code()
            };
            let day = 86_400;
            let expired = code(&|changed| changed.time = at(NOW + 365 * day));
            assert_eq!(expired, VerifyCode::CERT_HAS_EXPIRED);
            let early = code(&|changed| changed.time = at(NOW - 365 * day));
            assert_eq!(early, VerifyCode::CERT_NOT_YET_VALID);
            let name =
                code(&|changed| changed.names = [ExpectedName::host("other.example")].into());
            assert_eq!(name, VerifyCode::HOSTNAME_MISMATCH);
            let weak = code(&|changed| changed.security_level = 5);
            assert_eq!(weak, VerifyCode::EE_KEY_TOO_SMALL);
            let purpose = code(&|changed| changed.purpose = Purpose::ClientAuth);
            assert_eq!(purpose, VerifyCode::INVALID_PURPOSE);
            let unlisted = code(&|changed| changed.revocation = Revocation::Leaf);
            assert_eq!(unlisted, VerifyCode::UNABLE_TO_GET_CRL);
            world.revoke();
            let revoked = code(&|changed| changed.revocation = Revocation::Leaf);
            assert_eq!(revoked, VerifyCode::CERT_REVOKED);
            world.trust.replace(&TrustStore::empty());
            let untrusted = code(&|_| {});
            assert!(!untrusted.is_ok());
        }
    }

    #[test]
    fn another_key_of_the_same_name_is_another_issuer() {
        let (world, other) = (World::new(), World::new());
        let memory = SignatureMemory::new(32);
        let parameters = parameters(&memory, Profile::OpenSsl);
        assert!(world.verify(&parameters).is_accepted());
        let leaf = core::slice::from_ref(&world.leaf);
        assert!(!verify(leaf, &other.trust, &parameters).is_accepted());
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let memory = SignatureMemory::new(100);
        assert_eq!(memory.capacity(), 128);
        for number in 0..10_000 {
            memory.remember(pair(0));
            memory.remember(pair(number));
            assert!(memory.knows(&pair(number)));
            assert!(memory.knows(&pair(0)));
            assert!(memory.len() <= memory.capacity());
        }
        assert!(!memory.knows(&pair(1)));
        assert!(memory.len() > 64);
        memory.clear();
        assert!(memory.is_empty() && !memory.knows(&pair(0)));
        assert_eq!(SignatureMemory::new(0).capacity(), 32);
    }

    #[test]
    fn threads_share_one_memory() {
        let memory = SignatureMemory::new(10_000);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let memory = memory.clone();
                scope.spawn(move || {
                    for number in 0..500 {
                        memory.remember(pair(thread * 500 + number));
                        assert!(memory.knows(&pair(thread * 500 + number)));
                    }
                });
            }
        });
        assert_eq!(memory.len(), 2_000);
    }

    #[test]
    fn the_length_keeps_key_and_certificate_apart() {
        let world = World::new();
        let root = world.root();
        let root = Certificate::parse(&root).unwrap();
        let leaf = Certificate::parse(&world.leaf).unwrap();
        let pairs = [
            SignedPair::new(&leaf, &root),
            SignedPair::new(&root, &leaf),
            SignedPair::new(&root, &root),
            SignedPair::new(&leaf, &leaf),
        ];
        for (index, pair) in pairs.iter().enumerate() {
            assert!(pairs[..index].iter().all(|other| other != pair));
        }
    }
}
