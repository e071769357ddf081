//! What goes between two ends of any implementation, step by step, and what is seen of it.

use core::fmt;

use openssl::nid::Nid;
use openssl::x509::X509;

use super::row::{Alerted, Record, SideRecord};
use crate::endpoint::{Endpoint, Side, is_alive};
use crate::wiretap::{Content, KeyLog, Piece, Wiretap, notation};

/// What an end knows about its peer, beyond what every [`Endpoint`] tells.
pub trait Witness: Endpoint {
    /// `SSL_get_verify_result`.
    fn verify_result(&self) -> u32;
    /// The calls of the verify callback since this was asked last.
    fn take_trace(&mut self) -> Vec<String>;
}

/// A conversation on one connection: what is on its way, and what was heard in this step.
pub struct Talk {
    tap: Wiretap,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
    heard_before: usize,
}

impl Talk {
    /// A new connection, whose secrets are in `log`.
    pub fn new(log: &KeyLog) -> Self {
        Self {
            tap: Wiretap::new(log),
            to_client: Vec::new(),
            to_server: Vec::new(),
            heard_before: 0,
        }
    }

    /// Puts what an end wrote on its way.
    pub fn send(&mut self, from: Side, bytes: &[u8]) {
        self.tap.hear(from, bytes);
        match from {
            Side::Client => self.to_server.extend_from_slice(bytes),
            Side::Server => self.to_client.extend_from_slice(bytes),
        }
    }

    /// Hands an end what is on its way to it, and sends what it writes. Says whether it wrote.
    pub fn deliver(&mut self, to: Side, end: &mut dyn Endpoint) -> bool {
        let arrived = core::mem::take(match to {
            Side::Client => &mut self.to_client,
            Side::Server => &mut self.to_server,
        });
        let written = end.exchange(&arrived);
        self.send(to, &written);
        !written.is_empty()
    }

    /// Lets both ends talk, the client first, until both are idle. An end that thinks about a
    /// question is given a second turn.
    ///
    /// # Panics
    /// If they do not come to rest.
    pub fn run(&mut self, client: &mut dyn Endpoint, server: &mut dyn Endpoint) {
        let mut silent = 0;
        for _ in 0..1_000 {
            let client_wrote = self.deliver(Side::Client, client);
            let server_wrote = self.deliver(Side::Server, server);
            silent = if client_wrote || server_wrote {
                0
            } else {
                silent + 1
            };
            if silent == 2 {
                return;
            }
        }
        panic!("the two ends do not come to rest");
    }

    /// What was seen in this step, which ends here.
    pub fn record(&mut self, client: &mut dyn Witness, server: &mut dyn Witness) -> Record {
        let heard = self.tap.pieces()[self.heard_before..].to_vec();
        self.heard_before = self.tap.pieces().len();
        let requests = heard
            .iter()
            .filter(|piece| piece.from == Side::Server && piece.message_type() == Some(13));
        Record {
            api: None,
            client: seen(client),
            server: seen(server),
            requests: u32::try_from(requests.count()).expect("a few"),
            alerts: heard.iter().filter_map(alert).collect(),
            wire: notation(&heard),
            alive: None,
        }
    }

    /// The same, after trying whether a byte goes both ways.
    pub fn record_alive(&mut self, client: &mut dyn Witness, server: &mut dyn Witness) -> Record {
        let record = self.record(client, server);
        let alive = Some(is_alive(client, server, &mut self.tap));
        self.heard_before = self.tap.pieces().len();
        Record { alive, ..record }
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tap.fmt(f)
    }
}

/// Plays the step `hs`: both ends talk until they are idle, then one byte is sent each way.
pub fn handshake(client: &mut dyn Witness, server: &mut dyn Witness, log: &KeyLog) -> Record {
    let mut talk = Talk::new(log);
    talk.run(client, server);
    talk.record_alive(client, server)
}

fn alert(piece: &Piece) -> Option<Alerted> {
    match piece.content {
        Content::Alert(level, number) => Some(Alerted(piece.from.to_string(), level, number)),
        _ => None,
    }
}

fn seen(end: &mut dyn Witness) -> SideRecord {
    SideRecord {
        completed: end.completed(),
        ok: end.is_fine(),
        verify_result: end.verify_result(),
        peer: end.peer_certificate().as_deref().and_then(common_name),
        trace: end.take_trace(),
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
