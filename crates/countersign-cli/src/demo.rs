//! `countersign demo`: two endpoints authenticate each other in every way.

use std::net::TcpListener;
use std::time::Instant;

use time::OffsetDateTime;

use crate::arguments::DemoArguments;
use crate::authority::Specimens;
use crate::failure::{Exit, Failure};
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
    let rows: Result<Vec<_>, Failure> = cases::all()
        .into_iter()
        .map(|case| duel::fight(case, &specimens, &listener))
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
