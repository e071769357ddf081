//! Speed of countersign-x509 beside that of other path validators.
//!
//! `benches/README.md` says how to run it and how to read what it prints.

#![allow(
    clippy::indexing_slicing,
    reason = "there is no input here that nobody here has made; a bench that panics has failed"
)]

mod certificates;
mod countersign_way;
#[path = "../measuring/mod.rs"]
mod measuring;
#[cfg(feature = "openssl")]
mod openssl_way;
mod webpki_way;

use std::rc::Rc;

use certificates::{Chain, Kind};
use countersign_way::Countersign;
use measuring::arguments::Arguments;
use measuring::clock::operations;
use measuring::table::print_operations;
use measuring::{Operation, Outcome};
use webpki_way::WebPki;

fn main() -> Outcome<()> {
    let arguments = Arguments::parse()?;
    let cases = [("ecdsa-p256", Kind::EcdsaP256), ("rsa-2048", Kind::Rsa2048)];
    for (keys, kind) in cases {
        let (verify, parse) = (format!("verify-{keys}"), format!("parse-{keys}"));
        if !arguments.wants(&verify) && !arguments.wants(&parse) {
            continue;
        }
        let chain = Rc::new(Chain::new(kind)?);
        for (case, all) in [(verify, verifications(&chain)?), (parse, readings(&chain))] {
            if arguments.wants(&case) {
                let chosen = arguments.choose(all, |one| one.name());
                print_operations(&case, &operations(&chosen, arguments.plan)?);
            }
        }
    }
    Ok(())
}

/// From the bytes of leaf and intermediate to the verdict, for a name, a purpose and a time.
fn verifications(chain: &Rc<Chain>) -> Outcome<Vec<Box<dyn Operation>>> {
    let mut all: Vec<Box<dyn Operation>> = vec![
        Box::new(WebPki::new("rustls-webpki", chain)?),
        Box::new(WebPki::new("rustls-webpki-again", chain)?),
    ];
    for setting in countersign_way::SETTINGS {
        all.push(Box::new(Countersign::new(*setting, chain)?));
    }
    #[cfg(feature = "openssl")]
    all.push(Box::new(openssl_way::Verify::new(chain)?));
    Ok(all)
}

/// Reading leaf and intermediate, and nothing else.
fn readings(chain: &Rc<Chain>) -> Vec<Box<dyn Operation>> {
    vec![
        Box::new(webpki_way::Parse::new("rustls-webpki", chain)),
        Box::new(webpki_way::Parse::new("rustls-webpki-again", chain)),
        Box::new(countersign_way::Parse::new(chain)),
        #[cfg(feature = "openssl")]
        Box::new(openssl_way::Parse::new(chain)),
    ]
}
