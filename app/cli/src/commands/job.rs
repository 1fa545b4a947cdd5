//! `provena job`: jobs that were paid for, from the payer's side.

mod answer;
mod cancel;
mod close;
mod collect;
mod kept;
mod list;
mod next;
mod obstacle;
mod receipt;
mod report;
mod stage;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use provena_client::{
    Client, ClientError,
    chain::{ChainError, ChainReader, RpcChain, history},
    kept::JobsFolder,
    keys::KeyFileError,
    receipt::posting,
    store::Store,
    view::{JobView, View},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::{address, context::Context, failure::Failure};

use super::infer::bill::network_fees;
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
    /// List the wallet's jobs: those on the chain, and those that are kept on this machine
    List(list::Args),
    /// Wait for a job's answer, check it and show it; can be repeated, also when the job is closed
    #[command(after_help = "Examples:\n  provena job answer JOB --receipt receipt.json")]
    Answer(answer::Args),
    /// Fetch a job's receipts from its nodes, and write one to a file; anybody can, for any job
    #[command(
        after_help = "Examples:\n  provena job receipt JOB\n  provena job receipt JOB --out receipt.json\n\nWhat is written can be checked by anybody: provena verify FILE."
    )]
    Receipt(receipt::Args),
    /// Take back a job that no node has taken yet, with its deposit
    Cancel(Named),
    /// Move a job on that nobody moves, and have everybody paid who can be
    #[command(after_help = "Anybody may do this for any job; nobody can be paid twice by it.")]
    Collect(Named),
    /// Take back the rent of a job that is over, or of all that are
    #[command(
        after_help = "Examples:\n  provena job close           every job of the wallet that is over\n  provena job close JOB\n\nA job can be closed about half a minute after its posting. An answer that was never fetched is fetched before. Its\nreceipts still verify."
    )]
    Close(close::Args),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The job's address, as `provena infer` printed it.
    #[arg(value_parser = address::parse)]
    job: Pubkey,
}

/// What every verb needs.
struct Payer<'a> {
    context: &'a Context<'a>,
    chain: Arc<RpcChain>,
    store: Store,
    jobs: JobsFolder,
    client: Client,
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Show(Named { job }) => show(&job, context).await,
        Verb::List(args) => list::run(&args, &Payer::new(context)?).await,
        Verb::Answer(args) => answer::run(args, &Payer::new(context)?).await,
        Verb::Receipt(args) => receipt::run(args, &Payer::reading(context)?).await,
        Verb::Cancel(Named { job }) => cancel::run(&job, &Payer::new(context)?).await,
        Verb::Collect(Named { job }) => collect::run(&job, &Payer::new(context)?).await,
        Verb::Close(args) => close::run(args, &Payer::new(context)?).await,
    }
}

impl<'a> Payer<'a> {
    fn new(context: &'a Context<'a>) -> Result<Self> {
        let wallet = context.wallet().map_err(|error| match error.downcast_ref() {
            Some(KeyFileError::Missing(path)) => missing_wallet(&path.display().to_string()),
            _ => error,
        })?;
        Self::with(wallet, context)
    }

    /// For what needs no wallet: a key that nobody has stands for one that is missing.
    fn reading(context: &'a Context<'a>) -> Result<Self> {
        let wallet = context.wallet().or_else(|error| match error.downcast_ref() {
            Some(KeyFileError::Missing(_)) => Ok(Keypair::new()),
            _ => Err(error),
        })?;
        Self::with(wallet, context)
    }

    fn with(wallet: Keypair, context: &'a Context<'a>) -> Result<Self> {
        let chain = Arc::new(context.chain()?);
        let store = Store::open(context.store_urls()).context("cannot open the store")?;
        let jobs = JobsFolder::open(context.jobs_folder()?)?;
        let client = Client::new(chain.clone(), store.clone(), Arc::new(wallet)).with_jobs(jobs.clone());
        Ok(Self { context, chain, store, jobs, client })
    }

