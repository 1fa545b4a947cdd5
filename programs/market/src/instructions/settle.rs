//! Pays a job whose results reach the quorum. Anybody may call it.

use anchor_lang::prelude::*;

use crate::committee::{self, Member, Outcome};
use crate::error::MarketError;
use crate::escrow::Escrow;
use crate::events::JobSettled;
use crate::fees::{self, Amount, Split, Units};
use crate::funds;
use crate::state::{Job, JobState};

/// Accounts of `settle`. The last five only for a job paid in tokens. After them, for every live slot: the slot, the
/// node, the node's authority and, for tokens, the authority's token account, all writable.
#[derive(Accounts)]
pub struct Settle {
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// Receives the refund and forfeited bonds.
    #[account(unsafe(dup), address = job.payer @ MarketError::Unauthorized)]
    pub payer: UncheckedAccount,
    /// Receives the protocol's fee.
    #[account(unsafe(dup), address = job.treasury @ MarketError::BadTreasury)]
    pub treasury: UncheckedAccount,
    /// The royalty pool's account for the job's mint.
    #[account(mut, address = job.pool_mint @ MarketError::WrongPool)]
    pub pool_mint: UncheckedAccount,
    /// The royalty program.
    #[account(address = provena_royalty::ID @ MarketError::WrongPool)]
    pub royalty_program: UncheckedAccount,
    /// The job's token account.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The token account of `pool_mint`.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// A token account of the payer.
    #[account(unsafe(dup))]
    pub payer_token: Option<UncheckedAccount>,
    /// A token account of the treasury.
    #[account(unsafe(dup))]
    pub treasury_token: Option<UncheckedAccount>,
    /// The token program.
    pub token_program: Option<Program<Token>>,
}

impl Settle {
    /// Errors: `WrongState` unless the job is final, `NoQuorum`, `MissingSlots`, `WrongSlot`, `WrongNode`, `WrongPool`,
    /// `MissingTokenAccount`, `WrongTokenAccount`, those of the royalty program's `sync`.
    pub fn handle(&mut self, rest: &[AccountView]) -> Result<()> {
        require!(self.job.state()? == JobState::Final, MarketError::WrongState);
        let members = committee::read(&self.job, rest, !self.job.is_native())?;
        let (result_root, used, agreeing) =
            committee::quorum(&members, self.job.quorum).ok_or(MarketError::NoQuorum)?;
        let split = fees::split(self.job.price(), used)?;

        self.pay_royalty(split.royalty)?;
        let split = if self.job.is_native() {
            // The slots' rent comes first: it makes sure that every node's wallet can take its pay.
            self.end_claims(&members, &result_root, used)?;
            self.pay_parties(&members, &result_root, used, split, agreeing)?
        } else {
            // Calls into the token program come first: they must find the sums of lamports balanced.
            let split = self.pay_parties(&members, &result_root, used, split, agreeing)?;
            self.end_claims(&members, &result_root, used)?;
            split
        };

        self.job.settle(result_root, used, split);
        self.job.invariant()?;
        emit!(JobSettled {
            job: *self.job.address(),
            result_root,
            nodes: split.nodes.0,
            royalty: split.royalty.0,
            protocol: split.protocol.0,
            refund: split.refund.0,
        });
        Ok(())
    }

    fn end_claims(&self, members: &[Member<'_>], result_root: &[u8; 32], used: Units) -> Result<()> {
        members.iter().try_for_each(|member| {
            let agreed = member.agrees(result_root, used);
            let outcome = if agreed { Outcome::Agreed } else { Outcome::Forfeited };
            member.end(outcome, self.job.account(), self.payer.account())
        })
    }

    /// Pays the pool and has it booked at once. It comes before every other movement of lamports: a call into another
    /// program must find the sums balanced.
    fn pay_royalty(&self, royalty: Amount) -> Result<()> {
        if royalty.0 == 0 {
            return Ok(());
        }
        let escrow = Escrow::open(&self.job, &self.escrow, &self.token_program)?;
        let vault = self.vault.as_ref().map(AnchorAccount::account).filter(|_| escrow.has_tokens());
        if let Some(vault) = vault {
            require!(*vault.address() == self.job.vault, MarketError::WrongPool);
        }
        escrow.pay_pool(self.pool_mint.account(), vault, royalty)?;
        funds::sync_royalty(self.pool_mint.account(), vault, self.royalty_program.account(), self.job.account())
    }

    /// Pays nodes, treasury and payer; what a receiver cannot take is added to the refund.
    fn pay_parties(
        &self,
        members: &[Member<'_>],
        result_root: &[u8; 32],
        used: Units,
        mut split: Split,
        agreeing: u64,
    ) -> Result<Split> {
        let escrow = Escrow::open(&self.job, &self.escrow, &self.token_program)?;
        let total = split.nodes;
        let agreed = members.iter().filter(|member| member.agrees(result_root, used));
        for (index, member) in (0u64..).zip(agreed) {
            let part = fees::node_part(total, agreeing, index)?;
            if !escrow.pay(member.authority, member.token, part)? {
                split.nodes = split.nodes.minus(part)?;
                split.refund = split.refund.plus(part)?;
            }
        }
        let treasury_token = self.treasury_token.as_ref().map(AnchorAccount::account);
        if !escrow.pay(self.treasury.account(), treasury_token, split.protocol)? {
            split.refund = split.refund.plus(split.protocol)?;
            split.protocol = Amount(0);
        }
        // A refund that the payer cannot take stays where it is; `close_job` pays it out with the rent.
        escrow.pay(self.payer.account(), self.payer_token.as_ref().map(AnchorAccount::account), split.refund)?;
        Ok(split)
    }
}
