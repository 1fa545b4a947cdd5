//! Checks of the treasury's accounts, and the signature of its inboxes.

use anchor_lang::{address_eq, prelude::*};
use provena_common::{
    amount::Amount,
    error::CommonError,
    money, pda,
    token::{self, Token},
};

use crate::{constants::TREASURY_SEED, error::MarketError, state::TreasuryInbox};

/// Checks that an account can be the treasury: a wallet, exempt from rent, so that it can take any payment.
///
/// # Errors
/// [`MarketError::BadTreasury`].
pub(crate) fn check_wallet(account: &AccountView) -> Result<()> {
    let wallet = account.owned_by(&System::id()) && !account.executable() && account.data_len() == 0;
    require!(wallet && money::can_receive(account, Amount::ZERO)?, MarketError::BadTreasury);
    Ok(())
}

/// Checks that an account is the treasury's associated token account, and still its own.
///
/// # Errors
/// [`MarketError::WrongTreasury`], [`CommonError::WrongTokenAccount`].
pub(crate) fn check_token_account(account: &AccountView, treasury: &Address, token: &Token<'_>) -> Result<()> {
    let mint = token.mint().address();
    let expected = pda::associated_token(treasury, mint, token.program().address());
    require!(address_eq(account.address(), &expected), MarketError::WrongTreasury);
    token::check_account(account, treasury, mint)?;
    Ok(())
}

/// The token account of an inbox for tokens.
///
/// # Errors
/// [`CommonError::MissingTokenAccount`], [`CommonError::WrongTokenAccount`].
pub(crate) fn checked_vault<'a>(inbox: &TreasuryInbox, vault: Option<&'a UncheckedAccount>) -> Result<&'a AccountView> {
    let vault = token::needed(vault)?;
    require!(address_eq(vault.address(), &inbox.vault), CommonError::WrongTokenAccount);
    Ok(vault)
}

/// Calls with the seeds that sign for an inbox.
///
/// # Errors
/// Those of the call.
pub(crate) fn signed<T>(inbox: &TreasuryInbox, call: impl FnOnce(&[&[u8]]) -> Result<T>) -> Result<T> {
    call(&[TREASURY_SEED, inbox.mint.as_ref(), &[inbox.shard], &[inbox.bump]])
}
