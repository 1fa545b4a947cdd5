//! `provena job close`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use provena_client::{
    ClientError,
    amount::Currency,
    chain::{Chain, ChainReader},
    token,
    view::{JobView, View},
};
use provena_common::slot::Slot;
use provena_market::{NATIVE_MINT, state::Party};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{
    Payer, find,
    kept::{Whereabouts, whereabouts},
    obstacle::check_close,
    refused, stage,
};
use crate::{
    address,
    commands::{infer::unfetched, rent::Rent},
    failure::Failure,
    output::{Report, style::Style, table::facts, text::short_each},
};

/// Arguments of `provena job close`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's address [default: every job of the wallet that is over].
    #[arg(value_parser = address::parse)]
    job: Option<Pubkey>,
    /// Close it although its answer was never fetched and no node hands it out.
    #[arg(long, requires = "job")]
    without_answer: bool,
}

/// What closing a job brings its payer.
struct Worth {
    job: Pubkey,
    rent: u64,
    /// Base units of a mint that he had not collected before.
    refunds: Vec<(Pubkey, u64)>,
}

#[derive(Serialize)]
struct Closed {
    closed: Vec<String>,
    /// Jobs that are over and that somebody could not be paid for yet, or whose time has not come.
    left: Vec<String>,
    /// Lamports of rent that came back.
    rent: u64,
    /// What came back of deposits, by mint.
    refunds: Vec<Refund>,
    /// Lamports that the transactions cost the wallet.
    network_fees: Option<u64>,
    /// Whose money it is.
    payer: String,
    signatures: Vec<String>,
    /// How far the jobs that are left are, and jobs that are not over.
    #[serde(skip)]
    why: Vec<String>,
    #[serde(skip)]
    running: usize,
    /// The command that lists them.
    #[serde(skip)]
    list: String,
}

