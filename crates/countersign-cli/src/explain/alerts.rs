//! What each TLS alert means to the person who meets it.

use countersign::Alert;

/// What is known about an alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// What it says, as a clause without a full stop.
    pub meaning: &'static str,
    /// What is most often behind it.
    pub usual_cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Every alert that has a name, by number.
pub(super) fn all() -> impl Iterator<Item = Alert> {
    (0..=u8::MAX)
        .map(Alert::from)
        .filter(|alert| !matches!(alert, Alert::Unknown(_)))
}

/// What is known about this alert.
pub(super) fn known(alert: Alert) -> Known {
    let (meaning, usual_cause, remedy) = about_certificates(alert)
        .or_else(|| about_negotiation(alert))
        .or_else(|| about_the_protocol(alert))
        .unwrap_or((
            "an alert without a meaning of its own",
            "the peer uses a number that no standard assigns",
            "ask the operator of the peer",
        ));
    Known {
        meaning,
        usual_cause,
        remedy,
    }
}

type Row = Option<(&'static str, &'static str, &'static str)>;

fn about_certificates(alert: Alert) -> Row {
    Some(match alert {
        Alert::BadCertificate => (
            "a certificate was corrupt or refused",
            "the certificate is for another name, not valid yet, or cannot be read",
            "compare the name that was asked for with the names in the certificate, and the clocks of both sides",
        ),
        Alert::UnsupportedCertificate => (
            "a certificate of an unsupported kind, or for another purpose",
            "a server's certificate was used by a client, or the reverse",
            "use a certificate whose extended key usage allows what it is used for",
        ),
        Alert::CertificateRevoked => (
            "a certificate was revoked by its issuer",
            "its key was lost, or it was replaced by another",
            "install the certificate that replaces it, or have a new one issued",
        ),
        Alert::CertificateExpired => (
            "a certificate has expired or is not yet valid",
            "it was not renewed in time, or the other side's clock is wrong",
            "renew the certificate where it is used, or correct the clock of the side that sent the alert",
        ),
        Alert::CertificateUnknown => (
            "a certificate was refused for a reason without an alert of its own",
            "the side that sent the alert has rules of its own",
            "look at the log of the side that sent the alert",
        ),
        Alert::UnknownCa => (
            "no chain leads from the certificate to an authority that is trusted",
            "an intermediate certificate was not sent, or the root is not in the trust store of the side that sent the alert",
            "send the full chain, or have the root added to that trust store",
        ),
        Alert::AccessDenied => (
            "the certificate is valid, but its owner may not do this",
            "the identity in the certificate is not on the list of those who may",
            "ask the operator of the peer for access, or present another certificate",
        ),
        Alert::DecryptError => (
            "a signature or a Finished message does not verify",
            "a certificate's signature is not its issuer's, or the private key is not the certificate's",
            "send the chain as it was issued, with the key that belongs to it",
        ),
        Alert::BadCertificateStatusResponse => (
            "a stapled OCSP response was refused",
            "the response is out of date, or for another certificate",
            "have the server fetch a new OCSP response",
        ),
        Alert::CertificateRequired => (
            "a client certificate is required and none was sent",
            "no certificate is configured in the client, or none of an authority that the server named",
            "configure a client certificate of an authority that the server trusts",
        ),
        _ => return None,
    })
}

fn about_negotiation(alert: Alert) -> Row {
    Some(match alert {
        Alert::HandshakeFailure => (
            "the two sides have no acceptable parameters in common",
            "no cipher suite, group or signature algorithm is known to both",
            "compare what both sides are configured to allow",
        ),
        Alert::ProtocolVersion => (
            "the peer's protocol versions are not supported",
            "one side speaks only versions that the other has switched off",
            "allow a version on both sides that both know, TLS 1.3 if possible",
        ),
        Alert::InsufficientSecurity => (
            "the parameters that the peer offers are not secure enough",
            "one side demands stronger algorithms than the other has",
            "allow stronger algorithms on the side that offered weak ones",
        ),
        Alert::InappropriateFallback => (
            "a client tried again with a lower version than it speaks",
            "the first try failed for another reason, or somebody between interferes",
            "find out why the first try failed, and switch the retry off",
        ),
        Alert::MissingExtension => (
            "an extension that is required was not sent",
            "the peer's TLS is incomplete, or something between has changed the handshake",
            "update the TLS library of the side that left it out",
        ),
        Alert::UnsupportedExtension => (
            "an extension was sent that may not be sent here",
            "the side that sent it answered what was never asked",
            "update the TLS library of the side that sent it",
        ),
        Alert::UnrecognizedName => (
            "the server has no certificate for the name that was asked for",
            "the name is misspelt, or the server is not configured for it",
            "check the name, and the names that the server is configured for",
        ),
        Alert::UnknownPskIdentity => (
            "the server does not know this pre-shared key",
            "the key was configured on one side only",
            "configure the same key under the same name on both sides",
        ),
        Alert::NoApplicationProtocol => (
            "the two sides have no application protocol in common",
            "the client offers by ALPN what the server does not speak",
            "offer a protocol that the server speaks, or leave ALPN out",
        ),
        Alert::NoRenegotiation => (
            "the peer will not negotiate again (TLS 1.2)",
            "renegotiation is switched off on the side that sent the alert",
            "ask for the certificate in the first handshake, or use TLS 1.3",
        ),
        _ => return None,
    })
}

fn about_the_protocol(alert: Alert) -> Row {
    Some(match alert {
        Alert::CloseNotify => (
            "the sender will write nothing more; this is how a connection ends in order",
            "the sender had nothing more to say",
            "nothing to do",
        ),
        Alert::UnexpectedMessage => (
            "a message does not fit here, or not now",
            "one side's TLS is wrong, or something between answers in its place",
            "find out whether both ends speak TLS on this port; update their TLS libraries",
        ),
        Alert::BadRecordMac => (
            "a record could not be authenticated",
            "data was changed on the way, or the two sides disagree about the keys",
            "look for faulty network equipment between; update the TLS libraries",
        ),
        Alert::RecordOverflow => (
            "a record is longer than allowed",
            "the other side does not speak TLS, or its TLS is wrong",
            "find out whether both ends speak TLS on this port",
        ),
        Alert::IllegalParameter => (
            "a field of a message is out of range or contradicts another",
            "one side's TLS is wrong",
            "update the TLS library of the side that received the alert",
        ),
        Alert::DecodeError => (
            "a message could not be decoded",
            "one side's TLS is wrong, or the data was cut or changed on the way",
            "update the TLS library of the side that received the alert",
        ),
        Alert::InternalError => (
            "a failure that is not the other side's fault",
            "the side that sent the alert ran out of something, or its program refused without a reason",
            "look at the log of the side that sent the alert",
        ),
        Alert::UserCanceled => (
            "the handshake was given up for a reason that is not TLS's",
            "a user or a program ended it",
            "try again, if it was not on purpose",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use countersign::Alert;

    use super::{all, known};

    #[test]
    fn every_alert_with_a_name_has_a_meaning() {
        let nothing = known(Alert::Unknown(255)).meaning;
        assert_eq!(all().count(), 28);
        for alert in all() {
            assert_ne!(known(alert).meaning, nothing, "{alert}");
        }
    }
}
