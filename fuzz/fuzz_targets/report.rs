//! Any bytes as a report that was kept, about a chain of two. What can be read can be written, and then
//! reads as the same.

#![no_main]

use countersign_fuzz::Memory;
use countersign_x509::{CertificateDer, Decision, Report, TrustStore};
use libfuzzer_sys::fuzz_target;

const MEMORY: Memory = Memory {
    always: 64 * 1024,
    for_a_byte: 512,
};

fuzz_target!(|data: &[u8]| MEMORY.bounds(data, judge));

fn judge(data: &[u8]) {
    let presented = [vec![1, 2, 3], vec![4]].map(CertificateDer::from);
    let trust = TrustStore::empty();
    let Ok(report) = Report::decode(data, &presented, &trust) else {
        return;
    };
    let again = Report::decode(&report.encode(), &presented, &trust).expect("it was just written");
    assert_eq!(again.checks(), report.checks());
    assert!(again.chain().eq(report.chain()));
    assert_eq!(again.to_string(), report.to_string());
    assert!(!report.sentence().chars().any(char::is_control));
    let replayed = report.replay(|step| Decision::unless_failed(step));
    assert_eq!(replayed.accepted, report.is_accepted());
}
