//! `provena job close`.

use anyhow::{Context as _, Result};
use provena_client::Client;
use provena_common::slot::Slot;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{find, refused};
use crate::{
    address,
    commands::rent::{Rent, seconds},
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts, text::short_each},
};

/// Arguments of `provena job close`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's address [default: every job of the wallet that is over].
    #[arg(value_parser = address::parse)]
    job: Option<Pubkey>,
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
pub(super) async fn run(args: Args, client: &Client, context: &Context<'_>) -> Result<()> {
    let Some(address) = args.job else { return all(client, context).await };
    let job = find(client.chain(), &address).await?;
    if job.state()?.is_ended() {
        let now = Slot(client.chain().slot().await?);
        let rent = Rent::of(client.chain(), &job).await?;
        if now.0 < rent.back_from_slot && job.job.payer == client.payer() {
            let wait = seconds(rent.back_from_slot - now.0);
            let early = format!("a job can be closed from slot {} on, in about {wait} s", rent.back_from_slot);
            return Err(Failure::failed(early).hint("the next `provena infer` closes it by itself").into());
        }
    }
    let sent = client.close(&address).await.map_err(|error| refused(error, "closed"))?;
    let signatures = vec![sent.signature.to_string()];
    context.output.data(&Closed { closed: vec![address.to_string()], left: Vec::new(), signatures })
}

async fn all(client: &Client, context: &Context<'_>) -> Result<()> {
    let done = client.close_finished().await.context("the jobs were not closed")?;
    let mut signatures: Vec<String> =
        done.iter().flat_map(|job| &job.sent).map(|sent| sent.signature.to_string()).collect();
    signatures.sort();
    signatures.dedup();
    let closed = done.iter().filter(|job| job.closed).map(|job| job.job.to_string()).collect();
    let mut left = Vec::new();
    for job in client.jobs().await? {
        if job.state()?.is_ended() {
            left.push(job.address.to_string());
        }
    }
    context.output.data(&Closed { closed, left, signatures })
}
