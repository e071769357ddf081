//! The handshakes of RFC 8448, replayed: every secret, key, hash and record printed there.
//!
//! Records are opened and sealed again; what is inside them feeds the transcript, so that a
//! single wrong byte anywhere shows in every later secret.

use std::collections::BTreeMap;

use super::point::At;
use super::schedule13::{
    EarlySecret, PskSource, TrafficSecret, early_secret_without_psk, next_salt, salt_without_psk,
};
use super::secret::Secret;
use crate::crypto::group::{KeyShare, SharedSecret};
use crate::crypto::hash::{Digest, HashAlgorithm, HashContext};
use crate::crypto::hmac::HmacKey;
use crate::crypto::peer_key::{PeerKey, verify};
use crate::crypto::signed_content::{SignedBy, certificate_verify_content};
use crate::crypto::suite::{AeadKey, NONCE_LEN, TAG_LEN};
use crate::crypto::{CipherSuite, NamedGroup, SignatureScheme};
use crate::error::Error;
use crate::violation::Violation;

const SUITE: CipherSuite = CipherSuite::Aes128GcmSha256;
const HASH: HashAlgorithm = HashAlgorithm::Sha256;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const CLOSE_NOTIFY: &[u8] = &[1, 0];

/// One printed handshake: values by name.
struct Trace(BTreeMap<&'static str, Vec<u8>>);

impl Trace {
    fn read(text: &'static str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .map(|line| line.split_once(": ").expect("name: value"))
                .map(|(name, hex)| (name, from_hex(hex)))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> &[u8] {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in the trace"))
    }

    /// The handshake message in a record that is not encrypted.
    fn plain_message(&self, record: &str) -> &[u8] {
        let (header, message) = self.get(record).split_at(5);
        assert_eq!(header[0], HANDSHAKE);
        message
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// One direction of record protection.
struct Protection {
    key: AeadKey,
    iv: [u8; NONCE_LEN],
    sequence: u64,
}

impl Protection {
    /// Takes key and IV from `secret` and checks them against the printed ones.
    fn new<Direction>(trace: &Trace, name: &str, secret: &TrafficSecret<Direction>) -> Self {
        assert_eq!(secret.for_key_log(), trace.get(&format!("{name}_traffic")));
        let (key, iv) = secret.keys(SUITE).unwrap();
        let iv = *iv.expose();
        assert_eq!(iv, trace.get(&format!("{name}_iv")));
        let printed = AeadKey::new(SUITE, trace.get(&format!("{name}_key"))).unwrap();
        assert_eq!(sealed_probe(&key), sealed_probe(&printed), "{name}_key");
        Self {
            key,
            iv,
            sequence: 0,
        }
    }

    /// Opens a record, checks that sealing it again gives the same and returns content type and
    /// content. Wrong sequence numbers, headers and bodies must fail.
    fn replay(&mut self, record: &[u8]) -> (u8, Vec<u8>) {
        let (header, sealed) = record.split_at(5);
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        let mut wrong_nonce = nonce;
        wrong_nonce[11] ^= 1;
        let mut wrong_body = sealed.to_vec();
        wrong_body[0] ^= 1;
        let open = |nonce, aad: &[u8], body: &[u8]| {
            let mut body = body.to_vec();
            let len = self.key.open_in_place(&nonce, aad, &mut body)?;
            body.truncate(len);
            Some(body)
        };
        assert_eq!(open(wrong_nonce, header, sealed), None);
        assert_eq!(open(nonce, &[23, 3, 3, 0, 0], sealed), None);
        assert_eq!(open(nonce, header, &wrong_body), None);
        let inner = open(nonce, header, sealed).expect("the record opens");

        let (content_type, content) = inner.split_last().expect("a content type");
        assert_eq!(self.seal(nonce, header, content, *content_type), sealed);
        self.sequence += 1;
        (*content_type, content.to_vec())
    }

    fn seal(&self, nonce: [u8; 12], header: &[u8], content: &[u8], content_type: u8) -> Vec<u8> {
        let mut sealed = content.to_vec();
        let mut tail = [0; 1 + TAG_LEN];
        self.key
            .seal_in_place(&nonce, header, &mut sealed, &[content_type], &mut tail)
            .unwrap();
        sealed.extend(tail);
        sealed
    }
}

/// What tells two record keys apart, as they cannot be compared.
fn sealed_probe(key: &AeadKey) -> [u8; TAG_LEN] {
    let mut tag = [0; TAG_LEN];
    key.seal_in_place(&[0; 12], &[], &mut [], &[], &mut tag)
        .unwrap();
    tag
}

/// What tells two HMAC keys apart, as they cannot be compared.
fn assert_is(key: &HmacKey, printed: &[u8]) {
    let printed = HmacKey::new(HASH, printed);
    assert_eq!(key.sign(&[b"probe"]), printed.sign(&[b"probe"]));
}

/// The handshake messages in a row, each with its header.
fn messages(mut flight: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while !flight.is_empty() {
        let length = u32::from_be_bytes([0, flight[1], flight[2], flight[3]]);
        let (message, rest) = flight.split_at(4 + usize::try_from(length).unwrap());
        messages.push(message);
        flight = rest;
    }
    messages
}

/// Checks the Finished that ends a flight, after the messages before it were fed.
fn check_finished<D>(secret: &TrafficSecret<D>, transcript: &mut HashContext, finished: &[u8]) {
    let before = transcript.peek();
    assert_eq!(finished[..4], [20, 0, 0, 32]);
    secret.verify_finished(&before, &finished[4..]).unwrap();
    let mut wrong = finished[4..].to_vec();
    wrong[31] ^= 0x80;
    for bad in [&wrong[..], &finished[4..35], &[]] {
        let refused = secret.verify_finished(&before, bad).unwrap_err();
        assert_violation(&refused, Violation::BadFinished);
    }
    transcript.update(finished);
}

fn assert_violation(error: &Error, expected: Violation) {
    match error {
        Error::PeerViolated { violation, alert } => {
            assert_eq!(*violation, expected);
            assert_eq!(*alert, expected.alert());
        }
        other => panic!("{other:?}"),
    }
}

/// The key exchange, computed on both sides.
fn exchange(trace: &Trace, group: NamedGroup) -> SharedSecret {
    let client = KeyShare::from_private(group, trace.get("client_private"));
    let server = KeyShare::from_private(group, trace.get("server_private"));
    assert_eq!(client.public(), trace.get("client_public"));
    assert_eq!(server.public(), trace.get("server_public"));
    let theirs = server.agree(trace.get("client_public")).unwrap();
    let ours = client.agree(trace.get("server_public")).unwrap();
    assert_eq!(ours.as_ref(), theirs.as_ref());
    ours
}

/// The two ways of a handshake after the `ServerHello`: what client and server send.
struct Replayed {
    /// The transcript including the last Finished.
    transcript: HashContext,
    server_flight: Vec<u8>,
    client_flight: Vec<u8>,
    resumption: super::schedule13::ResumptionSecret,
}

/// Replays everything from the `ServerHello` to the end of the connection. `middle` is what enters
/// the transcript between the two Finished outside of the client's flight.
fn replay(
    trace: &Trace,
    early: EarlySecret,
    shared: &SharedSecret,
    mut transcript: HashContext,
    middle: &[u8],
) -> Replayed {
    let server_hello = At::new(transcript.peek());
    let handshake = early.into_handshake(shared).unwrap();
    assert_is(&handshake.key, trace.get("handshake_secret"));
    let client_secret = handshake.client_traffic(&server_hello).unwrap();
    let server_secret = handshake.server_traffic(&server_hello).unwrap();

    let mut server = Protection::new(trace, "server_handshake", &server_secret);
    let (kind, server_flight) = server.replay(trace.get("server_flight_record"));
    assert_eq!(kind, HANDSHAKE);
    let flight = messages(&server_flight);
    let (finished, before) = flight.split_last().unwrap();
    feed(&mut transcript, before);
    check_finished(&server_secret, &mut transcript, finished);
    let server_finished = At::new(transcript.peek());
    transcript.update(middle);

    let mut client = Protection::new(trace, "client_handshake", &client_secret);
    let one = trace.0.contains_key("client_finished_record");
    let record = if one {
        "client_finished_record"
    } else {
        "client_flight_record"
    };
    let (kind, client_flight) = client.replay(trace.get(record));
    assert_eq!(kind, HANDSHAKE);
    let flight = messages(&client_flight);
    let (finished, before) = flight.split_last().unwrap();
    feed(&mut transcript, before);
    check_finished(&client_secret, &mut transcript, finished);

    let master = handshake.into_master().unwrap();
    let exporter = master.exporter(&server_finished).unwrap();
    assert_eq!(exporter.for_key_log(), trace.get("exporter_master"));
    let resumption = master.resumption(&At::new(transcript.peek())).unwrap();
    assert_eq!(resumption.secret.expose(), trace.get("resumption_master"));
    let client = master.client_traffic(&server_finished).unwrap();
    let server = master.server_traffic(&server_finished).unwrap();
    replay_application_data(
        trace,
        Protection::new(trace, "client_application", &client),
        Protection::new(trace, "server_application", &server),
    );
    Replayed {
        transcript,
        server_flight,
        client_flight,
        resumption,
    }
}

fn replay_application_data(trace: &Trace, mut client: Protection, mut server: Protection) {
    let data: Vec<u8> = (0..50).collect();
    if trace.0.contains_key("ticket_record") {
        let (kind, ticket) = server.replay(trace.get("ticket_record"));
        assert_eq!((kind, ticket[0]), (HANDSHAKE, 4));
    }
    if trace.0.contains_key("client_data_record") {
        let sent = client.replay(trace.get("client_data_record"));
        assert_eq!(sent, (APPLICATION_DATA, data.clone()));
        let sent = server.replay(trace.get("server_data_record"));
        assert_eq!(sent, (APPLICATION_DATA, data));
    }
    let closing = (ALERT, CLOSE_NOTIFY.to_vec());
    assert_eq!(client.replay(trace.get("client_alert_record")), closing);
    assert_eq!(server.replay(trace.get("server_alert_record")), closing);
}

fn feed(transcript: &mut HashContext, messages: &[&[u8]]) {
    for message in messages {
        transcript.update(message);
    }
}

/// A transcript of plaintext messages.
fn transcript_of(parts: &[&[u8]]) -> HashContext {
    let mut transcript = HASH.start();
    feed(&mut transcript, parts);
    transcript
}

/// The `SubjectPublicKeyInfo` in a Certificate message: an RSA one of 1024 bits or one of P-256.
fn spki_in(message: &[u8]) -> &[u8] {
    let forms = [
        ("30819f300d06092a864886f70d010101", 162),
        ("3059301306072a8648ce3d0201", 91),
    ];
    let found = forms.iter().find_map(|(prefix, length)| {
        let prefix = from_hex(prefix);
        let at = message
            .windows(prefix.len())
            .position(|window| window == prefix)?;
        message.get(at..at + length)
    });
    found.expect("a public key")
}

#[test]
fn section_3_simple_1_rtt() {
    let trace = Trace::read(include_str!("rfc8448/simple-1-rtt.txt"));
    let shared = exchange(&trace, NamedGroup::X25519);
    assert_eq!(shared.as_ref(), trace.get("shared_secret"));

    let early = early_secret_without_psk(HASH).unwrap();
    assert_is(&early, trace.get("early_secret"));
    assert_is(
        &next_salt(&early).unwrap(),
        trace.get("derived_for_handshake"),
    );
    assert_is(
        salt_without_psk(HASH).unwrap(),
        trace.get("derived_for_handshake"),
    );
    let handshake = EarlySecret::without_psk(HASH)
        .into_handshake(&shared)
        .unwrap();
    assert_is(
        &next_salt(&handshake.key).unwrap(),
        trace.get("derived_for_master"),
    );
    assert_is(
        &handshake.into_master().unwrap().key,
        trace.get("master_secret"),
    );

    let hellos = [
        trace.plain_message("client_hello_record"),
        trace.plain_message("server_hello_record"),
    ];
    let mut transcript = transcript_of(&hellos);
    assert_eq!(transcript.peek().as_ref(), trace.get("hash_server_hello"));
    let early = EarlySecret::without_psk(HASH);
    let replayed = replay(&trace, early, &shared, transcript.clone(), &[]);

    let printed = [
        "encrypted_extensions",
        "certificate",
        "certificate_verify",
        "server_finished",
    ];
    let flight = messages(&replayed.server_flight);
    assert_eq!(flight.len(), printed.len());
    for (message, name) in flight.iter().zip(printed) {
        assert_eq!(*message, trace.get(name));
        transcript.update(message);
        assert_eq!(
            transcript.peek().as_ref(),
            trace.get(&format!("hash_{name}"))
        );
    }
    let psk = replayed.resumption.ticket_psk(&[0, 0]).unwrap();
    assert_eq!(psk.expose(), trace.get("ticket_psk"));
    // The certificate's key has 1024 bits, which is refused before any signature is looked at.
    let refused = PeerKey::from_spki(spki_in(trace.get("certificate"))).unwrap_err();
    assert_violation(&refused, Violation::UnsupportedPublicKey);
}

#[test]
fn section_4_resumed_0_rtt() {
    let trace = Trace::read(include_str!("rfc8448/resumed-0-rtt.txt"));
    let psk = Secret::from_slice(trace.get("ticket_psk"));
    let early = EarlySecret::new(HASH, &psk).unwrap();
    assert_is(early.key.as_ref().unwrap(), trace.get("early_secret"));
    let salt = next_salt(early.key.as_ref().unwrap()).unwrap();
    assert_is(&salt, trace.get("derived_for_handshake"));

    let client_hello = trace.plain_message("client_hello_record");
    // The binders are 2 bytes of length, 1 byte of length and one binder.
    let truncated = HASH.digest(&client_hello[..client_hello.len() - 35]);
    assert_eq!(truncated.as_ref(), trace.get("binder_hash"));
    let binder_key = early.binder_key(PskSource::Resumption).unwrap();
    assert_eq!(binder_key.secret.expose(), trace.get("binder_key"));
    let binder = binder_key.binder(&truncated).unwrap();
    assert_eq!(binder.as_ref(), trace.get("binder"));
    assert!(client_hello.ends_with(binder.as_ref()));
    assert!(binder_key.is_bound(&truncated, binder.as_ref()).unwrap());
    let other = early.binder_key(PskSource::External).unwrap();
    assert!(!other.is_bound(&truncated, binder.as_ref()).unwrap());

    let mut transcript = transcript_of(&[client_hello]);
    let at_client_hello = At::new(transcript.peek());
    let exporter = early.early_exporter(&at_client_hello).unwrap();
    assert_eq!(exporter.for_key_log(), trace.get("early_exporter_master"));
    let traffic = early.client_early_traffic(&at_client_hello).unwrap();
    let mut protection = Protection::new(&trace, "client_early", &traffic);
    let (kind, data) = protection.replay(trace.get("early_data_record"));
    assert_eq!((kind, data), (APPLICATION_DATA, from_hex("414243444546")));
    let (kind, end_of_early_data) = protection.replay(trace.get("end_of_early_data_record"));
    assert_eq!(
        (kind, &end_of_early_data[..]),
        (HANDSHAKE, &[5, 0, 0, 0][..])
    );

    transcript.update(trace.plain_message("server_hello_record"));
    let shared = exchange(&trace, NamedGroup::X25519);
    let replayed = replay(&trace, early, &shared, transcript, &end_of_early_data);
    // EncryptedExtensions and Finished: nobody authenticates with a certificate.
    assert_eq!(messages(&replayed.server_flight).len(), 2);
}

#[test]
fn section_5_hello_retry_request() {
    let trace = Trace::read(include_str!("rfc8448/hello-retry-request.txt"));
    let first_share = KeyShare::from_private(NamedGroup::X25519, trace.get("first_client_private"));
    assert_eq!(first_share.public(), trace.get("first_client_public"));
    let shared = exchange(&trace, NamedGroup::Secp256r1);
    assert_eq!(shared.as_ref(), trace.get("shared_secret"));

    // RFC 9846 §4.5.1: ClientHello1 is replaced with a message_hash of its hash.
    let first = HASH.digest(trace.plain_message("client_hello_record"));
    let transcript = transcript_of(&[
        &[254, 0, 0, 32],
        first.as_ref(),
        trace.plain_message("hello_retry_request_record"),
        trace.plain_message("second_client_hello_record"),
        trace.plain_message("server_hello_record"),
    ]);
    assert_eq!(transcript.peek().as_ref(), trace.get("hash_server_hello"));
    let handshake = EarlySecret::without_psk(HASH)
        .into_handshake(&shared)
        .unwrap();
    assert_is(
        &next_salt(&handshake.key).unwrap(),
        trace.get("derived_for_master"),
    );
    assert_is(
        &handshake.into_master().unwrap().key,
        trace.get("master_secret"),
    );
    let early = EarlySecret::without_psk(HASH);
    let replayed = replay(&trace, early, &shared, transcript, &[]);
    assert_eq!(messages(&replayed.client_flight).len(), 1);
}

#[test]
fn section_6_client_authentication() {
    let trace = Trace::read(include_str!("rfc8448/client-authentication.txt"));
    let shared = exchange(&trace, NamedGroup::X25519);
    let handshake = EarlySecret::without_psk(HASH)
        .into_handshake(&shared)
        .unwrap();
    assert_is(
        &next_salt(&handshake.key).unwrap(),
        trace.get("derived_for_master"),
    );
    assert_is(
        &handshake.into_master().unwrap().key,
        trace.get("master_secret"),
    );
    let mut transcript = transcript_of(&[
        trace.plain_message("client_hello_record"),
        trace.plain_message("server_hello_record"),
    ]);
    let early = EarlySecret::without_psk(HASH);
    let replayed = replay(&trace, early, &shared, transcript.clone(), &[]);

    let flight = messages(&replayed.server_flight);
    let kinds: Vec<u8> = flight.iter().map(|message| message[0]).collect();
    assert_eq!(kinds, [8, 13, 11, 15, 20]);
    feed(&mut transcript, &flight[..3]);
    check_server_signature(spki_in(flight[2]), flight[3], &transcript.peek());
    feed(&mut transcript, &flight[3..]);

    let flight = messages(&replayed.client_flight);
    let kinds: Vec<u8> = flight.iter().map(|message| message[0]).collect();
    assert_eq!(kinds, [11, 15, 20]);
    feed(&mut transcript, &flight);
    assert_eq!(transcript.peek(), replayed.transcript.peek());
}

/// The server of section 6 signs with P-256.
fn check_server_signature(spki: &[u8], certificate_verify: &[u8], transcript: &Digest) {
    let key = PeerKey::from_spki(spki).unwrap();
    let scheme = u16::from_be_bytes([certificate_verify[4], certificate_verify[5]]);
    assert_eq!(scheme, SignatureScheme::ECDSA_SECP256R1_SHA256.to_u16());
    let signature = &certificate_verify[8..];
    let content = certificate_verify_content(SignedBy::Server, transcript);
    verify(scheme.into(), &key, &content, signature).unwrap();
    let content = certificate_verify_content(SignedBy::Client, transcript);
    let refused = verify(scheme.into(), &key, &content, signature).unwrap_err();
    assert_violation(&refused, Violation::BadHandshakeSignature);
}
