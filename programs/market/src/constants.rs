//! Fixed bounds of the market. A change to any of them is a change of protocol.

/// Layout version written into every account of this program.
pub const LAYOUT_VERSION: u8 = 1;

/// Most nodes that may work on one job.
pub const MAX_SLOTS: usize = 5;

/// How often a job may go back to `Open` after a node missed a deadline, counted over all its slots.
pub const MAX_RETRIES: u8 = 3;

/// Longest endpoint URL of a node, in bytes of UTF-8.
pub const MAX_ENDPOINT: usize = 96;

/// One whole, in basis points.
pub const BPS: u16 = 10_000;

/// Highest protocol fee a config may set, in basis points.
pub const MAX_PROTOCOL_FEE_BPS: u16 = 1_000;

/// Shortest window for a commit or a reveal, in Solana slots.
pub const MIN_WINDOW: u32 = 4;

/// Longest window of an offer, in Solana slots (about eleven days).
pub const MAX_WINDOW: u32 = 2_500_000;

/// A wallet that holds fewer lamports than this is not exempt from rent, and the runtime refuses to leave it so.
/// Payments that would do that are held where the receiver can collect them, so that an empty wallet blocks nobody.
pub const WALLET_MINIMUM: u64 = 890_880;

/// Seed of the one config account.
pub const CONFIG_SEED: &[u8] = b"config";
/// Seed of a node account, followed by its authority.
pub const NODE_SEED: &[u8] = b"node";
/// Seed of an offer, followed by the asset's mint and the offer's id (u64, little endian).
pub const OFFER_SEED: &[u8] = b"offer";
/// Seed of a job, followed by offer, payer and nonce (u64, little endian).
pub const JOB_SEED: &[u8] = b"job";
/// Seed of a slot, followed by the job and the slot's index (one byte).
pub const SLOT_SEED: &[u8] = b"slot";
/// Seed of a job's token escrow, followed by the job.
pub const ESCROW_SEED: &[u8] = b"escrow";
