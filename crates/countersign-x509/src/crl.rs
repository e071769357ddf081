//! Certificate revocation lists (RFC 5280 §5).

use core::fmt;

use crate::algorithm::AlgorithmIdentifier;
use crate::certificate::Signed;
use crate::der::{Malformed, Reader, Result, tag};
use crate::extensions::{ExtensionKind, Extensions};
use crate::general_name::{GeneralName, GeneralNames};
use crate::name::Name;
use crate::oid::Oid;
use crate::time::Time;

/// A certificate revocation list, borrowed from its DER encoding.
///
/// Parsing allocates nothing and does not look at the entries, of which there may be very
/// many: [`check_entries`](Self::check_entries) does, once, when a list is first taken in.
#[derive(Clone, Copy)]
pub struct CertificateList<'a> {
    der: &'a [u8],
    is_v2: bool,
    inner_algorithm: AlgorithmIdentifier<'a>,
    issuer: Name<'a>,
    this_update: Time,
    next_update: Option<Time>,
    revoked: Reader<'a>,
    extensions: Extensions<'a>,
    signed: Signed<'a>,
}

impl<'a> CertificateList<'a> {
    /// Reads a list, of version 1 or 2, that is all of `der`.
    pub fn parse(der: &'a [u8]) -> Result<Self> {
        let (signed, mut tbs) = Signed::read(der)?;
        let is_v2 = read_version(&mut tbs)?;
        let inner_algorithm = AlgorithmIdentifier::read(&mut tbs)?;
        let issuer = Name::read(&mut tbs)?;
        let this_update =
            Time::read(&mut tbs).map_err(|error| error.as_what(Malformed::BadThisUpdate))?;
        let next_update = if tbs.next_is(tag::UTC_TIME) || tbs.next_is(tag::GENERALIZED_TIME) {
            let time = Time::read(&mut tbs);
            Some(time.map_err(|error| error.as_what(Malformed::BadNextUpdate))?)
        } else {
            None
        };
        let revoked = tbs.optional(tag::SEQUENCE)?.unwrap_or(Reader::new(&[]));
        let extensions = match tbs.optional(tag::constructed(0))? {
            Some(wrapper) => Extensions::read_crl(wrapper)?,
            None => Extensions::NONE,
        };
        tbs.finish()?;
        Ok(Self {
            der,
            is_v2,
            inner_algorithm,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions,
            signed,
        })
    }

    /// The whole encoding.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// Whether it is of version 2, which alone has extensions by right.
    pub const fn is_v2(&self) -> bool {
        self.is_v2
    }

    /// Who issued the list.
    pub const fn issuer(&self) -> Name<'a> {
        self.issuer
    }

    /// When it was issued.
    pub const fn this_update(&self) -> Time {
        self.this_update
    }

    /// When the next one is due at the latest. RFC 5280 §5.1.2.5 demands it; OpenSSL takes a
    /// list without it as valid for ever.
    pub const fn next_update(&self) -> Option<Time> {
        self.next_update
    }

    /// The extensions: authority key identifier, number, issuing distribution point, …
    pub const fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    /// What is signed, the algorithm and the signature.
    pub const fn signed(&self) -> Signed<'a> {
        self.signed
    }

    /// Whether the algorithms inside and outside the signed part are the same, as
    /// RFC 5280 §5.1.1.2 demands.
    pub fn signature_algorithms_agree(&self) -> bool {
        self.inner_algorithm == self.signed.algorithm
    }

    /// The entries in the order of the encoding. Ends after the first that is malformed.
    pub const fn entries(&self) -> Entries<'a> {
        Entries {
            rest: self.revoked,
            issuer: None,
        }
    }

    /// Reads every entry once, to find out whether all are well-formed.
    pub fn check_entries(&self) -> Result<()> {
        self.entries().try_for_each(|entry| entry.map(|_| ()))
    }

    /// The entry for the certificate with this serial number and issuer.
    ///
    /// In an indirect list an entry belongs to the issuer last named (RFC 5280 §5.3.3); in any
    /// other, entries belong to the issuer of the list. Takes time in proportion to the list.
    /// A malformed entry before the right one is an error: what it says cannot be known.
    pub fn find(&self, serial: &[u8], issuer: &Name<'_>) -> Result<Option<RevokedCertificate<'a>>> {
        for entry in self.entries() {
            let entry = entry?;
            if entry.serial == serial && entry.is_of(issuer, &self.issuer) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The first entry extension that is critical and not known: OpenSSL's code 36. Takes
    /// time in proportion to the list.
    pub fn first_unprocessed_critical_entry_extension(&self) -> Option<Oid<'a>> {
        self.entries().filter_map(Result::ok).find_map(|entry| {
            entry.extensions.first_unprocessed_critical(|kind| {
                matches!(
                    kind,
                    ExtensionKind::ReasonCode
                        | ExtensionKind::InvalidityDate
                        | ExtensionKind::CertificateIssuer
                )
            })
        })
    }
}

impl fmt::Debug for CertificateList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateList")
            .field("issuer", &self.issuer)
            .field("this_update", &self.this_update)
            .field("next_update", &self.next_update)
            .finish_non_exhaustive()
    }
}

