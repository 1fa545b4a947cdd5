//! `provena infer`: pay for a model's answer.

pub(crate) mod answer;
mod ask;
pub(crate) mod bill;
mod buy;
mod check;
pub(crate) mod demand;
mod estimate;
mod explain;
mod progress;
pub(crate) mod receipt_file;
mod so_far;

use std::path::PathBuf;

use anyhow::Result;
use solana_pubkey::Pubkey;

use crate::{address, context::Context, stop};

use super::text_args::TextArgs;

pub(crate) use buy::{unfetched, unpaid};
pub(crate) use explain::explain;
pub(crate) use progress::{describe, finish};
pub(crate) use so_far::{Course, SoFar, stopped};

/// Arguments of `provena infer`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena infer OFFER --csv digits.csv --row 17\n  provena infer OFFER --image seven.pgm\n  provena infer OFFER --text 'How do I reset my password?' --text 'I cannot log in'\n  provena infer OFFER --prompt 'What is an oracle?' --max-tokens 100\n  provena infer OFFER --prompt 'What is an oracle?' --dry-run\n\nThe nodes are asked first whether they would answer, and for how many units; then the price is said, and the request goes to the nodes. Only then is anything paid.\n\nA language model is paid by the token, those of the prompt (input) and those of the answer (output). How many a prompt has only the model knows. Where no node says it, the deposit is for the most that it can be: one for each byte, and some for the model's chat template. What is not used comes back. The job's account is rent that is lent: it comes back when the job is closed, which the next `provena infer` does by itself, or this one with --wait-close.\n\nThe job's address is kept before anything is paid: after ctrl-c or a power cut `provena job list` shows it, and `provena job answer` goes on."
)]
pub(crate) struct Args {
    /// The offer (see `provena offer list`), or a model: then the cheapest offer of it for which there are nodes.
    #[arg(value_parser = address::parse)]
    offer: Pubkey,
    /// A question for a language model.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["texts", "images", "csv"])]
    prompt: Option<String>,
    /// A sentence to embed (repeat for more); the others are ranked by nearness to the first.
    #[arg(long = "text", value_name = "SENTENCE", conflicts_with_all = ["images", "csv"])]
    texts: Vec<String>,
    /// An 8x8 picture in PGM format, dark ink on light paper: 0 is black, and all ink (repeat for more).
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// A CSV file of pictures, packed by gzip or not: 64 values of 0 (paper) to 16 (all ink) per row.
    #[arg(long, value_name = "FILE", requires = "rows")]
    csv: Option<PathBuf>,
    /// Which row of --csv, from 0 (repeat for more).
    #[arg(long = "row", value_name = "N", requires = "csv")]
    rows: Vec<usize>,
    /// Pay for exactly so many units of input [default: what the nodes quote, or the most that can be needed].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    input_units: Option<u32>,
    /// The most to spend, in the offer's currency: the deposit and, where that is SOL, the network's fees, too.
    #[arg(long, value_name = "AMOUNT")]
    most: Option<String>,
    /// Say what it would cost and who would answer, and pay nothing.
    #[arg(long)]
    dry_run: bool,
    /// Post the job although no node says that it would take it. The request is sent to the nodes before anything is paid.
    #[arg(long)]
    unquoted: bool,
    /// With --unquoted: pay although no node has taken the request. It is sent again once the job is posted.
    #[arg(long, requires = "unquoted")]
    undelivered: bool,
    /// How many seconds to wait for the answer, in all, once it is paid for.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Stay until the job can be closed and its rent is back, about half a minute.
    #[arg(long)]
    wait_close: bool,
    /// Where to write the receipt, besides the folder of kept jobs [default: under receipts/ in the data folder].
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Replace an existing file with the receipt.
    #[arg(long, requires = "receipt")]
    force: bool,
    /// Also compute the answer on this machine and compare it byte for byte.
    #[arg(long)]
    recompute: bool,
    #[command(flatten)]
    text: TextArgs,
}

/// Finds out who would answer, says the price, pays, waits, checks and shows the answer.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let so_far = Course::default();
    tokio::select! {
        done = buy::run(args, context, &so_far) => done,
        () = stop::requested() => Err(stopped(so_far.get(), context).into()),
    }
}
