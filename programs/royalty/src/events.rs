//! What the program announces in its logs, for those who watch. Logs can be cut: they are never the source of a balance.

use anchor_lang::prelude::*;

/// A pool was created; it may still miss holders.
#[event(bytemuck)]
pub struct PoolCreated {
    /// The pool.
    pub pool: Address,
    /// Mint of its asset's NFT.
    pub asset: Address,
    /// All its shares.
    pub total_shares: u64,
}

/// Revenue was booked into a pool.
#[event(bytemuck)]
pub struct RevenueBooked {
    /// The books.
    pub books: Address,
    /// Base units booked now.
    pub amount: u64,
}

/// A holder was paid what it was owed.
#[event(bytemuck)]
pub struct Claimed {
    /// The holder's position.
    pub position: Address,
    /// The books.
    pub books: Address,
    /// Base units paid.
    pub amount: u64,
}

/// A parent asset's pool was paid what a child's pool owed it.
#[event(bytemuck)]
pub struct Swept {
    /// The child's books.
    pub child: Address,
    /// The parent's books.
    pub parent: Address,
    /// Base units that left the child.
    pub amount: u64,
}

/// Shares changed hands.
#[event(bytemuck)]
pub struct SharesTransferred {
    /// The position that gave them.
    pub from: Address,
    /// The position that has them now.
    pub to: Address,
    /// How many.
    pub shares: u64,
}
