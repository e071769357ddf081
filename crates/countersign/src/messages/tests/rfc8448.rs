//! The messages that RFC 8448 prints, §3 (simple), §4 (resumed) and §5 (`HelloRetryRequest`).

use super::hex;
use crate::messages::extension::ExtensionType;
use crate::messages::{
    Certificate, CertificateVerify, ClientHello, EncryptedExtensions, Finished, HelloRetryRequest,
    List, NewSessionTicket, ServerHello, ServerHelloOrRetry, read_message,
};

pub(super) const CLIENT_HELLO: &str = "
    010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302
    010000910000000b0009000006736572766572ff01000100000a00140012001d001700180019010001010102010301
    0400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c
    002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d0002
    0101001c00024001";

pub(super) const SERVER_HELLO: &str = "
    020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e003300
    24001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

pub(super) const ENCRYPTED_EXTENSIONS: &str = "
    080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000";

pub(super) const CERTIFICATE: &str = "
    0b0001b9000001b50001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c30
    0a06035504031303727361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c
    300a0603550403130372736130819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279
    303d980836399b36c6988c0c68de55e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c
    7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbf
    ae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d13040230
    00300b0603551d0f0404030205a0300d06092a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a72
    67170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a03015156726096fd
    335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759409ba3
    eac9d91d402dcc0cc8f8961229ac9187b42b4de10000";

pub(super) const CERTIFICATE_VERIFY: &str = "
    0f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc90db78e2
    d33a5c141a078653fa6bef780c5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671459e46
    445c9ea58c181e818e95b8c3fb0bf3278409d3be152a3da5043e063dda65cdf5aea20d53dfacd42f74f3";

pub(super) const FINISHED: &str =
    "140000209b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718";

pub(super) const NEW_SESSION_TICKET: &str = "
    040000c90000001efad6aac502000000b22c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90
    bf1b0070ad3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143efd3ff5dd36d64e861be7fd61d
    2827db279cce145077d454a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da2677fa5906c5b3f7d8f
    92f228bda40dda721470f9fbf297b5aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e9334369
    4093934ae4d3570008002a000400000400";

/// §4, the whole message with the binder.
pub(super) const RESUMING_CLIENT_HELLO: &str = "
    010001fc03031bc3ceb6bbe39cff938355b5a50adb6db21b7a6af649d7b4bc419d7876487d95000006130113031302
    010001cd0000000b0009000006736572766572ff01000100000a00140012001d001700180019010001010102010301
    04003300260024001d0020e4ffb68ac05f8d96c99da26698346c6be16482badddafe051a66b4f18d668f0b002a0000
    002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d0002
    0101001c00024001001500570000000000000000000000000000000000000000000000000000000000000000000000
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
    0000000000002900dd00b800b22c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90bf1b0070
    ad3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143efd3ff5dd36d64e861be7fd61d2827db27
    9cce145077d454a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da2677fa5906c5b3f7d8f92f228bd
    a40dda721470f9fbf297b5aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e93343694093934a
    e4d357fad6aacb0021203add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d";

/// §4.
pub(super) const RESUMED_SERVER_HELLO: &str = "
    0200005c03033ccfd2dec890222763472ae8136777c9d7358777bb66e91ea5122495f559ea2d001301000034002900
    02000000330024001d0020121761ee42c333e1b9e77b60dd57c2053cd94512ab47f115e86eff50942cea31002b0002
    0304";

/// §5.
pub(super) const FIRST_CLIENT_HELLO: &str = "
    010000b00303b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f000006130113031302
    010000810000000b0009000006736572766572ff01000100000a00080006001d00170018003300260024001d0020e8
    e8e3f3b93a25ed97a14a7dcacb8a272c6288e585c6484d05262fcad062ad1f002b0003020304000d0020001e040305
    030603020308040805080604010501060102010402050206020202002d00020101001c00024001";

