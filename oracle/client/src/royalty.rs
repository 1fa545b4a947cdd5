//! Royalty pools from a client's side: who holds what, what is owed, what still waits somewhere, and moving it on.
//!
//! Revenue reaches a holder in steps that anybody may take and that cost only fees: [`sync`] books what lies in inboxes,
//! [`sweep_into`] brings what derived assets owe, [`collect`] what marketplaces paid on a resale, `claim` pays out.

mod claim;
mod collect;
mod error;
mod holders;
mod lineage;
mod revenue;
mod shares;
mod sweep;

use provena_royalty::{
    pda,
    state::{Admin, Pool, Position},
};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::chain::{Chain, accounts, accounts::ProgramAccount};
use error::unread;

pub use claim::{Claim, held_by};
pub use collect::collect;
pub use error::RoyaltyError;
pub use holders::check_holders;
pub use lineage::{Reached, reached};
pub use revenue::{Revenue, RevenueIn, revenue, sync};
pub use shares::{Holding, approve, close, holding, revoke, transfer};
pub use sweep::sweep_into;

/// Money that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The pool that it moved into, or for a claim the pool that paid.
    pub pool: Pubkey,
    /// Payment mint; the zero address is SOL.
    pub mint: Pubkey,
    /// Base units, as the pool's books show them.
    pub amount: u64,
    /// The transaction; the last one where there were several.
    pub signature: Signature,
}

/// The program's settings; `None` when there are none on this chain.
///
/// # Errors
/// A failure to read.
pub async fn admin(chain: &dyn Chain) -> Result<Option<Admin>, RoyaltyError> {
    accounts::fetch_optional(chain, &pda::admin().0).await.map_err(unread("read the payment mints that are allowed"))
}

/// Checks that pools may be paid in `mint`.
///
/// # Errors
/// [`RoyaltyError::MintNotAllowed`], [`RoyaltyError::NotSetUp`], or a failure to read.
pub async fn check_allowed(chain: &dyn Chain, mint: &Pubkey) -> Result<(), RoyaltyError> {
    let admin = admin(chain).await?.ok_or(RoyaltyError::NotSetUp)?;
    if admin.allowed().contains(mint) { Ok(()) } else { Err(RoyaltyError::MintNotAllowed(*mint)) }
}

/// The pool of `asset`, if it has one.
///
/// # Errors
/// A failure to read.
pub async fn find_pool(chain: &dyn Chain, asset: &Pubkey) -> Result<Option<Pool>, RoyaltyError> {
    accounts::fetch_optional::<Pool, _>(chain, &pda::pool(asset).0).await.map_err(unread("read the royalty pool"))
}

/// The pool of `asset`, with its address.
///
/// # Errors
/// [`RoyaltyError::NoPool`], or a failure to read.
pub async fn pool_of(chain: &dyn Chain, asset: &Pubkey) -> Result<(Pubkey, Pool), RoyaltyError> {
    let pool = find_pool(chain, asset).await?.ok_or(RoyaltyError::NoPool(*asset))?;
    Ok((pda::pool(asset).0, pool))
}

/// Everybody who holds shares of `pool`, largest first.
///
/// # Errors
/// A failure to read.
pub async fn positions(chain: &dyn Chain, pool: &Pubkey) -> Result<Vec<Position>, RoyaltyError> {
    let filter = Position::filter_field(std::mem::offset_of!(Position, pool), pool.as_ref());
    let listed = accounts::list::<Position, _>(chain, &filter).await.map_err(unread("list the pool's holders"))?;
    let mut positions: Vec<Position> = listed.into_iter().map(|(_, position)| position).collect();
    positions.sort_by_key(|position| std::cmp::Reverse((position.shares, position.holder.to_bytes())));
    Ok(positions)
}
