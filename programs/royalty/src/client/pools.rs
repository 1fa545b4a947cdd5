//! Pools, their books and inboxes.

use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};

use super::{Currency, build, followed_by, inbox_vault_of, readonly, writable};
use crate::{
    Holder, INSTRUCTIONS_SYSVAR, NATIVE_MINT, TOKEN_METADATA_PROGRAM, accounts, instruction, pda,
    state::{Pool, Position},
};

/// `create_pool` for the NFT mint `asset`, which signs. `window` is 0 where `flags` do not say that shares can be wrapped.
#[must_use]
pub fn create_pool(
    creator: &Address,
    asset: &Address,
    total_shares: u64,
    window: u32,
    flags: u8,
    holders: &[Holder],
) -> Instruction {
    let pool = pda::pool(asset).0;
    let accounts = accounts::CreatePool {
        creator: *creator,
        asset: *asset,
        admin: pda::admin().0,
        pool,
        index: pda::index(&pool).0,
        books: pda::books(&pool, &NATIVE_MINT).0,
        system_program: System::id(),
    };
    let data = instruction::CreatePool { total_shares, window, flags, holders: holders.to_vec() };
    followed_by(build(&accounts, &data), positions(&pool, holders))
}

/// `add_holders`.
#[must_use]
pub fn add_holders(creator: &Address, pool: &Address, holders: &[Holder]) -> Instruction {
    let accounts = accounts::AddHolders {
        creator: *creator,
        pool: *pool,
        index: pda::index(pool).0,
        system_program: System::id(),
    };
    let data = instruction::AddHolders { holders: holders.to_vec() };
    followed_by(build(&accounts, &data), positions(pool, holders))
}

fn positions<'a>(pool: &'a Address, holders: &'a [Holder]) -> impl Iterator<Item = AccountMeta> + 'a {
    holders.iter().map(|holder| writable(pda::position(pool, &holder.holder).0))
}

/// `abandon_pool`. `closed` are positions to close. With the last of them, `books` are the pool's currencies in the order of
/// its mints, SOL first; what lies in a vault goes to the creator's associated token account.
#[must_use]
pub fn abandon_pool(pool_address: &Address, pool: &Pool, closed: &[Position], books: &[Currency]) -> Instruction {
    let creator = pool.creator;
    let accounts =
        accounts::AbandonPool { creator, asset: pool.asset, pool: *pool_address, index: pda::index(pool_address).0 };
    let positions = closed.iter().flat_map(|position| {
        let address = pda::position(pool_address, &position.holder).0;
        let payer = (position.rent_payer != creator).then_some(position.rent_payer);
        [Some(address), payer].into_iter().flatten().map(writable)
    });
    let books = books.iter().flat_map(|currency| {
        let books = pda::books(pool_address, &currency.mint()).0;
        let mut group = vec![writable(books)];
        if let Currency::Token { mint, program } = *currency {
            let to = currency.account_of(&creator);
            group.extend([writable(pda::vault(&books).0), readonly(mint), readonly(program), writable(to)]);
        }
        group
    });
    followed_by(build(&accounts, &instruction::AbandonPool {}), books.chain(positions))
}

/// What gives somebody the right to open books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The payer created the pool, and the NFT does not exist yet.
    Creator,
    /// This token account of the payer holds the NFT.
    Nft(Address),
    /// This token account of the pool holds tokens of the mint.
    Tokens(Address),
    /// The pool of this address owes the pool money in the mint.
    Child(Address),
}

/// `open_books` of `pool`, the pool of the NFT mint `asset`. `None` for SOL, whose books are made with the pool.
#[must_use]
pub fn open_books(payer: &Address, asset: &Address, currency: Currency, evidence: Evidence) -> Option<Instruction> {
    let Currency::Token { mint, program } = currency else { return None };
    let pool = pda::pool(asset).0;
    let books = pda::books(&pool, &mint).0;
    let accounts = accounts::OpenBooks {
        payer: *payer,
        admin: pda::admin().0,
        pool,
        asset: *asset,
        mint,
        books,
        vault: pda::vault(&books).0,
        token_program: program,
        system_program: System::id(),
    };
    let shown = match evidence {
        Evidence::Creator => Vec::new(),
        Evidence::Nft(account) | Evidence::Tokens(account) => vec![account],
        Evidence::Child(child) => {
            vec![pda::position(&child, &pool).0, pda::index(&child).0, pda::books(&child, &mint).0]
        }
    };
    Some(followed_by(build(&accounts, &instruction::OpenBooks {}), shown.into_iter().map(readonly)))
}

/// `open_inbox` number `shard`, which is the number of those that are open.
#[must_use]
pub fn open_inbox(payer: &Address, asset: &Address, currency: Currency, shard: u8) -> Instruction {
    let pool = pda::pool(asset).0;
    let books = pda::books(&pool, &currency.mint()).0;
    let inbox = pda::inbox(&books, shard).0;
    let accounts = accounts::OpenInbox {
        payer: *payer,
        pool,
        asset: *asset,
        books,
        inbox,
        vault: inbox_vault_of(currency, &inbox),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
        system_program: System::id(),
    };
    build(&accounts, &instruction::OpenInbox {})
}

/// `close_inbox` number `shard`, the last that is open, by whoever paid its rent.
#[must_use]
pub fn close_inbox(rent_payer: &Address, pool: &Address, currency: Currency, shard: u8) -> Instruction {
    let books = pda::books(pool, &currency.mint()).0;
    let inbox = pda::inbox(&books, shard).0;
    let accounts = accounts::CloseInbox {
        rent_payer: *rent_payer,
        books,
        inbox,
        vault: inbox_vault_of(currency, &inbox),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
    };
    build(&accounts, &instruction::CloseInbox {})
}

/// `verify_creator` of a pool in the metadata account of its NFT.
#[must_use]
pub fn verify_creator(pool: &Address, metadata: &Address) -> Instruction {
    let accounts = accounts::VerifyCreator {
        pool: *pool,
        metadata: *metadata,
        token_metadata_program: TOKEN_METADATA_PROGRAM,
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: System::id(),
    };
    build(&accounts, &instruction::VerifyCreator {})
}