fn read_version(tbs: &mut Reader<'_>) -> Result<bool> {
    let at = *tbs;
    match tbs
        .optional(tag::INTEGER)?
        .map(Reader::as_integer)
        .transpose()?
    {
        None | Some([0]) => Ok(false),
        Some([1]) => Ok(true),
        Some(_) => Err(at.fault(Malformed::UnknownVersion)),
    }
}

/// Iterator over the entries of a list.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: Reader<'a>,
    issuer: Option<Name<'a>>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<RevokedCertificate<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = RevokedCertificate::read(&mut self.rest, self.issuer);
        match &entry {
            Ok(entry) => self.issuer = entry.issuer,
            Err(_) => self.rest = Reader::new(&[]),
        }
        Some(entry)
    }
}

/// An entry of a list: a certificate that is revoked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RevokedCertificate<'a> {
    /// The serial number, as [`Certificate::serial`](crate::Certificate::serial) gives it.
    pub serial: &'a [u8],
    /// When it was revoked.
    pub date: Time,
    /// Who issued the certificate, if this or an earlier entry named another issuer than
    /// that of the list.
    pub issuer: Option<Name<'a>>,
    extensions: Extensions<'a>,
}

impl<'a> RevokedCertificate<'a> {
    fn read(reader: &mut Reader<'a>, current_issuer: Option<Name<'a>>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let serial = content.integer()?;
        let date = Time::read(&mut content)?;
        let extensions = match content.optional(tag::SEQUENCE)? {
            Some(extensions) => Extensions::read_entry(extensions)?,
            None => Extensions::NONE,
        };
        content.finish()?;
        let issuer = certificate_issuer(&extensions).or(current_issuer);
        Ok(Self {
            serial,
            date,
            issuer,
            extensions,
        })
    }

    /// Why it was revoked; `None` if the entry does not say.
    pub fn reason(&self) -> Option<RevocationReason> {
        self.extensions
            .decode(ExtensionKind::ReasonCode, RevocationReason::read)
    }

    /// Since when the key is thought to be compromised or the certificate otherwise bad.
    pub fn invalidity_date(&self) -> Option<Time> {
        self.extensions
            .decode(ExtensionKind::InvalidityDate, Time::read_generalized)
    }

    /// The extensions of the entry.
    pub const fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    fn is_of(&self, issuer: &Name<'_>, list_issuer: &Name<'_>) -> bool {
        self.issuer.as_ref().unwrap_or(list_issuer) == issuer
    }
}

fn certificate_issuer<'a>(extensions: &Extensions<'a>) -> Option<Name<'a>> {
    let names = extensions.decode(ExtensionKind::CertificateIssuer, GeneralNames::read)?;
    names.iter().find_map(|name| match name {
        GeneralName::Directory(name) => Some(name),
        _ => None,
    })
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationReason {
    /// No reason is given.
    Unspecified,
    /// The subject's key is known to others.
    KeyCompromise,
    /// The key of the CA is known to others.
    CaCompromise,
    /// The subject's name or the like has changed.
    AffiliationChanged,
    /// It has been replaced.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// It is on hold: not valid now, perhaps again later.
    CertificateHold,
    /// In a delta list only: it is valid again.
    RemoveFromCrl,
    /// A privilege it states has been withdrawn.
    PrivilegeWithdrawn,
    /// The key of the attribute authority is known to others.
    AaCompromise,
}

impl RevocationReason {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let content = reader.expect(tag::ENUMERATED)?;
        Ok(match content.as_integer()? {
            [0] => Self::Unspecified,
            [1] => Self::KeyCompromise,
            [2] => Self::CaCompromise,
            [3] => Self::AffiliationChanged,
            [4] => Self::Superseded,
            [5] => Self::CessationOfOperation,
            [6] => Self::CertificateHold,
            [8] => Self::RemoveFromCrl,
            [9] => Self::PrivilegeWithdrawn,
            [10] => Self::AaCompromise,
            _ => return Err(content.fault(Malformed::UnknownReason)),
        })
    }

    /// The reason in words.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Unspecified => "no reason given",
            Self::KeyCompromise => "its key was compromised",
            Self::CaCompromise => "the key of its CA was compromised",
            Self::AffiliationChanged => "the affiliation of its subject changed",
            Self::Superseded => "it was replaced by another",
            Self::CessationOfOperation => "it was no longer needed",
            Self::CertificateHold => "it is on hold",
            Self::RemoveFromCrl => "it is valid again",
            Self::PrivilegeWithdrawn => "a privilege it states was withdrawn",
            Self::AaCompromise => "the key of the attribute authority was compromised",
        }
    }
}
