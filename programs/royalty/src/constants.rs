//! Limits and names that clients and the other programs share with this one.

use anchor_lang::prelude::*;

/// SOL, written as a mint: the all-zero address. Revenue in SOL is lamports held by the [`PoolMint`](crate::state::PoolMint).
pub const NATIVE_MINT: Address = Address::new_from_array([0; 32]);

/// The SPL Token program, the only token program whose mints are accepted.
pub const TOKEN_PROGRAM: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// Metaplex Token Metadata, which records the pool as a verified creator of its NFT.
pub const TOKEN_METADATA_PROGRAM: Address = Address::from_str_const("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s");

/// The instructions sysvar, which Token Metadata wants to see on every modern instruction.
pub const INSTRUCTIONS_SYSVAR: Address = Address::from_str_const("Sysvar1nstructions1111111111111111111111111");

/// Shares of a pool when nothing else is asked for.
pub const DEFAULT_TOTAL_SHARES: u64 = 1_000_000_000;

/// The most shares a pool can have. The accumulator divides by this number in 32-bit limbs.
pub const MAX_TOTAL_SHARES: u64 = 0xffff_ffff;

/// Holders that a pool's creator may name before the pool is sealed.
pub const MAX_INITIAL_HOLDERS: u8 = 16;

/// Mints on the allow list, and mints of one pool.
pub const MAX_MINTS: usize = 8;

/// Seed prefixes of the program's addresses; [`crate::pda`] derives them.
pub mod seeds {
    /// `["config"]`
    pub const CONFIG: &[u8] = b"config";
    /// `["pool", asset mint]`
    pub const POOL: &[u8] = b"pool";
    /// `["pool_mint", pool, mint]`
    pub const POOL_MINT: &[u8] = b"pool_mint";
    /// `["vault", pool_mint]`
    pub const VAULT: &[u8] = b"vault";
    /// `["position", pool, holder]`
    pub const POSITION: &[u8] = b"position";
}
