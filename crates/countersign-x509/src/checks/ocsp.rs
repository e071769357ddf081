//! What stapled OCSP responses say about a certificate (RFC 6960 §3.2, §4.2.2).

use crate::certificate::Certificate;
use crate::checks::revocation::{self, Sources};
use crate::checks::signature::{verify_certificate_signature, verify_signature};
use crate::checks::{strength, usage, validity};
use crate::extensions::usage::KeyUsage;
use crate::extensions::{ExtensionKind, Extensions};
use crate::meter::Exhausted;
use crate::ocsp::{BasicOcspResponse, OcspResponse, OcspStatus, SingleResponse};
use crate::oid::Oid;
use crate::parameters::{Parameters, Profile, Revocation, ValidationTime};
use crate::path::{Node, Source};
use crate::public_key::PublicKeyInfo;
use crate::reason::{OcspFailure, Reason};
use crate::time::Time;

/// Responses that are looked at.
const RESPONSES: usize = 8;
/// Parts of a response about a certificate of the right serial number that are looked at: comparing
/// takes hashing a name, which can be long.
const PARTS: usize = 4;
/// Certificates in a response that are looked at.
const CERTIFICATES: usize = 8;

/// Clocks may differ by this many seconds, as in OpenSSL.
const TOLERANCE: i64 = 300;

/// Looks for the certificate at `depth`, which is not the last of the chain, in the responses.
///
/// The first response that is about the certificate decides. [`OcspFailure::NoResponse`] and
/// [`OcspFailure::Unusable`] say that there is none.
pub(crate) fn check(
    sources: Sources<'_, '_>,
    depth: usize,
    responses: &[&[u8]],
) -> Result<(), Reason> {
    let mut above = sources.nodes.iter().skip(depth);
    let (Some(subject), Some(issuer)) = (above.next(), above.next()) else {
        return Err(Reason::Ocsp(OcspFailure::NoResponse));
    };
    let mut missing = OcspFailure::NoResponse;
    for der in responses.iter().take(RESPONSES) {
        let Ok(OcspResponse::Basic(response)) = OcspResponse::parse(der) else {
            missing = OcspFailure::Unusable;
            continue;
        };
        let (subject, issuer) = (&subject.certificate, &issuer.certificate);
        let same_serial =
            |single: &SingleResponse<'_>| single.certificate.serial == subject.serial();
        let mut singles = response.responses().iter().filter(same_serial).take(PARTS);
        if let Some(single) = singles.find(|single| single.certificate.names(subject, issuer)) {
            let answer = Answer {
                response,
                single,
                issuer: **issuer,
            };
            return answer.judge(sources, depth);
        }
    }
    Err(Reason::Ocsp(missing))
}

/// An answer about the certificate in question.
struct Answer<'r, 'a> {
    response: BasicOcspResponse<'r>,
    single: SingleResponse<'r>,
    /// Who issued the certificate.
    issuer: Certificate<'a>,
}

impl Answer<'_, '_> {
    fn judge(&self, sources: Sources<'_, '_>, depth: usize) -> Result<(), Reason> {
        let unknown_critical = has_unknown_critical(self.response.extensions())
            || has_unknown_critical(&self.single.extensions);
        if unknown_critical {
            return Err(Reason::Ocsp(OcspFailure::UnknownCriticalExtension));
        }
        self.check_signature(sources, depth)?;
        // A certificate that has been revoked does not become valid when the response gets old.
        if let OcspStatus::Revoked { on, why } = self.single.status {
            return Err(Reason::Revoked { on, why });
        }
        self.check_dates(sources.parameters).map_err(Reason::Ocsp)?;
        match self.single.status {
            OcspStatus::Good => Ok(()),
            _ => Err(Reason::Ocsp(OcspFailure::CertificateUnknown)),
        }
    }

