//! Posts a job and puts its deposit into escrow.

use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;

use crate::constants::{ESCROW_SEED, JOB_SEED};
use crate::error::MarketError;
use crate::events::JobPosted;
use crate::fees::{Amount, Units};
use crate::state::{Config, Job, Offer, Terms};
use crate::{funds, tokens};

/// Arguments of `post_job`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct PostJobArgs {
    /// Distinguishes the payer's jobs on this offer.
    pub nonce: u64,
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// Most units of work; the deposit is their price.
    pub units: u32,
    /// Bump of the job's address.
    pub job_bump: u8,
    /// Bump of the escrow's address; 0 for SOL.
    pub escrow_bump: u8,
}

/// Accounts of `post_job`. The last four only for a job paid in tokens.
#[derive(Accounts)]
pub struct PostJob {
    /// Pays deposit and rent, and receives refund and rent.
    #[account(mut)]
    pub payer: Signer,
    /// The market's settings.
    pub config: Account<Config>,
    /// The offer.
    pub offer: Account<Offer>,
    /// Created here, at `pda::job`.
    #[account(mut)]
    pub job: UncheckedAccount,
    /// The system program.
    pub system_program: Program<System>,
    /// The payer's token account.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// Created here, at `pda::escrow`.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The token program.
    pub token_program: Option<Program<Token>>,
}

impl PostJob {
    /// Errors: `OfferInactive`, `ZeroUnits`, `TooManyUnits`, `BpsTooHigh`, `WrongPda`; for tokens `MissingTokenAccount`,
    /// `WrongMint`, `WrongTokenAccount` and those of the token program.
    pub fn handle(&mut self, args: PostJobArgs) -> Result<()> {
        require!(self.offer.active == 1, MarketError::OfferInactive);
        require!(args.units > 0, MarketError::ZeroUnits);
        require!(args.units <= self.offer.max_units, MarketError::TooManyUnits);
        let units = Units(args.units);
        let deposit = Amount(self.offer.price_per_unit).times(units)?;
        let native = self.offer.mint == Address::default();

        let payer = *self.payer.address();
        let offer_address = *self.offer.address();
        let seeds: [&[u8]; 5] =
            [JOB_SEED, offer_address.as_ref(), payer.as_ref(), &args.nonce.to_le_bytes(), &[args.job_bump]];
        let lamports = if native { deposit } else { Amount(0) };
        funds::create_account(self.payer.account(), self.job.account(), Job::SPACE, &crate::ID, lamports, &seeds)?;

        let mut view = *self.job.account();
        // SAFETY: the account was created just now, so nothing else refers to its data.
        let data = unsafe { view.borrow_unchecked_mut() };
        data.get_mut(..8).ok_or(MarketError::Invariant)?.copy_from_slice(Job::DISCRIMINATOR);
        // SAFETY: as above; the discriminator is in place and the size is right.
        let mut job = unsafe { Account::<Job>::load_mut_after_init(view)? };
        job.open(Terms {
            config: &self.config,
            offer: &self.offer,
            offer_address,
            payer,
            nonce: args.nonce,
            input_root: args.input_root,
            units,
            slot: Clock::get()?.slot,
        })?;
        job.bump = args.job_bump;
        if !native {
            job.escrow_bump = args.escrow_bump;
            self.fund_escrow(&job, deposit)?;
        }
        job.invariant()?;
        emit!(JobPosted {
            job: *job.address(),
            offer: offer_address,
            payer,
            input_root: args.input_root,
            deposit: deposit.0,
            expires_at: job.expires_at,
        });
        Ok(())
    }

    fn fund_escrow(&self, job: &Account<Job>, deposit: Amount) -> Result<()> {
        let (source, escrow, mint) =
            (tokens::needed(&self.payer_token)?, tokens::needed(&self.escrow)?, tokens::needed(&self.mint)?);
        require!(self.token_program.is_some(), MarketError::MissingTokenAccount);
        require!(*mint.address() == job.mint, MarketError::WrongMint);
        tokens::check(source, self.payer.address(), &job.mint)?;
        let seeds: [&[u8]; 3] = [ESCROW_SEED, job.address().as_ref(), &[job.escrow_bump]];
        funds::create_account(self.payer.account(), escrow, TokenAccount::LEN, &Token::id(), Amount(0), &seeds)?;
        funds::initialize_token_account(escrow, mint, job.address())?;
        funds::transfer_tokens(source, escrow, self.payer.account(), deposit, &[])
    }
}
