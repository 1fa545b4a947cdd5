//! A node shows the result it committed to.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::events::ResultRevealed;
use crate::state::{Job, Slot, SlotState};

/// Accounts of `reveal`.
#[derive(Accounts)]
pub struct Reveal {
    /// The authority of the node that holds the slot.
    #[account(address = slot.authority @ MarketError::WrongNode)]
    pub authority: Signer,
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// The slot.
    #[account(mut, constraint = slot.job == *job.address() @ MarketError::WrongSlot)]
    pub slot: Account<Slot>,
}

impl Reveal {
    /// Errors: `WrongNode`, `WrongSlot`, `NotCommitted`, `AlreadyRevealed`, `WrongState` while others have yet to
    /// commit, `DeadlinePassed`, `ZeroUnits`, `TooManyUnits`, `WrongPreimage`.
    pub fn handle(&mut self, result_root: [u8; 32], units: u32, salt: [u8; 32]) -> Result<()> {
        match self.slot.state()? {
            SlotState::Claimed => return Err(MarketError::NotCommitted.into()),
            SlotState::Revealed => return Err(MarketError::AlreadyRevealed.into()),
            SlotState::Committed => {}
        }
        require!(units > 0, MarketError::ZeroUnits);
        require!(units <= self.job.max_units, MarketError::TooManyUnits);
        let now = Clock::get()?.slot;
        self.job.reveal(now)?;
        let expected = provena_arith::receipt::commitment(
            &self.job.cluster,
            crate::ID.as_array(),
            self.job.address().as_array(),
            self.slot.authority.as_array(),
            &result_root,
            units,
            &salt,
        );
        require!(expected == self.slot.commitment, MarketError::WrongPreimage);
        self.slot.reveal(result_root, units)?;
        self.slot.invariant()?;
        self.job.invariant()?;
        emit!(ResultRevealed {
            job: *self.job.address(),
            authority: *self.authority.address(),
            result_root,
            units,
            state: self.job.state,
            index: self.slot.index,
            padding: [0; 2],
        });
        Ok(())
    }
}
