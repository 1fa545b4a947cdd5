//! A job's deposit on its way out: lamports in the job account, or tokens in the account it owns.

use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;

use crate::constants::{ESCROW_SEED, JOB_SEED};
use crate::error::MarketError;
use crate::fees::Amount;
use crate::state::Job;
use crate::{funds, tokens};

/// The open escrow of one job.
pub struct Escrow<'a> {
    job: &'a AccountView,
    tokens: Option<&'a AccountView>,
    offer: Address,
    payer: Address,
    mint: Address,
    nonce: [u8; 8],
    bump: [u8; 1],
}

impl<'a> Escrow<'a> {
    /// Opens the escrow of `job`. Errors: `MissingTokenAccount` when a job paid in tokens comes without its escrow or the
    /// token program, `WrongTokenAccount` when the escrow is another.
    pub fn open(
        job: &'a Account<Job>,
        escrow: &'a Option<UncheckedAccount>,
        program: &Option<Program<Token>>,
    ) -> Result<Self> {
        let tokens = if job.is_native() {
            None
        } else {
            let view = tokens::needed(escrow)?;
            require!(program.is_some(), MarketError::MissingTokenAccount);
            check_address(job, view)?;
            Some(view)
        };
        Ok(Self {
            job: job.account(),
            tokens,
            offer: job.offer,
            payer: job.payer,
            mint: job.mint,
            nonce: job.nonce.to_le_bytes(),
            bump: [job.bump],
        })
    }

    /// Whether the escrow holds tokens.
    pub fn has_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Pays the royalty pool; the caller has checked its addresses.
    pub fn pay_pool(&self, pool_mint: &AccountView, vault: Option<&AccountView>, amount: Amount) -> Result<()> {
        match (self.tokens, vault) {
            (None, _) => funds::move_lamports(self.job, pool_mint, amount),
            (Some(_), Some(vault)) => self.transfer(vault, amount),
            (Some(_), None) => Err(MarketError::MissingTokenAccount.into()),
        }
    }

    /// Pays `wallet`, in tokens to its token account `token`. Returns false, and moves nothing, when the receiver cannot
    /// take the money: a wallet that would not be exempt from rent, or a frozen token account. That must not block the
    /// others. Errors: `MissingTokenAccount`, `WrongTokenAccount`.
    pub fn pay(&self, wallet: &AccountView, token: Option<&AccountView>, amount: Amount) -> Result<bool> {
        if amount.0 == 0 {
            return Ok(true);
        }
        if self.tokens.is_none() {
            let possible = funds::can_receive(wallet, amount);
            if possible {
                funds::move_lamports(self.job, wallet, amount)?;
            }
            return Ok(possible);
        }
        let token = token.ok_or(MarketError::MissingTokenAccount)?;
        tokens::check(token, wallet.address(), &self.mint)?;
        let possible = tokens::can_receive(token);
        if possible {
            self.transfer(token, amount)?;
        }
        Ok(possible)
    }

    /// Sends everything that is left in a token escrow to the payer and closes it.
    pub fn close(&self, payer: &AccountView, token: Option<&AccountView>) -> Result<()> {
        let Some(escrow) = self.tokens else { return Ok(()) };
        if !escrow.owned_by(&Token::id()) {
            return Ok(());
        }
        let left = Amount(Account::<TokenAccount>::load(*escrow)?.amount());
        if left.0 > 0 {
            let token = token.ok_or(MarketError::MissingTokenAccount)?;
            tokens::check(token, payer.address(), &self.mint)?;
            self.transfer(token, left)?;
        }
        self.signed(|seeds| funds::close_token_account(escrow, payer, self.job, seeds))
    }

    fn transfer(&self, to: &AccountView, amount: Amount) -> Result<()> {
        let from = self.tokens.ok_or(MarketError::MissingTokenAccount)?;
        self.signed(|seeds| funds::transfer_tokens(from, to, self.job, amount, seeds))
    }

    fn signed<T>(&self, call: impl FnOnce(&[&[u8]]) -> Result<T>) -> Result<T> {
        call(&[JOB_SEED, self.offer.as_ref(), self.payer.as_ref(), &self.nonce, &self.bump])
    }
}

fn check_address(job: &Account<Job>, escrow: &AccountView) -> Result<()> {
    let seeds: [&[u8]; 3] = [ESCROW_SEED, job.address().as_ref(), &[job.escrow_bump]];
    let expected = create_program_address(&seeds, &crate::ID).map_err(|_| MarketError::WrongTokenAccount)?;
    require!(expected == *escrow.address(), MarketError::WrongTokenAccount);
    Ok(())
}
