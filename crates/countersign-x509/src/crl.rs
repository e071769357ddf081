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
///
/// ```
/// use countersign_x509::CertificateList;
/// # let key = rcgen::KeyPair::generate()?;
/// # let mut params = rcgen::CertificateParams::new(vec![])?;
/// # params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
/// # let made = rcgen::CertificateRevocationListParams {
/// #     this_update: rcgen::date_time_ymd(2026, 1, 1),
/// #     next_update: rcgen::date_time_ymd(2026, 2, 1),
/// #     crl_number: 1.into(),
/// #     issuing_distribution_point: None,
/// #     revoked_certs: vec![],
/// #     key_identifier_method: rcgen::KeyIdMethod::Sha256,
/// # }.signed_by(&rcgen::Issuer::new(params, key))?;
/// # let der = made.der();
/// let list = CertificateList::parse(der)?;
/// list.check_entries()?;
/// assert!(list.find(&[5], &list.issuer())?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    pub const fn signed(&self) -> &Signed<'a> {
        &self.signed
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
        if self.is_indirect() {
            return self.find_among_issuers(serial, issuer);
        }
        if self.issuer != *issuer {
            return Ok(None);
        }
        let mut rest = self.revoked;
        while !rest.is_empty() {
            let mut entry = rest;
            // Entries that are not asked for need not be decoded.
            if rest.sequence()?.integer()? == serial {
                return RevokedCertificate::read(&mut entry, None).map(Some);
            }
        }
        Ok(None)
    }

    fn find_among_issuers(
        &self,
        serial: &[u8],
        issuer: &Name<'_>,
    ) -> Result<Option<RevokedCertificate<'a>>> {
        for entry in self.entries() {
            let entry = entry?;
            if entry.serial == serial && entry.issuer.unwrap_or(self.issuer) == *issuer {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn is_indirect(&self) -> bool {
        self.extensions
            .issuing_distribution_point()
            .is_some_and(|point| point.indirect)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};
    use crate::extensions::distribution::CrlScope;
    use proptest::prelude::*;

    const ALGORITHM: &[u8] = &[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

    fn name(letter: u8) -> Vec<u8> {
        vec![
            0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, letter,
        ]
    }

    fn time() -> Vec<u8> {
        element(tag::UTC_TIME, &[b"260101000000Z"])
    }

    fn extension(last: u8, content: &[u8]) -> Vec<u8> {
        sequence(&[
            &[6, 3, 0x55, 0x1d, last, 1, 1, 0xff],
            &element(tag::OCTET_STRING, &[content]),
        ])
    }

    fn entry(serial: u8, extensions: &[&[u8]]) -> Vec<u8> {
        let extensions = if extensions.is_empty() {
            vec![]
        } else {
            sequence(extensions)
        };
        sequence(&[&[2, 1, serial], &time(), &extensions])
    }

    fn list(entries: &[Vec<u8>], extensions: &[&[u8]]) -> Vec<u8> {
        let entries = if entries.is_empty() {
            vec![]
        } else {
            sequence(&[&entries.concat()])
        };
        let extensions = element(0xa0, &[&sequence(extensions)]);
        let tbs = sequence(&[
            &[2, 1, 1],
            ALGORITHM,
            &name(b'a'),
            &time(),
            &time(),
            &entries,
            &extensions,
        ]);
        sequence(&[&tbs, ALGORITHM, &[3, 2, 0, 7]])
    }

    fn certificate_issuer(letter: u8) -> Vec<u8> {
        extension(29, &sequence(&[&element(0xa4, &[&name(letter)])]))
    }

    const INDIRECT: &[u8] = &[0x30, 3, 0x84, 1, 0xff];

    #[test]
    fn an_entry_says_when_and_why() {
        let reason = extension(21, &[10, 1, 1]);
        let invalid = extension(24, &element(tag::GENERALIZED_TIME, &[b"20251231235959Z"]));
        let der = list(&[entry(4, &[]), entry(5, &[&reason, &invalid])], &[]);
        let list = CertificateList::parse(&der).unwrap();
        list.check_entries().unwrap();
        let found = list.find(&[5], &list.issuer()).unwrap().unwrap();
        assert_eq!(found.reason(), Some(RevocationReason::KeyCompromise));
        assert_eq!(found.date.to_string(), "2026-01-01 00:00:00 UTC");
        assert_eq!(
            found.invalidity_date().unwrap().to_string(),
            "2025-12-31 23:59:59 UTC"
        );
        let found = list.find(&[4], &list.issuer()).unwrap().unwrap();
        assert_eq!((found.reason(), found.invalidity_date()), (None, None));
        assert!(list.find(&[6], &list.issuer()).unwrap().is_none());
    }

    #[test]
    fn a_plain_list_speaks_for_its_own_issuer_only() {
        let der = list(&[entry(5, &[])], &[]);
        let list = CertificateList::parse(&der).unwrap();
        let other = name(b'b');
        assert!(
            list.find(&[5], &Name::from_der(&other).unwrap())
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn in_an_indirect_list_an_entry_belongs_to_the_issuer_last_named() {
        let idp = extension(28, INDIRECT);
        let entries = [
            entry(1, &[]),
            entry(2, &[&certificate_issuer(b'b')]),
            entry(3, &[]),
            entry(4, &[&certificate_issuer(b'c')]),
        ];
        let der = list(&entries, &[&idp]);
        let list = CertificateList::parse(&der).unwrap();
        for (serial, owner) in [(1, b'a'), (2, b'b'), (3, b'b'), (4, b'c')] {
            for letter in [b'a', b'b', b'c'] {
                let issuer = name(letter);
                let found = list
                    .find(&[serial], &Name::from_der(&issuer).unwrap())
                    .unwrap();
                assert_eq!(found.is_some(), letter == owner, "{serial}");
            }
        }
    }

    #[test]
    fn a_malformed_entry_hides_what_follows() {
        let bad = sequence(&[&[2, 1, 4], &[5, 0]]);
        let der = list(&[entry(3, &[]), bad, entry(5, &[])], &[]);
        let list = CertificateList::parse(&der).unwrap();
        assert_eq!(
            list.check_entries().unwrap_err().what,
            Malformed::UnexpectedTag
        );
        assert_eq!(list.entries().flatten().count(), 1);
        assert!(list.find(&[3], &list.issuer()).unwrap().is_some());
        assert!(list.find(&[4], &list.issuer()).is_err());
    }

    #[test]
    fn the_scope_and_the_numbers_are_read() {
        for (content, scope, indirect) in [
            (&[0x30, 0][..], CrlScope::All, false),
            (&[0x30, 3, 0x81, 1, 0xff], CrlScope::UserCertificates, false),
            (&[0x30, 3, 0x82, 1, 0xff], CrlScope::CaCertificates, false),
            (
                &[0x30, 3, 0x85, 1, 0xff],
                CrlScope::AttributeCertificates,
                false,
            ),
            (
                &[0x30, 6, 0x81, 1, 0xff, 0x82, 1, 0xff],
                CrlScope::Contradictory,
                false,
            ),
            (INDIRECT, CrlScope::All, true),
        ] {
            let idp = extension(28, content);
            let (number, base) = (extension(20, &[2, 2, 1, 0]), extension(27, &[2, 1, 9]));
            let der = list(&[], &[&idp, &number, &base]);
            let list = CertificateList::parse(&der).unwrap();
            let point = list.extensions().issuing_distribution_point().unwrap();
            assert_eq!((point.scope, point.indirect), (scope, indirect));
            assert_eq!(list.extensions().crl_number(), Some(&[1, 0][..]));
            assert_eq!(list.extensions().delta_crl_indicator(), Some(&[9][..]));
        }
    }

    #[test]
    fn a_critical_extension_of_an_entry_is_noticed() {
        let known = [
            entry(1, &[&certificate_issuer(b'b')]),
            entry(2, &[&extension(21, &[10, 1, 6])]),
        ];
        let der = list(&known, &[]);
        let known = CertificateList::parse(&der).unwrap();
        assert_eq!(known.first_unprocessed_critical_entry_extension(), None);
        let der = list(&[entry(1, &[]), entry(2, &[&extension(99, &[])])], &[]);
        let unknown = CertificateList::parse(&der).unwrap();
        let found = unknown.first_unprocessed_critical_entry_extension();
        assert_eq!(
            found.map(|oid| oid.to_string()).as_deref(),
            Some("2.5.29.99")
        );
    }

    #[test]
    fn times_and_versions_are_checked() {
        let with = |parts: &[&[u8]]| {
            let der = sequence(&[&sequence(parts), ALGORITHM, &[3, 2, 0, 7]]);
            CertificateList::parse(&der)
                .map(|list| (list.is_v2(), list.next_update().is_some()))
                .map_err(|error| error.what)
        };
        let (bad, a) = (element(tag::UTC_TIME, &[b"2601010000Z"]), name(b'a'));
        assert_eq!(with(&[ALGORITHM, &a, &time()]), Ok((false, false)));
        assert_eq!(
            with(&[&[2, 1, 1], ALGORITHM, &a, &time(), &time()]),
            Ok((true, true))
        );
        assert_eq!(
            with(&[&[2, 1, 2], ALGORITHM, &a, &time()]),
            Err(Malformed::UnknownVersion)
        );
        assert_eq!(with(&[ALGORITHM, &a, &bad]), Err(Malformed::BadThisUpdate));
        assert_eq!(
            with(&[ALGORITHM, &a, &time(), &bad]),
            Err(Malformed::BadNextUpdate)
        );
        assert_eq!(
            with(&[ALGORITHM, &a, &time(), &time(), &time()]),
            Err(Malformed::TrailingData)
        );
    }

    proptest! {
        #[test]
        fn a_damaged_list_is_read_or_refused(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let idp = extension(28, INDIRECT);
            let entries = [entry(1, &[&extension(21, &[10, 1, 1])]), entry(2, &[&certificate_issuer(b'b')])];
            let mut der = list(&entries, &[&idp]);
            for (index, byte) in damage {
                let index = index.index(der.len());
                der[index] = byte;
            }
            if let Ok(list) = CertificateList::parse(&der) {
                let found = list.find(&[2], &list.issuer());
                prop_assert!(list.entries().count() <= der.len());
                prop_assert!(list.check_entries().is_ok() || list.entries().any(|entry| entry.is_err()));
                if let Ok(Some(found)) = found {
                    prop_assert_eq!(found.serial, &[2]);
                }
            }
        }
    }
}
