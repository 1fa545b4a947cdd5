//! Whether the NFT of a pool's asset exists yet.

use anchor_lang::prelude::*;

/// Whether the mint account exists: as long as it does not, the pool is its creator's affair alone. Lamports that somebody
/// sends to the address do not make it exist.
#[must_use]
pub fn exists(mint: &AccountView) -> bool {
    !mint.owned_by(&System::id()) || mint.data_len() > 0
}
