//! Pays a holder what it is owed in one mint.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    pda::associated_token,
    token::{Token, check_account},
};

use crate::{
    error::RoyaltyError,
    events::Claimed,
    purse::{Purse, pay_owed},
    state::{Books, Index, Position},
};

/// Accounts of `claim`. Anybody may call it, but only the holder chooses where the money goes.
#[derive(Accounts)]
pub struct Claim {
    /// Signs, or is paid at its own address.
    #[account(constraint = *holder.address() == position.holder @ RoyaltyError::WrongHolder)]
    pub holder: UncheckedAccount,
    /// The holder's position.
    #[account(mut)]
    pub position: State<Position>,
    /// The pool's index.
    pub index: State<Index>,
    /// The pool's books in the mint.
    #[account(mut)]
    pub books: State<Books>,
    /// Where the money goes. With the holder's signature: for SOL any account, for tokens a token account of the mint.
    /// Without: the holder itself, or its associated token account.
    #[account(unsafe(dup))]
    pub destination: UncheckedAccount,
    /// The books' vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl Claim {
    /// A claim of nothing succeeds and changes nothing.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongHolder`], [`RoyaltyError::WrongPool`], [`RoyaltyError::WrongDestination`], those of
    /// [`Purse::open`], and the token program's own when the destination has another mint.
    pub fn handle(&mut self) -> Result<()> {
        let mint = self.mint.as_ref();
        let purse = Purse::open(&self.books, self.vault.as_ref(), mint, self.token_program.as_ref())?;
        let destination = self.destination.account();
        let token = match &purse {
            Purse::Lamports => None,
            Purse::Tokens { token, .. } => Some(token),
        };
        check_destination(self.holder.account(), destination, token)?;
        claim_into(&mut self.position, &self.index, &mut self.books, &purse, destination)
    }
}

/// Checks that a claim without the holder's signature pays to where the holder is known to be.
///
/// # Errors
/// [`RoyaltyError::WrongDestination`]; `WrongTokenAccount` when the associated account belongs to somebody else by now.
pub fn check_destination(holder: &AccountView, destination: &AccountView, token: Option<&Token<'_>>) -> Result<()> {
    if holder.is_signer() {
        return Ok(());
    }
    let Some(token) = token else {
        require!(destination.address() == holder.address(), RoyaltyError::WrongDestination);
        return Ok(());
    };
    let mint = token.mint().address();
    let expected = associated_token(holder.address(), mint, token.program().address());
    require!(*destination.address() == expected, RoyaltyError::WrongDestination);
    check_account(destination, holder.address(), mint)?;
    Ok(())
}

/// Pays what a position is owed, and says so.
///
/// # Errors
/// Those of [`pay_owed`].
pub fn claim_into(
    position: &mut State<Position>,
    index: &Index,
    books: &mut State<Books>,
    purse: &Purse<'_>,
    destination: &AccountView,
) -> Result<()> {
    let paid = pay_owed(position, index, books, purse, destination)?.paid;
    if !paid.is_zero() {
        emit!(Claimed { position: *position.address(), books: *books.address(), amount: paid.0 });
    }
    Ok(())
}
