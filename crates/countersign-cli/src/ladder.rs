//! Conversations as a drawing: who sent what, under which keys, and what was made of it.

use std::sync::{Arc, Mutex, PoisonError};

use countersign::{Alert, Completed, Direction, Protection, Role, Trace, TraceEvent, Traced, Why};

use crate::terminal;
use crate::wire;

/// Between the two ends.
const LANE: usize = 62;
/// For the name of the keys.
const KEYS: usize = 11;

/// What stands above the drawing.
pub(crate) fn heading() -> String {
    let line = format!("{:KEYS$}  client{:>2$}", "keys", "server", LANE - 2);
    terminal::heading(&line)
}

/// Draws what one end of a connection sees, line by line on stderr, while it happens.
#[derive(Debug)]
pub(crate) struct Live;

impl Trace for Live {
    fn record(&self, event: &TraceEvent<'_>) {
        terminal::print_aside(&line(event));
    }
}

/// Draws what both ends of a connection do, in the order in which it is done. Clones draw on one sheet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet(Arc<Mutex<Vec<String>>>);

impl Sheet {
    /// Adds a line between connections.
    pub(crate) fn say(&self, text: &str) {
        self.push(terminal::heading(text));
    }

    /// All lines.
    pub(crate) fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n")
    }

    fn push(&self, line: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

impl Trace for Sheet {
    fn record(&self, event: &TraceEvent<'_>) {
        // Each arrow is drawn once, where it begins.
        if direction(event) != Some(Direction::Received) {
            self.push(line(event));
        }
    }
}

fn direction(event: &TraceEvent<'_>) -> Option<Direction> {
    match event.what {
        Traced::Message { direction, .. }
        | Traced::Alert { direction, .. }
        | Traced::ChangeCipherSpec { direction, .. }
        | Traced::Data { direction, .. } => Some(direction),
        _ => None,
    }
}

fn line(event: &TraceEvent<'_>) -> String {
    let from = match direction(event) {
        Some(Direction::Sent) => event.role,
        Some(Direction::Received) => event.role.peer(),
        None => return note(event),
    };
    match event.what {
        Traced::Message {
            protection,
            name,
            bytes,
            ..
        } => {
            let gist = wire::gist(name, protection, bytes);
            let gist = gist.map_or_else(String::new, |gist| format!(": {gist}"));
            let what = format!("{name}{gist} ({} bytes)", bytes.len());
            arrow(protection, from, &what, terminal::HEADING)
        }
        Traced::Alert {
            protection, alert, ..
        } => {
            let style = if alert == Alert::CloseNotify {
                terminal::QUIET
            } else {
                terminal::BAD
            };
            arrow(protection, from, &format!("alert {alert}"), style)
        }
        Traced::Data { length, .. } => {
            let what = format!("data ({length} bytes)");
            arrow(Protection::Application, from, &what, terminal::GOOD)
        }
        Traced::ChangeCipherSpec { protection, .. } => {
            arrow(protection, from, "change_cipher_spec", terminal::QUIET)
        }
        _ => note(event),
    }
}

fn arrow(protection: Protection, from: Role, what: &str, style: anstyle::Style) -> String {
    let keys = format!("{:KEYS$}", protection.to_string());
    let shaft = "─".repeat(LANE.saturating_sub(what.chars().count()).max(2));
    let what = terminal::paint(style, what);
    match from {
        Role::Client => format!("{keys}  {what} {shaft}▶"),
        Role::Server => format!("{keys}  ◀{shaft} {what}"),
    }
}

/// What an end thought, without saying it.
fn note(event: &TraceEvent<'_>) -> String {
    let role = event.role;
    let (style, text) = match event.what {
        Traced::RequestOmitted(why) => {
            let why = reason(why);
            (
                terminal::QUIET,
                format!("the {role} does not ask for a certificate: {why}"),
            )
        }
        Traced::Judged {
            whose,
            code,
            accepted,
        } => {
            let (style, verdict) = if accepted {
                (terminal::GOOD, "good")
            } else {
                (terminal::WARNING, "not good")
            };
            let (number, name) = (code.number(), code.name());
            let text =
                format!("the {role} finds the {whose}'s certificate {verdict}: {number} {name}");
            (style, text)
        }
        Traced::Completed { what, resumed } => {
            let what = match (what, resumed) {
                (Completed::PostHandshakeAuthentication, _) => "authentication",
                (Completed::Renegotiation, _) => "renegotiation",
                (_, true) => "resumed handshake",
                (_, false) => "handshake",
            };
            (
                terminal::QUIET,
                format!("the {what} is complete for the {role}"),
            )
        }
        _ => (terminal::QUIET, "something happened".to_owned()),
    };
    format!("{:KEYS$}  · {}", "", terminal::paint(style, &text))
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::NotAskedFor => "its mode lacks PEER",
        Why::Resumed => "the session says who it is",
        Why::PostHandshakeOnly => "its mode says POST_HANDSHAKE",
        Why::AskedOnceAlready => "its mode says CLIENT_ONCE",
        _ => "the suite has no certificates",
    }
}

#[cfg(test)]
mod tests {
    use countersign::{Protection, Role};

    use super::{KEYS, LANE, arrow, heading};

    fn columns(line: &str) -> usize {
        anstream::adapter::strip_str(line)
            .to_string()
            .chars()
            .count()
    }

    #[test]
    fn arrows_reach_from_end_to_end() {
        let plain = anstyle::Style::new();
        for from in [Role::Client, Role::Server] {
            for what in ["Finished", "a much longer thing to say"] {
                let drawn = arrow(Protection::Handshake, from, what, plain);
                assert_eq!(columns(&drawn), KEYS + 2 + LANE + 2, "{drawn}");
            }
        }
        assert_eq!(columns(&heading()), KEYS + 2 + LANE + 4);
    }

    #[test]
    fn what_is_too_long_for_the_lane_is_shown_all_the_same() {
        let what = "x".repeat(200);
        let drawn = arrow(
            Protection::Plain,
            Role::Server,
            &what,
            anstyle::Style::new(),
        );
        assert!(drawn.contains(&what));
    }
}
