//! `provena job cancel`.

use anyhow::Result;
use provena_client::chain::ChainReader as _;
use provena_common::slot::Slot;
use solana_pubkey::Pubkey;

use super::{Payer, find, obstacle::check_cancel, refused};

/// Takes a job back with its deposit.
pub(super) async fn run(job: &Pubkey, payer: &Payer<'_>) -> Result<()> {
    let before = find(job, payer).await?;
    let now = Slot(payer.chain.slot().await?);
    check_cancel(&before, &payer.client.payer(), now, payer.context)?;
    let sent = payer.client.cancel(job).await.map_err(|error| refused(error, "cancelled", job, payer.context))?;
    payer.changed(before, &[sent.signature]).await
}
