//! The nonce of each record: the key's IV and a sequence number that never comes again.

use zeroize::Zeroizing;

use crate::crypto::suite::{Iv, NONCE_LEN};

/// RFC 9846 §5.3: the sequence number, padded to the left, in exclusive or with the IV.
pub(super) struct NonceSequence {
    iv: Iv,
    next: u64,
}

impl NonceSequence {
    pub(super) fn new(iv: Iv) -> Self {
        Self { iv, next: 0 }
    }

    /// How many records had their nonce from here.
    pub(super) const fn used(&self) -> u64 {
        self.next
    }

    /// The nonce of the record at hand.
    pub(super) fn current(&self) -> Zeroizing<[u8; NONCE_LEN]> {
        let mut nonce = Zeroizing::new(*self.iv.expose());
        if let Some(low) = nonce.last_chunk_mut::<8>() {
            *low = (u64::from_be_bytes(*low) ^ self.next).to_be_bytes();
        }
        nonce
    }

    /// Goes on to the next record, unless the sequence number would wrap.
    pub(super) fn advance(&mut self) -> Option<()> {
        // RFC 9846 §5.3: Because the size of sequence numbers is 64-bit, they should not wrap.
        // If a TLS implementation would need to wrap a sequence number, it MUST either rekey or
        // terminate the connection.
        self.next = self.next.checked_add(1)?;
        Some(())
    }

    #[cfg(test)]
    pub(super) fn skip_to(&mut self, next: u64) {
        self.next = next;
    }
}

#[cfg(test)]
mod tests {
    use super::{Iv, NonceSequence};

    #[test]
    fn the_sequence_number_changes_the_last_eight_bytes() {
        let mut sequence = NonceSequence::new(Iv::known([0xa0; 12]));
        assert_eq!(*sequence.current(), [0xa0; 12]);
        sequence.skip_to(0x0102_0304_0506_0708);
        assert_eq!(
            *sequence.current(),
            [
                0xa0, 0xa0, 0xa0, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8
            ]
        );
    }

    #[test]
    fn it_never_wraps() {
        let mut sequence = NonceSequence::new(Iv::known([0; 12]));
        sequence.skip_to(u64::MAX - 1);
        assert!(sequence.advance().is_some());
        assert_eq!(sequence.used(), u64::MAX);
        assert!(sequence.advance().is_none());
        assert_eq!(sequence.used(), u64::MAX);
    }
}