    /// RFC 6960 §4.2.2.2: the response MUST be signed by the one who issued the certificate, or by
    /// somebody whom that one authorized by a certificate.
    fn check_signature(&self, sources: Sources<'_, '_>, depth: usize) -> Result<(), Reason> {
        let signed = self.response.signed();
        let required = sources.parameters.required_bits();
        if signed.algorithm.signature_algorithm().security_bits() < required {
            return Err(Reason::Ocsp(OcspFailure::SignatureTooWeak));
        }
        let is_signed_by = |key: &PublicKeyInfo<'_>| {
            let counted = sources.meter.signature(key, signed.message);
            counted.map_err(|Exhausted| Reason::BudgetExhausted)?;
            let verified = verify_signature(signed, key);
            verified.map_err(|_| Reason::Ocsp(OcspFailure::BadSignature))
        };
        let responder = self.response.responder();
        let mut failure = Reason::Ocsp(OcspFailure::ResponderUnknown);
        if responder.names(&self.issuer) {
            match is_signed_by(self.issuer.public_key()) {
                Ok(()) => return Ok(()),
                Err(reason) => failure = reason,
            }
        }
        let sent = self.response.certificates().take(CERTIFICATES);
        let mut sent = sent.filter_map(|der| Certificate::parse(der).ok());
        let Some(delegate) = sent.find(|candidate| responder.names(candidate)) else {
            return Err(failure);
        };
        self.check_delegate(&delegate, sources, depth)?;
        is_signed_by(delegate.public_key())
    }

    /// RFC 6960 §4.2.2.2: the certificate MUST be issued directly by the CA in question, and MUST
    /// say by its extended key usage that it is for signing responses.
    fn check_delegate(
        &self,
        delegate: &Certificate<'_>,
        sources: Sources<'_, '_>,
        depth: usize,
    ) -> Result<(), Reason> {
        let parameters = sources.parameters;
        let key = self.issuer.public_key();
        let counted = sources.meter.signature(key, delegate.der());
        counted.map_err(|Exhausted| Reason::BudgetExhausted)?;
        let required = parameters.required_bits();
        let extensions = delegate.extensions();
        let authorized = delegate.issuer() == self.issuer.subject()
            && extensions
                .extended_key_usage()
                .is_some_and(|usages| usages.contains(Oid::OCSP_SIGNING))
            && extensions
                .key_usage()
                .is_none_or(KeyUsage::digital_signature)
            && usage::critical_extensions(delegate).is_ok()
            && validity::is_current(delegate, parameters.time, parameters.profile)
            && strength::issuer_key(delegate, required).is_ok()
            && strength::signature(delegate, required).is_ok()
            && verify_certificate_signature(delegate, key).is_ok()
            && is_not_revoked(delegate, sources, depth);
        if authorized {
            Ok(())
        } else {
            Err(Reason::Ocsp(OcspFailure::ResponderNotAuthorized))
        }
    }

    /// RFC 6960 §3.2 (5), (6): sufficiently recent, and newer information is not due yet.
    fn check_dates(&self, parameters: &Parameters) -> Result<(), OcspFailure> {
        let ValidationTime::At(now) = parameters.time else {
            return Ok(());
        };
        let now = Time::from(now).unix_seconds();
        let SingleResponse {
            this_update,
            next_update,
            ..
        } = self.single;
        if this_update.unix_seconds() > now.saturating_add(TOLERANCE) {
            return Err(OcspFailure::NotYetValid);
        }
        match next_update {
            Some(next) if next < this_update => Err(OcspFailure::Expired),
            Some(next) if next.unix_seconds() < now.saturating_sub(TOLERANCE) => {
                Err(OcspFailure::Expired)
            }
            // Such an answer is good for the one who asked, at that moment. The CA/Browser Forum
            // demands nextUpdate; OpenSSL goes without.
            None if parameters.profile == Profile::WebPki => Err(OcspFailure::Expired),
            _ => Ok(()),
        }
    }
}

/// RFC 6960 §4.2.2.2.1: a CA may say that its responder's certificate need not be checked. If it
/// does not, revocation lists are asked where they are asked for all of the chain.
fn is_not_revoked(delegate: &Certificate<'_>, sources: Sources<'_, '_>, depth: usize) -> bool {
    let unchecked = delegate.extensions().contains(ExtensionKind::OcspNoCheck)
        || sources.parameters.revocation != Revocation::Chain;
    if unchecked {
        return true;
    }
    let above = sources.nodes.iter().skip(depth.saturating_add(1)).cloned();
    let chain: Vec<_> = core::iter::once(Node::new(*delegate, Source::Presented(0)))
        .chain(above)
        .collect();
    let sources = Sources {
        nodes: &chain,
        ..sources
    };
    revocation::check(sources, 0, |_| false).is_empty()
}

