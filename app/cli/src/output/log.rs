//! The log on stderr: what strangers put into it stays on its line and moves no cursor.

use std::io;

use provena_wire::{printable, untrusted::printable_json};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    fmt::{MakeWriter, format},
};

/// What is logged: warnings of this program by default, more with `-v`, or whatever `RUST_LOG` says.
pub(crate) fn filter(verbose: u8) -> EnvFilter {
    let default = match verbose {
        0 => "error",
        1 => "provena=info,provena_node=info,warn",
        _ => "provena=debug,provena_node=debug,provena_engine=debug,info",
    };
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default))
}

/// Sends `tracing` to stderr. A second call has no effect: a process has one log.
pub(crate) fn log(filter: EnvFilter, json: bool, colour: bool) {
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    let _ = if json {
        builder.json().with_writer(JsonLines).try_init()
    } else {
        let fields = format::debug_fn(|writer, field, value| match field.name() {
            "message" => write!(writer, "{}", printable(&format!("{value:?}"))),
            name => write!(writer, "{name}={}", printable(&format!("{value:?}"))),
        });
        builder.fmt_fields(fields.delimited(" ")).with_ansi(colour).with_writer(io::stderr).try_init()
    };
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
