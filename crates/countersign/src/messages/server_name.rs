//! The name of the server that the client wants to talk to.

use super::{Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

const HOST_NAME: u8 = 0;

/// The longest name that DNS knows, in its text form.
const MAX_HOST_NAME: usize = 255;

/// Reads the host name of a `server_name` extension, if there is one.
///
/// ```text
/// struct { NameType name_type; select (name_type) { case host_name: HostName; } name; } ServerName;
/// opaque HostName<1..2^16-1>;
/// struct { ServerName server_name_list<1..2^16-1> } ServerNameList;
/// ```
///
/// (RFC 6066 §3.) The name is printable ASCII; whether it is a DNS name is for the caller to say.
pub(super) fn read<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>> {
    reader.within_u16(|reader| {
        if reader.is_empty() {
            return Err(reader.malformed().into());
        }
        let mut host_name = None;
        while !reader.is_empty() {
            let name_type = reader.u8()?;
            let name = reader.bytes_u16()?;
            if name_type != HOST_NAME {
                continue;
            }
            // RFC 6066 §3: The ServerNameList MUST NOT contain more than one name of the same
            // name_type.
            if host_name.is_some() {
                return Err(Violation::BadServerName.into());
            }
            host_name = Some(read_host_name(reader.not_empty(name)?)?);
        }
        Ok(host_name)
    })
}

/// RFC 6066 §3: `HostName` contains the fully qualified DNS hostname of the server, represented as
/// a byte string using ASCII encoding. A NUL would end the name for some readers and not for others.
fn read_host_name(name: &[u8]) -> Result<&str> {
    if name.len() > MAX_HOST_NAME || !name.iter().all(u8::is_ascii_graphic) {
        return Err(Violation::BadServerName.into());
    }
    core::str::from_utf8(name).map_err(|_| Violation::BadServerName.into())
}

/// Writes the body of a `server_name` extension.
pub(super) fn write(host_name: &str, writer: &mut Writer<'_>) {
    writer.within_u16(|writer| {
        writer.u8(HOST_NAME);
        writer.bytes_u16(host_name.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::error::Result;
    use crate::messages::Reader;
    use crate::messages::tests::violation;
    use crate::violation::Violation;

    /// Reads a list of names, each with its type.
    fn names(names: &[(u8, &[u8])]) -> Result<Option<String>> {
        let mut list = Vec::new();
        for (name_type, name) in names {
            list.push(*name_type);
            list.extend_from_slice(&u16::try_from(name.len()).unwrap().to_be_bytes());
            list.extend_from_slice(name);
        }
        let length = u16::try_from(list.len()).unwrap().to_be_bytes();
        let body = [&length[..], &list].concat();
        let name = read(&mut Reader::of_extension(&body))?;
        Ok(name.map(str::to_owned))
    }

    #[test]
    fn one_host_name_is_read() {
        let name = names(&[(0, b"db_1.example")]).unwrap();
        assert_eq!(name.as_deref(), Some("db_1.example"));
    }

    #[test]
    fn names_of_other_types_are_passed_over() {
        assert_eq!(names(&[(7, b"")]).unwrap(), None);
        let name = names(&[(7, b"\0"), (0, b"db")]).unwrap();
        assert_eq!(name.as_deref(), Some("db"));
    }

    #[test]
    fn two_host_names_are_illegal() {
        assert_eq!(
            violation(names(&[(0, b"a"), (0, b"b")])),
            Violation::BadServerName
        );
    }

    #[test]
    fn a_name_that_is_not_printable_ascii_is_illegal() {
        for name in [
            &b"db\0.example"[..],
            b"a b",
            b"\xc3\xa4.example",
            &[b'a'; 256],
        ] {
            assert_eq!(violation(names(&[(0, name)])), Violation::BadServerName);
        }
        assert!(names(&[(0, &[b'a'; 255])]).is_ok());
    }

    #[test]
    fn no_name_at_all_is_malformed() {
        assert_eq!(violation(names(&[])), Violation::MalformedExtension);
        assert_eq!(violation(names(&[(0, b"")])), Violation::MalformedExtension);
    }
}
