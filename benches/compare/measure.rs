//! Takes turns and takes the time: the CPU time of this thread, which others on the machine
//! disturb less than the time on the wall.

use std::hint::black_box;

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::Outcome;
use crate::library::{BATCH, Library, RECORD, Transfer, ensure};

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// CPU time of each library in each round.
    pub(crate) milliseconds: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 41,
            milliseconds: 25,
        }
    }
}

/// The name of a library, and the nanoseconds it took in each round.
pub(crate) type Measured = (&'static str, Vec<f64>);

/// The CPU time of this thread in nanoseconds.
fn now() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    // Exact for a hundred days.
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "see above"
    )]
    let nanoseconds = (tv_sec * 1_000_000_000 + tv_nsec) as f64;
    nanoseconds
}

/// What reading the clock costs, to be taken off.
fn cost_of_clock() -> f64 {
    const READINGS: u32 = 10_000;
    let start = now();
    for _ in 0..READINGS {
        black_box(now());
    }
    (now() - start) / f64::from(READINGS)
}

/// Nanoseconds for a full handshake, client and server together.
pub(crate) fn handshakes(libraries: &[Box<dyn Library>], plan: Plan) -> Outcome<Vec<Measured>> {
    let mut measured = nothing_yet(libraries);
    // The first round is for warming up: caches, the allocator, and the first random number
    // of the process, which takes a hundred times as long as a handshake.
    for round in 0..=plan.rounds {
        for at in turns(libraries.len(), round) {
            let library = &libraries[at];
            let start = now();
            let end = start + f64::from(plan.milliseconds) * 1e6;
            let (mut done, mut time) = (0.0, start);
            while time < end {
                // So that the clock does not count much in what is compared.
                for _ in 0..4 {
                    library.handshake()?;
                }
                done += 4.0;
                time = now();
            }
            if round > 0 {
                measured[at].1.push((time - start) / done);
            }
        }
    }
    Ok(measured)
}

/// Nanoseconds for each byte that is sent, and for each that is received.
pub(crate) fn transfers(
    libraries: &[Box<dyn Library>],
    plan: Plan,
) -> Outcome<(Vec<Measured>, Vec<Measured>)> {
    let (mut sealing, mut opening) = (nothing_yet(libraries), nothing_yet(libraries));
    let mut transfers = libraries
        .iter()
        .map(|library| library.transfer())
        .collect::<Outcome<Vec<_>>>()?;
    let clock = cost_of_clock();
    for round in 0..=plan.rounds {
        for at in turns(libraries.len(), round) {
            let (sent, received) = transfer_for(transfers[at].as_mut(), plan, clock)?;
            if round > 0 {
                sealing[at].1.push(sent);
                opening[at].1.push(received);
            }
        }
    }
    Ok((sealing, opening))
}

fn transfer_for(transfer: &mut dyn Transfer, plan: Plan, clock: f64) -> Outcome<(f64, f64)> {
    let limit = f64::from(plan.milliseconds) * 1e6;
    let (mut sending, mut receiving, mut batches) = (0.0, 0.0, 0.0);
    while sending + receiving < limit {
        let start = now();
        transfer.send()?;
        let between = now();
        let bytes = transfer.receive()?;
        let end = now();
        ensure(bytes == BATCH * RECORD, "not all of the data has arrived")?;
        sending += between - start - clock;
        receiving += end - between - clock;
        batches += 1.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "a small constant"
    )]
    let bytes = batches * (BATCH * RECORD) as f64;
    Ok((sending / bytes, receiving / bytes))
}

fn nothing_yet(libraries: &[Box<dyn Library>]) -> Vec<Measured> {
    let names = libraries.iter().map(|library| library.name());
    names.map(|name| (name, Vec::new())).collect()
}

/// Whose turn it is when: each round begins with another.
fn turns(libraries: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..libraries).map(move |turn| (turn + round) % libraries)
}
