//! The royalty pool of an asset that is being minted: its holders, and its books beyond SOL.

use provena_royalty::{
    DEFAULT_TOTAL_SHARES, Holder,
    client::{self as pools, Evidence},
    pda,
    state::{Books, Pool},
};
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    MintError,
    check::Checked,
    error::{unread, unsent},
};
use crate::{
    batch,
    chain::{Chain, accounts, send_and_confirm},
};

/// Creates what is missing of the pool of the NFT mint `key`.
pub(super) async fn create(
    chain: &dyn Chain,
    creator: &Keypair,
    key: &Keypair,
    checked: &Checked<'_>,
) -> Result<Vec<Signature>, MintError> {
    let (wallet, asset) = (creator.pubkey(), key.pubkey());
    let pool = pda::pool(&asset).0;
    let state = accounts::fetch_optional::<Pool, _>(chain, &pool).await.map_err(unread("the royalty pool"))?;
    let named = state.as_ref().map_or(0, |pool| usize::from(pool.holder_count));
    let mut rest = checked.holders.get(named..).unwrap_or_default();
    let mut signatures = Vec::new();
    if state.is_none() {
        // Shares that can never be wrapped need no window: what comes in can be claimed at once.
        let create = |holders: &[Holder]| pools::create_pool(&wallet, &asset, DEFAULT_TOTAL_SHARES, 0, 0, holders);
        let first = batch::prefix(rest, &wallet, create);
        let sent = send_and_confirm(chain, &[create(first)], &[creator, key]).await;
        signatures.push(sent.map_err(unsent("the royalty pool was not created"))?.signature);
        rest = &rest[first.len()..];
    }
    while !rest.is_empty() {
        let add = |holders: &[Holder]| pools::add_holders(&wallet, &pool, holders);
        let more = batch::prefix(rest, &wallet, add);
        let sent = send_and_confirm(chain, &[add(more)], &[creator]).await;
        signatures.push(sent.map_err(unsent("the royalty pool did not take all holders"))?.signature);
        rest = &rest[more.len()..];
    }
    for mint in &checked.mints {
        let books = accounts::fetch_optional::<Books, _>(chain, &pda::books(&pool, &mint.address).0).await;
        if books.map_err(unread("the pool's books"))?.is_some() {
            continue;
        }
        let open = pools::open_books(&wallet, &asset, mint.means(), Evidence::Creator).into_iter().collect::<Vec<_>>();
        let sent = send_and_confirm(chain, &open, &[creator]).await;
        signatures.push(sent.map_err(unsent("the royalty pool cannot be paid in this mint"))?.signature);
    }
    Ok(signatures)
}
