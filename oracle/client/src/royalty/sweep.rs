//! Bringing what derived assets owe to the assets that they build on.

use std::collections::HashSet;

use provena_royalty::{
    client::{self as royalty, Evidence},
    pda,
    state::{Books, Position},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    Moved, RoyaltyError,
    error::{unread, unsent},
    revenue::{Revenue, RevenueIn, revenue, sync},
};
use crate::{
    batch,
    chain::{Chain, accounts, accounts::ProgramAccount},
};

/// Brings everything that derived assets have earned for `pool` into its books, the farthest descendants first: their
/// inboxes are booked, then what they owe is swept. At last the pool's own inboxes are booked. Anybody may do this; `payer`
/// pays the fees and the rent of books that a pool needs for a mint it was not paid in before.
///
/// # Errors
/// [`RoyaltyError::Unsent`], or a failure to read. What was moved before stays moved.
pub async fn sweep_into(chain: &dyn Chain, payer: &Keypair, pool: &Pubkey) -> Result<Vec<Moved>, RoyaltyError> {
    let mut moved = Vec::new();
    let mut synced = HashSet::new();
    for (child, parent) in edges(chain, pool).await? {
        if synced.insert(child) {
            sync(chain, payer, &revenue(chain, &child).await?).await?;
        }
        moved.extend(sweep(chain, payer, &child, &parent).await?);
    }
    sync(chain, payer, &revenue(chain, pool).await?).await?;
    Ok(moved)
}

/// Who owes whom, so that everything a pool receives comes before what it passes on.
///
/// Parents exist before their children; but shares can be given to any pool, so that a circle is possible. It is cut where
/// it closes.
async fn edges(chain: &dyn Chain, pool: &Pubkey) -> Result<Vec<(Pubkey, Pubkey)>, RoyaltyError> {
    let mut seen = HashSet::from([*pool]);
    let mut edges = Vec::new();
    let mut stack = vec![(*pool, held(chain, pool).await?, 0)];
    while let Some((parent, children, next)) = stack.last_mut() {
        if let Some(child) = children.get(*next).copied() {
            *next += 1;
            if seen.insert(child) {
                let held = held(chain, &child).await?;
                stack.push((child, held, 0));
            }
        } else {
            edges.extend(children.iter().map(|child| (*child, *parent)));
            stack.pop();
        }
    }
    Ok(edges)
}

/// The pools of which `pool` holds shares: those of the assets that build on its own.
async fn held(chain: &dyn Chain, pool: &Pubkey) -> Result<Vec<Pubkey>, RoyaltyError> {
    let filter = Position::filter_field(std::mem::offset_of!(Position, holder), pool.as_ref());
    let found = accounts::list::<Position, _>(chain, &filter).await.map_err(unread("list derived assets"))?;
    Ok(found.into_iter().map(|(_, position)| position.pool).collect())
}

async fn sweep(
    chain: &dyn Chain,
    payer: &Keypair,
    child: &Pubkey,
    parent: &Pubkey,
) -> Result<Vec<Moved>, RoyaltyError> {
    const READ: &str = "read a derived asset's position";
    let address = pda::position(child, parent).0;
    let before: Position = accounts::fetch(chain, &address).await.map_err(unread(READ))?;
    let revenue = revenue(chain, child).await?;
    let due: Vec<&RevenueIn> = revenue.mints.iter().filter(|one| revenue.owed(one, &before) > 0).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let mut groups = Vec::new();
    for one in &due {
        let open = open_books(chain, payer, &revenue, one, parent).await?;
        groups.push(open.into_iter().chain([royalty::sweep(child, parent, one.mint.means())]).collect());
    }
    let sent = batch::send_all(chain, &groups, &[payer]).await;
    let sent = sent.map_err(unsent("a derived asset's royalties were not moved to its parent"))?;
    let after: Position = accounts::fetch(chain, &address).await.map_err(unread(READ))?;
    let moved = due.iter().zip(sent).map(|(one, sent)| {
        let claimed = |position: &Position| {
            position.checkpoints.get(usize::from(one.books.index)).map_or(0, |checkpoint| checkpoint.claimed)
        };
        let amount = claimed(&after).saturating_sub(claimed(&before));
        Moved { pool: *parent, mint: one.mint.address, amount, signature: sent.signature }
    });
    Ok(moved.collect())
}

/// Opens the parent's books in a mint that only its children were paid in so far.
async fn open_books(
    chain: &dyn Chain,
    payer: &Keypair,
    child: &Revenue,
    one: &RevenueIn,
    parent: &Pubkey,
) -> Result<Option<solana_instruction::Instruction>, RoyaltyError> {
    let books = pda::books(parent, &one.mint.address).0;
    let there = accounts::fetch_optional::<Books, _>(chain, &books).await;
    if there.map_err(unread("read the pool's books"))?.is_some() {
        return Ok(None);
    }
    let parent: provena_royalty::state::Pool =
        accounts::fetch(chain, parent).await.map_err(unread("read the royalty pool"))?;
    Ok(royalty::open_books(&payer.pubkey(), &parent.asset, one.mint.means(), Evidence::Child(child.pool)))
}