/// §5.
pub(super) const HELLO_RETRY_REQUEST: &str = "
    020000ac0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c001301000084003300
    020017002c0074007271dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4edf
    625636e5f21bb2e23fcc654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778
    257d16aa3030e9e7841dd9e4c0342267e8ca0caf571fb2b7cff0f934b0002b00020304";

/// §5.
pub(super) const SECOND_CLIENT_HELLO: &str = "
    010001fc0303b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f000006130113031302
    010001cd0000000b0009000006736572766572ff01000100000a00080006001d001700180033004700450017004104
    a6da7392ec591e17abfd535964b99894d13befb221b3def2ebe3830eac8f0151812677c4d6d2237e85cf01d6910cfb
    83954e76ba7352830534159897e8065780002b0003020304000d0020001e0403050306030203080408050806040105
    01060102010402050206020202002c0074007271dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aa
    cad365dd0030953f4edf625636e5f21bb2e23fcc654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e5078
    1b5eda4aa15b0c8be778257d16aa3030e9e7841dd9e4c0342267e8ca0caf571fb2b7cff0f934b0002d00020101001c
    00024001001500af000000000000000000000000000000000000000000000000000000000000000000000000000000
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

/// All of them.
pub(super) const ALL: [&str; 12] = [
    CLIENT_HELLO,
    SERVER_HELLO,
    ENCRYPTED_EXTENSIONS,
    CERTIFICATE,
    CERTIFICATE_VERIFY,
    FINISHED,
    NEW_SESSION_TICKET,
    RESUMING_CLIENT_HELLO,
    RESUMED_SERVER_HELLO,
    FIRST_CLIENT_HELLO,
    HELLO_RETRY_REQUEST,
    SECOND_CLIENT_HELLO,
];

#[test]
fn the_client_hello_says_what_the_rfc_prints() {
    let bytes = hex(CLIENT_HELLO);
    let hello: ClientHello<'_> = read_message(&bytes).unwrap();
    assert_eq!(hello.legacy_version, 0x0303);
    assert_eq!(hello.random[..4], [0xcb, 0x34, 0xec, 0xb1]);
    assert!(hello.session_id.is_empty());
    assert_eq!(hello.cipher_suites, List::from(&[0x1301, 0x1303, 0x1302]));
    assert_eq!(hello.compression_methods, [0]);
    let extensions = hello.extensions;
    assert_eq!(extensions.server_name, Some("server"));
    let groups = [0x1d, 0x17, 0x18, 0x19, 0x100, 0x101, 0x102, 0x103, 0x104];
    assert_eq!(extensions.supported_groups, Some(List::from(&groups)));
    assert_eq!(extensions.signature_algorithms.unwrap().iter().count(), 15);
    assert_eq!(extensions.supported_versions, Some(List::from(&[0x0304])));
    assert_eq!(extensions.psk_key_exchange_modes, Some(&[1][..]));
    let shares: Vec<_> = extensions.key_share.unwrap().iter().collect();
    assert_eq!(shares.len(), 1);
    assert_eq!(shares[0].group, 0x1d);
    assert_eq!(shares[0].key_exchange[..4], [0x99, 0x38, 0x1d, 0xe5]);
    assert!(extensions.all.contains(ExtensionType::RECORD_SIZE_LIMIT));
    assert!(extensions.all.contains(ExtensionType::RENEGOTIATION_INFO));
    assert_eq!(extensions.all.iter().count(), 9);
    hello.check_key_shares().unwrap();
}

#[test]
fn the_server_hello_says_what_the_rfc_prints() {
    let bytes = hex(SERVER_HELLO);
    let hello: ServerHello<'_> = read_message(&bytes).unwrap();
    assert_eq!(hello.cipher_suite, 0x1301);
    assert_eq!(hello.compression_method, 0);
    assert_eq!(hello.selected_version, Some(0x0304));
    assert_eq!(hello.selected_identity, None);
    let share = hello.key_share.unwrap();
    assert_eq!((share.group, share.key_exchange.len()), (0x1d, 32));
    let offer = hex(CLIENT_HELLO);
    let offer: ClientHello<'_> = read_message(&offer).unwrap();
    hello.check_solicited(offer.extensions.all.kinds()).unwrap();
}

