//! Puts what somebody could not take for a day aside, so that the job can be closed. Anybody may call it who pays the rent.

use anchor_lang::prelude::*;
use provena_common::{
    NATIVE_MINT,
    account::{NewAccount, State},
    money,
    slot::Slot,
    token::{Token, check_mint, needed},
};

use crate::{
    ID,
    constants::{RESIDUAL_SEED, RESIDUAL_VAULT_SEED},
    error::MarketError,
    escrow::{Escrow, TokenAccounts},
    fees::Amount,
    payout,
    state::{JobAccount, NewResidual, Owed, Party, Residual},
};

/// Accounts of `park`. The last four only to put tokens aside; without them lamports are.
#[derive(Accounts)]
pub struct Park {
    /// Pays the rent of a new residual, and gets it back when it is collected.
    #[account(mut)]
    pub rent_payer: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// The residual of the beneficiary, for the job's mint when tokens are put aside and for SOL otherwise; created if it is
    /// not there.
    #[account(mut)]
    pub residual: UncheckedAccount,
    /// Creates the accounts.
    pub system_program: Program<System>,
    /// The job's escrow.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The residual's token account, at `pda::residual_vault`.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl Park {
    /// Parks for the node of seat `seat`, or for the payer where there is none.
    ///
    /// # Errors
    /// `NothingToPark`, `WrongPda`, `WrongResidual`, those of [`Job::parkable`](crate::state::Job::parkable) and, for
    /// tokens, those of the escrow and of the token program.
    pub fn handle(&mut self, seat: Option<u8>) -> Result<()> {
        let seats = self.job.as_slice();
        let (party, beneficiary) = match seat {
            Some(index) => {
                let seat = seats.get(usize::from(index)).ok_or(MarketError::SeatOutOfRange)?;
                (Party::Seat(index), seat.node)
            }
            None => (Party::Payer, self.job.payer),
        };
        let owed = self.job.parkable(seats, party, Slot::now()?)?;
        let paid = if self.escrow.is_some() {
            self.park_tokens(&beneficiary, &owed)?;
            owed.paid(false, false, true)
        } else {
            let native = self.job.is_native();
            self.park_lamports(&beneficiary, owed.in_lamports(native)?)?;
            owed.paid(native, true, false)
        };
        payout::note(&mut self.job, party, paid)
    }

    fn park_lamports(&self, beneficiary: &Address, amount: Amount) -> Result<()> {
        require!(!amount.is_zero(), MarketError::NothingToPark);
        let residual = self.residual(beneficiary, &NATIVE_MINT)?;
        money::move_lamports(self.job.view(), residual.view(), amount)
    }

    fn park_tokens(&self, beneficiary: &Address, owed: &Owed) -> Result<()> {
        require!(!self.job.is_native() && !owed.money.is_zero(), MarketError::NothingToPark);
        let accounts = TokenAccounts {
            escrow: self.escrow.as_ref(),
            to: self.vault.as_ref(),
            mint: self.mint.as_ref(),
            token_program: self.token_program.as_ref(),
        };
        let escrow = Escrow::open(&self.job, &accounts)?;
        let residual = self.residual(beneficiary, &self.job.mint)?;
        escrow.pay_to(&residual.vault, owed.money)
    }

    /// The beneficiary's residual for a mint, made where there is none.
    fn residual(&self, beneficiary: &Address, mint: &Address) -> Result<State<Residual>> {
        let view = *self.residual.account();
        if view.owned_by(&ID) {
            let residual = State::<Residual>::load(view)?;
            residual.check(beneficiary, mint)?;
            return Ok(residual);
        }
        let len = State::<Residual>::space(0);
        let (mut residual, bump) = NewAccount {
            payer: self.rent_payer.account(),
            account: self.residual.account(),
            program: &ID,
            owner: &ID,
            seeds: &[RESIDUAL_SEED, beneficiary.as_ref(), mint.as_ref()],
            len,
            extra: Amount::ZERO,
        }
        .create_state::<Residual, _>()?;
        let (vault, vault_bump) = if *mint == NATIVE_MINT { (NATIVE_MINT, 0) } else { self.create_vault(mint)? };
        residual.initialize(NewResidual {
            beneficiary: *beneficiary,
            mint: *mint,
            vault,
            rent_payer: *self.rent_payer.address(),
            rent: money::rent(len)?,
            bump,
            vault_bump,
        });
        residual.invariant()?;
        Ok(residual)
    }

    fn create_vault(&self, mint: &Address) -> Result<(Address, u8)> {
        let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), mint)?;
        let vault = needed(self.vault.as_ref())?;
        let bump = NewAccount {
            payer: self.rent_payer.account(),
            account: vault,
            program: &ID,
            owner: token.program().address(),
            seeds: &[RESIDUAL_VAULT_SEED, self.residual.address().as_ref()],
            len: check_mint(token.mint())?.account_len,
            extra: Amount::ZERO,
        }
        .create()?;
        token.initialize(vault, self.residual.address())?;
        Ok((*vault.address(), bump))
    }
}
