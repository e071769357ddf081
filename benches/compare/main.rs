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
use library::{Authentication, Case, Cipher, Group, Kind, Library, Version};
use measuring::Outcome;
use measuring::arguments::Arguments;
use measuring::clock::operations;
use measuring::table::print_operations;
use rustls_peer::Rustls;
use rustls_unbuffered_peer::RustlsUnbuffered;

/// A handshake in X25519 with AES, unless it says otherwise.
const fn case(
    name: &'static str,
    version: Version,
    authentication: Authentication,
    kind: Kind,
) -> Case {
    Case {
        name,
        version,
        cipher: Cipher::Aes128Gcm,
        authentication,
        group: Group::X25519,
        kind,
    }
}

/// The same with a hybrid key exchange.
const fn hybrid(case: Case) -> Case {
    Case {
        group: Group::X25519MlKem768,
        ..case
    }
}

const HANDSHAKES: &[Case] = {
    use Authentication::{Mutual, ServerOnly};
    use Kind::{Full, Resumed};
    use Version::{Tls12, Tls13};
    &[
        case("handshake-mutual-x25519", Tls13, Mutual, Full),
        case("handshake-server-x25519", Tls13, ServerOnly, Full),
        hybrid(case("handshake-mutual-mlkem", Tls13, Mutual, Full)),
        hybrid(case("handshake-server-mlkem", Tls13, ServerOnly, Full)),
        case("resumed-mutual-x25519", Tls13, Mutual, Resumed),
        case("resumed-server-x25519", Tls13, ServerOnly, Resumed),
        case("tls12-handshake-mutual", Tls12, Mutual, Full),
        case("tls12-handshake-server", Tls12, ServerOnly, Full),
        case("tls12-resumed-mutual", Tls12, Mutual, Resumed),
        case("tls12-resumed-server", Tls12, ServerOnly, Resumed),
    ]
};

/// Transfers, each with the size of its records.
const TRANSFERS: &[(Case, u16)] = &[
    (bulk("bulk-16k", Version::Tls13, Cipher::Aes128Gcm), 16_384),
    (bulk("bulk-1k", Version::Tls13, Cipher::Aes128Gcm), 1_024),
    (
        bulk(
            "bulk-16k-chacha20",
            Version::Tls13,
            Cipher::ChaCha20Poly1305,
        ),
        16_384,
    ),
    (
        bulk("tls12-bulk-16k", Version::Tls12, Cipher::Aes128Gcm),
        16_384,
    ),
    (
        bulk("tls12-bulk-1k", Version::Tls12, Cipher::Aes128Gcm),
        1_024,
    ),
    (
        bulk(
            "tls12-bulk-16k-chacha20",
            Version::Tls12,
            Cipher::ChaCha20Poly1305,
        ),
        16_384,
    ),
];

const fn bulk(name: &'static str, version: Version, cipher: Cipher) -> Case {
    Case {
        cipher,
        ..case(name, version, Authentication::ServerOnly, Kind::Full)
    }
}

/// Asking for a certificate on a connection that lasts.
const LATER: &[(&str, Version)] = &[
    ("authentication-after-handshake", Version::Tls13),
    ("renegotiation", Version::Tls12),
];

fn main() -> Outcome<()> {
    let arguments = Arguments::parse()?;
    let certificates = Certificates::new()?;
    for case in HANDSHAKES {
        if arguments.wants(case.name) {
            let libraries = libraries(&certificates, case, settings_for(case.kind))?;
            let libraries = arguments.choose(libraries, |library| library.name());
            print_operations(case.name, &operations(&libraries, arguments.plan)?);
        }
    }
    for (name, version) in LATER {
        if arguments.wants(name) {
            let rounds = after_handshake::operations(*version, &certificates)?;
            let rounds = arguments.choose(rounds, |round| round.name());
            print_operations(name, &operations(&rounds, arguments.plan)?);
        }
    }
    for (case, record) in TRANSFERS {
        if arguments.wants(case.name) {
            let libraries = libraries(&certificates, case, &[Setting::DEFAULT])?;
            let libraries = arguments.choose(libraries, |library| library.name());
            let (sent, received) = transfers::measure(&libraries, *record, arguments.plan)?;
            transfers::print(&format!("{}-send", case.name), *record, &sent);
            transfers::print(&format!("{}-receive", case.name), *record, &received);
        }
    }
    Ok(())
}

/// How countersign is configured for handshakes of that kind.
const fn settings_for(kind: Kind) -> &'static [Setting] {
    match kind {
        Kind::Full => &[Setting::COLD, Setting::WARM],
        Kind::Resumed => &[Setting::REVERIFY_COLD, Setting::REVERIFY, Setting::REUSE],
    }
}

/// The libraries to compare, set up for a case, the one that the others are compared with first.
fn libraries(
    certificates: &Certificates,
    case: &Case,
    settings: &[Setting],
) -> Outcome<Vec<Box<dyn Library>>> {
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
