//! What a client offers, from its first ClientHello to the ServerHello.

use pki_types::ServerName;

use crate::config::Config;
use crate::connection::established::ProtocolVersion;
use crate::crypto::finite_field::FiniteFieldGroup;
use crate::crypto::group::{KeyShares, NamedGroup, SharedSecret};
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::handshake::resume::Offered;
use crate::handshake::tls13::LEGACY_VERSION;
use crate::handshake::tls13::resume::{self, PSK_DHE_KE};
use crate::handshake::transcript::Transcript;
use crate::messages::{
    ClientExtensions, ClientHello, ExtensionSet, HelloRetryRequest, KeyShareEntry, List,
    PreSharedKeys, ProtocolName, PskBinder, PskIdentity, read_message, write_message,
};
use crate::session::client_cache::Handle;
use crate::violation::Violation;

/// What stays the same in both ClientHellos of a connection, and the key shares, which do not.
pub(crate) struct Offer {
    pub(crate) random: [u8; 32],
    /// That of a session of TLS 1.2, or 32 random bytes: they make TLS 1.3 look like TLS 1.2 to
    /// middleboxes (RFC 9846 §E.4), and tell whether a server of TLS 1.2 takes a ticket (RFC 5077 §3.4).
    pub(crate) session_id: Vec<u8>,
    pub(crate) server_name: Option<String>,
    /// The extensions of the last ClientHello, which the server may answer.
    pub(crate) solicited: ExtensionSet,
    /// The versions that are offered.
    pub(crate) versions: Versions,
    groups: Vec<NamedGroup>,
    /// For TLS 1.3, until the server has chosen one.
    shares: Option<KeyShares>,
    cookie: Option<Vec<u8>>,
    /// The session that is offered to be resumed.
    pub(crate) session: Option<Offered>,
    /// What `renegotiation_info` says (RFC 5746 §3): nothing in the first handshake, then what
    /// our last Finished said.
    renegotiation_info: Vec<u8>,
}

/// Which versions are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) tls12: bool,
    pub(crate) tls13: bool,
}

impl Versions {
    /// Those that are configured and have a suite.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            tls12: config.offers(ProtocolVersion::Tls12),
            tls13: config.offers(ProtocolVersion::Tls13),
        }
    }

    fn contains(self, version: ProtocolVersion) -> bool {
        match version {
            ProtocolVersion::Tls12 => self.tls12,
            ProtocolVersion::Tls13 => self.tls13,
        }
    }
}

impl Offer {
    /// For a new connection.
    pub(crate) fn new(
        config: &Config,
        name: &ServerName<'static>,
        session: Option<Offered>,
    ) -> Result<Self> {
        let versions = Versions::of(config);
        let mut bytes = [[0; 32]; 2];
        let source = &config.environment.random;
        source
            .fill(bytes.as_flattened_mut())
            .map_err(|_| Error::RandomFailed)?;
        let [random, session_id] = bytes;
        let shares = versions
            .tls13
            .then(|| KeyShares::generate(&config.key_shares));
        Ok(Self {
            random,
            session_id: choose_session_id(versions, session.as_ref(), session_id),
            server_name: Some(name)
                .filter(|_| config.send_server_name)
                .and_then(server_name_to_send),
            solicited: ExtensionSet::default(),
            versions,
            groups: config.groups.clone(),
            shares: shares.transpose()?,
            cookie: None,
            session,
            renegotiation_info: Vec::new(),
        })
    }

    /// For a renegotiation: TLS 1.2 alone (RFC 9846 §4.3.1), and no session, so that whoever wants to know who
    /// we are is not put off with who we were.
    pub(crate) fn again(
        config: &Config,
        server_name: Option<String>,
        renegotiation_info: &[u8],
    ) -> Result<Self> {
        let mut random = [0; 32];
        let source = &config.environment.random;
        source.fill(&mut random).map_err(|_| Error::RandomFailed)?;
        Ok(Self {
            random,
            session_id: Vec::new(),
            server_name,
            solicited: ExtensionSet::default(),
            versions: Versions {
                tls12: true,
                tls13: false,
            },
            groups: config.groups.clone(),
            shares: None,
            cookie: None,
            session: None,
            renegotiation_info: renegotiation_info.to_vec(),
        })
    }

