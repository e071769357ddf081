//! Who is authenticated: nobody but who has proved it, and whose report says so.

use crate::fuzzing::connection::Deeds;
use crate::fuzzing::connection::configs::Configs;
use crate::fuzzing::connection::end::End;
use crate::fuzzing::papers::papers;
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::peer::{Peer, Since, Standing};

impl End {
    /// What must hold of the peer whatever was done.
    pub(super) fn check_identity(&self, configs: &Configs, deeds: Deeds) {
        let peer = self.connection.peer();
        let failure = self.failure.as_ref();
        if failure.is_some_and(|error| error.alert().is_some()) {
            assert!(peer.is_none(), "it has refused the peer");
        }
        if let Some(peer) = peer {
            assert!(!self.connection.is_anonymous());
            self.check_certificate(peer);
            self.check_standing(peer, configs, deeds);
        }
        if failure.is_none() && self.connection.agreed().is_some() {
            self.check_mode(peer, configs, deeds);
        }
    }

    /// Nobody else has a key. Until the Finished a certificate that is not verified may have been changed.
    fn check_certificate(&self, peer: &Peer) {
        let papers = papers();
        let expected = match self.connection.role() {
            Role::Client => &papers.server,
            Role::Server => &papers.client,
        };
        let is_of = |who: &crate::Credential| peer.leaf() == who.certificates().first();
        if peer.is_verified() {
            assert!(is_of(expected), "nobody vouches for the stranger");
        } else if self.connection.agreed().is_some() {
            assert!(is_of(expected) || is_of(&papers.stranger), "whose is it?");
        }
    }

    /// How far the peer is believed, and what there is for it.
    fn check_standing(&self, peer: &Peer, configs: &Configs, deeds: Deeds) {
        let role = self.connection.role();
        let choices = configs.choices;
        match peer.standing() {
            Standing::Verified => {
                assert!(peer.report().is_accepted(), "{}", peer.report());
                assert!(peer.code().is_ok(), "{}", peer.code());
                self.check_trust(peer, configs);
            }
            Standing::Tolerated => {
                assert!(choices.tolerates() || deeds.tolerated, "by nobody");
                assert!(!peer.report().is_accepted());
            }
            Standing::Refused => {
                let goes_on = choices.mode(role) == VerifyMode::NONE || deeds.changed_mode;
                assert!(role == Role::Client && goes_on, "{role:?}");
            }
        }
    }

    /// Who trusts nobody verifies nobody; what was found out before that may be reused, if the policy says so.
    fn check_trust(&self, peer: &Peer, configs: &Configs) {
        let is_of_now = peer.epoch() > 0 && peer.epoch() == configs.trust.epoch();
        assert!(!(is_of_now && configs.trusts_nobody()), "by nobody");
        let may_reuse = configs.choices.reuses(self.connection.role());
        let is_reused = may_reuse && peer.since() == Since::Resumption;
        assert!(!self.trusts_nobody || is_reused, "by nobody");
    }

    /// A connection that is there is one that its mode allows.
    fn check_mode(&self, peer: Option<&Peer>, configs: &Configs, deeds: Deeds) {
        let choices = configs.choices;
        if self.connection.is_anonymous() {
            assert!(choices.allows_anonymous());
            return;
        }
        let mode = choices.mode(self.connection.role());
        if deeds.changed_mode || !mode.contains(VerifyMode::PEER) {
            return;
        }
        let must_be_there = match self.connection.role() {
            Role::Client => true,
            // In TLS 1.3 it may still have to be asked, and one that asks once may have asked for nothing.
            Role::Server => {
                mode.contains(VerifyMode::FAIL_IF_NO_PEER_CERT)
                    && !mode.contains(VerifyMode::POST_HANDSHAKE)
            }
        };
        assert!(peer.is_some() || !must_be_there, "{mode} and nobody there");
    }
}
