//! The pools that a pool's revenue reaches: those of the assets that it was made from, and whoever else's holds its shares.

use std::collections::BTreeMap;

use provena_royalty::{client::PoolShares, state::Pool};
use solana_pubkey::Pubkey;

use super::{RoyaltyError, error::unread, positions};
use crate::chain::{Chain, accounts};

/// Pools that are looked at; nobody's lineage is as large.
const MOST: usize = 1_000;

/// A pool that revenue reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Mint of its asset's NFT.
    pub asset: Pubkey,
    /// Who holds it, largest first.
    pub shares: PoolShares,
}

/// `pool`, the pools that hold its shares, those that hold theirs, and so on, by address.
///
/// # Errors
/// [`RoyaltyError::TooManyPools`], or a failure to read.
pub async fn reached(chain: &dyn Chain, pool: &Pubkey) -> Result<BTreeMap<Pubkey, Reached>, RoyaltyError> {
    const READ: &str = "read the royalty pool";
    let state: Pool = accounts::fetch(chain, pool).await.map_err(unread(READ))?;
    let mut found = BTreeMap::new();
    let mut next = vec![(*pool, state)];
    while let Some((address, state)) = next.pop() {
        if found.contains_key(&address) {
            continue;
        }
        if found.len() == MOST {
            return Err(RoyaltyError::TooManyPools(MOST));
        }
        let mut holders = Vec::new();
        for position in positions(chain, &address).await? {
            if position.shares > 0 {
                holders.push((position.holder, position.shares));
            }
        }
        let addresses: Vec<Pubkey> = holders.iter().map(|(holder, _)| *holder).collect();
        let accounts = chain.accounts(&addresses).await.map_err(unread(READ))?;
        for (holder, account) in addresses.iter().zip(accounts) {
            let pool = account.and_then(|account| accounts::decode::<Pool>(holder, &account).ok());
            next.extend(pool.map(|pool| (*holder, pool)));
        }
        let shares = PoolShares { total: state.total_shares, holders };
        found.insert(address, Reached { asset: state.asset, shares });
    }
    Ok(found)
}
