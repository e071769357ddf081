//! How long verification takes at worst: the CPU time of verifying sets that are made to keep a verifier busy.

#![allow(
    clippy::expect_used,
    reason = "a set that cannot be made must end the bench"
)]

#[path = "../../crates/countersign-x509/tests/hostile_sets/mod.rs"]
mod hostile_sets;

use std::hint::black_box;

use countersign_x509::{Profile, Report, verify};
use hostile_sets::Hostile;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The median of so many is told.
const ROUNDS: usize = 11;

fn main() {
    let mut worst: Option<(i64, &str)> = None;
    let sets = hostile_sets::all();
    for set in &sets {
        for profile in [Profile::OpenSsl, Profile::WebPki] {
            let (microseconds, report) = measure(set, profile);
            let (name, effort, code) = (set.name, report.effort(), report.code());
            println!("{microseconds:6} µs  {profile:?}  {name}: code {code}, {effort:?}");
            worst = worst.max(Some((microseconds, name)));
        }
    }
    let (microseconds, name) = worst.expect("there are sets");
    println!("at worst {microseconds} µs: {name}");
}

fn measure(set: &Hostile, profile: Profile) -> (i64, Report) {
    let parameters = set.under(profile);
    let mut times = Vec::new();
    let mut report = None;
    for _ in 0..ROUNDS {
        let start = now();
        report = Some(black_box(verify(&set.presented, &set.trust, &parameters)));
        times.push(now() - start);
    }
    times.sort_unstable();
    let median = times.get(ROUNDS / 2).expect("there were rounds");
    (*median, report.expect("there were rounds"))
}

/// The CPU time of this thread in microseconds.
fn now() -> i64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    tv_sec * 1_000_000 + tv_nsec / 1_000
}
