//! Who is blamed for what, and what was blamed so far.

use core::cell::RefCell;
use std::collections::HashSet;

use ::countersign::{Error, Violation};
use countersign_tests::wrong_peer::Outcome;

thread_local! {
    static BLAMED: RefCell<HashSet<Violation>> = RefCell::default();
}

/// Checks that the peer is blamed for exactly this, and takes note of it.
pub(crate) fn assert_violation(error: Option<&Error>, expected: Violation, what: &str) {
    let blamed = match error {
        Some(Error::PeerViolated { violation, .. }) => Some(*violation),
        _ => None,
    };
    assert_eq!(blamed, Some(expected), "{what}: {error:?}");
    BLAMED.with_borrow_mut(|all| all.insert(expected));
}

/// Checks that the victim blames the peer for exactly this in the handshake.
pub(crate) fn assert_blamed(outcome: &Outcome, violation: Violation, what: &str) {
    assert_violation(outcome.error.as_ref(), violation, what);
    let complaint = outcome.complaint(violation.alert().code());
    assert_eq!(complaint, None, "{what}");
}

/// Whether somebody was blamed for it in this thread, which is that of one test.
pub(crate) fn was_blamed(violation: Violation) -> bool {
    BLAMED.with_borrow(|all| all.contains(&violation))
}