    /// The ClientHello: a whole message. `transcript` holds what was sent before it.
    pub(crate) fn encode(&mut self, config: &Config, transcript: &Transcript) -> Result<Vec<u8>> {
        let Versions { tls12, tls13 } = self.versions;
        let numbers = Numbers::of(config, self.versions);
        let shares = self.shares.as_ref().map(entries);
        let binder = self.empty_binder();
        let identities = self.session.as_ref().and_then(|s| s.identity(config));
        let identities = identities.map(|identity| [identity]);
        let binders = binder.as_deref().map(|binder| [PskBinder(binder)]);
        let keys = identities
            .as_ref()
            .zip(binders.as_ref())
            .map(|(identities, binders)| PreSharedKeys {
                identities: List::from(identities),
                binders: List::from(binders),
            });
        let protocols: Vec<_> = config.alpn.iter().map(|name| ProtocolName(name)).collect();
        let authorities = config.authority_names();
        let resumes = config.resumption.is_wanted();
        let is_first = self.is_first();
        let hello = ClientHello {
            legacy_version: LEGACY_VERSION,
            random: &self.random,
            session_id: &self.session_id,
            cipher_suites: List::from(numbers.suites.as_slice()),
            compression_methods: &[0],
            extensions: ClientExtensions {
                server_name: self.server_name.as_deref(),
                supported_groups: Some(List::from(numbers.groups.as_slice())),
                signature_algorithms: Some(List::from(numbers.schemes.as_slice())),
                signature_algorithms_cert: Some(List::from(numbers.certificate_schemes.as_slice())),
                // What the connection is for is settled by then.
                alpn: some_unless_empty(&protocols).filter(|_| is_first),
                // A ClientHello without it is one of TLS 1.2 (RFC 9846 §4.3.1).
                supported_versions: tls13.then(|| List::from(numbers.versions.as_slice())),
                cookie: self.cookie.as_deref(),
                key_share: shares.as_deref().map(List::from),
                certificate_authorities: some_unless_empty(&authorities).filter(|_| tls13),
                psk_key_exchange_modes: (tls13 && resumes).then_some(&[PSK_DHE_KE]),
                post_handshake_auth: tls13 && config.post_handshake_auth,
                ec_point_formats: tls12.then_some(&[UNCOMPRESSED_POINT]),
                extended_master_secret: tls12,
                session_ticket: (tls12 && resumes).then(|| self.ticket_of_tls12()),
                renegotiation_info: tls12.then_some(&self.renegotiation_info),
                pre_shared_key: keys,
                ..ClientExtensions::default()
            },
        };
        let mut message = Vec::new();
        write_message(&hello, &mut message)?;
        if let Some((offered, keys)) = self.session.as_ref().zip(keys) {
            let length = keys.binders_len();
            resume::bind(transcript, &offered.session, &mut message, length)?;
        }
        self.solicited = read_message::<ClientHello<'_>>(&message)?
            .extensions
            .all
            .kinds();
        Ok(message)
    }

    /// Whether it is for a new connection, and for no renegotiation.
    pub(crate) fn is_first(&self) -> bool {
        self.renegotiation_info.is_empty()
    }

    /// The ticket of a session of TLS 1.2; empty if there is none, which asks for one.
    fn ticket_of_tls12(&self) -> &[u8] {
        match &self.session {
            Some(offered) if offered.is_of(ProtocolVersion::Tls12) => match &offered.handle {
                Handle::Ticket(ticket) => ticket,
                Handle::SessionId(_) => &[],
            },
            _ => &[],
        }
    }

    /// Room for the binder of the offered session, which can be computed only when all
    /// that stands before it is written.
    fn empty_binder(&self) -> Option<Vec<u8>> {
        self.session
            .as_ref()
            .filter(|offered| offered.is_of(ProtocolVersion::Tls13))
            .map(|offered| vec![0; offered.session.suite.hash().output_len()])
    }

    /// Does as the HelloRetryRequest says.
    pub(crate) fn retry(&mut self, request: &HelloRetryRequest<'_>) -> Result<()> {
        if let Some(wanted) = request.selected_group {
            let group = NamedGroup::from_u16(wanted)
                .filter(|group| self.groups.contains(group))
                .filter(|group| !self.has_share_of(*group))
                // RFC 9846 §4.3.8: the group MUST have been offered, and MUST NOT have a share yet.
                .ok_or(Violation::RetryGroupNotOffered)?;
            // RFC 9846 §4.2.2: just the share that was asked for takes the place of the others.
            self.shares = Some(KeyShares::generate(&[group])?);
        }
        self.cookie = request.cookie.map(<[u8]>::to_vec);
        Ok(())
    }

    /// Drops the session if its hash is not that of the suite which the HelloRetryRequest named
    /// (RFC 9846 §4.2.4).
    pub(crate) fn keep_session_of(&mut self, suite: CipherSuite) {
        self.session
            .take_if(|offered| offered.session.suite.hash() != suite.hash());
    }

