//! Taking an interrupted minting back: claim and pool are closed, and their rent returns.

use provena_registry::{
    client as registry,
    content_claim::claim_hash,
    pda,
    state::{Edge, Licence},
};
use provena_royalty::{
    client as pools,
    state::{Pool, Position},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    MintError, Unfinished,
    error::{unread, unsent},
};
use crate::{
    asset, batch,
    chain::{Chain, accounts, send_and_confirm},
    royalty, token,
};

/// What became of an interrupted minting.
pub struct Abandoned {
    /// Whether the asset had been registered after all; then nothing was taken back.
    pub registered: bool,
    /// Prices of licences that were paid, which stay with the parents' holders: mints and base units.
    pub prices: Vec<(Pubkey, u64)>,
    /// Transactions, in order.
    pub signatures: Vec<Signature>,
}

/// Takes `unfinished` back and forgets its secrets. `creator` must be the wallet that began it.
///
/// # Errors
/// [`MintError::OtherWallet`]; [`MintError::Unsent`] when the chain refuses, for example because the pool has received money; then the secrets stay.
pub async fn abandon(chain: &dyn Chain, creator: &Keypair, unfinished: Unfinished) -> Result<Abandoned, MintError> {
    unfinished.check_wallet(&creator.pubkey())?;
    unfinished.check_chain(chain).await?;
    let mut prices = Vec::new();
    let mut signatures = Vec::new();
    let mint = unfinished.key.pubkey();
    let registered = asset::find(chain, &mint).await?.is_some();
    if !registered {
        if let Some(draft) = asset::draft(chain, &mint).await? {
            let edges = draft.parents(chain).await?;
            prices = prices_of(chain, &edges).await?;
            signatures.push(abandon_draft(chain, creator, &mint, &edges).await?);
        }
        signatures.extend(abandon_claim(chain, creator, &unfinished).await?);
        let pool = provena_royalty::pda::pool(&mint).0;
        let state = accounts::fetch_optional::<Pool, _>(chain, &pool).await.map_err(unread("the royalty pool"))?;
        if let Some(state) = state {
            signatures.extend(abandon_pool(chain, creator, &pool, &state).await?);
        }
    }
    unfinished.forget()?;
    Ok(Abandoned { registered, prices, signatures })
}

/// What the grants of a draft cost.
async fn prices_of(chain: &dyn Chain, edges: &[Edge]) -> Result<Vec<(Pubkey, u64)>, MintError> {
    let mut prices = Vec::new();
    for edge in edges.iter().filter(|edge| edge.is_direct()) {
        let address = pda::licence(&edge.parent, edge.licence).0;
        let licence: Licence = accounts::fetch(chain, &address).await.map_err(unread("a licence"))?;
        if licence.price > 0 {
            prices.push((licence.price_mint, licence.price));
        }
    }
    Ok(prices)
}

async fn abandon_draft(
    chain: &dyn Chain,
    creator: &Keypair,
    mint: &Pubkey,
    edges: &[Edge],
) -> Result<Signature, MintError> {
    let owner = creator.pubkey();
    let abandon = registry::abandon_asset(&owner, mint, &owner, edges);
    let sent = send_and_confirm(chain, &[abandon], &[creator]).await;
    Ok(sent.map_err(unsent("the draft of the asset was not taken back"))?.signature)
}

async fn abandon_claim(
    chain: &dyn Chain,
    creator: &Keypair,
    unfinished: &Unfinished,
) -> Result<Option<Signature>, MintError> {
    let owner = creator.pubkey();
    let hash = claim_hash(&owner, &unfinished.content_root, &unfinished.salt);
    if asset::content_claim(chain, &hash).await?.is_none() {
        return Ok(None);
    }
    let abandon = registry::abandon_claim(&owner, &pda::claim(&hash).0, &owner);
    let sent = send_and_confirm(chain, &[abandon], &[creator]).await;
    Ok(Some(sent.map_err(unsent("the claim of the content was not taken back"))?.signature))
}

async fn abandon_pool(
    chain: &dyn Chain,
    creator: &Keypair,
    address: &Pubkey,
    pool: &Pool,
) -> Result<Vec<Signature>, MintError> {
    let mut means = Vec::new();
    let mut opened: Vec<Instruction> = Vec::new();
    for mint in pool.mints() {
        let mint = token::payment_mint(chain, mint).await?;
        // What lies in a vault goes to the creator's own account.
        opened.extend(mint.open_account(&creator.pubkey(), &creator.pubkey()));
        means.push(mint.means());
    }
    let positions = royalty::positions(chain, address).await?;
    let mut groups = Vec::new();
    let mut rest = positions.as_slice();
    while !rest.is_empty() {
        let close = |closed: &[Position]| pools::abandon_pool(address, pool, closed, &[]);
        let some = batch::prefix(rest, &creator.pubkey(), close);
        groups.push(vec![close(some)]);
        rest = &rest[some.len()..];
    }
    // The last one names up to 36 accounts, and leaves no room for anything beside.
    groups.extend(opened.into_iter().map(|open| vec![open]));
    groups.push(vec![pools::abandon_pool(address, pool, &[], &means)]);
    let sent = batch::send_all(chain, &groups, &[creator]).await;
    let mut signatures: Vec<_> = sent.map_err(unsent("the royalty pool was not taken back"))?.into_iter().collect();
    signatures.dedup();
    Ok(signatures.into_iter().map(|sent| sent.signature).collect())
}
