//! What a client offers, from its first ClientHello to the ServerHello.

use pki_types::ServerName;

use crate::config::Config;
use crate::crypto::group::{KeyShare, NamedGroup, SharedSecret};
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::handshake::tls13::resume::{self, Offered, PSK_DHE_KE};
use crate::handshake::tls13::{LEGACY_VERSION, VERSION};
use crate::handshake::transcript::Transcript;
use crate::messages::{
    ClientExtensions, ClientHello, ExtensionSet, HelloRetryRequest, KeyShareEntry, List,
    PreSharedKeys, ProtocolName, PskBinder, PskIdentity, read_message, write_message,
};
use crate::violation::Violation;

/// What stays the same in both ClientHellos of a connection, and the key share, which does not.
pub(crate) struct Offer {
    pub(crate) random: [u8; 32],
    /// Not a session: 32 bytes that make the handshake look like TLS 1.2 to middleboxes
    /// (RFC 9846 §D.4).
    pub(crate) session_id: [u8; 32],
    pub(crate) server_name: Option<String>,
    /// The extensions of the last ClientHello, which the server may answer.
    pub(crate) solicited: ExtensionSet,
    groups: Vec<NamedGroup>,
    share: Option<KeyShare>,
    asked_for_share: bool,
    cookie: Option<Vec<u8>>,
    /// The session that is offered to be resumed.
    pub(crate) session: Option<Offered>,
}

impl Offer {
    pub(crate) fn new(
        config: &Config,
        name: &ServerName<'static>,
        session: Option<Offered>,
    ) -> Result<Self> {
        let mut bytes = [[0; 32]; 2];
        let source = &config.environment.random;
        source
            .fill(bytes.as_flattened_mut())
            .map_err(|_| Error::RandomFailed)?;
        let [random, session_id] = bytes;
        let first = *config
            .groups
            .first()
            .ok_or(Error::Internal("no groups are configured"))?;
        Ok(Self {
            random,
            session_id,
            server_name: Some(name)
                .filter(|_| config.send_server_name)
                .and_then(server_name_to_send),
            solicited: ExtensionSet::default(),
            groups: config.groups.clone(),
            share: Some(KeyShare::generate(first)?),
            asked_for_share: false,
            cookie: None,
            session,
        })
    }

    /// The ClientHello: a whole message. `transcript` holds what was sent before it.
    pub(crate) fn encode(&mut self, config: &Config, transcript: &Transcript) -> Result<Vec<u8>> {
        let numbers = Numbers::of(config);
        let share = self
            .share
            .as_ref()
            .ok_or(Error::Internal("the key share is used up"))?;
        let shares = self.shares(share);
        let binder = self.empty_binder();
        let identities = self
            .session
            .as_ref()
            .map(|offered| [offered.identity(config)]);
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
                alpn: some_unless_empty(&protocols),
                supported_versions: Some(List::from(&[VERSION])),
                cookie: self.cookie.as_deref(),
                key_share: Some(List::from(shares.as_slice())),
                certificate_authorities: some_unless_empty(&authorities),
                psk_key_exchange_modes: resumes.then_some(&[PSK_DHE_KE]),
                post_handshake_auth: config.post_handshake_auth,
                pre_shared_key: keys,
                ..ClientExtensions::default()
            },
        };
        let mut message = Vec::new();
        write_message(&hello, &mut message)?;
        if let Some((offered, keys)) = self.session.as_ref().zip(keys) {
            resume::bind(
                transcript,
                &offered.session,
                &mut message,
                keys.binders_len(),
            )?;
        }
        self.solicited = read_message::<ClientHello<'_>>(&message)?
            .extensions
            .all
            .kinds();
        Ok(message)
    }

    /// Room for the binder of the offered session, which can be computed only when all
    /// that stands before it is written.
    fn empty_binder(&self) -> Option<Vec<u8>> {
        self.session
            .as_ref()
            .map(|offered| vec![0; offered.session.suite.hash().output_len()])
    }

    /// The share, and the second one that comes with it if that group is offered too.
    fn shares<'s>(&self, share: &'s KeyShare) -> Vec<KeyShareEntry<'s>> {
        let first = (share.group(), share.public());
        let second = share
            .second()
            .filter(|(group, _)| !self.asked_for_share && self.groups.contains(group));
        [Some(first), second]
            .into_iter()
            .flatten()
            .map(|(group, key_exchange)| KeyShareEntry {
                group: group.to_u16(),
                key_exchange,
            })
            .collect()
    }

    /// Does as the HelloRetryRequest says.
    pub(crate) fn retry(&mut self, request: &HelloRetryRequest<'_>) -> Result<()> {
        if let Some(wanted) = request.selected_group {
            let group = NamedGroup::from_u16(wanted)
                .filter(|group| self.groups.contains(group))
                .filter(|group| !self.has_share_of(*group))
                // RFC 9846 §4.3.8: the group MUST have been offered, and MUST NOT have a share yet.
                .ok_or(Violation::RetryGroupNotOffered)?;
            self.share = Some(KeyShare::generate(group)?);
            // RFC 9846 §4.2.2: just the share that was asked for takes the place of the others.
            self.asked_for_share = true;
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
        let Some(share) = &self.share else {
            return false;
        };
        self.shares(share)
            .iter()
            .any(|entry| entry.group == group.to_u16())
    }

    /// Completes the key exchange. The share can be used once.
    pub(crate) fn agree(&mut self, group: NamedGroup, theirs: &[u8]) -> Result<SharedSecret> {
        if !self.has_share_of(group) {
            return Err(Violation::ServerShareNotOffered.into());
        }
        let share = self
            .share
            .take()
            .ok_or(Error::Internal("the key share is used up"))?;
        share.agree_on(group, theirs)
    }
}

/// What is offered, as numbers on the wire.
struct Numbers {
    suites: Vec<u16>,
    groups: Vec<u16>,
    schemes: Vec<u16>,
    certificate_schemes: Vec<u16>,
}

impl Numbers {
    fn of(config: &Config) -> Self {
        let schemes =
            |schemes: &[SignatureScheme]| schemes.iter().map(|scheme| scheme.to_u16()).collect();
        Self {
            suites: config.suites.iter().map(|suite| suite.to_u16()).collect(),
            groups: config.groups.iter().map(|group| group.to_u16()).collect(),
            schemes: schemes(&config.signature_schemes),
            certificate_schemes: schemes(&config.certificate_schemes),
        }
    }
}

impl Offered {
    /// The ticket, with its age in milliseconds, hidden (RFC 9846 §4.3.11.1).
    fn identity(&self, config: &Config) -> PskIdentity<'_> {
        let age = config
            .environment
            .clock
            .now()
            .as_secs()
            .saturating_sub(self.session.issued);
        let milliseconds = u32::try_from(age.saturating_mul(1000)).unwrap_or(u32::MAX);
        let obfuscated_ticket_age = milliseconds.wrapping_add(self.session.age_add);
        PskIdentity {
            identity: &self.ticket,
            obfuscated_ticket_age,
        }
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
