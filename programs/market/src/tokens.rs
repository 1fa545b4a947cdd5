//! Checks of SPL Token accounts that others pass in.

use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;

use crate::error::MarketError;

/// Checks that `view` is a token account of `owner` for `mint`. Errors: `WrongTokenAccount`.
pub fn check(view: &AccountView, owner: &Address, mint: &Address) -> Result<()> {
    let account = Account::<TokenAccount>::load(*view).map_err(|_| MarketError::WrongTokenAccount)?;
    require!(account.owner() == owner && account.mint() == mint, MarketError::WrongTokenAccount);
    Ok(())
}

/// Whether the account can take tokens in.
pub fn can_receive(view: &AccountView) -> bool {
    Account::<TokenAccount>::load(*view).is_ok_and(|account| !account.is_frozen())
}

/// The view of a token account that a job paid in tokens needs. Errors: `MissingTokenAccount`.
pub fn needed(account: &Option<UncheckedAccount>) -> Result<&AccountView> {
    account.as_ref().map(AnchorAccount::account).ok_or_else(|| MarketError::MissingTokenAccount.into())
}
