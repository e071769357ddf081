//! A report in few octets, to be kept with a session.
//!
//! ```text
//! version, flags, [time], chain, checks, [matched name], [expected name]
//!
//! chain:  length, then for each certificate its place among those presented, or its position in the
//!         trust store and the beginning of its hash
//! checks: number, then for each an octet of kind and outcome, its depth if that is another than before,
//!         and why it failed or was skipped
//! ```
//!
//! Numbers are variable in length ([`octets`]). Certificates are not repeated: whoever keeps a session
//! keeps those of the peer anyway, and those of the trust store are named by their hash.

use core::fmt;

use pki_types::{CertificateDer, UnixTime};

use crate::checks::signature::sha256;
use crate::escape::deceives;
use crate::parameters::{Profile, Purpose, ValidationTime};
use crate::path::Source;
use crate::report::{Certificates, Check, Facts, Outcome, Report};
use crate::store::{NO_LONGER_STORED, Set, TrustStore};

mod numbers;
mod octets;
mod reason;

use numbers::Numbered;
use octets::{Reader, Writer};

/// Rises whenever octets mean something else than before.
const VERSION: u8 = 1;

const OPENSSL: u8 = 0b0000_0100;
const ANCHORED: u8 = 0b0000_1000;
const TIMED: u8 = 0b0001_0000;
const MATCHED: u8 = 0b0010_0000;
const EXPECTED: u8 = 0b0100_0000;
const PURPOSE: u8 = 0b0000_0011;

/// The octet of a check: its kind, and what follows.
const KIND: u8 = 0b0001_1111;
const FAILED: u8 = 0b0010_0000;
const SKIPPED: u8 = 0b0100_0000;
const OTHER_DEPTH: u8 = 0b1000_0000;

/// How much of a hash names a certificate of the trust store. Nothing is trusted because of it.
type Fingerprint = [u8; 16];

/// Octets that are no report, or one of another version, or one about other certificates; from
/// [`Report::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableReport;

impl fmt::Display for UnreadableReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The octets are no report on these certificates. Verify them anew.")
    }
}

impl core::error::Error for UnreadableReport {}

impl Report {
    /// The report in few octets, about 100 for a good chain: for a session, or wherever a report is
    /// to outlast the process.
    ///
    /// The certificates are not in it, and neither are the [paths not chosen](Self::paths_not_chosen) and what
    /// is needed to ask [the other profile](Self::under_other_profile). The octets are neither secret nor
    /// protected: whoever can change them decides what is read from them.
    ///
    /// ```
    /// use countersign_x509::*;
    /// # let made = rcgen::generate_simple_self_signed(["db.example".to_owned()])?;
    /// # let presented = [made.cert.der().clone()];
    /// # let trust = TrustStore::from_der(presented.clone())?;
    /// # let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked);
    /// let report = verify(&presented, &trust, &parameters);
    /// let octets = report.encode();
    /// let again = Report::decode(&octets, &presented, &trust)?;
    /// assert_eq!(again.checks(), report.checks());
    /// assert!(again.chain().eq(report.chain()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let facts = self.facts();
        let mut writer = Writer::default();
        writer.octet(VERSION);
        writer.octet(flags(facts));
        if let ValidationTime::At(time) = facts.time {
            writer.number(time.as_secs());
        }
        writer.length(facts.chain.len());
        for source in &facts.chain {
            write_source(&mut writer, *source, &facts.store);
        }
        writer.length(facts.checks.len());
        let mut depth = 0;
        for check in &facts.checks {
            write_check(&mut writer, check, depth);
            depth = check.depth;
        }
        for name in [&facts.matched_name, &facts.expected].into_iter().flatten() {
            writer.text(name);
        }
        writer.into_octets()
    }

    /// Reads what [`encode`](Self::encode) wrote. `presented` are the certificates that the report is about,
    /// in the same order, and `trust` is the store that it was made with; of certificates that are no longer
    /// there the [chain](Self::chain) has no octets.
    pub fn decode(
        octets: &[u8],
        presented: &[CertificateDer<'_>],
        trust: &TrustStore,
    ) -> Result<Self, UnreadableReport> {
        let mut reader = Reader::new(octets);
        if reader.octet()? != VERSION {
            return Err(UnreadableReport);
        }
        let flags = reader.octet()?;
        let has = |flag: u8| flags & flag != 0;
        let purpose = Purpose::from_number(flags & PURPOSE)?;
        let profile = if has(OPENSSL) {
            Profile::OpenSsl
        } else {
            Profile::WebPki
        };
        let time = if has(TIMED) {
            let seconds = core::time::Duration::from_secs(reader.number()?);
            ValidationTime::At(UnixTime::since_unix_epoch(seconds))
        } else {
            ValidationTime::Unchecked
        };
        let store = trust.content();
        let facts = Facts {
            chain: read_chain(&mut reader, presented.len(), &store)?,
            checks: read_checks(&mut reader)?,
            matched_name: has(MATCHED).then(|| reader.text()).transpose()?,
            expected: has(EXPECTED).then(|| shown_text(&mut reader)).transpose()?,
            presented: Certificates::copy(presented),
            anchored: has(ANCHORED),
            store,
            ..Facts::new(purpose, profile, time)
        };
        reader.finish()?;
        Ok(Self::new(facts))
    }
}

