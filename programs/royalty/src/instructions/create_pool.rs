//! Creates the revenue pool of an asset and its first holders.

use anchor_lang::prelude::*;

use crate::opening::open_position;
use crate::{amount::Shares, constants::seeds, error::RoyaltyError, events::PoolCreated, state::Pool};

/// An initial holder: a wallet, or the pool of a parent asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Holder {
    pub holder: Address,
    /// Its shares of the pool, at least one.
    pub shares: u64,
}

/// Accounts of `create_pool`; one writable position account per holder follows, in the same order.
#[derive(Accounts)]
pub struct CreatePool {
    /// Pays, and may add holders until every share is assigned.
    #[account(mut)]
    pub creator: Signer,
    /// The NFT's mint. It signs, so that nobody else can lay claim to an asset's pool.
    pub asset: Signer,
    #[account(init, payer = creator, space = Pool::SPACE, seeds = [seeds::POOL, asset.address().as_ref()], bump)]
    pub pool: Account<Pool>,
    pub system_program: Program<System>,
}

impl CreatePool {
    /// Errors: [`RoyaltyError::TooManyShares`], [`RoyaltyError::ZeroShares`] and those of [`assign_all`].
    pub fn handle(&mut self, total_shares: u64, holders: &[Holder], positions: &[AccountView], bump: u8) -> Result<()> {
        let (asset, creator) = (*self.asset.address(), *self.creator.address());
        self.pool.initialize(asset, creator, Shares::new(total_shares)?, bump)?;
        assign_all(&mut self.pool, self.creator.account(), holders, positions)?;
        emit!(PoolCreated { pool: *self.pool.address(), asset, total_shares });
        self.pool.invariant()
    }
}

/// Opens a position for each holder and gives it its shares.
///
/// Errors: [`RoyaltyError::ZeroShares`], [`RoyaltyError::TooManyHolders`], [`RoyaltyError::SharesExceedTotal`],
/// [`RoyaltyError::DuplicateHolder`], [`RoyaltyError::WrongPositionAddress`].
pub fn assign_all(
    pool: &mut Account<Pool>,
    payer: &AccountView,
    holders: &[Holder],
    positions: &[AccountView],
) -> Result<()> {
    require!(holders.len() == positions.len(), RoyaltyError::WrongPositionAddress);
    for (holder, account) in holders.iter().zip(positions) {
        let shares = Shares::new(holder.shares)?;
        pool.assign(shares)?;
        let mut position = open_position(payer, account, pool.address(), &holder.holder)?;
        position.add(shares)?;
        position.invariant()?;
    }
    Ok(())
}
