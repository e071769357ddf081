//! What comes back from clients and stores: sealed sessions, and behind the seal the sessions themselves; and what a
//! client keeps. (It keeps them in memory alone, so there is nothing of it to read.)

use pki_types::ServerName;

use super::connection::{Configs, Pair};
use super::input::Input;
use super::papers::{NOW, papers};
use crate::config::environment::Environment;
use crate::session::ResumePolicy;
use crate::session::client_cache::{ClientSession, Handle, Origin};
use crate::session::keyring::TicketKeyring;
use crate::session::state::Session;
use crate::session::tickets::Resumption;
use crate::verify::mode::Role;
use crate::verify::peer::{Peer, Since};
use crate::{MemoryStore, ProtocolVersion};

/// A key of a keyring: its name, and what it is made of.
const KEY: [u8; 80] = [7; 80];
const OTHER_KEY: [u8; 80] = [8; 80];
const NAME_LEN: usize = 16;

/// Takes `data` for a ticket, for the session in one, and for two sessions that a client and a server resume with.
///
/// Whatever it is: nothing opens that was not sealed here, with that key, for that purpose and as it is; a session that
/// can be read can be written, and then reads as the same; a peer that is taken from one is verified only if the report
/// in it says so; and nobody resumes for another name, in another context, too late, or without the secret.
pub fn tickets(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte();
    open(input.0);
    match kind & 3 {
        0 | 1 => {
            let place = usize::from(u16::from_be_bytes([input.byte(), input.byte()]));
            if let Some(session) = read(input.0) {
                seal(&session, place);
            }
        }
        _ => drop(resume(kind, &mut input)),
    }
}

/// Nobody makes up what opens, also who knows what a key is called.
fn open(sealed: &[u8]) {
    let named = [&KEY[..NAME_LEN], sealed].concat();
    for resumption in [with_key(&KEY), in_store(&KEY)] {
        for sealed in [sealed, &named] {
            assert!(resumption.open(sealed, NOW).is_none());
        }
    }
}

/// Reads what is behind the seal.
fn read(content: &[u8]) -> Option<Session> {
    let session = Session::decode(content).ok()?;
    let written = session.encode().expect("what was read fits its prefixes");
    let again = Session::decode(&written).expect("what was written can be read");
    let again = again.encode().expect("what was read fits its prefixes");
    assert!(again == written, "it does not read as the same");
    if let Some(known) = &session.identity.peer {
        check_reused(&known.reuse(Role::Client, Some(&papers().trust)));
        check_reused(&known.reuse(Role::Server, None));
    }
    Some(session)
}

fn check_reused(peer: &Peer) {
    assert!(!peer.is_verified() || peer.report().is_accepted());
    assert!(peer.leaf().is_some(), "nobody is no peer");
    assert_eq!(peer.since(), Since::Resumption);
    assert!(!peer.report().sentence().chars().any(char::is_control));
}

/// What is sealed opens as it was, and only if nothing has changed.
fn seal(session: &Session, place: usize) {
    let environment = Environment::default();
    let ours = with_key(&KEY);
    let sealed = ours.seal_ticket(session, &environment);
    let Some(sealed) = sealed.expect("there are random bytes") else {
        // It is too large for a ticket.
        return;
    };
    let written = session.encode().expect("what was read fits its prefixes");
    let opens_as_it_was = |resumption: &Resumption| {
        let opened = resumption.open(&sealed, NOW);
        opened.is_some_and(|opened| opened.encode().expect("it was read") == written)
    };
    assert!(opens_as_it_was(&ours));
    assert!(opens_as_it_was(&with_keys(&[OTHER_KEY, KEY])));
    let elsewhere = Resumption {
        context: b"elsewhere".to_vec(),
        ..with_key(&KEY)
    };
    for other in [with_key(&OTHER_KEY), in_store(&KEY), elsewhere] {
        assert!(other.open(&sealed, NOW).is_none());
    }
    let place = place % sealed.len();
    let mut damaged = sealed.clone();
    damaged
        .iter_mut()
        .skip(place)
        .take(1)
        .for_each(|byte| *byte ^= 1);
    let longer = [&sealed, &b"x"[..]].concat();
    for changed in [damaged.as_slice(), sealed.split_at(place).0, &longer] {
        assert!(ours.open(changed, NOW).is_none());
    }
    ours.keyring.revoke_all();
    assert!(ours.open(&sealed, NOW).is_none());
}

fn with_key(key: &[u8; 80]) -> Resumption {
    with_keys(&[*key])
}

fn with_keys(keys: &[[u8; 80]]) -> Resumption {
    Resumption {
        keyring: TicketKeyring::from_keys(keys).expect("they are of the right length"),
        ..Resumption::default()
    }
}

fn in_store(key: &[u8; 80]) -> Resumption {
    Resumption {
        store: Some(std::sync::Arc::new(MemoryStore::new(1))),
        ..with_key(key)
    }
}

