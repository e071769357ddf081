//! What a peer sent to be verified.

use core::fmt;

use pki_types::CertificateDer;

/// The certificates a peer sent, and what it stapled to them.
///
/// ```
/// use countersign_x509::*;
/// # let made = rcgen::generate_simple_self_signed(["db.example".to_owned()])?;
/// # let chain = [made.cert.der().clone()];
/// # let stapled = [0x30, 0x03, 0x0a, 0x01, 0x03];
/// # let trust = TrustStore::from_der(chain.clone())?;
/// let responses = [&stapled[..]];
/// let presented = Presented::new(&chain).with_ocsp_responses(&responses);
/// let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked)
///     .with_stapling(Stapling::Leaf);
/// let report = verify_presented(presented, &trust, &parameters);
/// # assert!(report.is_accepted(), "a self-signed certificate needs no response");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    pub(crate) certificates: &'a [CertificateDer<'a>],
    pub(crate) ocsp_responses: &'a [&'a [u8]],
}

impl<'a> Presented<'a> {
    /// Certificates, the peer's own first, with nothing stapled to them.
    pub const fn new(certificates: &'a [CertificateDer<'a>]) -> Self {
        Self {
            certificates,
            ocsp_responses: &[],
        }
    }

    /// Adds DER-encoded OCSP responses (RFC 6960 `OCSPResponse`), in any order: a response says
    /// itself which certificate it is about. TLS has them in `status_request` (RFC 6066 §8,
    /// RFC 9846 §4.4.2.1). They count if [`Parameters::stapling`] says so.
    ///
    /// [`Parameters::stapling`]: crate::Parameters::stapling
    pub const fn with_ocsp_responses(mut self, responses: &'a [&'a [u8]]) -> Self {
        self.ocsp_responses = responses;
        self
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("certificates", &self.certificates.len())
            .field("ocsp_responses", &self.ocsp_responses.len())
            .finish()
    }
}
