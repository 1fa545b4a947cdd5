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
    refused,
    report::next_words,
    stage,
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
    /// Jobs that are not over, or not on the chain yet.
    not_over: Vec<String>,
    /// How far the jobs that are left are, and what comes next.
    #[serde(skip)]
    why_left: Vec<String>,
    /// The same of those that are not over.
    #[serde(skip)]
    why_not_over: Vec<String>,
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
        let running = self.not_over.iter().zip(&self.why_not_over);
        let running = running.map(|(job, why)| ("not over", format!("{job}\n{why}")));
        if self.closed.is_empty() && self.left.is_empty() {
            let rows: Vec<_> = running.collect();
            let none = "No job of the wallet is over.";
            return if rows.is_empty() { none.to_owned() } else { format!("{none}\n\n{}", facts(&rows, style)) };
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
        rows.extend(self.left.iter().zip(&self.why_left).map(|(job, why)| ("not yet", format!("{job}\n{why}"))));
        rows.extend(running);
        if !self.signatures.is_empty() {
            rows.push(("transactions", short_each(&self.signatures)));
        }
        facts(&rows, style)
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
    tell(payer, &[worth], job.job.payer, &[sent.signature], (&[], &[]), Vec::new()).await
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
    let coming = forget_unposted(payer).await?;
    tell(payer, &worth, client.payer(), &signatures, (&left, &running), coming).await
}

async fn tell(
    payer: &Payer<'_>,
    worth: &[Worth],
    to: Pubkey,
    signatures: &[Signature],
    (left, running): (&[JobView], &[JobView]),
    coming: Vec<(String, String)>,
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
    let mut why_left = Vec::new();
    for job in left {
        // Where somebody waits for his pay, it is the payer's move before the rent can come back.
        let why = match job.job.is_paid_out(&job.seats)? {
            true => format!("lent: {}", Rent::of(chain.as_ref(), job).await?.words(now, true)),
            false => next_words(job, Slot(now), context)?,
        };
        why_left.push(format!("{}; {why}", stage::words(job)));
    }
    let (mut not_over, mut why_not_over): (Vec<String>, Vec<String>) = coming.into_iter().unzip();
    for job in running {
        not_over.push(job.address.to_string());
        why_not_over.push(format!("{}; {}", stage::words(job), next_words(job, Slot(now), context)?));
    }
    context.output.data(&Closed {
        closed: worth.iter().map(|one| one.job.to_string()).collect(),
        left: left.iter().map(|job| job.address.to_string()).collect(),
        rent: worth.iter().map(|one| one.rent).sum(),
        refunds,
        network_fees: payer.fees(signatures).await,
        payer: to.to_string(),
        signatures: signatures.iter().map(ToString::to_string).collect(),
        not_over,
        why_left,
        why_not_over,
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

/// Forgets what was kept of jobs that were never posted: nothing was paid for them. Returns those that may still come on the
/// chain, and what is waited for.
async fn forget_unposted(payer: &Payer<'_>) -> Result<Vec<(String, String)>> {
    let Payer { context, chain, jobs, client, .. } = payer;
    let mut coming = Vec::new();
    let cluster = Pubkey::from(chain.cluster().await?);
    for record in jobs.all()?.0 {
        let is_ours = record.cluster == cluster && record.wallet == client.payer() && !record.closed;
        if !is_ours {
            continue;
        }
        let view = View::read(chain.as_ref(), &record.job).await?;
        if view.job.is_some() {
            continue;
        }
        match whereabouts(&record, chain, view.now.0).await? {
            Whereabouts::NeverPosted => {
                jobs.forget(&record.job)?;
                context.book.forget(&record.job);
            }
            place @ Whereabouts::MayCome(_) => {
                let next = place.next(&record, view.now.0, context);
                coming.push((record.job.to_string(), format!("{}; {next}", place.words())));
            }
            _ => {}
        }
    }
    Ok(coming)
}