/// What a resumption begins with.
struct Start {
    /// What the server finds.
    kept: Session,
    /// What the client has.
    known: Session,
    /// The server sealed it in another context than it has now.
    is_from_elsewhere: bool,
    /// The client had it from another server.
    is_from_another: bool,
}

impl Start {
    fn read(kind: u8, input: &mut Input<'_>) -> Option<Self> {
        let length = usize::from(u16::from_be_bytes([input.byte(), input.byte()]));
        let (kept, known) = input.0.split_at(length.min(input.0.len()));
        Some(Self {
            kept: Session::decode(kept).ok()?,
            known: Session::decode(if known.is_empty() { kept } else { known }).ok()?,
            is_from_elsewhere: kind & 4 != 0,
            is_from_another: kind & 8 != 0,
        })
    }
}

/// A client offers one session and the server finds another, or the same.
fn resume(kind: u8, input: &mut Input<'_>) -> Option<Pair> {
    let configs = Configs::read(input);
    configs.let_time_pass(input.byte());
    let start = Start::read(kind, input)?;
    prepare(&configs, &start);
    let mut pair = Pair::new(&configs);
    for _ in 0..4 {
        pair.deliver_all();
        pair.answer_all(&configs);
    }
    for (end, role) in pair.ends.iter().zip([Role::Client, Role::Server]) {
        let agreed = end.connection.agreed();
        let Some(agreed) = agreed.filter(|agreed| agreed.resumed && end.failure.is_none()) else {
            continue;
        };
        check_resumed(&configs, &start, (role, agreed.version));
        if let Some(peer) = end.connection.peer() {
            check_resumed_peer(&configs, peer, role);
        }
    }
    Some(pair)
}

/// Brings the sessions to where they are looked for.
fn prepare(configs: &Configs, start: &Start) {
    let (client, server) = (&configs.client.0, &configs.server.0);
    let mut sealing = server.resumption.clone();
    if start.is_from_elsewhere {
        sealing.context = b"elsewhere".to_vec();
    }
    let ticket = sealing.seal(&start.kept, &server.environment);
    let Some(ticket) = ticket.expect("there are random bytes") else {
        return;
    };
    let is_stored = server.resumption.store.is_some();
    let handle = match start.known.suite.version() {
        ProtocolVersion::Tls12 if is_stored => Handle::SessionId(ticket),
        ProtocolVersion::Tls12 | ProtocolVersion::Tls13 => Handle::Ticket(ticket),
    };
    let name = if start.is_from_another {
        "other.example"
    } else {
        "server.example"
    };
    let name = ServerName::try_from(name).expect("a name");
    let session = ClientSession {
        origin: Origin::default(),
        handle,
        session: copy(&start.known),
        own: None,
    };
    client.resumption.sessions.insert(&name, session);
}

fn copy(session: &Session) -> Session {
    let written = session.encode().expect("what was read fits its prefixes");
    Session::decode(&written).expect("what was written can be read")
}

/// The session belonged here, and both ends had the same.
fn check_resumed(configs: &Configs, start: &Start, (role, version): (Role, ProtocolVersion)) {
    let Start { kept, known, .. } = start;
    let now = configs.now();
    assert!(!start.is_from_another, "{role:?}: of another server");
    assert!(!start.is_from_elsewhere, "{role:?}: of another context");
    let name = kept.server_name.as_deref();
    assert_eq!(name, Some("server.example"), "{role:?}: of another name");
    assert!(kept.psk.expose() == known.psk.expose(), "of other secrets");
    for session in [kept, known] {
        assert_eq!(session.suite.version(), version, "{role:?}");
        assert!(session.is_alive(now), "{role:?}: too late");
    }
}

/// Who is verified is so now, or was so by what the session says, if that is to be relied upon.
fn check_resumed_peer(configs: &Configs, peer: &Peer, role: Role) {
    check_reused(peer);
    let config = match role {
        Role::Client => &configs.client.0,
        Role::Server => &configs.server.0,
    };
    if config.resumption.policy == ResumePolicy::Reverify && peer.is_verified() {
        let papers = papers();
        let expected = match role {
            Role::Client => &papers.server,
            Role::Server => &papers.client,
        };
        assert_eq!(peer.leaf(), expected.certificates().first(), "{role:?}");
    }
}

#[cfg(test)]
mod tests {
    use pki_types::ServerName;

    use super::{KEY, resume, tickets};
    use crate::fuzzing::connection::{Configs, Pair};
    use crate::fuzzing::input::Input;
    use crate::fuzzing::seeds::{folder, is_to_be_written, read_all};
    use crate::session::client_cache::Handle;

    const STATE: u8 = 0;
    const RESUME: u8 = 2;
    const FROM_ELSEWHERE: u8 = 4;
    const FROM_ANOTHER: u8 = 8;

