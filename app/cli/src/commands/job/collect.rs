//! `provena job collect`.

use anyhow::{Context as _, Result};
use solana_pubkey::Pubkey;

use super::{Payer, find};

/// Steps that one job can need at most: late seats, the end of the waiting, the payments.
const STEPS: usize = 8;

/// Ends what is late, then has everybody paid.
pub(super) async fn run(address: &Pubkey, payer: &Payer<'_>) -> Result<()> {
    let before = find(address, payer).await?;
    let mut signatures = Vec::new();
    for _ in 0..STEPS {
        match payer.client.crank(address).await.context("the job was not moved on")? {
            Some((_, signature)) => signatures.push(signature),
            None => break,
        }
    }
    if signatures.is_empty() {
        payer.context.output.note("There was nothing to move on now.");
    }
    payer.changed(before, &signatures).await
}
