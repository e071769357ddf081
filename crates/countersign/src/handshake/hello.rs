//! What hellos negotiate: each choice is one function, with its error.

use std::borrow::Cow;

use countersign_x509::{Certificate, Name};

use crate::alert::Alert;
use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::established::ProtocolVersion;
use crate::crypto::finite_field::FiniteFieldGroup;
use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Negotiated, Result};
use crate::messages::{ClientHello, DistinguishedName, List, ProtocolName};
use crate::violation::Violation;

/// How much of what a peer offers goes into an error.
const SHOWN: usize = 12;

/// RFC 7507 §2: the client tried a newer version before and failed.
const FALLBACK_SCSV: u16 = 0x5600;

/// The version that hellos of SSL 3.0 have.
const SSL_3_0: u16 = 0x0300;

/// Demands that a hello is one of TLS. RFC 9846 §E.5: one of SSL 3.0 MUST be refused with `protocol_version`, whatever its
/// extensions say.
pub(crate) fn check_legacy_version(config: &Config, legacy_version: u16) -> Result<()> {
    if legacy_version <= SSL_3_0 {
        return Err(no_common_version(config, core::iter::once(legacy_version)));
    }
    Ok(())
}

/// The newest version that both ends have (RFC 9846 §4.3.1, RFC 5246 §E.1).
pub(crate) fn choose_version(config: &Config, hello: &ClientHello<'_>) -> Result<ProtocolVersion> {
    check_legacy_version(config, hello.legacy_version)?;
    let newest_first = [ProtocolVersion::Tls13, ProtocolVersion::Tls12];
    let ours = || {
        newest_first
            .into_iter()
            .filter(|version| config.offers(*version))
    };
    let chosen = match hello.extensions.supported_versions {
        // RFC 9846 §4.3.1: if the extension is present, servers MUST use only it.
        Some(theirs) => ours()
            .find(|version| theirs.contains(&version.to_u16()))
            .ok_or_else(|| no_common_version(config, theirs.iter()))?,
        // RFC 5246 §E.1: the highest that the client supports, and all below.
        None => ours()
            .filter(|version| *version != ProtocolVersion::Tls13)
            .find(|version| version.to_u16() <= hello.legacy_version)
            .ok_or_else(|| no_common_version(config, core::iter::once(hello.legacy_version)))?,
    };
    // RFC 7507 §3: if the server has a newer version than this client says it has, it MUST answer with
    // inappropriate_fallback: somebody made the client fall back.
    if hello.cipher_suites.contains(&FALLBACK_SCSV) && ours().any(|version| version > chosen) {
        return Err(Violation::InappropriateFallback.into());
    }
    Ok(chosen)
}

/// Demands that a client still has the version of the connection that it negotiates again.
pub(crate) fn check_version_kept(config: &Config, hello: &ClientHello<'_>) -> Result<()> {
    check_legacy_version(config, hello.legacy_version)?;
    let kept = ProtocolVersion::Tls12.to_u16();
    // RFC 5246 §E.1: the version MUST NOT be one that the client does not offer.
    match hello.extensions.supported_versions {
        Some(theirs) if theirs.contains(&kept) => Ok(()),
        None if hello.legacy_version >= kept => Ok(()),
        Some(theirs) => Err(no_common_version(config, theirs.iter())),
        None => Err(no_common_version(
            config,
            core::iter::once(hello.legacy_version),
        )),
    }
}

/// The first of our suites of TLS 1.3 that the client offers.
///
/// RFC 9846 §4.2.3 leaves the order to the server. One that is otherwise alike but faster for
/// a client without AES hardware would be the client's first choice; ours are in our order.
pub(crate) fn choose_suite(config: &Config, hello: &ClientHello<'_>) -> Result<CipherSuite> {
    let offered = hello.cipher_suites;
    config
        .suites_of(ProtocolVersion::Tls13)
        .find(|suite| offered.contains(&suite.to_u16()))
        .ok_or_else(|| no_common_suite(config, ProtocolVersion::Tls13, offered))
}

/// The error of two ends without a common suite of the version that was chosen.
pub(crate) fn no_common_suite(
    config: &Config,
    version: ProtocolVersion,
    theirs: List<'_, u16>,
) -> Error {
    Error::NothingInCommon {
        what: Negotiated::CipherSuite,
        ours: enumerate(config.suites_of(version).map(|suite| suite.name().into())),
        theirs: enumerate(theirs.iter().map(|code| {
            CipherSuite::from_u16(code).map_or_else(|| number(code), |suite| suite.name().into())
        })),
        alert: Alert::HandshakeFailure,
    }
}

