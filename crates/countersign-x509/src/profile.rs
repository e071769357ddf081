//! Which checks a profile makes of which certificates of a chain: one table.

use crate::parameters::Profile;
use crate::report::CheckKind;

/// The place of a certificate in its chain. The last certificate of a chain of several is in the
/// anchor's place, whether it is trusted or not; a lone certificate is a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Leaf,
    Intermediate,
    Anchor,
}

impl Place {
    pub(crate) fn of(depth: usize, length: usize) -> Self {
        match depth.checked_add(1) {
            _ if depth == 0 => Self::Leaf,
            Some(next) if next == length => Self::Anchor,
            _ => Self::Intermediate,
        }
    }
}

/// Places as a string of letters, so that the table below can be read at a glance.
const fn holds(places: &str, place: Place) -> bool {
    let wanted = match place {
        Place::Leaf => b'L',
        Place::Intermediate => b'I',
        Place::Anchor => b'A',
    };
    let [leaf, intermediate, anchor] = *places.as_bytes() else {
        return false;
    };
    leaf == wanted || intermediate == wanted || anchor == wanted
}

/// Does the profile make this check of a certificate in this place?
///
/// `L` leaf, `I` intermediate, `A` anchor (or last certificate). A check that looks at two
/// certificates is placed where it is reported: key usage for signing at the issuer, signature
/// at the certificate signed.
#[rustfmt::skip]
#[allow(clippy::match_same_arms, reason = "one row for each check")]
pub(crate) const fn applies(profile: Profile, kind: CheckKind, place: Place) -> bool {
    use CheckKind as K;
    let (openssl, webpki) = match kind {
        //                        OpenSSL  WebPki
        K::Encoding           => ("LIA",   "LIA"),
        K::KeyStrength        => ("LIA",   "LIA"),
        K::ChainLength        => ("LIA",   "LIA"),
        K::Trust              => ("LIA",   "LIA"),
        K::CriticalExtensions => ("LIA",   "LIA"),
        K::ProxyCertificate   => ("LIA",   "LI-"),
        K::BasicConstraints   => ("-IA",   "-IA"),
        K::CurveParameters    => ("LIA",   "LIA"),
        K::Strict             => ("LIA",   "---"),
        K::WebPki             => ("---",   "LIA"),
        K::Purpose            => ("LIA",   "LI-"),
        // Two places above the leaf at least, for OpenSSL; see `checks::usage`.
        K::PathLength         => ("-IA",   "-IA"),
        K::SignatureStrength  => ("LI-",   "LI-"),
        K::HostName           => ("L--",   "L--"),
        K::Email              => ("L--",   "L--"),
        K::IpAddress          => ("L--",   "L--"),
        K::Uri                => ("L--",   "L--"),
        K::PublicKey          => ("L--",   "L--"),
        K::Ocsp               => ("LI-",   "LI-"),
        K::Revocation         => ("LIA",   "LI-"),
        K::IssuerKeyUsage     => ("-IA",   "-IA"),
        K::Signature          => ("LI-",   "LI-"),
        // RFC 5280 §6.1.1 (d) leaves the anchor's dates aside; looking at them is stricter.
        K::NotBefore          => ("LIA",   "LIA"),
        K::NotAfter           => ("LIA",   "LIA"),
        K::NameConstraints    => ("LIA",   "LIA"),
        // The chain as a whole.
        K::Policies           => ("L--",   "L--"),
        // Made in place of all of these, by another.
        K::Application        => ("---",   "---"),
    };
    match profile {
        Profile::OpenSsl => holds(openssl, place),
        Profile::WebPki => holds(webpki, place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(Place::of(0, 1), Place::Leaf);
        assert_eq!(Place::of(0, 3), Place::Leaf);
        assert_eq!(Place::of(1, 3), Place::Intermediate);
        assert_eq!(Place::of(2, 3), Place::Anchor);
    }

    #[test]
    fn the_table_is_read_right() {
        let openssl = |kind, place| applies(Profile::OpenSsl, kind, place);
        assert!(openssl(CheckKind::NotAfter, Place::Anchor));
        assert!(!applies(Profile::WebPki, CheckKind::Purpose, Place::Anchor));
        assert!(!openssl(CheckKind::BasicConstraints, Place::Leaf));
        assert!(openssl(CheckKind::HostName, Place::Leaf));
        assert!(!openssl(CheckKind::HostName, Place::Intermediate));
    }
}
