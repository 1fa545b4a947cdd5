//! Waiting for an answer, and what is said meanwhile.

use std::time::Duration;

use anyhow::Result;
use provena_client::{Client, Finished, Stage};
use provena_market::state::JobState;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::{context::Context, output::progress::Progress};

use super::explain;

/// Waits for a posted job's answer, and adds the transactions that it took to `sent`.
///
/// # Errors
/// There is no answer (yet); the error names the job and the command that goes on.
pub(crate) async fn finish(
    client: &Client,
    job: &Pubkey,
    patience: u64,
    progress: &Progress,
    sent: &mut Vec<Signature>,
    context: &Context<'_>,
) -> Result<Finished> {
    let mut stages = |stage| {
        if let Stage::Cranked(_, signature) | Stage::Demanded(signature) | Stage::Paid(signature) = stage {
            sent.push(signature);
        }
        progress.message(describe(stage));
    };
    let finished = client.finish(job, Duration::from_secs(patience), &mut stages).await;
    finished.map_err(|error| explain(error, &|words| context.command(words)))
}

/// What is going on, in words.
pub(crate) fn describe(stage: Stage) -> &'static str {
    match stage {
        Stage::State(JobState::Open) => "waiting for a node to take the job and compute",
        Stage::State(JobState::Revealing) => "the nodes have sealed their answers and open them",
        Stage::State(JobState::Agreed) => "the answer is agreed; fetching it",
        Stage::State(_) => "done",
        Stage::Cranked(..) => "moving the job on",
        Stage::Demanded(_) => "no node hands the answer out; it was demanded on the chain",
        Stage::Paid(_) => "the answer is here; paying everybody",
    }
}
