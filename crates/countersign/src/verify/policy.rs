//! Every rule that a verify mode stands for, as pure functions. Nothing else in this
//! crate interprets a [`VerifyMode`].

use crate::alert::Alert;
use crate::connection::established::ProtocolVersion;
use crate::crypto::suite::CipherSuite;
use crate::session::ResumePolicy;
use crate::verify::mode::{Role, VerifyMode};

/// When the question "ask for a certificate?" comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    pub(crate) version: ProtocolVersion,
    pub(crate) moment: Moment,
    pub(crate) suite: SuiteKind,
}

/// Where in the life of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The first handshake, or a renegotiation, in full.
    FullHandshake,
    /// An abbreviated handshake.
    Resumption,
    /// The application asked for authentication after the handshake (TLS 1.3).
    PostHandshake,
}

/// Whether the cipher suite has certificates at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SuiteKind {
    Certificates,
    Anonymous,
}

impl SuiteKind {
    pub(crate) fn of(suite: CipherSuite) -> Self {
        if suite.is_anonymous() {
            Self::Anonymous
        } else {
            Self::Certificates
        }
    }
}

/// The answer of [`certificate_request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Send,
    Omit(Why),
}

impl Request {
    /// Why nobody is asked, if nobody is.
    pub(crate) fn reason(self) -> Option<Why> {
        match self {
            Self::Send => None,
            Self::Omit(why) => Some(why),
        }
    }
}

/// Why a client is not asked for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// The mode lacks `PEER`.
    NotAskedFor,
    /// The cipher suite is anonymous.
    SuiteHasNoCertificates,
    /// The session was resumed.
    Resumed,
    /// The mode says `POST_HANDSHAKE` and this is the handshake.
    PostHandshakeOnly,
    /// The mode says `CLIENT_ONCE` and the client was asked before.
    AskedOnceAlready,
}

/// Should the server send a CertificateRequest on this occasion?
///
/// `SSL_CTX_set_verify(3)`, server mode. `sent_before` counts the requests sent on this
/// connection, whatever was answered and whatever the mode was then.
pub(crate) fn certificate_request(mode: VerifyMode, on: Occasion, sent_before: u32) -> Request {
    let post_handshake_only = mode.contains(VerifyMode::POST_HANDSHAKE)
        && on.version == ProtocolVersion::Tls13
        && on.moment != Moment::PostHandshake;
    let reasons_not_to = [
        (!mode.contains(VerifyMode::PEER), Why::NotAskedFor),
        (
            on.suite == SuiteKind::Anonymous,
            Why::SuiteHasNoCertificates,
        ),
        (on.moment == Moment::Resumption, Why::Resumed),
        (post_handshake_only, Why::PostHandshakeOnly),
        (
            mode.contains(VerifyMode::CLIENT_ONCE) && sent_before > 0,
            Why::AskedOnceAlready,
        ),
    ];
    let first = reasons_not_to.into_iter().find(|(applies, _)| *applies);
    first.map_or(Request::Send, |(_, why)| Request::Omit(why))
}

/// Is an empty answer to a CertificateRequest acceptable? If not, with which alert is it
/// refused? The mode is that of the moment at which the answer arrives.
///
/// RFC 9846 §4.5.2.4 gives `certificate_required` to TLS 1.3; before it, the same refusal
/// is `handshake_failure`.
pub(crate) fn missing_certificate(mode: VerifyMode, version: ProtocolVersion) -> Result<(), Alert> {
    if !mode.contains(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT) {
        return Ok(());
    }
    Err(match version {
        ProtocolVersion::Tls12 => Alert::HandshakeFailure,
        ProtocolVersion::Tls13 => Alert::CertificateRequired,
    })
}

/// What follows from a certificate that was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    /// The connection goes on; the report says what was wrong.
    GoOn,
    /// The connection ends.
    Refuse,
}

/// Does a connection go on although its peer's certificate was refused?
///
/// Only a client in mode NONE goes on. A server never does: it asked, so it wants to know,
/// and a mode that was lowered since does not save a bad certificate.
pub(crate) fn after_failure(mode: VerifyMode, role: Role) -> AfterFailure {
    match role {
        Role::Client if mode == VerifyMode::NONE => AfterFailure::GoOn,
        Role::Client | Role::Server => AfterFailure::Refuse,
    }
}

/// What an earlier connection, whose session is to be resumed, found out about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: SuiteKind,
    /// The peer was asked for a certificate.
    pub(crate) asked: bool,
    /// It had one.
    pub(crate) has_identity: bool,
}

/// What may be done with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Resume it; the identity, if there is one, is taken as it was.
    AsItWas,
    /// Resume it if its identity passes a verification of now.
    IfVerified,
    /// A full handshake instead.
    No,
}

