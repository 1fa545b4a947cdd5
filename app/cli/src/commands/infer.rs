//! `provena infer`: pay for a model's answer.

pub(crate) mod answer;
mod ask;
pub(crate) mod receipt_file;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use provena_client::{Client, ClientError, Finished, Stage, offer, store::Store, token};
use provena_market::state::{JobState, Offer};
use provena_wire::{Request, Units};
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    failure::{Exit, Failure},
    output::progress::Progress,
    stop,
};

use answer::{Answer, Paid};
use receipt_file::ReceiptFile;

use super::{
    recompute::{self, By},
    rent::Rent,
    text_args::TextArgs,
};

/// Arguments of `provena infer`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena infer OFFER --csv digits.csv --row 17\n  provena infer OFFER --image seven.pgm\n  provena infer OFFER --text 'How do I reset my password?' --text 'I cannot log in'\n  provena infer OFFER --prompt 'What is an oracle?' --max-tokens 100\n\nA language model is paid by the token, those of the prompt (input) and those of the answer (output). How many a prompt\nhas only the model knows, so the deposit is for the most that it can be: one for each byte, and some for the model's\nchat template. What is not used comes back. The job's account is rent that is lent: it comes back when the job is\nclosed, which the next `provena infer` does by itself."
)]
pub(crate) struct Args {
    /// The offer (see `provena offer list`).
    #[arg(value_parser = address::parse)]
    offer: Pubkey,
    /// A question for a language model.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["texts", "images", "csv"])]
    prompt: Option<String>,
    /// A sentence to embed (repeat for more); the others are ranked by nearness to the first.
    #[arg(long = "text", value_name = "SENTENCE", conflicts_with_all = ["images", "csv"])]
    texts: Vec<String>,
    /// An 8x8 picture in PGM format (repeat for more).
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// A CSV file of pictures, packed by gzip or not: 64 values of 0 to 16 per row.
    #[arg(long, value_name = "FILE", requires = "rows")]
    csv: Option<PathBuf>,
    /// Which row of --csv, from 0 (repeat for more).
    #[arg(long = "row", value_name = "N", requires = "csv")]
    rows: Vec<usize>,
    /// Pay for exactly so many units of input [default: the most that can be needed].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    input_units: Option<u32>,
    /// How many seconds to wait for the answer.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Where to write the receipt [default: beside the stores, under receipts/].
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Also compute the answer on this machine and compare it byte for byte.
    #[arg(long)]
    recompute: bool,
    #[command(flatten)]
    text: TextArgs,
}

/// Takes old rent back, posts the job, waits, checks and shows the answer.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let request = ask::request(&args)?;
    let wallet = Arc::new(context.wallet()?);
    let receipt = ReceiptFile::prepare(args.receipt.clone(), context)?;
    let chain = Arc::new(context.chain()?);
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let offer = offer::get(chain.as_ref(), &args.offer).await?;
    let units = args.input_units.map(|input| Units::new(input, request.units().output));
    let client = Client::new(chain.clone(), store.clone(), wallet).with_units(units);
    let progress = Progress::spinner(context.output, "closing jobs that are over");
    let closed = close_finished(&client).await;
    progress.message("paying the deposit");
    let posted = client.post_job(&args.offer, &request).await.map_err(explain)?;
    progress.suspend(|| {
        if !closed.is_empty() {
            context.output.note(&closed);
        }
        context.output.note(&format!("job {} is paid for", posted.job));
    });
    let finished = finish(&client, &posted.job, args.patience, &progress).await?;
    let recomputed = match args.recompute {
        true => {
            progress.message("computing the answer again");
            Some(is_right(&store, &offer, &request, &finished).await?)
        }
        false => None,
    };
    drop(progress);
    let answer = told(context, &client, &offer, Some(request), &finished, receipt).await?;
    context.output.data(&answer.posted(&posted).recomputed(recomputed))
}

/// Closes this payer's jobs that are over, and says what came of it. That it fails keeps nobody from asking.
async fn close_finished(client: &Client) -> String {
    match client.close_finished().await {
        Ok(jobs) => match jobs.iter().filter(|job| job.closed).count() {
            0 => String::new(),
            1 => "an earlier job was closed; its rent came back".into(),
            more => format!("{more} earlier jobs were closed; their rent came back"),
        },
        Err(error) => format!("earlier jobs could not be closed now: {error}"),
    }
}

