//! Speed of countersign beside that of other TLS libraries, in memory, on one thread.
//!
//! Each case lets the libraries take turns for many short rounds and compares within the rounds, so
//! that a change of the machine's speed meets all of them alike. `benches/README.md` says
//! how to run it and how to read what it prints.

#![allow(
    clippy::indexing_slicing,
    reason = "there is no input here that nobody here has made; a bench that panics has failed"
)]

mod certificates;
mod countersign_peer;
mod library;
mod measure;
#[cfg(feature = "openssl")]
mod openssl_peer;
mod rustls_peer;
mod rustls_unbuffered_peer;
mod table;

use std::error::Error;

use certificates::Certificates;
use library::{Authentication, Case, Group, Library};
use measure::Plan;

/// Why a measurement was not possible.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const HANDSHAKES: &[Case] = &[
    Case {
        name: "handshake-mutual-x25519",
        authentication: Authentication::Mutual,
        group: Group::X25519,
    },
    Case {
        name: "handshake-server-x25519",
        authentication: Authentication::ServerOnly,
        group: Group::X25519,
    },
    Case {
        name: "handshake-mutual-mlkem",
        authentication: Authentication::Mutual,
        group: Group::X25519MlKem768,
    },
    Case {
        name: "handshake-server-mlkem",
        authentication: Authentication::ServerOnly,
        group: Group::X25519MlKem768,
    },
];

const BULK: Case = Case {
    name: "bulk-16k",
    authentication: Authentication::ServerOnly,
    group: Group::X25519,
};

fn main() -> Outcome<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let certificates = Certificates::new()?;
    for case in HANDSHAKES.iter().filter(|case| arguments.wants(case)) {
        let libraries = arguments.libraries(&certificates, case)?;
        let samples = measure::handshakes(&libraries, arguments.plan)?;
        table::print_handshakes(case.name, &samples);
    }
    if arguments.wants(&BULK) {
        let libraries = arguments.libraries(&certificates, &BULK)?;
        let (sent, received) = measure::transfers(&libraries, arguments.plan)?;
        table::print_throughput("bulk-16k-send", &sent);
        table::print_throughput("bulk-16k-receive", &received);
    }
    Ok(())
}

/// What the command line asks for.
struct Arguments {
    /// Parts of names of cases; all cases if there are none.
    cases: Vec<String>,
    /// The names of the libraries, the one that the others are compared with first; all if
    /// there are none.
    libraries: Vec<String>,
    plan: Plan,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut arguments = Self {
            cases: Vec::new(),
            libraries: Vec::new(),
            plan: Plan::default(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                // Cargo says so to every bench.
                "--bench" => {}
                "--rounds" => arguments.plan.rounds = value()?.parse()?,
                "--milliseconds" => arguments.plan.milliseconds = value()?.parse()?,
                "--libraries" => {
                    arguments.libraries = value()?.split(',').map(str::to_owned).collect();
                }
                option if option.starts_with('-') => {
                    return Err(format!("what is {option}?").into());
                }
                _ => arguments.cases.push(word),
            }
        }
        Ok(arguments)
    }

    fn wants(&self, case: &Case) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|part| case.name.contains(part))
    }

    /// The libraries to compare, set up for a case.
    fn libraries(
        &self,
        certificates: &Certificates,
        case: &Case,
    ) -> Outcome<Vec<Box<dyn Library>>> {
        let mut all: Vec<Box<dyn Library>> = vec![
            Box::new(rustls_peer::Rustls::new("rustls", certificates, case)?),
            Box::new(countersign_peer::Countersign::new(certificates, case)?),
            Box::new(rustls_unbuffered_peer::RustlsUnbuffered::new(
                certificates,
                case,
            )?),
            Box::new(rustls_peer::Rustls::new(
                "rustls-again",
                certificates,
                case,
            )?),
        ];
        #[cfg(feature = "openssl")]
        all.push(Box::new(openssl_peer::OpenSsl::new(certificates, case)?));
        if self.libraries.is_empty() {
            return Ok(all);
        }
        let mut chosen = Vec::new();
        for name in &self.libraries {
            let at = all
                .iter()
                .position(|library| library.name() == name)
                .ok_or(format!("there is no library {name}"))?;
            chosen.push(all.remove(at));
        }
        Ok(chosen)
    }
}
