//! `provena job close`.

use anyhow::{Context as _, Result};
use provena_client::{ClientError, chain::ChainReader, view::View};
use provena_common::slot::Slot;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{
    Payer, find,
    kept::{Whereabouts, whereabouts},
    refused,
};
use crate::{
    address,
    commands::{
        infer::unfetched,
        rent::{Rent, seconds},
    },
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

#[derive(Serialize)]
struct Closed {
    closed: Vec<String>,
    /// Jobs that are over and that somebody could not be paid for yet, or whose time has not come.
    left: Vec<String>,
    signatures: Vec<String>,
}

impl Report for Closed {
    fn text(&self, style: Style) -> String {
        if self.closed.is_empty() && self.left.is_empty() {
            return "No job of the wallet is over.".into();
        }
        let mut rows = Vec::new();
        rows.extend(self.closed.iter().map(|job| ("closed", job.clone())));
        rows.extend(self.left.iter().map(|job| ("not yet", job.clone())));
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
    let job = find(payer.chain.as_ref(), &address, context).await?;
    if job.state()?.is_ended() {
        let now = Slot(client.chain().slot().await?);
        let rent = Rent::of(client.chain(), &job).await?;
        if now.0 < rent.back_from_slot && job.job.payer == client.payer() {
            let wait = seconds(rent.back_from_slot - now.0);
            let early = format!("a job can be closed from slot {} on, in about {wait} s", rent.back_from_slot);
            return Err(Failure::failed(early)
                .about(address)
                .hint("the next `provena infer` closes it by itself")
                .into());
        }
    }
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
    let signatures = vec![sent.signature.to_string()];
    context.output.data(&Closed { closed: vec![address.to_string()], left: Vec::new(), signatures })
}

async fn all(payer: &Payer<'_>) -> Result<()> {
    let Payer { context, client, .. } = payer;
    let done = client.close_finished().await.context("the jobs were not closed")?;
    let mut signatures: Vec<String> =
        done.iter().flat_map(|job| &job.sent).map(|sent| sent.signature.to_string()).collect();
    signatures.sort();
    signatures.dedup();
    done.iter().filter(|job| job.unfetched).for_each(|job| context.output.note(&unfetched(job, context)));
    let closed = done.iter().filter(|job| job.closed).map(|job| job.job.to_string()).collect();
    let mut left = Vec::new();
    for job in client.jobs().await? {
        if job.state()?.is_ended() {
            left.push(job.address.to_string());
        }
    }
    forget_unposted(payer).await?;
    context.output.data(&Closed { closed, left, signatures })
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
