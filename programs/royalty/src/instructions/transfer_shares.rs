//! Moves shares from one holder to another.

use anchor_lang::prelude::*;

use crate::opening::open_position;
use crate::{
    ID,
    amount::Shares,
    error::RoyaltyError,
    events::SharesTransferred,
    state::{Pool, PoolMint, Position},
};

/// Accounts of `transfer_shares`; all of the pool's pool mints follow, in the order in which they were added.
#[derive(Accounts)]
pub struct TransferShares {
    #[account(constraint = *holder.address() == from.holder @ RoyaltyError::WrongHolder)]
    pub holder: Signer,
    /// Pays for the recipient's position if it has none; usually the holder itself.
    #[account(unsafe(dup))]
    pub payer: Signer,
    pub pool: Account<Pool>,
    #[account(mut, constraint = from.pool == *pool.address() @ RoyaltyError::WrongPool)]
    pub from: Account<Position>,
    /// The new holder; any address.
    pub recipient: UncheckedAccount,
    /// The recipient's position, at its derived address; created when it does not exist.
    #[account(mut)]
    pub to: UncheckedAccount,
    pub system_program: Program<System>,
}

impl TransferShares {
    /// Settles both positions in every mint, then moves the shares: what was earned before stays with the old holder.
    ///
    /// Errors: [`RoyaltyError::ZeroShares`], [`RoyaltyError::NotEnoughShares`], [`RoyaltyError::WrongHolder`],
    /// [`RoyaltyError::WrongPool`], [`RoyaltyError::WrongPoolMints`], [`RoyaltyError::WrongPositionAddress`],
    /// [`RoyaltyError::PoolNotSealed`].
    pub fn handle(&mut self, shares: u64, pool_mints: &[AccountView]) -> Result<()> {
        let shares = Shares::new(shares)?;
        require!(!shares.is_zero(), RoyaltyError::ZeroShares);
        require!(self.pool.is_sealed(), RoyaltyError::PoolNotSealed);
        require!(pool_mints.len() == usize::from(self.pool.mint_count), RoyaltyError::WrongPoolMints);
        let mut to = self.recipient_position()?;
        for (index, account) in pool_mints.iter().enumerate() {
            let pool_mint = <Account<PoolMint>>::load(*account)?;
            let expected = pool_mint.pool == *self.pool.address() && usize::from(pool_mint.index) == index;
            require!(expected, RoyaltyError::WrongPoolMints);
            self.from.settle(&pool_mint)?;
            to.settle(&pool_mint)?;
        }
        self.from.remove(shares)?;
        to.add(shares)?;
        emit!(SharesTransferred { from: *self.from.address(), to: *to.address(), shares: shares.get() });
        self.from.invariant()?;
        to.invariant()
    }

    fn recipient_position(&self) -> Result<Account<Position>> {
        let (account, recipient) = (self.to.account(), self.recipient.address());
        if !account.owned_by(&ID) {
            return open_position(self.payer.account(), account, self.pool.address(), recipient);
        }
        // SAFETY: the account is declared `mut`, so Anchor has refused the instruction if any other declared account is
        // the same one; nothing else refers to its data.
        let to = unsafe { <Account<Position>>::load_mut(*account) }?;
        require!(to.pool == *self.pool.address(), RoyaltyError::WrongPool);
        require!(to.holder == *recipient, RoyaltyError::WrongHolder);
        Ok(to)
    }
}
