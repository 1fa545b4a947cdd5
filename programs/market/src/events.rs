//! What indexers and nodes follow. Fixed-size, written to the log.

use anchor_lang::prelude::*;

/// A node registered.
#[event(bytemuck)]
pub struct NodeRegistered {
    /// The node's account.
    pub node: Address,
    /// Its authority.
    pub authority: Address,
    /// Its stake in lamports.
    pub stake: u64,
}

/// An offer was made.
#[event(bytemuck)]
pub struct OfferCreated {
    /// The offer.
    pub offer: Address,
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// What it is priced in; zeros for SOL.
    pub mint: Address,
}

/// A job was posted and its deposit is in escrow.
#[event(bytemuck)]
pub struct JobPosted {
    /// The job.
    pub job: Address,
    /// Its offer.
    pub offer: Address,
    /// Who paid.
    pub payer: Address,
    /// Content root of the request.
    pub input_root: [u8; 32],
    /// Base units in escrow.
    pub deposit: u64,
    /// Last slot for claims.
    pub expires_at: u64,
}

/// A job moved on. `state` is a `JobState`.
#[event(bytemuck)]
pub struct JobProgressed {
    /// The job.
    pub job: Address,
    /// The node's authority.
    pub authority: Address,
    /// The state now.
    pub state: u8,
    /// The slot that moved.
    pub index: u8,
}

/// A slot's result is on record.
#[event(bytemuck)]
pub struct ResultRevealed {
    /// The job.
    pub job: Address,
    /// The node's authority.
    pub authority: Address,
    /// Content root of the response.
    pub result_root: [u8; 32],
    /// Units of work.
    pub units: u32,
    /// The job's state now.
    pub state: u8,
    /// The slot.
    pub index: u8,
    /// Zero.
    pub padding: [u8; 2],
}

/// A bond went to the payer.
#[event(bytemuck)]
pub struct BondForfeited {
    /// The job.
    pub job: Address,
    /// The node's authority.
    pub authority: Address,
    /// Lamports.
    pub bond: u64,
}

/// A job was paid.
#[event(bytemuck)]
pub struct JobSettled {
    /// The job.
    pub job: Address,
    /// The agreed result.
    pub result_root: [u8; 32],
    /// To the nodes that agreed.
    pub nodes: u64,
    /// To the royalty pool.
    pub royalty: u64,
    /// To the treasury.
    pub protocol: u64,
    /// To the payer.
    pub refund: u64,
}

/// A job ended without a result. `state` is `Cancelled` or `Refunded`.
#[event(bytemuck)]
pub struct JobRefunded {
    /// The job.
    pub job: Address,
    /// To the payer.
    pub refund: u64,
    /// The state now.
    pub state: u8,
    /// Zero.
    pub padding: [u8; 7],
}
