//! Waiting for an answer, and what is said meanwhile.

use std::time::Duration;

use anyhow::Result;
use provena_client::{Client, Finished, Stage, amount::Currency};
use provena_market::{
    constants::{ANSWER_WINDOW, DEMAND_DEPOSIT},
    state::JobState,
};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::{commands::rent::seconds, context::Context, output::progress::Progress};

use super::{Course, SoFar, explain};

/// Waits for a posted job's answer, no longer than `patience`, and adds the transactions that it took to `sent`. `so_far` says
/// how far it is.
///
/// # Errors
/// There is no answer (yet); the error names the job and the command that goes on, and for programs what a demand cost.
pub(crate) async fn finish(
    client: &Client,
    job: &Pubkey,
    patience: Duration,
    progress: &Progress,
    so_far: &Course,
    sent: &mut Vec<Signature>,
    context: &Context<'_>,
) -> Result<Finished> {
    let mut stages = |stage| {
        if let Stage::Cranked(_, signature) | Stage::Demanded(signature) | Stage::Paid(signature) = stage {
            sent.push(signature);
        }
        if let Stage::Demanded(signature) = stage {
            so_far.set(SoFar::Demanded(*job, signature));
        }
        if let Some(words) = said(stage) {
            progress.suspend(|| context.output.note(&words));
        }
        progress.message(describe(stage));
    };
    match client.finish(job, patience, &mut stages).await {
        Ok(finished) => {
            so_far.set(SoFar::Answered(*job));
            Ok(finished)
        }
        Err(error) => {
            let failure = so_far.get().told(explain::failure(&error, &|words| context.command(words)));
            Err(anyhow::Error::from(error).context(failure))
        }
    }
}

/// What is said for good, also where nobody sees the progress: what is waited for, and what costs more than was said.
fn said(stage: Stage) -> Option<String> {
    let deposit = Currency::sol().show(DEMAND_DEPOSIT.0);
    let (node, within) = ("whoever puts it there gets the deposit", about_minutes(ANSWER_WINDOW));
    match stage {
        Stage::NotHandedOut(left) => Some(format!(
            "The answer is agreed and no node hands it out yet; it is asked for on and on. In about {} s it is demanded on the\n\
             chain, which costs a fee and a deposit of {deposit}: {node}.",
            left.as_secs().max(1)
        )),
        Stage::Demanded(_) => Some(format!(
            "No node hands the answer out: it was demanded on the chain, for a fee and a deposit of {deposit}; {node}.\n\
             Where nobody does {within}, the nodes lose pay and bond, and this deposit comes back with the other."
        )),
        _ => None,
    }
}

/// So many slots, as people reckon.
pub(super) fn about_minutes(slots: u64) -> String {
    format!("within about {} minutes", seconds(slots).div_ceil(60))
}

/// What is going on, in words.
pub(crate) fn describe(stage: Stage) -> &'static str {
    match stage {
        Stage::State(JobState::Open) => "waiting for a node to take the job and compute",
        Stage::State(JobState::Revealing) => "the nodes have sealed their answers and open them",
        Stage::State(JobState::Agreed) => "the answer is agreed; fetching it",
        Stage::State(_) => "done",
        Stage::Cranked(..) => "moving the job on",
        Stage::NotHandedOut(_) => "no node hands the agreed answer out yet; asking on",
        Stage::Demanded(_) => "no node hands the answer out; it was demanded on the chain",
        Stage::Paid(_) => "the answer is here; paying everybody",
    }
}
