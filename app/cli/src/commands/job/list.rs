//! `provena job list`.

use anyhow::{Context as _, Result};
use provena_client::{amount::Currency, chain::ChainReader, token, view::View};
use provena_common::slot::Slot;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{
    Payer,
    kept::{Whereabouts, whereabouts},
    report::{next_words, state},
    stage,
};
use crate::output::{
    Report,
    style::Style,
    table::{Align, Table},
};

/// Arguments of `provena job list`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also those that are closed, as far as they are kept on this machine.
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Jobs(Vec<Listed>);

#[derive(Serialize)]
struct Listed {
    job: String,
    state: &'static str,
    next: String,
    mint: String,
    decimals: u8,
    deposit: u64,
    posted_slot: u64,
    #[serde(skip)]
    stage: &'static str,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Jobs {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "The wallet has no job on this chain, and no rent in one. Closed ones: provena job list --all"
                .into();
        }
        let mut table = Table::new(&[("job", Align::Left), ("state", Align::Left), ("deposit", Align::Right)]);
        for job in &self.0 {
            table.row([job.job.clone(), job.stage.into(), job.currency.show(job.deposit)]);
            for line in job.next.lines() {
                table.note(line);
            }
        }
        table.text(style)
    }
}

/// Lists them, the latest first.
pub(super) async fn run(args: &Args, payer: &Payer<'_>) -> Result<()> {
    let Payer { context, chain, jobs: folder, client, .. } = payer;
    let now = Slot(chain.slot().await?);
    let mut jobs = client.jobs().await.context("cannot list the jobs")?;
    jobs.sort_by_key(|job| std::cmp::Reverse((job.job.posted_at, job.address)));
    let mut listed = Vec::new();
    for job in &jobs {
        let currency = token::currency(chain.as_ref(), &job.job.mint).await?;
        listed.push(Listed {
            job: job.address.to_string(),
            state: state(job),
            next: next_words(job, now, context)?,
            mint: token::name(&job.job.mint),
            decimals: currency.decimals,
            deposit: job.job.deposit,
            posted_slot: job.job.posted_at,
            stage: stage::words(job),
            currency,
        });
    }
    let cluster = Pubkey::from(chain.cluster().await?);
    let (mut records, broken) = folder.all()?;
    broken.iter().for_each(|error| context.output.note(&error.to_string()));
    if args.all && !records.iter().any(|one| one.cluster == cluster && one.wallet == client.payer()) {
        context.output.note(
            "This machine keeps no job of this wallet: those that are closed are listed only where they were paid for.\n\
             By its address any of them is found: provena job answer JOB",
        );
    }
    records.retain(|one| one.cluster == cluster && one.wallet == client.payer() && (args.all || !one.closed));
    records.sort_by_key(|record| std::cmp::Reverse((record.nonce_slot, record.job)));
    for record in records.iter().filter(|record| !jobs.iter().any(|job| job.address == record.job)) {
        // Read again: it may have come on the chain meanwhile.
        let view = View::read(chain.as_ref(), &record.job).await?;
        let place = match view.job {
            Some(_) => Whereabouts::MayCome(record.postable_until()),
            None => whereabouts(record, chain, view.now.0).await?,
        };
        if matches!(place, Whereabouts::Closed | Whereabouts::Refunded) && !args.all {
            // Somebody closed it; it is looked at no more.
            folder.note(&record.job, |record| record.closed = true)?;
            continue;
        }
        let currency = token::currency(chain.as_ref(), &record.mint).await?;
        listed.push(Listed {
            job: record.job.to_string(),
            state: place.state(),
            next: place.next(record, view.now.0, context),
            mint: token::name(&record.mint),
            decimals: currency.decimals,
            deposit: record.deposit,
            posted_slot: record.nonce_slot,
            stage: place.words(),
            currency,
        });
    }
    context.output.data(&Jobs(listed))
}