    const TLS12: [u8; 5] = [0, 0, 0, 2, 0];
    const TLS13: [u8; 5] = [1, 1, 0, 2, 0];
    const ANONYMOUS: [u8; 5] = [0, 0, 0, 0, 3];
    /// Identities are taken as they were.
    const REUSE12: [u8; 5] = [64, 64, 0, 2, 128];
    const REUSE13: [u8; 5] = [65, 65, 0, 2, 128];
    /// Sessions are kept in a store.
    const STORE12: [u8; 5] = [0, 0, 0, 2, 8];
    const STORE13: [u8; 5] = [1, 1, 0, 2, 8];

    /// What both ends remember of a connection: the server, and the client.
    fn sessions(configuration: [u8; 5]) -> [Vec<u8>; 2] {
        let configs = Configs::read(&mut Input(&configuration));
        let mut pair = Pair::new(&configs);
        pair.deliver_all();
        let name = ServerName::try_from("server.example").unwrap();
        let known = configs.client.0.resumption.sessions.take(&name).unwrap();
        let Handle::Ticket(ticket) = &known.handle else {
            panic!("it is no ticket");
        };
        let kept = configs.server.0.resumption.open(ticket, configs.now());
        [kept.unwrap(), known.session].map(|session| session.encode().unwrap().to_vec())
    }

    /// The input for a resumption after this many hours.
    fn resumption(kind: u8, configuration: [u8; 5], hours: u8, of: &[Vec<u8>; 2]) -> Vec<u8> {
        let [kept, known] = of;
        let length = u16::try_from(kept.len()).unwrap().to_be_bytes();
        let choices = [&[RESUME | kind], &configuration[..], &[hours], &length].concat();
        [&choices, &kept[..], known].concat()
    }

    fn write_seeds() {
        let [of_12, of_13, anonymous] = [TLS12, TLS13, ANONYMOUS].map(sessions);
        let state = |session: &[u8]| [&[STATE, 0, 99], session].concat();
        let seeds = [
            ("sealed", [&[STATE], &KEY[..60]].concat()),
            ("server-12", state(&of_12[0])),
            ("client-12", state(&of_12[1])),
            ("server-13", state(&of_13[0])),
            ("client-13", state(&of_13[1])),
            ("anonymous", state(&anonymous[0])),
            ("resumed-12", resumption(0, TLS12, 1, &of_12)),
            ("resumed-13", resumption(0, TLS13, 1, &of_13)),
            ("resumed-stored-12", resumption(0, STORE12, 1, &of_12)),
            ("resumed-stored-13", resumption(0, STORE13, 1, &of_13)),
            ("resumed-reuse-12", resumption(0, REUSE12, 1, &of_12)),
            ("resumed-reuse-13", resumption(0, REUSE13, 1, &of_13)),
            ("resumed-anonymous", resumption(0, ANONYMOUS, 1, &anonymous)),
            ("late-12", resumption(0, TLS12, 2, &of_12)),
            ("late-13", resumption(0, TLS13, 2, &of_13)),
            ("elsewhere-12", resumption(FROM_ELSEWHERE, TLS12, 0, &of_12)),
            ("elsewhere-13", resumption(FROM_ELSEWHERE, TLS13, 0, &of_13)),
            ("another-12", resumption(FROM_ANOTHER, TLS12, 0, &of_12)),
            ("another-13", resumption(FROM_ANOTHER, TLS13, 0, &of_13)),
            ("other-version", resumption(0, TLS13, 0, &of_12)),
        ];
        std::fs::create_dir_all(folder("tickets")).unwrap();
        for (name, seed) in seeds {
            std::fs::write(folder("tickets").join(name), seed).unwrap();
        }
    }

    /// Both ends resume exactly what is named so.
    #[test]
    fn seeds_are_resumed_as_they_should() {
        if is_to_be_written() {
            write_seeds();
        }
        let seeds = read_all("tickets");
        assert_eq!(seeds.len(), 20);
        for (name, seed) in seeds {
            tickets(&seed);
            let mut input = Input(&seed);
            let kind = input.byte();
            if kind & RESUME == 0 {
                continue;
            }
            let pair = resume(kind, &mut input).unwrap();
            for end in &pair.ends {
                let agreed = end.connection.agreed();
                let agreed = agreed.unwrap_or_else(|| panic!("{name}: {:?}", end.failure));
                assert_eq!(agreed.resumed, name.starts_with("resumed"), "{name}");
            }
        }
    }

    #[test]
    fn a_damaged_seed_is_harmless() {
        for (_, seed) in read_all("tickets") {
            for place in (0..seed.len()).step_by(11) {
                let mut damaged = seed.clone();
                damaged[place] ^= 0x15;
                tickets(&damaged);
                tickets(&seed[..place]);
            }
        }
    }
}
