//! Printing: the few styles of the output, its width, and what happens when nobody reads it any more.
//!
//! Whether styles reach the screen is decided where text is printed: `anstream` takes them out when there
//! is no terminal or `NO_COLOR` is set.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::failure::{Exit, Failure};

/// What went as it should, or was accepted.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What went wrong, or was refused.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What deserves a second look.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What structures the text.
pub(crate) const HEADING: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Paints a text.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Paints a heading.
pub(crate) fn heading(text: &str) -> String {
    paint(HEADING, text)
}

/// What happened, and what to do about it.
pub(crate) fn failure_text(failure: &Failure) -> String {
    let what = format!("{} {}", paint(BAD, "error:"), failure.what());
    match failure.advice() {
        Some(advice) => format!("{what}\n  {} {advice}", paint(HEADING, "hint:")),
        None => what,
    }
}

/// Prints text and a line feed on stdout. That the reader has gone away (a closed pipe) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Other,
            format!("Cannot write to stdout: {error}."),
        )),
        _ => Ok(()),
    }
}

/// Prints text and a line feed on stderr, if anybody listens there.
pub(crate) fn print_aside(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// How many columns stdout has; `None` if it is no terminal.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}
