//! Limits and names that clients and the other programs share with this one.

use anchor_lang::prelude::*;
pub use provena_common::{NATIVE_MINT, admin::ADMIN_SEED};

/// Metaplex Token Metadata, which records the pool as a verified creator of its NFT.
pub const TOKEN_METADATA_PROGRAM: Address = Address::from_str_const("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s");

/// The instructions sysvar, which Token Metadata wants to see on every modern instruction.
pub const INSTRUCTIONS_SYSVAR: Address = Address::from_str_const("Sysvar1nstructions1111111111111111111111111");

/// Shares of a pool when nothing else is asked for.
pub const DEFAULT_TOTAL_SHARES: u64 = 1_000_000_000;

/// The most shares a pool can have. What a position earned is divided by this number in 32-bit limbs.
pub const MAX_TOTAL_SHARES: u64 = 0xffff_ffff;

/// Holders that a pool's creator may name before the pool is sealed.
pub const MAX_INITIAL_HOLDERS: u16 = u16::MAX;

/// Mints on the list of allowed mints, and mints of one pool; SOL is the first of both. The two are equal, so that a pool
/// has room for every mint that is allowed.
pub const MAX_MINTS: usize = 8;

/// Inboxes of one books account.
pub const MAX_INBOXES: u8 = 64;

/// [`Pool`](crate::state::Pool) flag: the pool's shares may be wrapped into tokens that trade without the seller's signature.
pub const WRAPPABLE: u8 = 1;

/// Shortest window of a wrappable pool, in slots.
pub const MIN_WINDOW: u32 = 32;

/// Longest window of a wrappable pool, in slots: about two days.
pub const MAX_WINDOW: u32 = 432_000;

/// Longest vesting, in slots: about 54 years.
pub const MAX_VESTING: u64 = 0xffff_ffff;

/// Pause bit of [`Admin`](crate::state::Admin): no pool is created and no books are opened. Deposits, claims, sweeps and
/// transfers are never paused.
pub const PAUSE_POOLS: u32 = 1;

/// `["pool", asset mint]`
pub const POOL_SEED: &[u8] = b"pool";
/// `["index", pool]`
pub const INDEX_SEED: &[u8] = b"index";
/// `["books", pool, mint]`
pub const BOOKS_SEED: &[u8] = b"books";
/// `["vault", books]`
pub const VAULT_SEED: &[u8] = b"vault";
/// `["inbox", books, shard]`
pub const INBOX_SEED: &[u8] = b"inbox";
/// `["inbox_vault", inbox]`
pub const INBOX_VAULT_SEED: &[u8] = b"inbox_vault";
/// `["position", pool, holder]`
pub const POSITION_SEED: &[u8] = b"position";
