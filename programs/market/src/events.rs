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
    /// Last slot in which seats may be taken.
    pub open_until: u64,
}

/// A job moved on. `state` is a [`JobState`](crate::state::JobState).
#[event(bytemuck)]
pub struct JobProgressed {
    /// The job.
    pub job: Address,
    /// The authority of the node whose seat moved; zeros where the job as a whole did.
    pub node: Address,
    /// The job's state now.
    pub state: u8,
    /// The seat that moved; of an agreed job the first that agreed.
    pub index: u8,
}

/// A seat's result is on record.
#[event(bytemuck)]
pub struct ResultRevealed {
    /// The job.
    pub job: Address,
    /// The node's authority.
    pub node: Address,
    /// Content root of the response.
    pub result_root: [u8; 32],
    /// Units of input that were read.
    pub units_in: u32,
    /// Units of output that were made.
    pub units_out: u32,
    /// The job's state now.
    pub state: u8,
    /// The seat.
    pub index: u8,
    /// Zero.
    pub padding: [u8; 6],
}

/// A bond was lost.
#[event(bytemuck)]
pub struct BondForfeited {
    /// The job.
    pub job: Address,
    /// The node's authority.
    pub node: Address,
    /// Lamports.
    pub bond: u64,
}

/// A payer demands the answer on chain: nodes that agreed must bring it within 750 slots.
#[event(bytemuck)]
pub struct AnswerDemanded {
    /// The job.
    pub job: Address,
    /// Slot of the demand.
    pub demanded_at: u64,
}