/// The group of the key exchange, and whether the client sent a share for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupChoice {
    /// The client's share is there.
    Shared(NamedGroup),
    /// The client supports it but has to send a share first.
    Retry(NamedGroup),
}

/// The first of our groups for which the client sent a share; else, at the price of a round trip, the
/// first that it supports.
pub(crate) fn choose_group(config: &Config, hello: &ClientHello<'_>) -> Result<GroupChoice> {
    let supported = hello.extensions.supported_groups.unwrap_or_default();
    let shares = hello.extensions.key_share.unwrap_or_default();
    let has_share = |group: NamedGroup| shares.iter().any(|share| share.group == group.to_u16());
    let ours = config.groups.iter().copied();
    let common = || {
        ours.clone()
            .filter(|group| supported.contains(&group.to_u16()))
    };
    if let Some(group) = common().find(|group| has_share(*group)) {
        return Ok(GroupChoice::Shared(group));
    }
    common()
        .next()
        .map(GroupChoice::Retry)
        .ok_or_else(|| no_common_group(ours, supported))
}

/// The error of two ends without a common group.
pub(crate) fn no_common_group(
    ours: impl Iterator<Item = NamedGroup>,
    theirs: List<'_, u16>,
) -> Error {
    Error::NothingInCommon {
        what: Negotiated::Group,
        ours: enumerate(ours.map(|group| group.name().into())),
        theirs: group_names(theirs),
        alert: Alert::HandshakeFailure,
    }
}

/// The error of a server whose key is on a curve that the client does not name. In TLS 1.2 the groups of a client are
/// also the curves on which it can verify signatures (RFC 8422 §5.1.1).
pub(crate) fn no_common_curve(scheme: SignatureScheme, theirs: List<'_, u16>) -> Error {
    Error::NothingInCommon {
        what: Negotiated::Group,
        ours: format!("the curve of its key for {scheme}"),
        theirs: group_names(theirs),
        alert: Alert::HandshakeFailure,
    }
}

fn group_names(groups: List<'_, u16>) -> String {
    enumerate(groups.iter().map(|code| {
        NamedGroup::from_u16(code).map_or_else(|| number(code), |group| group.name().into())
    }))
}

/// The error of a client whose security level asks for more than the server's group has.
pub(crate) fn too_weak(config: &Config, group: FiniteFieldGroup) -> Error {
    Error::NothingInCommon {
        what: Negotiated::Group,
        ours: format!("groups of {} bits of strength", config.required_bits),
        theirs: format!("{group}, which has {}", group.security_bits()),
        alert: Alert::InsufficientSecurity,
    }
}

/// The first of our application protocols that the client offers; none if either side
/// has none.
pub(crate) fn choose_protocol(config: &Config, hello: &ClientHello<'_>) -> Result<Option<Vec<u8>>> {
    let Some(offered) = hello.extensions.alpn else {
        return Ok(None);
    };
    if config.alpn.is_empty() {
        return Ok(None);
    }
    let common = config
        .alpn
        .iter()
        .find(|protocol| offered.contains(&ProtocolName(protocol)));
    // RFC 7301 §3.2: no overlap SHALL be answered with no_application_protocol.
    common
        .cloned()
        .map(Some)
        .ok_or_else(|| Error::NothingInCommon {
            what: Negotiated::ApplicationProtocol,
            ours: enumerate(config.alpn.iter().map(|name| String::from_utf8_lossy(name))),
            theirs: enumerate(offered.iter().map(|name| String::from_utf8_lossy(name.0))),
            alert: Alert::NoApplicationProtocol,
        })
}

/// What a peer says about the certificate that it wants to see.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The version of the handshake that is to be signed.
    pub(crate) version: ProtocolVersion,
    /// The schemes in which it can verify.
    pub(crate) schemes: List<'a, u16>,
    /// The names of the authorities that it accepts. Empty: it names none.
    pub(crate) authorities: List<'a, DistinguishedName<'a>>,
}

/// A credential and a scheme in which its key signs and that the peer can verify: the first with an
/// issuer that the peer names, else the first that may be shown to anybody.
pub(crate) fn choose_credential<'c>(
    config: &'c Config,
    wanted: Wanted<'_>,
) -> Option<(&'c Credential, SignatureScheme)> {
    choose_credential_that(config, wanted, |_| true)
}

