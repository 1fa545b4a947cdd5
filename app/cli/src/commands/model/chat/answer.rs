//! One answer: shown piece by piece as the model gives it.

use std::{
    io::{self, Write},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use provena_engine::{Error, Model, generate::Token};
use provena_wire::{Finish, Generate, Response};
use serde::Serialize;

use crate::{
    commands::infer::answer::ended,
    output::{Output, Report, style::Style, text::spoken},
};

/// An answer and how long it took.
#[derive(Debug, Serialize)]
pub(super) struct Spoken {
    question: String,
    text: String,
    tokens: Vec<u32>,
    /// `None` where the answer was stopped before the model had told.
    prompt_tokens: Option<u32>,
    /// "stop", "length", "context", or "stopped" by the person.
    finish: &'static str,
    #[serde(skip)]
    ended: &'static str,
    /// Until the first token: reading the prompt.
    first_token_seconds: Option<f64>,
    /// From the first token to the last.
    seconds: f64,
    tokens_per_second: Option<f64>,
}

impl Report for Spoken {
    fn text(&self, _: Style) -> String {
        self.text.clone()
    }
}

impl Spoken {
    /// The answer.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether nobody stopped it.
    pub(super) fn is_whole(&self) -> bool {
        self.finish != "stopped"
    }

    /// With `--json`, the whole answer as one object; else the statistics, since the words were shown as they came.
    pub(super) fn show(&self, output: &Output) -> Result<()> {
        if output.json() {
            return output.data(self);
        }
        output.line("")?;
        let style = output.error_style();
        let mut parts = vec![format!("{} tokens", self.tokens.len())];
        parts.extend(self.tokens_per_second.map(|speed| format!("{speed:.1} tokens/s")));
        parts.extend(self.first_token_seconds.map(|wait| match self.prompt_tokens {
            Some(tokens) => format!("first after {wait:.2} s ({tokens} tokens of prompt)"),
            None => format!("first after {wait:.2} s"),
        }));
        parts.push(self.ended.to_owned());
        output.note(&style.faint(&parts.join(", ")));
        Ok(())
    }
}

/// What came so far.
struct Coming {
    tokens: Vec<u32>,
    text: String,
    begun: Instant,
    first: Option<Duration>,
    last: Duration,
}

/// Has the model answer, showing the words as they come unless the output is JSON. Ctrl-c stops it within one token.
pub(super) async fn speak(model: &Arc<Model>, request: Generate, question: String, output: &Output) -> Result<Spoken> {
    let stop = Arc::new(AtomicBool::new(false));
    let (model, stopped, silent) = (Arc::clone(model), Arc::clone(&stop), output.json());
    let mut working = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut coming = Coming { tokens: Vec::new(), text: String::new(), begun, first: None, last: Duration::ZERO };
        let response = model.generate(&request, &mut |token| coming.take(&token, silent, &stopped));
        (response, coming)
    });
    let done = loop {
        tokio::select! {
            done = &mut working => break done?,
            _ = tokio::signal::ctrl_c() => stop.store(true, Ordering::Relaxed),
        }
    };
    let (response, coming) = done;
    coming.spoken(question, response)
}

impl Coming {
    /// Takes one token and shows its words; breaks when the person wants no more, or nobody reads.
    fn take(&mut self, token: &Token, silent: bool, stop: &AtomicBool) -> ControlFlow<()> {
        self.last = self.begun.elapsed();
        self.first.get_or_insert(self.last);
        self.tokens.push(token.id);
        self.text.push_str(&token.text);
        if !silent {
            let mut stdout = io::stdout().lock();
            if stdout.write_all(spoken(&token.text).as_bytes()).and_then(|()| stdout.flush()).is_err() {
                return ControlFlow::Break(());
            }
        }
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn spoken(self, question: String, response: Result<Response, Error>) -> Result<Spoken> {
        let seconds = self.first.map_or(Duration::ZERO, |first| self.last.saturating_sub(first)).as_secs_f64();
        let after_first = self.tokens.len().saturating_sub(1);
        let speed = (after_first > 0 && seconds > 0.0).then(|| after_first as f64 / seconds);
        let mut spoken = Spoken {
            question,
            text: self.text,
            tokens: self.tokens,
            prompt_tokens: None,
            finish: "stopped",
            ended: "stopped",
            first_token_seconds: self.first.map(|first| first.as_secs_f64()),
            seconds,
            tokens_per_second: speed,
        };
        match response {
            Ok(Response::Generate { prompt_tokens, tokens, text, finish }) => {
                spoken.prompt_tokens = Some(prompt_tokens);
                spoken.finish = name(finish);
                spoken.ended = ended(finish);
                spoken.tokens = tokens;
                spoken.text = text;
            }
            Ok(_) => anyhow::bail!("the model answered with something else than words"),
            Err(Error::Cancelled) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(spoken)
    }
}

fn name(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Context => "context",
    }
}
