//! Seals records in the output in which they leave.

use core::fmt;
use std::io::IoSlice;

use super::nonce::NonceSequence;
use super::tls12::{NonceSequence12, SealerOfTls12};
use super::{ContentType, Gather, Header};
use crate::crypto::suite::{AeadKey, Iv, TAG_LEN};
use crate::error::{Error, Result};

/// The version in all records but the first of a client.
const LEGACY_VERSION: u16 = 0x0303;

/// Seals the records of one direction, under one key.
pub(crate) enum Sealer {
    /// Before the first key.
    Plain {
        /// The `legacy_record_version`: 0x0301 for the first `ClientHello`, then 0x0303.
        version: u16,
    },
    /// Under a key of TLS 1.3.
    Keyed(KeyedSealer),
    /// Under a key of TLS 1.2.
    Tls12(SealerOfTls12),
}

/// The key of a [`Sealer`].
pub(crate) struct KeyedSealer {
    key: AeadKey,
    nonces: NonceSequence,
    limit: u64,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { .. } => f.write_str("Plain"),
            Self::Keyed(keyed) => write!(f, "Keyed({} records)", keyed.nonces.used()),
            Self::Tls12(_) => f.write_str("Tls12"),
        }
    }
}

impl Sealer {
    /// Does not encrypt.
    pub(crate) const fn plain() -> Self {
        Self::Plain {
            version: LEGACY_VERSION,
        }
    }

    /// Does not encrypt, and says TLS 1.0, as some servers want the first `ClientHello`
    /// (RFC 9846 §5.1).
    pub(crate) const fn first_client_hello() -> Self {
        Self::Plain { version: 0x0301 }
    }

    /// Seals records under `key` and `iv`, from sequence number 0, and at most `limit` of them
    /// (the cipher's confidentiality limit, RFC 9846 §5.5).
    pub(crate) fn keyed(key: AeadKey, iv: Iv, limit: u64) -> Self {
        Self::Keyed(KeyedSealer {
            key,
            nonces: NonceSequence::new(iv),
            limit,
        })
    }

    /// Seals records of TLS 1.2 under `key`, from sequence number 0, and at most `limit` of them.
    pub(crate) fn tls12(key: AeadKey, nonces: NonceSequence12, limit: u64) -> Self {
        Self::Tls12(SealerOfTls12::new(key, nonces, limit))
    }

    /// How many more records this key may seal.
    #[cfg(test)]
    pub(crate) const fn records_left(&self) -> u64 {
        match self {
            Self::Plain { .. } | Self::Tls12(_) => u64::MAX,
            Self::Keyed(keyed) => keyed.limit.saturating_sub(keyed.nonces.used()),
        }
    }

    /// Whether it is time for a `KeyUpdate`: half of the records of this key are used.
    ///
    /// RFC 9846 §5.5: Implementations MUST either close the connection or do a key update prior to
    /// reaching these limits. (TLS 1.2 has no `KeyUpdate`.)
    pub(crate) const fn should_update_keys(&self) -> bool {
        match self {
            Self::Plain { .. } | Self::Tls12(_) => false,
            Self::Keyed(keyed) => keyed.nonces.used() >= keyed.limit / 2,
        }
    }

