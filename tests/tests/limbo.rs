//! The cases of x509-limbo, judged under the rules of OpenSSL by this library and by OpenSSL itself, in
//! process: verdict and code must be the same.

#![allow(
    clippy::unwrap_used,
    reason = "a case that cannot be read must end the test"
)]

#[path = "../../crates/countersign-x509/tests/limbo_cases/mod.rs"]
mod limbo_cases;

use std::io::Write as _;

use countersign_tests::folder::TemporaryFolder;
use countersign_x509::{ExpectedName, Parameters, Profile, Purpose, Revocation, verify};
use limbo_cases::Case;
use openssl::error::ErrorStack;
use openssl::ssl::SslFiletype;
use openssl::stack::Stack;
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509PurposeId, X509StoreContext};

/// Cases that differ, and why.
const LISTED: &[(&str, &str)] = &[
    (
        "webpki::forbidden-dsa-root",
        "the cryptographic library has no DSA; what it cannot verify cannot be trusted",
    ),
    (
        "webpki::malformed-aia",
        "RFC 5280 §4.2.2.1: an extension that is not well-formed makes a certificate unreadable (20); OpenSSL \
         does not look at this one",
    ),
    (
        "webpki::san::unicode-emoji-san",
        "RFC 5280 §4.2.1.6: dNSName is an IA5String, so the certificate is unreadable (20); OpenSSL compares \
         the name, and refuses it for that (62)",
    ),
];

/// What is asked besides what a case says.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Plain,
    PartialChain,
    StrictPartialChain,
}

impl Mode {
    /// The cases of `BetterTLS` are thousands, and about names and the building of paths: one mode is enough.
    fn of(case: &Case) -> &'static [Self] {
        if case.family() == "bettertls" {
            &[Self::Plain]
        } else {
            &[Self::Plain, Self::PartialChain, Self::StrictPartialChain]
        }
    }
}

#[test]
fn verdict_and_code_are_those_of_openssl() {
    let Some(cases) = limbo_cases::read("limbo openssl") else {
        return;
    };
    let folder = TemporaryFolder::new();
    let (mut compared, mut listed, mut different) = (0, Vec::new(), Vec::new());
    for case in &cases {
        for mode in Mode::of(case) {
            let (ours, theirs) = (ours(case, *mode), theirs(case, *mode, &folder));
            compared += 1;
            if ours == theirs {
                continue;
            }
            if LISTED.iter().any(|(id, _)| *id == case.id()) {
                listed.push(case.id());
            } else {
                let id = case.id();
                different.push(format!("{id} {mode:?}: ours {ours:?}, theirs {theirs:?}"));
            }
        }
    }
    listed.dedup();
    let _ = writeln!(
        std::io::stdout(),
        "limbo openssl: {} cases, {compared} comparisons, different {}, listed {}",
        cases.len(),
        different.len(),
        listed.len(),
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(listed.len(), LISTED.len(), "one need not be listed");
}

fn parameters(case: &Case, mode: Mode) -> Parameters {
    let parameters = case.parameters(Profile::OpenSsl);
    match mode {
        Mode::Plain => parameters,
        Mode::PartialChain => parameters.with_partial_chain(true),
        Mode::StrictPartialChain => parameters.with_partial_chain(true).with_strict(true),
    }
}

fn ours(case: &Case, mode: Mode) -> Option<u32> {
    let report = verify(&case.presented(), &case.trust()?, &parameters(case, mode));
    Some(report.code().number())
}

/// `None` if OpenSSL cannot read the certificates or lists.
fn theirs(case: &Case, mode: Mode, folder: &TemporaryFolder) -> Option<u32> {
    let parameters = parameters(case, mode);
    let mut presented = Vec::new();
    for der in case.presented() {
        presented.push(X509::from_der(&der).ok()?);
    }
    let mut store = X509StoreBuilder::new().unwrap();
    for der in case.trusted() {
        store.add_cert(X509::from_der(&der).ok()?).ok()?;
    }
    if !case.lists().is_empty() {
        let file = folder.put("lists.pem", &case.lists().join("\n"));
        let lookup = store.add_lookup(X509Lookup::file()).unwrap();
        lookup.load_crl_file(&file, SslFiletype::PEM).ok()?;
    }
    store
        .set_param(&openssl_parameters(&parameters, case.seconds()).unwrap())
        .unwrap();
    let mut others = Stack::new().unwrap();
    for certificate in presented.iter().skip(1) {
        others.push(certificate.clone()).unwrap();
    }
    let mut context = X509StoreContext::new().unwrap();
    let code = context.init(&store.build(), presented.first()?, &others, |context| {
        context.verify_cert()?;
        Ok(context.error().as_raw())
    });
    u32::try_from(code.unwrap()).ok()
}

fn openssl_parameters(
    parameters: &Parameters,
    seconds: u64,
) -> Result<X509VerifyParam, ErrorStack> {
    let mut wanted = X509VerifyParam::new()?;
    let mut flags = X509VerifyFlags::empty();
    if parameters.partial_chain {
        flags |= X509VerifyFlags::PARTIAL_CHAIN;
    }
    if parameters.strict {
        flags |= X509VerifyFlags::X509_STRICT;
    }
    if parameters.revocation == Revocation::Chain {
        flags |= X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL;
    }
    wanted.set_flags(flags)?;
    wanted.set_purpose(match parameters.purpose {
        Purpose::ServerAuth => X509PurposeId::SSL_SERVER,
        _ => X509PurposeId::SSL_CLIENT,
    })?;
    wanted.set_auth_level(i32::from(parameters.security_level));
    wanted.set_time(i64::try_from(seconds).unwrap());
    if let Some(depth) = parameters.depth {
        wanted.set_depth(i32::try_from(depth).unwrap());
    }
    for name in parameters.names.iter() {
        match name {
            ExpectedName::Dns(name) => wanted.set_host(name)?,
            ExpectedName::Email(name) => wanted.set_email(name)?,
            ExpectedName::Ip(address) => wanted.set_ip(*address)?,
            _ => panic!("OpenSSL expects no such name: {name:?}"),
        }
    }
    Ok(wanted)
}
