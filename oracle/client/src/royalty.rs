//! Royalty pools from a client's side: instructions, who holds what, sweeping and claiming.

use anchor_lang::{InstructionData, ToAccountMetas};
use anyhow::{Context as _, Result};
use provena_node::chain::{Budget, Chain, accounts, accounts::ProgramAccount, send_and_confirm};
use provena_royalty::{
    Holder, NATIVE_MINT, TOKEN_PROGRAM, accounts as royalty_accounts, instruction, pda,
    state::{Pool, PoolMint, Position},
    view,
};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{failure::Failure, token};

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

/// The pool of `asset`.
///
/// # Errors
/// It has none.
pub async fn pool_of(chain: &dyn Chain, asset: &Pubkey) -> Result<(Pubkey, Pool)> {
    let address = pda::pool(asset).0;
    let pool = accounts::fetch_optional::<Pool, _>(chain, &address).await.context("cannot read the royalty pool")?;
    let pool = pool.ok_or_else(|| {
        Failure::failed(format!("{asset} has no royalty pool on this chain"))
            .hint("give the address of a minted model or dataset (`provena model mint` printed it), and check --url")
    })?;
    Ok((address, pool))
}

/// What `pool` received and paid, for each of its payment mints.
pub async fn pool_mints(chain: &dyn Chain, address: &Pubkey, pool: &Pool) -> Result<Vec<PoolMint>> {
    let mints = pool.mints.iter().take(usize::from(pool.mint_count));
    let mut found = Vec::new();
    for mint in mints {
        let account = accounts::fetch(chain, &pda::pool_mint(address, mint).0).await;
        found.push(account.context("cannot read the pool's account for a payment mint")?);
    }
    Ok(found)
}

/// Everybody who holds shares of `pool`, largest first.
pub async fn positions(chain: &dyn Chain, pool: &Pubkey) -> Result<Vec<Position>> {
    let filter = Position::filter_field(std::mem::offset_of!(Position, pool), pool.as_ref());
    let listed = accounts::list::<Position, _>(chain, &filter).await.context("cannot list the pool's holders")?;
    let mut positions: Vec<Position> = listed.into_iter().map(|(_, position)| position).collect();
    positions.sort_by_key(|position| std::cmp::Reverse((position.shares, position.holder.to_bytes())));
    Ok(positions)
}

/// Money that moved.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// Payment mint; the zero address is SOL.
    pub mint: Pubkey,
    /// Base units.
    pub amount: u64,
    /// The transaction.
    pub signature: Signature,
}

/// Brings what derived assets owe to `pool` into it, deepest first. Anybody may do this; `payer` pays the fees.
pub async fn sweep_into(chain: &dyn Chain, payer: &Keypair, pool: &Pubkey) -> Result<Vec<Moved>> {
    // Parents exist before their children, so the lineage has no cycle; the order is found breadth first.
    let mut edges: Vec<(Pubkey, Pubkey)> = Vec::new();
    let mut next = vec![*pool];
    while let Some(parent) = next.pop() {
        let filter = Position::filter_field(std::mem::offset_of!(Position, holder), parent.as_ref());
        let held = accounts::list::<Position, _>(chain, &filter).await.context("cannot list derived assets")?;
        for (_, position) in held {
            if !edges.contains(&(position.pool, parent)) {
                edges.push((position.pool, parent));
                next.push(position.pool);
            }
        }
    }
    let mut moved = Vec::new();
    for (child, parent) in edges.into_iter().rev() {
        moved.extend(sweep_edge(chain, payer, &child, &parent).await?);
    }
    Ok(moved)
}

async fn sweep_edge(chain: &dyn Chain, payer: &Keypair, child: &Pubkey, parent: &Pubkey) -> Result<Vec<Moved>> {
    let child_pool: Pool = accounts::fetch(chain, child).await?;
    let position: Position = accounts::fetch(chain, &pda::position(child, parent).0).await?;
    let mut moved = Vec::new();
    for pool_mint in pool_mints(chain, child, &child_pool).await? {
        let owed = view::owed(&pool_mint, &position);
        if owed == 0 {
            continue;
        }
        let mint = pool_mint.mint;
        let mut instructions = Vec::new();
        if accounts::fetch_optional::<PoolMint, _>(chain, &pda::pool_mint(parent, &mint).0).await?.is_none() {
            instructions.push(add_mint(&payer.pubkey(), parent, &mint));
        }
        instructions.push(sweep(child, parent, &mint));
        let sent = send_and_confirm(chain, &instructions, &[payer], Budget::default()).await;
        let sent = sent.context("cannot move a derived asset's royalties to its parent")?;
        moved.push(Moved { mint, amount: owed, signature: sent.signature });
    }
    Ok(moved)
}

/// Claims everything that `pool` owes to `holder`, mint by mint. `payer` pays the fees and may be the holder.
pub async fn claim_all(chain: &dyn Chain, payer: &Keypair, holder: &Keypair, pool: &Pubkey) -> Result<Vec<Moved>> {
    let address = pda::position(pool, &holder.pubkey()).0;
    let position =
        accounts::fetch_optional::<Position, _>(chain, &address).await.context("cannot read the position")?;
    let Some(position) = position else {
        return Err(Failure::failed(format!("{} holds no shares of this pool", holder.pubkey()))
            .hint("name the holder's wallet with --keypair; `provena royalty show` lists the holders")
            .into());
    };
    let state: Pool = accounts::fetch(chain, pool).await?;
    let mut moved = Vec::new();
    for pool_mint in pool_mints(chain, pool, &state).await? {
        let owed = view::owed(&pool_mint, &position);
        if owed == 0 {
            continue;
        }
        let mint = pool_mint.mint;
        let open = token::open_account(&payer.pubkey(), &holder.pubkey(), &mint);
        let instructions: Vec<Instruction> = open.into_iter().chain([claim(&holder.pubkey(), pool, &mint)]).collect();
        let mut signers = vec![payer];
        if payer.pubkey() != holder.pubkey() {
            signers.push(holder);
        }
        let sent = send_and_confirm(chain, &instructions, &signers, Budget::default()).await;
        let sent = sent.context("the claim did not go through; nothing was lost and it can be repeated")?;
        moved.push(Moved { mint, amount: owed, signature: sent.signature });
    }
    Ok(moved)
}
