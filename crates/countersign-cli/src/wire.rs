//! Handshake messages as a trace has them, in a few words: as much of each as tells the story.

use countersign::{NamedGroup, Protection};
use countersign_x509::{Certificate, Name};

use crate::escape;

const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const POST_HANDSHAKE_AUTH: u16 = 49;

/// What a message says, in words; `None` if its name says it all.
pub(crate) fn gist(name: &str, protection: Protection, message: &[u8]) -> Option<String> {
    let body = Bytes(message.get(4..)?);
    match name {
        "ClientHello" => client_hello(protection, body),
        "ServerHello" => server_hello(body),
        "CertificateRequest" if protection == Protection::Application => {
            (!is_tls12_request(body)).then(|| "after the handshake".to_owned())
        }
        "Certificate" => certificate(body),
        "ServerKeyExchange" => server_key_exchange(body),
        "NewSessionTicket" => Some(format!("good for {} s", Bytes(body.0).u32()?)),
        "KeyUpdate" => (body.0 == [1]).then(|| "and wants one back".to_owned()),
        _ => None,
    }
}

fn client_hello(protection: Protection, mut body: Bytes<'_>) -> Option<String> {
    body.take(34)?;
    body.within_u8()?;
    body.within_u16()?;
    body.within_u8()?;
    let extensions = extensions(body)?;
    let has = |kind| extensions.iter().any(|(found, _)| *found == kind);
    let has_ticket = |(kind, data): &(u16, &[u8])| *kind == SESSION_TICKET && !data.is_empty();
    let said = [
        (protection == Protection::Application, "once more"),
        (
            has(PRE_SHARED_KEY) || extensions.iter().any(has_ticket),
            "offers to resume",
        ),
        (has(POST_HANDSHAKE_AUTH), "may be asked later"),
    ];
    let said = said.into_iter().filter(|(is_said, _)| *is_said);
    let said: Vec<_> = said.map(|(_, words)| words).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn server_hello(mut body: Bytes<'_>) -> Option<String> {
    body.take(34)?;
    body.within_u8()?;
    body.take(3)?;
    let mut extensions = extensions(body)?.into_iter();
    let resumes = extensions.any(|(kind, _)| kind == PRE_SHARED_KEY);
    resumes.then(|| "resumes".to_owned())
}

/// Kinds and data. In TLS 1.2 there may be no extensions at all.
fn extensions(mut body: Bytes<'_>) -> Option<Vec<(u16, &[u8])>> {
    let mut extensions = Vec::new();
    if body.0.is_empty() {
        return Some(extensions);
    }
    let mut block = Bytes(body.within_u16()?);
    while !block.0.is_empty() {
        extensions.push((block.u16()?, block.within_u16()?));
    }
    Some(extensions)
}

/// Whether a `CertificateRequest` is one of TLS 1.2: types, schemes and names, where TLS 1.3 has a context and extensions.
fn is_tls12_request(mut body: Bytes<'_>) -> bool {
    let mut blocks = || {
        body.within_u8()?;
        body.within_u16()?;
        body.within_u16()?;
        Some(body.0.is_empty())
    };
    blocks().unwrap_or(false)
}

/// The group of the key exchange.
fn server_key_exchange(mut body: Bytes<'_>) -> Option<String> {
    const NAMED_CURVE: u8 = 3;
    if body.0.first() == Some(&NAMED_CURVE) {
        body.take(1)?;
        let number = body.u16()?;
        let group = NamedGroup::from_u16(number);
        return Some(
            group.map_or_else(|| format!("group {number:#06x}"), |group| group.to_string()),
        );
    }
    let bits = body.within_u16()?.len().checked_mul(8)?;
    Some(format!("anonymous, {bits} bits"))
}

fn certificate(mut body: Bytes<'_>) -> Option<String> {
    // In TLS 1.2 the list is all there is; in TLS 1.3 there is a context before it, and extensions behind each entry.
    let mut whole = body;
    let is_tls12 = whole.within_u24().is_some() && whole.0.is_empty();
    if !is_tls12 {
        body.within_u8()?;
    }
    let mut entries = Bytes(body.within_u24()?);
    let mut next = || {
        let entry = entries.within_u24()?;
        if !is_tls12 {
            entries.within_u16()?;
        }
        Some((entry, entries.0.is_empty()))
    };
    let Some((first, mut is_last)) = next() else {
        return entries.0.is_empty().then(|| "none".to_owned());
    };
    let subject = subject(first);
    let mut more: usize = 0;
    while !is_last {
        (_, is_last) = next()?;
        more = more.saturating_add(1);
    }
    Some(match more {
        0 => subject,
        more => format!("{subject} and {more} more"),
    })
}

/// Whose certificate it is, fit to be shown.
pub(crate) fn subject(der: &[u8]) -> String {
    Certificate::parse(der).map_or_else(
        |_| "something unreadable".to_owned(),
        |certificate| escape::for_terminal(&certificate.subject().to_string()).into_owned(),
    )
}

/// A distinguished name, fit to be shown.
pub(crate) fn name(der: &[u8]) -> String {
    Name::from_der(der).map_or_else(
        |_| "something unreadable".to_owned(),
        |name| escape::for_terminal(&name.to_string()).into_owned(),
    )
}

/// Reads from the front; `None` if there is too little.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of as many bytes.
    fn number(&mut self, length: usize) -> Option<u32> {
        let digits = self.take(length)?.iter();
        Some(digits.fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }

    fn u16(&mut self) -> Option<u16> {
        self.number(2)?.try_into().ok()
    }

    fn u32(mut self) -> Option<u32> {
        self.number(4)
    }

    fn within(&mut self, length_of_length: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number(length_of_length)?).ok()?;
        self.take(length)
    }

    fn within_u8(&mut self) -> Option<&'a [u8]> {
        self.within(1)
    }

    fn within_u16(&mut self) -> Option<&'a [u8]> {
        self.within(2)
    }

    fn within_u24(&mut self) -> Option<&'a [u8]> {
        self.within(3)
    }
}

