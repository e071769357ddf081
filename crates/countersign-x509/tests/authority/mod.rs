//! A small certification authority for tests. Keys are made anew for every run; nothing that is
//! compared depends on them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "every test file uses another part of it"
)]

use countersign_x509::{
    Certificate, CertificateDer, Parameters, Purpose, TrustStore, UnixTime, ValidationTime,
};
use pki_types::CertificateRevocationListDer;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber, date_time_ymd,
};

/// 2026-06-01.
pub(crate) const NOW: u64 = 1_780_272_000;

/// A CA with its certificate and key.
pub(crate) struct Authority {
    pub(crate) der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A self-signed root.
    pub(crate) fn root(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = ca_params(name);
        let der = params.self_signed(&key).unwrap().der().clone();
        Self {
            der,
            issuer: Issuer::new(params, key),
        }
    }

    /// A CA below this one, after a change to what it would be.
    pub(crate) fn subordinate(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = ca_params(name);
        change(&mut params);
        let der = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Self {
            der,
            issuer: Issuer::new(params, key),
        }
    }

    /// Another certificate for the name and key of this CA, by `other`.
    pub(crate) fn cross_signed(
        &self,
        name: &str,
        other: &Self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateDer<'static> {
        let mut params = ca_params(name);
        change(&mut params);
        let signed = params.signed_by(self.issuer.key(), &other.issuer);
        signed.unwrap().der().clone()
    }

    /// A server's certificate, after a change to what it would be.
    pub(crate) fn server(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 11, 1);
        change(&mut params);
        params
            .signed_by(&KeyPair::generate().unwrap(), &self.issuer)
            .unwrap()
            .der()
            .clone()
    }

    /// A revocation list of this CA with the serial numbers of these certificates.
    pub(crate) fn list(
        &self,
        revoked: &[&CertificateDer<'_>],
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> CertificateRevocationListDer<'static> {
        let revoked_certs = revoked.iter().map(|der| RevokedCertParams {
            serial_number: SerialNumber::from_slice(Certificate::parse(der).unwrap().serial()),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let mut params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 5, 1),
            next_update: date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.issuer).unwrap().der().clone()
    }

    /// A store that trusts this CA only.
    pub(crate) fn trusted(&self) -> TrustStore {
        TrustStore::from_der([self.der.clone()]).unwrap()
    }
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

/// What a client asks of a server's certificate at [`NOW`].
pub(crate) fn client() -> Parameters {
    client_at(NOW)
}

/// What a client asks of a server's certificate at that moment.
pub(crate) fn client_at(seconds: u64) -> Parameters {
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    Parameters::new(Purpose::ServerAuth, ValidationTime::At(time))
}
