//! What the demo tries, and how each try has to end.

use countersign::ProtocolVersion;

use crate::authority::{Condition, Role};

/// One connection of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// The only version that is spoken.
    pub version: ProtocolVersion,
    /// The side that checks the other's certificate.
    pub verifier: Role,
    /// Its verify mode.
    pub mode: Mode,
    /// What the other side has; `None` is no certificate at all.
    pub certificate: Option<Condition>,
    /// When the other side says who it is.
    pub occasion: Occasion,
}

/// When a side says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// In the handshake.
    Handshake,
    /// After the handshake, when the server asks: in TLS 1.2 by renegotiation.
    Later,
    /// In the handshake, and the server renegotiates all the same (TLS 1.2).
    Again,
    /// Never: there are no certificates (TLS 1.2).
    Anonymous(Offer),
    /// On an earlier connection, whose session is offered.
    Resumption(Change),
}

/// Who is ready to do without certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Both,
    /// The server, which has none; the client wants one.
    ServerOnly,
}

/// What changed between two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// The verify mode was laxer.
    StricterMode,
    /// Somebody else was trusted.
    OtherTrust,
}

/// The verify modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `SSL_VERIFY_NONE`
    None,
    /// `SSL_VERIFY_PEER`
    Peer,
    /// `SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT`
    PeerOrFail,
    /// `SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE`
    PeerOnce,
    /// `SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE`
    Later,
    /// `SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_POST_HANDSHAKE`
    LaterOrFail,
}

impl Mode {
    /// Those that ask in the handshake, in the order of the table.
    pub(crate) const IN_HANDSHAKE: [Self; 3] = [Self::None, Self::Peer, Self::PeerOrFail];

    /// OpenSSL's names without their prefix.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::None => &["NONE"],
            Self::Peer => &["PEER"],
            Self::PeerOrFail => &["PEER", "FAIL_IF_NO_PEER_CERT"],
            Self::PeerOnce => &["PEER", "CLIENT_ONCE"],
            Self::Later => &["PEER", "POST_HANDSHAKE"],
            Self::LaterOrFail => &["PEER", "FAIL_IF_NO_PEER_CERT", "POST_HANDSHAKE"],
        }
    }

    /// OpenSSL's bits.
    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Peer => 1,
            Self::PeerOrFail => 3,
            Self::PeerOnce => 5,
            Self::Later => 9,
            Self::LaterOrFail => 11,
        }
    }

    /// Whether the flag that insists is in it.
    const fn insists(self) -> bool {
        self.bits() & 2 != 0
    }

    /// The next laxer mode.
    const fn laxer(self) -> Self {
        match self {
            Self::LaterOrFail => Self::Later,
            Self::PeerOrFail => Self::Peer,
            Self::None | Self::Peer | Self::PeerOnce | Self::Later => Self::None,
        }
    }
}

/// Every case, grouped by version, verifier and mode, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for version in [ProtocolVersion::Tls13, ProtocolVersion::Tls12] {
        cases.extend(in_handshake(version));
        cases.extend(later(version));
        if version == ProtocolVersion::Tls12 {
            cases.extend(again());
        }
        cases.extend(resumptions(version));
        if version == ProtocolVersion::Tls12 {
            cases.extend(anonymous());
        }
    }
    cases
}

fn in_handshake(version: ProtocolVersion) -> Vec<Case> {
    let mut cases = Vec::new();
    for verifier in [Role::Client, Role::Server] {
        for mode in Mode::IN_HANDSHAKE {
            // A server always sends a certificate (RFC 9846 §4.5.2), unless the suite is anonymous.
            let none = (verifier == Role::Server).then_some(None);
            let certificates = none.into_iter().chain(Condition::ALL.map(Some));
            cases.extend(certificates.map(|certificate| Case {
                version,
                verifier,
                mode,
                certificate,
                occasion: Occasion::Handshake,
            }));
        }
    }
    cases
}

fn later(version: ProtocolVersion) -> impl Iterator<Item = Case> {
    let conditions = [Condition::Good, Condition::Expired, Condition::UnknownCa];
    // POST_HANDSHAKE means something in TLS 1.3 only. In TLS 1.2 the mode changes when the server asks.
    let modes = match version {
        ProtocolVersion::Tls12 => [Mode::Peer, Mode::PeerOrFail],
        _ => [Mode::Later, Mode::LaterOrFail],
    };
    modes.into_iter().flat_map(move |mode| {
        let certificates = [None].into_iter().chain(conditions.map(Some));
        certificates.map(move |certificate| Case {
            version,
            verifier: Role::Server,
            mode,
            certificate,
            occasion: Occasion::Later,
        })
    })
}

fn again() -> impl Iterator<Item = Case> {
    [Mode::Peer, Mode::PeerOnce].into_iter().flat_map(|mode| {
        [None, Some(Condition::Good)].map(|certificate| Case {
            version: ProtocolVersion::Tls12,
            verifier: Role::Server,
            mode,
            certificate,
            occasion: Occasion::Again,
        })
    })
}

