//! Everything that reaches the terminal: data on stdout, remarks on stderr, JSON when asked for.

pub(crate) mod file;
pub(crate) mod picture;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use self::style::Style;
use crate::failure::Failure;

/// What a command answers: a value for programs and a text for people.
pub(crate) trait Report: Serialize {
    /// The text shown without `--json`; no trailing newline.
    fn text(&self, style: Style) -> String;
}

/// Where a command writes.
pub(crate) struct Output {
    json: bool,
    style: Style,
    error_style: Style,
}

impl Output {
    /// Detects terminals and colour once.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            style: Style::detect(io::stdout().is_terminal() && !json),
            error_style: Style::detect(io::stderr().is_terminal()),
        }
    }

    /// Whether the person asked for JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// How to write on stdout.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// How to write on stderr.
    pub(crate) fn error_style(&self) -> Style {
        self.error_style
    }

    /// Prints a command's answer on stdout.
    pub(crate) fn data(&self, report: &impl Report) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(report)? } else { report.text(self.style) };
        self.line(&text)
    }

    /// Prints one line on stdout; a closed pipe is no error (`provena ... | head`).
    pub(crate) fn line(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Remarks on stderr what is being done; silent with `--json`.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }
}

/// Sends `tracing` to stderr: errors by default, more with `-v`, or whatever `RUST_LOG` says.
///
/// # Errors
/// `RUST_LOG` is no filter.
pub(crate) fn logging(verbose: u8, json: bool) -> anyhow::Result<()> {
    let default = match verbose {
        0 => "error",
        1 => "provena=info,provena_node=info,warn",
        _ => "provena=debug,provena_node=debug,provena_engine=debug,info",
    };
    let builder = tracing_subscriber::fmt().with_env_filter(log_filter("-v", default)?).with_writer(io::stderr);
    // A second initialisation is impossible here (main calls this once), so its error carries no news.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
    Ok(())
}

/// The filter that `RUST_LOG` says, or else this one, which `name` names.
///
/// # Errors
/// It is none: a filter that is silently another one hides what a person looks for.
pub(crate) fn log_filter(name: &str, otherwise: &str) -> anyhow::Result<EnvFilter> {
    let said = std::env::var_os(EnvFilter::DEFAULT_ENV).filter(|said| !said.is_empty());
    let (name, filter) = match &said {
        Some(said) => (EnvFilter::DEFAULT_ENV, said.to_string_lossy()),
        None => (name, otherwise.into()),
    };
    filter_of(name, &filter)
}

fn filter_of(name: &str, filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::usage(format!("{name} is {filter:?}, which is no log filter: {error}"))
            .hint("such as: info   or   warn,provena_node=debug")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::filter_of;

    #[test]
    fn n20_a_broken_log_filter_is_quoted() {
        for filter in ["info", "", "warn,provena_node=debug", "off"] {
            assert!(filter_of("[log] filter", filter).is_ok(), "{filter}");
        }
        for filter in ["provena_node=lots", "a=b=c", "warn,[{"] {
            let error = filter_of("[log] filter", filter).unwrap_err().to_string();
            assert!(error.contains("[log] filter") && error.contains(&format!("{filter:?}")), "{error}");
        }
    }
}
