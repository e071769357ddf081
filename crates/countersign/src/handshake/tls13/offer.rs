//! What a client offers, from its first ClientHello to the ServerHello.

use pki_types::ServerName;

use crate::config::Config;
use crate::crypto::group::{KeyShare, NamedGroup, SharedSecret};
use crate::error::{Error, Result};
use crate::handshake::tls13::{LEGACY_VERSION, VERSION};
use crate::messages::{
    ClientExtensions, ClientHello, DistinguishedName, ExtensionSet, HelloRetryRequest,
    KeyShareEntry, List, ProtocolName, read_message, write_message,
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
}

impl Offer {
    pub(crate) fn new(config: &Config, name: &ServerName<'static>) -> Result<Self> {
        let mut random = [0; 32];
        let mut session_id = [0; 32];
        let source = &config.environment.random;
        source
            .fill(&mut random)
            .and_then(|()| source.fill(&mut session_id))
            .map_err(|_| Error::RandomFailed)?;
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
        })
    }

    /// The ClientHello: a whole message.
    pub(crate) fn encode(&mut self, config: &Config) -> Result<Vec<u8>> {
        let share = self
            .share
            .as_ref()
            .ok_or(Error::Internal("the key share is used up"))?;
        let suites: Vec<_> = config.suites.iter().map(|suite| suite.to_u16()).collect();
        let groups: Vec<_> = self.groups.iter().map(|group| group.to_u16()).collect();
        let schemes: Vec<_> = config
            .signature_schemes
            .iter()
            .map(|scheme| scheme.to_u16())
            .collect();
        let certificate_schemes: Vec<_> = config
            .certificate_schemes
            .iter()
            .map(|scheme| scheme.to_u16())
            .collect();
        let protocols: Vec<_> = config.alpn.iter().map(|name| ProtocolName(name)).collect();
        let authorities: Vec<_> = config
            .authorities
            .iter()
            .map(|name| DistinguishedName(name))
            .collect();
        let shares = self.shares(share);
        let hello = ClientHello {
            legacy_version: LEGACY_VERSION,
            random: &self.random,
            session_id: &self.session_id,
            cipher_suites: List::from(suites.as_slice()),
            compression_methods: &[0],
            extensions: ClientExtensions {
                server_name: self.server_name.as_deref(),
                supported_groups: Some(List::from(groups.as_slice())),
                signature_algorithms: Some(List::from(schemes.as_slice())),
                signature_algorithms_cert: Some(List::from(certificate_schemes.as_slice())),
                alpn: some_unless_empty(&protocols),
                supported_versions: Some(List::from(&[VERSION])),
                cookie: self.cookie.as_deref(),
                key_share: Some(List::from(shares.as_slice())),
                certificate_authorities: some_unless_empty(&authorities),
                ..ClientExtensions::default()
            },
        };
        let mut message = Vec::new();
        write_message(&hello, &mut message)?;
        self.solicited = read_message::<ClientHello<'_>>(&message)?
            .extensions
            .all
            .kinds();
        Ok(message)
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
