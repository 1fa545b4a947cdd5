//! Where the program's accounts live. Works on chain and on the host.

use anchor_lang::prelude::*;

use crate::{
    ID,
    constants::{
        ADMIN_SEED, BOOKS_SEED, INBOX_SEED, INBOX_VAULT_SEED, INDEX_SEED, POOL_SEED, POSITION_SEED, VAULT_SEED,
    },
};

/// The one [`Admin`](crate::state::Admin).
#[must_use]
pub fn admin() -> (Address, u8) {
    find_program_address(&[ADMIN_SEED], &ID)
}

/// The [`Pool`](crate::state::Pool) of an asset's NFT mint.
#[must_use]
pub fn pool(asset_mint: &Address) -> (Address, u8) {
    find_program_address(&[POOL_SEED, asset_mint.as_ref()], &ID)
}

/// The [`Index`](crate::state::Index) of a pool.
#[must_use]
pub fn index(pool: &Address) -> (Address, u8) {
    find_program_address(&[INDEX_SEED, pool.as_ref()], &ID)
}

/// The [`Books`](crate::state::Books) of a pool for one payment mint; all zeros stand for SOL.
#[must_use]
pub fn books(pool: &Address, mint: &Address) -> (Address, u8) {
    find_program_address(&[BOOKS_SEED, pool.as_ref(), mint.as_ref()], &ID)
}

/// The token account that holds the tokens of a books account; SOL has none.
#[must_use]
pub fn vault(books: &Address) -> (Address, u8) {
    find_program_address(&[VAULT_SEED, books.as_ref()], &ID)
}

/// The [`Inbox`](crate::state::Inbox) number `shard` of a books account.
#[must_use]
pub fn inbox(books: &Address, shard: u8) -> (Address, u8) {
    find_program_address(&[INBOX_SEED, books.as_ref(), &[shard]], &ID)
}

/// The token account that holds the tokens of an inbox; SOL has none.
#[must_use]
pub fn inbox_vault(inbox: &Address) -> (Address, u8) {
    find_program_address(&[INBOX_VAULT_SEED, inbox.as_ref()], &ID)
}

/// The [`Position`](crate::state::Position) of one holder in a pool.
#[must_use]
pub fn position(pool: &Address, holder: &Address) -> (Address, u8) {
    find_program_address(&[POSITION_SEED, pool.as_ref(), holder.as_ref()], &ID)
}
