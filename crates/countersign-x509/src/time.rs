//! Times as certificates and CRLs state them (RFC 5280 §4.1.2.5).

use core::fmt;

use pki_types::UnixTime;

use crate::der::{Malformed, Reader, Result, tag};

/// A moment, to the second, as UTC.
///
/// ```
/// use countersign_x509::Time;
/// assert_eq!(Time::from_unix_seconds(0).to_string(), "1970-01-01 00:00:00 UTC");
/// assert!(Time::from_unix_seconds(-1) < Time::from_unix_seconds(0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    seconds: i64,
}

impl Time {
    /// The moment that many seconds after 1970-01-01 00:00:00 UTC.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self { seconds }
    }

    /// Seconds since 1970-01-01 00:00:00 UTC; negative before.
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Reads a `Time`: `UTCTime` or `GeneralizedTime`, in seconds and with `Z`.
    ///
    /// `GeneralizedTime` is also taken for years that `UTCTime` could express: real
    /// certificates have it, and OpenSSL takes it.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let element = reader.element()?;
        let digits = element.content.rest();
        let parsed = match element.tag {
            tag::UTC_TIME => utc_time(digits),
            tag::GENERALIZED_TIME => generalized_time(digits),
            _ => {
                return Err(crate::der::ParseError::new(
                    Malformed::UnexpectedTag,
                    element.at,
                ));
            }
        };
        parsed.ok_or(crate::der::ParseError::new(Malformed::BadTime, element.at))
    }

    /// Reads a `GeneralizedTime`, as invalidityDate is.
    pub(crate) fn read_generalized(reader: &mut Reader<'_>) -> Result<Self> {
        let content = reader.expect(tag::GENERALIZED_TIME)?;
        generalized_time(content.rest()).ok_or(content.fault(Malformed::BadTime))
    }
}

impl From<UnixTime> for Time {
    fn from(time: UnixTime) -> Self {
        Self {
            seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        }
    }
}

/// RFC 5280 §4.1.2.5.1: YYMMDDHHMMSSZ; YY from 50 up means 19YY.
fn utc_time(text: &[u8]) -> Option<Time> {
    let (year, rest) = text.split_first_chunk()?;
    let year = number(*year)?;
    let century = if year >= 50 { 1900 } else { 2000 };
    within_year(year.wrapping_add(century), rest)
}

/// RFC 5280 §4.1.2.5.2: YYYYMMDDHHMMSSZ, no fractional seconds.
fn generalized_time(text: &[u8]) -> Option<Time> {
    let (century, rest) = text.split_first_chunk()?;
    let (year, rest) = rest.split_first_chunk()?;
    let years = number(*century)?.wrapping_mul(100);
    within_year(years.wrapping_add(number(*year)?), rest)
}

/// The year has four digits at most, so none of the numbers below overflows.
fn within_year(year: u32, text: &[u8]) -> Option<Time> {
    let ([month, day, hour, minute, second], b"Z") = text.as_chunks() else {
        return None;
    };
    let (month, day) = (number(*month)?, number(*day)?);
    let (hour, minute, second) = (number(*hour)?, number(*minute)?, number(*second)?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let minutes = hour.wrapping_mul(60).wrapping_add(minute);
    let second_of_day = minutes.wrapping_mul(60).wrapping_add(second);
    let seconds = days_since_1970(year, month, day)
        .wrapping_mul(86_400)
        .wrapping_add(second_of_day.into());
    Some(Time { seconds })
}

/// Two digits.
fn number([tens, ones]: [u8; 2]) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    // 99 at most.
    (tens.max(ones) < 10).then(|| tens.wrapping_mul(10).wrapping_add(ones).into())
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar. Years start in March here, so that the
/// leap day is the last of its year and months follow one linear rule. They count from the one that
/// begins 400 years, a whole turn of the calendar, before year 0.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 {
        (year.wrapping_add(400), month.wrapping_sub(3))
    } else {
        (year.wrapping_add(399), month.wrapping_add(9))
    };
    let leap_days = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    let day_of_year = month.wrapping_mul(153).wrapping_add(2) / 5;
    let days = year
        .wrapping_mul(365)
        .wrapping_add(leap_days)
        .wrapping_add(day_of_year)
        .wrapping_add(day);
    // Day 0 of this count lies 400 years before 0000-02-29, and that 719,469 days before 1970-01-01.
    i64::from(days).wrapping_sub(146_097 + 719_469)
}

