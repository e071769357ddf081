//! Why a check failed, as octets.

use super::UnreadableReport;
use super::numbers::Numbered;
use super::octets::{Reader, Writer};
use crate::code::VerifyCode;
use crate::der::ParseError;
use crate::reason::Reason;
use crate::time::Time;

/// Writes the number of the reason and what belongs to it.
pub(super) fn write(writer: &mut Writer, reason: Reason) {
    writer.octet(number(reason));
    match reason {
        Reason::Malformed(error) => {
            writer.octet(error.what.number());
            writer.number(error.at.into());
        }
        Reason::Application(code) | Reason::EarlierConnection(code) => {
            writer.number(code.number().into());
        }
        Reason::LeafKeyTooWeak { bits, required }
        | Reason::IssuerKeyTooWeak { bits, required }
        | Reason::SignatureTooWeak { bits, required } => {
            writer.number(bits.into());
            writer.number(required.into());
        }
        Reason::ChainTooLong { limit } => writer.number(limit.into()),
        Reason::PathTooLong { allowed, found } => {
            writer.number(allowed.into());
            writer.number(found.into());
        }
        Reason::Strict(rule) => writer.octet(rule.number()),
        Reason::WebPki(rule) => writer.octet(rule.number()),
        Reason::Revocation(failure) => writer.octet(failure.number()),
        Reason::Ocsp(failure) => writer.octet(failure.number()),
        Reason::Revoked { on, why } => {
            writer.signed(on.unix_seconds());
            writer.octet(why.map_or(0, |why| why.number().saturating_add(1)));
        }
        Reason::BadSignature(fault) => writer.octet(fault.number()),
        Reason::NotYetValid { from: time } | Reason::Expired { since: time } => {
            writer.signed(time.unix_seconds());
        }
        Reason::NameConstraint(failure) => writer.octet(failure.number()),
        Reason::Policy(failure) => writer.octet(failure.number()),
        Reason::NoCertificate
        | Reason::KeyUnreadable
        | Reason::SelfSignedLeaf
        | Reason::UntrustedRoot
        | Reason::IssuerMissing
        | Reason::StoredIssuerMissing
        | Reason::LeafSignatureUnverifiable
        | Reason::BudgetExhausted
        | Reason::UnknownCriticalExtension
        | Reason::ProxyCertificate
        | Reason::NotACa
        | Reason::ExplicitCurve
        | Reason::WrongPurpose
        | Reason::HostMismatch
        | Reason::EmailMismatch
        | Reason::IpMismatch
        | Reason::UriMismatch
        | Reason::IssuerMayNotSign
        | Reason::IssuerKeyUnreadable => {}
    }
}