/// None of the extensions there are (RFC 6960 §4.4) must be understood to understand the answer;
/// a critical one is none of them.
fn has_unknown_critical(extensions: &Extensions<'_>) -> bool {
    extensions.first_unprocessed_critical(|_| false).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Digest;
    use crate::crl::RevocationReason;
    use crate::der::encode::{element, sequence};
    use crate::der::tag;
    use crate::signature_memory::SignatureMemory;
    use crate::{
        CertificateDer, CheckKind, ExpectedName, Outcome, Presented, Purpose, Report, Skip,
        Stapling, TrustStore, UnixTime, VerifyCode, verify_presented,
    };
    use rcgen::{ExtendedKeyUsagePurpose, KeyPair, SigningKey};

    /// 2026-06-01, in the middle of every validity here.
    const NOW: u64 = 1_780_272_000;
    const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    const SHA1: &[u8] = &[0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];
    const SHA256: &[u8] = &[0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    const MUST_STAPLE: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 24];
    const NO_CHECK: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];

    fn time(text: &str) -> Vec<u8> {
        element(tag::GENERALIZED_TIME, &[text.as_bytes(), b"000000Z"])
    }

    fn digest(algorithm: Digest, message: &[u8]) -> Vec<u8> {
        let hash = crate::checks::signature::hash(algorithm, message).unwrap();
        element(tag::OCTET_STRING, &[hash.as_ref()])
    }

    /// A CA, a server's certificate from it, and a responder it authorized.
    struct World {
        root: CertificateDer<'static>,
        issuer: rcgen::Issuer<'static, KeyPair>,
        leaf: CertificateDer<'static>,
        delegate: CertificateDer<'static>,
        delegate_key: KeyPair,
    }

    fn parsed<'a>(der: &'a CertificateDer<'static>) -> Certificate<'a> {
        Certificate::parse(der).unwrap()
    }

    type Change = fn(&mut rcgen::CertificateParams);

    impl World {
        fn new() -> Self {
            Self::with(|_| {}, |_| {})
        }

        fn with(change_leaf: Change, change_delegate: Change) -> Self {
            let key = KeyPair::generate().unwrap();
            let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
            ca.distinguished_name.push(rcgen::DnType::CommonName, "CA");
            ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            ca.key_usages = vec![
                rcgen::KeyUsagePurpose::KeyCertSign,
                rcgen::KeyUsagePurpose::CrlSign,
            ];
            let root = ca.self_signed(&key).unwrap().der().clone();
            let issuer = rcgen::Issuer::new(ca, key);
            let mut leaf = rcgen::CertificateParams::new(["db.example".to_owned()]).unwrap();
            leaf.serial_number = Some(7u64.into());
            leaf.use_authority_key_identifier_extension = true;
            leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
            leaf.not_after = rcgen::date_time_ymd(2027, 1, 1);
            change_leaf(&mut leaf);
            let leaf = leaf
                .signed_by(&KeyPair::generate().unwrap(), &issuer)
                .unwrap();
            let mut delegate = rcgen::CertificateParams::new(vec![]).unwrap();
            delegate
                .distinguished_name
                .push(rcgen::DnType::CommonName, "responder");
            delegate.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
            delegate.not_before = rcgen::date_time_ymd(2026, 1, 1);
            delegate.not_after = rcgen::date_time_ymd(2027, 1, 1);
            delegate.custom_extensions = vec![rcgen::CustomExtension::from_oid_content(
                NO_CHECK,
                vec![5, 0],
            )];
            change_delegate(&mut delegate);
            let delegate_key = KeyPair::generate().unwrap();
            let delegate = delegate.signed_by(&delegate_key, &issuer).unwrap();
            Self {
                root,
                leaf: leaf.der().clone(),
                delegate: delegate.der().clone(),
                issuer,
                delegate_key,
            }
        }

        fn answer(&self) -> Parts {
            let (root, leaf) = (parsed(&self.root), parsed(&self.leaf));
            Parts {
                id: id(SHA1, Digest::Sha1, &leaf, &root),
                responder: by_name(&root),
                status: vec![0x80, 0],
                this_update: time("20260525"),
                next_update: time("20260608"),
                single_extensions: vec![],
                extensions: vec![],
                certificates: vec![],
            }
        }

        /// An answer that names the delegated responder and brings its certificate.
        fn delegated(&self) -> Parts {
            Parts {
                responder: by_name(&parsed(&self.delegate)),
                certificates: self.delegate.to_vec(),
                ..self.answer()
            }
        }

        fn verify(&self, responses: &[&[u8]], change: impl FnOnce(&mut Parameters)) -> Report {
            let now = UnixTime::since_unix_epoch(core::time::Duration::from_secs(NOW));
            let mut parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
                .with_name(ExpectedName::host("db.example"))
                .with_stapling(Stapling::Leaf);
            change(&mut parameters);
            let trust = TrustStore::from_der([self.root.clone()]).unwrap();
            let chain = [self.leaf.clone()];
            let presented = Presented::new(&chain).with_ocsp_responses(responses);
            verify_presented(presented, &trust, &parameters)
        }

        fn judge(&self, parts: &Parts, key: &KeyPair) -> VerifyCode {
            self.verify(&[&parts.sign(key)], |_| {}).code()
        }

        fn key(&self) -> &KeyPair {
            self.issuer.key()
        }
    }

    fn id(
        oid: &[u8],
        hash: Digest,
        subject: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Vec<u8> {
        sequence(&[
            oid,
            &digest(hash, subject.issuer().der()),
            &digest(hash, issuer.public_key().key_bytes()),
            &element(tag::INTEGER, &[subject.serial()]),
        ])
    }

    fn by_name(certificate: &Certificate<'_>) -> Vec<u8> {
        element(0xa1, &[certificate.subject().der()])
    }

    fn by_key(certificate: &Certificate<'_>) -> Vec<u8> {
        element(
            0xa2,
            &[&digest(Digest::Sha1, certificate.public_key().key_bytes())],
        )
    }

    fn revoked(on: &str, why: u8) -> Vec<u8> {
        element(0xa1, &[&time(on), &[0xa0, 3, 0x0a, 1, why]])
    }

    fn critical_extension() -> Vec<u8> {
        let extension = sequence(&[&[6, 3, 0x2a, 3, 4, 1, 1, 0xff, 4, 0]]);
        element(0xa1, &[&sequence(&[&extension])])
    }

    /// A response, part by part, so that a test can change one.
    struct Parts {
        id: Vec<u8>,
        responder: Vec<u8>,
        status: Vec<u8>,
        this_update: Vec<u8>,
        /// Empty: absent.
        next_update: Vec<u8>,
        single_extensions: Vec<u8>,
        extensions: Vec<u8>,
        /// Empty: absent.
        certificates: Vec<u8>,
    }

    impl Parts {
        fn sign(&self, key: &KeyPair) -> Vec<u8> {
            let next_update = match &self.next_update[..] {
                [] => vec![],
                time => element(0xa0, &[time]),
            };
            let single = sequence(&[
                &self.id,
                &self.status,
                &self.this_update,
                &next_update,
                &self.single_extensions,
            ]);
            let data = sequence(&[
                &self.responder,
                &time("20260525"),
                &sequence(&[&single]),
                &self.extensions,
            ]);
            let signature = key.sign(&data).unwrap();
            let certificates = match &self.certificates[..] {
                [] => vec![],
                certificates => element(0xa0, &[&sequence(&[certificates])]),
            };
            let basic = sequence(&[
                &data,
                ECDSA_SHA256,
                &element(tag::BIT_STRING, &[&[0], &signature]),
                &certificates,
            ]);
            let bytes = sequence(&[
                &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1],
                &element(tag::OCTET_STRING, &[&basic]),
            ]);
            sequence(&[&[0x0a, 1, 0], &element(0xa0, &[&bytes])])
        }
    }

    fn ocsp_of(report: &Report) -> Outcome {
        let mut checks = report.checks().iter();
        checks
            .find(|check| check.kind == CheckKind::Ocsp)
            .unwrap()
            .outcome
    }

    #[test]
    fn the_issuer_may_answer_by_name_or_by_key() {
        let world = World::new();
        let root = parsed(&world.root);
        for responder in [by_name(&root), by_key(&root)] {
            let answer = Parts {
                responder,
                ..world.answer()
            };
            assert_eq!(world.judge(&answer, world.key()), VerifyCode::OK);
            let stranger = KeyPair::generate().unwrap();
            let refused = world.judge(&answer, &stranger);
            assert_eq!(refused, VerifyCode::OCSP_SIGNATURE_FAILURE);
        }
    }

    #[test]
    fn a_certificate_is_named_by_sha_1_or_sha_256() {
        let world = World::new();
        let (root, leaf) = (parsed(&world.root), parsed(&world.leaf));
        let with = |id| {
            world.judge(
                &Parts {
                    id,
                    ..world.answer()
                },
                world.key(),
            )
        };
        assert_eq!(
            with(id(SHA256, Digest::Sha256, &leaf, &root)),
            VerifyCode::OK
        );
        let none = VerifyCode::OCSP_NO_RESPONSE;
        // Of another serial number, of another issuer, of an unknown hash.
        assert_eq!(with(id(SHA1, Digest::Sha1, &root, &root)), none);
        assert_eq!(with(id(SHA1, Digest::Sha1, &leaf, &leaf)), none);
        assert_eq!(with(id(ECDSA_SHA256, Digest::Sha256, &leaf, &root)), none);
        assert_eq!(with(id(SHA1, Digest::Sha256, &leaf, &root)), none);
    }

    #[test]
    fn a_revoked_certificate_is_refused_even_by_an_old_answer() {
        let world = World::new();
        for next_update in [time("20260608"), time("20260526")] {
            let status = revoked("20260501", 1);
            let answer = Parts {
                status,
                next_update,
                ..world.answer()
            };
            let report = world.verify(&[&answer.sign(world.key())], |_| {});
            assert_eq!(report.code(), VerifyCode::CERT_REVOKED);
            let reason = report.first_failure().unwrap().failure().unwrap();
            assert!(matches!(
                reason,
                Reason::Revoked {
                    why: Some(RevocationReason::KeyCompromise),
                    ..
                }
            ));
        }
        let unknown = Parts {
            status: vec![0x82, 0],
            ..world.answer()
        };
        assert_eq!(
            world.judge(&unknown, world.key()),
            VerifyCode::OCSP_CERT_UNKNOWN
        );
    }

    #[test]
    fn dates_are_checked_with_some_tolerance() {
        let world = World::new();
        let with = |this: &[u8], next: &[u8]| {
            let at = |text: &[u8]| element(tag::GENERALIZED_TIME, &[text]);
            let answer = Parts {
                this_update: at(this),
                next_update: at(next),
                ..world.answer()
            };
            world.judge(&answer, world.key())
        };
        let (early, late) = (VerifyCode::OCSP_NOT_YET_VALID, VerifyCode::OCSP_HAS_EXPIRED);
        assert_eq!(with(b"20260601000500Z", b"20260608000000Z"), VerifyCode::OK);
        assert_eq!(with(b"20260601000501Z", b"20260608000000Z"), early);
        assert_eq!(with(b"20260525000000Z", b"20260531235500Z"), VerifyCode::OK);
        assert_eq!(with(b"20260525000000Z", b"20260531235459Z"), late);
        assert_eq!(with(b"20260531000000Z", b"20260530000000Z"), late);
        let endless = Parts {
            next_update: vec![],
            ..world.answer()
        }
        .sign(world.key());
        assert!(world.verify(&[&endless], |_| {}).is_accepted());
        let web = world.verify(&[&endless], |parameters| {
            parameters.profile = Profile::WebPki;
        });
        assert_eq!(web.code(), late);
        let unchecked = world.verify(&[&endless], |parameters| {
            parameters.time = ValidationTime::Unchecked;
        });
        assert!(unchecked.is_accepted());
    }

    #[test]
    fn a_delegated_responder_may_answer() {
        let world = World::new();
        let answer = world.delegated();
        assert_eq!(world.judge(&answer, &world.delegate_key), VerifyCode::OK);
        let wrong = world.judge(&answer, world.key());
        assert_eq!(wrong, VerifyCode::OCSP_SIGNATURE_FAILURE);
        let responder = by_key(&parsed(&world.delegate));
        let answer = Parts {
            responder,
            ..world.delegated()
        };
        assert_eq!(world.judge(&answer, &world.delegate_key), VerifyCode::OK);
        let absent = Parts {
            certificates: vec![],
            ..world.delegated()
        };
        let absent = world.judge(&absent, &world.delegate_key);
        assert_eq!(absent, VerifyCode::OCSP_VERIFY_FAILED);
    }

    #[test]
    fn not_everybody_may_be_a_responder() {
        let refused: [Change; 5] = [
            |delegate| delegate.extended_key_usages.clear(),
            |delegate| delegate.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any],
            |delegate| delegate.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign],
            |delegate| delegate.not_after = rcgen::date_time_ymd(2026, 5, 30),
            |delegate| {
                let mut unknown = rcgen::CustomExtension::from_oid_content(&[1, 2, 3], vec![]);
                unknown.set_criticality(true);
                delegate.custom_extensions.push(unknown);
            },
        ];
        for change in refused {
            let world = World::with(|_| {}, change);
            let code = world.judge(&world.delegated(), &world.delegate_key);
            assert_eq!(code, VerifyCode::OCSP_VERIFY_FAILED);
        }
        // Certified for the task, but by another CA of the same name.
        let (world, other) = (World::new(), World::new());
        let answer = Parts {
            certificates: other.delegate.to_vec(),
            ..world.delegated()
        };
        assert_eq!(
            world.judge(&answer, &other.delegate_key),
            VerifyCode::OCSP_VERIFY_FAILED
        );
    }

    #[test]
    fn a_responder_is_looked_up_in_lists_unless_it_need_not_be() {
        let chain = |parameters: &mut Parameters| parameters.revocation = Revocation::Chain;
        let world = World::new();
        let answer = world.delegated().sign(&world.delegate_key);
        assert!(world.verify(&[&answer], chain).is_accepted());
        let world = World::with(|_| {}, |delegate| delegate.custom_extensions.clear());
        let answer = world.delegated().sign(&world.delegate_key);
        assert!(world.verify(&[&answer], |_| {}).is_accepted());
        // There is no list that could speak for responder or leaf.
        let report = world.verify(&[&answer], chain);
        assert_eq!(ocsp_of(&report), Outcome::Skipped(Skip::LeftToLists));
        assert_eq!(report.code(), VerifyCode::UNABLE_TO_GET_CRL);
    }

    #[test]
    fn an_answer_settles_what_lists_would_be_asked() {
        let world = World::new();
        let lists = |parameters: &mut Parameters| parameters.revocation = Revocation::Leaf;
        let good = world.answer().sign(world.key());
        assert!(world.verify(&[&good], lists).is_accepted());
        let unknown = Parts {
            status: vec![0x82, 0],
            ..world.answer()
        }
        .sign(world.key());
        let report = world.verify(&[&unknown], lists);
        assert_eq!(report.code(), VerifyCode::UNABLE_TO_GET_CRL);
        let status = revoked("20260501", 4);
        let revoked = Parts {
            status,
            ..world.answer()
        }
        .sign(world.key());
        assert_eq!(
            world.verify(&[&revoked], lists).code(),
            VerifyCode::CERT_REVOKED
        );
    }

    #[test]
    fn unusable_responses_are_told_from_missing_ones() {
        let world = World::new();
        let with = |responses: &[&[u8]]| world.verify(responses, |_| {}).code();
        assert_eq!(with(&[]), VerifyCode::OCSP_NO_RESPONSE);
        let invalid = VerifyCode::OCSP_RESP_INVALID;
        assert_eq!(with(&[b""]), invalid);
        assert_eq!(with(&[&[0x30, 3, 0x0a, 1, 3]]), invalid);
        // The good one is found behind the bad ones.
        let good = world.answer().sign(world.key());
        assert_eq!(with(&[b"", &good]), VerifyCode::OK);
        for changed in [
            Parts {
                extensions: critical_extension(),
                ..world.answer()
            },
            Parts {
                single_extensions: critical_extension(),
                ..world.answer()
            },
        ] {
            assert_eq!(with(&[&changed.sign(world.key())]), invalid);
        }
    }

    #[test]
    fn the_parameters_say_whether_a_response_is_needed() {
        let world = World::new();
        let status = revoked("20260501", 0);
        let revoked = Parts {
            status,
            ..world.answer()
        }
        .sign(world.key());
        let code = |stapling, responses: &[&[u8]]| {
            let report = world.verify(responses, |parameters| parameters.stapling = stapling);
            report.code()
        };
        assert_eq!(code(Stapling::Ignored, &[&revoked]), VerifyCode::OK);
        assert_eq!(
            code(Stapling::IfPresented, &[&revoked]),
            VerifyCode::CERT_REVOKED
        );
        assert_eq!(code(Stapling::IfPresented, &[]), VerifyCode::OK);
        assert_eq!(
            code(Stapling::IfPresented, &[b"?"]),
            VerifyCode::OCSP_RESP_INVALID
        );
        assert_eq!(code(Stapling::Leaf, &[]), VerifyCode::OCSP_NO_RESPONSE);
        assert_eq!(code(Stapling::Chain, &[&revoked]), VerifyCode::CERT_REVOKED);
    }

    #[test]
    fn a_certificate_can_demand_a_response() {
        let world = World::with(
            |leaf| {
                let feature =
                    rcgen::CustomExtension::from_oid_content(MUST_STAPLE, vec![0x30, 3, 2, 1, 5]);
                leaf.custom_extensions.push(feature);
            },
            |_| {},
        );
        let code = |stapling, responses: &[&[u8]]| {
            let report = world.verify(responses, |parameters| parameters.stapling = stapling);
            report.code()
        };
        let good = world.answer().sign(world.key());
        let demanded = VerifyCode::OCSP_VERIFY_NEEDED;
        assert_eq!(code(Stapling::Ignored, &[]), VerifyCode::OK);
        assert_eq!(code(Stapling::IfPresented, &[]), demanded);
        assert_eq!(code(Stapling::Leaf, &[]), demanded);
        assert_eq!(code(Stapling::IfPresented, &[&good]), VerifyCode::OK);
        // Lists do not stand in for it.
        let report = world.verify(&[b"?"], |parameters| {
            parameters.revocation = Revocation::Leaf;
        });
        assert_eq!(report.code(), VerifyCode::OCSP_RESP_INVALID);
    }

    #[test]
    fn a_remembered_signature_does_not_hide_an_answer() {
        let world = World::new();
        let memory = SignatureMemory::new(32);
        let with = |response: &[u8]| {
            let report = world.verify(&[response], |parameters| {
                parameters.signature_memory = Some(memory.clone());
            });
            report.code()
        };
        assert_eq!(with(&world.answer().sign(world.key())), VerifyCode::OK);
        assert_eq!(memory.len(), 1);
        let status = revoked("20260501", 1);
        let revoked = Parts {
            status,
            ..world.answer()
        }
        .sign(world.key());
        assert_eq!(with(&revoked), VerifyCode::CERT_REVOKED);
    }

    #[test]
    fn no_octet_of_a_response_can_be_changed() {
        let world = World::new();
        let good = world.answer().sign(world.key());
        for place in 0..good.len() {
            let mut changed = good.clone();
            changed[place] ^= 1;
            let report = world.verify(&[&changed], |_| {});
            assert!(!report.is_accepted(), "octet {place} of {}", good.len());
        }
    }
}
