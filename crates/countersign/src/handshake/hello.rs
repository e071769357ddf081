//! What hellos negotiate: each choice is one function, with its error.

use std::borrow::Cow;

use crate::alert::Alert;
use crate::config::Config;
use crate::config::credential::Credential;
use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Negotiated, Result};
use crate::messages::{ClientHello, List, ProtocolName};

/// How much of what a peer offers goes into an error.
const SHOWN: usize = 12;

/// The first of our suites that the client offers.
///
/// RFC 9846 §4.2.3 leaves the order to the server. One that is otherwise alike but faster for
/// a client without AES hardware would be the client's first choice; ours are in our order.
pub(crate) fn choose_suite(config: &Config, hello: &ClientHello<'_>) -> Result<CipherSuite> {
    let offered = hello.cipher_suites;
    let ours = config.suites.iter().copied();
    ours.clone()
        .find(|suite| offered.contains(&suite.to_u16()))
        .ok_or_else(|| Error::NothingInCommon {
            what: Negotiated::CipherSuite,
            ours: enumerate(ours.map(|suite| suite.name().into())),
            theirs: enumerate(offered.iter().map(|code| {
                CipherSuite::from_u16(code)
                    .map_or_else(|| number(code), |suite| suite.name().into())
            })),
            alert: Alert::HandshakeFailure,
        })
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
        .ok_or_else(|| Error::NothingInCommon {
            what: Negotiated::Group,
            ours: enumerate(ours.map(|group| group.name().into())),
            theirs: enumerate(supported.iter().map(|code| {
                NamedGroup::from_u16(code).map_or_else(|| number(code), |group| group.name().into())
            })),
            alert: Alert::HandshakeFailure,
        })
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

/// A credential and a scheme in which its key signs and that the peer can verify: the
/// first credential that has one.
pub(crate) fn choose_credential<'c>(
    config: &'c Config,
    peer_schemes: List<'_, u16>,
) -> Option<(&'c Credential, SignatureScheme)> {
    let mut credentials = config.credentials.iter();
    credentials
        .find_map(|credential| Some((credential, choose_scheme(config, credential, peer_schemes)?)))
}

/// The first of our schemes in which the credential's key signs and that the peer can verify.
pub(crate) fn choose_scheme(
    config: &Config,
    credential: &Credential,
    peer_schemes: List<'_, u16>,
) -> Option<SignatureScheme> {
    let key = credential.signer().schemes();
    let fits =
        |scheme: &&SignatureScheme| key.contains(scheme) && peer_schemes.contains(&scheme.to_u16());
    config.signature_schemes.iter().find(fits).copied()
}

/// The error of a server whose credentials do not fit what the client can verify.
pub(crate) fn no_common_scheme(config: &Config, peer_schemes: List<'_, u16>) -> Error {
    let keys = config
        .credentials
        .iter()
        .flat_map(|credential| credential.signer().schemes());
    let ours = keys.filter(|scheme| config.signature_schemes.contains(scheme));
    Error::NothingInCommon {
        what: Negotiated::SignatureScheme,
        ours: enumerate(ours.map(|scheme| scheme.to_string().into())),
        theirs: enumerate(
            peer_schemes
                .iter()
                .map(|code| SignatureScheme::from(code).to_string().into()),
        ),
        alert: Alert::HandshakeFailure,
    }
}

/// The error of two ends without a common version of the protocol.
pub(crate) fn no_common_version(theirs: impl Iterator<Item = u16>) -> Error {
    Error::NothingInCommon {
        what: Negotiated::Version,
        ours: "TLS 1.3".to_owned(),
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
