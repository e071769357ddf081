//! `countersign verify`: is a chain good, and if not, what exactly is wrong with it?

use countersign_x509::{
    Parameters, Profile, Purpose, Report, Revocation, SubjectNames, UnixTime, ValidationTime,
};

use crate::arguments::{Owner, RevocationCheck, Rules, VerifyArguments};
use crate::failure::{Exit, Failure};
use crate::terminal;

mod document;
pub(crate) mod input;
mod text;

/// Verifies a chain and says what came of it.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    let chain = input::chain(arguments)?;
    let trust = input::trust(arguments)?;
    let profile = match arguments.profile {
        Some(Rules::OpenSsl) => Profile::OpenSsl,
        Some(Rules::WebPki) => Profile::WebPki,
        None => trust.default_profile(),
    };
    // The library has no clock; this is where the command reads it.
    let time = arguments.time.unwrap_or_else(UnixTime::now);
    let parameters = parameters(arguments, time).with_profile(profile);
    let presented: Vec<_> = chain.iter().map(|given| given.der.clone()).collect();
    let report = countersign_x509::verify(&presented, &trust, &parameters);
    let finding = Finding {
        remarks: input::remarks(&chain, &report),
        report,
        time,
    };
    let exit = if finding.report.is_accepted() {
        Exit::Success
    } else {
        Exit::Verification
    };
    if arguments.json {
        let document = document::Document::new(&finding, arguments, exit);
        let json = serde_json::to_string_pretty(&document);
        terminal::print(&json.map_err(|error| Failure::new(Exit::Other, error.to_string()))?)?;
    } else {
        terminal::print(text::text(&finding, arguments.all).trim_end())?;
    }
    Ok(exit)
}

/// Everything there is to say.
struct Finding {
    report: Report,
    remarks: Vec<input::Remark>,
    time: UnixTime,
}

fn parameters(arguments: &VerifyArguments, time: UnixTime) -> Parameters {
    let purpose = match arguments.purpose {
        Owner::Server => Purpose::ServerAuth,
        Owner::Client => Purpose::ClientAuth,
        Owner::Any => Purpose::Any,
    };
    let usual = if arguments.crl.is_empty() {
        RevocationCheck::None
    } else {
        RevocationCheck::Leaf
    };
    let revocation = match arguments.revocation.unwrap_or(usual) {
        RevocationCheck::None => Revocation::None,
        RevocationCheck::Leaf => Revocation::Leaf,
        RevocationCheck::Chain => Revocation::Chain,
    };
    let mut parameters = Parameters::new(purpose, ValidationTime::At(time))
        .with_revocation(revocation)
        .with_partial_chain(arguments.partial_chain)
        .with_strict(arguments.strict);
    if arguments.subject_names {
        parameters.subject_names = SubjectNames::Fallback;
    }
    parameters.depth = arguments.depth;
    parameters.names = arguments.name.as_slice().into();
    parameters
}

/// As `--profile` has it.
fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::OpenSsl => "openssl",
        _ => "web-pki",
    }
}

/// As `--purpose` has it.
fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ServerAuth => "server",
        Purpose::ClientAuth => "client",
        _ => "any",
    }
}

/// `accepted` or `refused`.
fn verdict(report: &Report) -> &'static str {
    if report.is_accepted() {
        "accepted"
    } else {
        "refused"
    }
}
