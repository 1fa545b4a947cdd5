//! Adds a payment mint to the allow list.

use anchor_lang::prelude::*;
use anchor_spl::Mint;

use crate::{error::RoyaltyError, spl::MINT_LEN, state::Config};

/// Accounts of `allow_mint`.
#[derive(Accounts)]
pub struct AllowMint {
    #[account(constraint = *authority.address() == config.authority @ RoyaltyError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub config: Account<Config>,
    /// A mint of the SPL Token program. Token-2022 mints are refused: their extensions can take or freeze what a vault holds.
    pub mint: UncheckedAccount,
}

impl AllowMint {
    /// Errors: [`RoyaltyError::UnsupportedMint`], [`RoyaltyError::MintAlreadyAllowed`], [`RoyaltyError::TooManyMints`].
    pub fn handle(&mut self) -> Result<()> {
        let mint = self.mint.account();
        // Checks owner, length and that the mint is initialised; the length also tells mints from token accounts.
        let supported = <Account<Mint>>::load(*mint).is_ok() && mint.data_len() == MINT_LEN;
        require!(supported, RoyaltyError::UnsupportedMint);
        self.config.allow(*mint.address())?;
        self.config.invariant()
    }
}
