//! The dates of a certificate (RFC 5280 §4.1.2.5).

use crate::certificate::Certificate;
use crate::parameters::{Profile, ValidationTime};
use crate::reason::{Reason, Skip};
use crate::report::Outcome;
use crate::time::Time;

/// Has validity begun? The first second belongs to it.
pub(crate) fn not_before(certificate: &Certificate<'_>, time: ValidationTime) -> Outcome {
    let ValidationTime::At(now) = time else {
        return Outcome::Skipped(Skip::TimeUnchecked);
    };
    let from = certificate.not_before();
    if from <= Time::from(now) {
        Outcome::Passed
    } else {
        Outcome::Failed(Reason::NotYetValid { from })
    }
}

/// Has validity not ended?
///
/// RFC 5280 §4.1.2.5: the period runs through notAfter, inclusive. OpenSSL 3 takes that last
/// second for expired, and so does its profile here.
pub(crate) fn not_after(
    certificate: &Certificate<'_>,
    time: ValidationTime,
    profile: Profile,
) -> Outcome {
    let ValidationTime::At(now) = time else {
        return Outcome::Skipped(Skip::TimeUnchecked);
    };
    let now = Time::from(now);
    let since = certificate.not_after();
    let expired = match profile {
        Profile::OpenSsl => since <= now,
        Profile::WebPki => since < now,
    };
    if expired {
        Outcome::Failed(Reason::Expired { since })
    } else {
        Outcome::Passed
    }
}

/// Is the certificate within its dates? Building a chain prefers such a one.
pub(crate) fn is_current(
    certificate: &Certificate<'_>,
    time: ValidationTime,
    profile: Profile,
) -> bool {
    let failed = |outcome| matches!(outcome, Outcome::Failed(_));
    !failed(not_before(certificate, time)) && !failed(not_after(certificate, time, profile))
}
