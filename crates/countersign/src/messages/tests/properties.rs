//! What holds for all messages: those written read back as they were, and no bytes at all are
//! worse than an error with a fitting alert.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::rfc8448;
use super::{hex, written};
use crate::Alert;
use crate::fuzzing;
use crate::messages::client_hello::StatusRequest;
use crate::messages::pre_shared_key::{PskBinder, PskIdentity};
use crate::messages::{
    Certificate, CertificateEntry, CertificateRequest, CertificateVerify, ClientExtensions,
    ClientHello, DistinguishedName, EncryptedExtensions, ExtensionBlock, ExtensionsOfTls12,
    Finished, HelloRetryRequest, KeyShareEntry, KeyUpdate, List, Message, NewSessionTicket,
    PreSharedKeys, ProtocolName, Reader, ServerHello, ServerHelloOrRetry, read_message,
};

/// Opaque bytes of a length in this range.
fn opaque(length: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), length)
}

fn numbers() -> impl Strategy<Value = Option<Vec<u16>>> {
    option::of(vec(any::<u16>(), 1..9))
}

fn names() -> impl Strategy<Value = Option<Vec<Vec<u8>>>> {
    option::of(vec(opaque(1..60), 1..5))
}

fn shares() -> impl Strategy<Value = Option<Vec<(u16, Vec<u8>)>>> {
    option::of(vec((any::<u16>(), opaque(1..1300)), 0..4))
}

fn list<T: Copy>(items: Option<&Vec<T>>) -> Option<List<'_, T>> {
    items.map(|items| List::from(items.as_slice()))
}

fn share((group, key_exchange): &(u16, Vec<u8>)) -> KeyShareEntry<'_> {
    KeyShareEntry {
        group: *group,
        key_exchange,
    }
}

fn map<'a, T, U>(items: Option<&'a Vec<T>>, item: impl Fn(&'a T) -> U) -> Option<Vec<U>> {
    items.map(|items| items.iter().map(item).collect())
}

/// The extensions that say what is offered.
#[derive(Clone, Debug)]
struct Offer {
    server_name: Option<String>,
    status_request: Option<(Vec<u8>, Vec<u8>)>,
    groups: Option<Vec<u16>>,
    schemes: Option<Vec<u16>>,
    certificate_schemes: Option<Vec<u16>>,
    versions: Option<Vec<u16>>,
    protocols: Option<Vec<Vec<u8>>>,
    authorities: Option<Vec<Vec<u8>>>,
    flags: [bool; 3],
}

fn offer() -> impl Strategy<Value = Offer> {
    let lists = (numbers(), numbers(), numbers(), numbers());
    let named = (option::of("[!-~]{1,255}"), names(), names());
    let status = option::of((opaque(0..20), opaque(0..20)));
    (lists, named, status, any::<[bool; 3]>()).prop_map(
        |((groups, schemes, certificate_schemes, versions), named, status_request, flags)| Offer {
            server_name: named.0,
            status_request,
            groups,
            schemes,
            certificate_schemes,
            versions,
            protocols: named.1,
            authorities: named.2,
            flags,
        },
    )
}

