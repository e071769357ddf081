//! Handshake messages as a trace has them, in a few words: as much of each as tells the story.

use countersign::Protection;
use countersign_x509::{Certificate, Name};

use crate::escape;

const PRE_SHARED_KEY: u16 = 41;
const POST_HANDSHAKE_AUTH: u16 = 49;

/// What a message says, in words; `None` if its name says it all.
pub(crate) fn gist(name: &str, protection: Protection, message: &[u8]) -> Option<String> {
    let body = Bytes(message.get(4..)?);
    match name {
        "ClientHello" => client_hello(body),
        "ServerHello" => server_hello(body),
        "CertificateRequest" if protection == Protection::Application => {
            Some("after the handshake".to_owned())
        }
        "Certificate" => certificate(body),
        "NewSessionTicket" => Some(format!("good for {} s", Bytes(body.0).u32()?)),
        "KeyUpdate" => (body.0 == [1]).then(|| "and wants one back".to_owned()),
        _ => None,
    }
}

fn client_hello(mut body: Bytes<'_>) -> Option<String> {
    body.take(34)?;
    body.within_u8()?;
    body.within_u16()?;
    body.within_u8()?;
    let kinds = extension_kinds(body)?;
    let offers = [
        (PRE_SHARED_KEY, "offers to resume"),
        (POST_HANDSHAKE_AUTH, "may be asked later"),
    ];
    let said = offers.iter().filter(|(kind, _)| kinds.contains(kind));
    let said: Vec<_> = said.map(|(_, words)| *words).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn server_hello(mut body: Bytes<'_>) -> Option<String> {
    body.take(34)?;
    body.within_u8()?;
    body.take(3)?;
    let resumes = extension_kinds(body)?.contains(&PRE_SHARED_KEY);
    resumes.then(|| "resumes".to_owned())
}

fn extension_kinds(mut body: Bytes<'_>) -> Option<Vec<u16>> {
    let mut block = Bytes(body.within_u16()?);
    let mut kinds = Vec::new();
    while !block.0.is_empty() {
        kinds.push(block.u16()?);
        block.within_u16()?;
    }
    Some(kinds)
}

fn certificate(mut body: Bytes<'_>) -> Option<String> {
    body.within_u8()?;
    let mut entries = Bytes(body.within_u24()?);
    if entries.0.is_empty() {
        return Some("none".to_owned());
    }
    let subject = subject(entries.within_u24()?);
    entries.within_u16()?;
    let mut more: usize = 0;
    while !entries.0.is_empty() {
        entries.within_u24()?;
        entries.within_u16()?;
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
        let message = [&[0; 4], body].concat();
        gist(name, Protection::Application, &message)
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
    fn hellos_say_what_they_offer() {
        let mut hello = vec![0; 34];
        hello.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
        let mut server = vec![0; 34];
        server.extend([0, 0x13, 0x01, 0]);
        assert_eq!(said("ClientHello", &[&hello[..], &[0, 0]].concat()), None);
        let later = [&hello[..], &[0, 4, 0, 49, 0, 0]].concat();
        assert_eq!(said("ClientHello", &later).unwrap(), "may be asked later");
        let both = [&hello[..], &[0, 9, 0, 49, 0, 0, 0, 41, 0, 1, 7]].concat();
        assert_eq!(
            said("ClientHello", &both).unwrap(),
            "offers to resume, may be asked later"
        );
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
