//! A node takes one of a job's slots and locks its bond.

use anchor_lang::prelude::*;

use crate::constants::{LAYOUT_VERSION, SLOT_SEED};
use crate::error::MarketError;
use crate::events::JobProgressed;
use crate::fees::Amount;
use crate::funds;
use crate::state::{Job, Node, Slot, SlotState};

/// Accounts of `claim_slot`.
#[derive(Accounts)]
pub struct ClaimSlot {
    /// The node's authority; pays the slot's rent until the claim ends.
    #[account(mut, address = node.authority @ MarketError::Unauthorized)]
    pub authority: Signer,
    /// The node.
    #[account(mut)]
    pub node: Account<Node>,
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// Created here, at `pda::slot`.
    #[account(mut)]
    pub slot: UncheckedAccount,
    /// The system program.
    pub system_program: Program<System>,
}

impl ClaimSlot {
    /// Errors: `Unauthorized`, `SlotOutOfRange`, `SlotTaken`, `WrongState`, `JobExpired`, `DuplicateNode`, `StakeTooLow`,
    /// `StakeLocked`, `WrongPda`.
    pub fn handle(&mut self, index: u8, slot_bump: u8) -> Result<()> {
        let now = Clock::get()?.slot;
        let authority = *self.authority.address();
        self.job.claim(index, authority, now)?;
        let bond = Amount(self.job.bond);
        self.node.lock(bond, Amount(self.job.min_stake))?;

        let job = *self.job.address();
        let seeds: [&[u8]; 4] = [SLOT_SEED, job.as_ref(), &[index], &[slot_bump]];
        funds::create_account(
            self.authority.account(),
            self.slot.account(),
            Slot::SPACE,
            &crate::ID,
            Amount(0),
            &seeds,
        )?;
        let mut view = *self.slot.account();
        // SAFETY: the account was created just now, so nothing else refers to its data.
        let data = unsafe { view.borrow_unchecked_mut() };
        data.get_mut(..8).ok_or(MarketError::Invariant)?.copy_from_slice(Slot::DISCRIMINATOR);
        // SAFETY: as above; the discriminator is in place and the size is right.
        let mut slot = unsafe { Account::<Slot>::load_mut_after_init(view)? };
        slot.job = job;
        slot.node = *self.node.address();
        slot.authority = authority;
        slot.commit_deadline = now.checked_add(u64::from(self.job.commit_window)).ok_or(MarketError::Overflow)?;
        slot.bond = bond.0;
        slot.index = index;
        slot.state = SlotState::Claimed as u8;
        slot.version = LAYOUT_VERSION;
        slot.bump = slot_bump;

        slot.invariant()?;
        self.node.invariant()?;
        self.job.invariant()?;
        emit!(JobProgressed { job, authority, state: self.job.state, index });
        Ok(())
    }
}
