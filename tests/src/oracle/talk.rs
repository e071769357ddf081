//! One handshake of a row, played by two ends of any implementation.

use openssl::nid::Nid;
use openssl::x509::X509;

use super::row::{Alerted, Record, SideRecord};
use crate::endpoint::{Endpoint, Side, is_alive, run_until_idle};
use crate::wiretap::{KeyLog, Wiretap};

/// What an end knows about its peer, beyond what every [`Endpoint`] tells.
pub trait Witness: Endpoint {
    /// `SSL_get_verify_result`.
    fn verify_result(&self) -> u32;
    /// The calls of the verify callback so far.
    fn trace(&self) -> Vec<String>;
}

/// Plays the step `hs`: both ends talk until they are idle, then one byte is sent each way.
pub fn handshake(client: &mut dyn Witness, server: &mut dyn Witness, log: &KeyLog) -> Record {
    let mut tap = Wiretap::new(log);
    run_until_idle(client, server, &mut tap);
    let requests = tap.messages(Side::Server, 13).len();
    Record {
        api: None,
        client: seen(client),
        server: seen(server),
        requests: u32::try_from(requests).expect("a few"),
        alerts: tap
            .alerts()
            .into_iter()
            .map(|(side, level, number)| Alerted(side.to_string(), level, number))
            .collect(),
        wire: tap.wire(),
        alive: Some(is_alive(client, server, &mut tap)),
    }
}

fn seen(end: &dyn Witness) -> SideRecord {
    SideRecord {
        completed: end.completed(),
        ok: end.is_fine(),
        verify_result: end.verify_result(),
        peer: end.peer_certificate().as_deref().and_then(common_name),
        trace: end.trace(),
    }
}

fn common_name(certificate: &[u8]) -> Option<String> {
    let certificate = X509::from_der(certificate).ok()?;
    let entry = certificate
        .subject_name()
        .entries_by_nid(Nid::COMMONNAME)
        .last()?;
    entry.data().to_string().ok()
}
