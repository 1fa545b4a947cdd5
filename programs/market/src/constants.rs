//! Fixed bounds of the market and the seeds of its addresses. A change to any of them is a change of protocol.

pub use provena_common::admin::ADMIN_SEED;
use provena_common::amount::Amount;

/// Most seats of one job.
pub const MAX_SEATS: usize = 5;

/// Longest endpoint URL of a node, in bytes of UTF-8.
pub const MAX_ENDPOINT: usize = 96;

/// Highest protocol fee that can be set, in basis points.
pub const MAX_PROTOCOL_FEE_BPS: u16 = 500;

/// Shortest window of an offer, in slots: about a minute, so that nobody misses it because a payer fills the job account's
/// part of a few blocks.
pub const MIN_WINDOW: u32 = 150;

/// The longest that a job may take from posting to its end, all windows together, in slots: seven days.
pub const MAX_LIFE: u32 = 1_512_000;

/// Treasury inboxes of one mint.
pub const MAX_TREASURY_SHARDS: u8 = 128;

/// A job's nonce slot is at most this many slots before its posting; no job closes before its nonce is older.
pub const NONCE_AGE: u64 = 150;

/// A node may leave a seat, while another is free, this many slots after taking it.
pub const LEAVE_AFTER: u64 = 150;

/// Slots from the last seat that a node's process took in which no other process takes seats for the node: about a minute.
pub const LEASE_SLOTS: u64 = 150;

/// Slots from the decision after which pay and bonds of agreeing nodes wait no longer for the payer: about ten minutes.
pub const SETTLE_AFTER: u64 = 1_500;

/// Slots from a demand within which the answer must be on chain: about five minutes.
pub const ANSWER_WINDOW: u64 = 750;

/// Lamports that a payer deposits with a demand; they pay the fees of whoever puts the answer on chain.
pub const DEMAND_DEPOSIT: Amount = Amount(60_000);

/// Most lamports of forfeited bonds that a seat which revealed gets: about its own fees.
pub const MOST_FORFEIT_SHARE: Amount = Amount(30_000);

/// Slots from the end of a job after which what somebody cannot take may be parked: about a day.
pub const PARK_AFTER: u64 = 216_000;

/// Slots from the end of a job in which its payer alone may close it: about a day.
pub const GRACE: u64 = 216_000;

/// Longest answer, in bytes, that can be put on chain; of a longer one its length is proved instead.
pub const MAX_ANSWER: usize = 8_192;

/// Offer flag: nodes take seats in the order in which they come. Must be set, because there is no lottery yet.
pub const FIRST_COME: u8 = 1;

/// What the authority can pause. Nothing else is ever paused: no seat, no answer, no payment, no withdrawal.
pub mod pause {
    /// Posting jobs.
    pub const POSTING: u32 = 1;
    /// Creating offers.
    pub const OFFERS: u32 = 2;
    /// Registering nodes.
    pub const NODES: u32 = 4;
    /// All of it.
    pub const ALL: u32 = POSTING | OFFERS | NODES;
}

/// Seed of a node account, followed by its authority.
pub const NODE_SEED: &[u8] = b"node";
/// Seed of an offer, followed by the asset's mint and the offer's id (u64, little endian).
pub const OFFER_SEED: &[u8] = b"offer";
/// Seed of a job, followed by payer, nonce slot (u64, little endian) and nonce index (u16, little endian).
pub const JOB_SEED: &[u8] = b"job";
/// Seed of a job's token escrow, followed by the job.
pub const ESCROW_SEED: &[u8] = b"escrow";
/// Seed of an answer that is put on chain, followed by the job and by who puts it there.
pub const ANSWER_SEED: &[u8] = b"answer";
/// Seed of what could not be paid, followed by beneficiary and mint.
pub const RESIDUAL_SEED: &[u8] = b"residual";
/// Seed of a residual's token account, followed by the residual.
pub const RESIDUAL_VAULT_SEED: &[u8] = b"residual_vault";
/// Seed of a treasury inbox, followed by mint and shard (one byte).
pub const TREASURY_SEED: &[u8] = b"treasury";
/// Seed of a treasury inbox's token account, followed by the inbox.
pub const TREASURY_VAULT_SEED: &[u8] = b"treasury_vault";
