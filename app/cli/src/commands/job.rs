//! `provena job`: jobs that were paid for, from the payer's side.

mod close;
mod list;
mod next;
mod report;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use provena_client::{
    Client, ClientError,
    chain::{Chain, ChainError, ChainReader},
    offer,
    store::Store,
    view::{JobView, View},
};
use provena_wire::Request;
use solana_pubkey::Pubkey;

use super::infer::{self, receipt_file::ReceiptFile};
use crate::{address, context::Context, failure::Failure, output::progress::Progress};

use report::JobReport;

/// Arguments of `provena job`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show how far a job is, where its deposit goes, and what comes next
    Show(Named),
    /// List the wallet's jobs that are on the chain
    List,
    /// Wait for a job's answer, check it and show it; can be repeated
    #[command(after_help = "Examples:\n  provena job answer JOB --receipt receipt.json")]
    Answer(Answer),
    /// Take back a job that no node has taken yet, with its deposit
    Cancel(Named),
    /// Move a job on that nobody moves, and have everybody paid who can be
    #[command(after_help = "Anybody may do this for any job; nobody can be paid twice by it.")]
    Collect(Named),
    /// Take back the rent of a job that is over, or of all that are
    #[command(
        after_help = "Examples:\n  provena job close           every job of the wallet that is over\n  provena job close JOB\n\nA job can be closed from 151 slots after its posting on, about a minute. Its receipts still verify offline."
    )]
    Close(close::Args),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The job's address, as `provena infer` printed it.
    #[arg(value_parser = address::parse)]
    job: Pubkey,
}

#[derive(Debug, clap::Args)]
struct Answer {
    /// The job's address, as `provena infer` printed it.
    #[arg(value_parser = address::parse)]
    job: Pubkey,
    /// How many seconds to wait for the answer.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Where to write the receipt [default: beside the stores, under receipts/].
    #[arg(long, value_name = "FILE")]
    receipt: Option<std::path::PathBuf>,
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = Arc::new(context.chain()?);
    match args.verb {
        Verb::Show(Named { job }) => {
            let found = find(chain.as_ref(), &job).await?;
            context.output.data(&JobReport::new(chain.as_ref(), &found, &[]).await?)
        }
        Verb::List => list::run(&client(context, chain)?, context).await,
        Verb::Answer(args) => answer(args, &client(context, chain)?, context).await,
        Verb::Cancel(Named { job }) => {
            let client = client(context, chain)?;
            let before = find(client.chain(), &job).await?;
            let sent = client.cancel(&job).await.map_err(|error| refused(error, "cancelled"))?;
            changed(&client, before, &[sent.signature.to_string()], context).await
        }
        Verb::Collect(Named { job }) => collect(&job, &client(context, chain)?, context).await,
        Verb::Close(args) => close::run(args, &client(context, chain)?, context).await,
    }
}

fn client(context: &Context<'_>, chain: Arc<dyn Chain>) -> Result<Client> {
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    Ok(Client::new(chain, store, Arc::new(context.wallet()?)))
}

/// Fetches a job's answer as `infer` would have.
async fn answer(args: Answer, client: &Client, context: &Context<'_>) -> Result<()> {
    let job = find(client.chain(), &args.job).await?;
    if job.job.payer != client.payer() {
        return Err(Failure::failed(format!("job {} is another payer's, {}", args.job, job.job.payer))
            .hint("name that wallet with --keypair; `provena job show` reads any job")
            .into());
    }
    let receipt = ReceiptFile::prepare(args.receipt, context)?;
    let offer = offer::get(client.chain(), &job.job.offer).await?;
    let progress = Progress::spinner(context.output, "looking at the job");
    let finished = infer::finish(client, &args.job, args.patience, &progress).await?;
    drop(progress);
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let input = store.get_local(&job.job.input_root).await.ok();
    let request = input.and_then(|bytes| Request::from_bytes(&bytes).ok());
    let answer = infer::told(context, client, &offer, request, &finished, receipt).await?;
    context.output.data(&answer)
}

/// Ends what is late, then has everybody paid.
async fn collect(address: &Pubkey, client: &Client, context: &Context<'_>) -> Result<()> {
    /// Steps that one job can need at most: late seats, the end of the waiting, the payments.
    const STEPS: usize = 8;
    let before = find(client.chain(), address).await?;
    let mut signatures = Vec::new();
    for _ in 0..STEPS {
        match client.crank(address).await.context("the job was not moved on")? {
            Some((_, signature)) => signatures.push(signature.to_string()),
            None => break,
        }
    }
    changed(client, before, &signatures, context).await
}

/// Reports a job as it is now, or as it was before it was closed.
async fn changed(client: &Client, before: JobView, signatures: &[String], context: &Context<'_>) -> Result<()> {
    let job = client.job(&before.address).await?.unwrap_or(before);
    context.output.data(&JobReport::new(client.chain(), &job, signatures).await?)
}

fn refused(error: ClientError, done: &str) -> anyhow::Error {
    let failure = Failure::failed(format!("the job was not {done}"));
    anyhow::Error::from(error).context(failure.hint("`provena job show` tells how far it is"))
}

/// The job at an address.
///
/// # Errors
/// There is none.
pub(crate) async fn find(chain: &(impl ChainReader + ?Sized), address: &Pubkey) -> Result<JobView> {
    let job = match View::read(chain, address).await {
        // The market's, but something else.
        Err(ChainError::Malformed { .. }) => None,
        read => read.context("cannot read the job")?.job,
    };
    job.ok_or_else(|| {
        Failure::failed(format!("the chain knows no job {address}: it never existed, or it was closed"))
            .hint("check the address and --url; `provena job list` shows the wallet's")
            .into()
    })
}
