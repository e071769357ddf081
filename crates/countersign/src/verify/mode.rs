//! [`VerifyMode`]: OpenSSL's verification flags, with OpenSSL's values.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Role {
    /// The end that connects.
    Client,
    /// The end that accepts.
    Server,
}

impl Role {
    /// The other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// How the peer is verified: the flags of `SSL_CTX_set_verify(3)`, with its bit values.
///
/// | flag | value | on a server | on a client |
/// |---|---|---|---|
/// | [`NONE`](Self::NONE) | 0 | asks for no certificate | checks and reports, never refuses |
/// | [`PEER`](Self::PEER) | 1 | asks; a certificate that fails ends the handshake, none at all does not | a certificate that fails ends the handshake |
/// | [`FAIL_IF_NO_PEER_CERT`](Self::FAIL_IF_NO_PEER_CERT) | 2 | no certificate ends the handshake too | ignored |
/// | [`CLIENT_ONCE`](Self::CLIENT_ONCE) | 4 | asks at most once on a connection | ignored |
/// | [`POST_HANDSHAKE`](Self::POST_HANDSHAKE) | 8 | TLS 1.3: asks not in the handshake but when told to | ignored |
///
/// Every other flag must be used together with `PEER`: a configuration with a flag but
/// without `PEER` is refused when it is built, because it would verify nobody.
/// ([`from_openssl`](Self::from_openssl) reads such values as OpenSSL does.)
///
/// ```
/// use countersign::VerifyMode;
/// let mode = VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT;
/// assert_eq!(mode.bits(), 3);
/// assert!(mode.contains(VerifyMode::PEER));
/// assert_eq!(mode.to_string(), "PEER | FAIL_IF_NO_PEER_CERT");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct VerifyMode(u8);

impl VerifyMode {
    /// Server: the client is asked for nothing. Client: the server's certificate is checked
    /// and the report kept, but the handshake goes on whatever it says (`SSL_VERIFY_NONE`).
    pub const NONE: Self = Self(0);

    /// Server: a certificate is requested; one that fails the checks ends the handshake, an
    /// empty answer does not. Client: a certificate that fails the checks ends the
    /// handshake (`SSL_VERIFY_PEER`).
    pub const PEER: Self = Self(1);

    /// Server: a client that answers the request without a certificate is refused, with the
    /// alert `certificate_required`. Client: ignored (`SSL_VERIFY_FAIL_IF_NO_PEER_CERT`).
    pub const FAIL_IF_NO_PEER_CERT: Self = Self(2);

    /// Server: at most one certificate request on a connection, however often it
    /// authenticates again. Client: ignored (`SSL_VERIFY_CLIENT_ONCE`).
    pub const CLIENT_ONCE: Self = Self(4);

    /// Server: under TLS 1.3 no certificate is requested in the handshake; it is requested
    /// later, when the application says so. Client: ignored (`SSL_VERIFY_POST_HANDSHAKE`).
    pub const POST_HANDSHAKE: Self = Self(8);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::PEER, "PEER"),
        (Self::FAIL_IF_NO_PEER_CERT, "FAIL_IF_NO_PEER_CERT"),
        (Self::CLIENT_ONCE, "CLIENT_ONCE"),
        (Self::POST_HANDSHAKE, "POST_HANDSHAKE"),
    ];

    /// Reads a mode as OpenSSL does, which accepts every combination: on a client any flag
    /// acts as `PEER`, on a server the flags without `PEER` do nothing.
    /// Bits beyond the four flags count as a flag, as they do there.
    ///
    /// ```
    /// use countersign::{Role, VerifyMode};
    /// assert_eq!(VerifyMode::from_openssl(2, Role::Client), VerifyMode::PEER);
    /// assert_eq!(VerifyMode::from_openssl(2, Role::Server), VerifyMode::NONE);
    /// ```
    pub const fn from_openssl(bits: u32, role: Role) -> Self {
        match role {
            Role::Client if bits == 0 => Self::NONE,
            Role::Client => Self::PEER,
            Role::Server if bits & 1 == 0 => Self::NONE,
            Role::Server => {
                let mut mode = Self::PEER;
                if bits & 2 != 0 {
                    mode = mode.with(Self::FAIL_IF_NO_PEER_CERT);
                }
                if bits & 4 != 0 {
                    mode = mode.with(Self::CLIENT_ONCE);
                }
                if bits & 8 != 0 {
                    mode = mode.with(Self::POST_HANDSHAKE);
                }
                mode
            }
        }
    }

    /// The value that OpenSSL gives this mode.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every flag of `flags` is set. Everything contains `NONE`.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// This mode with the flags of `other` as well.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This mode without the flags of `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the mode can be used: every flag needs `PEER` beside it.
    pub const fn is_usable(self) -> bool {
        self.0 == 0 || self.contains(Self::PEER)
    }
}

impl BitOr for VerifyMode {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitOrAssign for VerifyMode {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.with(other);
    }
}

impl fmt::Display for VerifyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("NONE");
        }
        let mut separator = "";
        for (_, name) in Self::NAMES
            .into_iter()
            .filter(|(flag, _)| self.contains(*flag))
        {
            write!(f, "{separator}{name}")?;
            separator = " | ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, VerifyMode};

    #[test]
    fn all_sixteen_values_read_as_openssl_reads_them() {
        for bits in 0..16u32 {
            let client = VerifyMode::from_openssl(bits, Role::Client);
            assert_eq!(
                client,
                if bits == 0 {
                    VerifyMode::NONE
                } else {
                    VerifyMode::PEER
                }
            );
            let server = VerifyMode::from_openssl(bits, Role::Server);
            let expected = if bits & 1 == 0 { 0 } else { bits };
            assert_eq!(u32::from(server.bits()), expected);
            assert!(client.is_usable() && server.is_usable());
        }
    }

    #[test]
    fn flags_without_peer_are_not_usable() {
        assert!(!VerifyMode::FAIL_IF_NO_PEER_CERT.is_usable());
        assert!(!(VerifyMode::CLIENT_ONCE | VerifyMode::POST_HANDSHAKE).is_usable());
        assert!((VerifyMode::PEER | VerifyMode::CLIENT_ONCE).is_usable());
        assert!(VerifyMode::NONE.is_usable());
    }
}
