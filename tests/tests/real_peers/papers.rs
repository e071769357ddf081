//! Two certification authorities, the files that programs need of them, and the version in which they are shown.

use countersign::{Credential, ProtocolVersion, TrustStore};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevocationReason, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

use countersign_tests::folder::TemporaryFolder;
use countersign_tests::peers::Version;

/// What a client shows when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Good,
    Nothing,
    Expired,
    Untrusted,
    Revoked,
}

impl Shown {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 5] = [
        Self::Good,
        Self::Nothing,
        Self::Expired,
        Self::Untrusted,
        Self::Revoked,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Nothing => "none",
            Self::Expired => "expired",
            Self::Untrusted => "untrusted",
            Self::Revoked => "revoked",
        }
    }
}

/// The files, in a folder that is gone when this is dropped.
pub(crate) struct Papers {
    /// The only version that anybody speaks.
    pub(crate) version: Version,
    pub(crate) folder: TemporaryFolder,
    /// The root, which everybody trusts.
    pub(crate) root: String,
    /// The intermediate.
    pub(crate) intermediate: String,
    /// Both.
    pub(crate) authorities: String,
    /// The revocation lists of both.
    pub(crate) lists: String,
    /// The intermediate's revocation list, with one certificate in it.
    pub(crate) list: String,
    /// The certificate of `localhost`, with the intermediate.
    pub(crate) server_chain: String,
    pub(crate) server_key: String,
    clients: Vec<(Shown, String, String)>,
}

impl Papers {
    pub(crate) fn new(version: Version) -> Self {
        let folder = TemporaryFolder::new();
        let root = Authority::root("Test Root");
        let intermediate = root.subordinate("Test Intermediate");
        let stranger = Authority::root("Unknown Root");
        let mut clients = Vec::new();
        for shown in Shown::ALL {
            let issuer = match shown {
                Shown::Nothing => continue,
                Shown::Untrusted => &stranger,
                Shown::Good | Shown::Expired | Shown::Revoked => &intermediate,
            };
            let (certificate, key) = issuer.client(shown);
            let chain = match shown {
                Shown::Untrusted => certificate.pem(),
                _ => certificate.pem() + &intermediate.pem,
            };
            let (chain_name, key_name) = (format!("{shown:?}.pem"), format!("{shown:?}.key"));
            clients.push((
                shown,
                folder.put(&chain_name, &chain),
                folder.put(&key_name, &key.serialize_pem()),
            ));
        }
        let (server, server_key) = intermediate.server();
        let (root_list, list) = (root.list(None), intermediate.list(Some(Shown::Revoked)));
        let authorities = format!("{}{}", intermediate.pem, root.pem);
        let chain = format!("{}{}", server.pem(), intermediate.pem);
        Self {
            root: folder.put("root.pem", &root.pem),
            intermediate: folder.put("intermediate.pem", &intermediate.pem),
            authorities: folder.put("authorities.pem", &authorities),
            lists: folder.put("lists.pem", &format!("{root_list}{list}")),
            list: folder.put("list.pem", &list),
            server_chain: folder.put("server.pem", &chain),
            server_key: folder.put("server.key", &server_key.serialize_pem()),
            clients,
            folder,
            version,
        }
    }

    /// The version, as countersign has it.
    pub(crate) fn protocol(&self) -> ProtocolVersion {
        match self.version {
            Version::Tls12 => ProtocolVersion::Tls12,
            Version::Tls13 => ProtocolVersion::Tls13,
        }
    }

    /// One word for each version.
    pub(crate) fn choose(&self, tls12: &'static str, tls13: &'static str) -> &'static str {
        match self.version {
            Version::Tls12 => tls12,
            Version::Tls13 => tls13,
        }
    }

    /// The files of a client's certificate chain and key.
    pub(crate) fn client(&self, shown: Shown) -> Option<(&str, &str)> {
        let mut clients = self.clients.iter();
        let (_, chain, key) = clients.find(|(whose, ..)| *whose == shown)?;
        Some((chain, key))
    }

    /// The same, for our own client.
    pub(crate) fn credential(&self, shown: Shown) -> Option<Credential> {
        let (chain, key) = self.client(shown)?;
        Some(Credential::from_pem_files(chain, key).unwrap())
    }

    /// A store that trusts the root, with both revocation lists.
    pub(crate) fn trust(&self) -> TrustStore {
        let trust = TrustStore::from_pem_file(&self.root).unwrap();
        let lists = std::fs::read(&self.lists).unwrap();
        trust.add_crls_pem(&lists).unwrap();
        trust
    }

    /// Puts the paths of these files in the place of their names in braces.
    pub(crate) fn fill_in(&self, template: &str) -> String {
        template
            .replace("{folder}", self.folder.path().to_str().unwrap())
            .replace("{authorities}", &self.authorities)
            .replace("{lists}", &self.lists)
            .replace("{version}", self.choose("TLSv1.2", "TLSv1.3"))
            .replace("{chain}", &self.server_chain)
            .replace("{key}", &self.server_key)
    }
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn root(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    fn subordinate(&self, name: &str) -> Self {
        let (mut params, key) = (authority_params(name), KeyPair::generate().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    fn server(&self) -> (Certificate, KeyPair) {
        let mut params = params("localhost");
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into().unwrap()),
            SanType::IpAddress(address),
        ];
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self, shown: Shown) -> (Certificate, KeyPair) {
        let mut params = params(&format!("client {}", shown.name()));
        params.serial_number = Some(serial(shown));
        if shown == Shown::Expired {
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        self.issue(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        purpose: ExtendedKeyUsagePurpose,
    ) -> (Certificate, KeyPair) {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn list(&self, revoked: Option<Shown>) -> String {
        let revoked_certs = revoked.into_iter().map(|shown| RevokedCertParams {
            serial_number: serial(shown),
            revocation_time: date_time_ymd(2020, 6, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 7, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn serial(shown: Shown) -> SerialNumber {
    let position = Shown::ALL.iter().position(|other| *other == shown);
    SerialNumber::from(0x1000 + u64::try_from(position.unwrap()).unwrap())
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
