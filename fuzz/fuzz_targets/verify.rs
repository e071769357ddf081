//! Any bytes as certificates, revocation lists, OCSP responses, a trust store and the parameters of
//! a verification. Every replay of a report ends as OpenSSL's would: accepted exactly if nothing
//! failed.
//!
//! The input: two bytes that choose the parameters, then pieces, each with a byte for its kind and
//! two for its length in front.

#![no_main]

use std::time::Duration;

use countersign_fuzz::Memory;
use countersign_x509::{
    CertificateDer, Decision, ExpectedName, Parameters, PolicyRequirements, Presented, Profile,
    Purpose, Report, Revocation, Stapling, TrustStore, UnixTime, ValidationTime, verify_presented,
};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Input {
    presented: Vec<CertificateDer<'static>>,
    trusted: Vec<CertificateDer<'static>>,
    lists: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
}

fn pieces(mut data: &[u8]) -> Input {
    let mut input = Input::default();
    while let Some(([kind, high, low], rest)) = data.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        match kind % 4 {
            0 => input.presented.push(piece.to_vec().into()),
            1 => input.trusted.push(piece.to_vec().into()),
            2 => input.lists.push(piece.to_vec()),
            _ => input.responses.push(piece.to_vec()),
        }
        data = rest;
    }
    input
}

fn trust(input: &mut Input) -> TrustStore {
    let readable = |der: &CertificateDer<'_>| TrustStore::from_der([der.clone()]).is_ok();
    input.trusted.retain(readable);
    let store = TrustStore::from_der(input.trusted.drain(..)).expect("each was readable");
    for list in input.lists.drain(..) {
        let _unreadable = store.clone().with_crls([list.into()]);
    }
    store
}

fn parameters(choice: u8, more: u8) -> Parameters {
    let seconds = if more & 1 == 0 {
        1_780_272_000
    } else {
        1_302_825_600
    };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let purpose = if more & 2 == 0 {
        Purpose::ServerAuth
    } else {
        Purpose::Any
    };
    let mut parameters = Parameters::new(purpose, ValidationTime::At(time));
    parameters.profile = if choice & 1 == 0 {
        Profile::OpenSsl
    } else {
        Profile::WebPki
    };
    parameters.strict = choice & 2 != 0;
    parameters.partial_chain = choice & 4 != 0;
    parameters.revocation = if choice & 8 == 0 {
        Revocation::None
    } else {
        Revocation::Chain
    };
    parameters.security_level = (choice >> 4) % 6;
    parameters.extended_crls = more & 4 != 0;
    parameters.stapling = if more & 8 == 0 {
        Stapling::Ignored
    } else {
        Stapling::IfPresented
    };
    if more & 16 != 0 {
        parameters.policies = Some(PolicyRequirements::default());
    }
    if more & 32 != 0 {
        parameters.names = [
            ExpectedName::host("db.example"),
            ExpectedName::host("192.0.2.1"),
            ExpectedName::Email("a@db.example".to_owned()),
            ExpectedName::Uri("spiffe://db.example/a".to_owned()),
        ]
        .into();
    }
    parameters
}

const MEMORY: Memory = Memory {
    always: 1024 * 1024,
    for_a_byte: 64,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, judge));

fn judge(data: &[u8]) {
    let Some(([choice, more], rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let mut input = pieces(rest);
    let trust = trust(&mut input);
    let parameters = parameters(*choice, *more);
    let responses: Vec<&[u8]> = input.responses.iter().map(Vec::as_slice).collect();
    let presented = Presented::new(&input.presented).with_ocsp_responses(&responses);

    let report = verify_presented(presented, &trust, &parameters);
    let replayed = report.replay(|step| Decision::unless_failed(step));
    assert_eq!(replayed.accepted, report.is_accepted());
    assert_eq!(replayed.code, report.code());
    let mut calls = 0u32;
    let _ = report.replay(|_| {
        calls += 1;
        Decision::Continue
    });
    assert!(calls < 100_000);
    let (effort, budget) = (report.effort(), parameters.budget);
    assert!(effort.signatures <= budget.signatures && effort.steps <= budget.steps);
    assert!(effort.name_constraint_comparisons <= budget.name_constraint_comparisons);
    assert!(!report.sentence().chars().any(char::is_control));
    // All that can be said of it, with the other paths and the other profile.
    assert!(!report.to_string().is_empty());
    assert!(report.paths_not_chosen().len() <= 16);
    let kept = report.encode();
    let again = Report::decode(&kept, &input.presented, &trust).expect("it was just written");
    assert_eq!(again.checks(), report.checks());
    assert!(again.chain().eq(report.chain()));
}
