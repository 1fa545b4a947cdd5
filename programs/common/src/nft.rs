//! Who holds an asset's NFT, a token of the SPL Token program with a supply of one.

use anchor_lang::{address_eq, prelude::*};

use crate::{
    amount::Amount,
    error::CommonError,
    token::{self, TokenProgram},
};

/// Whether `account` is a token account of `owner` that holds the NFT of `mint`. A frozen one holds it, too.
#[must_use]
pub fn holds_nft(account: &AccountView, mint: &Address, owner: &Address) -> bool {
    token::read(account).is_ok_and(|found| {
        found.program == TokenProgram::Spl
            && address_eq(&found.mint, mint)
            && address_eq(&found.owner, owner)
            && found.amount == Amount(1)
    })
}

/// Checks that `account` is a token account of `owner` that holds the NFT of `mint`.
///
/// # Errors
/// [`CommonError::NotNftHolder`].
pub fn check_holder(account: &AccountView, mint: &Address, owner: &Address) -> Result<()> {
    require!(holds_nft(account, mint, owner), CommonError::NotNftHolder);
    Ok(())
}
