//! Who can hold shares.

use provena_royalty::{pda, state::Pool};
use solana_pubkey::Pubkey;

use super::{RoyaltyError, error::unread};
use crate::chain::{Chain, accounts};

/// Checks that somebody can collect at each of these addresses: a wallet, used or not yet, or a pool, which its own holders
/// draw from. The program takes any address, because other programs may hold shares, too; a person who names something else
/// means something else.
///
/// # Errors
/// [`RoyaltyError::NoWallet`], or a failure to read.
pub async fn check_holders(chain: &dyn Chain, addresses: &[Pubkey]) -> Result<(), RoyaltyError> {
    const READ: &str = "read who is to hold shares";
    let found = chain.accounts(addresses).await.map_err(unread(READ))?;
    for (address, account) in addresses.iter().zip(found) {
        let Some(account) = account else { continue };
        // The System program owns wallets.
        let wallet = account.owner == Pubkey::default() && account.data.is_empty();
        if wallet || accounts::decode::<Pool>(address, &account).is_ok() {
            continue;
        }
        let pool = pda::pool(address).0;
        let known = accounts::fetch_optional::<Pool, _>(chain, &pool).await.map_err(unread(READ))?;
        return Err(RoyaltyError::NoWallet { address: *address, pool: known.map(|_| pool) });
    }
    Ok(())
}
