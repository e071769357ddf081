//! Where the parts of a certificate are, so that one that is kept need not be read again and again.

use super::{Certificate, Signed, Version};
use crate::algorithm::AlgorithmIdentifier;
use crate::extensions::Extensions;
use crate::name::Name;
use crate::oid::Oid;
use crate::public_key::{KeyAlgorithm, PublicKeyInfo};
use crate::time::Time;

/// What was found out when a certificate was read, without the certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline {
    version: Version,
    serial: Span,
    inner_algorithm: AlgorithmOutline,
    issuer: NameOutline,
    not_before: Time,
    not_after: Time,
    subject: NameOutline,
    public_key: KeyOutline,
    /// Without the encoding.
    extensions: Extensions<'static>,
    encoded_extensions: Span,
    message: Span,
    algorithm: AlgorithmOutline,
    signature: Span,
}

impl Outline {
    /// Notes where everything is. `None` for a certificate of more than 4 GiB.
    pub(crate) fn of(certificate: &Certificate<'_>) -> Option<Self> {
        let whole = certificate.der;
        let find = |part: &[u8]| Span::find(part, whole);
        let algorithm = |one: &AlgorithmIdentifier<'_>| AlgorithmOutline::of(one, whole);
        let name = |one: &Name<'_>| {
            Some(NameOutline {
                der: find(one.der())?,
                content: find(one.content())?,
            })
        };
        Some(Self {
            version: certificate.version,
            serial: find(certificate.serial)?,
            inner_algorithm: algorithm(&certificate.inner_algorithm)?,
            issuer: name(&certificate.issuer)?,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            subject: name(&certificate.subject)?,
            public_key: KeyOutline::of(&certificate.public_key, whole)?,
            extensions: certificate.extensions.in_place(&[]),
            encoded_extensions: find(certificate.extensions.encoded())?,
            message: find(certificate.signed.message)?,
            algorithm: algorithm(&certificate.signed.algorithm)?,
            signature: find(certificate.signed.signature)?,
        })
    }

    /// The subject of the certificate that this is the outline of, from its encoding.
    pub(crate) fn subject<'a>(&self, der: &'a [u8]) -> Name<'a> {
        self.subject.fill(der)
    }

    /// The certificate that this is the outline of, from its encoding.
    pub(crate) fn fill<'a>(&self, der: &'a [u8]) -> Certificate<'a> {
        Certificate {
            der,
            version: self.version,
            serial: self.serial.part(der),
            inner_algorithm: self.inner_algorithm.fill(der),
            issuer: self.issuer.fill(der),
            not_before: self.not_before,
            not_after: self.not_after,
            subject: self.subject.fill(der),
            public_key: self.public_key.fill(der),
            extensions: self.extensions.in_place(self.encoded_extensions.part(der)),
            signed: Signed {
                message: self.message.part(der),
                algorithm: self.algorithm.fill(der),
                signature: self.signature.part(der),
            },
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct NameOutline {
    der: Span,
    content: Span,
}

impl NameOutline {
    fn fill<'a>(&self, der: &'a [u8]) -> Name<'a> {
        Name::known(self.der.part(der), self.content.part(der))
    }
}

#[derive(Clone, Copy, Debug)]
struct KeyOutline {
    der: Span,
    algorithm: KeyAlgorithm,
    identifier: AlgorithmOutline,
    key: Span,
    bits: Option<u32>,
}

impl KeyOutline {
    fn of(info: &PublicKeyInfo<'_>, whole: &[u8]) -> Option<Self> {
        Some(Self {
            der: Span::find(info.der(), whole)?,
            algorithm: info.algorithm(),
            identifier: AlgorithmOutline::of(&info.identifier(), whole)?,
            key: Span::find(info.key_bytes(), whole)?,
            bits: info.bits(),
        })
    }

    fn fill<'a>(&self, der: &'a [u8]) -> PublicKeyInfo<'a> {
        PublicKeyInfo::known(
            self.der.part(der),
            self.identifier.fill(der),
            self.key.part(der),
            (self.algorithm, self.bits),
        )
    }
}

#[derive(Clone, Copy, Debug)]
struct AlgorithmOutline {
    der: Span,
    oid: Span,
    parameters: Option<Span>,
}

impl AlgorithmOutline {
    fn of(algorithm: &AlgorithmIdentifier<'_>, whole: &[u8]) -> Option<Self> {
        let find = |part: &[u8]| Span::find(part, whole);
        let parameters = match algorithm.parameters() {
            Some(parameters) => Some(find(parameters)?),
            None => None,
        };
        Some(Self {
            der: find(algorithm.der())?,
            oid: find(algorithm.oid().as_bytes())?,
            parameters,
        })
    }

    fn fill<'a>(&self, der: &'a [u8]) -> AlgorithmIdentifier<'a> {
        let oid = Oid::from_known_content(self.oid.part(der));
        let parameters = self.parameters.map(|parameters| parameters.part(der));
        AlgorithmIdentifier::known(self.der.part(der), oid, parameters)
    }
}

/// A part of an encoding.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn find(part: &[u8], whole: &[u8]) -> Option<Self> {
        if part.is_empty() {
            return Some(Self { start: 0, end: 0 });
        }
        let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        // So it is what it says, whatever the addresses were.
        (whole.get(start..end)? == part).then_some(())?;
        Some(Self {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(end).ok()?,
        })
    }

    fn part(self, whole: &[u8]) -> &[u8] {
        let start = usize::try_from(self.start).ok();
        let range = start.zip(usize::try_from(self.end).ok());
        range
            .and_then(|(start, end)| whole.get(start..end))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::ExtensionKind;
    use pki_types::CertificateDer;
    use pki_types::pem::PemObject;

    /// Everything that can be asked of a certificate.
    fn all_of(certificate: &Certificate<'_>) -> String {
        let extensions = certificate.extensions();
        let known: Vec<_> = ExtensionKind::ALL
            .iter()
            .map(|kind| (extensions.value(*kind), extensions.criticality(*kind)))
            .collect();
        let extensions = (
            extensions.iter().collect::<Vec<_>>(),
            known,
            extensions.key_usage(),
            extensions.basic_constraints(),
            extensions.first_unprocessed_critical(|_| false),
        );
        format!(
            "{:?}",
            (
                certificate,
                (certificate.version(), certificate.serial()),
                (certificate.issuer().der(), certificate.subject().der()),
                certificate.public_key(),
                certificate.inner_signature_algorithm(),
                certificate.signed(),
                extensions,
            )
        )
    }

    #[test]
    fn an_outline_fills_to_the_certificate_it_is_of() {
        let mut count = 0;
        for pem in [
            &include_bytes!("../../tests/data/extensions.pem")[..],
            include_bytes!("../../tests/data/self-signed.pem"),
        ] {
            for der in CertificateDer::pem_slice_iter(pem).map(Result::unwrap) {
                let certificate = Certificate::parse(&der).unwrap();
                let outline = Outline::of(&certificate).unwrap();
                let elsewhere = der.to_vec();
                assert_eq!(all_of(&outline.fill(&elsewhere)), all_of(&certificate));
                count += 1;
            }
        }
        assert!(count > 40);
    }

    #[test]
    fn an_outline_of_another_certificate_harms_nobody() {
        let pem = include_bytes!("../../tests/data/extensions.pem");
        let der = CertificateDer::from_pem_slice(pem).unwrap();
        let outline = Outline::of(&Certificate::parse(&der).unwrap()).unwrap();
        for length in 0..der.len() {
            all_of(&outline.fill(&der[..length]));
        }
    }
}