fn anonymous() -> [Case; 5] {
    [
        (Role::Client, Mode::None, Offer::Both),
        (Role::Client, Mode::Peer, Offer::Both),
        (Role::Client, Mode::Peer, Offer::ServerOnly),
        (Role::Server, Mode::Peer, Offer::Both),
        (Role::Server, Mode::PeerOrFail, Offer::Both),
    ]
    .map(|(verifier, mode, offer)| Case {
        version: ProtocolVersion::Tls12,
        verifier,
        mode,
        certificate: None,
        occasion: Occasion::Anonymous(offer),
    })
}

fn resumptions(version: ProtocolVersion) -> [Case; 6] {
    let case = |verifier, mode, certificate, change| Case {
        version,
        verifier,
        mode,
        certificate,
        occasion: Occasion::Resumption(change),
    };
    let (good, expired) = (Some(Condition::Good), Some(Condition::Expired));
    let (client, server) = (Role::Client, Role::Server);
    [
        case(client, Mode::Peer, good, Change::Nothing),
        case(client, Mode::Peer, expired, Change::StricterMode),
        case(client, Mode::Peer, good, Change::OtherTrust),
        case(server, Mode::PeerOrFail, good, Change::Nothing),
        case(server, Mode::PeerOrFail, None, Change::StricterMode),
        case(server, Mode::PeerOrFail, good, Change::OtherTrust),
    ]
}

/// How a case has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// How many times the verifier sends a `CertificateRequest`.
    pub requests: u32,
    /// The connection is good for data in both directions.
    pub accepted: bool,
    /// An earlier session was resumed.
    pub resumed: bool,
    /// Nobody is authenticated, and both ends know it.
    pub anonymous: bool,
    /// The number of the fatal alert with which the verifier ends it.
    pub alert: Option<u8>,
    /// The number of the verify result; `None` if no certificate was checked.
    pub code: Option<u32>,
}

impl Case {
    /// What it is called on the command line.
    pub(crate) fn name(self) -> String {
        let verifier = self.verifier;
        let certificate = self.certificate_words().to_lowercase().replace(' ', "-");
        let mode = match self.mode {
            Mode::None => "none",
            Mode::Peer => "peer",
            Mode::PeerOrFail => "require",
            Mode::PeerOnce => "peer-once",
            Mode::Later => "ask-optional",
            Mode::LaterOrFail => "ask",
        };
        let name = match self.occasion {
            Occasion::Later if self.is_tls12() => {
                format!("{verifier}-renegotiates-{mode}-{certificate}")
            }
            Occasion::Again => format!("{verifier}-asks-again-{mode}-{certificate}"),
            Occasion::Anonymous(Offer::Both) => format!("{verifier}-{mode}-anonymous"),
            Occasion::Anonymous(Offer::ServerOnly) => {
                format!("{verifier}-{mode}-anonymous-not-allowed")
            }
            Occasion::Resumption(Change::Nothing) => format!("{verifier}-resumes"),
            Occasion::Resumption(Change::StricterMode) => {
                format!("{verifier}-resumes-under-stricter-mode")
            }
            Occasion::Resumption(Change::OtherTrust) => {
                format!("{verifier}-resumes-under-other-trust")
            }
            Occasion::Handshake | Occasion::Later => format!("{verifier}-{mode}-{certificate}"),
        };
        if self.is_tls12() {
            format!("tls12-{name}")
        } else {
            name
        }
    }

    /// Whether it is one of TLS 1.2.
    pub(crate) fn is_tls12(self) -> bool {
        self.version == ProtocolVersion::Tls12
    }

    /// What the other side has, in words.
    pub(crate) fn certificate_words(self) -> &'static str {
        self.certificate.map_or("none", Condition::words)
    }

    /// The mode of the connection before, whose session is resumed.
    pub(crate) fn earlier_mode(self) -> Mode {
        match self.occasion {
            Occasion::Resumption(Change::StricterMode) => self.mode.laxer(),
            _ => self.mode,
        }
    }

    /// The rules of OpenSSL's modes for this case.
    pub(crate) fn expectation(self) -> Expectation {
        if let Occasion::Anonymous(offer) = self.occasion {
            return self.expectation_of_anonymity(offer);
        }
        // A session is resumed if its peer would be accepted now, and else nothing is heard of it.
        let resumed = self.occasion == Occasion::Resumption(Change::Nothing);
        let asked = self.verifier == Role::Server && self.mode != Mode::None && !resumed;
        let known = self.verifier == Role::Client || asked || resumed;
        let as_seen = match self.occasion {
            Occasion::Resumption(Change::OtherTrust) => Some(Condition::UnknownCa),
            _ => self.certificate,
        };
        let code_and_alert = as_seen.filter(|_| known).map(code_and_alert);
        let refusal = match (code_and_alert, self.certificate) {
            (Some((_, alert)), _) if self.mode != Mode::None => alert,
            // RFC 5246 §7.4.6: in TLS 1.2 there is no alert of its own for it.
            (None, None) if self.mode.insists() && self.is_tls12() => Some(HANDSHAKE_FAILURE),
            (None, None) if self.mode.insists() => Some(CERTIFICATE_REQUIRED),
            _ => None,
        };
        let twice = self.occasion == Occasion::Again && self.mode != Mode::PeerOnce;
        Expectation {
            requests: u32::from(asked).saturating_add(u32::from(twice)),
            anonymous: false,
            accepted: refusal.is_none(),
            resumed,
            alert: refusal,
            code: code_and_alert.map(|(code, _)| code),
        }
    }

    /// Without certificates there is nothing to ask for or to check: a client ignores its mode, and a server that insists
    /// takes no such suite.
    fn expectation_of_anonymity(self, offer: Offer) -> Expectation {
        let insists = self.verifier == Role::Server && self.mode.insists();
        let accepted = offer == Offer::Both && !insists;
        Expectation {
            requests: 0,
            accepted,
            resumed: false,
            anonymous: accepted,
            alert: insists.then_some(HANDSHAKE_FAILURE),
            code: None,
        }
    }
}

