//! A revocation list with what would take long to find out again and again.

use core::hash::{Hash, Hasher};
use std::collections::hash_map::DefaultHasher;
use std::sync::{Arc, OnceLock};

use pki_types::CertificateRevocationListDer;

use crate::crl::CertificateList;
use crate::der::ParseError;
use crate::extensions::ExtensionKind;

/// A revocation list of a trust store.
#[derive(Clone, Debug)]
pub(crate) struct StoredList {
    der: CertificateRevocationListDer<'static>,
    has_unknown_critical_entry: bool,
    /// Hash of the issuer's name.
    issuer: u64,
    kind: Kind,
    /// Hashes of the serial numbers listed, sorted: most certificates asked about are not listed.
    serials: Arc<[u64]>,
    /// The public key under which the signature was found good, as `SubjectPublicKeyInfo`.
    signed_by: Arc<OnceLock<Box<[u8]>>>,
}

/// What a list says something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Certificates of its own issuer.
    Plain,
    /// Certificates of others too.
    Indirect,
    /// What has changed since another list.
    Delta,
}

impl StoredList {
    /// Takes a list all of whose entries are well-formed.
    pub(super) fn new(der: CertificateRevocationListDer<'static>) -> Result<Self, ParseError> {
        let list = CertificateList::parse(&der)?;
        list.check_entries()?;
        let has_unknown_critical_entry =
            list.first_unprocessed_critical_entry_extension().is_some();
        let entries = list.entries().filter_map(Result::ok);
        let mut serials: Vec<u64> = entries.map(|entry| hash_of_serial(entry.serial)).collect();
        serials.sort_unstable();
        let extensions = list.extensions();
        let point = extensions.issuing_distribution_point();
        let kind = if extensions.contains(ExtensionKind::DeltaCrlIndicator) {
            Kind::Delta
        } else if point.is_some_and(|point| point.indirect) {
            Kind::Indirect
        } else {
            Kind::Plain
        };
        let issuer = super::hash_of(&list.issuer());
        Ok(Self {
            der,
            issuer,
            kind,
            has_unknown_critical_entry,
            serials: serials.into(),
            signed_by: Arc::default(),
        })
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// False only if the list says nothing about certificates of the issuer whose name has this hash.
    pub(crate) fn may_speak_for(&self, issuer: u64) -> bool {
        match self.kind {
            Kind::Plain => self.issuer == issuer,
            Kind::Indirect => true,
            // What is not in a delta list may be in the list it amends.
            Kind::Delta => false,
        }
    }

    /// The list says what has changed since another one.
    pub(crate) fn is_delta(&self) -> bool {
        self.kind == Kind::Delta
    }

    /// Some entry has a critical extension that is not known here.
    pub(crate) fn has_unknown_critical_entry(&self) -> bool {
        self.has_unknown_critical_entry
    }

    /// False only if no certificate with this serial number is listed.
    pub(crate) fn may_hold(&self, serial: &[u8]) -> bool {
        self.serials.binary_search(&hash_of_serial(serial)).is_ok()
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

fn hash_of_serial(serial: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    serial.hash(&mut hasher);
    hasher.finish()
}
