//! Just enough DER (X.690) to tell keys apart: one element at a time, definite lengths only.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag `[number]`, constructed.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Reads one element of the given tag: its content, and what follows it.
pub(super) fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = input.split_first()?;
    if *found != tag {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    if *first < 0x80 {
        return rest.split_at_checked(usize::from(*first));
    }
    let octets = usize::from(*first & 0x7f);
    // Four octets of length are 4 GB: no key is longer.
    if octets == 0 || octets > 4 {
        return None;
    }
    let (length, rest) = rest.split_at_checked(octets)?;
    // DER: the shortest form that holds the length.
    let shortest = match length {
        [octet] => *octet >= 0x80,
        octets => octets.first() != Some(&0),
    };
    let length = length.iter().try_fold(0_usize, |sum, octet| {
        sum.checked_mul(256)?.checked_add((*octet).into())
    })?;
    if shortest {
        rest.split_at_checked(length)
    } else {
        None
    }
}

/// Reads one element that must be all of the input.
pub(super) fn only(input: &[u8], tag: u8) -> Option<&[u8]> {
    let (content, rest) = element(input, tag)?;
    rest.is_empty().then_some(content)
}

#[cfg(test)]
mod tests {
    use super::{INTEGER, OCTET_STRING, element, only};

    #[test]
    fn short_and_long_lengths_are_read() {
        assert_eq!(element(&[2, 1, 7, 9], INTEGER), Some((&[7][..], &[9][..])));
        let mut long = vec![OCTET_STRING, 0x82, 1, 0];
        long.resize(4 + 256, 5);
        assert_eq!(only(&long, OCTET_STRING), Some(&[5; 256][..]));
    }

    #[test]
    fn what_is_not_der_is_refused() {
        for bad in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x80, 0, 0],
            &[4, 0x81, 1, 0],
            &[4, 0x82, 0, 1, 0],
            &[4, 0x85, 0, 0, 0, 0, 1, 0],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[2, 0],
        ] {
            assert_eq!(element(bad, OCTET_STRING), None, "{bad:?}");
        }
        assert_eq!(only(&[4, 0, 0], OCTET_STRING), None);
    }
}
