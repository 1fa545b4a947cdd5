//! Tables for people: aligned columns, no lines, numbers to the right; everything within 80 columns where words allow it.

use textwrap::core::display_width;

use super::{lines::wrap, style::Style, text::short_addresses};

/// Columns of a terminal that everybody has.
pub(crate) const COLUMNS: usize = 80;

/// Before a line beneath a row.
const NOTE: &str = "  ";

/// Before a fact that is too long for its place.
const BENEATH: &str = "\n  ";

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
    /// Addresses, of which only so much is shown as tells them apart in the table, unless --full is given.
    Address,
}

/// Rows under a header.
pub(crate) struct Table {
    header: Vec<(&'static str, Align)>,
    rows: Vec<Row>,
}

struct Row {
    cells: Vec<String>,
    /// Lines beneath the row.
    notes: Vec<String>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(header: &[(&'static str, Align)]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, surplus ones are dropped.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let mut cells: Vec<String> = cells.into();
        cells.resize(self.header.len(), String::new());
        self.rows.push(Row { cells, notes: Vec::new() });
    }

    /// Adds words beneath the last row, for what is too long for a column.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.extend(wrap(&text.into(), COLUMNS - NOTE.len()));
        }
    }

    /// The text, without a trailing newline.
    pub(crate) fn text(&self, style: Style) -> String {
        let rows = self.shortened(style);
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = rows.iter().map(|cells| cells[column].chars().count());
                cells.chain([self.header[column].0.chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let header: Vec<String> = self.header.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut lines = Vec::new();
        // Columns without names speak for themselves.
        if header.iter().any(|name| !name.is_empty()) {
            lines.push(style.faint(&self.line(&header, &widths)));
        }
        for (row, cells) in self.rows.iter().zip(&rows) {
            lines.push(self.line(cells, &widths));
            lines.extend(row.notes.iter().map(|note| format!("{NOTE}{}", style.faint(note))));
        }
        lines.join("\n")
    }

    /// The rows' cells with short addresses.
    fn shortened(&self, style: Style) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.cells.clone()).collect();
        let columns: Vec<usize> =
            self.header.iter().enumerate().filter(|(_, (_, align))| *align == Align::Address).map(|(n, _)| n).collect();
        if style.full() {
            return rows;
        }
        let addresses: Vec<&str> =
            columns.iter().flat_map(|column| self.rows.iter().map(|row| row.cells[*column].as_str())).collect();
        let mut short = short_addresses(&addresses).into_iter();
        for column in columns {
            for (row, address) in rows.iter_mut().zip(&mut short) {
                row[column] = address;
            }
        }
        rows
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .zip(&self.header)
            .map(|((cell, width), (_, align))| match align {
                Align::Left | Align::Address => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    }
}

/// Two columns: what it is, and its value. Long values go on in the next line; what is one piece, such as a path, and does not
/// fit beside its name stands beneath it, further to the left.
pub(crate) fn facts(rows: &[(&str, String)], style: Style) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let indent = format!("\n{}", " ".repeat(width + 2));
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, value)| {
            let room = COLUMNS.saturating_sub(width + 2);
            let mut text = style.faint(name);
            for (number, piece) in value.lines().flat_map(|line| wrap(line, room)).enumerate() {
                match (number, display_width(&piece) > room) {
                    (_, true) => text += BENEATH,
                    (0, false) => text += &" ".repeat(width + 2 - name.chars().count()),
                    (_, false) => text += &indent,
                }
                text += &piece;
            }
            text
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_numbers_go_right() {
        let mut table = Table::new(&[("name", Align::Left), ("lamports", Align::Right)]);
        table.row(["trainer".into(), "5".into()]);
        table.row(["a".into(), "1000000000".into()]);
        table.note("beneath");
        let expected = "name       lamports\ntrainer           5\na        1000000000\n  beneath";
        assert_eq!(table.text(Style::plain()), expected);
    }

    #[test]
    fn addresses_are_short_unless_they_are_asked_for_whole() {
        let mut table = Table::new(&[("node", Align::Address), ("lost", Align::Right)]);
        let address = "Gpusw1c7UznqqXNqFhgKQ11BWX6Bq5r3HQjKBKncWcYz";
        table.row([address.into(), "5".into()]);
        assert_eq!(table.text(Style::plain()), "node       lost\nGpus…WcYz     5");
        assert!(table.text(Style::plain().with_full(true)).contains(address));
    }

    #[test]
    fn facts_align_their_values() {
        assert_eq!(facts(&[("a", "1".into()), ("long", "2\n3".into())], Style::plain()), "a     1\nlong  2\n      3");
    }

    #[test]
    fn long_facts_go_on_in_the_next_line() {
        let text = facts(&[("rent", "word ".repeat(30).trim().into())], Style::plain());
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("      word"), "{text}");
    }

    #[test]
    fn a_path_that_is_too_long_for_its_place_stands_beneath_its_name() {
        let path = format!("/{}", "a".repeat(76));
        let text = facts(&[("key file", path.clone()), ("address", "here".into())], Style::plain());
        assert_eq!(text, format!("key file\n  {path}\naddress   here"));
        let beside = format!("/{}", "a".repeat(69));
        assert_eq!(facts(&[("key file", beside.clone())], Style::plain()), format!("key file  {beside}"));
    }
}
