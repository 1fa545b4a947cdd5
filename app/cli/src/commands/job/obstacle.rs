//! What keeps a job from being cancelled or closed now, said before anything is sent: its state, what can be done instead, and
//! when.

use anyhow::Result;
use provena_client::view::JobView;
use provena_common::slot::Slot;
use provena_market::state::JobState;
use solana_pubkey::Pubkey;

use super::{report::next_words, stage};
use crate::{
    commands::rent::{back_from, seconds},
    context::Context,
    failure::Failure,
};

/// That a job can be taken back now.
///
/// # Errors
/// It cannot, with its state and what can be done.
pub(super) fn check_cancel(job: &JobView, payer: &Pubkey, now: Slot, context: &Context<'_>) -> Result<()> {
    let state = job.state()?;
    check_payer(job, payer, "cancelled")?;
    let mut tried = job.0.clone();
    if tried.job.cancel(&tried.seats, now).is_ok() {
        return Ok(());
    }
    let answer = context.command(&format!("job answer {}", job.address));
    let (why, hint) = match state {
        JobState::Open if stage::is_at_work(job) => {
            let late = job.seats.iter().map(|seat| seat.deadline).max().unwrap_or_default();
            let wait = about(late, now);
            (
                format!("a node is answering it; if it is late, its turn ends {wait}"),
                format!("{answer}   waits for the answer, or for the deposit"),
            )
        }
        JobState::Open => (
            "the time in which a node could take it is over".to_owned(),
            format!("{}   brings the deposit back", context.command(&format!("job collect {}", job.address))),
        ),
        JobState::Revealing => {
            let wait = about(job.job.reveal_until, now);
            (format!("it is answered, and the nodes open their answers; that ends {wait} at the latest"), answer)
        }
        JobState::Agreed => ("it is answered, and the answer is paid for".to_owned(), answer),
        JobState::Cancelled => ("it was cancelled before".to_owned(), next(job, now, context)?),
        JobState::Failed | JobState::Defaulted => {
            ("it ended without an answer, and its deposit goes back".to_owned(), next(job, now, context)?)
        }
    };
    Err(Failure::failed(format!("job {} cannot be cancelled: {why}", job.address)).about(job.address).hint(hint).into())
}

/// That a job's rent can be taken back now, as far as its state and its age tell.
///
/// # Errors
/// It cannot, with its state, what can be done and when.
pub(super) fn check_close(job: &JobView, payer: &Pubkey, now: Slot, context: &Context<'_>) -> Result<()> {
    let failure = |why: String, hint: String| -> anyhow::Error {
        Failure::failed(format!("job {} cannot be closed yet: {why}", job.address)).about(job.address).hint(hint).into()
    };
    let state = job.state()?;
    if !state.is_ended() {
        let why = format!("it is {}, and only what is over can be closed", stage::words(job));
        return Err(failure(why, next(job, now, context)?));
    }
    // Whether nobody pays before the payer has the answer.
    if state == JobState::Agreed && !job.job.is_settled(now)? {
        let why = match job.job.is_answer_awaited() {
            true => "its answer was demanded on the chain, and is awaited there",
            false => "its answer waits to be fetched, and the nodes for their pay",
        };
        return Err(failure(why.to_owned(), next(job, now, context)?));
    }
    let from = back_from(job);
    let is_payer = job.job.payer == *payer;
    if is_payer && now.0 < from {
        let why = format!("that is possible from slot {from} on, {}", about(from, now));
        let close = context.command("job close");
        return Err(failure(why, format!("{close}   then, or ask again, which closes it, too")));
    }
    if !is_payer && job.job.check_close(&job.seats, false, now).is_err() {
        check_payer(job, payer, "closed")?;
    }
    Ok(())
}

/// That it is the wallet's own job.
///
/// # Errors
/// It is another's.
fn check_payer(job: &JobView, payer: &Pubkey, done: &str) -> Result<()> {
    if job.job.payer == *payer {
        return Ok(());
    }
    let why = format!("job {} cannot be {done} by this wallet: {} pays for it", job.address, job.job.payer);
    Err(Failure::failed(why).about(job.address).hint("name that wallet's key file with --keypair").into())
}

/// What comes next, as a hint.
fn next(job: &JobView, now: Slot, context: &Context<'_>) -> Result<String> {
    Ok(next_words(job, now, context)?.replace('\n', "\n       "))
}

/// When a slot comes, as people reckon.
fn about(slot: u64, now: Slot) -> String {
    match seconds(slot.saturating_sub(now.0)) {
        0 => "now".to_owned(),
        wait => format!("in about {wait} s"),
    }
}
