//! The royalty program's instructions, for SOL and tokens alike.

use anchor_lang::{InstructionData, ToAccountMetas};
use provena_royalty::{Holder, NATIVE_MINT, TOKEN_PROGRAM, accounts as royalty_accounts, instruction, pda};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use crate::token;

/// Creates the pool of `asset` with `holders`; both `creator` and the asset's mint sign.
pub fn create_pool(creator: &Pubkey, asset: &Pubkey, total_shares: u64, holders: &[Holder]) -> Instruction {
    let pool = pda::pool(asset).0;
    let accounts = royalty_accounts::CreatePool { creator: *creator, asset: *asset, pool, system_program: NATIVE_MINT };
    let mut metas = accounts.to_account_metas(None);
    let position = |holder: &Holder| AccountMeta::new(pda::position(&pool, &holder.holder).0, false);
    metas.extend(holders.iter().map(position));
    let data = instruction::CreatePool { total_shares, holders: holders.to_vec() }.data();
    Instruction { program_id: provena_royalty::ID, accounts: metas, data }
}

/// Names more holders of a pool that is not sealed yet.
pub fn add_holders(creator: &Pubkey, pool: &Pubkey, holders: &[Holder]) -> Instruction {
    let accounts = royalty_accounts::AddHolders { creator: *creator, pool: *pool, system_program: NATIVE_MINT };
    let mut metas = accounts.to_account_metas(None);
    let position = |holder: &Holder| AccountMeta::new(pda::position(pool, &holder.holder).0, false);
    metas.extend(holders.iter().map(position));
    let data = instruction::AddHolders { holders: holders.to_vec() }.data();
    Instruction { program_id: provena_royalty::ID, accounts: metas, data }
}

/// Lets `pool` receive `mint`.
pub fn add_mint(payer: &Pubkey, pool: &Pubkey, mint: &Pubkey) -> Instruction {
    let pool_mint = pda::pool_mint(pool, mint).0;
    let token = !token::is_sol(mint);
    let accounts = royalty_accounts::AddMint {
        payer: *payer,
        config: pda::config().0,
        pool: *pool,
        mint: *mint,
        pool_mint,
        vault: token.then(|| pda::vault(&pool_mint).0),
        token_program: token.then_some(TOKEN_PROGRAM),
        system_program: NATIVE_MINT,
    };
    let metas = accounts.to_account_metas(None);
    Instruction { program_id: provena_royalty::ID, accounts: metas, data: instruction::AddMint {}.data() }
}

/// Pays `holder` what `pool` owes it in `mint`, into the holder's own account.
pub fn claim(holder: &Pubkey, pool: &Pubkey, mint: &Pubkey) -> Instruction {
    let pool_mint = pda::pool_mint(pool, mint).0;
    let token = !token::is_sol(mint);
    let accounts = royalty_accounts::Claim {
        holder: *holder,
        position: pda::position(pool, holder).0,
        pool_mint,
        destination: token::wallet_account(holder, mint),
        vault: token.then(|| pda::vault(&pool_mint).0),
        token_program: token.then_some(TOKEN_PROGRAM),
    };
    let mut metas = accounts.to_account_metas(None);
    // The program leaves the choice of the destination's privileges to the client: it is paid, so it is writable.
    for meta in metas.iter_mut().filter(|meta| meta.pubkey == accounts.destination) {
        meta.is_writable = true;
    }
    Instruction { program_id: provena_royalty::ID, accounts: metas, data: instruction::Claim {}.data() }
}

/// Moves what the pool of a child asset owes to the pool of its parent.
pub fn sweep(child: &Pubkey, parent: &Pubkey, mint: &Pubkey) -> Instruction {
    let child_mint = pda::pool_mint(child, mint).0;
    let parent_mint = pda::pool_mint(parent, mint).0;
    let token = !token::is_sol(mint);
    let accounts = royalty_accounts::Sweep {
        child: child_mint,
        position: pda::position(child, parent).0,
        parent_pool: *parent,
        parent: parent_mint,
        child_vault: token.then(|| pda::vault(&child_mint).0),
        parent_vault: token.then(|| pda::vault(&parent_mint).0),
        token_program: token.then_some(TOKEN_PROGRAM),
    };
    let metas = accounts.to_account_metas(None);
    Instruction { program_id: provena_royalty::ID, accounts: metas, data: instruction::Sweep {}.data() }
}
