//! Numbers for everything that is one of several. A number never gets another meaning: new variants get
//! new numbers.

use super::UnreadableReport;
use crate::checks::signature::SignatureFault;
use crate::crl::RevocationReason;
use crate::der::Malformed;
use crate::parameters::Purpose;
use crate::reason::{
    ConstraintFailure, OcspFailure, PolicyFailure, RevocationFailure, Skip, StrictRule, WebPkiRule,
};
use crate::report::CheckKind;

/// One of several things, as an octet.
pub(super) trait Numbered: Sized {
    fn number(self) -> u8;

    fn from_number(number: u8) -> Result<Self, UnreadableReport>;
}

macro_rules! numbered {
    ($name:ident { $($number:literal $variant:ident,)* }) => {
        impl Numbered for $name {
            fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $number,)*
                }
            }

            fn from_number(number: u8) -> Result<Self, UnreadableReport> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(UnreadableReport),
                }
            }
        }
    };
}

numbered! {
    Purpose {
        0 ServerAuth,
        1 ClientAuth,
        2 Any,
    }
}

numbered! {
    CheckKind {
        0 Encoding,
        1 KeyStrength,
        2 ChainLength,
        3 Trust,
        4 CriticalExtensions,
        5 ProxyCertificate,
        6 BasicConstraints,
        7 CurveParameters,
        8 Strict,
        9 WebPki,
        10 Purpose,
        11 PathLength,
        12 SignatureStrength,
        13 HostName,
        14 Email,
        15 IpAddress,
        16 Uri,
        17 PublicKey,
        18 Ocsp,
        19 Revocation,
        20 IssuerKeyUsage,
        21 Signature,
        22 NotBefore,
        23 NotAfter,
        24 NameConstraints,
        25 Policies,
        26 Application,
    }
}

numbered! {
    Skip {
        0 NotRequested,
        1 NotInProfile,
        2 NothingToCheck,
        3 TimeUnchecked,
        4 StatusKnown,
        5 LeftToLists,
        6 SelfSigned,
        7 Unanchored,
    }
}

numbered! {
    SignatureFault {
        0 AlgorithmsDiffer,
        1 UnknownAlgorithm,
        2 UnsupportedAlgorithm,
        3 AlgorithmDoesNotFitKey,
        4 UnreadableKey,
        5 Wrong,
    }
}

numbered! {
    RevocationReason {
        0 Unspecified,
        1 KeyCompromise,
        2 CaCompromise,
        3 AffiliationChanged,
        4 Superseded,
        5 CessationOfOperation,
        6 CertificateHold,
        7 RemoveFromCrl,
        8 PrivilegeWithdrawn,
        9 AaCompromise,
    }
}

numbered! {
    StrictRule {
        0 OldStyleCa,
        1 PathLengthWithoutCa,
        2 PathLengthWithoutCertSign,
        3 BasicConstraintsNotCritical,
        4 CaWithoutKeyUsage,
        5 CertSignWithoutCa,
        6 EmptyIssuer,
        7 EmptySubject,
        8 AlternativeNamesNotCritical,
        9 NoAlternativeNames,
        10 SignatureAlgorithmsDiffer,
        11 NoAuthorityKeyIdentifier,
        12 NoSubjectKeyIdentifier,
        13 ExtensionsBeforeVersion3,
    }
}

numbered! {
    WebPkiRule {
        0 NotVersion3,
        1 SerialNumber,
        2 EmptyIssuer,
        3 EmptySubject,
        4 AuthorityKeyIdentifier,
        5 SubjectKeyIdentifier,
        6 BasicConstraints,
        7 KeyUsage,
        8 NameConstraints,
        9 AuthorityInformationAccess,
        10 PolicyConstraints,
        11 AlternativeNames,
        12 CommonName,
        13 LeafIsCa,
        14 ExtendedKeyUsage,
        15 Key,
        16 SignatureAlgorithm,
    }
}

numbered! {
    RevocationFailure {
        0 NoList,
        1 NoIssuer,
        2 IssuerMayNotSign,
        3 OtherScope,
        4 NotYetValid,
        5 Expired,
        6 IssuerKeyUnreadable,
        7 BadSignature,
        8 IssuerNotValid,
        9 UnknownCriticalExtension,
    }
}

numbered! {
    OcspFailure {
        0 MustStaple,
        1 ResponderNotAuthorized,
        2 ResponderUnknown,
        3 CertificateUnknown,
        4 Unusable,
        5 UnknownCriticalExtension,
        6 BadSignature,
        7 SignatureTooWeak,
        8 NotYetValid,
        9 Expired,
        10 NoResponse,
    }
}

numbered! {
    ConstraintFailure {
        0 NotPermitted,
        1 Excluded,
        2 MinimumOrMaximum,
        3 UnsupportedKind,
        4 ConstraintSyntax,
        5 NameSyntax,
        6 TooMany,
    }
}

numbered! {
    PolicyFailure {
        0 Contradictory,
        1 TooMany,
        2 NoneAcceptable,
    }
}

numbered! {
    Malformed {
        0 Truncated,
        1 TrailingData,
        2 UnexpectedTag,
        3 LongTag,
        4 IndefiniteLength,
        5 NonMinimalLength,
        6 ExcessiveLength,
        7 NonCanonicalBoolean,
        8 EmptyInteger,
        9 NonMinimalInteger,
        10 NegativeInteger,
        11 BadBitString,
        12 BadObjectIdentifier,
        13 NonAscii,
        14 BadNull,
        15 BadTime,
        16 BadNotBefore,
        17 BadNotAfter,
        18 BadThisUpdate,
        19 BadNextUpdate,
        20 UnknownVersion,
        21 BadName,
        22 UnknownGeneralName,
        23 EmptyDistributionPoint,
        24 DuplicateExtension,
        25 TooManyExtensions,
        26 UnknownReason,
        27 UnknownResponseStatus,
        28 UnknownResponseType,
    }
}