const HANDSHAKE_FAILURE: u8 = 40;
const CERTIFICATE_REQUIRED: u8 = 116;

/// The `X509_V` number of a condition and the alert it is turned into.
const fn code_and_alert(condition: Condition) -> (u32, Option<u8>) {
    match condition {
        Condition::Good => (0, None),
        Condition::Expired => (10, Some(45)),
        Condition::NotYetValid => (9, Some(42)),
        Condition::UnknownCa => (20, Some(48)),
        Condition::SelfSigned => (18, Some(48)),
        Condition::WrongPurpose => (26, Some(43)),
        Condition::WrongName => (62, Some(42)),
        Condition::TooDeep => (22, Some(48)),
    }
}

#[cfg(test)]
mod tests {
    use countersign::ProtocolVersion;

    use super::{Case, Change, Expectation, Mode, Occasion, all};
    use crate::authority::{Condition, Role};

    fn expectation(verifier: Role, mode: Mode, certificate: Option<Condition>) -> Expectation {
        let case = Case {
            version: ProtocolVersion::Tls13,
            verifier,
            mode,
            certificate,
            occasion: Occasion::Handshake,
        };
        case.expectation()
    }

    #[test]
    fn every_case_has_its_own_name() {
        let mut names: Vec<_> = all().into_iter().map(Case::name).collect();
        assert!(
            names.contains(&"server-ask-unknown-ca".to_owned()),
            "{names:?}"
        );
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn only_a_session_that_would_be_accepted_is_resumed() {
        let ends: Vec<_> = all()
            .into_iter()
            .filter_map(|case| match case.occasion {
                Occasion::Resumption(change) => Some((change, case.expectation())),
                _ => None,
            })
            .collect();
        assert_eq!(ends.len(), 12);
        for (change, end) in ends {
            let unchanged = change == Change::Nothing;
            assert_eq!(
                (end.resumed, end.accepted),
                (unchanged, unchanged),
                "{change:?}"
            );
        }
    }

    #[test]
    fn every_mode_and_role_meets_every_certificate() {
        // Eight conditions; a server also meets clients without a certificate. Then those who are asked later, and
        // those who resume. In TLS 1.2 also those who are asked again, and the anonymous.
        let both = 3 * 8 + 3 * 9 + 2 * 4 + 6;
        assert_eq!(all().len(), 2 * both + 4 + 5);
    }

    #[test]
    fn a_client_checks_always_and_refuses_only_in_peer_mode() {
        let expired = |mode| expectation(Role::Client, mode, Some(Condition::Expired));
        let (none, peer) = (expired(Mode::None), expired(Mode::Peer));
        assert_eq!(
            (none.accepted, none.alert, none.code),
            (true, None, Some(10))
        );
        assert_eq!(
            (peer.accepted, peer.alert, peer.code),
            (false, Some(45), Some(10))
        );
        assert_eq!(peer, expired(Mode::PeerOrFail));
    }

    #[test]
    fn a_server_without_peer_never_asks() {
        for case in all()
            .iter()
            .filter(|case| case.verifier == Role::Server && case.mode == Mode::None)
        {
            let end = case.expectation();
            assert_eq!(
                (end.requests, end.accepted, end.code),
                (0, true, None),
                "{case:?}"
            );
        }
    }

    #[test]
    fn only_fail_if_no_peer_cert_insists() {
        let missing = |mode| expectation(Role::Server, mode, None);
        assert_eq!(missing(Mode::Peer).alert, None);
        assert_eq!(missing(Mode::PeerOrFail).alert, Some(116));
        let expired = expectation(Role::Server, Mode::Peer, Some(Condition::Expired));
        assert_eq!(expired.alert, Some(45));
    }
}
