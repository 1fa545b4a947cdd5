//! `provena model chat`: a conversation with a model on this machine.

mod answer;
mod questions;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use provena_engine::{
    AdapterChoice, Engine, Error, Model,
    artifact::{Artifact, Family},
};
use provena_wire::Message;

use crate::{
    commands::text_args::{TextArgs, message},
    context::Context,
    failure::{Exit, Failure},
    output::{Output, progress::Progress},
};

use answer::Spoken;
use questions::Questions;

/// Arguments of `provena model chat`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model chat smollm2.pvna\n  provena model chat smollm2.pvna --prompt 'What is an oracle?' --max-tokens 100\n  provena model chat smollm2.pvna --system 'You are a poet.' --temperature 0.7 --top-p 0.9 --seed 7\n  echo 'Name three colours.' | provena model chat smollm2.pvna --json\n\nWithout --prompt, each line of the input is a question, and the model remembers the conversation. Ctrl-c stops an\nanswer; between answers it ends the conversation, as ctrl-d does. How fast it was is said on stderr."
)]
pub(super) struct Args {
    /// An artifact of a language model (.pvna).
    artifact: PathBuf,
    /// Ask one question and end.
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// What computes: best (the graphics card, or the processor where there is none), gpu, cpu, or an adapter's name.
    #[arg(long, default_value = "best", value_name = "NAME")]
    adapter: String,
    #[command(flatten)]
    text: TextArgs,
}

/// Loads the model and answers until there is no question left.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let output = context.output;
    // A question that makes no sense is refused before a large model is loaded.
    if let Some(prompt) = &args.prompt {
        args.text.question(prompt)?;
    }
    let progress = Progress::spinner(output, "loading the model (the first time, the driver compiles every kernel)");
    let (path, adapter) = (args.artifact.clone(), args.adapter.clone());
    let model = tokio::task::spawn_blocking(move || load(&path, &adapter)).await??;
    drop(progress);
    let mut conversation = Conversation { model, text: args.text, messages: Vec::new() };
    conversation.messages = conversation.text.opening();
    if let Some(prompt) = args.prompt {
        let spoken = conversation.ask(prompt, output).await?;
        return match spoken.is_whole() {
            true => Ok(()),
            false => Err(Failure::new(Exit::Interrupted, "stopped before the answer was complete")
                .hint("what was said so far is above; a conversation is kept nowhere else")
                .into()),
        };
    }
    let mut questions = Questions::read(output);
    while let Some(question) = questions.next().await? {
        conversation.ask(question, output).await?;
    }
    Ok(())
}

fn load(path: &std::path::Path, adapter: &str) -> Result<Arc<Model>> {
    let artifact = Artifact::open(path).with_context(|| format!("{} is no valid artifact", path.display()))?;
    if artifact.family() != Family::Llama {
        let what = match artifact.family() {
            Family::Bert => "embeds sentences",
            _ => "classifies pictures",
        };
        let wrong = Failure::usage(format!("{} {what}; it cannot chat", path.display()));
        return Err(wrong.hint("chat with a language model, such as SmolLM2: provena model import --help").into());
    }
    let Ok(choice) = adapter.parse::<AdapterChoice>();
    let engine = Engine::new(choice).context("the adapter cannot be opened")?;
    let model = engine.load(Arc::new(artifact)).map_err(|error| {
        let failure = match error.root() {
            Error::Gpu(_) | Error::SelfTest { .. } => Failure::failed("the model cannot be loaded on this adapter")
                .hint("--adapter cpu   computes on the processor; the words are the same"),
            _ => Failure::failed("the model cannot be loaded"),
        };
        anyhow::Error::from(error).context(failure)
    })?;
    Ok(Arc::new(model))
}

/// What was said so far, and the model that listens.
struct Conversation {
    model: Arc<Model>,
    text: TextArgs,
    messages: Vec<Message>,
}

impl Conversation {
    /// Asks one question and shows the answer as it comes. What was said is remembered, a stopped answer as far as it
    /// got.
    async fn ask(&mut self, question: String, output: &Output) -> Result<Spoken> {
        if self.text.plain() {
            self.messages.clear();
        }
        self.messages.push(message("user", &question));
        let request = self.text.generate(&self.messages);
        let spoken = answer::speak(&self.model, request, question, output).await.map_err(explain)?;
        self.messages.push(message("assistant", spoken.text()));
        spoken.show(output)?;
        Ok(spoken)
    }
}

/// Says what to do about what a person can do something about.
fn explain(error: anyhow::Error) -> anyhow::Error {
    let failure = match error.downcast_ref::<Error>() {
        Some(Error::ChatTemplate(_)) => Failure::failed("this model's template for conversations cannot be used")
            .hint("--plain continues a text without any template"),
        Some(Error::InputTooLong { .. } | Error::CacheTooSmall { .. }) => {
            Failure::failed("the conversation no longer fits the model")
                .hint("begin a new one, or ask for less with --max-tokens")
        }
        _ => Failure::failed("the model cannot answer"),
    };
    error.context(failure)
}
