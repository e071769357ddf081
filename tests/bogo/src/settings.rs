//! What the runner wants of one connection.

use countersign::Role;

/// What the runner wants of one connection, and what it expects of it.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the runner's"
)]
pub(crate) struct Settings {
    // Where to connect
    pub(crate) port: u16,
    pub(crate) ipv6: bool,
    pub(crate) shim_id: u64,
    pub(crate) resume_count: u32,

    // Who we are
    pub(crate) role: Role,
    pub(crate) host_name: Option<String>,
    /// The credential of the flags before the first `-new-x509-credential`.
    pub(crate) default_credential: CredentialSettings,
    /// The others, in order.
    pub(crate) credentials: Vec<CredentialSettings>,
    /// The credential is chosen by the application, when it is asked for one.
    pub(crate) application_chooses: bool,

    // What is offered
    pub(crate) versions: Versions,
    pub(crate) groups: Vec<u16>,
    /// A client sends shares of these groups, rather than of those that it takes by default.
    pub(crate) key_shares: Option<Vec<u16>>,
    pub(crate) verify_schemes: Vec<u16>,
    pub(crate) alpn: Alpn,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) max_certificate_list: Option<usize>,
    /// The largest content of a record that is sent.
    pub(crate) max_fragment: Option<usize>,
    pub(crate) tickets: Tickets,

    // Renegotiation
    pub(crate) renegotiation: Renegotiation,
    /// A server without secure renegotiation is refused.
    pub(crate) refuses_legacy_servers: bool,

    // How the peer is verified
    pub(crate) verify_peer: bool,
    pub(crate) require_certificate: bool,
    pub(crate) verify_fails: bool,
    pub(crate) verify_callback: VerifyCallback,
    pub(crate) reverify_on_resume: bool,

    // What happens
    /// Whatever can be answered later is answered later.
    pub(crate) answers_later: bool,
    pub(crate) writes_first: bool,
    pub(crate) initial_write: Vec<u8>,
    pub(crate) initial_writes: u32,
    pub(crate) write_is_left_unfinished: bool,
    pub(crate) write_sizes: WriteSizes,
    pub(crate) read_size: usize,
    pub(crate) shuts_down: bool,
    pub(crate) checks_close_notify: bool,
    pub(crate) updates_keys_after_read: bool,
    pub(crate) updates_keys_before_read: bool,
    pub(crate) handshakes_again: bool,
    /// Instead of data a fatal alert is sent.
    pub(crate) sends_alert: bool,
    pub(crate) export: Export,
    pub(crate) exports_between_reads: bool,
    /// Seconds by which the clock is put forward after the connection.
    pub(crate) resumption_delay: u64,

    pub(crate) expected: Expected,
}

/// A certificate and its key.
#[derive(Clone, Debug, Default)]
pub(crate) struct CredentialSettings {
    pub(crate) chain_file: Option<String>,
    pub(crate) key_file: Option<String>,
    /// The schemes in which it may sign; empty: all that its key can.
    pub(crate) schemes: Vec<u16>,
    pub(crate) must_match_issuer: bool,
}

/// The versions of the protocol that are allowed, as numbers on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Versions {
    pub(crate) min: u16,
    pub(crate) max: u16,
    pub(crate) excluded: Vec<u16>,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            min: 0x0301,
            max: 0x0304,
            excluded: Vec::new(),
        }
    }
}

impl Versions {
    /// Whether this version is allowed.
    pub(crate) fn allow(&self, version: u16) -> bool {
        (self.min..=self.max).contains(&version) && !self.excluded.contains(&version)
    }
}

/// The application protocols.
#[derive(Clone, Debug, Default)]
pub(crate) enum Alpn {
    /// None.
    #[default]
    Ignored,
    /// A client offers these, a list as it is on the wire.
    Advertised(Vec<u8>),
    /// A server takes this one, if it is offered.
    Selected(Vec<u8>),
    /// A server refuses whatever is offered.
    Rejected,
}

/// Whether sessions are kept in tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tickets {
    #[default]
    Sealed,
    Unwanted,
}

