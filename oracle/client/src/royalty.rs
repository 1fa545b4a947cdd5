//! Royalty pools from a client's side: who holds what, sweeping and claiming.

mod error;
mod instructions;

use provena_royalty::{
    pda,
    state::{Pool, PoolMint, Position},
    view,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    chain::{Budget, Chain, accounts, accounts::ProgramAccount, send_and_confirm},
    token,
};
use error::unread;

pub use error::RoyaltyError;
pub use instructions::{add_holders, add_mint, claim, create_pool, sweep};

/// The pool of `asset`.
///
/// # Errors
/// [`RoyaltyError::NoPool`], or a failure to read.
pub async fn pool_of(chain: &dyn Chain, asset: &Pubkey) -> Result<(Pubkey, Pool), RoyaltyError> {
    let address = pda::pool(asset).0;
    let pool = accounts::fetch_optional::<Pool, _>(chain, &address).await.map_err(unread("read the royalty pool"))?;
    let pool = pool.ok_or(RoyaltyError::NoPool(*asset))?;
    Ok((address, pool))
}

/// What `pool` received and paid, for each of its payment mints.
///
/// # Errors
/// A failure to read.
pub async fn pool_mints(chain: &dyn Chain, address: &Pubkey, pool: &Pool) -> Result<Vec<PoolMint>, RoyaltyError> {
    let mints = pool.mints.iter().take(usize::from(pool.mint_count));
    let mut found = Vec::new();
    for mint in mints {
        let account = accounts::fetch(chain, &pda::pool_mint(address, mint).0).await;
        found.push(account.map_err(unread("read the pool's account for a payment mint"))?);
    }
    Ok(found)
}

/// Everybody who holds shares of `pool`, largest first.
///
/// # Errors
/// A failure to read.
pub async fn positions(chain: &dyn Chain, pool: &Pubkey) -> Result<Vec<Position>, RoyaltyError> {
    let filter = Position::filter_field(std::mem::offset_of!(Position, pool), pool.as_ref());
    let listed = accounts::list::<Position, _>(chain, &filter).await.map_err(unread("list the pool's holders"))?;
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
///
/// # Errors
/// [`RoyaltyError::NotSwept`], or a failure to read. What was moved before stays moved.
pub async fn sweep_into(chain: &dyn Chain, payer: &Keypair, pool: &Pubkey) -> Result<Vec<Moved>, RoyaltyError> {
    // Parents exist before their children, so the lineage has no cycle; the order is found breadth first.
    let mut edges: Vec<(Pubkey, Pubkey)> = Vec::new();
    let mut next = vec![*pool];
    while let Some(parent) = next.pop() {
        let filter = Position::filter_field(std::mem::offset_of!(Position, holder), parent.as_ref());
        let held = accounts::list::<Position, _>(chain, &filter).await.map_err(unread("list derived assets"))?;
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

async fn sweep_edge(
    chain: &dyn Chain,
    payer: &Keypair,
    child: &Pubkey,
    parent: &Pubkey,
) -> Result<Vec<Moved>, RoyaltyError> {
    let child_pool: Pool = accounts::fetch(chain, child).await.map_err(unread("read a derived asset's pool"))?;
    let position = accounts::fetch(chain, &pda::position(child, parent).0).await;
    let position: Position = position.map_err(unread("read a derived asset's position"))?;
    let mut moved = Vec::new();
    for pool_mint in pool_mints(chain, child, &child_pool).await? {
        let owed = view::owed(&pool_mint, &position);
        if owed == 0 {
            continue;
        }
        let mint = pool_mint.mint;
        let mut instructions = Vec::new();
        let there = accounts::fetch_optional::<PoolMint, _>(chain, &pda::pool_mint(parent, &mint).0).await;
        if there.map_err(unread("read the pool's account for a payment mint"))?.is_none() {
            instructions.push(add_mint(&payer.pubkey(), parent, &mint));
        }
        instructions.push(sweep(child, parent, &mint));
        let sent = send_and_confirm(chain, &instructions, &[payer], Budget::default()).await;
        let sent = sent.map_err(RoyaltyError::NotSwept)?;
        moved.push(Moved { mint, amount: owed, signature: sent.signature });
    }
    Ok(moved)
}

/// Claims everything that `pool` owes to `holder`, mint by mint. `payer` pays the fees and may be the holder.
///
/// # Errors
/// [`RoyaltyError::NoShares`], [`RoyaltyError::NotClaimed`], or a failure to read. What was claimed before stays claimed.
pub async fn claim_all(
    chain: &dyn Chain,
    payer: &Keypair,
    holder: &Keypair,
    pool: &Pubkey,
) -> Result<Vec<Moved>, RoyaltyError> {
    let address = pda::position(pool, &holder.pubkey()).0;
    let position =
        accounts::fetch_optional::<Position, _>(chain, &address).await.map_err(unread("read the position"))?;
    let Some(position) = position else {
        return Err(RoyaltyError::NoShares(holder.pubkey()));
    };
    let state: Pool = accounts::fetch(chain, pool).await.map_err(unread("read the royalty pool"))?;
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
        let sent = sent.map_err(RoyaltyError::NotClaimed)?;
        moved.push(Moved { mint, amount: owed, signature: sent.signature });
    }
    Ok(moved)
}
