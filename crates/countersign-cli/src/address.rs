//! `HOST[:PORT]` as people write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A server to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// A host name or an IP address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

const HTTPS: u16 = 443;

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err("give HOST or HOST:PORT, not a URL".into());
        }
        let (host, port) = split(text)?;
        if host.is_empty() {
            return Err("the host is missing".into());
        }
        if host.parse::<IpAddr>().is_err() && !host.bytes().all(is_host_byte) {
            return Err("the host holds characters that no host name has".into());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.map_or(Ok(HTTPS), parse_port)?,
        })
    }
}

/// Separates the host from the port; an IPv6 address stands in brackets if a port follows.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("the closing ] is missing")?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err("between [ and ] belongs an IPv6 address".into());
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("after ] comes :PORT or nothing".into()),
        };
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if all_digits && port != 0 => Ok(port),
        _ => Err("the port is a number from 1 to 65535".into()),
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// `ADDRESS:PORT` of this machine.
pub(crate) fn to_listen_on(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "give an IP address and a port, as 127.0.0.1:4433, [::1]:4433 or 0.0.0.0:4433 for all addresses".into()
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn every_way_to_write_a_server_is_understood() {
        for (text, meaning) in [
            ("example.org", "example.org:443"),
            ("example.org:8443", "example.org:8443"),
            ("192.0.2.7", "192.0.2.7:443"),
            ("192.0.2.7:1", "192.0.2.7:1"),
            ("::1", "[::1]:443"),
            ("[::1]", "[::1]:443"),
            ("[2001:db8::7]:65535", "[2001:db8::7]:65535"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), meaning);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ":443",
            "host:",
            "host:0",
            "host:65536",
            "host:+1",
            "host:1:2",
            "[::1",
            "[::1]443",
            "[host]:1",
            "https://example.org",
            "a b",
            "evil\u{1b}[m",
            "host/path",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }
}
