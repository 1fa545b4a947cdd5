//! Money that comes in and goes out.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::{Currency, build, followed_by, inbox_vault_of, readonly, vault_of, writable};
use crate::{accounts, instruction, pda};

/// `deposit` from where the payer keeps the currency.
#[must_use]
pub fn deposit(payer: &Address, pool: &Address, currency: Currency, amount: u64) -> Instruction {
    let books = pda::books(pool, &currency.mint()).0;
    let accounts = accounts::Deposit {
        payer: *payer,
        admin: pda::admin().0,
        index: pda::index(pool).0,
        books,
        source: currency.token_account(payer),
        vault: vault_of(currency, &books),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
        system_program: System::id(),
    };
    build(&accounts, &instruction::Deposit { amount })
}

/// `sync` with the inboxes of these shards.
#[must_use]
pub fn sync(pool: &Address, currency: Currency, shards: &[u8]) -> Instruction {
    let books = pda::books(pool, &currency.mint()).0;
    let accounts = accounts::Sync {
        index: pda::index(pool).0,
        books,
        vault: vault_of(currency, &books),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
    };
    // Lamports leave an inbox's own account, tokens its vault alone.
    let inboxes = shards.iter().flat_map(|shard| {
        let inbox = pda::inbox(&books, *shard).0;
        match inbox_vault_of(currency, &inbox) {
            Some(vault) => vec![readonly(inbox), writable(vault)],
            None => vec![writable(inbox)],
        }
    });
    followed_by(build(&accounts, &instruction::Sync {}), inboxes)
}

/// `collect` of resale royalties paid to the pool, in tokens to its associated token account.
#[must_use]
pub fn collect(pool: &Address, currency: Currency) -> Instruction {
    let books = pda::books(pool, &currency.mint()).0;
    let accounts = accounts::Collect {
        pool: *pool,
        index: pda::index(pool).0,
        books,
        source: currency.token_account(pool),
        vault: vault_of(currency, &books),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
    };
    build(&accounts, &instruction::Collect {})
}

/// `sweep` from a child's pool to a parent's.
#[must_use]
pub fn sweep(child_pool: &Address, parent_pool: &Address, currency: Currency) -> Instruction {
    let child = pda::books(child_pool, &currency.mint()).0;
    let parent = pda::books(parent_pool, &currency.mint()).0;
    let accounts = accounts::Sweep {
        child_index: pda::index(child_pool).0,
        child,
        position: pda::position(child_pool, parent_pool).0,
        parent_index: pda::index(parent_pool).0,
        parent,
        child_vault: vault_of(currency, &child),
        parent_vault: vault_of(currency, &parent),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
    };
    build(&accounts, &instruction::Sweep {})
}

/// `sweep` along a path, from each pool to the one that follows: a descendant's revenue goes all the way in one transaction.
#[must_use]
pub fn sweep_path(pools: &[Address], currency: Currency) -> Vec<Instruction> {
    pools.array_windows().map(|[child, parent]| sweep(child, parent, currency)).collect()
}

/// `claim` by the holder, to an account of its choice: for SOL any, for tokens a token account of the mint.
#[must_use]
pub fn claim_to(holder: &Address, pool: &Address, currency: Currency, destination: &Address) -> Instruction {
    let mut instruction = claim_for(holder, pool, currency);
    for meta in instruction.accounts.iter_mut().take(1) {
        meta.is_signer = true;
    }
    for meta in instruction.accounts.iter_mut().skip(CLAIM_DESTINATION).take(1) {
        meta.pubkey = *destination;
    }
    instruction
}

/// Where `claim` names its destination.
const CLAIM_DESTINATION: usize = 4;

/// `claim` by the holder, to where it keeps the currency.
#[must_use]
pub fn claim(holder: &Address, pool: &Address, currency: Currency) -> Instruction {
    claim_to(holder, pool, currency, &currency.account_of(holder))
}

/// `claim` by anybody, to where the holder keeps the currency.
#[must_use]
pub fn claim_for(holder: &Address, pool: &Address, currency: Currency) -> Instruction {
    let books = pda::books(pool, &currency.mint()).0;
    let accounts = accounts::Claim {
        holder: *holder,
        position: pda::position(pool, holder).0,
        index: pda::index(pool).0,
        books,
        destination: currency.account_of(holder),
        vault: vault_of(currency, &books),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
    };
    build(&accounts, &instruction::Claim {})
}

/// `claim_many` from several pools to where the holder keeps the currency; `signed` by the holder or by nobody.
#[must_use]
pub fn claim_many(holder: &Address, pools: &[Address], currency: Currency, signed: bool) -> Instruction {
    let accounts = accounts::ClaimMany {
        holder: *holder,
        destination: currency.account_of(holder),
        mint: currency.token_mint(),
        token_program: currency.token_program(),
    };
    let groups = pools.iter().flat_map(|pool| {
        let books = pda::books(pool, &currency.mint()).0;
        let (position, index) = (pda::position(pool, holder).0, pda::index(pool).0);
        let vault = vault_of(currency, &books).map(writable);
        [Some(writable(position)), Some(readonly(index)), Some(writable(books)), vault].into_iter().flatten()
    });
    let mut instruction = followed_by(build(&accounts, &instruction::ClaimMany {}), groups);
    for meta in instruction.accounts.iter_mut().take(1) {
        meta.is_signer = signed;
    }
    instruction
}
