//! What to do next for a job: [`Job::next`](provena_market::state::Job::next), and what the crash log adds to it.
//!
//! No rule of the market is written here. What this adds is this node's own: an answer must be computed before it is shown,
//! it is published once the quorum agreed with it, and seats that others leave empty are given up.

use provena_client::view::{JobView, View};
use provena_common::slot::Slot;
use provena_market::state::{JobState, Next, Party, SeatState, Who};
use solana_pubkey::Pubkey;

use crate::journal::{End, JobRecord};

/// The next thing to do for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Take this seat.
    TakeSeat(u8),
    /// Compute the result.
    Compute,
    /// Publish the commitment for this seat.
    Commit(u8),
    /// Publish the result of a job of one seat.
    Answer,
    /// Publish the result behind the commitment of this seat.
    Reveal(u8),
    /// Give this seat up: nobody takes the others.
    LeaveSeat(u8),
    /// End this seat, which is late.
    ExpireSeat(u8),
    /// End the waiting.
    Finalize,
    /// Publish the response, and sign the receipt.
    Publish,
    /// Put the demanded answer on chain.
    PutAnswer,
    /// Take pay and bond of this seat.
    Collect(u8),
    /// Others have to act first; nothing happens on our side before this slot unless the job changes.
    Wait(Slot),
    /// Nothing more is to be done.
    End(End),
}

/// Decides for the node whose authority is `me`.
#[must_use]
pub fn next(me: &Pubkey, view: &View, record: &JobRecord) -> Action {
    let Some(job) = &view.job else {
        // It was closed, so everybody was paid.
        return if record.receipt.is_some() { Action::End(End::Settled) } else { abandoned("the job is closed") };
    };
    let Ok(next) = job.next(Who::Node(me), view.now) else {
        return abandoned("the job is in a state that this program does not know");
    };
    match job.seat_of(me) {
        Some((index, _)) => with_seat(me, view.now, job, index, next, record),
        None => without_seat(job, next, record),
    }
}

fn without_seat(job: &JobView, next: Next, record: &JobRecord) -> Action {
    let ended = job.job.state().is_ok_and(JobState::is_ended);
    match (next, first_free(job)) {
        // It had a seat, did not give it up, and has it no more.
        _ if record.seated && !record.left => lost(),
        // It would wait again, unless its seat is the last one.
        (Next::TakeSeat, Some(_))
            if record.left && job.seats.iter().filter(|seat| seat.is(SeatState::Free)).count() > 1 =>
        {
            abandoned("no other node takes a seat")
        }
        (Next::TakeSeat, Some(index)) => Action::TakeSeat(index),
        _ if ended => abandoned("the job has ended without this node"),
        _ => abandoned("no seat of the job can be taken"),
    }
}

fn with_seat(me: &Pubkey, now: Slot, job: &JobView, index: u8, next: Next, record: &JobRecord) -> Action {
    let agreed = job.job.state() == Ok(JobState::Agreed) && job.agrees(me);
    let show = |action| if record.computed.is_some() { action } else { Action::Compute };
    match next {
        _ if job.seats.get(usize::from(index)).is_some_and(|seat| seat.is(SeatState::Missed)) => lost(),
        Next::Commit => show(Action::Commit(index)),
        Next::Answer => show(Action::Answer),
        Next::Reveal => show(Action::Reveal(index)),
        Next::ExpireSeat(late) => Action::ExpireSeat(late),
        Next::Finalize => Action::Finalize,
        // This has a deadline, and publishing has none.
        Next::PutAnswer => show(Action::PutAnswer),
        _ if agreed && record.receipt.is_none() => show(Action::Publish),
        Next::Collect(Party::Seat(mine)) if mine == index => Action::Collect(index),
        _ if job.job.owed(&job.seats, Party::Seat(index)).is_ok_and(|owed| owed.is_nothing()) => over(job, agreed),
        Next::WaitUntil(_) if may_leave(me, now, job, index) => Action::LeaveSeat(index),
        Next::WaitUntil(slot) => Action::Wait(slot),
        // For others to do.
        _ => Action::Wait(now),
    }
}

fn over(job: &JobView, agreed: bool) -> Action {
    match job.job.state() {
        _ if agreed => Action::End(End::Settled),
        Ok(JobState::Agreed) => abandoned("the quorum agreed on another result"),
        Ok(JobState::Defaulted) => abandoned(End::DEFAULTED),
        _ => abandoned("the job has failed: there was no quorum"),
    }
}

fn lost() -> Action {
    abandoned(End::MISSED)
}

/// Whether the market lets the node leave its seat now, asked by doing it to a copy.
fn may_leave(me: &Pubkey, now: Slot, job: &JobView, index: u8) -> bool {
    let (mut header, mut seats) = (job.job, job.seats.clone());
    header.leave_seat(&mut seats, index, me, now).is_ok()
}

fn first_free(job: &JobView) -> Option<u8> {
    (0..).zip(&job.seats).find(|(_, seat)| seat.is(SeatState::Free)).map(|(index, _)| index)
}

fn abandoned(reason: &str) -> Action {
    Action::End(End::Abandoned(reason.to_owned()))
}
