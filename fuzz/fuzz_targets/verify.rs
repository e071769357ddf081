//! Any bytes as a chain of certificates, a trust store and the parameters of a verification.
//! Every replay of a report ends as OpenSSL's would: accepted exactly if nothing failed.

#![no_main]

use std::time::Duration;

use countersign_x509::{
    CertificateDer, Decision, Parameters, Profile, Purpose, Revocation, TrustStore, UnixTime,
    ValidationTime, verify,
};
use libfuzzer_sys::fuzz_target;

/// Cuts `data` into pieces, each with a length of two bytes in front.
fn pieces(mut data: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece.to_vec().into());
        data = rest;
    }
    pieces
}

fuzz_target!(|data: &[u8]| {
    let Some(([choice, trusted], rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let mut presented = pieces(rest);
    let anchors = presented.split_off(usize::from(*trusted).min(presented.len()));
    let trust = TrustStore::empty();
    for anchor in anchors {
        if let Ok(store) = TrustStore::from_der([anchor]) {
            trust.replace(&store);
        }
    }
    let time = UnixTime::since_unix_epoch(Duration::from_secs(1_780_272_000));
    let mut parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(time));
    parameters.profile = if choice & 1 == 0 { Profile::OpenSsl } else { Profile::WebPki };
    parameters.strict = choice & 2 != 0;
    parameters.partial_chain = choice & 4 != 0;
    parameters.revocation = if choice & 8 == 0 { Revocation::None } else { Revocation::Chain };
    parameters.security_level = (choice >> 4) % 6;

    let report = verify(&presented, &trust, &parameters);
    let replayed = report.replay(|step| Decision::unless_failed(step));
    assert_eq!(replayed.accepted, report.is_accepted());
    assert_eq!(replayed.code, report.code());
    let mut calls = 0u32;
    let _ = report.replay(|_| {
        calls += 1;
        Decision::Continue
    });
    assert!(calls < 100_000);
    assert!(!report.sentence().chars().any(char::is_control));
    let _ = (report.advice(), report.drawing().to_string());
});
