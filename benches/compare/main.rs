//! Speed of countersign beside that of other TLS libraries, in memory, on one thread.
//!
//! Each case lets the libraries take turns for many short rounds and compares within the rounds, so
//! that a change of the machine's speed meets all of them alike. `benches/README.md` says
//! how to run it and how to read what it prints.

#![allow(
    clippy::indexing_slicing,
    reason = "there is no input here that nobody here has made; a bench that panics has failed"
)]

mod after_handshake;
mod certificates;
mod countersign_peer;
mod library;
#[path = "../measuring/mod.rs"]
mod measuring;
#[cfg(feature = "openssl")]
mod openssl_peer;
#[cfg(feature = "openssl")]
mod openssl_rounds;
mod rustls_peer;
mod rustls_unbuffered_peer;
mod transfers;

use certificates::Certificates;
use countersign_peer::{Countersign, Setting};
use library::{Authentication, Case, Group, Kind, Library};
use measuring::Outcome;
use measuring::arguments::Arguments;
use measuring::clock::operations;
use measuring::table::print_operations;
use rustls_peer::Rustls;
use rustls_unbuffered_peer::RustlsUnbuffered;

const fn handshake(
    name: &'static str,
    authentication: Authentication,
    group: Group,
    kind: Kind,
) -> Case {
    Case {
        name,
        authentication,
        group,
        kind,
    }
}

const HANDSHAKES: &[Case] = &[
    handshake(
        "handshake-mutual-x25519",
        Authentication::Mutual,
        Group::X25519,
        Kind::Full,
    ),
    handshake(
        "handshake-server-x25519",
        Authentication::ServerOnly,
        Group::X25519,
        Kind::Full,
    ),
    handshake(
        "handshake-mutual-mlkem",
        Authentication::Mutual,
        Group::X25519MlKem768,
        Kind::Full,
    ),
    handshake(
        "handshake-server-mlkem",
        Authentication::ServerOnly,
        Group::X25519MlKem768,
        Kind::Full,
    ),
    handshake(
        "resumed-mutual-x25519",
        Authentication::Mutual,
        Group::X25519,
        Kind::Resumed,
    ),
    handshake(
        "resumed-server-x25519",
        Authentication::ServerOnly,
        Group::X25519,
        Kind::Resumed,
    ),
];

/// The case of the transfers, and their records.
const BULK: Case = handshake(
    "bulk",
    Authentication::ServerOnly,
    Group::X25519,
    Kind::Full,
);
const BULK_RECORDS: &[(&str, u16)] = &[("bulk-16k", 16_384), ("bulk-1k", 1_024)];

const AFTER_HANDSHAKE: &str = "authentication-after-handshake";

fn main() -> Outcome<()> {
    let arguments = Arguments::parse()?;
    let certificates = Certificates::new()?;
    for case in HANDSHAKES {
        if arguments.wants(case.name) {
            let libraries = libraries(&certificates, case)?;
            let libraries = arguments.choose(libraries, |library| library.name());
            print_operations(case.name, &operations(&libraries, arguments.plan)?);
        }
    }
    if arguments.wants(AFTER_HANDSHAKE) {
        let rounds = after_handshake::operations(&certificates)?;
        let rounds = arguments.choose(rounds, |round| round.name());
        print_operations(AFTER_HANDSHAKE, &operations(&rounds, arguments.plan)?);
    }
    for (name, record) in BULK_RECORDS {
        if arguments.wants(name) {
            let libraries = libraries(&certificates, &BULK)?;
            let libraries = arguments.choose(libraries, |library| library.name());
            let (sent, received) = transfers::measure(&libraries, *record, arguments.plan)?;
            transfers::print(&format!("{name}-send"), *record, &sent);
            transfers::print(&format!("{name}-receive"), *record, &received);
        }
    }
    Ok(())
}

/// The libraries to compare, set up for a case, the one that the others are compared with first.
fn libraries(certificates: &Certificates, case: &Case) -> Outcome<Vec<Box<dyn Library>>> {
    let settings: &[Setting] = match case.kind {
        _ if case.name == BULK.name => &[Setting::DEFAULT],
        Kind::Full => &[Setting::COLD, Setting::WARM],
        Kind::Resumed => &[Setting::REVERIFY_COLD, Setting::REVERIFY, Setting::REUSE],
    };
    let mut all: Vec<Box<dyn Library>> = vec![
        Box::new(Rustls::new("rustls", certificates, case)?),
        Box::new(RustlsUnbuffered::new(certificates, case)?),
        Box::new(Rustls::new("rustls-again", certificates, case)?),
    ];
    for setting in settings {
        all.push(Box::new(Countersign::new(*setting, certificates, case)?));
    }
    #[cfg(feature = "openssl")]
    all.push(Box::new(openssl_peer::OpenSsl::new(certificates, case)?));
    Ok(all)
}
