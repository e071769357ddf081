//! What the demo tries, and how each try has to end.

use crate::authority::{Condition, Role};

/// One connection of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// The side that checks the other's certificate.
    pub verifier: Role,
    /// Its verify mode.
    pub mode: Mode,
    /// What the other side has; `None` is no certificate at all.
    pub certificate: Option<Condition>,
}

/// The verify modes that matter in a first TLS 1.3 handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `SSL_VERIFY_NONE`
    None,
    /// `SSL_VERIFY_PEER`
    Peer,
    /// `SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT`
    PeerOrFail,
}

impl Mode {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Peer, Self::PeerOrFail];

    /// OpenSSL's names without their prefix.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::None => &["NONE"],
            Self::Peer => &["PEER"],
            Self::PeerOrFail => &["PEER", "FAIL_IF_NO_PEER_CERT"],
        }
    }

    /// OpenSSL's bits.
    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Peer => 1,
            Self::PeerOrFail => 3,
        }
    }
}

/// Every case, grouped by verifier and mode, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for verifier in [Role::Client, Role::Server] {
        for mode in Mode::ALL {
            // A TLS 1.3 server always sends a certificate: RFC 9846 §4.5.2.
            let none = (verifier == Role::Server).then_some(None);
            let certificates = none.into_iter().chain(Condition::ALL.map(Some));
            cases.extend(certificates.map(|certificate| Case {
                verifier,
                mode,
                certificate,
            }));
        }
    }
    cases
}

/// How a case has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// The verifier sends a `CertificateRequest`.
    pub asked: bool,
    /// The connection is good for data in both directions.
    pub accepted: bool,
    /// The number of the fatal alert with which the verifier ends it.
    pub alert: Option<u8>,
    /// The number of the verify result; `None` if no certificate was checked.
    pub code: Option<u32>,
}

impl Case {
    /// The rules of OpenSSL's modes for this case.
    pub(crate) fn expectation(self) -> Expectation {
        let asked = self.verifier == Role::Server && self.mode != Mode::None;
        let arrives = self.verifier == Role::Client || asked;
        let code_and_alert = self.certificate.filter(|_| arrives).map(code_and_alert);
        let refusal = match (code_and_alert, self.certificate) {
            (Some((_, alert)), _) if self.mode != Mode::None => alert,
            (None, None) if self.mode == Mode::PeerOrFail => Some(CERTIFICATE_REQUIRED),
            _ => None,
        };
        Expectation {
            asked,
            accepted: refusal.is_none(),
            alert: refusal,
            code: code_and_alert.map(|(code, _)| code),
        }
    }
}

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
    use super::{Case, Expectation, Mode, all};
    use crate::authority::{Condition, Role};

    fn expectation(verifier: Role, mode: Mode, certificate: Option<Condition>) -> Expectation {
        let case = Case {
            verifier,
            mode,
            certificate,
        };
        case.expectation()
    }

    #[test]
    fn every_mode_and_role_meets_every_certificate() {
        // Eight conditions; a server also meets clients without a certificate.
        assert_eq!(all().len(), 3 * 8 + 3 * 9);
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
                (end.asked, end.accepted, end.code),
                (false, true, None),
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
