//! `provena job list`.

use anyhow::{Context as _, Result};
use provena_client::{amount::Currency, chain::ChainReader, kept::KeptJob, token, view::View};
use provena_common::slot::Slot;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{
    Payer,
    kept::{Whereabouts, whereabouts},
    report::{next_words, state},
    stage,
};
use crate::{
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table},
    },
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
struct Jobs {
    listed: Vec<Listed>,
    /// The command that lists those that are closed, too, and the one that shows an answer again.
    #[serde(skip)]
    commands: [String; 2],
}

#[derive(Serialize)]
struct Listed {
    job: String,
    state: &'static str,
    next: String,
    mint: String,
    decimals: u8,
    deposit: u64,
    posted_slot: u64,
    /// Whether nothing is left of it but an answer that is kept here.
    #[serde(skip)]
    is_shown_again: bool,
    #[serde(skip)]
    stage: &'static str,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Jobs {
    fn text(&self, style: Style) -> String {
        let [all, answer] = &self.commands;
        if self.listed.is_empty() {
            return format!("The wallet has no job on this chain, and no rent in one.\nClosed ones: {all}");
        }
        let mut table = Table::new(&[("job", Align::Left), ("state", Align::Left), ("deposit", Align::Right)]);
        let mut again = false;
        for job in &self.listed {
            table.row([job.job.clone(), job.stage.into(), job.currency.show(job.deposit)]);
            if job.is_shown_again {
                again = true;
                continue;
            }
            job.next.lines().for_each(|line| table.note(line));
        }
        let again = if again { format!("\n\nThe answer of a closed job again: {answer}") } else { String::new() };
        table.text(style) + &again
    }
}

impl Jobs {
    fn new(listed: Vec<Listed>, context: &Context<'_>) -> Self {
        Self { listed, commands: ["job list --all", "job answer JOB"].map(|words| context.command(words)) }
    }
}

/// Lists them, the latest first.
pub(super) async fn run(args: &Args, payer: &Payer<'_>) -> Result<()> {
    let Payer { context, chain, jobs: folder, client, .. } = payer;
    let (mut records, broken) = folder.all()?;
    broken.iter().for_each(|error| context.output.note(&error.to_string()));
    records.retain(|one| one.wallet == client.payer());
    records.sort_by_key(|record| std::cmp::Reverse((record.nonce_slot, record.job)));
    let asked = async { anyhow::Ok((Slot(chain.slot().await?), Pubkey::from(chain.cluster().await?))) };
    let (now, cluster) = match asked.await {
        Ok(asked) => asked,
        Err(error) if records.is_empty() => return Err(error),
        Err(error) => {
            context.output.note(&format!("{error}\nThis is what is kept on this machine."));
            let listed = records.iter().map(|record| unasked(record, context)).collect();
            return context.output.data(&Jobs::new(listed, context));
        }
    };
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
            is_shown_again: false,
            stage: stage::words(job),
            currency,
        });
    }
    let (records, elsewhere): (Vec<KeptJob>, Vec<KeptJob>) =
        records.into_iter().partition(|record| record.cluster == cluster);
    if args.all && records.is_empty() {
        context.output.note(
            "This machine keeps no job of this wallet on this chain: those that are closed are listed only where they were \
             paid for.\nBy its address any of them is found: provena job answer JOB",
        );
    }
    for record in records.iter().filter(|record| !jobs.iter().any(|job| job.address == record.job)) {
        if record.closed && !args.all {
            continue;
        }
        // Read again: it may have come on the chain meanwhile.
        let view = View::read(chain.as_ref(), &record.job).await?;
        let place = match view.job {
            Some(_) => Whereabouts::MayCome(record.postable_until()),
            None => whereabouts(record, chain, view.now.0).await?,
        };
        if matches!(place, Whereabouts::Closed | Whereabouts::Refunded) && !args.all {
            // Somebody closed it; it is looked at no more.
            folder.close(&record.job)?;
            continue;
        }
        let currency = token::currency(chain.as_ref(), &record.mint).await?;
        listed.push(kept(record, place, place.next(record, view.now.0, context), currency));
    }
    if args.all {
        listed.extend(elsewhere.iter().map(|record| unasked(record, context)));
    }
    context.output.data(&Jobs::new(listed, context))
}

/// A job that is kept here and has no account.
fn kept(record: &KeptJob, place: Whereabouts, next: String, currency: Currency) -> Listed {
    Listed {
        job: record.job.to_string(),
        state: place.state(),
        next,
        mint: token::name(&record.mint),
        decimals: currency.decimals,
        deposit: record.deposit,
        posted_slot: record.nonce_slot,
        is_shown_again: place == Whereabouts::Closed && record.is_answered(),
        stage: place.words(),
        currency,
    }
}

/// A job whose chain was not asked. Without it nobody knows how many decimals a token has.
fn unasked(record: &KeptJob, context: &Context<'_>) -> Listed {
    let currency = match token::is_sol(&record.mint) {
        true => Currency::sol(),
        false => Currency { decimals: 0, symbol: "base units".to_owned() },
    };
    let place = Whereabouts::Unasked;
    kept(record, place, place.next(record, 0, context), currency)
}
