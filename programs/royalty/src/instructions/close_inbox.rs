//! Closes an empty inbox and returns its rent.

use anchor_lang::prelude::*;
use provena_common::{
    account::{State, close},
    token::{self, Token, needed},
};

use crate::{
    constants::INBOX_SEED,
    error::RoyaltyError,
    purse::above_rent,
    state::{Books, Inbox},
};

/// Accounts of `close_inbox`.
#[derive(Accounts)]
pub struct CloseInbox {
    /// Paid the rent, and gets it back.
    #[account(mut, constraint = *rent_payer.address() == inbox.rent_payer @ RoyaltyError::NotRentPayer)]
    pub rent_payer: Signer,
    /// The books.
    #[account(mut)]
    pub books: State<Books>,
    /// Their last inbox.
    #[account(mut, constraint = inbox.books == *books.address() @ RoyaltyError::WrongBooks)]
    pub inbox: State<Inbox>,
    /// The inbox's token account; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl CloseInbox {
    /// Lamports beside the tokens of an inbox go to the rent's payer: they are nobody's revenue.
    ///
    /// # Errors
    /// [`RoyaltyError::NotRentPayer`], [`RoyaltyError::WrongBooks`], [`RoyaltyError::NotLastInbox`],
    /// [`RoyaltyError::InboxNotEmpty`], [`RoyaltyError::WrongVault`] and those of [`Token::of`].
    pub fn handle(&mut self) -> Result<()> {
        self.books.close_inbox(self.inbox.shard)?;
        let (inbox, payer) = (self.inbox.view(), self.rent_payer.account());
        if self.books.is_native() {
            require!(above_rent(inbox, self.inbox.rent)?.is_zero(), RoyaltyError::InboxNotEmpty);
        } else {
            let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), &self.books.mint)?;
            let vault = needed(self.vault.as_ref())?;
            require!(*vault.address() == self.inbox.vault, RoyaltyError::WrongVault);
            require!(token::read(vault)?.amount.is_zero(), RoyaltyError::InboxNotEmpty);
            let (shard, bump) = ([self.inbox.shard], [self.inbox.bump]);
            token.close(vault, payer, inbox, &[INBOX_SEED, self.inbox.books.as_ref(), &shard, &bump])?;
        }
        close(inbox, payer)?;
        self.books.invariant()
    }
}