/// The same, among those that are `suitable`.
pub(crate) fn choose_credential_that<'c>(
    config: &'c Config,
    wanted: Wanted<'_>,
    suitable: impl Fn(&Credential) -> bool,
) -> Option<(&'c Credential, SignatureScheme)> {
    let usable = || {
        let credentials = config.credentials.iter().filter(|own| suitable(own));
        credentials.filter_map(|own| Some((own, choose_scheme(config, own, wanted)?)))
    };
    let names = || wanted.authorities.iter().map(|name| name.0);
    usable()
        .find(|(credential, _)| credential.is_issued_by_one_of(names()))
        .or_else(|| usable().find(|(credential, _)| credential.is_for_anybody()))
}

/// The first of our schemes in which the credential's key signs and that the peer can verify.
pub(crate) fn choose_scheme(
    config: &Config,
    credential: &Credential,
    wanted: Wanted<'_>,
) -> Option<SignatureScheme> {
    let key = credential.signer().schemes();
    config
        .signing_schemes_of(wanted.version)
        .find(|scheme| key.contains(scheme) && wanted.schemes.contains(&scheme.to_u16()))
}

/// The error of a server whose certificates do not let their keys sign.
pub(crate) fn no_key_that_signs(peer_schemes: List<'_, u16>) -> Error {
    let theirs = peer_schemes.iter();
    let theirs = theirs.map(|code| SignatureScheme::from(code).to_string().into());
    Error::NothingInCommon {
        what: Negotiated::SignatureScheme,
        ours: "none, as the keyUsage of its certificate lacks digitalSignature".to_owned(),
        theirs: enumerate(theirs),
        alert: Alert::HandshakeFailure,
    }
}

/// The error of a side that has to show a certificate and has none that fits.
pub(crate) fn no_fitting_credential(
    config: &Config,
    credentials: &[Credential],
    wanted: Wanted<'_>,
) -> Error {
    let credentials = credentials.iter();
    let can_sign = credentials
        .clone()
        .any(|credential| choose_scheme(config, credential, wanted).is_some());
    let (what, ours, theirs) = if can_sign {
        let certificates = credentials.flat_map(Credential::certificates);
        let issuers = certificates.filter_map(|der| Some(Certificate::parse(der).ok()?.issuer()));
        let names = wanted.authorities.iter();
        let names = names.filter_map(|name| Name::from_der(name.0).ok());
        (
            Negotiated::Authority,
            enumerate(issuers.map(|name| name.to_string().into())),
            enumerate(names.map(|name| name.to_string().into())),
        )
    } else {
        let keys = credentials.flat_map(|credential| credential.signer().schemes());
        let ours = keys.filter(|scheme| config.signing_schemes.contains(scheme));
        let theirs = wanted.schemes.iter().map(SignatureScheme::from);
        (
            Negotiated::SignatureScheme,
            enumerate(ours.map(|scheme| scheme.to_string().into())),
            enumerate(theirs.map(|scheme| scheme.to_string().into())),
        )
    };
    Error::NothingInCommon {
        what,
        ours,
        theirs,
        alert: Alert::HandshakeFailure,
    }
}

/// The error of two ends without a common version of the protocol.
pub(crate) fn no_common_version(config: &Config, theirs: impl Iterator<Item = u16>) -> Error {
    let ours = [ProtocolVersion::Tls12, ProtocolVersion::Tls13].into_iter();
    let ours = ours.filter(|version| config.offers(*version));
    Error::NothingInCommon {
        what: Negotiated::Version,
        ours: enumerate(ours.map(|version| version.to_string().into())),
        theirs: enumerate(theirs.filter_map(version_name)),
        alert: Alert::ProtocolVersion,
    }
}

fn version_name(code: u16) -> Option<Cow<'static, str>> {
    Some(match code {
        0x0300 => "SSL 3".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        // RFC 8701: values that only look whether they are ignored.
        grease if grease & 0x0f0f == 0x0a0a => return None,
        other => number(other),
    })
}

fn number(code: u16) -> Cow<'static, str> {
    format!("{code:#06x}").into()
}

/// Names in a row, escaped, as many as can be read.
fn enumerate<'n>(names: impl Iterator<Item = Cow<'n, str>>) -> String {
    let mut shown = String::new();
    for (index, name) in names.enumerate() {
        if index == SHOWN {
            shown.push_str(", …");
            break;
        }
        if index > 0 {
            shown.push_str(", ");
        }
        shown.extend(name.chars().take(64).flat_map(char::escape_debug));
    }
    if shown.is_empty() {
        "nothing".to_owned()
    } else {
        shown
    }
}
