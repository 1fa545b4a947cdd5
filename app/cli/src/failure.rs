//! What a person reads when something goes wrong: the message, its causes, and what to do next.

mod advice;
pub(crate) mod plain;
mod refused;

use std::{fmt, process::ExitCode};

use anyhow::Error;
use provena_client::{ClientError, chain::ChainError};
use provena_wire::untrusted::printable_json;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::{
    Output,
    lines::{beside, fitted},
    text::{printable, spoken},
};
use advice::advice;
use plain::plain;
pub(crate) use refused::refused;

/// The program's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command could not do what it was asked, or a check did not hold.
    Failed = 1,
    /// The command line itself makes no sense (clap exits with the same code).
    Usage = 2,
    /// The chain or a node did not answer in time: the outcome is unknown, not "failed".
    Unknown = 3,
    /// Stopped by ctrl-c.
    Interrupted = 130,
}

/// An error that knows its exit code and, mostly, what the person can do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    /// Lines that say more, such as what each of several nodes answered.
    details: Vec<String>,
    hint: Option<String>,
    job: Option<String>,
    /// What programs are told besides, by name.
    facts: Box<Map<String, Value>>,
}

impl Failure {
    /// A failure with the given code and message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new(), hint: None, job: None, facts: Box::default() }
    }

    /// A command line that cannot be carried out.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An action that failed or a check that does not hold.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Adds lines that say why. What strangers wrote must be printable already.
    pub(crate) fn because(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// Names the job that is, or may be, paid for.
    pub(crate) fn about(mut self, job: impl ToString) -> Self {
        self.job = Some(job.to_string());
        self
    }

    /// Adds a fact for programs; people are told it in words.
    pub(crate) fn telling(mut self, name: &str, fact: &impl Serialize) -> Self {
        self.facts.insert(name.to_owned(), serde_json::to_value(fact).unwrap_or_default());
        self
    }

    /// Adds the sentence that says what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Whether the chain gave no answer: what was asked for may or may not have happened.
fn unanswered(error: &Error) -> bool {
    let silent = |error: &ChainError| matches!(error, ChainError::Unreachable { .. } | ChainError::Unknown { .. });
    error.chain().any(|cause| match cause.downcast_ref::<ClientError>() {
        Some(ClientError::Chain(error)) => silent(error),
        _ => cause.downcast_ref::<ChainError>().is_some_and(silent),
    })
}

#[derive(Serialize)]
struct JsonError {
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(flatten)]
    facts: Map<String, Value>,
}

/// Each line of a text with what is harmful in it written out.
fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Prints `error` on stderr (as JSON when asked) and returns the process's exit code.
pub(crate) fn report(error: &Error, output: &Output) -> ExitCode {
    let failure = error.downcast_ref::<Failure>();
    let own = failure.map(|failure| (failure.exit, failure.hint.clone()));
    let (exit, hint) = own.or_else(|| advice(error)).unwrap_or((Exit::Failed, None));
    let exit = if unanswered(error) { Exit::Unknown } else { exit };
    let mut messages: Vec<String> = Vec::new();
    for cause in error.chain() {
        // Strangers' words may be a part: a template's reason, a node's answer.
        let text = plain(&spoken(&cause.to_string()));
        // Many libraries repeat their source in their own message; say everything once.
        if !messages.iter().any(|earlier| earlier.contains(&text)) {
            messages.push(text);
        }
    }
    let hint = hint.map(|hint| output.command(&hint));
    let mut messages = messages.into_iter();
    let message = messages.next().unwrap_or_default();
    let details = failure.map(|failure| failure.details.clone()).unwrap_or_default();
    let causes: Vec<String> = details.into_iter().chain(messages).collect();
    let job = failure.and_then(|failure| failure.job.clone());
    if output.json() {
        let facts = failure.map(|failure| (*failure.facts).clone()).unwrap_or_default();
        let json = JsonError { error: message, causes, hint, job, facts };
        eprintln!("{}", printable_json(&serde_json::to_string(&json).unwrap_or_default()));
    } else {
        // Anything in these words can be a stranger's: a server's, a node's, a file's name.
        let (style, columns) = (output.error_style(), output.error_columns());
        let say =
            |label: &str, painted: &str, text: &str| eprintln!("{}", beside(label, painted, &lines(text), columns));
        match exit {
            // It is what the person wanted, and no error.
            Exit::Interrupted => eprintln!("{}", fitted(&lines(&message), columns)),
            _ => say("error:", &style.bad("error:"), &message),
        }
        for cause in causes {
            say("  because:", &format!("  {}", style.faint("because:")), &cause);
        }
        if let Some(hint) = hint {
            say("  try:", &format!("  {}", style.strong("try:")), &hint);
        }
    }
    ExitCode::from(exit as u8)
}