    fn has_share_of(&self, group: NamedGroup) -> bool {
        let mut publics = self.shares.iter().flat_map(KeyShares::publics);
        publics.any(|(own, _)| own == group)
    }

    /// Completes the key exchange. The shares can be used once.
    pub(crate) fn agree(&mut self, group: NamedGroup, theirs: &[u8]) -> Result<SharedSecret> {
        let shares = self.shares.take();
        shares
            .ok_or(Error::Internal("the key shares are used up"))?
            .agree(group, theirs)
    }
}

fn entries(shares: &KeyShares) -> Vec<KeyShareEntry<'_>> {
    let publics = shares.publics();
    publics
        .map(|(group, key_exchange)| KeyShareEntry {
            group: group.to_u16(),
            key_exchange,
        })
        .collect()
}

/// RFC 8422 §5.1.2: `uncompressed`, the one form of points that is left.
pub(crate) const UNCOMPRESSED_POINT: u8 = 0;

/// The session id of a ClientHello.
fn choose_session_id(versions: Versions, session: Option<&Offered>, random: [u8; 32]) -> Vec<u8> {
    match session {
        Some(Offered {
            handle: Handle::SessionId(id),
            ..
        }) => id.clone(),
        // RFC 5077 §3.4: with a ticket, one of our own, which the server returns if it takes it.
        Some(_) => random.to_vec(),
        None if versions.tls13 => random.to_vec(),
        None => Vec::new(),
    }
}

/// What is offered, as numbers on the wire.
struct Numbers {
    versions: Vec<u16>,
    suites: Vec<u16>,
    groups: Vec<u16>,
    schemes: Vec<u16>,
    certificate_schemes: Vec<u16>,
}

impl Numbers {
    fn of(config: &Config, versions: Versions) -> Self {
        let suites = config.suites.iter();
        let suites = suites.filter(|suite| versions.contains(suite.version()));
        // RFC 10024 §3: ML-KEM is for TLS 1.3.
        let groups = config.groups.iter();
        let groups = groups.filter(|group| versions.tls13 || group.is_for_tls12());
        let offers_anonymous = suites.clone().any(|suite| suite.is_anonymous());
        let finite_fields: &[u16] = if offers_anonymous {
            FiniteFieldGroup::NAMED
        } else {
            &[]
        };
        let schemes = config.signature_schemes.iter();
        let schemes = schemes.filter(|scheme| versions.tls12 || !scheme.is_for_certificates_only());
        let certificate_schemes = config.certificate_schemes.iter();
        Self {
            versions: [ProtocolVersion::Tls13, ProtocolVersion::Tls12]
                .into_iter()
                .filter(|version| versions.contains(*version))
                .map(ProtocolVersion::to_u16)
                .collect(),
            suites: suites.map(|suite| suite.to_u16()).collect(),
            groups: groups
                .map(|group| group.to_u16())
                .chain(finite_fields.iter().copied())
                .collect(),
            schemes: schemes.map(|scheme| scheme.to_u16()).collect(),
            certificate_schemes: certificate_schemes.map(|scheme| scheme.to_u16()).collect(),
        }
    }
}

impl Offered {
    /// The ticket of TLS 1.3, with its age in milliseconds, hidden (RFC 9846 §4.3.11.1).
    fn identity(&self, config: &Config) -> Option<PskIdentity<'_>> {
        let Handle::Ticket(ticket) = &self.handle else {
            return None;
        };
        if !self.is_of(ProtocolVersion::Tls13) {
            return None;
        }
        let age = config
            .environment
            .clock
            .now()
            .as_secs()
            .saturating_sub(self.session.issued);
        let milliseconds = u32::try_from(age.saturating_mul(1000)).unwrap_or(u32::MAX);
        let obfuscated_ticket_age = milliseconds.wrapping_add(self.session.age_add);
        Some(PskIdentity {
            identity: ticket,
            obfuscated_ticket_age,
        })
    }
}

/// RFC 6066 §3: names only, no addresses, without a trailing dot.
fn server_name_to_send(name: &ServerName<'static>) -> Option<String> {
    match name {
        ServerName::DnsName(name) => Some(name.as_ref().trim_end_matches('.').to_ascii_lowercase()),
        _ => None,
    }
}

fn some_unless_empty<T>(items: &[T]) -> Option<List<'_, T>> {
    if items.is_empty() {
        None
    } else {
        Some(List::from(items))
    }
}
