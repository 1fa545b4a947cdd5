//! Opens one more inbox of some books.

use anchor_lang::{accounts::HeaderOnly, prelude::*};
use provena_common::{
    account::{NewAccount, State},
    amount::Amount,
    money,
    token::{Token, check_mint, needed},
};

use crate::{
    ID, asset,
    constants::{INBOX_SEED, INBOX_VAULT_SEED},
    error::RoyaltyError,
    state::{Books, Inbox, NewInbox, Pool},
};

/// Accounts of `open_inbox`. Anybody may call it who pays, once the asset's NFT exists; before, the pool's creator alone, so
/// that nobody else can keep a pool from being abandoned.
#[derive(Accounts)]
pub struct OpenInbox {
    /// Pays the rent, and gets it back from `close_inbox`.
    #[account(mut)]
    pub payer: Signer,
    /// The pool.
    pub pool: State<Pool>,
    /// The NFT's mint.
    #[account(constraint = *asset.address() == pool.asset @ RoyaltyError::WrongAsset)]
    pub asset: UncheckedAccount,
    /// The pool's books in the mint.
    #[account(mut, constraint = books.pool == *pool.address() @ RoyaltyError::WrongPool)]
    pub books: State<Books>,
    /// To be created: the inbox whose shard is the number of those open.
    #[account(mut)]
    pub inbox: UncheckedAccount,
    /// The inbox's token account, to be created; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
    /// Creates the accounts.
    pub system_program: Program<System>,
}

impl OpenInbox {
    /// # Errors
    /// [`RoyaltyError::NotPoolCreator`], [`RoyaltyError::TooManyInboxes`], [`RoyaltyError::WrongAsset`],
    /// [`RoyaltyError::WrongPool`], `WrongPda` and those of [`Token::of`].
    pub fn handle(&mut self) -> Result<()> {
        let may = asset::exists(self.asset.account()) || *self.payer.address() == self.pool.creator;
        require!(may, RoyaltyError::NotPoolCreator);
        let shard = self.books.open_inbox()?;
        let (payer, account) = (*self.payer.account(), *self.inbox.account());
        let new = NewAccount {
            payer: &payer,
            account: &account,
            program: &ID,
            owner: &ID,
            seeds: &[INBOX_SEED, self.books.address().as_ref(), &[shard]],
            len: Inbox::SPACE,
            extra: Amount::ZERO,
        };
        let (mut inbox, bump) = new.create_state::<Inbox, HeaderOnly>()?;
        let (vault, vault_bump) = if self.books.is_native() { Default::default() } else { self.create_vault()? };
        inbox.initialize(NewInbox {
            books: *self.books.address(),
            vault,
            rent_payer: *self.payer.address(),
            rent: money::rent(Inbox::SPACE)?,
            shard,
            bump,
            vault_bump,
        });
        self.books.invariant()?;
        inbox.invariant()
    }

    fn create_vault(&self) -> Result<(Address, u8)> {
        let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), &self.books.mint)?;
        let vault = needed(self.vault.as_ref())?;
        let new = NewAccount {
            payer: self.payer.account(),
            account: vault,
            program: &ID,
            owner: token.program().address(),
            seeds: &[INBOX_VAULT_SEED, self.inbox.address().as_ref()],
            len: check_mint(token.mint())?.account_len,
            extra: Amount::ZERO,
        };
        let bump = new.create()?;
        token.initialize(vault, self.inbox.address())?;
        Ok((*vault.address(), bump))
    }
}
