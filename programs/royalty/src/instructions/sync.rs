//! Books what reached a pool by plain transfer, and what lies in its inboxes.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    money::move_lamports,
    token::{self, Token},
};

use crate::{
    constants::INBOX_SEED,
    error::RoyaltyError,
    purse::{Purse, above_rent, book_surplus},
    state::{Books, Inbox, Index},
};

/// Accounts of `sync`. Anybody may call it. Inboxes of the books follow: for SOL writable, for tokens each with its writable
/// vault.
#[derive(Accounts)]
pub struct Sync {
    /// The pool's index.
    #[account(mut)]
    pub index: State<Index>,
    /// The pool's books in the mint.
    #[account(mut)]
    pub books: State<Books>,
    /// The books' vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl Sync {
    /// Drains the inboxes, then books what the account or vault holds beyond what is booked. That may be nothing.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongBooks`], [`RoyaltyError::WrongVault`], [`RoyaltyError::WrongAccounts`],
    /// [`RoyaltyError::WrongPool`], [`RoyaltyError::PoolNotSealed`] and those of [`Purse::open`].
    pub fn handle(&mut self, inboxes: &[AccountView]) -> Result<()> {
        let mint = self.mint.as_ref();
        let purse = Purse::open(&self.books, self.vault.as_ref(), mint, self.token_program.as_ref())?;
        match &purse {
            Purse::Lamports => {
                for inbox in inboxes {
                    self.drain_lamports(inbox)?;
                }
            }
            Purse::Tokens { token, vault } => {
                let (pairs, rest) = inboxes.as_chunks::<2>();
                require!(rest.is_empty(), RoyaltyError::WrongAccounts);
                for [inbox, inbox_vault] in pairs {
                    self.drain_tokens(token, vault, inbox, inbox_vault)?;
                }
            }
        }
        book_surplus(&mut self.index, &mut self.books, &purse)
    }

    fn drain_lamports(&self, account: &AccountView) -> Result<()> {
        let inbox = self.load_inbox(account)?;
        move_lamports(account, self.books.view(), above_rent(account, inbox.rent)?)
    }

    fn drain_tokens(
        &self,
        token: &Token<'_>,
        vault: &AccountView,
        account: &AccountView,
        inbox_vault: &AccountView,
    ) -> Result<()> {
        let inbox = self.load_inbox(account)?;
        require!(*inbox_vault.address() == inbox.vault, RoyaltyError::WrongVault);
        let amount = token::read(inbox_vault)?.amount;
        let (shard, bump) = ([inbox.shard], [inbox.bump]);
        let seeds = [INBOX_SEED, inbox.books.as_ref(), &shard, &bump];
        token.transfer(inbox_vault, vault, account, amount, &seeds)?;
        Ok(())
    }

    fn load_inbox(&self, account: &AccountView) -> Result<State<Inbox>> {
        let inbox = <State<Inbox>>::load(*account)?;
        require!(inbox.books == *self.books.address(), RoyaltyError::WrongBooks);
        Ok(inbox)
    }
}
