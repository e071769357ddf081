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

/// RFC 6066 §3: "HostName" contains the fully qualified DNS hostname of the server, represented as
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