/// May a server in this mode resume a session with this past?
///
/// OpenSSL resumes whatever the mode says. Here a client that was never asked is asked when
/// the mode wants a certificate now, and one that had none is no better than in a full handshake.
///
/// Where identities are taken as they were, only the session context keeps servers that share
/// ticket keys apart. OpenSSL ends the connection if there is none and the mode has `PEER`
/// (*session id context uninitialized*); here the session is not resumed.
pub(crate) fn resume_on_server(
    policy: ResumePolicy,
    mode: VerifyMode,
    past: Past,
    has_context: bool,
) -> Resume {
    let on = Occasion {
        version: past.version,
        moment: Moment::FullHandshake,
        suite: past.suite,
    };
    let would_ask = certificate_request(mode, on, 0) == Request::Send;
    match policy {
        ResumePolicy::Never => Resume::No,
        ResumePolicy::Reuse if mode.contains(VerifyMode::PEER) && !has_context => Resume::No,
        ResumePolicy::Reuse => Resume::AsItWas,
        ResumePolicy::Reverify if past.has_identity => Resume::IfVerified,
        ResumePolicy::Reverify if !would_ask => Resume::AsItWas,
        ResumePolicy::Reverify if !past.asked => Resume::No,
        ResumePolicy::Reverify => match missing_certificate(mode, past.version) {
            Ok(()) => Resume::AsItWas,
            Err(_) => Resume::No,
        },
    }
}

/// May a client offer a session again?
pub(crate) fn resume_on_client(policy: ResumePolicy) -> Resume {
    match policy {
        ResumePolicy::Never => Resume::No,
        ResumePolicy::Reuse => Resume::AsItWas,
        ResumePolicy::Reverify => Resume::IfVerified,
    }
}

/// May an end in this mode use a suite under which nobody authenticates?
///
/// A client may: such a suite has to be allowed by a call of its own, and `SSL_CTX_set_verify(3)` says that the
/// mode is ignored then. A server that refuses clients without a certificate may not: OpenSSL
/// asks for one that the protocol does not allow, so that every client gives up.
pub(crate) fn takes_anonymous_suites(mode: VerifyMode, role: Role) -> bool {
    role == Role::Client || !mode.contains(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
}

/// Whose word counts after a renegotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdentityAfter {
    /// What the renegotiation found out: also that there is no certificate.
    Renegotiated,
    /// What was known before it.
    Earlier,
}

/// Which identity does a client have after a renegotiation with this request?
///
/// OpenSSL forgets who the client is if `CLIENT_ONCE` keeps it from asking again. Here the
/// identity stays, with where it came from: to ask once is to rely on the answer.
pub(crate) fn identity_after_renegotiation(request: Request) -> IdentityAfter {
    match request {
        Request::Omit(Why::AskedOnceAlready) => IdentityAfter::Earlier,
        Request::Omit(_) | Request::Send => IdentityAfter::Renegotiated,
    }
}