/// Text that goes into sentences as it is: it was escaped when it was written, so nothing in it deceives.
fn shown_text(reader: &mut Reader<'_>) -> Result<Box<str>, UnreadableReport> {
    let text = reader.text()?;
    if text.chars().any(deceives) {
        return Err(UnreadableReport);
    }
    Ok(text)
}

fn flags(facts: &Facts) -> u8 {
    let when = |condition: bool, flag: u8| if condition { flag } else { 0 };
    facts.purpose.number()
        | when(facts.profile == Profile::OpenSsl, OPENSSL)
        | when(facts.anchored, ANCHORED)
        | when(matches!(facts.time, ValidationTime::At(_)), TIMED)
        | when(facts.matched_name.is_some(), MATCHED)
        | when(facts.expected.is_some(), EXPECTED)
}

/// The lowest bit tells certificates of the store from those that were presented.
fn write_source(writer: &mut Writer, source: Source, store: &Set) {
    let twice = |place: usize| u64::try_from(place).unwrap_or(u64::MAX).wrapping_mul(2);
    match source {
        Source::Presented(index) => writer.number(twice(index)),
        Source::Stored(position) => {
            writer.number(twice(position) | 1);
            writer.octets(&fingerprint(store.certificate(position)));
        }
    }
}

fn read_chain(
    reader: &mut Reader<'_>,
    presented: usize,
    store: &Set,
) -> Result<Vec<Source>, UnreadableReport> {
    let mut chain = Vec::new();
    for _ in 0..reader.length()? {
        let number = reader.number()?;
        let place = usize::try_from(number / 2).map_err(|_| UnreadableReport)?;
        chain.push(if number & 1 == 1 {
            Source::Stored(find(store, place, reader.array()?))
        } else if place < presented {
            Source::Presented(place)
        } else {
            return Err(UnreadableReport);
        });
    }
    Ok(chain)
}

/// Where a certificate is now: usually where it was.
fn find(store: &Set, place: usize, wanted: &Fingerprint) -> usize {
    let is_wanted = |place: &usize| fingerprint(store.certificate(*place)) == *wanted;
    let elsewhere = || (0..store.len()).find(is_wanted);
    Some(place)
        .filter(is_wanted)
        .or_else(elsewhere)
        .unwrap_or(NO_LONGER_STORED)
}

fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let hash = sha256(&[certificate]);
    hash.first_chunk().copied().unwrap_or_default()
}

fn write_check(writer: &mut Writer, check: &Check, depth: u32) {
    let outcome = match check.outcome {
        Outcome::Passed => 0,
        Outcome::Failed(_) => FAILED,
        Outcome::Skipped(_) => SKIPPED,
    };
    let other = check.depth != depth;
    writer.octet(check.kind.number() | outcome | if other { OTHER_DEPTH } else { 0 });
    if other {
        writer.number(check.depth.into());
    }
    match check.outcome {
        Outcome::Passed => {}
        Outcome::Failed(reason) => reason::write(writer, reason),
        Outcome::Skipped(why) => writer.octet(why.number()),
    }
}

fn read_checks(reader: &mut Reader<'_>) -> Result<Vec<Check>, UnreadableReport> {
    let number = reader.length()?;
    let mut checks = Vec::with_capacity(number);
    let mut depth = 0;
    for _ in 0..number {
        let octet = reader.octet()?;
        let kind = Numbered::from_number(octet & KIND)?;
        if octet & OTHER_DEPTH != 0 {
            depth = reader.number32()?;
        }
        let outcome = match octet & (FAILED | SKIPPED) {
            0 => Outcome::Passed,
            FAILED => Outcome::Failed(reason::read(reader)?),
            SKIPPED => Outcome::Skipped(Numbered::from_number(reader.octet()?)?),
            _ => return Err(UnreadableReport),
        };
        checks.push(Check::new(depth, kind, outcome));
    }
    Ok(checks)
}
