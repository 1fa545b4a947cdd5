//! Where the program's accounts live. Works on chain and on the host.

use anchor_lang::prelude::*;

use crate::{ID, constants::seeds};

/// The one [`Config`](crate::state::Config).
pub fn config() -> (Address, u8) {
    find_program_address(&[seeds::CONFIG], &ID)
}

/// The [`Pool`](crate::state::Pool) of an asset's NFT mint.
pub fn pool(asset_mint: &Address) -> (Address, u8) {
    find_program_address(&[seeds::POOL, asset_mint.as_ref()], &ID)
}

/// The [`PoolMint`](crate::state::PoolMint) of a pool for one payment mint.
pub fn pool_mint(pool: &Address, mint: &Address) -> (Address, u8) {
    find_program_address(&[seeds::POOL_MINT, pool.as_ref(), mint.as_ref()], &ID)
}

/// The token account that holds a pool mint's tokens; SOL has none.
pub fn vault(pool_mint: &Address) -> (Address, u8) {
    find_program_address(&[seeds::VAULT, pool_mint.as_ref()], &ID)
}

/// The [`Position`](crate::state::Position) of one holder in a pool.
pub fn position(pool: &Address, holder: &Address) -> (Address, u8) {
    find_program_address(&[seeds::POSITION, pool.as_ref(), holder.as_ref()], &ID)
}
