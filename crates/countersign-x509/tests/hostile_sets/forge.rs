//! Certificates and lists of any content, signed properly.

use rcgen::{KeyPair, PublicKeyData, SigningKey};

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
const MAPPINGS: &[u8] = &[0x55, 0x1d, 0x21];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..=0x7f => der.push(u8::try_from(length).unwrap()),
        0x80..=0xff => der.extend([0x81, u8::try_from(length).unwrap()]),
        0x100..=0xffff => {
            der.push(0x82);
            der.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            der.push(0x83);
            der.extend(&u32::try_from(length).unwrap().to_be_bytes()[1..]);
        }
    }
    der.extend(content);
    der
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn oid(content: &[u8]) -> Vec<u8> {
    element(6, content)
}

/// A number of a policy or of a use of keys that nobody else has.
fn numbered_oid(number: usize) -> Vec<u8> {
    let number = u16::try_from(number).unwrap();
    let [high, middle, low] = [number >> 14, number >> 7 & 0x7f, number & 0x7f];
    let octet = |bits: u16| u8::try_from(bits).unwrap();
    let mut content = vec![0x2a, 3];
    if high > 0 {
        content.push(octet(high) | 0x80);
    }
    if high > 0 || middle > 0 {
        content.push(octet(middle) | 0x80);
    }
    content.push(octet(low));
    oid(&content)
}

fn attribute(kind: &[u8], text: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &element(0x0c, text)])
}

fn common_name(text: &str) -> Vec<u8> {
    sequence(&[&element(0x31, &attribute(COMMON_NAME, text.as_bytes()))])
}

/// A name of about so many octets that is the same in all variants, and written the same in no two: some
/// letters are upper case. In one part, or in one set of eight.
pub(super) fn long_name(length: usize, variant: usize, parts: bool) -> Vec<u8> {
    let number = if parts { 8 } else { 1 };
    let attributes = (0..number).map(|part| {
        let mut text = vec![b'a'; length / number];
        let end = text.len();
        for bit in 0..8 {
            if variant >> bit & 1 == 1 {
                text[end - 10 + bit] = b'A';
            }
        }
        // What tells the parts apart comes last.
        text[end - 1] = b'0' + u8::try_from(part).unwrap();
        attribute(ORGANIZATION, &text)
    });
    let mut attributes: Vec<_> = attributes.collect();
    if variant % 2 == 1 {
        attributes.reverse();
    }
    sequence(&[&element(0x31, &attributes.concat())])
}

/// Somebody who can be certified and certify.
pub(super) struct Party {
    name: Vec<u8>,
    key: KeyPair,
}

impl Party {
    pub(super) fn new(name: &str) -> Self {
        Self::with_key(name, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(super) fn with_key(name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        Self {
            name: common_name(name),
            key: KeyPair::generate_for(algorithm).unwrap(),
        }
    }

    /// With a name in DER.
    pub(super) fn named(name: Vec<u8>) -> Self {
        Self {
            name,
            key: KeyPair::generate().unwrap(),
        }
    }

    /// The certificate of somebody.
    pub(super) fn issue(&self, subject: &Self, extra: &Extra) -> Vec<u8> {
        let validity = sequence(&[
            &element(0x17, b"260101000000Z"),
            &element(0x17, b"270101000000Z"),
        ]);
        self.sign(&[
            &[0xa0, 3, 2, 1, 2],
            &[2, 1, 7],
            &self.algorithm(),
            &self.name,
            &validity,
            &subject.name,
            &subject.key.subject_public_key_info(),
            &element(0xa3, &sequence(&[&extra.extensions])),
        ])
    }

    /// A revocation list with so many entries.
    pub(super) fn list(&self, round: usize, entries: usize) -> Vec<u8> {
        let time = |minute: usize| {
            element(
                0x17,
                format!(
                    "2605{:02}{:02}{:02}00Z",
                    minute / 1440 + 1,
                    minute / 60 % 24,
                    minute % 60
                )
                .as_bytes(),
            )
        };
        let entry = |number: usize| {
            let serial = u32::try_from(number).unwrap().to_be_bytes();
            let serial = element(2, &[&[1], &serial[..]].concat());
            sequence(&[&serial, &time(0)])
        };
        let entries: Vec<_> = (0..entries).map(entry).collect();
        self.sign(&[
            &[2, 1, 1],
            &self.algorithm(),
            &self.name,
            &time(round),
            &element(0x17, b"261201000000Z"),
            &sequence(&[&entries.concat()]),
        ])
    }

    fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        let signed = sequence(parts);
        let signature = self.key.sign(&signed).unwrap();
        let signature = element(3, &[&[0], &signature[..]].concat());
        sequence(&[&signed, &self.algorithm(), &signature])
    }

    /// Ed25519, or ecdsa-with-SHA256, -SHA384 or -SHA512.
    fn algorithm(&self) -> Vec<u8> {
        if self.key.is_compatible(&rcgen::PKCS_ED25519) {
            return sequence(&[&oid(&[0x2b, 0x65, 0x70])]);
        }
        let digest = if self.key.is_compatible(&rcgen::PKCS_ECDSA_P256_SHA256) {
            2
        } else if self.key.is_compatible(&rcgen::PKCS_ECDSA_P384_SHA384) {
            3
        } else {
            4
        };
        sequence(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, digest])])
    }
}

