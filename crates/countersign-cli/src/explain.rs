//! `countersign explain`: what a verify result or a TLS alert means.

use std::fmt::Write as _;

use countersign::Alert;
use countersign_x509::VerifyCode;
use serde::Serialize;

use crate::arguments::ExplainArguments;
use crate::failure::{Exit, Failure};
use crate::table::{Cell, Table};
use crate::terminal;

mod alerts;

/// So many similar names are named when there is none as asked.
const MOST_SUGGESTIONS: usize = 5;

/// Explains one code, or lists all.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    let entries = match &arguments.code {
        Some(code) => vec![find(code, arguments.alert)?],
        None if arguments.alert => alerts::all().map(Entry::alert).collect(),
        None => VerifyCode::all().map(Entry::verify_code).collect(),
    };
    if arguments.json {
        let document = Document {
            schema: "countersign.explain/1",
            version: env!("CARGO_PKG_VERSION"),
            entries,
        };
        let json = serde_json::to_string_pretty(&document);
        terminal::print(&json.map_err(|error| Failure::new(Exit::Other, error.to_string()))?)?;
    } else if let ([entry], Some(_)) = (&entries[..], &arguments.code) {
        terminal::print(&entry.text())?;
    } else {
        terminal::print(list(&entries, arguments.alert).trim_end())?;
    }
    Ok(Exit::Success)
}

/// The whole of `explain --json`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    entries: Vec<Entry>,
}

/// What is known about a verify result or an alert.
#[derive(Debug, Serialize)]
struct Entry {
    kind: Kind,
    code: u32,
    name: &'static str,
    meaning: &'static str,
    usual_cause: &'static str,
    remedy: &'static str,
    /// The alert with which a verify result is answered.
    alert: Option<AlertName>,
    /// The verify results that are answered with an alert.
    verify_codes: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    VerifyCode,
    Alert,
}

/// An alert by number and name.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct AlertName {
    /// As 45.
    pub code: u8,
    /// As `certificate_expired`.
    pub name: &'static str,
}

/// The alert with which a failed verification is answered; none for success.
pub(crate) fn alert_of(code: VerifyCode) -> Option<AlertName> {
    let alert = Alert::from(code.alert());
    (!code.is_ok()).then_some(AlertName {
        code: alert.code(),
        name: alert.name(),
    })
}

impl Entry {
    fn verify_code(code: VerifyCode) -> Self {
        Self {
            kind: Kind::VerifyCode,
            code: code.number(),
            name: code.name(),
            meaning: code.meaning(),
            usual_cause: code.usual_cause(),
            remedy: code.remedy(),
            alert: alert_of(code),
            verify_codes: Vec::new(),
        }
    }

    fn alert(alert: Alert) -> Self {
        let known = alerts::known(alert);
        let answered =
            VerifyCode::all().filter(|code| !code.is_ok() && code.alert() == alert.code());
        Self {
            kind: Kind::Alert,
            code: alert.code().into(),
            name: alert.name(),
            meaning: known.meaning,
            usual_cause: known.usual_cause,
            remedy: known.remedy,
            alert: None,
            verify_codes: answered.map(VerifyCode::number).collect(),
        }
    }

    fn text(&self) -> String {
        let title = match self.kind {
            Kind::VerifyCode => format!("{} {}", self.code, self.name),
            Kind::Alert => format!("TLS alert {} {}", self.code, self.name),
        };
        let mut text = format!(
            "{}\n  meaning:     {}\n  usual cause: {}\n  remedy:      {}",
            terminal::heading(&title),
            self.meaning,
            self.usual_cause,
            self.remedy
        );
        if let Some(alert) = self.alert {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n  TLS alert:   {} {}", alert.code, alert.name);
        }
        if !self.verify_codes.is_empty() {
            let codes: Vec<String> = self.verify_codes.iter().map(u32::to_string).collect();
            let _ = write!(text, "\n  sent for:    {}", codes.join(", "));
        }
        text
    }
}

