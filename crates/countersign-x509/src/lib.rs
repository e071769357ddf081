//! X.509 path validation that says everything it found.
//!
//! [`verify`] takes the certificates a peer sent, a [`TrustStore`] and [`Parameters`], and returns a
//! [`Report`]: the chain that was built and every check that was made of it, passed, failed or left
//! out and why. From the report follow
//!
//! * the verdict and OpenSSL's result code ([`Report::is_accepted`], [`Report::code`]);
//! * OpenSSL's verify callback, call by call ([`Report::replay`]);
//! * a sentence and an advice for the user ([`Report::sentence`], [`Report::advice`]), and a
//!   drawing of the chain ([`Report::drawing`]).
//!
//! [`Profile::OpenSsl`] comes to the results of OpenSSL 3.6; [`Profile::WebPki`] is stricter and
//! searches harder, for certificates of public CAs. Certificates, revocation lists and names can be
//! read on their own, too: see [`Certificate`], [`CertificateList`], [`Name`].
//!
//! Whether a certificate is revoked is told by lists in the trust store ([`Parameters::revocation`])
//! or by stapled OCSP responses ([`Parameters::stapling`], [`verify_presented`]); certificate
//! policies are checked on request ([`Parameters::policies`]). A [`SignatureMemory`] saves verifying
//! the signatures of those who come back.
//!
//! The crate knows nothing of TLS, has no clock and does no input or output, but for reading files
//! into a trust store when asked to. Parsing copies nothing, and no certificate makes it panic.
//!
//! ```
//! use countersign_x509::*;
//! # let made = rcgen::generate_simple_self_signed(["db.example".to_owned()])?;
//! # let der = made.cert.der().clone();
//! # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_780_272_000));
//!
//! let trust = TrustStore::from_der([der.clone()])?;
//! let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
//!     .with_name(ExpectedName::host("www.example"));
//! let report = verify(&[der], &trust, &parameters);
//!
//! assert_eq!(report.code(), VerifyCode::HOSTNAME_MISMATCH);
//! assert!(report.sentence().starts_with("The server's certificate is not for www.example"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! None is on by default. `system-roots` adds [`TrustStore`]`::from_system`, `mozilla-roots` adds
//! [`TrustStore`]`::mozilla`, and `serde` makes reports serializable.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

mod algorithm;
mod certificate;
mod checks;
mod code;
mod crl;
mod der;
mod display;
mod drawing;
mod encoding;
mod escape;
mod explain;
mod extensions;
mod general_name;
mod meter;
mod name;
mod not_chosen;
mod ocsp;
mod oid;
mod parameters;
mod path;
mod presented;
mod profile;
mod public_key;
mod reason;
mod replay;
mod report;
#[cfg(feature = "serde")]
mod serialize;
mod signature_memory;
mod store;
mod text;
mod time;
mod verify;

pub use algorithm::{AlgorithmIdentifier, Digest, PssParameters, SignatureAlgorithm};
pub use certificate::{Certificate, Signed, Version};
pub use checks::signature::{
    SignatureFault, verify_certificate_signature, verify_crl_signature, verify_signature,
};
pub use crl::{CertificateList, Entries, RevocationReason, RevokedCertificate};
pub use der::{List, ListIter, Malformed, ParseError};
pub use escape::Escaped;
pub use extensions::constraints::{BasicConstraints, NameConstraints, Subtree, Subtrees};
pub use extensions::distribution::{
    CrlScope, DistributionPoint, DistributionPointName, DistributionPoints,
    IssuingDistributionPoint, ReasonFlags,
};
pub use extensions::identifiers::{AccessDescription, AccessDescriptions, AuthorityKeyIdentifier};
pub use extensions::policies::{
    CertificatePolicies, PolicyConstraints, PolicyInformation, PolicyMapping, PolicyMappings,
};
pub use extensions::usage::{ExtendedKeyUsage, KeyUsage, NetscapeCertType, TlsFeatures};
pub use extensions::{Extension, ExtensionKind, Extensions};
pub use general_name::{GeneralName, GeneralNames};
pub use meter::Effort;
pub use name::{Attribute, Name, RelativeName};
pub use not_chosen::{Obstacle, PathNotChosen};
pub use ocsp::{
    BasicOcspResponse, CertificateId, OcspResponse, OcspResponseStatus, OcspStatus, ResponderId,
    SingleResponse, SingleResponses,
};
pub use oid::{InvalidOid, Oid, OwnedOid};
pub use public_key::{EcCurve, KeyAlgorithm, PublicKeyInfo};
pub use time::Time;

pub use code::VerifyCode;
pub use drawing::Drawing;
pub use encoding::UnreadableReport;
pub use explain::explain;
pub use parameters::{
    Budget, ExpectedName, Parameters, PolicyRequirements, Profile, Purpose, Revocation, Stapling,
    SubjectNames, ValidationTime,
};
pub use presented::Presented;
pub use reason::{
    ConstraintFailure, OcspFailure, PolicyFailure, Reason, RevocationFailure, Skip, StrictRule,
    WebPkiRule,
};
pub use replay::{Decision, Replayed, Step};
pub use report::{ChainLink, Check, CheckKind, Origin, Outcome, Report};
pub use signature_memory::SignatureMemory;
pub use store::{TrustError, TrustProblem, TrustStore};
pub use verify::{verify, verify_presented};

// Its types are part of this interface, so a program needs them in the same version.
pub use pki_types;
pub use pki_types::{CertificateDer, ServerName, UnixTime};
