//! How far a job is, as a person says it.

use provena_client::view::JobView;
use provena_market::state::{JobState, Party, SeatState};

/// How far a job is. The market's own name for it is a word of programs.
pub(super) fn words(job: &JobView) -> &'static str {
    match job.state() {
        Ok(JobState::Open) if is_at_work(job) => "being answered",
        Ok(JobState::Open) => "waiting for a node",
        Ok(JobState::Revealing) => "being answered",
        Ok(JobState::Agreed) if job.job.is_paid_out(&job.seats).unwrap_or(false) => "paid",
        Ok(JobState::Agreed) => "answered",
        Ok(JobState::Failed | JobState::Cancelled | JobState::Defaulted) if is_refunded(job) => "refunded",
        Ok(JobState::Cancelled) => "cancelled",
        Ok(JobState::Failed | JobState::Defaulted) => "not answered",
        Err(_) => "unknown",
    }
}

/// Whether a node holds a seat and may still answer.
pub(super) fn is_at_work(job: &JobView) -> bool {
    job.seats.iter().any(|seat| matches!(seat.state(), Ok(SeatState::Taken | SeatState::Committed)))
}

/// Whether the payer has back what he was owed.
fn is_refunded(job: &JobView) -> bool {
    job.job.owed(&job.seats, Party::Payer).is_ok_and(|owed| owed.is_nothing())
}