fn list(entries: &[Entry], alerts: bool) -> String {
    let (title, headings) = if alerts {
        ("TLS alerts", &["code", "name", "meaning"][..])
    } else {
        (
            "Verify results, and the TLS alerts they are answered with",
            &["code", "name", "alert", "meaning"][..],
        )
    };
    let mut table = Table::new(headings);
    let row = |entry: &Entry| {
        let mut cells = vec![entry.code.to_string(), entry.name.to_owned()];
        if !alerts {
            cells.push(
                entry
                    .alert
                    .map_or_else(String::new, |alert| alert.name.to_owned()),
            );
        }
        cells.push(entry.meaning.to_owned());
        cells.into_iter().map(Cell::plain).collect()
    };
    table.group(title, entries.iter().map(row).collect());
    table.render(terminal::width())
}

/// A verify result by number or name, or an alert by name or, if it must be one, by number.
fn find(wanted: &str, is_alert: bool) -> Result<Entry, Failure> {
    let name = wanted.trim().replace('-', "_");
    let by_name = |alert: &Alert| alert.name().eq_ignore_ascii_case(&name);
    let alert = || match name.parse::<u8>() {
        Ok(code) => Some(Alert::from(code)).filter(|alert| !matches!(alert, Alert::Unknown(_))),
        Err(_) => alerts::all().find(by_name),
    };
    let code = || match name.parse().map(VerifyCode::new) {
        Ok(code) => VerifyCode::all().find(|known| *known == code),
        Err(_) => VerifyCode::from_name(&name),
    };
    let found = if is_alert {
        alert().map(Entry::alert)
    } else {
        code()
            .map(Entry::verify_code)
            .or_else(|| alerts::all().find(by_name).map(Entry::alert))
    };
    found.ok_or_else(|| unknown(wanted, &name, is_alert))
}

fn unknown(wanted: &str, name: &str, is_alert: bool) -> Failure {
    let what = if is_alert {
        "TLS alert"
    } else {
        "verify result"
    };
    let failure = Failure::usage(format!("There is no {what} {wanted:?}."));
    let part = name.to_ascii_lowercase();
    let alerts = alerts::all().map(Alert::name);
    let codes = VerifyCode::all()
        .map(VerifyCode::name)
        .filter(|_| !is_alert);
    let similar: Vec<&str> = codes
        .chain(alerts)
        .filter(|known| part.len() >= 3 && known.to_ascii_lowercase().contains(&part))
        .take(MOST_SUGGESTIONS)
        .collect();
    let flag = if is_alert { " --alert" } else { "" };
    failure.advise(if similar.is_empty() {
        format!("All are listed by: countersign explain{flag}")
    } else {
        format!("Did you mean {}?", similar.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use countersign::Alert;
    use countersign_x509::VerifyCode;

    use super::{alerts, find};

    #[test]
    fn every_name_finds_its_own_entry() {
        for code in VerifyCode::all() {
            assert_eq!(find(code.name(), false).unwrap().code, code.number());
            let number = code.number().to_string();
            assert_eq!(find(&number, false).unwrap().name, code.name());
        }
        for alert in alerts::all() {
            let entry = find(alert.name(), false).unwrap();
            assert_eq!(entry.code, u32::from(alert.code()), "{alert}");
            let number = alert.code().to_string();
            assert_eq!(find(&number, true).unwrap().name, alert.name());
        }
    }

    #[test]
    fn letters_may_be_of_either_case_and_hyphens_are_underscores() {
        assert_eq!(find("Cert-Revoked", false).unwrap().code, 23);
        assert_eq!(
            find("UNKNOWN-CA", true).unwrap().code,
            u32::from(Alert::UnknownCa.code())
        );
    }

    #[test]
    fn what_does_not_exist_is_not_invented() {
        for (wanted, is_alert) in [
            ("102", false),
            ("4294967296", false),
            ("", false),
            ("46x", true),
            ("300", true),
            ("1", true),
        ] {
            assert!(find(wanted, is_alert).is_err(), "{wanted:?}");
        }
        let advice = find("expired", false).unwrap_err();
        assert!(
            advice
                .advice()
                .unwrap()
                .contains("X509_V_ERR_CERT_HAS_EXPIRED")
        );
    }
}
