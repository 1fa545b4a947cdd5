//! A job's deposit in tokens, in the token account that the job owns.

use anchor_lang::prelude::*;
use provena_common::{
    error::CommonError,
    pda as addresses,
    token::{self, Token, needed},
};

use crate::{
    constants::{ESCROW_SEED, JOB_SEED},
    fees::Amount,
    state::{Job, JobAccount},
};

/// The accounts that a payment in tokens names, as an instruction has them.
#[derive(Clone, Copy)]
pub(crate) struct TokenAccounts<'a> {
    /// The job's escrow.
    pub(crate) escrow: Option<&'a UncheckedAccount>,
    /// Where the tokens go.
    pub(crate) to: Option<&'a UncheckedAccount>,
    /// The mint.
    pub(crate) mint: Option<&'a UncheckedAccount>,
    /// The mint's token program.
    pub(crate) token_program: Option<&'a UncheckedAccount>,
}

impl TokenAccounts<'_> {
    /// Whether the caller wants tokens to move at all.
    pub(crate) const fn given(&self) -> bool {
        self.escrow.is_some()
    }
}

/// The tokens of one job, and where they go.
pub(crate) struct Escrow<'a> {
    job: &'a AccountView,
    escrow: &'a AccountView,
    to: &'a AccountView,
    token: Token<'a>,
    seeds: Seeds,
}

/// What signs for a job.
struct Seeds {
    payer: Address,
    nonce_slot: [u8; 8],
    nonce_index: [u8; 2],
    bump: [u8; 1],
}

impl<'a> Escrow<'a> {
    /// Opens the escrow of a job that is paid in tokens.
    ///
    /// # Errors
    /// `MissingTokenAccount`, `WrongMint`, `WrongTokenProgram`, `WrongTokenAccount` when the escrow is another.
    pub(crate) fn open(job: &'a JobAccount, accounts: &TokenAccounts<'a>) -> Result<Self> {
        let token = Token::of(accounts.mint, accounts.token_program, &job.mint)?;
        let (escrow, to) = (needed(accounts.escrow)?, needed(accounts.to)?);
        let seeds: [&[u8]; 3] = [ESCROW_SEED, job.address().as_ref(), &[job.escrow_bump]];
        let expected = create_program_address(&seeds, &crate::ID).map_err(|_| CommonError::WrongTokenAccount)?;
        require!(expected == *escrow.address(), CommonError::WrongTokenAccount);
        Ok(Self { job: job.view(), escrow, to, token, seeds: Seeds::of(job) })
    }

    /// Pays to a token account that the caller knows by its address. The whole amount leaves the escrow; what arrives may
    /// be less by the mint's own fee.
    ///
    /// # Errors
    /// `WrongTokenAccount` for another account, and those of the token program.
    pub(crate) fn pay_to(&self, expected: &Address, amount: Amount) -> Result<()> {
        require!(self.to.address() == expected, CommonError::WrongTokenAccount);
        self.pay(amount)
    }

    /// Pays a wallet, to its associated token account, or to any of its token accounts when it signed: nobody else may
    /// choose one that the wallet's owner does not use.
    ///
    /// # Errors
    /// `WrongTokenAccount`, and those of the token program.
    pub(crate) fn pay_wallet(&self, wallet: &AccountView, amount: Amount) -> Result<()> {
        let (owner, mint) = (wallet.address(), self.token.mint().address());
        token::check_account(self.to, owner, mint)?;
        let program = self.token.program().address();
        let chosen = wallet.is_signer() || addresses::associated_token(owner, mint, program) == *self.to.address();
        require!(chosen, CommonError::WrongTokenAccount);
        self.pay(amount)
    }

    /// Everything that is in it.
    ///
    /// # Errors
    /// `WrongTokenAccount` when it is closed.
    pub(crate) fn amount(&self) -> Result<Amount> {
        Ok(token::read(self.escrow)?.amount)
    }

    /// Closes it, empty; its rent goes to `wallet`.
    ///
    /// # Errors
    /// Those of the token program.
    pub(crate) fn close(&self, wallet: &AccountView) -> Result<()> {
        self.signed(|seeds| self.token.close(self.escrow, wallet, self.job, seeds))
    }

    fn pay(&self, amount: Amount) -> Result<()> {
        self.signed(|seeds| self.token.transfer(self.escrow, self.to, self.job, amount, seeds)).map(|_| ())
    }

    fn signed<T>(&self, call: impl FnOnce(&[&[u8]]) -> Result<T>) -> Result<T> {
        let Seeds { payer, nonce_slot, nonce_index, bump } = &self.seeds;
        call(&[JOB_SEED, payer.as_ref(), nonce_slot, nonce_index, bump])
    }
}

impl Seeds {
    fn of(job: &Job) -> Self {
        Self {
            payer: job.payer,
            nonce_slot: job.nonce_slot.to_le_bytes(),
            nonce_index: job.nonce_index.to_le_bytes(),
            bump: [job.bump],
        }
    }
}
