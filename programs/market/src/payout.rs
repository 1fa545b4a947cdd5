//! Paying what a job owes: as much as the receiver can take now, the rest stays owed.

use anchor_lang::prelude::*;
use provena_common::money;

use crate::{
    error::MarketError,
    escrow::{Escrow, TokenAccounts},
    fees::Amount,
    state::{JobAccount, Owed, Part, Party, job},
};

/// What was paid of what is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paid {
    /// The money: base units of the job's mint.
    pub(crate) money: bool,
    /// The lamports out of forfeited bonds or a demand's deposit.
    pub(crate) lamports: bool,
    /// The release of the bond.
    pub(crate) bond: bool,
}

impl Owed {
    /// What is paid in lamports: for a job paid in SOL the money, too.
    ///
    /// # Errors
    /// `Overflow`.
    pub(crate) fn in_lamports(&self, native: bool) -> Result<Amount> {
        Ok(if native { self.money.plus(self.lamports)? } else { self.lamports })
    }

    /// What was paid when all lamports were, and perhaps the tokens.
    #[must_use]
    pub(crate) const fn paid(&self, native: bool, lamports: bool, tokens: bool) -> Paid {
        let money = if native { lamports } else { tokens };
        Paid { money: money && !self.money.is_zero(), lamports: lamports && !self.lamports.is_zero(), bond: false }
    }
}

/// Pays a wallet: lamports directly, unless it would not be exempt from rent then, and tokens where their accounts are
/// given.
///
/// # Errors
/// With token accounts, those of [`Escrow::open`] and [`Escrow::pay_wallet`].
pub(crate) fn pay_wallet(
    job: &JobAccount,
    owed: &Owed,
    wallet: &AccountView,
    accounts: &TokenAccounts<'_>,
) -> Result<Paid> {
    let native = job.is_native();
    // Tokens first: the runtime compares sums of lamports at each call of another program.
    let tokens = !native && accounts.given() && !owed.money.is_zero();
    if tokens {
        Escrow::open(job, accounts)?.pay_wallet(wallet, owed.money)?;
    }
    let amount = owed.in_lamports(native)?;
    let lamports = !amount.is_zero() && money::can_receive(wallet, amount)?;
    if lamports {
        money::move_lamports(job.view(), wallet, amount)?;
    }
    Ok(owed.paid(native, lamports, tokens))
}

/// Notes in the job what was paid.
///
/// # Errors
/// `CannotReceive` when nothing was, `BrokenInvariant`.
pub(crate) fn note(account: &mut JobAccount, party: Party, paid: Paid) -> Result<()> {
    require!(paid != Paid::default(), MarketError::CannotReceive);
    let (job, seats) = job::parts(account);
    for (part, paid) in [(Part::Money, paid.money), (Part::Lamports, paid.lamports), (Part::Bond, paid.bond)] {
        if paid {
            job.collect(seats, party, part)?;
        }
    }
    job.invariant(seats)
}