#[test]
fn the_rest_of_the_handshake_says_what_the_rfc_prints() {
    let bytes = hex(ENCRYPTED_EXTENSIONS);
    let extensions: EncryptedExtensions<'_> = read_message(&bytes).unwrap();
    assert!(extensions.server_name);
    assert_eq!(extensions.supported_groups.unwrap().iter().count(), 9);
    assert_eq!(extensions.alpn, None);

    let bytes = hex(CERTIFICATE);
    let certificate: Certificate<'_> = read_message(&bytes).unwrap();
    assert!(certificate.context.is_empty());
    let entries: Vec<_> = certificate.entries.iter().collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].certificate.len(), 432);
    assert_eq!(entries[0].ocsp_response, None);

    let bytes = hex(CERTIFICATE_VERIFY);
    let verify: CertificateVerify<'_> = read_message(&bytes).unwrap();
    assert_eq!((verify.scheme, verify.signature.len()), (0x0804, 128));

    let bytes = hex(FINISHED);
    let finished: Finished<'_> = read_message(&bytes).unwrap();
    assert_eq!(finished.of_length(32).unwrap()[..2], [0x9b, 0x9b]);

    let bytes = hex(NEW_SESSION_TICKET);
    let ticket: NewSessionTicket<'_> = read_message(&bytes).unwrap();
    assert_eq!((ticket.lifetime, ticket.age_add), (30, 0xfad6_aac5));
    assert_eq!((ticket.nonce, ticket.ticket.len()), (&[0, 0][..], 178));
    assert_eq!(ticket.max_early_data_size, Some(1024));
}

#[test]
fn the_resumption_says_what_the_rfc_prints() {
    let bytes = hex(RESUMING_CLIENT_HELLO);
    let hello: ClientHello<'_> = read_message(&bytes).unwrap();
    assert!(hello.extensions.early_data);
    let keys = hello.extensions.pre_shared_key.unwrap();
    let identities: Vec<_> = keys.identities.iter().collect();
    assert_eq!(identities.len(), 1);
    assert_eq!(identities[0].identity.len(), 178);
    assert_eq!(identities[0].obfuscated_ticket_age, 0xfad6_aacb);
    assert_eq!(keys.binders.iter().count(), 1);
    // §4 prints the ClientHello prefix, which the binder authenticates: 477 octets of 512.
    assert_eq!(bytes.len() - keys.binders_len(), 477);

    let bytes = hex(RESUMED_SERVER_HELLO);
    let hello: ServerHello<'_> = read_message(&bytes).unwrap();
    assert_eq!(hello.selected_identity, Some(0));
}

#[test]
fn the_retry_says_what_the_rfc_prints() {
    let bytes = hex(HELLO_RETRY_REQUEST);
    let request: HelloRetryRequest<'_> = read_message(&bytes).unwrap();
    assert_eq!(request.selected_group, Some(0x17));
    assert_eq!(request.selected_version, Some(0x0304));
    assert_eq!(request.cookie.unwrap().len(), 114);
    assert_eq!(
        read_message::<ServerHelloOrRetry<'_>>(&bytes).unwrap(),
        ServerHelloOrRetry::HelloRetryRequest(request)
    );

    let (first, second) = (hex(FIRST_CLIENT_HELLO), hex(SECOND_CLIENT_HELLO));
    let first: ClientHello<'_> = read_message(&first).unwrap();
    let second: ClientHello<'_> = read_message(&second).unwrap();
    request
        .check_solicited(first.extensions.all.kinds())
        .unwrap();
    second.check_retry_of(&first).unwrap();
    assert_eq!(second.extensions.cookie, request.cookie);
    let shares = second.extensions.key_share.unwrap();
    assert!(shares.iter().map(|share| share.group).eq([0x17]));
}
