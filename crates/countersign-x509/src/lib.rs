//! X.509 path validation.
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
mod drawing;
mod escape;
mod explain;
mod extensions;
mod general_name;
mod name;
mod oid;
mod parameters;
mod path;
mod profile;
mod public_key;
mod reason;
mod replay;
mod report;
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
pub use name::{Attribute, Name, RelativeName};
pub use oid::Oid;
pub use public_key::{EcCurve, KeyAlgorithm, PublicKeyInfo};
pub use time::Time;

pub use code::VerifyCode;
pub use drawing::Drawing;
pub use explain::explain;
pub use parameters::{
    Budget, ExpectedName, Parameters, Profile, Purpose, Revocation, ValidationTime,
};
pub use reason::{ConstraintFailure, Reason, RevocationFailure, Skip, StrictRule, WebPkiRule};
pub use replay::{Decision, Replayed, Step};
pub use report::{ChainLink, Check, CheckKind, Origin, Outcome, Report};
pub use store::{TrustError, TrustProblem, TrustStore};
pub use verify::verify;

pub use pki_types::{CertificateDer, ServerName, UnixTime};
