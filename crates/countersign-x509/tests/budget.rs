//! The work of a verification is counted and bounded, whatever a peer sends. What one unit of it costs is measured by
//! the bench `hostile`: no test looks at a clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must end")]

mod hostile_sets;
mod limbo_cases;

use std::io::Write as _;

use countersign_x509::{Budget, Effort, Profile, verify};

const PROFILES: [Profile; 2] = [Profile::OpenSsl, Profile::WebPki];

/// Signatures, comparisons and steps, in parts of a hundred of the budget.
fn percentages(effort: Effort) -> [u32; 3] {
    let budget = Budget::default();
    [
        (effort.signatures, budget.signatures),
        (
            effort.name_constraint_comparisons,
            budget.name_constraint_comparisons,
        ),
        (effort.steps, budget.steps),
    ]
    .map(|(spent, limit)| (spent * 100).div_ceil(limit))
}

fn most(one: [u32; 3], other: [u32; 3]) -> [u32; 3] {
    let mut both = one;
    for (larger, value) in both.iter_mut().zip(other) {
        *larger = value.max(*larger);
    }
    both
}

#[test]
fn no_set_takes_more_than_the_budget() {
    let mut largest = [0; 3];
    for set in hostile_sets::all() {
        let octets: usize = set.presented.iter().map(|der| der.len()).sum();
        assert!(octets <= hostile_sets::MESSAGE, "{}: {octets}", set.name);
        for profile in PROFILES {
            let report = verify(&set.presented, &set.trust, &set.under(profile));
            let spent = percentages(report.effort());
            assert!(
                spent.iter().all(|part| *part <= 100),
                "{} {spent:?}",
                set.name
            );
            largest = most(largest, spent);
        }
    }
    // Otherwise the sets would be harmless, and the limits would not be seen to hold.
    assert!(largest.iter().all(|part| *part > 90), "{largest:?}");
}

/// Whoever could be an issuer is looked at on every level, and once more to tell why he was passed over.
#[test]
fn everybody_who_could_be_an_issuer_counts_on_every_level() {
    use hostile_sets::{NAMESAKES, NAMESAKES_BESIDE_IT, NAMESAKES_ON_IT};
    let mut sets = hostile_sets::all().into_iter();
    let set = sets.find(|set| set.name == NAMESAKES).unwrap();
    let report = verify(&set.presented, &set.trust, &set.under(Profile::OpenSsl));
    assert_eq!(report.chain().len(), NAMESAKES_ON_IT + 1);
    let looks = u32::try_from(NAMESAKES_ON_IT * NAMESAKES_BESIDE_IT).unwrap();
    let steps = report.effort().steps;
    assert!(steps > looks, "{steps} of {looks}");
}

#[test]
fn it_is_the_budget_that_ends_the_work() {
    let set = hostile_sets::all().swap_remove(0);
    let mut parameters = set.under(Profile::WebPki);
    let bounded = verify(&set.presented, &set.trust, &parameters).effort();
    parameters.budget.signatures *= 10;
    parameters.budget.steps *= 10;
    let more = verify(&set.presented, &set.trust, &parameters).effort();
    assert!(more.steps > bounded.steps, "{more:?}, {bounded:?}");
}

#[test]
fn cases_of_limbo_take_less_than_the_budget() {
    let Some(cases) = limbo_cases::read("limbo budget") else {
        return;
    };
    let (mut accepted, mut pathological) = ([0; 3], [0; 3]);
    for case in &cases {
        let Some(trust) = case.trust() else {
            continue;
        };
        for profile in PROFILES {
            let report = verify(&case.presented(), &trust, &case.parameters(profile));
            let spent = percentages(report.effort());
            assert!(
                spent.iter().all(|part| *part <= 100),
                "{} {spent:?}",
                case.id()
            );
            if report.is_accepted() {
                accepted = most(accepted, spent);
            }
            if case.family() == "pathological" {
                pathological = most(pathological, spent);
            }
        }
    }
    let _ = writeln!(
        std::io::stdout(),
        "limbo budget: {} cases; pathological take at most {pathological:?} percent of the budget \
         (signatures, comparisons, steps), accepted ones {accepted:?}",
        cases.len(),
    );
    // What is good is found long before the budget runs out.
    assert!(accepted.iter().all(|part| *part <= 25), "{accepted:?}");
    assert!(pathological.iter().any(|part| *part > 0));
}
