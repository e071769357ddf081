//! The records of TLS 1.2 (RFC 5246 §6.2.3.3), sealed and opened where they lie.
//!
//! Other than in TLS 1.3 the type of the content is in the header, there is no padding, and with AES-GCM
//! eight bytes of the nonce go with each record.

use zeroize::Zeroizing;

use super::frame::{MAX_PLAINTEXT, check_content};
use super::open::Opened;
use super::{ContentType, Gather, HEADER_LEN, Header, Protection};
use crate::crypto::suite::{AeadKey, Iv, NONCE_LEN, NonceForm, TAG_LEN};
use crate::error::{Error, Result};
use crate::violation::Violation;

/// The version in all records.
const VERSION: u16 = 0x0303;

/// The nonces of one direction, and the sequence number that never comes again.
pub(crate) struct NonceSequence12 {
    form: NonceForm,
    /// Four bytes of salt, or all twelve.
    fixed: Iv,
    next: u64,
}

impl NonceSequence12 {
    pub(crate) fn new(form: NonceForm, fixed: Iv) -> Self {
        Self {
            form,
            fixed,
            next: 0,
        }
    }

    /// The nonce of the record at hand, of which these eight bytes go with it.
    ///
    /// RFC 5288 §3: the sender may use the sequence number for them, and does here.
    /// RFC 7905 §2: the sequence number, padded to the left, in exclusive or with the fixed part.
    fn nonce(&self, explicit: [u8; 8]) -> Zeroizing<[u8; NONCE_LEN]> {
        let mut nonce = Zeroizing::new(*self.fixed.expose());
        if let Some(low) = nonce.last_chunk_mut::<8>() {
            *low = match self.form {
                NonceForm::Explicit => explicit,
                NonceForm::Implicit => (u64::from_be_bytes(*low) ^ self.next).to_be_bytes(),
            };
        }
        nonce
    }

    /// Goes on to the next record, unless the sequence number would wrap.
    fn advance(&mut self) -> Option<()> {
        // RFC 5246 §6.1: Sequence numbers do not wrap.
        self.next = self.next.checked_add(1)?;
        Some(())
    }

    /// What is authenticated with the record at hand (RFC 5246 §6.2.3.3).
    fn additional_data(&self, header: Header, content_len: usize) -> [u8; 8 + HEADER_LEN] {
        let header = Header {
            length: u16::try_from(content_len).unwrap_or(u16::MAX),
            ..header
        };
        let mut data = [0; 8 + HEADER_LEN];
        let bytes = self.next.to_be_bytes().into_iter().chain(header.bytes());
        data.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        data
    }
}

/// Seals the records of one direction, under one key.
pub(crate) struct SealerOfTls12 {
    key: AeadKey,
    nonces: NonceSequence12,
    limit: u64,
}

impl SealerOfTls12 {
    pub(super) fn new(key: AeadKey, nonces: NonceSequence12, limit: u64) -> Self {
        Self { key, nonces, limit }
    }

    /// Appends one record with the next bytes of `payload` to `output`.
    pub(super) fn seal(
        &mut self,
        content_type: ContentType,
        payload: &mut Gather<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        if self.nonces.next >= self.limit {
            return Err(Error::KeyExhausted);
        }
        let content_len = payload.next_record();
        let explicit = self.nonces.next.to_be_bytes();
        let explicit_len = self.nonces.form.explicit_len();
        let sealed_len = explicit_len
            .saturating_add(content_len)
            .saturating_add(TAG_LEN);
        let header = Header {
            content_type,
            version: VERSION,
            length: u16::try_from(sealed_len).unwrap_or(u16::MAX),
        };
        let start = output.len();
        output.reserve(HEADER_LEN.saturating_add(sealed_len));
        output.extend_from_slice(&header.bytes());
        output.extend_from_slice(explicit.get(..explicit_len).unwrap_or_default());
        let content_at = output.len();
        payload.copy(content_len, output);
        output.extend_from_slice(&[0; TAG_LEN]);
        let (content, tag) = output
            .get_mut(content_at..)
            .and_then(|sealed| sealed.split_at_mut_checked(content_len))
            .ok_or(Error::Internal("a record is shorter than its payload"))?;
        let additional = self.nonces.additional_data(header, content_len);
        let nonce = self.nonces.nonce(explicit);
        let sealed = self
            .key
            .seal_in_place(&nonce, &additional, content, &[], tag);
        if sealed.is_err() {
            // What was not encrypted must not leave.
            output.truncate(start);
            return sealed;
        }
        self.nonces.advance().ok_or(Error::KeyExhausted)
    }
}

