//! Pays what somebody could not take before, and closes what kept it. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::{
    account::{self, State},
    error::CommonError,
    money, pda as addresses,
    token::{self, Token, needed},
};
use provena_royalty::purse::above_rent;

use crate::{error::MarketError, fees::Amount, state::Residual};

/// Accounts of `collect_residual`. The last four only for tokens.
#[derive(Accounts)]
pub struct CollectResidual {
    /// The residual; closed here.
    #[account(mut)]
    pub residual: State<Residual>,
    /// Whose it is.
    #[account(unsafe(dup), address = residual.beneficiary @ MarketError::WrongResidual)]
    pub beneficiary: UncheckedAccount,
    /// Paid the rent and gets it back.
    #[account(unsafe(dup), address = residual.rent_payer @ MarketError::NotRentPayer)]
    pub rent_payer: UncheckedAccount,
    /// The residual's token account; closed here.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The beneficiary's associated token account; any of its token accounts when it signs.
    #[account(mut)]
    pub beneficiary_token: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl CollectResidual {
    /// Where whoever paid the rent can no longer take it, the beneficiary is paid all the same and the account stays.
    ///
    /// # Errors
    /// `WrongResidual`, `NotRentPayer`, `CannotReceive` when a wallet would not be exempt from rent; for tokens
    /// `MissingTokenAccount`, `WrongMint`, `WrongTokenProgram`, `WrongTokenAccount` and those of the token program.
    pub fn handle(&mut self) -> Result<()> {
        let (view, rent_payer) = (self.residual.view(), self.rent_payer.account());
        let closing = !rent_payer.executable();
        // Tokens first: the runtime compares sums of lamports at each call of another program.
        if self.residual.is_native() {
            let noted = self.residual.rent;
            let amount = if closing { Amount(view.lamports()).less(Amount(noted)) } else { above_rent(view, noted)? };
            let possible = amount.is_zero() || money::can_receive(self.beneficiary.account(), amount)?;
            require!(possible, MarketError::CannotReceive);
            money::move_lamports(view, self.beneficiary.account(), amount)?;
        } else {
            self.pay_tokens(closing)?;
        }
        if closing {
            account::close(view, rent_payer)?;
        }
        Ok(())
    }

    fn pay_tokens(&self, closing: bool) -> Result<()> {
        let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), &self.residual.mint)?;
        let (vault, to) = (needed(self.vault.as_ref())?, needed(self.beneficiary_token.as_ref())?);
        require!(*vault.address() == self.residual.vault, CommonError::WrongTokenAccount);
        let (owner, mint) = (self.beneficiary.address(), token.mint().address());
        token::check_account(to, owner, mint)?;
        let chosen = self.beneficiary.account().is_signer()
            || addresses::associated_token(owner, mint, token.program().address()) == *to.address();
        require!(chosen, CommonError::WrongTokenAccount);
        let (amount, from) = (token::read(vault)?.amount, self.residual.view());
        self.residual.signed(|seeds| token.transfer(vault, to, from, amount, seeds))?;
        if closing {
            self.residual.signed(|seeds| token.close(vault, self.rent_payer.account(), from, seeds))?;
        }
        Ok(())
    }
}
