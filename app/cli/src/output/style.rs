//! Sparse colour: meaning never depends on it, and `NO_COLOR` or a pipe turns it off.

/// Whether to write ANSI colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
    /// Whether addresses and hashes are shown whole.
    full: bool,
}

/// Everything that [`Style`] writes beside the text.
pub(super) const COLOURS: [&str; 5] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[1;31m"];

impl Style {
    /// Colours only on a terminal, and not when `NO_COLOR` is set or the terminal is dumb.
    pub(crate) fn detect(terminal: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { colour: terminal && !refused, full: false }
    }

    /// Never colours.
    pub(crate) fn plain() -> Self {
        Self { colour: false, full: false }
    }

    /// Shows addresses and hashes whole, or shortens them.
    pub(crate) fn with_full(self, full: bool) -> Self {
        Self { full, ..self }
    }

    /// Whether addresses and hashes are shown whole.
    pub(crate) fn full(self) -> bool {
        self.full
    }

    /// Headings and what matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Addresses, signatures and other things one rarely reads.
    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What to do next, beneath an answer: a command.
    pub(crate) fn next(self, command: &str) -> String {
        format!("\n\n{} {command}", self.faint("next:"))
    }

    /// Something that holds.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Something that does not.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