/// Does this mode need something to verify with, so that a configuration without trust
/// anchors and without a verifier is a mistake?
pub(crate) fn needs_trust(mode: VerifyMode) -> bool {
    mode.contains(VerifyMode::PEER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL_13: Occasion = Occasion {
        version: ProtocolVersion::Tls13,
        moment: Moment::FullHandshake,
        suite: SuiteKind::Certificates,
    };

    fn mode(bits: u32) -> VerifyMode {
        VerifyMode::from_openssl(bits, Role::Server)
    }

    /// The table of the semantics, section 2.1: mode, asked under TLS 1.2, under TLS 1.3.
    #[test]
    fn the_first_handshake_asks_as_openssl_does() {
        let asked_12 = [1, 3, 5, 7, 9, 11, 13, 15];
        let asked_13 = [1, 3, 5, 7];
        for bits in 0..16 {
            let on_12 = Occasion {
                version: ProtocolVersion::Tls12,
                ..FULL_13
            };
            let sent_12 = certificate_request(mode(bits), on_12, 0) == Request::Send;
            let sent_13 = certificate_request(mode(bits), FULL_13, 0) == Request::Send;
            assert_eq!(sent_12, asked_12.contains(&bits), "TLS 1.2, mode {bits}");
            assert_eq!(sent_13, asked_13.contains(&bits), "TLS 1.3, mode {bits}");
        }
    }

    #[test]
    fn post_handshake_asks_whenever_peer_is_set() {
        let later = Occasion {
            moment: Moment::PostHandshake,
            ..FULL_13
        };
        for bits in 0..16 {
            let sent = certificate_request(mode(bits), later, 0) == Request::Send;
            assert_eq!(sent, bits & 1 == 1, "mode {bits}");
        }
    }

    #[test]
    fn once_counts_requests_whatever_they_brought() {
        let once = VerifyMode::PEER | VerifyMode::CLIENT_ONCE;
        let later = Occasion {
            moment: Moment::PostHandshake,
            ..FULL_13
        };
        assert_eq!(certificate_request(once, FULL_13, 0), Request::Send);
        assert_eq!(
            certificate_request(once, later, 1),
            Request::Omit(Why::AskedOnceAlready)
        );
        assert_eq!(
            certificate_request(VerifyMode::PEER, later, 7),
            Request::Send
        );
    }

    #[test]
    fn nothing_is_asked_without_certificates_or_when_resumed() {
        let everything = mode(3);
        let anonymous = Occasion {
            suite: SuiteKind::Anonymous,
            version: ProtocolVersion::Tls12,
            ..FULL_13
        };
        let resumed = Occasion {
            moment: Moment::Resumption,
            ..FULL_13
        };
        assert_eq!(
            certificate_request(everything, anonymous, 0),
            Request::Omit(Why::SuiteHasNoCertificates)
        );
        assert_eq!(
            certificate_request(everything, resumed, 0),
            Request::Omit(Why::Resumed)
        );
    }

    #[test]
    fn only_fail_if_no_peer_cert_refuses_an_empty_answer() {
        for bits in 0..16 {
            let refused = bits & 3 == 3;
            assert_eq!(
                missing_certificate(mode(bits), ProtocolVersion::Tls13).is_err(),
                refused,
                "mode {bits}"
            );
        }
        assert_eq!(
            missing_certificate(mode(3), ProtocolVersion::Tls13),
            Err(Alert::CertificateRequired)
        );
        assert_eq!(
            missing_certificate(mode(3), ProtocolVersion::Tls12),
            Err(Alert::HandshakeFailure)
        );
    }

    #[test]
    fn a_session_that_does_not_satisfy_the_mode_is_not_resumed() {
        let never_asked = Past {
            version: ProtocolVersion::Tls13,
            suite: SuiteKind::Certificates,
            asked: false,
            has_identity: false,
        };
        let had_none = Past {
            asked: true,
            ..never_asked
        };
        let identified = Past {
            has_identity: true,
            ..had_none
        };
        let reverify =
            |bits, past| resume_on_server(ResumePolicy::Reverify, mode(bits), past, false);
        for bits in 0..16 {
            assert_eq!(
                reverify(bits, identified),
                Resume::IfVerified,
                "mode {bits}"
            );
            let asks = [1, 3, 5, 7].contains(&bits);
            let wanted = if asks { Resume::No } else { Resume::AsItWas };
            assert_eq!(reverify(bits, never_asked), wanted, "mode {bits}");
            let wanted = if [3, 7].contains(&bits) {
                Resume::No
            } else {
                Resume::AsItWas
            };
            assert_eq!(reverify(bits, had_none), wanted, "mode {bits}");
            for past in [never_asked, had_none, identified] {
                let with_context = |policy| resume_on_server(policy, mode(bits), past, true);
                assert_eq!(with_context(ResumePolicy::Reuse), Resume::AsItWas);
                assert_eq!(with_context(ResumePolicy::Never), Resume::No);
                let wanted = if bits & 1 == 1 {
                    Resume::No
                } else {
                    Resume::AsItWas
                };
                assert_eq!(
                    resume_on_server(ResumePolicy::Reuse, mode(bits), past, false),
                    wanted,
                    "mode {bits}"
                );
            }
        }
    }

    #[test]
    fn a_session_of_tls_1_2_is_measured_by_what_tls_1_2_asks() {
        let never_asked = Past {
            version: ProtocolVersion::Tls12,
            suite: SuiteKind::Certificates,
            asked: false,
            has_identity: false,
        };
        let anonymous = Past {
            suite: SuiteKind::Anonymous,
            ..never_asked
        };
        for bits in 0..16 {
            let resume = |past| resume_on_server(ResumePolicy::Reverify, mode(bits), past, false);
            // POST_HANDSHAKE means nothing there.
            let wanted = if bits & 1 == 1 {
                Resume::No
            } else {
                Resume::AsItWas
            };
            assert_eq!(resume(never_asked), wanted, "mode {bits}");
            assert_eq!(resume(anonymous), Resume::AsItWas, "mode {bits}");
        }
    }

    #[test]
    fn only_a_server_that_insists_on_certificates_takes_no_anonymous_suite() {
        for bits in 0..16 {
            let on_server = takes_anonymous_suites(mode(bits), Role::Server);
            assert_eq!(on_server, bits & 3 != 3, "mode {bits}");
            let client = VerifyMode::from_openssl(bits, Role::Client);
            assert!(takes_anonymous_suites(client, Role::Client));
        }
    }

    #[test]
    fn an_identity_outlives_a_renegotiation_only_if_it_was_not_to_be_asked_again() {
        let omitted = [
            (Why::AskedOnceAlready, IdentityAfter::Earlier),
            (Why::NotAskedFor, IdentityAfter::Renegotiated),
            (Why::SuiteHasNoCertificates, IdentityAfter::Renegotiated),
        ];
        for (why, wanted) in omitted {
            assert_eq!(identity_after_renegotiation(Request::Omit(why)), wanted);
        }
        assert_eq!(
            identity_after_renegotiation(Request::Send),
            IdentityAfter::Renegotiated
        );
    }

    #[test]
    fn only_a_client_in_mode_none_goes_on_after_a_failure() {
        for bits in 0..16 {
            let client = VerifyMode::from_openssl(bits, Role::Client);
            let goes_on = after_failure(client, Role::Client) == AfterFailure::GoOn;
            assert_eq!(goes_on, bits == 0, "mode {bits}");
            assert_eq!(
                after_failure(mode(bits), Role::Server),
                AfterFailure::Refuse
            );
        }
    }
}