#[cfg(test)]
mod tests {
    use countersign::Protection;

    use super::gist;

    fn said(name: &str, body: &[u8]) -> Option<String> {
        said_under(Protection::Application, name, body)
    }

    fn said_under(protection: Protection, name: &str, body: &[u8]) -> Option<String> {
        let message = [&[0; 4], body].concat();
        gist(name, protection, &message)
    }

    #[test]
    fn what_matters_is_said() {
        assert_eq!(said("Certificate", &[0, 0, 0, 0]).unwrap(), "none");
        let one = [0, 0, 0, 6, 0, 0, 1, 0x30, 0, 0];
        assert_eq!(said("Certificate", &one).unwrap(), "something unreadable");
        assert_eq!(said("KeyUpdate", &[1]).unwrap(), "and wants one back");
        assert_eq!(said("KeyUpdate", &[0]), None);
        let ticket = said("NewSessionTicket", &[0, 0, 0x1c, 0x20, 9]);
        assert_eq!(ticket.unwrap(), "good for 7200 s");
        assert_eq!(
            said("CertificateRequest", &[]).unwrap(),
            "after the handshake"
        );
        assert_eq!(said("Finished", &[1, 2, 3]), None);
    }

    #[test]
    fn messages_of_tls_1_2_have_other_forms() {
        assert_eq!(said("Certificate", &[0, 0, 0]).unwrap(), "none");
        let two = [0, 0, 8, 0, 0, 1, 0x30, 0, 0, 1, 0x30];
        assert_eq!(
            said("Certificate", &two).unwrap(),
            "something unreadable and 1 more"
        );
        let request = [1, 64, 0, 2, 4, 3, 0, 0];
        assert_eq!(said("CertificateRequest", &request), None);
        let on_a_curve = [3, 0, 29, 1, 9];
        assert_eq!(said("ServerKeyExchange", &on_a_curve).unwrap(), "x25519");
        let mut in_a_field = vec![1, 0];
        in_a_field.extend([7; 256]);
        assert_eq!(
            said("ServerKeyExchange", &in_a_field).unwrap(),
            "anonymous, 2048 bits"
        );
    }

    #[test]
    fn hellos_say_what_they_offer() {
        let mut hello = vec![0; 34];
        hello.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
        let mut server = vec![0; 34];
        server.extend([0, 0x13, 0x01, 0]);
        let plain = |extensions: &[u8]| {
            said_under(
                Protection::Plain,
                "ClientHello",
                &[&hello[..], extensions].concat(),
            )
        };
        assert_eq!(plain(&[0, 0]), None);
        assert_eq!(plain(&[]), None);
        let later = [0, 4, 0, 49, 0, 0];
        assert_eq!(plain(&later).unwrap(), "may be asked later");
        let both = [0, 9, 0, 49, 0, 0, 0, 41, 0, 1, 7];
        assert_eq!(
            plain(&both).unwrap(),
            "offers to resume, may be asked later"
        );
        assert_eq!(plain(&[0, 4, 0, 35, 0, 0]), None);
        assert_eq!(plain(&[0, 5, 0, 35, 0, 1, 7]).unwrap(), "offers to resume");
        assert_eq!(said("ClientHello", &hello).unwrap(), "once more");
        let resumed = [&server[..], &[0, 6, 0, 41, 0, 2, 0, 0]].concat();
        assert_eq!(said("ServerHello", &resumed).unwrap(), "resumes");
    }

    #[test]
    fn a_message_that_is_cut_off_says_nothing() {
        for name in [
            "ClientHello",
            "ServerHello",
            "Certificate",
            "NewSessionTicket",
        ] {
            for length in 0..3 {
                assert_eq!(said(name, &[1, 1, 1][..length]), None, "{name} {length}");
            }
        }
    }
}
