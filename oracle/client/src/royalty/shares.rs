//! Shares that change hands.

use provena_common::slot::Slot;
use provena_royalty::{
    client as royalty, pda,
    state::{Pool, Position},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    RoyaltyError,
    error::{unread, unsent},
    holders::check_holders,
    pool_of,
    sweep::sweep_into,
};
use crate::chain::{Chain, accounts, send_and_confirm};

/// Somebody's shares of a pool.
#[derive(Clone, Copy)]
pub struct Holding {
    /// The pool.
    pub pool: Pubkey,
    /// Its settings.
    pub state: Pool,
    /// What is held.
    pub position: Position,
}

/// What `holder` has of the pool of `asset`; perhaps no shares any more, but what they earned.
///
/// # Errors
/// [`RoyaltyError::NoPool`], [`RoyaltyError::NoShares`] for who never had any, or a failure to read.
pub async fn holding(chain: &dyn Chain, asset: &Pubkey, holder: &Pubkey) -> Result<Holding, RoyaltyError> {
    let (pool, state) = pool_of(chain, asset).await?;
    let address = pda::position(&pool, holder).0;
    let position =
        accounts::fetch_optional::<Position, _>(chain, &address).await.map_err(unread("read the position"))?;
    Ok(Holding { pool, state, position: position.ok_or(RoyaltyError::NoShares(*holder))? })
}

impl Holding {
    /// Checks that `wallet` may move so many of the shares to `recipient` at this slot.
    ///
    /// # Errors
    /// [`RoyaltyError::SelfHolding`], [`RoyaltyError::OwnShares`], [`RoyaltyError::NotApproved`], [`RoyaltyError::NotEnough`],
    /// [`RoyaltyError::Locked`].
    pub fn check_transfer(
        &self,
        wallet: &Pubkey,
        recipient: &Pubkey,
        shares: u64,
        now: Slot,
    ) -> Result<(), RoyaltyError> {
        let Position { holder, vesting, .. } = self.position;
        let total = self.state.total_shares;
        if *recipient == self.pool {
            return Err(RoyaltyError::SelfHolding);
        }
        if *recipient == holder {
            return Err(RoyaltyError::OwnShares(holder));
        }
        if *wallet != holder {
            let approved = if self.position.delegate == *wallet { self.position.delegated } else { 0 };
            if shares > approved {
                return Err(RoyaltyError::NotApproved { holder, wallet: *wallet, approved, total });
            }
        }
        let left = self.position.shares.checked_sub(shares).filter(|_| shares > 0);
        let left = left.ok_or(RoyaltyError::NotEnough { holder, shares: self.position.shares, total })?;
        let locked = vesting.locked_at(now).map_or(0, |locked| locked.get());
        if left < locked {
            return Err(RoyaltyError::Locked { holder, locked, total, until: vesting.end });
        }
        Ok(())
    }
}

/// Moves `shares` of a holding to `recipient`. `wallet` is the holder or approved by it, and pays for the recipient's
/// position if it has none. Everything that came in until now is brought into the books before, so that what the shares
/// earned stays with who held them.
///
/// # Errors
/// Those of [`Holding::check_transfer`], [`RoyaltyError::NoWallet`], [`RoyaltyError::Unsent`], or a failure to read.
pub async fn transfer(
    chain: &dyn Chain,
    wallet: &Keypair,
    holding: &Holding,
    recipient: &Pubkey,
    shares: u64,
) -> Result<Signature, RoyaltyError> {
    let now = Slot(chain.slot().await.map_err(unread("read the slot"))?);
    holding.check_transfer(&wallet.pubkey(), recipient, shares, now)?;
    check_holders(chain, &[*recipient]).await?;
    let Holding { pool, position, .. } = holding;
    sweep_into(chain, wallet, pool).await?;
    let transfer = royalty::transfer_shares_by(&wallet.pubkey(), &position.holder, recipient, pool, shares);
    send(chain, wallet, transfer, "the shares were not transferred").await
}

/// Lets `delegate` move up to `shares` of the wallet's, in place of whoever was approved before.
///
/// # Errors
/// [`RoyaltyError::NotEnough`], [`RoyaltyError::Unsent`].
pub async fn approve(
    chain: &dyn Chain,
    wallet: &Keypair,
    holding: &Holding,
    delegate: &Pubkey,
    shares: u64,
) -> Result<Signature, RoyaltyError> {
    let Position { holder, shares: held, .. } = holding.position;
    if shares > held {
        return Err(RoyaltyError::NotEnough { holder, shares: held, total: holding.state.total_shares });
    }
    let approve = royalty::approve(&wallet.pubkey(), &holding.pool, delegate, shares);
    send(chain, wallet, approve, "the approval was not given").await
}

/// Takes the approval back.
///
/// # Errors
/// [`RoyaltyError::NobodyApproved`], [`RoyaltyError::Unsent`].
pub async fn revoke(chain: &dyn Chain, wallet: &Keypair, holding: &Holding) -> Result<Signature, RoyaltyError> {
    if holding.position.delegate == Pubkey::default() {
        return Err(RoyaltyError::NobodyApproved(holding.position.holder));
    }
    let revoke = royalty::revoke(&wallet.pubkey(), &holding.pool);
    send(chain, wallet, revoke, "the approval was not taken back").await
}

/// Closes a holding that is nothing any more; its rent goes to whoever paid it. `wallet` is the holder or that payer.
///
/// # Errors
/// [`RoyaltyError::InUse`], [`RoyaltyError::NotCloser`], [`RoyaltyError::Unsent`].
pub async fn close(chain: &dyn Chain, wallet: &Keypair, holding: &Holding) -> Result<Signature, RoyaltyError> {
    let Position { holder, rent_payer, .. } = holding.position;
    if !holding.position.is_empty() {
        return Err(RoyaltyError::InUse(holder));
    }
    if ![holder, rent_payer].contains(&wallet.pubkey()) {
        return Err(RoyaltyError::NotCloser { holder, rent_payer });
    }
    let close = royalty::close_position(&wallet.pubkey(), &holder, &rent_payer, &holding.pool);
    send(chain, wallet, close, "the position was not closed").await
}

async fn send(
    chain: &dyn Chain,
    wallet: &Keypair,
    instruction: Instruction,
    outcome: &'static str,
) -> Result<Signature, RoyaltyError> {
    let sent = send_and_confirm(chain, &[instruction], &[wallet]).await;
    Ok(sent.map_err(unsent(outcome))?.signature)
}
