//! Building a chain from the peer's certificate to an anchor.
//!
//! [`openssl`] follows OpenSSL step by step, since the chain it ends with decides every later
//! check. [`webpki`] searches all possible chains.

use core::cell::OnceCell;
use std::rc::Rc;

use crate::certificate::Certificate;
use crate::checks::{strength, usage};
use crate::general_name::GeneralName;
use crate::not_chosen::DeadEnds;
use crate::reason::Reason;
use crate::report::Outcome;

pub(crate) mod openssl;
pub(crate) mod webpki;

/// A certificate on a path, with what is asked of it again and again.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    /// Paths are put together of the same few certificates, which are not small.
    pub(crate) certificate: Rc<Certificate<'a>>,
    pub(crate) source: Source,
    /// Nobody asks a leaf, as a rule.
    nature: OnceCell<Nature>,
}

/// What a certificate alone tells about its place on paths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    self_issued: bool,
    self_signed: bool,
    invalid: bool,
}

impl Nature {
    pub(crate) fn of(certificate: &Certificate<'_>) -> Self {
        let self_issued = certificate.is_self_issued();
        Self {
            self_issued,
            self_signed: self_issued && may_have_issued(certificate, certificate),
            invalid: usage::contradicts_itself(certificate),
        }
    }
}

/// Where a certificate on a path was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Index among the certificates that the peer sent.
    Presented(usize),
    /// Position in the trust store.
    Stored(usize),
}

impl<'a> Node<'a> {
    pub(crate) fn new(certificate: impl Into<Rc<Certificate<'a>>>, source: Source) -> Self {
        Self {
            certificate: certificate.into(),
            source,
            nature: OnceCell::new(),
        }
    }

    /// One whose nature has been found out before.
    pub(crate) fn with_nature(
        certificate: Rc<Certificate<'a>>,
        source: Source,
        nature: Nature,
    ) -> Self {
        Self {
            certificate,
            source,
            nature: OnceCell::from(nature),
        }
    }

    fn nature(&self) -> Nature {
        *self.nature.get_or_init(|| Nature::of(&self.certificate))
    }

    /// Issuer and subject are the same name.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.nature().self_issued
    }

    /// Besides, key identifier and kind of key fit: OpenSSL takes it for self-signed without
    /// looking at the signature.
    pub(crate) fn is_self_signed(&self) -> bool {
        self.nature().self_signed
    }

    /// Its extensions contradict each other, so that OpenSSL neither takes it for a CA's nor finds
    /// an issuer for it.
    pub(crate) fn is_invalid(&self) -> bool {
        self.nature().invalid
    }

    pub(crate) fn is_stored(&self) -> bool {
        matches!(self.source, Source::Stored(_))
    }
}

/// A chain as far as it could be built, and whether it is trusted.
#[derive(Clone, Debug)]
pub(crate) struct Path<'a> {
    /// The peer's certificate first; never empty.
    pub(crate) nodes: Vec<Node<'a>>,
    /// [`Reason::ChainTooLong`], or passed.
    pub(crate) length: Outcome,
    /// Whether the top is an anchor.
    pub(crate) trust: Outcome,
    /// What else could have been on it.
    pub(crate) not_chosen: DeadEnds,
}

impl<'a> Path<'a> {
    /// A complete one that ends at an anchor.
    pub(crate) fn trusted(nodes: Vec<Node<'a>>) -> Self {
        Self {
            nodes,
            length: Outcome::Passed,
            trust: Outcome::Passed,
            not_chosen: DeadEnds::default(),
        }
    }
}

/// Could `issuer` have issued `subject`? Everything is compared but the signature: names, authority
/// key identifier, and whether the key is of the kind that makes such signatures. Neither dates
/// nor key usage count.
pub(crate) fn may_have_issued(issuer: &Certificate<'_>, subject: &Certificate<'_>) -> bool {
    issuer.subject() == subject.issuer() && fits(issuer, subject)
}

/// The same of two certificates whose names fit.
pub(crate) fn fits(issuer: &Certificate<'_>, subject: &Certificate<'_>) -> bool {
    key_identifier_fits(issuer, subject)
        && strength::is_readable(issuer.public_key())
        && issuer
            .public_key()
            .can_make(&subject.inner_signature_algorithm().signature_algorithm())
        && ![issuer, subject]
            .iter()
            .any(|certificate| usage::contradicts_itself(certificate))
}

/// RFC 5280 §4.2.1.1: the authority key identifier names the issuer's key, its certificate, or
/// both. What one of the two certificates does not state is not compared.
pub(crate) fn key_identifier_fits(issuer: &Certificate<'_>, subject: &Certificate<'_>) -> bool {
    subject
        .extensions()
        .authority_key_identifier()
        .is_none_or(|wanted| names_key_of(&wanted, issuer))
}

/// Does an authority key identifier, of a certificate or a revocation list, fit this issuer?
pub(crate) fn names_key_of(
    wanted: &crate::extensions::identifiers::AuthorityKeyIdentifier<'_>,
    issuer: &Certificate<'_>,
) -> bool {
    let key_differs = wanted
        .key_identifier
        .zip(issuer.extensions().subject_key_identifier())
        .is_some_and(|(wanted, present)| wanted != present);
    let serial_differs = wanted
        .serial
        .is_some_and(|serial| serial != issuer.serial());
    // Of several names OpenSSL looks at the first directory name.
    let named = wanted.issuer.and_then(|names| {
        names.iter().find_map(|name| match name {
            GeneralName::Directory(name) => Some(name),
            _ => None,
        })
    });
    let name_differs = named.is_some_and(|name| name != issuer.issuer());
    !(key_differs || serial_differs || name_differs)
}

/// Why a chain that ends with this node is not trusted.
pub(crate) fn why_untrusted(nodes: &[Node<'_>]) -> Reason {
    match nodes.last() {
        Some(top) if top.is_self_signed() && nodes.len() == 1 => Reason::SelfSignedLeaf,
        Some(top) if top.is_self_signed() => Reason::UntrustedRoot,
        Some(top) if top.is_stored() => Reason::StoredIssuerMissing,
        _ => Reason::IssuerMissing,
    }
}
