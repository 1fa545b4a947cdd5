//! Moves shares from one holder to another.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    ID,
    error::RoyaltyError,
    events::SharesTransferred,
    positions::open_position,
    shares::Shares,
    state::{Index, Position},
};

/// Accounts of `transfer_shares`.
#[derive(Accounts)]
pub struct TransferShares {
    /// The holder, or its delegate.
    pub authority: Signer,
    /// Pays for the recipient's position if it has none; usually the authority itself.
    #[account(unsafe(dup))]
    pub payer: Signer,
    /// The pool's index: the one account by which both sides are settled in every mint.
    pub index: State<Index>,
    /// The position that gives.
    #[account(mut, constraint = from.pool == index.pool @ RoyaltyError::WrongPool)]
    pub from: State<Position>,
    /// The new holder; any address but the pool's own.
    pub recipient: UncheckedAccount,
    /// The recipient's position, at its derived address; created when it does not exist.
    #[account(mut)]
    pub to: UncheckedAccount,
    /// Creates the position.
    pub system_program: Program<System>,
}

impl TransferShares {
    /// Settles both positions in every mint, then moves the shares: what was earned before stays with the old holder, but
    /// for the fractions of a unit, which go with the last share.
    ///
    /// # Errors
    /// [`RoyaltyError::ZeroShares`], [`RoyaltyError::PoolNotSealed`], [`RoyaltyError::NotDelegate`],
    /// [`RoyaltyError::AllowanceExceeded`], [`RoyaltyError::NotEnoughShares`], [`RoyaltyError::SharesLocked`],
    /// [`RoyaltyError::WrongPool`], [`RoyaltyError::WrongHolder`] and those of [`open_position`].
    pub fn handle(&mut self, shares: u64) -> Result<()> {
        let shares = Shares::new(shares)?;
        require!(!shares.is_zero(), RoyaltyError::ZeroShares);
        require!(self.index.is_sealed(), RoyaltyError::PoolNotSealed);
        self.from.authorize(self.authority.address(), shares)?;
        let mut to = self.recipient_position()?;
        let (now, total) = (Slot::now()?, self.index.total_shares);
        let released = self.index.all_released_at(now)?;
        self.from.settle(&released, total)?;
        to.settle(&released, total)?;
        self.from.give(&mut to, shares, total, now)?;
        emit!(SharesTransferred { from: *self.from.address(), to: *to.address(), shares: shares.get() });
        self.from.invariant()?;
        to.invariant()
    }

    fn recipient_position(&self) -> Result<State<Position>> {
        let (account, recipient) = (self.to.account(), self.recipient.address());
        if !account.owned_by(&ID) {
            return open_position(self.payer.account(), account, &self.index.pool, recipient);
        }
        // SAFETY: the account is declared `mut`, so that Anchor has refused the instruction if any other declared account is
        // the same one; nothing else refers to its data.
        let to = unsafe { <State<Position>>::load_mut(*account) }?;
        require!(to.pool == self.index.pool, RoyaltyError::WrongPool);
        require!(to.holder == *recipient, RoyaltyError::WrongHolder);
        Ok(to)
    }
}