proptest! {
    #[test]
    fn a_client_hello_reads_as_it_was_written(
        (legacy_version, random, session_id) in (any::<u16>(), any::<[u8; 32]>(), opaque(0..33)),
        (suites, compression) in (vec(any::<u16>(), 1..9), opaque(1..256)),
        offer in offer(),
        (cookie, modes, shares) in (option::of(opaque(1..99)), option::of(opaque(1..9)), shares()),
        (formats, extended_master_secret, ticket, info) in
            (option::of(opaque(1..9)), any::<bool>(), option::of(opaque(0..300)), option::of(opaque(0..99))),
        psks in option::of(vec((opaque(1..200), any::<u32>(), opaque(32..256)), 1..4)),
    ) {
        let protocols = map(offer.protocols.as_ref(), |name| ProtocolName(name));
        let authorities = map(offer.authorities.as_ref(), |name| DistinguishedName(name));
        let shares = map(shares.as_ref(), share);
        let identities = map(psks.as_ref(), |(identity, age, _)| PskIdentity {
            identity,
            obfuscated_ticket_age: *age,
        });
        let binders = map(psks.as_ref(), |(_, _, binder)| PskBinder(binder));
        let hello = ClientHello {
            legacy_version,
            random: &random,
            session_id: &session_id,
            cipher_suites: List::from(suites.as_slice()),
            compression_methods: &compression,
            extensions: ClientExtensions {
                server_name: offer.server_name.as_deref(),
                status_request: offer.status_request.as_ref().map(|(ids, extensions)| {
                    StatusRequest { responder_ids: ids, extensions }
                }),
                supported_groups: list(offer.groups.as_ref()),
                signature_algorithms: list(offer.schemes.as_ref()),
                signature_algorithms_cert: list(offer.certificate_schemes.as_ref()),
                alpn: list(protocols.as_ref()),
                signed_certificate_timestamp: offer.flags[0],
                supported_versions: list(offer.versions.as_ref()),
                cookie: cookie.as_deref(),
                key_share: list(shares.as_ref()),
                psk_key_exchange_modes: modes.as_deref(),
                certificate_authorities: list(authorities.as_ref()),
                post_handshake_auth: offer.flags[1],
                early_data: offer.flags[2],
                ec_point_formats: formats.as_deref(),
                extended_master_secret,
                session_ticket: ticket.as_deref(),
                renegotiation_info: info.as_deref(),
                pre_shared_key: identities.as_deref().zip(binders.as_deref()).map(
                    |(identities, binders)| PreSharedKeys {
                        identities: identities.into(),
                        binders: binders.into(),
                    },
                ),
                all: ExtensionBlock::default(),
            },
        };
        let bytes = written(&hello);
        let mut read: ClientHello<'_> = read_message(&bytes).unwrap();
        read.extensions.all = ExtensionBlock::default();
        prop_assert_eq!(read, hello);
        every_prefix_is_harmless::<ClientHello<'_>>(&bytes);
    }

    #[test]
    fn a_server_hello_reads_as_it_was_written(
        (legacy_version, random, session_id) in (any::<u16>(), any::<[u8; 32]>(), opaque(0..33)),
        (cipher_suite, compression_method) in any::<(u16, u8)>(),
        version in any::<u16>(),
        share_of_group in option::of((any::<u16>(), opaque(1..1300))),
        selected_identity in any::<Option<u16>>(),
        cookie in option::of(opaque(1..99)),
    ) {
        let hello = ServerHello {
            legacy_version,
            random: &random,
            session_id: &session_id,
            cipher_suite,
            compression_method,
            selected_version: Some(version),
            key_share: share_of_group.as_ref().map(share),
            selected_identity,
            tls12: ExtensionsOfTls12::default(),
            all: ExtensionBlock::default(),
        };
        let bytes = written(&hello);
        let mut read: ServerHello<'_> = read_message(&bytes).unwrap();
        read.all = ExtensionBlock::default();
        prop_assert_eq!(read, hello);
        every_prefix_is_harmless::<ServerHelloOrRetry<'_>>(&bytes);

        let request = HelloRetryRequest {
            legacy_version,
            session_id: &session_id,
            cipher_suite,
            compression_method,
            selected_version: Some(version),
            selected_group: share_of_group.as_ref().map(|(group, _)| *group),
            cookie: cookie.as_deref(),
            all: ExtensionBlock::default(),
        };
        let bytes = written(&request);
        let mut read: HelloRetryRequest<'_> = read_message(&bytes).unwrap();
        read.all = ExtensionBlock::default();
        prop_assert_eq!(read, request);
        every_prefix_is_harmless::<ServerHelloOrRetry<'_>>(&bytes);
    }

    #[test]
    fn the_servers_parameters_read_as_they_were_written(
        offer in offer(),
        protocol in option::of(opaque(1..256)),
        context in opaque(0..256),
    ) {
        let extensions = EncryptedExtensions {
            server_name: offer.flags[0],
            supported_groups: list(offer.groups.as_ref()),
            alpn: protocol.as_deref().map(ProtocolName),
            early_data: offer.flags[1],
            all: ExtensionBlock::default(),
        };
        let bytes = written(&extensions);
        let mut read: EncryptedExtensions<'_> = read_message(&bytes).unwrap();
        read.all = ExtensionBlock::default();
        prop_assert_eq!(read, extensions);
        every_prefix_is_harmless::<EncryptedExtensions<'_>>(&bytes);

        let authorities = map(offer.authorities.as_ref(), |name| DistinguishedName(name));
        let request = CertificateRequest {
            context: &context,
            signature_algorithms: list(offer.schemes.as_ref()),
            signature_algorithms_cert: list(offer.certificate_schemes.as_ref()),
            certificate_authorities: list(authorities.as_ref()),
            status_request: offer.flags[2],
            all: ExtensionBlock::default(),
        };
        let bytes = written(&request);
        let mut read: CertificateRequest<'_> = read_message(&bytes).unwrap();
        read.all = ExtensionBlock::default();
        prop_assert_eq!(read, request);
        every_prefix_is_harmless::<CertificateRequest<'_>>(&bytes);
    }

    #[test]
    fn a_certificate_reads_as_it_was_written(
        context in opaque(0..256),
        chain in vec((opaque(1..500), option::of(opaque(1..99)), option::of(opaque(0..99))), 0..5),
    ) {
        let entries: Vec<_> = chain
            .iter()
            .map(|(certificate, ocsp_response, timestamps)| CertificateEntry {
                certificate,
                ocsp_response: ocsp_response.as_deref(),
                timestamps: timestamps.as_deref(),
                all: ExtensionBlock::default(),
            })
            .collect();
        let bytes = written(&Certificate { context: &context, entries: entries.as_slice().into() });
        let read: Certificate<'_> = read_message(&bytes).unwrap();
        prop_assert_eq!(read.context, &context);
        let read = read.entries.iter().map(|entry| CertificateEntry {
            all: ExtensionBlock::default(),
            ..entry
        });
        prop_assert_eq!(read.collect::<Vec<_>>(), entries);
        every_prefix_is_harmless::<Certificate<'_>>(&bytes);
    }

    #[test]
    fn a_server_hello_of_tls_1_2_reads_as_it_was_written(
        (random, session_id) in (any::<[u8; 32]>(), opaque(0..33)),
        (formats, protocol, info) in
            (option::of(opaque(1..9)), option::of(opaque(1..99)), option::of(opaque(0..99))),
        [server_name, extended_master_secret, session_ticket] in any::<[bool; 3]>(),
    ) {
        let hello = ServerHello {
            legacy_version: 0x0303,
            random: &random,
            session_id: &session_id,
            cipher_suite: 0xc02b,
            compression_method: 0,
            selected_version: None,
            key_share: None,
            selected_identity: None,
            tls12: ExtensionsOfTls12 {
                server_name,
                ec_point_formats: formats.as_deref(),
                alpn: protocol.as_deref().map(ProtocolName),
                extended_master_secret,
                session_ticket,
                renegotiation_info: info.as_deref(),
            },
            all: ExtensionBlock::default(),
        };
        let bytes = written(&hello);
        let mut read: ServerHello<'_> = read_message(&bytes).unwrap();
        read.all = ExtensionBlock::default();
        prop_assert_eq!(read, hello);
        every_prefix_is_harmless::<ServerHelloOrRetry<'_>>(&bytes);
    }

    #[test]
    fn the_small_messages_read_as_they_were_written(
        (scheme, signature) in (any::<u16>(), opaque(0..600)),
        (lifetime, age_add, nonce, ticket) in
            (any::<u32>(), any::<u32>(), opaque(0..256), opaque(1..600)),
        max_early_data_size in any::<Option<u32>>(),
    ) {
        let verify = CertificateVerify { scheme, signature: &signature };
        let bytes = written(&verify);
        prop_assert_eq!(read_message::<CertificateVerify<'_>>(&bytes).unwrap(), verify);
        every_prefix_is_harmless::<CertificateVerify<'_>>(&bytes);

        let finished = Finished { verify_data: &signature };
        let bytes = written(&finished);
        prop_assert_eq!(read_message::<Finished<'_>>(&bytes).unwrap(), finished);

        let all = ExtensionBlock::default();
        let ticket = NewSessionTicket {
            lifetime, age_add, nonce: &nonce, ticket: &ticket, max_early_data_size, all,
        };
        let bytes = written(&ticket);
        let read = NewSessionTicket { all, ..read_message(&bytes).unwrap() };
        prop_assert_eq!(read, ticket);
        every_prefix_is_harmless::<NewSessionTicket<'_>>(&bytes);
    }

    #[test]
    fn any_bytes_are_harmless(kind in any::<u8>(), body in opaque(0..200)) {
        fuzzing::messages(kind, &body);
    }

    #[test]
    fn damaged_messages_are_harmless(
        which in 0..rfc8448::ALL.len(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut message = hex(rfc8448::ALL[which]);
        for (at, byte) in damage {
            let at = at.index(message.len());
            message[at] = byte;
        }
        fuzzing::messages(message[0], &message[4..]);
    }
}

#[test]
fn key_updates_read_as_they_were_written() {
    for update in [KeyUpdate::NotRequested, KeyUpdate::Requested] {
        assert_eq!(
            read_message::<KeyUpdate>(&written(&update)).unwrap(),
            update
        );
    }
}

#[test]
fn the_messages_of_the_rfc_are_harmless_damaged_anywhere() {
    for message in rfc8448::ALL {
        let message = hex(message);
        fuzzing::messages(message[0], &message[4..]);
        for at in 4..message.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = message.clone();
                damaged[at] ^= flip;
                fuzzing::messages(damaged[0], &damaged[4..]);
            }
        }
    }
}

/// A message that ends too early cannot be decoded, unless it could have ended there.
fn every_prefix_is_harmless<'a, M: Message<'a>>(message: &'a [u8]) {
    for end in 4..message.len() {
        let mut reader = Reader::new(&message[4..end]);
        if let Err(error) = M::read(&mut reader) {
            assert_eq!(error.alert(), Some(Alert::DecodeError), "cut at {end}");
        }
    }
}
