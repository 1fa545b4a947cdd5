//! Posts a job and puts its deposit into escrow.

use anchor_lang::prelude::*;
use provena_common::{
    account::{NewAccount, State},
    slot::Slot,
    token::{self, Token, check_mint, needed},
};
use provena_registry::state::AssetAccount;

use crate::{
    ID,
    constants::{ESCROW_SEED, FIRST_COME, JOB_SEED, pause},
    error::MarketError,
    events::JobPosted,
    fees::{Amount, Prices, Work},
    state::{Admin, JobAccount, JobTerms, Offer, Posting, job},
};

/// Arguments of `post_job`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct PostJobArgs {
    /// First part of the nonce: one of the last 150 slots.
    pub nonce_slot: u64,
    /// Second part of the nonce: distinguishes a payer's jobs of one slot.
    pub nonce_index: u16,
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// Most units of input.
    pub max_input: u32,
    /// Most units of output.
    pub max_output: u32,
    /// Base units that leave the payer's account. What arrives, after the fee that a mint may take, must cover the price of
    /// the most work; what is not used comes back.
    pub deposit: u64,
    /// The highest protocol fee that the payer agrees to, in basis points.
    pub max_protocol_bps: u16,
    /// The offer's terms hash: an offer that was closed and made again with other terms has another.
    pub offer_terms: [u8; 32],
}

/// Accounts of `post_job`. The last four only for a job paid in tokens.
#[derive(Accounts)]
pub struct PostJob {
    /// Pays deposit and rent, and receives refund and rent.
    #[account(mut)]
    pub payer: Signer,
    /// The market's settings.
    pub admin: State<Admin>,
    /// The model.
    pub asset: AssetAccount,
    /// The offer.
    pub offer: State<Offer>,
    /// Created here, at `pda::job`.
    #[account(mut)]
    pub job: UncheckedAccount,
    /// Creates the accounts.
    pub system_program: Program<System>,
    /// The payer's token account.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// Created here, at `pda::escrow`.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl PostJob {
    /// # Errors
    /// `Paused`, `WrongTerms`, `FeeAboveLimit`, `WrongNonce`, `ZeroUnits`, `TooManyUnits`, `DepositTooSmall`, those of
    /// [`Offer::check_asset`], `WrongPda`; for tokens `MissingTokenAccount`, `WrongMint`, `WrongTokenProgram`,
    /// `WrongTokenAccount`, those of [`check_mint`] and of the token program.
    pub fn handle(&mut self, args: &PostJobArgs) -> Result<()> {
        self.admin.control.check_running(pause::POSTING)?;
        require!(args.offer_terms == self.offer.terms_hash, MarketError::WrongTerms);
        self.offer.check_asset(self.asset.address(), &self.asset, self.asset.as_slice())?;
        require!(self.admin.protocol_fee_bps <= args.max_protocol_bps, MarketError::FeeAboveLimit);
        let most = Work::new(args.max_input, args.max_output);
        let offered = Work::new(self.offer.max_input_units, self.offer.max_output_units);
        require!(most.within(offered), MarketError::TooManyUnits);

        let (mut account, bump) = self.create_job(args)?;
        let (escrow_bump, deposit) = if self.offer.is_native() {
            (0, Amount(args.deposit))
        } else {
            self.fund_escrow(account.address(), Amount(args.deposit))?
        };
        let prices = self.offer.prices(self.admin.protocol_fee()?)?;
        let posting = self.posting(args, most, prices);
        let now = Slot::now()?;
        let (job, seats) = job::parts(&mut account);
        job.post(seats, &posting, deposit, now)?;
        job.bump = bump;
        job.escrow_bump = escrow_bump;
        job.invariant(seats)?;
        emit!(JobPosted {
            job: *self.job.address(),
            offer: *self.offer.address(),
            payer: *self.payer.address(),
            input_root: args.input_root,
            deposit: deposit.0,
            open_until: job.open_until,
        });
        Ok(())
    }

    fn create_job(&self, args: &PostJobArgs) -> Result<(JobAccount, u8)> {
        let seats = usize::from(self.offer.seats);
        let payer = self.payer.address();
        let (slot, index) = (args.nonce_slot.to_le_bytes(), args.nonce_index.to_le_bytes());
        let bump = NewAccount {
            payer: self.payer.account(),
            account: self.job.account(),
            program: &ID,
            owner: &ID,
            seeds: &[JOB_SEED, payer.as_ref(), &slot, &index],
            len: JobAccount::space(seats),
            extra: if self.offer.is_native() { Amount(args.deposit) } else { Amount::ZERO },
        }
        .create()?;
        Ok((job::begin(self.job.account(), seats)?, bump))
    }

    /// Makes the escrow and moves the deposit in; returns the escrow's bump and what arrived.
    fn fund_escrow(&self, job: &Address, deposit: Amount) -> Result<(u8, Amount)> {
        let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), &self.offer.mint)?;
        let (source, escrow) = (needed(self.payer_token.as_ref())?, needed(self.escrow.as_ref())?);
        token::check_account(source, self.payer.address(), &self.offer.mint)?;
        let bump = NewAccount {
            payer: self.payer.account(),
            account: escrow,
            program: &ID,
            owner: token.program().address(),
            seeds: &[ESCROW_SEED, job.as_ref()],
            len: check_mint(token.mint())?.account_len,
            extra: Amount::ZERO,
        }
        .create()?;
        token.initialize(escrow, job)?;
        Ok((bump, token.transfer(source, escrow, self.payer.account(), deposit, &[])?))
    }

    fn posting<'a>(&'a self, args: &'a PostJobArgs, most: Work, prices: Prices) -> Posting<'a> {
        Posting {
            terms: JobTerms {
                offer: self.offer.address(),
                offer_terms: &self.offer.terms_hash,
                payer: self.payer.address(),
                input_root: &args.input_root,
                most,
                protocol_bps: self.admin.protocol_fee_bps,
                cluster: &self.admin.cluster,
            },
            mint: self.offer.mint,
            books: self.offer.books,
            prices,
            bond: Amount(self.offer.bond_lamports),
            min_stake: self.admin.min_stake(),
            open_window: self.offer.open_window,
            commit_window: self.offer.commit_window,
            reveal_window: self.offer.reveal_window,
            quorum: self.offer.quorum,
            first_come: self.offer.flags & FIRST_COME != 0,
            nonce_slot: Slot(args.nonce_slot),
            nonce_index: args.nonce_index,
        }
    }
}
