//! Gives the royalty pool its part of the fee, into one of its books' inboxes. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::{account::State, money, slot::Slot};
use provena_royalty::state::Inbox;

use crate::{
    error::MarketError,
    escrow::{Escrow, TokenAccounts},
    payout::{self, Paid},
    state::{JobAccount, Party},
};

/// Accounts of `collect_royalty`. The last four only for a job paid in tokens.
#[derive(Accounts)]
pub struct CollectRoyalty {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// One of the inboxes of the job's books; anybody can open one.
    #[account(mut, constraint = inbox.books == job.books @ MarketError::WrongInbox)]
    pub inbox: State<Inbox>,
    /// The job's escrow.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The inbox's token account.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl CollectRoyalty {
    /// # Errors
    /// `WrongInbox`, those of [`Job::payable`](crate::state::Job::payable) and, for tokens, `MissingTokenAccount`,
    /// `WrongTokenAccount` and those of the token program.
    pub fn handle(&mut self) -> Result<()> {
        let owed = self.job.payable(self.job.as_slice(), Party::Royalty, Slot::now()?)?;
        if self.job.is_native() {
            money::move_lamports(self.job.view(), self.inbox.view(), owed.money)?;
        } else {
            let accounts = TokenAccounts {
                escrow: self.escrow.as_ref(),
                to: self.vault.as_ref(),
                mint: self.mint.as_ref(),
                token_program: self.token_program.as_ref(),
            };
            Escrow::open(&self.job, &accounts)?.pay_to(&self.inbox.vault, owed.money)?;
        }
        payout::note(&mut self.job, Party::Royalty, Paid { money: true, ..Paid::default() })
    }
}
