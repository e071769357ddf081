//! Certificate policies: certificatePolicies, policyMappings, policyConstraints
//! (RFC 5280 §4.2.1.4, §4.2.1.5, §4.2.1.11).

use crate::der::{Item, List, Reader, Result, tag};
use crate::oid::Oid;

/// A sequence of [`PolicyInformation`].
pub type CertificatePolicies<'a> = List<'a, PolicyInformation<'a>>;

/// A policy under which a certificate was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyInformation<'a> {
    /// The policy; [`Oid::ANY_POLICY`] stands for all.
    pub policy: Oid<'a>,
    /// The qualifiers: the content of the SEQUENCE OF, undecoded.
    pub qualifiers: Option<&'a [u8]>,
}

impl<'a> Item<'a> for PolicyInformation<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let policy = content.object_identifier()?;
        let qualifiers = content
            .optional(tag::SEQUENCE)?
            .map(|qualifiers| qualifiers.rest());
        content.finish()?;
        Ok(Self { policy, qualifiers })
    }
}

/// A sequence of [`PolicyMapping`]s.
pub type PolicyMappings<'a> = List<'a, PolicyMapping<'a>>;

/// Two policies that the issuer takes for equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyMapping<'a> {
    /// The issuer's own policy.
    pub issuer_domain: Oid<'a>,
    /// The subject's policy that counts as it.
    pub subject_domain: Oid<'a>,
}

impl<'a> Item<'a> for PolicyMapping<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let issuer_domain = content.object_identifier()?;
        let subject_domain = content.object_identifier()?;
        content.finish()?;
        Ok(Self {
            issuer_domain,
            subject_domain,
        })
    }
}

/// policyConstraints. Both numbers count certificates further down the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyConstraints {
    /// After how many an acceptable policy must be stated.
    pub require_explicit_policy: Option<u32>,
    /// After how many policies may no longer be mapped.
    pub inhibit_policy_mapping: Option<u32>,
}

impl PolicyConstraints {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let mut count = |number| {
            content
                .optional(tag::context(number))?
                .map(Reader::as_count)
                .transpose()
        };
        let require_explicit_policy = count(0)?;
        let inhibit_policy_mapping = count(1)?;
        content.finish()?;
        Ok(Self {
            require_explicit_policy,
            inhibit_policy_mapping,
        })
    }
}
