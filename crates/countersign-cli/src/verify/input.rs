//! What `verify` is given: files, names and a time.

use std::path::PathBuf;

use countersign_x509::{Certificate, CertificateDer, ExpectedName, Report, TrustStore, UnixTime};
use pki_types::ServerName;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::arguments::VerifyArguments;
use crate::failure::Failure;
use crate::files;
use crate::trust::unreadable;

/// A certificate that was given, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) der: CertificateDer<'static>,
    file: PathBuf,
    line: usize,
}

/// The chain as a peer would have sent it: its own certificate, then everything that may help.
pub(super) fn chain(arguments: &VerifyArguments) -> Result<Vec<Given>, Failure> {
    let mut chain = Vec::new();
    for file in [&arguments.chain].into_iter().chain(&arguments.untrusted) {
        let certificates = files::read_placed_certificates(file)?;
        chain.extend(certificates.into_iter().map(|placed| Given {
            der: placed.der,
            file: file.clone(),
            line: placed.line,
        }));
    }
    Ok(chain)
}

/// What is trusted: the files that were named or else the system's authorities, and the revocation lists.
pub(super) fn trust(arguments: &VerifyArguments) -> Result<TrustStore, Failure> {
    let mut store = if arguments.ca.is_empty() {
        TrustStore::from_system().map_err(|error| {
            Failure::usage(format!("The system's authorities cannot be used: {error}"))
                .advise("Name a file of authorities with --ca.")
        })?
    } else {
        authorities(&arguments.ca)?
    };
    for file in &arguments.crl {
        for placed in files::read_revocation_lists(file)? {
            store = store.with_crls([placed.der]).map_err(|error| {
                let place = format!("{}, line {}", file.display(), placed.line);
                Failure::usage(format!("{place}: {error}."))
                    .advise("Fetch the revocation list again from its CA.")
            })?;
        }
    }
    Ok(store)
}

fn authorities(paths: &[PathBuf]) -> Result<TrustStore, Failure> {
    let store = TrustStore::empty();
    for path in paths {
        let unreadable = |error| unreadable(path, &error);
        if path.is_dir() {
            let folder = TrustStore::from_pem_folder(path).map_err(unreadable)?;
            for certificate in folder.certificates() {
                let pem = files::pem("CERTIFICATE", &certificate);
                store.add_pem(pem.as_bytes()).map_err(unreadable)?;
            }
            continue;
        }
        let pem = files::read_bounded(path)?;
        // A file that holds nothing is a mistake, also if another file holds something.
        TrustStore::from_pem(&pem)
            .and_then(|_| store.add_pem(&pem))
            .map_err(unreadable)?;
    }
    Ok(store)
}

/// Something about a certificate that was given and is not in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Remark {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) what: RemarkKind,
    /// Its subject, or why it cannot be read.
    pub(super) detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RemarkKind {
    /// It can be read and was not needed.
    Unused,
    /// It cannot be read, so it was not considered.
    Unreadable,
}

/// What became of certificates that were given and are not in the chain.
pub(super) fn remarks(given: &[Given], report: &Report) -> Vec<Remark> {
    let used: Vec<&[u8]> = report.chain().map(|link| link.der()).collect();
    let remark = |given: &Given| {
        let (what, detail) = match Certificate::parse(&given.der) {
            Err(error) => (RemarkKind::Unreadable, error.to_string()),
            Ok(certificate) if !used.contains(&given.der.as_ref()) => {
                (RemarkKind::Unused, certificate.subject().to_string())
            }
            Ok(_) => return None,
        };
        Some(Remark {
            file: given.file.display().to_string(),
            line: given.line,
            what,
            detail,
        })
    };
    given.iter().filter_map(remark).collect()
}

/// The last second of the year 9999, the last that a certificate can name.
const LAST_SECOND: i64 = 253_402_300_799;

/// A moment as RFC 3339 writes it, or `@` and the seconds since 1970.
pub(crate) fn time(text: &str) -> Result<UnixTime, String> {
    let seconds = match text.strip_prefix('@') {
        Some(seconds) => seconds.parse().map_err(|_| {
            "@ must be followed by the seconds since 1970, as @1795392000".to_owned()
        })?,
        None => OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| "not a time as 2026-11-23T12:00:00Z or @1795392000".to_owned())?
            .unix_timestamp(),
    };
    if seconds > LAST_SECOND {
        return Err("later than the year 9999".to_owned());
    }
    let seconds = u64::try_from(seconds).map_err(|_| "before the year 1970".to_owned())?;
    Ok(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
        seconds,
    )))
}

/// A name that a certificate may have to be for: the kind follows from its form.
pub(crate) fn name(text: &str) -> Result<ExpectedName, String> {
    let is_plain = text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control());
    if is_plain && text.contains("://") {
        return Ok(ExpectedName::Uri(text.to_owned()));
    }
    if let Some((local, domain)) = text.rsplit_once('@')
        && is_plain
        && !local.is_empty()
        && !domain.is_empty()
    {
        return Ok(ExpectedName::Email(text.to_owned()));
    }
    // A leading dot stands for every host of a domain.
    let host = text.strip_prefix('.').unwrap_or(text);
    match ServerName::try_from(host) {
        Ok(_) => Ok(ExpectedName::host(text)),
        Err(_) if !text.is_ascii() => {
            Err("not ASCII; write international host names as A-labels (xn--…)".to_owned())
        }
        Err(_) => Err("neither a host name, an IP address, an e-mail address nor a URI".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use countersign_x509::ExpectedName;

    use super::{name, time};

    #[test]
    fn times_are_read_to_the_second() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("@0", 0),
            ("2026-11-23T00:00:00Z", 1_795_392_000),
            ("2026-11-23T01:30:00.9+01:30", 1_795_392_000),
            ("@1795392000", 1_795_392_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(time(text).unwrap().as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "@",
            "@-1",
            "@1.5",
            "now",
            "2026-11-23",
            "2026-11-23 00:00:00",
            "2026-02-29T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "@253402300800",
            "@99999999999999999999",
            "1795392000",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_form_of_a_name_tells_its_kind() {
        let dns = |text: &str| ExpectedName::Dns(text.to_owned());
        assert_eq!(name("db.example").unwrap(), dns("db.example"));
        assert_eq!(name(".db.example").unwrap(), dns(".db.example"));
        assert!(matches!(name("::1").unwrap(), ExpectedName::Ip(_)));
        assert!(matches!(
            name("a@db.example").unwrap(),
            ExpectedName::Email(_)
        ));
        assert!(matches!(
            name("spiffe://db.example/x").unwrap(),
            ExpectedName::Uri(_)
        ));
        for text in [
            "",
            ".",
            "@",
            "a@",
            "not a name",
            "zürich.example",
            "a\u{1b}[2J@b",
        ] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }
}
