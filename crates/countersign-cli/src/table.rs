//! Tables of text that fit the width they are given.

use anstyle::Style;

use crate::terminal;

/// The narrowest a column is made that has longer text.
const NARROWEST: usize = 12;
/// Between two columns.
const GAP: &str = "  ";

/// A piece of text in one style. One character is taken to be one column wide.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Text without emphasis.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    /// Text in a style.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

/// Groups of rows under one row of headings; columns are aligned over all groups.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<Cell>,
    groups: Vec<(String, Vec<Vec<Cell>>)>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let heading = |text: &&str| Cell::styled(*text, terminal::HEADING);
        Self {
            headings: headings.iter().map(heading).collect(),
            groups: Vec::new(),
        }
    }

    /// Adds rows under a title.
    pub(crate) fn group(&mut self, title: impl Into<String>, rows: Vec<Vec<Cell>>) {
        self.groups.push((title.into(), rows));
    }

    /// The columns' width if nothing is wrapped.
    pub(crate) fn natural_width(&self) -> usize {
        total(&self.natural_widths())
    }

    /// The table as text with styles; lines are at most `width` columns if that is possible.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let mut widths = self.natural_widths();
        if let Some(limit) = width {
            shrink(&mut widths, limit);
        }
        let mut text = String::new();
        render_row(&self.headings, &widths, &mut text);
        for (title, rows) in &self.groups {
            text.push('\n');
            for line in wrap(title, width.unwrap_or(usize::MAX)) {
                text.push_str(&terminal::heading(&line));
                text.push('\n');
            }
            for row in rows {
                render_row(row, &widths, &mut text);
            }
        }
        text
    }

    fn natural_widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .headings
            .iter()
            .map(|cell| columns(&cell.text))
            .collect();
        for row in self.groups.iter().flat_map(|(_, rows)| rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(columns(&cell.text));
            }
        }
        widths
    }
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

fn total(widths: &[usize]) -> usize {
    let gaps = widths.len().saturating_sub(1).saturating_mul(GAP.len());
    widths.iter().sum::<usize>().saturating_add(gaps)
}

/// Takes columns from the widest until everything fits or all are narrow.
fn shrink(widths: &mut [usize], limit: usize) {
    while total(widths) > limit {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest = widest.saturating_sub(1),
            _ => return,
        }
    }
}

fn render_row(row: &[Cell], widths: &[usize], text: &mut String) {
    let cells: Vec<Vec<String>> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrap(&cell.text, *width))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let mut pieces = Vec::new();
        for ((cell, lines), width) in row.iter().zip(&cells).zip(widths) {
            let piece = lines.get(line).map_or("", String::as_str);
            let padding = " ".repeat(width.saturating_sub(columns(piece)));
            let painted = if cell.style == Style::new() {
                piece.to_owned()
            } else {
                terminal::paint(cell.style, piece)
            };
            pieces.push((piece.is_empty(), painted, padding));
        }
        // Nothing trails a line, so that copied text is clean.
        let used = pieces
            .iter()
            .rposition(|(empty, ..)| !empty)
            .map_or(0, |last| last.saturating_add(1));
        for (index, (_, painted, padding)) in pieces.iter().take(used).enumerate() {
            text.push_str(painted);
            if index.saturating_add(1) < used {
                text.push_str(padding);
                text.push_str(GAP);
            }
        }
        text.push('\n');
    }
}

/// Breaks text at spaces and after underscores, or anywhere if it must be.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive([' ', '_']) {
        for character in pieces_of(word, width) {
            let Some(last) = lines.last_mut() else {
                continue;
            };
            // The space between them counts, the one behind them does not.
            if columns(last).saturating_add(columns(character.trim_end())) > width
                && !last.is_empty()
            {
                lines.push(character);
            } else {
                last.push_str(&character);
            }
        }
    }
    lines
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// A word, cut into pieces that fit.
fn pieces_of(word: &str, width: usize) -> Vec<String> {
    if columns(word.trim_end()) <= width {
        return vec![word.to_owned()];
    }
    let characters: Vec<char> = word.chars().collect();
    characters
        .chunks(width.max(1))
        .map(|chunk| chunk.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Cell, Table, wrap};

    fn sample() -> Table {
        let mut table = Table::new(&["kind", "what it says", "end"]);
        let row = |cells: [&str; 3]| cells.map(Cell::plain).to_vec();
        table.group(
            "first",
            vec![
                row(["a", "short", "x"]),
                row(["b", "UNABLE_TO_GET_ISSUER", ""]),
            ],
        );
        table.group("second", vec![row(["long kind", "y", "z"])]);
        table
    }

    #[test]
    fn columns_are_aligned_over_groups() {
        let expected = "\
kind       what it says          end

first
a          short                 x
b          UNABLE_TO_GET_ISSUER

second
long kind  y                     z
";
        assert_eq!(
            anstream::adapter::strip_str(&sample().render(None)).to_string(),
            expected
        );
    }

    #[test]
    fn a_narrow_table_wraps_the_widest_column() {
        let expected = "\
kind       what it says    end

first
a          short           x
b          UNABLE_TO_GET_
           ISSUER

second
long kind  y               z
";
        let text = anstream::adapter::strip_str(&sample().render(Some(30))).to_string();
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.len() <= 30));
    }

    #[test]
    fn words_longer_than_a_line_are_cut() {
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(wrap("ab cd", 2), ["ab", "cd"]);
        assert_eq!(wrap("ab cd", 4), ["ab", "cd"]);
        assert_eq!(wrap("ab cd", 5), ["ab cd"]);
    }
}
