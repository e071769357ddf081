//! `EncryptedExtensions`: the server's answers that need no key agreement.

use super::client_hello::write_list;
use super::extension::{
    Carrier, ExtensionBlock, ExtensionSet, ExtensionType as Kind, read_body, read_presence,
    write_extension,
};
use super::list::Item;
use super::{List, Message, MessageType, ProtocolName, Reader, Writer};
use crate::error::Result;

/// RFC 9846 §4.4.1: `struct { Extension extensions<0..2^16-1>; } EncryptedExtensions;`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EncryptedExtensions<'a> {
    /// RFC 6066 §3: the server used the name that the client sent.
    pub(crate) server_name: bool,
    /// RFC 9846 §4.3.7: what the server prefers next time.
    pub(crate) supported_groups: Option<List<'a, u16>>,
    /// RFC 7301 §3.1: the one protocol that was chosen.
    pub(crate) alpn: Option<ProtocolName<'a>>,
    /// RFC 9846 §4.3.10: the server takes the early data.
    pub(crate) early_data: bool,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

impl<'a> Message<'a> for EncryptedExtensions<'a> {
    const TYPE: MessageType = MessageType::EncryptedExtensions;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let all = ExtensionBlock::read(reader, Carrier::EncryptedExtensions)?;
        let mut read = Self {
            all,
            ..Self::default()
        };
        for (kind, body) in all.iter() {
            match kind {
                Kind::SERVER_NAME => read.server_name = read_presence(body)?,
                Kind::SUPPORTED_GROUPS => {
                    read.supported_groups =
                        Some(read_body(body, |r| r.within_u16(List::read_some))?);
                }
                // RFC 7301 §3.1: the list MUST contain exactly one name.
                Kind::ALPN => {
                    read.alpn = Some(read_body(body, |r| r.within_u16(ProtocolName::read))?);
                }
                Kind::EARLY_DATA => read.early_data = read_presence(body)?,
                _ => {}
            }
        }
        Ok(read)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.within_u16(|writer| {
            if self.server_name {
                write_extension(writer, Kind::SERVER_NAME, |_| {});
            }
            write_list(
                writer,
                Kind::SUPPORTED_GROUPS,
                self.supported_groups.as_ref(),
            );
            if let Some(protocol) = &self.alpn {
                write_extension(writer, Kind::ALPN, |w| {
                    w.within_u16(|w| protocol.write(w));
                });
            }
            if self.early_data {
                write_extension(writer, Kind::EARLY_DATA, |_| {});
            }
        });
    }
}

impl EncryptedExtensions<'_> {
    /// Checks that every extension answers one that the `ClientHello` `offered`.
    pub(crate) fn check_solicited(&self, offered: ExtensionSet) -> Result<()> {
        self.all.check_solicited(offered)
    }
}

#[cfg(test)]
mod tests {
    use super::EncryptedExtensions;
    use crate::messages::extension::ExtensionType;
    use crate::messages::tests::{extensions, message, violation};
    use crate::messages::{ExtensionSet, MessageType, ProtocolName, read_message};
    use crate::violation::Violation;

    fn with(bodies: &[(ExtensionType, &[u8])]) -> Vec<u8> {
        message(MessageType::EncryptedExtensions, &extensions(bodies))
    }

    #[test]
    fn exactly_one_protocol_is_chosen() {
        let bytes = with(&[(ExtensionType::ALPN, b"\0\x03\x02h2")]);
        let read: EncryptedExtensions<'_> = read_message(&bytes).unwrap();
        assert_eq!(read.alpn, Some(ProtocolName(b"h2")));
        for names in [&b"\0\x06\x02h2\x02h3"[..], b"\0\0", b"\0\x01\0"] {
            assert_eq!(
                violation(read_message::<EncryptedExtensions<'_>>(&with(&[(
                    ExtensionType::ALPN,
                    names
                )]))),
                Violation::MalformedExtension
            );
        }
    }

    #[test]
    fn the_answer_to_a_server_name_is_empty() {
        let bytes = with(&[(ExtensionType::SERVER_NAME, &[0])]);
        assert_eq!(
            violation(read_message::<EncryptedExtensions<'_>>(&bytes)),
            Violation::MalformedExtension
        );
    }

    #[test]
    fn answers_without_a_question_are_refused() {
        let bytes = with(&[(ExtensionType::SERVER_NAME, &[])]);
        let read: EncryptedExtensions<'_> = read_message(&bytes).unwrap();
        assert_eq!(
            violation(read.check_solicited(ExtensionSet::default())),
            Violation::UnsolicitedExtension
        );
    }

    #[test]
    fn extensions_of_other_messages_are_misplaced() {
        let bytes = with(&[(ExtensionType::KEY_SHARE, &[])]);
        assert_eq!(
            violation(read_message::<EncryptedExtensions<'_>>(&bytes)),
            Violation::MisplacedExtension
        );
    }
}
