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
    let mut dice = Dice::new();
    for round in 0..=plan.rounds {
        for at in turns(libraries.len(), &mut dice) {
            let library = &libraries[at];
            // The first one finds the caches full of what others left there.
            library.handshake()?;
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
    let mut dice = Dice::new();
    for round in 0..=plan.rounds {
        for at in turns(libraries.len(), &mut dice) {
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
    // The first batch finds the caches full of what others left there.
    transfer.send()?;
    transfer.receive()?;
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

/// Whose turn it is when, in another order each round: always to follow the same library, and
/// find the caches as that one leaves them, would be an advantage or the opposite.
fn turns(libraries: usize, dice: &mut Dice) -> Vec<usize> {
    let mut order: Vec<_> = (0..libraries).collect();
    for last in (1..libraries).rev() {
        order.swap(last, dice.below(last + 1));
    }
    order
}

/// Numbers that look random and are the same each time (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}
