//! `provena job cancel`.

use anyhow::Result;
use solana_pubkey::Pubkey;

use super::{Payer, find, refused};

/// Takes a job back with its deposit.
pub(super) async fn run(job: &Pubkey, payer: &Payer<'_>) -> Result<()> {
    let before = find(payer.chain.as_ref(), job, payer.context).await?;
    let sent = payer.client.cancel(job).await.map_err(|error| refused(error, "cancelled", job, payer.context))?;
    payer.changed(before, &[sent.signature.to_string()]).await
}