/// Opens the records of one direction, under one key.
pub(crate) struct OpenerOfTls12 {
    key: AeadKey,
    nonces: NonceSequence12,
}

impl OpenerOfTls12 {
    pub(super) fn new(key: AeadKey, nonces: NonceSequence12) -> Self {
        Self { key, nonces }
    }

    /// Opens one record in place: every record is encrypted under a key of TLS 1.2, of whatever type.
    pub(super) fn open(&mut self, header: Header, body: &mut [u8]) -> Result<Opened> {
        let start = self.nonces.form.explicit_len();
        // RFC 5246 §6.2.3.3: If the decryption fails, a fatal bad_record_mac alert MUST be generated.
        let content_len = body
            .len()
            .checked_sub(start.saturating_add(TAG_LEN))
            .ok_or(Violation::BadRecordMac)?;
        let (explicit, sealed) = body
            .split_at_mut_checked(start)
            .ok_or(Violation::BadRecordMac)?;
        let explicit = explicit.first_chunk::<8>().copied().unwrap_or_default();
        let additional = self.nonces.additional_data(header, content_len);
        let nonce = self.nonces.nonce(explicit);
        let length = self
            .key
            .open_in_place(&nonce, &additional, sealed)
            .ok_or(Violation::BadRecordMac)?;
        self.nonces.advance().ok_or(Violation::ReadLimitReached)?;
        // RFC 5246 §6.2.1: the length MUST NOT exceed 2^14.
        if length > MAX_PLAINTEXT {
            return Err(Violation::PlaintextTooLong.into());
        }
        check_content(header.content_type, length)?;
        Ok(Opened {
            content_type: header.content_type,
            range: start..start.saturating_add(length),
            protection: Protection::Encrypted,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::{NonceSequence12, SealerOfTls12};
    use crate::crypto::suite::{AeadKey, CipherSuite, Iv, TAG_LEN};
    use crate::error::{Error, Result};
    use crate::record::{ContentType, Gather, HEADER_LEN, Header, Opener, parse_header};
    use crate::violation::Violation;

    const SUITES: [CipherSuite; 3] = [
        CipherSuite::EcdheEcdsaAes128GcmSha256,
        CipherSuite::EcdheRsaAes256GcmSha384,
        CipherSuite::EcdheRsaChaCha20Poly1305Sha256,
    ];

    fn key(suite: CipherSuite) -> AeadKey {
        AeadKey::new(suite, &vec![1; suite.key_len()]).unwrap()
    }

    fn nonces(suite: CipherSuite) -> NonceSequence12 {
        NonceSequence12::new(suite.nonce_form(), Iv::known([7; 12]))
    }

    fn sealer(suite: CipherSuite) -> SealerOfTls12 {
        SealerOfTls12::new(key(suite), nonces(suite), 1000)
    }

    fn seal(sealer: &mut SealerOfTls12, content_type: ContentType, payload: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        let slices = [IoSlice::new(payload)];
        sealer
            .seal(content_type, &mut Gather::new(&slices), &mut output)
            .unwrap();
        output
    }

    fn open(opener: &mut Opener, mut record: Vec<u8>) -> Result<(ContentType, Vec<u8>)> {
        let header = parse_header(&record, opener.protection())?.unwrap();
        let body = &mut record[HEADER_LEN..];
        let result = opener.open(header, body)?;
        Ok((result.content_type, body[result.range].to_vec()))
    }

    fn violation<T>(result: Result<T>) -> Option<Violation> {
        match result.err()? {
            Error::PeerViolated { violation, .. } => Some(violation),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn records_of_every_type_open_in_their_order() {
        for suite in SUITES {
            let mut sealer = sealer(suite);
            let mut opener = Opener::tls12(key(suite), nonces(suite));
            let contents = [
                (ContentType::Handshake, &b"finished"[..]),
                (ContentType::ApplicationData, b""),
                (ContentType::ApplicationData, &[5; 16_384]),
                (ContentType::ChangeCipherSpec, &[1]),
                (ContentType::Alert, &[1, 0]),
            ];
            for (content_type, content) in contents {
                let record = seal(&mut sealer, content_type, content);
                let overhead = HEADER_LEN + suite.nonce_form().explicit_len() + TAG_LEN;
                assert_eq!(record.len(), overhead + content.len());
                let result = open(&mut opener, record).unwrap();
                assert_eq!(result, (content_type, content.to_vec()));
            }
        }
    }

    #[test]
    fn a_record_opens_neither_twice_nor_changed_nor_as_another_type() {
        for suite in SUITES {
            let record = seal(&mut sealer(suite), ContentType::ApplicationData, b"payload");
            let fresh = || Opener::tls12(key(suite), nonces(suite));
            let mut opener = fresh();
            open(&mut opener, record.clone()).unwrap();
            let again = open(&mut opener, record.clone());
            assert_eq!(violation(again), Some(Violation::BadRecordMac));
            for at in (0..record.len()).filter(|at| !(1..5).contains(at)) {
                let mut changed = record.clone();
                // Another type at the front, another bit elsewhere.
                changed[at] = if at == 0 { 22 } else { changed[at] ^ 1 };
                let refused = open(&mut fresh(), changed);
                assert_eq!(violation(refused), Some(Violation::BadRecordMac), "{at}");
            }
            for length in 0..record.len() - HEADER_LEN {
                let mut short = record[..HEADER_LEN + length].to_vec();
                short[3..5].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
                let refused = open(&mut fresh(), short);
                assert_eq!(
                    violation(refused),
                    Some(Violation::BadRecordMac),
                    "{length}"
                );
            }
        }
    }

    #[test]
    fn nonces_never_repeat_and_the_last_record_is_the_last() {
        let suite = CipherSuite::EcdheEcdsaAes128GcmSha256;
        let mut sealer = SealerOfTls12::new(key(suite), nonces(suite), 2);
        let first = seal(&mut sealer, ContentType::ApplicationData, b"x");
        let second = seal(&mut sealer, ContentType::ApplicationData, b"x");
        assert_eq!(first[5..13], [0; 8]);
        assert_eq!(second[5..13], [0, 0, 0, 0, 0, 0, 0, 1]);
        let mut output = Vec::new();
        let slices = [IoSlice::new(b"x")];
        let refused = sealer.seal(
            ContentType::ApplicationData,
            &mut Gather::new(&slices),
            &mut output,
        );
        assert!(matches!(refused, Err(Error::KeyExhausted)));
        assert!(output.is_empty());
    }

    /// The explicit part of a nonce is the sender's choice. One that it uses twice gives away its own secrets, but
    /// the records are told apart by their numbers all the same.
    #[test]
    fn a_peer_that_repeats_its_nonce_harms_itself_alone() {
        let suite = CipherSuite::EcdheEcdsaAes128GcmSha256;
        let mut opener = Opener::tls12(key(suite), nonces(suite));
        let records: Vec<_> = (0..2)
            .map(|number| {
                let mut sequence = nonces(suite);
                sequence.next = number;
                let header = Header {
                    content_type: ContentType::ApplicationData,
                    version: 0x0303,
                    length: u16::try_from(8 + 4 + TAG_LEN).unwrap(),
                };
                let additional = sequence.additional_data(header, 4);
                let (mut content, mut tag) = (*b"data", [0; TAG_LEN]);
                let nonce = sequence.nonce([9; 8]);
                key(suite)
                    .seal_in_place(&nonce, &additional, &mut content, &[], &mut tag)
                    .unwrap();
                [&header.bytes()[..], &[9; 8], &content, &tag].concat()
            })
            .collect();
        for record in &records {
            let content = open(&mut opener, record.clone()).unwrap();
            assert_eq!(content, (ContentType::ApplicationData, b"data".to_vec()));
        }
        let replayed = open(&mut opener, records[0].clone());
        assert_eq!(violation(replayed), Some(Violation::BadRecordMac));
    }

    #[test]
    fn what_is_longer_than_a_record_is_refused() {
        let suite = CipherSuite::EcdheRsaChaCha20Poly1305Sha256;
        let header = Header {
            content_type: ContentType::ApplicationData,
            version: 0x0303,
            length: u16::try_from(16_385 + TAG_LEN).unwrap(),
        };
        let sequence = nonces(suite);
        let mut body = vec![5; 16_385];
        let mut tag = [0; TAG_LEN];
        let additional = sequence.additional_data(header, body.len());
        key(suite)
            .seal_in_place(
                &sequence.nonce([0; 8]),
                &additional,
                &mut body,
                &[],
                &mut tag,
            )
            .unwrap();
        body.extend(tag);
        let mut opener = Opener::tls12(key(suite), sequence);
        let refused = opener.open(header, &mut body).map(|_| ());
        assert_eq!(violation(refused), Some(Violation::PlaintextTooLong));
    }
}
