//! Questions: the lines of the input.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::{self, Receiver};

use crate::output::Output;

/// Lines as they come in.
pub(super) struct Questions {
    lines: Receiver<io::Result<String>>,
    /// Whether a person types them, who wants to be asked for them.
    typed: bool,
    /// Whether remarks are not wanted.
    silent: bool,
}

impl Questions {
    /// Begins to read the standard input.
    pub(super) fn read(output: &Output) -> Self {
        let (send, lines) = mpsc::channel(1);
        // Not one of the runtime's threads: those are waited for at the end, and this one may wait for a person.
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                if send.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        let typed = io::stdin().is_terminal();
        if typed {
            output.note("Ask, and press enter. Ctrl-c stops an answer; ctrl-d ends the conversation.");
        }
        Self { lines, typed, silent: output.json() }
    }

    /// The next line that is not blank; `None` at the end of the input or on ctrl-c.
    ///
    /// # Errors
    /// The input cannot be read, or is not UTF-8.
    pub(super) async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if self.typed {
                eprint!("\n> ");
                // Where stderr is closed nobody sees the mark, which is no reason to stop.
                let _ = io::stderr().flush();
            }
            let line = tokio::select! {
                line = self.lines.recv() => line,
                _ = tokio::signal::ctrl_c() => {
                    if !self.silent {
                        eprintln!("\nThe conversation ends here. It is kept nowhere but on this screen.");
                    }
                    return Ok(None);
                }
            };
            let Some(line) = line.transpose().context("the input cannot be read as text")? else {
                if self.typed {
                    eprintln!();
                }
                return Ok(None);
            };
            if !line.trim().is_empty() {
                return Ok(Some(line));
            }
        }
    }
}
