//! Opens one of the treasury's inboxes for a mint.

use anchor_lang::prelude::*;
use provena_common::{
    account::{self, NewAccount},
    amount::Amount,
    money,
    token::{Token, check_mint, needed},
};

use crate::{
    ID, NATIVE_MINT,
    constants::{MAX_TREASURY_SHARDS, TREASURY_SEED, TREASURY_VAULT_SEED},
    error::MarketError,
    state::{NewTreasuryInbox, TreasuryInbox},
};

/// Accounts of `open_treasury_inbox`. Anybody may call it who pays.
#[derive(Accounts)]
pub struct OpenTreasuryInbox {
    /// Pays the rent, and gets it back from `close_treasury_inbox`.
    #[account(mut)]
    pub payer: Signer,
    /// To be created.
    #[account(mut)]
    pub inbox: UncheckedAccount,
    /// The inbox's token account, to be created; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
    /// Creates the accounts.
    pub system_program: Program<System>,
}

impl OpenTreasuryInbox {
    /// # Errors
    /// `ShardOutOfRange`, `WrongPda`, and those of [`Token::new`] and [`check_mint`].
    pub fn handle(&mut self, shard: u8) -> Result<()> {
        require!(shard < MAX_TREASURY_SHARDS, MarketError::ShardOutOfRange);
        let mint = self.mint.as_ref().map_or(NATIVE_MINT, |mint| *mint.address());
        let seeds: [&[u8]; 3] = [TREASURY_SEED, mint.as_ref(), &[shard]];
        let (payer, account) = (self.payer.account(), self.inbox.account());
        let (mut inbox, bump) = account::create::<TreasuryInbox>(payer, account, &seeds)?;
        let (vault, vault_bump) = if self.mint.is_none() { (NATIVE_MINT, 0) } else { self.create_vault()? };
        inbox.initialize(NewTreasuryInbox {
            mint,
            vault,
            rent_payer: *self.payer.address(),
            rent: money::rent(account.data_len())?,
            shard,
            bump,
            vault_bump,
        });
        inbox.invariant()
    }

    fn create_vault(&self) -> Result<(Address, u8)> {
        let token = Token::new(needed(self.mint.as_ref())?, needed(self.token_program.as_ref())?)?;
        let vault = needed(self.vault.as_ref())?;
        let new = NewAccount {
            payer: self.payer.account(),
            account: vault,
            program: &ID,
            owner: token.program().address(),
            seeds: &[TREASURY_VAULT_SEED, self.inbox.address().as_ref()],
            len: check_mint(token.mint())?.account_len,
            extra: Amount::ZERO,
        };
        let bump = new.create()?;
        token.initialize(vault, self.inbox.address())?;
        Ok((*vault.address(), bump))
    }
}
