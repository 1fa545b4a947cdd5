//! One node's claim on a job.

use anchor_lang::prelude::*;

use crate::constants::LAYOUT_VERSION;
use crate::error::MarketError;

/// Where a claim stands. The account is closed when the claim ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SlotState {
    /// The node has yet to commit, before `Slot::commit_deadline`.
    Claimed = 1,
    /// The node has yet to reveal, once the whole job has committed and before `Job::reveal_deadline`.
    Committed = 2,
    /// The result is on record.
    Revealed = 3,
}

impl TryFrom<u8> for SlotState {
    type Error = MarketError;

    fn try_from(value: u8) -> core::result::Result<Self, MarketError> {
        match value {
            1 => Ok(Self::Claimed),
            2 => Ok(Self::Committed),
            3 => Ok(Self::Revealed),
            _ => Err(MarketError::Invariant),
        }
    }
}

/// A claim, at `pda::slot`. Its rent is the node's and goes back to it when the claim ends.
#[account]
pub struct Slot {
    /// The job.
    pub job: Address,
    /// The node's account.
    pub node: Address,
    /// The node's authority.
    pub authority: Address,
    /// `provena_arith::receipt::commitment` of the result; zeros before the commit.
    pub commitment: [u8; 32],
    /// The revealed result; zeros before the reveal.
    pub result_root: [u8; 32],
    /// Last Solana slot in which the node may commit.
    pub commit_deadline: u64,
    /// Lamports of stake that the claim holds.
    pub bond: u64,
    /// Units the node says it worked; 0 before the reveal.
    pub units: u32,
    /// Which of the job's slots.
    pub index: u8,
    /// A [`SlotState`].
    pub state: u8,
    /// `LAYOUT_VERSION`.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(core::mem::size_of::<Slot>() == 216);

impl Slot {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The state. Errors: `Invariant` for a byte that is none.
    pub fn state(&self) -> core::result::Result<SlotState, MarketError> {
        SlotState::try_from(self.state)
    }

    /// Takes the commitment. Errors: `AlreadyCommitted`, `DeadlinePassed`.
    pub fn commit(&mut self, commitment: [u8; 32], now: u64) -> Result<()> {
        require!(self.state()? == SlotState::Claimed, MarketError::AlreadyCommitted);
        require!(now <= self.commit_deadline, MarketError::DeadlinePassed);
        self.commitment = commitment;
        self.state = SlotState::Committed as u8;
        Ok(())
    }

    /// Takes the result; the caller has checked it against the commitment. Errors: `NotCommitted`, `AlreadyRevealed`.
    pub fn reveal(&mut self, result_root: [u8; 32], units: u32) -> Result<()> {
        match self.state()? {
            SlotState::Claimed => Err(MarketError::NotCommitted.into()),
            SlotState::Revealed => Err(MarketError::AlreadyRevealed.into()),
            SlotState::Committed => {
                self.result_root = result_root;
                self.units = units;
                self.state = SlotState::Revealed as u8;
                Ok(())
            }
        }
    }

    /// Checks what must hold after every write.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == LAYOUT_VERSION, MarketError::Invariant);
        self.state()?;
        Ok(())
    }
}
