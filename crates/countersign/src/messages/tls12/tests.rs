//! The messages of TLS 1.2 survive the round trip, and nothing else reads as one.

use super::{
    Certificate, CertificateData, CertificateRequest, CertificateType, ClientKeyExchange,
    ClientPublic, CurveParameters, FiniteFieldParameters, HelloRequest, NewSessionTicket,
    ServerHelloDone, ServerKeyExchange, SignedParameters,
};
use crate::messages::certificate::MAX_CERTIFICATES;
use crate::messages::tests::{message, violation, written};
use crate::messages::{DistinguishedName, List, MessageType, Writer, read_message};
use crate::violation::Violation;

fn content(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut content = Vec::new();
    let mut writer = Writer::new(&mut content);
    write(&mut writer);
    writer.finish().unwrap();
    content
}

#[test]
fn a_certificate_is_a_list_of_certificates() {
    let certificates = [CertificateData(b"leaf"), CertificateData(b"issuer")];
    let bytes = written(&Certificate {
        certificates: List::from(&certificates),
    });
    assert_eq!(bytes, b"\x0b\0\0\x13\0\0\x10\0\0\x04leaf\0\0\x06issuer");
    let read: Certificate<'_> = read_message(&bytes).unwrap();
    assert!(read.certificates.iter().eq(certificates));
    let none = written(&Certificate::default());
    assert_eq!(none, [11, 0, 0, 3, 0, 0, 0]);
    let empty_one = message(MessageType::Certificate, &[0, 0, 3, 0, 0, 0]);
    let refused = read_message::<Certificate<'_>>(&empty_one);
    assert_eq!(violation(refused), Violation::MalformedMessage);
}

#[test]
fn too_many_certificates_are_refused() {
    let certificates = vec![CertificateData(b"x"); MAX_CERTIFICATES + 1];
    let bytes = written(&Certificate {
        certificates: List::from(certificates.as_slice()),
    });
    let refused = read_message::<Certificate<'_>>(&bytes);
    assert_eq!(violation(refused), Violation::TooManyCertificates);
}

#[test]
fn a_request_names_types_schemes_and_authorities() {
    let names = [DistinguishedName(b"\x30\x00")];
    let request = CertificateRequest {
        certificate_types: &[CertificateType::RSA_SIGN, CertificateType::ECDSA_SIGN],
        signature_algorithms: List::from(&[0x0403, 0x0804]),
        certificate_authorities: List::from(&names),
    };
    let bytes = written(&request);
    assert_eq!(
        bytes,
        b"\x0d\0\0\x0f\x02\x01\x40\0\x04\x04\x03\x08\x04\0\x04\0\x02\x30\0"
    );
    assert_eq!(
        read_message::<CertificateRequest<'_>>(&bytes).unwrap(),
        request
    );
    for bad in [
        &b"\0\0\x02\x04\x03\0\0"[..],
        b"\x01\x40\0\0\0\0",
        b"\x01\x40\0\x01\x04\0\0",
        b"\x01\x40\0\x02\x04\x03",
        b"\x01\x40\0\x02\x04\x03\0\x02\0\0",
    ] {
        let bytes = message(MessageType::CertificateRequest, bad);
        let refused = read_message::<CertificateRequest<'_>>(&bytes);
        assert_eq!(violation(refused), Violation::MalformedMessage, "{bad:?}");
    }
}

#[test]
fn signed_parameters_hold_a_named_curve() {
    let signed = SignedParameters {
        parameters: CurveParameters {
            group: 0x1d,
            point: &[7; 32],
        },
        scheme: 0x0403,
        signature: b"signature",
    };
    let content = content(|writer| signed.write(writer));
    let bytes = written(&ServerKeyExchange { content: &content });
    let read: ServerKeyExchange<'_> = read_message(&bytes).unwrap();
    assert_eq!(read.signed().unwrap(), signed);
    let explicit = [&[1], &content[1..]].concat();
    let explicit = ServerKeyExchange { content: &explicit };
    assert_eq!(
        violation(explicit.signed()),
        Violation::ServerShareNotOffered
    );
    for length in 0..content.len() {
        let cut = ServerKeyExchange {
            content: &content[..length],
        };
        assert_eq!(violation(cut.signed()), Violation::MalformedMessage);
    }
    let longer = [&content[..], &[0]].concat();
    let longer = ServerKeyExchange { content: &longer };
    assert_eq!(violation(longer.signed()), Violation::TrailingData);
}

#[test]
fn anonymous_parameters_are_three_numbers_and_no_signature() {
    let parameters = FiniteFieldParameters {
        prime: &[0xff; 256],
        generator: &[2],
        public: &[3; 256],
    };
    let content = content(|writer| parameters.write(writer));
    let exchange = ServerKeyExchange { content: &content };
    assert_eq!(exchange.anonymous().unwrap(), parameters);
    let signed = [&content[..], &[4, 3, 0, 1, 9]].concat();
    let signed = ServerKeyExchange { content: &signed };
    assert_eq!(violation(signed.anonymous()), Violation::TrailingData);
    let without_prime = ServerKeyExchange {
        content: &[0, 0, 0, 1, 2, 0, 1, 3],
    };
    assert_eq!(
        violation(without_prime.anonymous()),
        Violation::MalformedMessage
    );
}

#[test]
fn a_client_s_public_value_is_read_as_its_suite_says() {
    let point = written(&ClientKeyExchange {
        content: ClientPublic::CurvePoint(&[7; 32]),
    });
    let read: ClientKeyExchange<'_> = read_message(&point).unwrap();
    assert_eq!(read.curve_point().unwrap(), [7; 32]);
    assert!(read.finite_field().is_err());
    let value = written(&ClientKeyExchange {
        content: ClientPublic::FiniteField(&[7; 256]),
    });
    let read: ClientKeyExchange<'_> = read_message(&value).unwrap();
    assert_eq!(read.finite_field().unwrap(), [7; 256]);
    assert!(read.curve_point().is_err());
    let empty = message(MessageType::ClientKeyExchange, &[0]);
    let read: ClientKeyExchange<'_> = read_message(&empty).unwrap();
    assert_eq!(violation(read.curve_point()), Violation::MalformedMessage);
}

#[test]
fn messages_without_content_have_none() {
    assert_eq!(written(&HelloRequest), [0, 0, 0, 0]);
    assert_eq!(written(&ServerHelloDone), [14, 0, 0, 0]);
    let more = message(MessageType::HelloRequest, &[1]);
    assert_eq!(
        violation(read_message::<HelloRequest>(&more)),
        Violation::TrailingData
    );
    let more = message(MessageType::ServerHelloDone, &[1]);
    assert_eq!(
        violation(read_message::<ServerHelloDone>(&more)),
        Violation::TrailingData
    );
}

#[test]
fn a_ticket_may_be_empty() {
    for ticket in [&b"ticket"[..], b""] {
        let message = NewSessionTicket {
            lifetime: 7200,
            ticket,
        };
        let bytes = written(&message);
        assert_eq!(
            read_message::<NewSessionTicket<'_>>(&bytes).unwrap(),
            message
        );
    }
}