#[derive(Serialize)]
struct Refund {
    mint: String,
    decimals: u8,
    amount: u64,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Closed {
    fn text(&self, style: Style) -> String {
        let running = match self.running {
            0 => String::new(),
            1 => format!("One job is not over yet: {}", self.list),
            more => format!("{more} jobs are not over yet: {}", self.list),
        };
        if self.closed.is_empty() && self.left.is_empty() {
            return format!("No job of the wallet is over. {running}").trim_end().to_owned();
        }
        let mut rows = Vec::new();
        rows.extend(self.closed.iter().map(|job| ("closed", job.clone())));
        if !self.closed.is_empty() {
            rows.push(("rent back", style.strong(&Currency::sol().show(self.rent))));
        }
        rows.extend(self.refunds.iter().map(|refund| ("deposit back", refund.currency.show(refund.amount))));
        if !self.closed.is_empty() {
            rows.push(("to", self.payer.clone()));
        }
        rows.extend(self.network_fees.map(|fees| ("network fees", Currency::sol().show(fees))));
        rows.extend(self.left.iter().zip(&self.why).map(|(job, why)| ("not yet", format!("{job}\n{why}"))));
        if !self.signatures.is_empty() {
            rows.push(("transactions", short_each(&self.signatures)));
        }
        let text = facts(&rows, style);
        if running.is_empty() { text } else { format!("{text}\n\n{running}") }
    }
}

/// Closes one job, or all that are over.
pub(super) async fn run(args: Args, payer: &Payer<'_>) -> Result<()> {
    let Payer { context, client, .. } = payer;
    let Some(address) = args.job else { return all(payer).await };
    let job = find(&address, payer).await?;
    let now = Slot(client.chain().slot().await?);
    check_close(&job, &client.payer(), now, context)?;
    let worth = Worth::of(client.chain(), &job).await?;
    let closed = match args.without_answer {
        true => client.close_anyway(&address).await,
        false => client.close(&address).await,
    };
    let sent = closed.map_err(|error| match error {
        ClientError::Unfetched(_) => {
            let again = context.command(&format!("job answer {address}"));
            let failure = Failure::failed("the job was not closed").about(address);
            anyhow::Error::from(error)
                .context(failure.hint(format!("{again}   later, or give it up with --without-answer")))
        }
        error => refused(error, "closed", &address, context),
    })?;
    tell(payer, &[worth], job.job.payer, &[sent.signature], (&[], 0)).await
}

async fn all(payer: &Payer<'_>) -> Result<()> {
    let Payer { context, client, .. } = payer;
    let mut worth = Vec::new();
    for job in client.jobs().await.context("cannot list the jobs")? {
        if job.state()?.is_ended() {
            worth.push(Worth::of(client.chain(), &job).await?);
        }
    }
    let done = client.close_finished().await.context("the jobs were not closed")?;
    let mut signatures: Vec<Signature> = done.iter().flat_map(|job| &job.sent).map(|sent| sent.signature).collect();
    signatures.sort_unstable();
    signatures.dedup();
    done.iter().filter(|job| job.unfetched).for_each(|job| context.output.note(&unfetched(job, context)));
    worth.retain(|one| done.iter().any(|done| done.closed && done.job == one.job));
    let (left, running): (Vec<JobView>, Vec<JobView>) =
        client.jobs().await?.into_iter().partition(|job| job.state().is_ok_and(|state| state.is_ended()));
    forget_unposted(payer).await?;
    tell(payer, &worth, client.payer(), &signatures, (&left, running.len())).await
}

async fn tell(
    payer: &Payer<'_>,
    worth: &[Worth],
    to: Pubkey,
    signatures: &[Signature],
    (left, running): (&[JobView], usize),
) -> Result<()> {
    let Payer { context, chain, .. } = payer;
    let mut by_mint = BTreeMap::<Pubkey, u64>::new();
    for (mint, amount) in worth.iter().flat_map(|one| &one.refunds) {
        *by_mint.entry(*mint).or_default() += amount;
    }
    let mut refunds = Vec::new();
    for (mint, amount) in by_mint {
        let currency = token::currency(chain.as_ref(), &mint).await?;
        refunds.push(Refund { mint: token::name(&mint), decimals: currency.decimals, amount, currency });
    }
    let now = chain.slot().await?;
    let mut why = Vec::new();
    for job in left {
        let rent = Rent::of(chain.as_ref(), job).await?;
        why.push(format!("{}; lent: {}", stage::words(job), rent.words(now, true)));
    }
    context.output.data(&Closed {
        closed: worth.iter().map(|one| one.job.to_string()).collect(),
        left: left.iter().map(|job| job.address.to_string()).collect(),
        rent: worth.iter().map(|one| one.rent).sum(),
        refunds,
        network_fees: payer.fees(signatures).await,
        payer: to.to_string(),
        signatures: signatures.iter().map(ToString::to_string).collect(),
        why,
        running,
        list: context.command("job list"),
    })
}

impl Worth {
    async fn of(chain: &dyn Chain, job: &JobView) -> Result<Self> {
        let owed = job.job.owed(&job.seats, Party::Payer).unwrap_or_default();
        let both = [(job.job.mint, owed.money.0), (NATIVE_MINT, owed.lamports.0)];
        Ok(Self {
            job: job.address,
            rent: Rent::of(chain, job).await?.lamports,
            refunds: both.into_iter().filter(|(_, amount)| *amount > 0).collect(),
        })
    }
}

/// Forgets what was kept of jobs that were never posted: nothing was paid for them.
async fn forget_unposted(payer: &Payer<'_>) -> Result<()> {
    let Payer { chain, jobs, client, .. } = payer;
    let cluster = Pubkey::from(chain.cluster().await?);
    for record in jobs.all()?.0 {
        let is_ours = record.cluster == cluster && record.wallet == client.payer() && !record.closed;
        if !is_ours {
            continue;
        }
        let view = View::read(chain.as_ref(), &record.job).await?;
        if view.job.is_none() && whereabouts(&record, chain, view.now.0).await? == Whereabouts::NeverPosted {
            jobs.forget(&record.job)?;
        }
    }
    Ok(())
}
