//! `provena job list`.

use anyhow::{Context as _, Result};
use provena_client::{Client, amount::Currency, token};
use provena_common::slot::Slot;
use serde::Serialize;

use super::report::{next_words, state};
use crate::{
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table},
    },
};

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
    currency: Currency,
}

impl Report for Jobs {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "The wallet has no job on this chain, and no rent in one.".into();
        }
        let mut table = Table::new(&[("job", Align::Left), ("state", Align::Left), ("deposit", Align::Right)]);
        for job in &self.0 {
            table.row([job.job.clone(), job.state.into(), job.currency.show(job.deposit)]);
            table.note(&job.next);
        }
        table.text(style)
    }
}

/// Lists them, the latest first.
pub(super) async fn run(client: &Client, context: &Context<'_>) -> Result<()> {
    let chain = client.chain();
    let now = Slot(chain.slot().await?);
    let mut jobs = client.jobs().await.context("cannot list the jobs")?;
    jobs.sort_by_key(|job| std::cmp::Reverse((job.job.posted_at, job.address)));
    let mut listed = Vec::new();
    for job in jobs {
        let currency = token::currency(chain, &job.job.mint).await?;
        listed.push(Listed {
            job: job.address.to_string(),
            state: state(&job),
            next: next_words(&job, now)?,
            mint: token::name(&job.job.mint),
            decimals: currency.decimals,
            deposit: job.job.deposit,
            posted_slot: job.job.posted_at,
            currency,
        });
    }
    context.output.data(&Jobs(listed))
}
