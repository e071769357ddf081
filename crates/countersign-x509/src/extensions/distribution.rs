//! Distribution points: where CRLs are, and what one covers (RFC 5280 §4.2.1.13, §5.2.5).

use crate::der::{Item, List, Malformed, Reader, Result, tag};
use crate::general_name::GeneralNames;
use crate::name::RelativeName;

/// A sequence of [`DistributionPoint`]s.
pub type DistributionPoints<'a> = List<'a, DistributionPoint<'a>>;

/// Where a CRL is, for which reasons it is good and who issues it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DistributionPoint<'a> {
    /// Where the CRL is.
    pub name: Option<DistributionPointName<'a>>,
    /// The reasons the CRL covers; all if absent.
    pub reasons: Option<ReasonFlags>,
    /// Who issues the CRL, if not the issuer of the certificate.
    pub crl_issuer: Option<GeneralNames<'a>>,
}

/// The name of a distribution point.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DistributionPointName<'a> {
    /// Several names for the same place.
    Full(GeneralNames<'a>),
    /// To be appended to the name of the CRL's issuer.
    RelativeToIssuer(RelativeName<'a>),
}

impl<'a> Item<'a> for DistributionPoint<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let name = DistributionPointName::read_optional(&mut content)?;
        let reasons = content
            .optional(tag::context(1))?
            .map(ReasonFlags::from_content)
            .transpose()?;
        let crl_issuer = content
            .optional(tag::constructed(2))?
            .map(List::new)
            .transpose()?;
        content.finish()?;
        // RFC 5280 §4.2.1.13: MUST NOT consist of only the reasons field.
        if name.is_none() && crl_issuer.is_none() {
            return Err(content.fault(Malformed::EmptyDistributionPoint));
        }
        Ok(Self {
            name,
            reasons,
            crl_issuer,
        })
    }
}

impl<'a> DistributionPointName<'a> {
    // The tag [0] is explicit, since the type is a CHOICE.
    fn read_optional(reader: &mut Reader<'a>) -> Result<Option<Self>> {
        let Some(mut choice) = reader.optional(tag::constructed(0))? else {
            return Ok(None);
        };
        let name = if let Some(names) = choice.optional(tag::constructed(0))? {
            Self::Full(List::new(names)?)
        } else {
            let part = choice.expect(tag::constructed(1))?;
            Self::RelativeToIssuer(RelativeName::from_content(part)?)
        };
        choice.finish()?;
        Ok(Some(name))
    }
}

/// A set of reasons for revoking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonFlags {
    flags: u16,
}

impl ReasonFlags {
    /// Every reason there is: bits 1 to 8.
    pub const ALL: Self = Self { flags: 0x7f80 };
    /// No reason.
    pub const NONE: Self = Self { flags: 0 };

    fn from_content(content: Reader<'_>) -> Result<Self> {
        content.as_bit_string().map(|bits| Self {
            flags: bits.flags() & Self::ALL.flags,
        })
    }

    /// The reasons in either set.
    pub const fn union(self, other: Self) -> Self {
        Self {
            flags: self.flags | other.flags,
        }
    }

    /// The reasons in both sets.
    pub const fn intersection(self, other: Self) -> Self {
        Self {
            flags: self.flags & other.flags,
        }
    }

    /// Whether all reasons of `other` are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.flags & other.flags == other.flags
    }

    /// Whether there is no reason in the set.
    pub const fn is_empty(self) -> bool {
        self.flags == 0
    }
}

/// issuingDistributionPoint: which certificates and reasons a CRL covers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IssuingDistributionPoint<'a> {
    /// The distribution point that the CRL belongs to.
    pub name: Option<DistributionPointName<'a>>,
    /// The kind of certificates it lists.
    pub scope: CrlScope,
    /// Only these reasons; all if absent.
    pub only_some_reasons: Option<ReasonFlags>,
    /// Whether it lists certificates of other issuers too.
    pub indirect: bool,
}

impl<'a> IssuingDistributionPoint<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let name = DistributionPointName::read_optional(&mut content)?;
        let only_users = content.optional_boolean(tag::context(1))?;
        let only_cas = content.optional_boolean(tag::context(2))?;
        let only_some_reasons = content
            .optional(tag::context(3))?
            .map(ReasonFlags::from_content)
            .transpose()?;
        let indirect = content.optional_boolean(tag::context(4))?;
        let only_attributes = content.optional_boolean(tag::context(5))?;
        content.finish()?;
        Ok(Self {
            name,
            scope: CrlScope::of(only_users, only_cas, only_attributes),
            only_some_reasons,
            indirect,
        })
    }
}

/// The kind of certificates that a CRL lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrlScope {
    /// All kinds.
    All,
    /// Certificates of end entities only.
    UserCertificates,
    /// Certificates of CAs only.
    CaCertificates,
    /// Attribute certificates only.
    AttributeCertificates,
    /// Two or three kinds, each stated to be the only one: RFC 5280 §5.2.5 forbids it.
    Contradictory,
}

impl CrlScope {
    const fn of(users: bool, cas: bool, attributes: bool) -> Self {
        match (users, cas, attributes) {
            (false, false, false) => Self::All,
            (true, false, false) => Self::UserCertificates,
            (false, true, false) => Self::CaCertificates,
            (false, false, true) => Self::AttributeCertificates,
            _ => Self::Contradictory,
        }
    }
}