/// The inverse of [`days_since_1970`]: year, month, day.
fn date_of(days: i64) -> Option<(i64, i64, i64)> {
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = day_of_era
        .checked_sub(day_of_era / 1_460)?
        .checked_add(day_of_era / 36_524)?
        .checked_sub(day_of_era / 146_096)?
        / 365;
    let leap_days = (year_of_era / 4).checked_sub(year_of_era / 100)?;
    let before_year = year_of_era.checked_mul(365)?.checked_add(leap_days)?;
    let day_of_year = day_of_era.checked_sub(before_year)?;
    let month = day_of_year.checked_mul(5)?.checked_add(2)? / 153;
    let before_month = month.checked_mul(153)?.checked_add(2)? / 5;
    let day = day_of_year.checked_sub(before_month)?.checked_add(1)?;
    let year = era.checked_mul(400)?.checked_add(year_of_era)?;
    if month < 10 {
        Some((year, month.checked_add(3)?, day))
    } else {
        Some((year.checked_add(1)?, month.checked_sub(9)?, day))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((year, month, day)) = date_of(self.seconds.div_euclid(86_400)) else {
            return write!(f, "{} seconds after 1970", self.seconds);
        };
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::element;
    use proptest::prelude::*;

    fn read(tag: u8, text: &str) -> Option<i64> {
        Time::read(&mut Reader::new(&element(tag, &[text.as_bytes()])))
            .ok()
            .map(Time::unix_seconds)
    }

    #[test]
    fn reads_both_forms() {
        assert_eq!(read(tag::UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(tag::UTC_TIME, "691231235959Z"), Some(-1));
        assert_eq!(read(tag::UTC_TIME, "500101000000Z"), Some(-631_152_000));
        assert_eq!(read(tag::UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(read(tag::UTC_TIME, "000229120000Z"), Some(951_825_600));
        assert_eq!(
            read(tag::GENERALIZED_TIME, "20500101000000Z"),
            Some(2_524_608_000)
        );
        assert_eq!(
            read(tag::GENERALIZED_TIME, "99991231235959Z"),
            Some(253_402_300_799)
        );
        assert_eq!(
            read(tag::GENERALIZED_TIME, "00000101000000Z"),
            Some(-62_167_219_200)
        );
        assert_eq!(
            read(tag::GENERALIZED_TIME, "20261123130000Z"),
            Some(1_795_438_800)
        );
    }

    #[test]
    fn refuses_every_other_form() {
        for text in [
            "",
            "Z",
            "7001010000Z",
            "700101000000",
            "700101000000+0000",
            "7001010000000Z",
            "700001000000Z",
            "701301000000Z",
            "700132000000Z",
            "700100000000Z",
            "700229000000Z",
            "700101240000Z",
            "700101006000Z",
            "700101000060Z",
            "70010100000 Z",
            "700101000000z",
            "70010100000\u{660}Z",
            "-00101000000Z",
        ] {
            assert_eq!(read(tag::UTC_TIME, text), None, "{text}");
        }
        for text in [
            "20260101000000.5Z",
            "20260101000000",
            "19000229000000Z",
            "700101000000Z",
        ] {
            assert_eq!(read(tag::GENERALIZED_TIME, text), None, "{text}");
        }
        assert_eq!(read(tag::UTF8_STRING, "700101000000Z"), None);
    }

    #[test]
    fn a_time_of_the_system_keeps_its_seconds() {
        let time = UnixTime::since_unix_epoch(core::time::Duration::from_secs(1_795_438_800));
        assert_eq!(Time::from(time).to_string(), "2026-11-23 13:00:00 UTC");
        let beyond = UnixTime::since_unix_epoch(core::time::Duration::from_secs(u64::MAX));
        assert_eq!(Time::from(beyond).unix_seconds(), i64::MAX);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut next = -719_528;
        for year in 0..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(
                        days_since_1970(year, month, day),
                        next,
                        "{year}-{month}-{day}"
                    );
                    next += 1;
                }
            }
        }
        assert_eq!(next, 2_932_897);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(seconds in -62_167_219_200i64..=253_402_300_799) {
            let digits: String = Time::from_unix_seconds(seconds)
                .to_string().chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(read(tag::GENERALIZED_TIME, &(digits + "Z")), Some(seconds));
        }

        #[test]
        fn any_moment_can_be_shown(seconds in any::<i64>()) {
            prop_assert!(!Time::from_unix_seconds(seconds).to_string().is_empty());
        }
    }
}