    /// Reports a job as it is now, or as it was before it was closed.
    async fn changed(&self, before: JobView, signatures: &[Signature]) -> Result<()> {
        let job = self.client.job(&before.address).await?.unwrap_or(before);
        let fees = self.fees(signatures).await;
        let signatures: Vec<String> = signatures.iter().map(ToString::to_string).collect();
        let report = JobReport::new(self.chain.as_ref(), &job, &signatures, self.context).await?;
        self.context.output.data(&report.costing(fees))
    }

    /// Lamports that transactions cost the wallet; `None` without any, or where the chain has no record of them.
    async fn fees(&self, signatures: &[Signature]) -> Option<u64> {
        if signatures.is_empty() {
            return None;
        }
        network_fees(self.chain.as_ref(), &self.client.payer(), signatures).await.ok()
    }
}

/// Any job on the chain, or one that is kept here. This needs no wallet.
async fn show(job: &Pubkey, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    if let Some(found) = read(&chain, job).await? {
        return context.output.data(&JobReport::new(&chain, &found, &[], context).await?);
    }
    let jobs = JobsFolder::open(context.jobs_folder()?)?;
    match jobs.get(job)? {
        Some(record) => context.output.data(&kept::KeptReport::new(&chain, &jobs, record, context).await?),
        None => Err(unknown(job, &chain, context).await),
    }
}

fn refused(error: ClientError, done: &str, job: &Pubkey, context: &Context<'_>) -> anyhow::Error {
    let hint = context.command(&format!("job show {job}")) + "   tells how far it is";
    let failure = Failure::failed(format!("the job was not {done}")).about(job).hint(hint);
    anyhow::Error::from(error).context(failure)
}

/// The job at an address; `None` when there is none (any more).
async fn read(chain: &(impl ChainReader + ?Sized), address: &Pubkey) -> Result<Option<JobView>> {
    match View::read(chain, address).await {
        // The market's, but something else.
        Err(ChainError::Malformed { .. }) => Ok(None),
        read => Ok(read.context("cannot read the job")?.job),
    }
}

/// The job at an address.
///
/// # Errors
/// There is none (any more): what is kept of it here is told.
async fn find(address: &Pubkey, payer: &Payer<'_>) -> Result<JobView> {
    if let Some(job) = read(payer.chain.as_ref(), address).await? {
        return Ok(job);
    }
    match payer.jobs.get(address)? {
        Some(record) => Err(kept::no_account(&record, &payer.chain, payer.context).await?),
        None => Err(unknown(address, &payer.chain, payer.context).await),
    }
}

fn missing_wallet(file: &str) -> anyhow::Error {
    Failure::failed(format!("there is no key file {file}, and this is about the jobs of a wallet"))
        .hint(
            "name the key file of the wallet that paid with --keypair; without it there are `job show JOB` and \
             `job receipt JOB`",
        )
        .into()
}

/// What is said of a job that is neither on the chain nor kept here: its transactions may tell more.
async fn unknown(address: &Pubkey, chain: &RpcChain, context: &Context<'_>) -> anyhow::Error {
    let past = history::instructions(chain, address).await.unwrap_or_default();
    if let Some(posting) = posting(address, &past) {
        let [answer, receipt] = ["answer", "receipt"].map(|verb| context.command(&format!("job {verb} {address}")));
        let message =
            format!("job {address} is closed: the wallet {} paid for it, and has its rent back", posting.payer);
        return Failure::failed(message)
            .about(address)
            .hint(format!("what it brought is shown by\n       {answer}   and\n       {receipt}"))
            .into();
    }
    let hint = format!("check the address and --url; {}   shows the wallet's", context.command("job list --all"));
    let message = format!(
        "the chain knows no job {address}: it never existed, or it was closed, and nothing is kept of it on this machine"
    );
    Failure::failed(message).hint(hint).into()
}
