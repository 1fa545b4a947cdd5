//! Gives a node what its seat earned, and its bond back. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    error::MarketError,
    escrow::TokenAccounts,
    fees::Amount,
    payout,
    state::{JobAccount, Node, Party},
};

/// Accounts of `collect_seat`. The last four only for the fee of a job paid in tokens: without them the fee stays owed.
#[derive(Accounts)]
pub struct CollectSeat {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// The node that holds the seat.
    #[account(mut)]
    pub node: State<Node>,
    /// The node's authority; paid in lamports.
    #[account(mut, address = node.authority @ MarketError::WrongNode)]
    pub authority: UncheckedAccount,
    /// The job's escrow.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The authority's associated token account; any of its token accounts when it signs.
    #[account(mut)]
    pub node_token: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl CollectSeat {
    /// What the node cannot take stays owed, and its bond does not wait for it.
    ///
    /// # Errors
    /// `WrongNode`, `CannotReceive` when nothing could be paid, those of [`Job::payable`](crate::state::Job::payable) and,
    /// with token accounts, those of the token program.
    pub fn handle(&mut self, index: u8) -> Result<()> {
        let party = Party::Seat(index);
        let seat = self.job.get(usize::from(index)).ok_or(MarketError::SeatOutOfRange)?;
        require!(seat.node == self.node.authority, MarketError::WrongNode);
        let owed = self.job.payable(self.job.as_slice(), party, Slot::now()?)?;
        let accounts = TokenAccounts {
            escrow: self.escrow.as_ref(),
            to: self.node_token.as_ref(),
            mint: self.mint.as_ref(),
            token_program: self.token_program.as_ref(),
        };
        let mut paid = payout::pay_wallet(&self.job, &owed, self.authority.account(), &accounts)?;
        if owed.bond {
            self.release(index)?;
            paid.bond = true;
        }
        payout::note(&mut self.job, party, paid)
    }

    fn release(&mut self, index: u8) -> Result<()> {
        self.node.release(Amount(self.job.bond))?;
        if self.job.agreeing(self.job.as_slice()).contains(index) {
            self.node.agree();
        }
        self.node.invariant()
    }
}
