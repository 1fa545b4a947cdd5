//! `provena infer`: pay for a model's answer.

pub mod answer;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use provena_market::{state::JobState, view};
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    digits,
    failure::{Exit, Failure},
    output::progress::Progress,
};

use answer::{Answer, Paid};
use provena_client::{Client, ClientError, Finished, PostedJob, Stage, store::Store, token};
use provena_wire::{Request, SignedReceipt};

use super::{
    recompute::{self, By},
    text_args::TextArgs,
};

/// Arguments of `provena infer`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena infer OFFER --csv digits.csv.gz --row 17\n  provena infer OFFER --image seven.pgm\n  provena infer OFFER --text 'How do I reset my password?' --text 'I cannot log in' --text 'Bananas are yellow'\n  provena infer OFFER --prompt 'What is an oracle?' --max-tokens 100\n\nA model of words is paid by the token, those of the prompt included. How many those are only the model knows, so the\ndeposit is for the most that they can be: one for each byte of the prompt, some for the model's chat template, and\n--max-tokens. The settlement pays back what was not used."
)]
pub struct Args {
    /// The offer (see `provena offer list`).
    #[arg(value_parser = address::parse)]
    offer: Pubkey,
    /// A question for a model of words.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["texts", "images", "csv"])]
    prompt: Option<String>,
    /// A sentence to embed (repeat for more); the others are ranked by nearness to the first.
    #[arg(long = "text", value_name = "SENTENCE", conflicts_with_all = ["images", "csv"])]
    texts: Vec<String>,
    /// An 8x8 picture in PGM format (repeat for more).
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// A CSV file of pictures: 64 values of 0 to 16 per row.
    #[arg(long, value_name = "FILE", requires = "rows")]
    csv: Option<PathBuf>,
    /// Which row of --csv, from 0 (repeat for more).
    #[arg(long = "row", value_name = "N", requires = "csv")]
    rows: Vec<usize>,
    /// Pay for exactly so many units (pictures, sentences, or tokens of prompt and answer) [default: the most needed].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    units: Option<u32>,
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

/// Posts the job, waits, checks and shows the answer.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let request = request(&args)?;
    let wallet = Arc::new(context.wallet()?);
    let chain = Arc::new(context.chain()?);
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let client = Client::new(chain.clone(), store.clone(), wallet).with_units(args.units);
    let progress = Progress::spinner(context.output, "paying the deposit");
    let mut stages = |stage| progress.message(describe(stage));
    let patience = Duration::from_secs(args.patience);
    let outcome = client.infer(&args.offer, &request, patience, &mut stages).await;
    let (posted, finished) = outcome.map_err(explain)?;
    let recomputed = match args.recompute {
        true => {
            progress.message("computing the answer again");
            let job = &finished.job;
            let ours = recompute::answer(&store, &job.content_root, request.clone(), By::Processor).await?;
            Some(ours.result_root() == job.result_root)
        }
        false => None,
    };
    drop(progress);
    let receipt = save_receipt(&args, context, &posted, &finished)?;
    let currency = token::currency(chain.as_ref(), &finished.job.mint).await?;
    let split = view::paid(&finished.job);
    let paid = Paid {
        mint: token::name(&finished.job.mint),
        decimals: currency.decimals,
        deposit: finished.job.deposit,
        node_fee: split.nodes.0,
        royalty: split.royalty.0,
        protocol_fee: split.protocol.0,
        refund: split.refund.0,
        currency,
    };
    context.output.data(&Answer::new(request, posted, finished, paid, receipt, recomputed))
}

fn request(args: &Args) -> Result<Request> {
    if let Some(prompt) = &args.prompt {
        return Ok(Request::Generate(args.text.question(prompt)?));
    }
    if let Some(option) = args.text.given() {
        let wrong = Failure::usage(format!("{option} is for answers in words, and no question was asked"));
        return Err(wrong.hint("ask it with --prompt").into());
    }
    if !args.texts.is_empty() {
        return Ok(Request::Embed { texts: args.texts.clone() });
    }
    let mut images = Vec::new();
    for file in &args.images {
        images.push(digits::read_pgm(file)?.pixels);
    }
    if let Some(csv) = &args.csv {
        let all = digits::read_csv(csv)?;
        for row in &args.rows {
            let digit = all.get(*row).ok_or_else(|| {
                Failure::usage(format!(
                    "{} has no row {row}; its rows are 0 to {}",
                    csv.display(),
                    all.len().saturating_sub(1)
                ))
            })?;
            images.push(digit.pixels.clone());
        }
    }
    if images.is_empty() {
        return Err(Failure::usage("there is nothing to ask")
            .hint("give --prompt, --text, --image, or --csv with --row")
            .into());
    }
    Ok(Request::Classify { images })
}

/// What is going on, in words.
pub fn describe(stage: Stage) -> &'static str {
    match stage {
        Stage::State(JobState::Open) => "waiting for a node to take the job",
        Stage::State(JobState::Claimed) => "a node is computing",
        Stage::State(JobState::Committed) => "the node has sealed its answer",
        Stage::State(JobState::Revealed) => "waiting for the other nodes' answers",
        Stage::State(JobState::Final) => "the answer is on the chain; paying everybody",
        Stage::State(_) => "done",
        Stage::Cranked(..) => "moving the job on",
    }
}

/// Turns a client's error into one with an exit code and the next step.
pub fn explain(error: ClientError) -> anyhow::Error {
    let failure = match &error {
        ClientError::StillRunning { job, .. } => Failure::new(Exit::Unknown, "no answer yet; the deposit is safe")
            .hint(format!("provena job show {job}   later, or `job cancel` while no node has taken it")),
        ClientError::MaybePosted { job, .. } => {
            Failure::new(Exit::Unknown, "it is unknown whether the deposit was paid")
                .hint(format!("provena job show {job}   before paying again"))
        }
        ClientError::Ended { .. } => Failure::failed("no node gave an answer; the deposit came back")
            .hint("see that a node runs and serves this model, then ask again"),
        ClientError::TooManyUnits { .. } => Failure::failed("the answer could not be had")
            .hint("ask for less: a shorter prompt, a smaller --max-tokens, or --units N for what you know is enough"),
        _ => Failure::failed("the answer could not be had"),
    };
    anyhow::Error::from(error).context(failure)
}

fn save_receipt(
    args: &Args,
    context: &Context<'_>,
    posted: &PostedJob,
    finished: &Finished,
) -> Result<Option<(PathBuf, SignedReceipt)>> {
    let Some(receipt) = finished.receipts.first() else {
        for (node, why) in &finished.missing_receipts {
            context.output.note(&format!("no receipt from {node}: {why}"));
        }
        return Ok(None);
    };
    let path = match &args.receipt {
        Some(path) => path.clone(),
        None => context.receipts_folder()?.join(format!("{}.json", posted.job)),
    };
    write_receipt(&path, receipt)?;
    Ok(Some((path, receipt.clone())))
}

/// Writes a receipt where `provena verify` can read it.
pub fn write_receipt(path: &std::path::Path, receipt: &SignedReceipt) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let json = serde_json::to_string_pretty(receipt)?;
    fs::write(path, json + "\n").with_context(|| format!("cannot write the receipt {}", path.display()))
}
