//! Questions about the accounts that the program, the other programs and clients answer with the same code.

use crate::{
    amount::Amount,
    state::{PoolMint, Position},
};

/// Base units that a position could claim now in one mint; zero when the accounts belong to different pools.
pub fn owed(pool_mint: &PoolMint, position: &Position) -> u64 {
    if position.pool != pool_mint.pool {
        return 0;
    }
    let mut settled = *position;
    settled.take(pool_mint).unwrap_or(Amount::ZERO).0
}

/// Base units that `balance` holds beyond what is booked, which the next `sync` would distribute.
///
/// `balance` is the vault's token amount, or for SOL the pool mint account's lamports above its `rent`.
pub fn unbooked(pool_mint: &PoolMint, balance: u64) -> u64 {
    let held = pool_mint.received.saturating_sub(pool_mint.paid);
    balance.saturating_sub(held)
}

/// Whole basis points of a pool that `shares` of `total_shares` amount to.
pub fn basis_points(shares: u64, total_shares: u64) -> u16 {
    let parts = shares.saturating_mul(10_000).checked_div(total_shares);
    parts.and_then(|bps| u16::try_from(bps).ok()).unwrap_or(0)
}
