//! The log on stderr: what strangers put into it stays on its line and moves no cursor.

use std::{
    env,
    io::{self, IsTerminal},
};

use anyhow::Result;
use provena_wire::{printable, untrusted::printable_json};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    fmt::{FormatFields, MakeWriter, format},
};

use crate::failure::Failure;

/// Sends `tracing` to stderr: errors by default, more with `-v`, or whatever `RUST_LOG` says.
///
/// # Errors
/// `RUST_LOG` is no filter.
pub(crate) fn logging(verbose: u8, json: bool) -> Result<()> {
    let default = match verbose {
        0 => "error",
        1 => "provena=info,provena_node=info,warn",
        _ => "provena=debug,provena_node=debug,provena_engine=debug,info",
    };
    log(log_filter("-v", default)?, json, io::stderr().is_terminal());
    Ok(())
}

/// The filter that `RUST_LOG` says, or else this one, which `name` names.
///
/// # Errors
/// It is none: a filter that is silently another one hides what a person looks for.
pub(crate) fn log_filter(name: &str, otherwise: &str) -> Result<EnvFilter> {
    let said = env::var_os(EnvFilter::DEFAULT_ENV).filter(|said| !said.is_empty());
    let (name, filter) = match &said {
        Some(said) => (EnvFilter::DEFAULT_ENV, said.to_string_lossy()),
        None => (name, otherwise.into()),
    };
    filter_of(name, &filter)
}

fn filter_of(name: &str, filter: &str) -> Result<EnvFilter> {
    EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::usage(format!("{name} is {filter:?}, which is no log filter: {error}"))
            .hint("such as: info   or   warn,provena_node=debug")
            .into()
    })
}

/// Sends `tracing` to stderr. A second call has no effect: a process has one log.
pub(crate) fn log(filter: EnvFilter, json: bool, colour: bool) {
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    let _ = if json {
        builder.json().with_writer(JsonLines).try_init()
    } else {
        builder.fmt_fields(fields()).with_ansi(colour).with_writer(io::stderr).try_init()
    };
}

/// Fields of an event, each on its line and harmless.
fn fields() -> impl for<'writer> FormatFields<'writer> + 'static {
    let field = format::debug_fn(|writer, field, value| match field.name() {
        "message" => write!(writer, "{}", printable(&format!("{value:?}"))),
        name => write!(writer, "{name}={}", printable(&format!("{value:?}"))),
    });
    field.delimited(" ")
}

/// Stderr, for lines of JSON: characters that JSON leaves as they are and a terminal does not are written out.
struct JsonLines;

impl<'a> MakeWriter<'a> for JsonLines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for JsonLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(printable_json(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use provena_wire::untrusted::is_harmless;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

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

    #[test]
    fn n16_a_logged_word_of_a_stranger_stays_on_its_line() {
        let memory = Memory::default();
        let writer = memory.clone();
        let builder = tracing_subscriber::fmt().fmt_fields(fields()).with_ansi(false);
        let evil = "a\u{1b}[2J\n2026-01-01 INFO fake\u{202e}\u{9b}";
        tracing::subscriber::with_default(builder.with_writer(move || writer.clone()).finish(), || {
            let span = tracing::info_span!("job", title = %evil);
            let _entered = span.enter();
            tracing::warn!(endpoint = %evil, quoted = evil, "it says {evil}");
        });
        let logged = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        assert_eq!(logged.lines().count(), 1, "{logged}");
        assert!(logged.chars().all(|letter| is_harmless(letter) || letter == '\n'), "{logged:?}");
        assert!(logged.contains("it says a\\u{1b}[2J"), "{logged}");
    }
}
