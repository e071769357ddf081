//! Medians, intervals, and how they are printed.

use crate::measuring::clock::{Dice, Measured};

/// How often the rounds are drawn anew for an interval.
const DRAWS: usize = 2_000;

/// Prints what one operation takes and how many there are in a second, of CPU time.
pub(crate) fn print_operations(case: &str, measured: &[Measured]) {
    print(case, "us each", "each/s", measured, |nanoseconds| {
        (nanoseconds / 1e3, 1e9 / nanoseconds)
    });
}

/// Prints a table. `show` turns nanoseconds into what stands under the two headings.
pub(crate) fn print(
    case: &str,
    time: &str,
    rate: &str,
    measured: &[Measured],
    show: impl Fn(f64) -> (f64, f64),
) {
    let Some((baseline, reference)) = measured.first() else {
        return;
    };
    println!("\n{case}");
    println!(
        "  {:<26} {time:>10} {rate:>10}  speed of {baseline} = 1",
        "library"
    );
    for (name, rounds) in measured {
        let (each, per_second) = show(median(rounds.clone()));
        let ratios: Vec<_> = reference.iter().zip(rounds).map(|(a, b)| a / b).collect();
        let (low, high) = interval(&ratios);
        println!(
            "  {name:<26} {each:>10.3} {per_second:>10.2}  {:.3} ({low:.3} to {high:.3})",
            median(ratios),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (below, above) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    f64::midpoint(values[below], values[above])
}

/// The middle 95% of the medians of rounds drawn with replacement (bootstrap).
fn interval(values: &[f64]) -> (f64, f64) {
    let mut dice = Dice::new();
    let mut medians: Vec<_> = (0..DRAWS)
        .map(|_| {
            median(
                values
                    .iter()
                    .map(|_| values[dice.below(values.len())])
                    .collect(),
            )
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    (medians[DRAWS / 40], medians[DRAWS - 1 - DRAWS / 40])
}