/// Waits for a posted job's answer; ctrl-c leaves the job as it is and says how to go on.
pub(crate) async fn finish(client: &Client, job: &Pubkey, patience: u64, progress: &Progress) -> Result<Finished> {
    let mut stages = |stage| progress.message(describe(stage));
    let finished = client.finish(job, Duration::from_secs(patience), &mut stages);
    tokio::select! {
        finished = finished => finished.map_err(explain),
        () = stop::requested() => {
            Err(Failure::new(Exit::Interrupted, format!("stopped waiting; job {job} is paid for and goes on"))
                .hint(format!("provena job answer {job}"))
                .into())
        }
    }
}

async fn is_right(store: &Store, offer: &Offer, request: &Request, finished: &Finished) -> Result<bool> {
    let ours = recompute::answer(store, &offer.content_root, request.clone(), By::Processor).await?;
    Ok(finished.job.winner().is_some_and(|seat| seat.value == ours.result_root()))
}

/// Saves the receipt and puts together what is told of a finished job.
pub(crate) async fn told(
    context: &Context<'_>,
    client: &Client,
    offer: &Offer,
    request: Option<Request>,
    finished: &Finished,
    receipt: ReceiptFile,
) -> Result<Answer> {
    let chain = client.chain();
    let saved = receipt.save(&finished.job.address, finished, context.output);
    if finished.paid.is_empty() {
        context
            .output
            .note("The nodes are not paid yet: the answer could not be acknowledged now. They are within ten minutes.");
    }
    let job = &finished.job;
    let currency = token::currency(chain, &job.job.mint).await?;
    let paid = Paid::new(job, currency);
    let rent = Rent::of(chain, job).await?;
    let now = chain.slot().await?;
    Ok(Answer::new(request, offer, finished, paid, (rent, now), saved))
}

/// What is going on, in words.
pub(crate) fn describe(stage: Stage) -> &'static str {
    match stage {
        Stage::State(JobState::Open) => "waiting for a node to take the job and compute",
        Stage::State(JobState::Revealing) => "the nodes have sealed their answers and open them",
        Stage::State(JobState::Agreed) => "the answer is agreed; fetching it",
        Stage::State(_) => "done",
        Stage::Cranked(..) => "moving the job on",
        Stage::Demanded(_) => "no node hands the answer out; it was demanded on the chain",
        Stage::Paid(_) => "the answer is here; paying everybody",
    }
}

/// Turns a client's error into one with an exit code and the next step.
pub(crate) fn explain(error: ClientError) -> anyhow::Error {
    let failure = match &error {
        ClientError::StillRunning { job, .. } => Failure::new(Exit::Unknown, "no answer yet; the deposit is safe")
            .hint(format!("provena job answer {job}   later, or `job cancel` while no node has taken it")),
        ClientError::MaybePosted { job, .. } => {
            Failure::new(Exit::Unknown, "it is unknown whether the deposit was paid")
                .hint(format!("provena job show {job}   before paying again"))
        }
        ClientError::Ended { state: JobState::Cancelled, .. } => {
            Failure::failed("the job was cancelled; the deposit came back").hint("ask again")
        }
        ClientError::Ended { .. } => Failure::failed("no node gave an answer; the deposit came back")
            .hint("see that a node runs and serves this model (provena node list), then ask again"),
        ClientError::TooManyUnits { .. } => Failure::failed("the answer could not be had").hint(
            "ask for less: a shorter prompt, a smaller --max-tokens, or --input-units N for what you know is enough",
        ),
        ClientError::Closed(_) => Failure::failed("the answer could not be had")
            .hint("check the job's address and --url; `provena job list` shows the wallet's"),
        ClientError::Withheld(job) => {
            Failure::new(Exit::Unknown, "the nodes keep the answer").hint(format!("provena job answer {job}   later"))
        }
        _ => Failure::failed("the answer could not be had"),
    };
    anyhow::Error::from(error).context(failure)
}