    /// Appends `payload` to `output`, in as many records as it needs: one if it is empty.
    pub(crate) fn seal(
        &mut self,
        content_type: ContentType,
        payload: &[IoSlice<'_>],
        output: &mut Vec<u8>,
    ) -> Result<()> {
        self.seal_records(content_type, Gather::new(payload), output)
    }

    /// Appends `payload` to `output`, in as many records as it needs: one if it is empty.
    pub(crate) fn seal_records(
        &mut self,
        content_type: ContentType,
        mut payload: Gather<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        loop {
            self.seal_record(content_type, &mut payload, output)?;
            if payload.remaining() == 0 {
                return Ok(());
            }
        }
    }

    /// Appends one record with the next bytes of `payload` to `output`.
    pub(crate) fn seal_record(
        &mut self,
        content_type: ContentType,
        payload: &mut Gather<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        match self {
            Self::Plain { version } => {
                write_plain(content_type, *version, payload, output);
                Ok(())
            }
            Self::Keyed(keyed) => keyed.seal(content_type, payload, output),
            Self::Tls12(keyed) => keyed.seal(content_type, payload, output),
        }
    }
}

fn write_plain(
    content_type: ContentType,
    version: u16,
    payload: &mut Gather<'_>,
    output: &mut Vec<u8>,
) {
    let length = payload.next_record();
    let header = Header {
        content_type,
        version,
        length: u16::try_from(length).unwrap_or(u16::MAX),
    };
    output.extend_from_slice(&header.bytes());
    payload.copy(length, output);
}

impl KeyedSealer {
    fn seal(
        &mut self,
        content_type: ContentType,
        payload: &mut Gather<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        if self.nonces.used() >= self.limit {
            return Err(Error::Internal("a key has sealed all the records it may"));
        }
        let content_len = payload.next_record();
        // The type of the content follows it, then comes the tag (RFC 9846 §5.2).
        let sealed_len = content_len.saturating_add(1).saturating_add(TAG_LEN);
        let header = Header {
            content_type: ContentType::ApplicationData,
            version: LEGACY_VERSION,
            length: u16::try_from(sealed_len).unwrap_or(u16::MAX),
        };
        let header = header.bytes();
        let start = output.len();
        output.reserve(header.len().saturating_add(sealed_len));
        output.extend_from_slice(&header);
        let content_at = output.len();
        payload.copy(content_len, output);
        output.extend_from_slice(&[0; 1 + TAG_LEN]);
        let (content, type_and_tag) = output
            .get_mut(content_at..)
            .and_then(|sealed| sealed.split_at_mut_checked(content_len))
            .ok_or(Error::Internal("a record is shorter than its payload"))?;
        let sealed = self.key.seal_in_place(
            &self.nonces.current(),
            &header,
            content,
            &[content_type.code()],
            type_and_tag,
        );
        if sealed.is_err() {
            // What was not encrypted must not leave.
            output.truncate(start);
            return sealed;
        }
        self.nonces
            .advance()
            .ok_or(Error::Internal("a key has sealed all the records it may"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use proptest::prelude::*;

    use super::super::frame::MAX_PLAINTEXT;
    use super::Sealer;
    use crate::crypto::suite::{AeadKey, CipherSuite, Iv};
    use crate::error::Error;
    use crate::messages::hex;
    use crate::record::{ContentType, HEADER_LEN, Opener, PlaintextAlerts, parse_header};

    const SUITES: [(CipherSuite, usize); 3] = [
        (CipherSuite::Aes128GcmSha256, 16),
        (CipherSuite::Aes256GcmSha384, 32),
        (CipherSuite::ChaCha20Poly1305Sha256, 32),
    ];

    fn key((suite, length): (CipherSuite, usize)) -> AeadKey {
        AeadKey::new(suite, &[1; 32][..length]).unwrap()
    }

    fn sealer(limit: u64) -> Sealer {
        Sealer::keyed(key(SUITES[0]), Iv::known([3; 12]), limit)
    }

    /// The contents of all records in `output`, one by one.
    fn contents(opener: &mut Opener, mut output: Vec<u8>) -> Vec<(ContentType, Vec<u8>)> {
        let mut rest = output.as_mut_slice();
        let mut contents = Vec::new();
        while let Some(header) = parse_header(rest, opener.protection()).unwrap() {
            let (record, following) = rest.split_at_mut(header.record_len());
            let body = &mut record[HEADER_LEN..];
            let content = opener.open(header, body).unwrap();
            contents.push((content.content_type, body[content.range].to_vec()));
            rest = following;
        }
        assert!(rest.is_empty());
        contents
    }

    #[test]
    fn the_record_of_rfc_8448_is_sealed_as_printed() {
        // RFC 8448 §3, the application data of the client.
        let key = hex("17422dda596ed5d9acd890e3c63f5051");
        let key = AeadKey::new(SUITES[0].0, &key).unwrap();
        let iv = hex("5b78923dee08579033e523d9");
        let mut sealer = Sealer::keyed(key, Iv::known(iv.try_into().unwrap()), 100);
        let content: Vec<u8> = (0..50).collect();
        let mut output = Vec::new();
        let slices = [IoSlice::new(&content[..20]), IoSlice::new(&content[20..])];
        sealer
            .seal(ContentType::ApplicationData, &slices, &mut output)
            .unwrap();
        assert_eq!(
            output,
            hex(
                "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b39
                 5bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
            )
        );
    }

    #[test]
    fn a_plain_record_shows_its_content() {
        let mut output = vec![9];
        let payload = [IoSlice::new(&[1, 2]), IoSlice::new(&[3])];
        Sealer::first_client_hello()
            .seal(ContentType::Handshake, &payload, &mut output)
            .unwrap();
        Sealer::plain()
            .seal(ContentType::Alert, &payload[..1], &mut output)
            .unwrap();
        assert_eq!(output, [9, 22, 3, 1, 0, 3, 1, 2, 3, 21, 3, 3, 0, 2, 1, 2]);
    }

    #[test]
    fn nothing_to_send_is_one_empty_record() {
        let mut output = Vec::new();
        sealer(100)
            .seal(ContentType::ApplicationData, &[], &mut output)
            .unwrap();
        assert_eq!(output.len(), HEADER_LEN + 17);
    }

    #[test]
    fn long_payloads_take_several_records_with_or_without_a_key() {
        let payload = vec![5; 2 * MAX_PLAINTEXT + 1];
        let mut opener = Opener::keyed(key(SUITES[0]), Iv::known([3; 12]), PlaintextAlerts::Refuse);
        for (mut sealer, opener) in [
            (Sealer::plain(), &mut Opener::Plain),
            (sealer(100), &mut opener),
        ] {
            let mut output = Vec::new();
            sealer
                .seal(
                    ContentType::Handshake,
                    &[IoSlice::new(&payload)],
                    &mut output,
                )
                .unwrap();
            let lengths = contents(opener, output)
                .into_iter()
                .map(|(content_type, content)| {
                    assert_eq!(content_type, ContentType::Handshake);
                    content.len()
                });
            assert_eq!(
                lengths.collect::<Vec<_>>(),
                [MAX_PLAINTEXT, MAX_PLAINTEXT, 1]
            );
        }
    }

    #[test]
    fn a_key_is_updated_well_before_its_limit_and_never_used_beyond() {
        let mut sealer = sealer(6);
        let mut output = Vec::new();
        for sealed in 0..6 {
            assert_eq!(sealer.records_left(), 6 - sealed);
            assert_eq!(sealer.should_update_keys(), sealed >= 3);
            sealer
                .seal(ContentType::ApplicationData, &[], &mut output)
                .unwrap();
        }
        let length = output.len();
        let error = sealer.seal(ContentType::ApplicationData, &[], &mut output);
        assert!(matches!(error, Err(Error::Internal(_))));
        assert_eq!(output.len(), length);
        assert!(!Sealer::plain().should_update_keys());
    }

    #[test]
    fn sequence_numbers_never_wrap() {
        let mut sealer = sealer(u64::MAX);
        let Sealer::Keyed(keyed) = &mut sealer else {
            panic!("it has a key")
        };
        keyed.nonces.skip_to(u64::MAX - 1);
        let mut output = Vec::new();
        let mut seal = || sealer.seal(ContentType::ApplicationData, &[], &mut output);
        assert!(seal().is_ok());
        assert!(seal().is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_sealed_opens(
            messages in prop::collection::vec(
                (0..3_usize, prop::collection::vec(0..20_000_usize, 0..4)), 1..4,
            ),
        ) {
            for suite in SUITES {
                let mut sealer = Sealer::keyed(key(suite), Iv::known([3; 12]), u64::MAX);
                let mut opener = Opener::keyed(key(suite), Iv::known([3; 12]), PlaintextAlerts::Refuse);
                for (content_type, lengths) in &messages {
                    let content_type = [
                        ContentType::ApplicationData,
                        ContentType::Handshake,
                        ContentType::Alert,
                    ][*content_type];
                    let parts: Vec<_> = lengths.iter().map(|length| vec![6; *length]).collect();
                    let whole = parts.concat();
                    let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
                    prop_assume!(!whole.is_empty());
                    let mut output = Vec::new();
                    sealer.seal(content_type, &slices, &mut output).unwrap();
                    let joined = contents(&mut opener, output);
                    prop_assert!(joined.iter().all(|(of_record, _)| *of_record == content_type));
                    prop_assert_eq!(joined.len(), whole.len().div_ceil(MAX_PLAINTEXT));
                    let joined: Vec<_> = joined.into_iter().map(|(_, content)| content).collect();
                    prop_assert_eq!(joined.concat(), whole);
                }
            }
        }
    }
}
