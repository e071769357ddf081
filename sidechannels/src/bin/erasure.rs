//! Searches the memory that countersign has used for the secrets that it has had, when nobody needs them any more.
//!
//! With a number as argument it shows where the block of that number is allocated.

use std::collections::{HashMap, HashSet};
use std::env;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign::Credential;
use countersign_sidechannels::boundary::learn_with;
use countersign_sidechannels::conversation::{
    CLIENT, EXPONENT_LEN, Kind, SERVER, SUITES, Setup, TICKET_KEY_LEN, TICKET_KEY_NAME_LEN, Watch,
};
use countersign_sidechannels::hoard::{
    Hoard, blocks, forget, forgetfully, remembering, show_block,
};
use pki_types::PrivateKeyDer;
use pki_types::pem::PemObject;

#[global_allocator]
static ALLOCATOR: Hoard = Hoard;

/// What is shorter may be anywhere by chance.
const SHORTEST: usize = 12;

/// How many places are listed.
const LISTED: usize = 40;

/// Every secret that has passed, and what it is.
static LEARNT: Mutex<Vec<(String, Vec<u8>)>> = Mutex::new(Vec::new());

/// Every secret that applications were given.
static GIVEN: Mutex<Vec<(String, Vec<u8>)>> = Mutex::new(Vec::new());

const WATCH: Watch = Watch {
    secret: |label, secret| {
        if label != "exported" {
            add(&GIVEN, label, secret);
        }
    },
    random: |bytes| match bytes.len() {
        EXPONENT_LEN => {
            learn("an exponent", bytes);
            // As its words are kept.
            let reversed = || bytes.iter().rev().copied().collect::<Vec<u8>>();
            learn("an exponent", &forgetfully(reversed));
        }
        TICKET_KEY_LEN => learn("a ticket key", &bytes[TICKET_KEY_NAME_LEN..]),
        _ => {}
    },
    public: |_| {},
};

fn main() -> ExitCode {
    if let Some(number) = env::args().nth(1).and_then(|number| number.parse().ok()) {
        show_block(number);
    }
    learn_with(learn);
    if let Err(what) = run() {
        eprintln!("error: {what}");
        return ExitCode::FAILURE;
    }
    // Of connections that failed too early not every secret has passed.
    locked(&LEARNT).append(&mut locked(&GIVEN));
    let places = search();
    for place in places.iter().take(LISTED) {
        eprintln!("{place}");
    }
    let (secrets, blocks) = (locked(&LEARNT).len(), blocks().count());
    println!(
        "{} places, of {secrets} secrets in {blocks} blocks",
        places.len()
    );
    if places.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Has everything happen that involves secrets.
fn run() -> Result<(), &'static str> {
    check_that_it_searches()?;
    use_keys();
    for suite in SUITES {
        for kind in Kind::BOTH {
            let ends = remembering(|| {
                let setup = Setup::new(WATCH, suite, kind);
                (setup.converse(), setup)
            });
            check_that_it_finds()?;
            drop(ends);
        }
    }
    check_that_it_knows()?;
    for suite in SUITES {
        remembering(|| Setup::new(WATCH, suite, Kind::Usual).deceive());
    }
    let pair = remembering(|| Setup::anonymous(WATCH).converse_in_a_finite_field());
    check_that_it_finds()?;
    drop(pair);
    Ok(())
}

/// What was dropped as it was is found.
fn check_that_it_searches() -> Result<(), &'static str> {
    let secret = b"a secret that nobody erases";
    learn("a plant", secret);
    let text = [&b"in front"[..], secret, b"behind"];
    drop(remembering(|| black_box(text.concat())));
    let places = search();
    forget();
    match &places[..] {
        [first, _] if first.contains("at 8 of 41 bytes") && first.contains("given back") => Ok(()),
        _ => Err("a secret that was left in memory is not found"),
    }
}

/// The secrets of a connection that is alive are found.
fn check_that_it_finds() -> Result<(), &'static str> {
    if search().iter().any(|place| place.ends_with("in use")) {
        Ok(())
    } else {
        Err("the secrets of a connection that is alive are not found")
    }
}

/// What an application is given has to have passed, or there is a way that is not watched.
fn check_that_it_knows() -> Result<(), &'static str> {
    let known: HashSet<_> = locked(&LEARNT)
        .iter()
        .map(|(_, secret)| secret.clone())
        .collect();
    let given = locked(&GIVEN);
    if given.is_empty() || given.iter().any(|(_, secret)| !known.contains(secret)) {
        return Err("there are secrets that were not learnt");
    }
    Ok(())
}

/// Reads private keys from PEM text, as the only thing in it and among certificates.
fn use_keys() {
    for pem in [CLIENT, SERVER] {
        learn_key(pem);
    }
    let large = large_key();
    learn_key(&large);
    let refused = remembering(|| Credential::from_pem(SERVER, &large).is_err());
    assert!(refused, "it is no key");
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/countersign/src/fuzzing/server.pem"
    );
    let read = remembering(|| Credential::from_pem_files(file, file).is_ok());
    assert!(read, "the file is there");
}

/// A key that is none, but as long as a large one of RSA.
fn large_key() -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut pem = b"-----BEGIN RSA PRIVATE KEY-----\n".to_vec();
    for line in 1..40 {
        pem.extend(
            (0..64).map(|column| DIGITS[(line * line * 7 + column * line + column * column) % 64]),
        );
        pem.push(b'\n');
    }
    pem.extend(b"-----END RSA PRIVATE KEY-----\n");
    pem
}

/// Learns a private key, as text and as it is read.
fn learn_key(pem: &[u8]) {
    let key = PrivateKeyDer::from_pem_slice(pem).expect("it holds a key");
    let der = key.secret_der();
    learn("a private key", &der[der.len() - 20..]);
    let text = String::from_utf8_lossy(pem);
    let (_, body) = text
        .split_once("PRIVATE KEY-----\n")
        .expect("it holds a key");
    for line in body.lines().take_while(|line| !line.starts_with('-')) {
        learn("a private key in PEM", line.as_bytes());
    }
}

fn learn(what: &str, secret: &[u8]) {
    let is_secret = secret.len() >= SHORTEST
        && secret.iter().any(|byte| *byte != 0)
        && secret != b"countersign ticket key";
    if is_secret {
        add(&LEARNT, what, secret);
    }
}

type Secrets = Mutex<Vec<(String, Vec<u8>)>>;

fn add(secrets: &Secrets, what: &str, secret: &[u8]) {
    forgetfully(|| locked(secrets).push((what.to_owned(), secret.to_vec())));
}

fn locked(secrets: &Secrets) -> MutexGuard<'_, Vec<(String, Vec<u8>)>> {
    secrets.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where secrets are, or parts of them.
fn search() -> Vec<String> {
    let learnt = locked(&LEARNT);
    let mut parts: HashMap<&[u8], &str> = HashMap::new();
    for (what, secret) in &*learnt {
        for part in secret.chunks_exact(SHORTEST) {
            parts.insert(part, what);
        }
    }
    let mut places = Vec::new();
    for block in blocks() {
        for (at, bytes) in block.content.windows(SHORTEST).enumerate() {
            let Some(what) = parts.get(bytes) else {
                continue;
            };
            let state = if block.freed { "given back" } else { "in use" };
            let (size, number) = (block.content.len(), block.number);
            places.push(format!(
                "{what}: at {at} of {size} bytes, block {number}, {state}"
            ));
        }
    }
    places
}
