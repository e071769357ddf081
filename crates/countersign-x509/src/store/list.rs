//! A revocation list with what would take long to find out again and again.

use core::hash::{Hash, Hasher};
use std::collections::hash_map::DefaultHasher;
use std::sync::{Arc, OnceLock};

use pki_types::CertificateRevocationListDer;

use crate::crl::CertificateList;
use crate::der::ParseError;

/// A revocation list of a trust store.
#[derive(Clone, Debug)]
pub(crate) struct StoredList {
    der: CertificateRevocationListDer<'static>,
    has_unknown_critical_entry: bool,
    /// Hashes of the serial numbers listed, sorted: most certificates asked about are not listed.
    serials: Arc<[u64]>,
    /// The public key under which the signature was found good, as `SubjectPublicKeyInfo`.
    signed_by: Arc<OnceLock<Box<[u8]>>>,
}

impl StoredList {
    /// Takes a list all of whose entries are well-formed.
    pub(super) fn new(der: CertificateRevocationListDer<'static>) -> Result<Self, ParseError> {
        let list = CertificateList::parse(&der)?;
        list.check_entries()?;
        let has_unknown_critical_entry =
            list.first_unprocessed_critical_entry_extension().is_some();
        let entries = list.entries().filter_map(Result::ok);
        let mut serials: Vec<u64> = entries.map(|entry| hash_of(entry.serial)).collect();
        serials.sort_unstable();
        Ok(Self {
            der,
            has_unknown_critical_entry,
            serials: serials.into(),
            signed_by: Arc::default(),
        })
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Some entry has a critical extension that is not known here.
    pub(crate) fn has_unknown_critical_entry(&self) -> bool {
        self.has_unknown_critical_entry
    }

    /// False only if no certificate with this serial number is listed.
    pub(crate) fn may_hold(&self, serial: &[u8]) -> bool {
        self.serials.binary_search(&hash_of(serial)).is_ok()
    }

    /// The signature has been found good under this key before.
    pub(crate) fn is_signed_by(&self, key: &[u8]) -> bool {
        self.signed_by.get().is_some_and(|known| **known == *key)
    }

    /// The signature is good under this key. Only the first such key is remembered: a list has one
    /// issuer.
    pub(crate) fn remember_signer(&self, key: &[u8]) {
        let _kept = self.signed_by.set(key.into());
    }
}

fn hash_of(serial: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    serial.hash(&mut hasher);
    hasher.finish()
}
