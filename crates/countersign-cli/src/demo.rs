//! `countersign demo`: two endpoints authenticate each other in every way.

use std::net::TcpListener;
use std::time::Instant;

use time::OffsetDateTime;

use crate::arguments::DemoArguments;
use crate::authority::Specimens;
use crate::failure::{Exit, Failure};
use crate::ladder;
use crate::terminal;

mod cases;
mod duel;
mod report;

/// Runs every case and shows how it ended.
pub(crate) fn run(arguments: &DemoArguments) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let specimens = Specimens::new(OffsetDateTime::now_utc())?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| {
        Failure::new(
            Exit::Connect,
            format!("Cannot listen on 127.0.0.1: {error}."),
        )
    })?;
    let sheet = ladder::Sheet::default();
    let arena = duel::Arena {
        specimens: &specimens,
        listener: &listener,
        sheet: arguments.trace.is_some().then_some(&sheet),
    };
    if let Some(name) = &arguments.trace {
        return trace(name, &arena, &sheet);
    }
    let rows: Result<Vec<_>, Failure> = cases::all()
        .into_iter()
        .map(|case| duel::fight(case, &arena))
        .collect();
    let report = report::Report {
        rows: rows?,
        elapsed: begun.elapsed(),
    };
    if arguments.json {
        let json = serde_json::to_string_pretty(&report.json());
        terminal::print(&json.map_err(|error| Failure::new(Exit::Other, error.to_string()))?)?;
    } else {
        let width = arguments.width.map(usize::from).or_else(terminal::width);
        terminal::print(&report.text(width))?;
    }
    Ok(if report.unexpected() == 0 {
        Exit::Success
    } else {
        Exit::Other
    })
}

/// Runs one case and draws what both sides said.
fn trace(name: &str, arena: &duel::Arena<'_>, sheet: &ladder::Sheet) -> Result<Exit, Failure> {
    let Some(case) = cases::all().into_iter().find(|case| case.name() == name) else {
        let names: Vec<_> = cases::all().into_iter().map(cases::Case::name).collect();
        return Err(Failure::usage(format!("There is no case {name:?}."))
            .advise(format!("These are all:\n  {}", names.join("\n  "))));
    };
    let row = duel::fight(case, arena)?;
    let title = terminal::heading(&report::title(case));
    let heading = ladder::heading();
    terminal::print(&format!(
        "{title}\nCertificate: {}\n\n{heading}\n{}\n\n{}",
        case.certificate_words(),
        sheet.text(),
        row.conclusion()
    ))?;
    Ok(if row.is_as_expected() {
        Exit::Success
    } else {
        Exit::Other
    })
}
