//! Bounds on what a peer can make a connection do or keep.

/// Bounds on what a peer can make a connection do or keep. The defaults are generous to
/// every peer seen in practice.
///
/// ```
/// use countersign::Limits;
/// let mut limits = Limits::default();
/// limits.certificates = 4;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest handshake message, in bytes: 128 KiB
    /// (`SSL_CTX_set_max_cert_list`, 100 KiB there). Only a Certificate may have as much; all others have at most 65 KiB.
    pub message_size: usize,
    /// All handshake messages of one handshake together, in bytes: 256 KiB.
    pub handshake_size: usize,
    /// Certificates in one message: 64.
    pub certificates: usize,
    /// Warning alerts in a row: 4.
    pub warnings: u32,
    /// Empty records of application data in a row: 32.
    pub empty_records: u32,
    /// KeyUpdates without application data between them: 32.
    pub key_updates: u32,
    /// NewSessionTickets and other messages after the handshake without application data
    /// between them: 64.
    pub messages_after_handshake: u32,
    /// Renegotiations on one connection, whoever starts them (TLS 1.2): 16.
    pub renegotiations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 128 * 1024,
            handshake_size: 256 * 1024,
            certificates: 64,
            warnings: 4,
            empty_records: 32,
            key_updates: 32,
            messages_after_handshake: 64,
            renegotiations: 16,
        }
    }
}
