//! What to do next for a job: a function of the chain's view and the crash log, and of nothing else.

use provena_market::state::{Job, JobState, Slot, SlotState};
use provena_market::view::{has_quorum, is_late};
use solana_pubkey::Pubkey;

use crate::journal::{End, JobRecord};
use provena_client::view::View;

/// The next thing to do for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Take this slot.
    Claim(u8),
    /// Compute the result.
    Compute,
    /// Publish the commitment for this slot.
    Commit(u8),
    /// Publish the result for this slot.
    Reveal(u8),
    /// Sign the receipt and publish it with the response.
    Publish,
    /// Pay everybody.
    Settle,
    /// End the claim on this slot, whose holder is late.
    TimeoutClaim(u8),
    /// Refund a job that cannot be settled.
    TimeoutJob,
    /// Somebody else has to act first; nothing happens on our side before this slot unless the job changes.
    Wait(u64),
    /// Nothing more is to be done.
    End(End),
}

/// Decides for the node whose authority is `me`.
#[must_use]
pub fn next(me: &Pubkey, view: &View, record: &JobRecord) -> Action {
    let Some(job) = &view.job else {
        return match record.receipt {
            Some(_) => Action::End(End::Settled),
            None => abandoned("the job is closed"),
        };
    };
    let Ok(state) = job.state() else {
        return abandoned("the job is in a state that this program does not know");
    };
    match state {
        JobState::Settled => settled(me, job, record),
        JobState::Cancelled => abandoned("the payer cancelled the job"),
        JobState::Refunded => abandoned("the job was refunded"),
        _ => match view.slot_of(me) {
            None => without_slot(me, view, job, state),
            Some(slot) => with_slot(view, job, state, slot, record),
        },
    }
}

/// Whether the node could take a slot of this job now.
#[must_use]
pub fn free_slot(me: &Pubkey, job: &Job, now: u64) -> Option<u8> {
    let open = job.state().is_ok_and(|state| state == JobState::Open) && now <= job.expires_at;
    if !open || job.nodes.contains(me) {
        return None;
    }
    let nobody = Pubkey::default();
    (0..job.slots).find(|index| job.nodes.get(usize::from(*index)) == Some(&nobody))
}

fn settled(me: &Pubkey, job: &Job, record: &JobRecord) -> Action {
    // Another node may have settled between our reveal and our receipt: what we stated on the chain we also sign.
    let ours = record.computed.is_some_and(|computed| computed.result_root == job.result_root);
    match (&record.receipt, job.nodes.contains(me) && ours) {
        (None, true) => Action::Publish,
        (_, true) => Action::End(End::Settled),
        (_, false) => abandoned("the job was settled without this node's result"),
    }
}

fn without_slot(me: &Pubkey, view: &View, job: &Job, state: JobState) -> Action {
    match free_slot(me, job, view.now) {
        Some(index) => Action::Claim(index),
        None if state == JobState::Open && view.now > job.expires_at => abandoned("the job expired"),
        None => abandoned("other nodes hold the job's slots"),
    }
}

fn with_slot(view: &View, job: &Job, state: JobState, slot: &Slot, record: &JobRecord) -> Action {
    let Ok(mine) = slot.state() else {
        return abandoned("the slot is in a state that this program does not know");
    };
    // What is ours to do comes first, then what others failed to do.
    match mine {
        SlotState::Claimed if view.now <= slot.commit_deadline => {
            return if record.computed.is_some() { Action::Commit(slot.index) } else { Action::Compute };
        }
        SlotState::Committed
            if matches!(state, JobState::Committed | JobState::Revealed) && view.now <= job.reveal_deadline =>
        {
            return if record.computed.is_some() { Action::Reveal(slot.index) } else { Action::Compute };
        }
        SlotState::Revealed if record.receipt.is_none() && record.computed.is_some() => return Action::Publish,
        _ => {}
    }
    match state {
        JobState::Final if has_quorum(job, &view.live().copied().collect::<Vec<_>>()) => Action::Settle,
        JobState::Final | JobState::TimedOut => Action::TimeoutJob,
        JobState::Open | JobState::Claimed => late_claim(view, job)
            .or_else(|| (state == JobState::Open && view.now > job.expires_at).then_some(Action::TimeoutJob))
            .unwrap_or_else(|| Action::Wait(next_commit_deadline(view, job, state))),
        JobState::Committed | JobState::Revealed if view.now > job.reveal_deadline => {
            late_claim(view, job).unwrap_or(Action::Wait(view.now))
        }
        JobState::Committed | JobState::Revealed => Action::Wait(job.reveal_deadline),
        JobState::Settled | JobState::Cancelled | JobState::Refunded => abandoned("the job has ended"),
    }
}

/// Ends somebody's late claim, which may be our own: its rent comes back, and others can take the slot.
fn late_claim(view: &View, job: &Job) -> Option<Action> {
    view.live().find(|slot| is_late(job, slot, view.now)).map(|slot| Action::TimeoutClaim(slot.index))
}

fn next_commit_deadline(view: &View, job: &Job, state: JobState) -> u64 {
    let expiry = (state == JobState::Open).then_some(job.expires_at);
    let claimed = view.live().filter(|slot| slot.state() == Ok(SlotState::Claimed)).map(|slot| slot.commit_deadline);
    claimed.chain(expiry).min().unwrap_or(view.now)
}

fn abandoned(reason: &str) -> Action {
    Action::End(End::Abandoned(reason.to_owned()))
}