/// What a client makes of a server that wants to negotiate again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Renegotiation {
    /// It ends the connection.
    #[default]
    Forbidden,
    /// It refuses, and goes on.
    Refused,
    /// It negotiates again once, and no more.
    Once,
    /// It negotiates again.
    Free,
    /// The application is told, and negotiates again.
    Explicit,
}

/// By which of its two interfaces BoringSSL would verify; they refuse with different alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VerifyCallback {
    /// The one that OpenSSL has too.
    #[default]
    OfOpenSsl,
    /// Its own.
    Custom,
}

/// In which portions data is written first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteSizes {
    /// As it is.
    #[default]
    Natural,
    /// Around the limits of records.
    AroundLimits,
}

/// Keying material to be exported and sent, if its length is not 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Export {
    pub(crate) length: usize,
    pub(crate) label: Vec<u8>,
    pub(crate) context: Vec<u8>,
    pub(crate) has_context: bool,
}

/// What must be found when the handshake is complete, or at the end.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the runner's"
)]
pub(crate) struct Expected {
    pub(crate) version: Option<u16>,
    pub(crate) suite: Option<u16>,
    pub(crate) suite_with_aes: Option<u16>,
    pub(crate) suite_without_aes: Option<u16>,
    pub(crate) group: Option<u16>,
    pub(crate) peer_signature: Option<u16>,
    pub(crate) peer_schemes: Vec<u16>,
    pub(crate) peer_chain_file: Option<String>,
    pub(crate) no_peer_certificate: bool,
    pub(crate) verify_result: bool,
    pub(crate) authorities: Option<Vec<Vec<u8>>>,
    pub(crate) selected_credential: Option<i32>,
    pub(crate) retry: Option<bool>,
    pub(crate) session_miss: bool,
    pub(crate) no_session: bool,
    pub(crate) server_name: Option<Vec<u8>>,
    pub(crate) no_server_name: bool,
    pub(crate) alpn: Vec<u8>,
    pub(crate) advertised_alpn: Option<Vec<u8>>,
    pub(crate) renegotiations: u32,
    pub(crate) secure_renegotiation: Option<bool>,
    pub(crate) extended_master_secret: bool,
    /// A server keeps the session, or not.
    pub(crate) session_id: Option<bool>,
    /// A resumed session comes with a new ticket.
    pub(crate) ticket_renewal: bool,
    /// Why no early data was sent or taken.
    pub(crate) early_data_reason: Option<Vec<u8>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            ipv6: false,
            shim_id: 0,
            resume_count: 0,
            role: Role::Client,
            host_name: None,
            default_credential: CredentialSettings::default(),
            credentials: Vec::new(),
            application_chooses: false,
            versions: Versions::default(),
            groups: Vec::new(),
            key_shares: None,
            verify_schemes: Vec::new(),
            alpn: Alpn::Ignored,
            authorities: Vec::new(),
            max_certificate_list: None,
            max_fragment: None,
            tickets: Tickets::Sealed,
            renegotiation: Renegotiation::Forbidden,
            refuses_legacy_servers: false,
            verify_peer: false,
            require_certificate: false,
            verify_fails: false,
            verify_callback: VerifyCallback::OfOpenSsl,
            reverify_on_resume: false,
            answers_later: false,
            writes_first: false,
            initial_write: b"hello".to_vec(),
            initial_writes: 1,
            write_is_left_unfinished: false,
            write_sizes: WriteSizes::Natural,
            read_size: 512,
            shuts_down: false,
            checks_close_notify: false,
            updates_keys_after_read: false,
            updates_keys_before_read: false,
            handshakes_again: false,
            sends_alert: false,
            export: Export::default(),
            exports_between_reads: false,
            resumption_delay: 0,
            expected: Expected::default(),
        }
    }
}

impl Settings {
    /// Whether a server keeps sessions itself, instead of in tickets.
    pub(crate) fn keeps_sessions(&self) -> bool {
        self.tickets == Tickets::Unwanted || self.expected.session_id == Some(true)
    }

    /// The credential that the flags speak of at this point.
    pub(crate) fn current_credential(&mut self) -> &mut CredentialSettings {
        self.credentials
            .last_mut()
            .unwrap_or(&mut self.default_credential)
    }
}
