//! What the program announces in its logs, for indexers.

use anchor_lang::prelude::*;

/// A pool was created; it may still miss holders.
#[event(bytemuck)]
pub struct PoolCreated {
    pub pool: Address,
    pub asset: Address,
    pub total_shares: u64,
}

/// Revenue was booked into a pool.
#[event(bytemuck)]
pub struct RevenueBooked {
    pub pool_mint: Address,
    /// Base units booked now.
    pub amount: u64,
    /// Base units booked since the beginning.
    pub received: u64,
}

/// A holder took what it was owed.
#[event(bytemuck)]
pub struct Claimed {
    pub position: Address,
    pub pool_mint: Address,
    /// Base units paid.
    pub amount: u64,
}

/// A parent asset's pool was paid what a child's pool owed it.
#[event(bytemuck)]
pub struct Swept {
    pub child: Address,
    pub parent: Address,
    /// Base units moved.
    pub amount: u64,
}

/// Shares changed hands.
#[event(bytemuck)]
pub struct SharesTransferred {
    pub from: Address,
    pub to: Address,
    pub shares: u64,
}
