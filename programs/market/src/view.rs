//! Questions that clients ask about accounts, answered by the same code as on chain.

use anchor_lang::prelude::*;
use anchor_lang::{AccountDeserialize, bytemuck};

use crate::error::MarketError;
use crate::fees::{self, Amount, Split, Units};
use crate::state::{Job, JobState, Slot, SlotState};

/// Decodes an account of this program from its bytes. Errors: those of Anchor for a wrong discriminator or length.
pub fn decode<T: AccountDeserialize>(mut data: &[u8]) -> Result<T> {
    T::try_deserialize(&mut data)
}

/// The bytes of an account as they are stored, discriminator first.
pub fn encode<T: Discriminator + bytemuck::Pod>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

/// The price of `units` on an offer that asks `per_unit`. Errors: `Overflow`.
pub fn deposit(per_unit: Amount, units: Units) -> core::result::Result<Amount, MarketError> {
    per_unit.times(units)
}

/// How the job's deposit would be divided for `used` units. Errors: `TooManyUnits`.
pub fn split(job: &Job, used: Units) -> core::result::Result<Split, MarketError> {
    fees::split(job.price(), used)
}

/// How the job's deposit was divided; all zeros before it ended.
pub fn paid(job: &Job) -> Split {
    Split {
        nodes: Amount(job.paid_nodes),
        royalty: Amount(job.paid_royalty),
        protocol: Amount(job.paid_protocol),
        refund: Amount(job.refunded),
    }
}

/// What moves a job on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A node may claim one of the free slots.
    Claim,
    /// The nodes that hold slots have yet to commit.
    Commit,
    /// The nodes have yet to reveal.
    Reveal,
    /// Anybody may end late claims by `timeout_claim`, once per late slot.
    TimeoutClaim,
    /// Anybody may call `settle`.
    Settle,
    /// Anybody may call `timeout_job`.
    TimeoutJob,
    /// The payer may call `close_job`.
    Close,
}

/// What the job waits for at Solana slot `now`, given its live slots. Errors: `Invariant` for bytes that are no state.
pub fn next(job: &Job, slots: &[Slot], now: u64) -> core::result::Result<Next, MarketError> {
    if slots.iter().any(|slot| is_late(job, slot, now)) {
        return Ok(Next::TimeoutClaim);
    }
    Ok(match job.state()? {
        JobState::Open if now > job.expires_at => Next::TimeoutJob,
        JobState::Open => Next::Claim,
        JobState::Claimed => Next::Commit,
        JobState::Committed | JobState::Revealed => Next::Reveal,
        JobState::Final if has_quorum(job, slots) => Next::Settle,
        JobState::Final | JobState::TimedOut => Next::TimeoutJob,
        JobState::Settled | JobState::Cancelled | JobState::Refunded => Next::Close,
    })
}

/// Whether `timeout_claim` would end this claim at Solana slot `now`.
pub fn is_late(job: &Job, slot: &Slot, now: u64) -> bool {
    match slot.state() {
        Ok(SlotState::Claimed) => now > slot.commit_deadline,
        Ok(SlotState::Committed) => {
            matches!(job.state(), Ok(JobState::Committed | JobState::Revealed)) && now > job.reveal_deadline
        }
        _ => false,
    }
}

/// Whether enough of the revealed results are equal.
pub fn has_quorum(job: &Job, slots: &[Slot]) -> bool {
    let revealed = || slots.iter().filter(|slot| slot.state() == Ok(SlotState::Revealed));
    revealed().any(|one| {
        let equal = revealed().filter(|other| other.result_root == one.result_root && other.units == one.units);
        equal.count() >= usize::from(job.quorum)
    })
}
