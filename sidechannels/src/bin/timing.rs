//! Run under memcheck: every branch and every index that depends on a secret is an error, which it reports.
//!
//! With an argument it leaks a secret in one of three ways, so that it can be seen that memcheck finds it.

use std::env;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_sidechannels::boundary::{hide, is_hidden, is_under_valgrind, reveal};
use countersign_sidechannels::conversation::{EXPONENT_LEN, Kind, SUITES, Setup, Watch};

/// How many secrets an application was given.
static SEEN: AtomicUsize = AtomicUsize::new(0);

const WATCH: Watch = Watch {
    secret: see,
    random: |bytes| {
        if bytes.len() == EXPONENT_LEN {
            hide(bytes);
        }
    },
    public: reveal,
};

fn main() -> ExitCode {
    if !is_under_valgrind() {
        eprintln!(
            "This program says nothing unless it runs under Valgrind: run sidechannels/check."
        );
        return ExitCode::FAILURE;
    }
    match env::args().nth(1).as_deref() {
        None => look_everywhere(),
        Some("branch") => leaks::by_branch(&[1; 32], &[2; 32]),
        Some("index") => leaks::by_index(&[1; 32]),
        Some("key-log") => leaks::by_key_log(),
        Some(other) => {
            eprintln!("There is no leak by {other}.");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn look_everywhere() {
    for suite in SUITES {
        for kind in Kind::BOTH {
            let setup = Setup::new(WATCH, suite, kind);
            setup.converse();
            setup.deceive();
        }
    }
    Setup::anonymous(WATCH).exchange_keys_in_a_finite_field();
    println!("{} secrets were followed", SEEN.load(Ordering::Relaxed));
}

/// What memcheck takes for public is not followed, and then finding nothing means nothing.
fn see(label: &str, secret: &[u8]) {
    assert!(
        is_hidden(secret),
        "{label} does not depend on what was hidden"
    );
    SEEN.fetch_add(1, Ordering::Relaxed);
}

/// What must not be.
mod leaks {
    use super::{Kind, SUITES, Setup, WATCH, Watch, black_box, hide};

    /// Ends at the first difference.
    #[inline(never)]
    pub fn by_branch(secret: &[u8; 32], guess: &[u8; 32]) {
        let secret = black_box(*secret);
        hide(&secret);
        let same = secret
            .iter()
            .zip(guess)
            .take_while(|(one, other)| one == other);
        black_box(same.count());
    }

    /// Looks something up.
    #[inline(never)]
    pub fn by_index(secret: &[u8; 32]) {
        let secret = black_box(*secret);
        let table = black_box([7; 256]);
        hide(&secret);
        black_box(table[usize::from(secret[3])]);
    }

    /// Looks at the secrets of a real handshake.
    #[inline(never)]
    pub fn by_key_log() {
        let watch = Watch {
            secret: |_, secret| {
                if secret.starts_with(b"a guess") {
                    black_box(());
                }
            },
            ..WATCH
        };
        Setup::new(watch, SUITES[0], Kind::Usual).converse();
    }
}
