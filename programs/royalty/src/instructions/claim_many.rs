//! Pays a holder what it is owed in one mint by several pools.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    token::{Token, needed},
};

use super::claim::{check_destination, claim_into};
use crate::{
    error::RoyaltyError,
    purse::Purse,
    state::{Books, Index, Position},
};

/// Accounts of `claim_many`. For each pool the holder's position, the index and the books follow, and for tokens the books'
/// vault; all but the index are writable.
#[derive(Accounts)]
pub struct ClaimMany {
    /// Signs, or is paid at its own address.
    pub holder: UncheckedAccount,
    /// As for `claim`.
    #[account(unsafe(dup))]
    pub destination: UncheckedAccount,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl ClaimMany {
    /// # Errors
    /// [`RoyaltyError::WrongAccounts`], [`RoyaltyError::WrongBooks`] for books in another mint, and those of `claim`.
    pub fn handle(&mut self, pools: &[AccountView]) -> Result<()> {
        let token = match &self.mint {
            None => None,
            Some(mint) => Some(Token::new(mint.account(), needed(self.token_program.as_ref())?)?),
        };
        check_destination(self.holder.account(), self.destination.account(), token.as_ref())?;
        let size = if token.is_some() { 4 } else { 3 };
        let groups = pools.chunks_exact(size);
        require!(groups.remainder().is_empty(), RoyaltyError::WrongAccounts);
        for group in groups {
            let [position, index, books, vault @ ..] = group else { return Err(RoyaltyError::WrongAccounts.into()) };
            self.claim(token, position, index, books, vault.first())?;
        }
        Ok(())
    }

    fn claim(
        &self,
        token: Option<Token<'_>>,
        position: &AccountView,
        index: &AccountView,
        books: &AccountView,
        vault: Option<&AccountView>,
    ) -> Result<()> {
        // SAFETY: position and books have different discriminators, so that they are different accounts; both references
        // end with this function, and no declared account of this instruction is one of the program's.
        let (mut position, mut books) =
            unsafe { (<State<Position>>::load_mut(*position)?, <State<Books>>::load_mut(*books)?) };
        require!(position.holder == *self.holder.address(), RoyaltyError::WrongHolder);
        let index = <State<Index>>::load(*index)?;
        let purse = match (token, vault) {
            (Some(token), Some(vault)) => {
                require!(books.mint == *token.mint().address(), RoyaltyError::WrongBooks);
                Purse::tokens(&books, token, vault)?
            }
            _ => {
                require!(books.is_native(), RoyaltyError::WrongBooks);
                Purse::Lamports
            }
        };
        claim_into(&mut position, &index, &mut books, &purse, self.destination.account())
    }
}