/// The extensions of a certificate.
pub(super) struct Extra {
    extensions: Vec<u8>,
}

impl Extra {
    pub(super) fn ca() -> Self {
        let constraints = sequence(&[&[1, 1, 0xff]]);
        Self {
            extensions: [
                critical(BASIC_CONSTRAINTS, &constraints),
                critical(KEY_USAGE, &[3, 2, 1, 6]),
            ]
            .concat(),
        }
    }

    pub(super) fn ca_with_subtrees(subtrees: &[Vec<u8>]) -> Self {
        let permitted = element(0xa0, &subtrees.concat());
        Self::ca().and(critical(NAME_CONSTRAINTS, &sequence(&[&permitted])))
    }

    /// With so many policies, each of which is mapped to another.
    pub(super) fn ca_with_policies(number: usize) -> Self {
        let policies = (0..number).map(|number| sequence(&[&numbered_oid(number)]));
        let mappings = (0..number)
            .map(|at| sequence(&[&numbered_oid(at), &numbered_oid((at * 7 + 1) % number)]));
        let policies = sequence(&[&policies.collect::<Vec<_>>().concat()]);
        let mappings = sequence(&[&mappings.collect::<Vec<_>>().concat()]);
        Self::ca()
            .and(critical(POLICIES, &policies))
            .and(critical(MAPPINGS, &mappings))
    }

    pub(super) fn leaf() -> Self {
        Self::leaf_with(&[Self::dns_name(0)])
    }

    pub(super) fn leaf_with(names: &[Vec<u8>]) -> Self {
        let extensions = [
            critical(KEY_USAGE, &[3, 2, 7, 0x80]),
            plain(EXTENDED_KEY_USAGE, &sequence(&[&oid(SERVER_AUTH)])),
            plain(ALTERNATIVE_NAME, &sequence(&[&names.concat()])),
        ];
        Self {
            extensions: extensions.concat(),
        }
    }

    pub(super) fn leaf_of_many_uses(number: usize) -> Self {
        let uses: Vec<_> = (0..number).map(numbered_oid).collect();
        let extensions = [
            plain(EXTENDED_KEY_USAGE, &sequence(&[&uses.concat()])),
            plain(ALTERNATIVE_NAME, &sequence(&[&Self::dns_name(0)])),
        ];
        Self {
            extensions: extensions.concat(),
        }
    }

    fn and(mut self, extension: Vec<u8>) -> Self {
        self.extensions.extend(extension);
        self
    }

    pub(super) fn dns_name(number: usize) -> Vec<u8> {
        element(0x82, format!("n{number}.example").as_bytes())
    }

    pub(super) fn dns_subtree(number: usize) -> Vec<u8> {
        sequence(&[&element(0x82, format!("s{number}.example").as_bytes())])
    }

    pub(super) fn email_name(number: usize) -> Vec<u8> {
        element(0x81, format!("a@n{number}.example").as_bytes())
    }

    pub(super) fn email_subtree(number: usize) -> Vec<u8> {
        sequence(&[&element(0x81, format!("a@s{number}.example").as_bytes())])
    }

    /// Names that differ at the very end, and in the way they are written.
    pub(super) fn directory_name(number: usize) -> Vec<u8> {
        let text = format!("{}{number:06}n", "a".repeat(200));
        element(0xa4, &common_name(&text))
    }

    pub(super) fn directory_subtree(number: usize) -> Vec<u8> {
        let text = format!("{}{number:06}s", "A".repeat(200));
        sequence(&[&element(0xa4, &common_name(&text))])
    }
}

fn critical(kind: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &[1, 1, 0xff], &element(4, value)])
}

fn plain(kind: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &element(4, value)])
}
