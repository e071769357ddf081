//! What is trusted: anchors, stored intermediates and revocation lists.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};

use pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::certificate::Certificate;
use crate::certificate::outline::Outline;
use crate::checks::signature::ReadyKey;
use crate::der::{Malformed, ParseError};
use crate::name::Name;
use crate::parameters::Profile;
use crate::path::{Nature, Node, Source};

mod error;
mod list;
mod pem;

pub use error::{TrustError, TrustProblem};
pub(crate) use list::StoredList;

/// A set of trusted certificates and revocation lists, shared by everyone who holds a clone.
///
/// As in OpenSSL's `X509_STORE`, a self-signed certificate is a trust anchor, and any other is
/// a stored intermediate that helps to reach one; [`Parameters::partial_chain`] and
/// [`Profile::WebPki`] make every certificate an anchor.
///
/// The content can be replaced while connections use it: verifications that have begun finish with
/// the old content, and [`epoch`](Self::epoch) tells that something has changed. New content is
/// read in full before it takes effect, so a file that cannot be read changes nothing.
///
/// ```
/// use countersign_x509::TrustStore;
///
/// # let made = rcgen::generate_simple_self_signed(["ca.example".to_owned()])?;
/// # let pem = made.cert.pem();
/// let trust = TrustStore::from_pem(pem.as_bytes())?;
/// assert_eq!(trust.len(), 1);
///
/// let mistake = trust.replace_from_pem(b"no certificate here");
/// assert!(mistake.is_err());
/// assert_eq!(trust.len(), 1); // the last good content is still in place
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Parameters::partial_chain`]: crate::Parameters::partial_chain
/// [`Profile::WebPki`]: crate::Profile::WebPki
#[derive(Clone)]
pub struct TrustStore {
    shared: Arc<RwLock<Arc<Set>>>,
}

impl TrustStore {
    /// A store that trusts nobody.
    pub fn empty() -> Self {
        Self::from_set(Set::default())
    }

    /// Every certificate and revocation list in PEM text. Other text and other PEM blocks are
    /// passed over. At least one certificate must be there, and all must be readable; an error
    /// names the line.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TrustError> {
        Ok(Self::from_set(Set::from_pem(pem, None)?))
    }

    /// [`from_pem`](Self::from_pem) on the content of a file (`SSL_CTX_load_verify_file`). An
    /// error names file and line. A file of more than 64 MiB is refused.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TrustError> {
        Self::from_pem_files([path])
    }

    /// The content of several files together.
    pub fn from_pem_files(
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Result<Self, TrustError> {
        let mut set = Set::default();
        for path in paths {
            set.add_pem_file(path.as_ref())?;
        }
        Ok(Self::from_set(set))
    }

    /// Every file of a folder whose name ends in `.pem`, `.crt`, `.cer` or `.crl`, or looks like
    /// the hash links of OpenSSL's `c_rehash`, in the order of their names
    /// (`SSL_CTX_load_verify_dir`; unlike there, everything is read at once).
    pub fn from_pem_folder(path: impl AsRef<Path>) -> Result<Self, TrustError> {
        let path = path.as_ref();
        let mut set = Set::default();
        for file in pem::files_of(path)? {
            set.add_pem_file(&file)?;
        }
        if set.certificates.is_empty() {
            return Err(TrustError::in_file(TrustProblem::NoCertificate, path));
        }
        Ok(Self::from_set(set))
    }

    /// The given certificates, none of which may be unreadable.
    pub fn from_der<'a>(
        certificates: impl IntoIterator<Item = CertificateDer<'a>>,
    ) -> Result<Self, TrustError> {
        let mut set = Set::default();
        for certificate in certificates {
            set.add_certificate(certificate.into_owned())
                .map_err(TrustProblem::Certificate)?;
        }
        Ok(Self::from_set(set))
    }

    /// The trust anchors of the operating system. Certificates in it that cannot be read are left
    /// out; that none is left is an error.
    #[cfg(feature = "system-roots")]
    pub fn from_system() -> Result<Self, TrustError> {
        let loaded = rustls_native_certs::load_native_certs();
        let mut set = Set::default();
        for certificate in loaded.certs {
            // An unreadable certificate cannot be anybody's anchor, and nobody here can repair it.
            let _unreadable = set.add_certificate(certificate);
        }
        if set.certificates.is_empty() {
            let cause = loaded.errors.first().map(ToString::to_string);
            return Err(TrustProblem::System(cause.unwrap_or_default()).into());
        }
        set.is_public = true;
        Ok(Self::from_set(set))
    }

    /// The roots of Mozilla's programme for servers, as of the version of the crate that holds
    /// them.
    #[cfg(feature = "mozilla-roots")]
    pub fn mozilla() -> Result<Self, TrustError> {
        let mut set = Set {
            is_public: true,
            ..Set::default()
        };
        for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            set.add_certificate(root.clone())
                .map_err(TrustProblem::Certificate)?;
        }
        Ok(Self::from_set(set))
    }

    /// The rules that fit the anchors: [`Profile::WebPki`] if they are those of the public web,
    /// [`Profile::OpenSsl`] for a private set.
    pub fn default_profile(&self) -> Profile {
        if self.content().is_public {
            Profile::WebPki
        } else {
            Profile::OpenSsl
        }
    }

    /// Adds every certificate and revocation list of PEM text to the content, at once.
    pub fn add_pem(&self, pem: &[u8]) -> Result<(), TrustError> {
        self.change(|set| set.add_pem(pem, None).map(drop))
    }

    /// Adds the revocation lists of PEM text to the content, at once. There must be at least one.
    /// Certificates in the text are passed over: a file of lists makes nobody trusted.
    pub fn add_crls_pem(&self, pem: &[u8]) -> Result<(), TrustError> {
        self.change(|set| set.add_lists_pem(pem))
    }

    /// Replaces all revocation lists by those of PEM text, at once: what a job does that fetches
    /// them regularly. Certificates in the text are passed over.
    pub fn replace_crls_pem(&self, pem: &[u8]) -> Result<(), TrustError> {
        self.change(|set| {
            set.lists.clear();
            set.add_lists_pem(pem)
        })
    }

    /// The store with the given revocation lists added.
    pub fn with_crls<'a>(
        self,
        lists: impl IntoIterator<Item = CertificateRevocationListDer<'a>>,
    ) -> Result<Self, TrustError> {
        self.change(|set| {
            for list in lists {
                let list = CertificateRevocationListDer::from(list.as_ref().to_vec());
                set.add_list(list).map_err(TrustProblem::RevocationList)?;
            }
            Ok(())
        })?;
        Ok(self)
    }

    /// Replaces the content by that of another store, for this handle and all its clones.
    pub fn replace(&self, new: &Self) {
        // Taken first: `new` may be a clone of this very store.
        let content = new.content();
        let mut current = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = current.epoch.saturating_add(1);
        *current = Arc::new(Set {
            epoch,
            ..Set::clone(&content)
        });
    }

    /// Replaces the content by that of PEM text. On an error the content stays as it was.
    pub fn replace_from_pem(&self, pem: &[u8]) -> Result<(), TrustError> {
        self.replace(&Self::from_pem(pem)?);
        Ok(())
    }

    /// Replaces the content by that of a PEM file. On an error the content stays as it was.
    pub fn replace_from_pem_file(&self, path: impl AsRef<Path>) -> Result<(), TrustError> {
        self.replace(&Self::from_pem_file(path)?);
        Ok(())
    }

    /// Counts the changes of the content: 0 for a new store, one more for each.
    pub fn epoch(&self) -> u64 {
        self.content().epoch
    }

    /// Number of certificates.
    pub fn len(&self) -> usize {
        self.content().certificates.len()
    }

    /// Nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.content().certificates.is_empty()
    }

    /// Number of revocation lists.
    pub fn crl_count(&self) -> usize {
        self.content().lists.len()
    }

    /// The subjects of all certificates as DER, each once: what a server sends as
    /// `certificate_authorities` (RFC 9846 §4.2.4).
    pub fn subjects(&self) -> Vec<Vec<u8>> {
        let set = self.content();
        let mut subjects: Vec<Vec<u8>> = Vec::new();
        for certificate in set.parsed() {
            let name = certificate.subject().der();
            if !subjects.iter().any(|known| known == name) {
                subjects.push(name.to_vec());
            }
        }
        subjects
    }

    /// The certificates as DER.
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        self.content().certificates.clone()
    }

    pub(crate) fn content(&self) -> Arc<Set> {
        Arc::clone(&self.shared.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn from_set(set: Set) -> Self {
        Self {
            shared: Arc::new(RwLock::new(Arc::new(set))),
        }
    }

    /// Applies a change to a copy, which takes effect only if the change succeeds.
    fn change(
        &self,
        apply: impl FnOnce(&mut Set) -> Result<(), TrustError>,
    ) -> Result<(), TrustError> {
        let mut current = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let mut set = Set::clone(&current);
        apply(&mut set)?;
        set.epoch = set.epoch.saturating_add(1);
        *current = Arc::new(set);
        Ok(())
    }
}

impl fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.content();
        f.debug_struct("TrustStore")
            .field("certificates", &set.certificates.len())
            .field("crls", &set.lists.len())
            .field("epoch", &set.epoch)
            .finish()
    }
}

/// The position of a certificate that is in no store: there is never one in this place.
pub(crate) const NO_LONGER_STORED: usize = usize::MAX;

/// What is known of a stored certificate, so that verifying need not find it out each time.
#[derive(Clone, Debug)]
struct Known {
    outline: Outline,
    nature: Nature,
    key: ReadyKey,
}

/// So few certificates are compared with a name sooner than that is hashed.
const FEW: usize = 4;

/// The content of a store at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    certificates: Vec<CertificateDer<'static>>,
    /// What is known of them, in the same order.
    known: Vec<Known>,
    /// Hash of the subject and position, sorted: certificates of one subject stay in the order in
    /// which they were added, since OpenSSL prefers the first.
    by_subject: Vec<(u64, usize)>,
    lists: Vec<StoredList>,
    epoch: u64,
    /// The anchors are those of the public web.
    is_public: bool,
}

/// Said of a certificate of more than 4 GiB.
const TOO_LONG: ParseError = ParseError {
    what: Malformed::ExcessiveLength,
    at: 0,
};

impl Set {
    /// The certificate at this position, empty if there is none.
    pub(crate) fn certificate(&self, position: usize) -> &[u8] {
        self.certificates
            .get(position)
            .map_or(&[], |der| der.as_ref())
    }

    /// Number of certificates.
    pub(crate) fn len(&self) -> usize {
        self.certificates.len()
    }

    /// The public key of the certificate at this position.
    pub(crate) fn key(&self, position: usize) -> Option<&ReadyKey> {
        self.known.get(position).map(|known| &known.key)
    }

    /// Certificates with this subject, in the order they were added.
    pub(crate) fn with_subject<'s>(&'s self, subject: Name<'s>) -> impl Iterator<Item = Node<'s>> {
        let candidates = if self.by_subject.len() <= FEW {
            self.by_subject.as_slice()
        } else {
            self.with_hash(hash_of(&subject))
        };
        candidates.iter().filter_map(move |(_, position)| {
            let known = self.known.get(*position)?;
            let der = self.certificate(*position);
            if known.outline.subject(der) != subject {
                return None;
            }
            let certificate = Rc::new(known.outline.fill(der));
            let source = Source::Stored(*position);
            Some(Node::with_nature(certificate, source, known.nature))
        })
    }

    /// Those whose subject has this hash.
    fn with_hash(&self, wanted: u64) -> &[(u64, usize)] {
        let first = self.by_subject.partition_point(|(hash, _)| *hash < wanted);
        let behind = self.by_subject.partition_point(|(hash, _)| *hash <= wanted);
        self.by_subject.get(first..behind).unwrap_or_default()
    }

    /// All revocation lists.
    pub(crate) fn revocation_lists(&self) -> &[StoredList] {
        &self.lists
    }

    fn parsed(&self) -> impl Iterator<Item = Certificate<'_>> {
        let certificates = self.certificates.iter().zip(&self.known);
        certificates.map(|(der, known)| known.outline.fill(der))
    }

    /// Adds a certificate unless it is there already.
    fn add_certificate(&mut self, der: CertificateDer<'static>) -> Result<(), ParseError> {
        let certificate = Certificate::parse(&der)?;
        let outline = Outline::of(&certificate).ok_or(TOO_LONG)?;
        let nature = Nature::of(&certificate);
        let entry = (hash_of(&certificate.subject()), self.certificates.len());
        let mut same = self.with_hash(entry.0).iter();
        if same.any(|(_, position)| self.certificate(*position) == der.as_ref()) {
            return Ok(());
        }
        let place = self.by_subject.partition_point(|known| *known < entry);
        self.by_subject.insert(place, entry);
        self.certificates.push(der);
        self.known.push(Known {
            outline,
            nature,
            key: ReadyKey::default(),
        });
        Ok(())
    }

    fn add_list(&mut self, der: CertificateRevocationListDer<'static>) -> Result<(), ParseError> {
        let list = StoredList::new(der)?;
        if !self.lists.iter().any(|known| known.der() == list.der()) {
            self.lists.push(list);
        }
        Ok(())
    }
}

/// The same for equal names, in every process.
pub(crate) fn hash_of(name: &Name<'_>) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    name.hash(&mut hasher);
    hasher.finish()
}

/// FNV-1a, with a character in one step. Anybody can find names that collide in it, but a peer does not
/// decide which names are in the store, and those found are compared.
struct Fnv(u64);

impl Fnv {
    fn step(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.step(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, character: u32) {
        self.step(u64::from(character));
    }

    fn write_usize(&mut self, length: usize) {
        self.step(u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