/// A number never gets another meaning: new reasons get new numbers.
fn number(reason: Reason) -> u8 {
    match reason {
        Reason::Malformed(_) => 0,
        Reason::NoCertificate => 1,
        Reason::Application(_) => 2,
        Reason::EarlierConnection(_) => 3,
        Reason::LeafKeyTooWeak { .. } => 4,
        Reason::IssuerKeyTooWeak { .. } => 5,
        Reason::SignatureTooWeak { .. } => 6,
        Reason::KeyUnreadable => 7,
        Reason::ChainTooLong { .. } => 8,
        Reason::SelfSignedLeaf => 9,
        Reason::UntrustedRoot => 10,
        Reason::IssuerMissing => 11,
        Reason::StoredIssuerMissing => 12,
        Reason::LeafSignatureUnverifiable => 13,
        Reason::BudgetExhausted => 14,
        Reason::UnknownCriticalExtension => 15,
        Reason::ProxyCertificate => 16,
        Reason::NotACa => 17,
        Reason::ExplicitCurve => 18,
        Reason::Strict(_) => 19,
        Reason::WebPki(_) => 20,
        Reason::WrongPurpose => 21,
        Reason::PathTooLong { .. } => 22,
        Reason::HostMismatch => 23,
        Reason::EmailMismatch => 24,
        Reason::IpMismatch => 25,
        Reason::UriMismatch => 26,
        Reason::Revocation(_) => 27,
        Reason::Ocsp(_) => 28,
        Reason::Revoked { .. } => 29,
        Reason::IssuerMayNotSign => 30,
        Reason::IssuerKeyUnreadable => 31,
        Reason::BadSignature(_) => 32,
        Reason::NotYetValid { .. } => 33,
        Reason::Expired { .. } => 34,
        Reason::NameConstraint(_) => 35,
        Reason::Policy(_) => 36,
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Reason, UnreadableReport> {
    Ok(match reader.octet()? {
        0 => Reason::Malformed(ParseError {
            what: one_of(reader)?,
            at: reader.number32()?,
        }),
        1 => Reason::NoCertificate,
        2 => Reason::Application(VerifyCode::new(reader.number32()?)),
        3 => Reason::EarlierConnection(VerifyCode::new(reader.number32()?)),
        4 => Reason::LeafKeyTooWeak {
            bits: reader.number32()?,
            required: reader.number32()?,
        },
        5 => Reason::IssuerKeyTooWeak {
            bits: reader.number32()?,
            required: reader.number32()?,
        },
        6 => Reason::SignatureTooWeak {
            bits: reader.number32()?,
            required: reader.number32()?,
        },
        7 => Reason::KeyUnreadable,
        8 => Reason::ChainTooLong {
            limit: reader.number32()?,
        },
        9 => Reason::SelfSignedLeaf,
        10 => Reason::UntrustedRoot,
        11 => Reason::IssuerMissing,
        12 => Reason::StoredIssuerMissing,
        13 => Reason::LeafSignatureUnverifiable,
        14 => Reason::BudgetExhausted,
        15 => Reason::UnknownCriticalExtension,
        16 => Reason::ProxyCertificate,
        17 => Reason::NotACa,
        18 => Reason::ExplicitCurve,
        19 => Reason::Strict(one_of(reader)?),
        20 => Reason::WebPki(one_of(reader)?),
        21 => Reason::WrongPurpose,
        22 => Reason::PathTooLong {
            allowed: reader.number32()?,
            found: reader.number32()?,
        },
        number => read_further(number, reader)?,
    })
}

/// The second half of the table.
fn read_further(number: u8, reader: &mut Reader<'_>) -> Result<Reason, UnreadableReport> {
    Ok(match number {
        23 => Reason::HostMismatch,
        24 => Reason::EmailMismatch,
        25 => Reason::IpMismatch,
        26 => Reason::UriMismatch,
        27 => Reason::Revocation(one_of(reader)?),
        28 => Reason::Ocsp(one_of(reader)?),
        29 => Reason::Revoked {
            on: time(reader)?,
            why: match reader.octet()?.checked_sub(1) {
                None => None,
                Some(why) => Some(Numbered::from_number(why)?),
            },
        },
        30 => Reason::IssuerMayNotSign,
        31 => Reason::IssuerKeyUnreadable,
        32 => Reason::BadSignature(one_of(reader)?),
        33 => Reason::NotYetValid {
            from: time(reader)?,
        },
        34 => Reason::Expired {
            since: time(reader)?,
        },
        35 => Reason::NameConstraint(one_of(reader)?),
        36 => Reason::Policy(one_of(reader)?),
        _ => return Err(UnreadableReport),
    })
}

fn one_of<T: Numbered>(reader: &mut Reader<'_>) -> Result<T, UnreadableReport> {
    T::from_number(reader.octet()?)
}

fn time(reader: &mut Reader<'_>) -> Result<Time, UnreadableReport> {
    reader.signed().map(Time::from_unix_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_number_is_a_reason_and_keeps_it() {
        for number in 0..=36 {
            let octets = [number, 0, 0, 0];
            let mut reader = Reader::new(&octets);
            let reason = read(&mut reader).unwrap();
            let mut writer = Writer::default();
            write(&mut writer, reason);
            let written = writer.into_octets();
            assert_eq!(written[..], octets[..written.len()]);
        }
        assert!(read(&mut Reader::new(&[37, 0, 0, 0])).is_err());
    }

    proptest! {
        #[test]
        fn a_reason_reads_as_it_was_written(number in 0..=36u8, rest: [u8; 12]) {
            let octets = [&[number], &rest[..]].concat();
            if let Ok(reason) = read(&mut Reader::new(&octets)) {
                let mut writer = Writer::default();
                write(&mut writer, reason);
                let written = writer.into_octets();
                let mut reader = Reader::new(&written);
                prop_assert_eq!(read(&mut reader), Ok(reason));
                prop_assert_eq!(reader.finish(), Ok(()));
            }
        }
    }
}
