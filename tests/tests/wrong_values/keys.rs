//! Certificates with keys that cannot be used, where the mode lets every certificate pass.

use ::countersign::{KeyUsageRule, VerifyMode, Violation};
use ::openssl::x509::X509;
use countersign_tests::endpoint::{Side, run_until_idle};
use countersign_tests::intercept::{Interceptor, Outgoing};
use countersign_tests::oracle::data::Data;
use countersign_tests::peers::countersign::{Countersign, client_builder};
use countersign_tests::peers::openssl;
use countersign_tests::wrong_peer::{message, setups};

use crate::blame::assert_violation;

pub(crate) fn provoke_all() {
    keys_that_cannot_be_used();
}

/// What a client that lets every certificate pass says to a server with this one.
fn blame_for(certificate: &[u8], violation: Violation) {
    let (client, server) = setups();
    let config = client_builder(&client)
        .verify(VerifyMode::NONE)
        .key_usage(KeyUsageRule::Enforced);
    let mut end = Countersign::client(&config.build().unwrap());
    let three = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
    let entry = [three(certificate.len()), certificate.to_vec(), vec![0, 0]].concat();
    let body = [vec![0], three(entry.len()), entry].concat();
    let mut line = Interceptor::new(&client.log, &server.log, |piece| {
        if (piece.from, piece.message_type()) == (Side::Server, Some(11)) {
            vec![Outgoing::handshake(piece.epoch, message(11, &body))]
        } else {
            piece.unchanged()
        }
    });
    run_until_idle(&mut end, &mut openssl::server(&server), &mut line);
    assert_violation(end.error(), violation, "a key");
}

#[test]
fn keys_that_cannot_be_used() {
    let data = Data::copy();
    let weak = X509::from_pem(data.files.text("server-weakkey.pem").as_bytes()).unwrap();
    blame_for(&weak.to_der().unwrap(), Violation::UnsupportedPublicKey);
    let encrypts = X509::from_pem(data.files.text("server-kuenc.pem").as_bytes()).unwrap();
    blame_for(&encrypts.to_der().unwrap(), Violation::KeyNotForSigning);

    let (_, server) = setups();
    let mut certificate = server.identity.unwrap().leaf.clone();
    // A BIT STRING with a point on P-256, of which only the form is changed.
    let point = certificate
        .windows(4)
        .position(|window| window == [3, 0x42, 0, 4])
        .unwrap();
    certificate[point + 3] = 5;
    blame_for(&certificate, Violation::MalformedPublicKey);
}
