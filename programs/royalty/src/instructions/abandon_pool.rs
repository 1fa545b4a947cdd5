//! Takes a pool back that never came into use, and returns the rent of all its accounts.

use anchor_lang::prelude::*;
use provena_common::{
    account::{State, close},
    token::{self, Token},
};

use crate::{
    ID, asset,
    constants::BOOKS_SEED,
    error::RoyaltyError,
    state::{Books, Index, Pool, Position},
};

/// Accounts of `abandon_pool`. Positions of the pool follow, each that somebody else than the creator paid for with its
/// payer behind it. With the last of them all the pool's books can follow, in the order of its mints; books in a token with
/// their vault, the mint, the token program and a token account for what lies in the vault.
#[derive(Accounts)]
pub struct AbandonPool {
    /// Gets the rent.
    #[account(mut, constraint = *creator.address() == pool.creator @ RoyaltyError::NotPoolCreator)]
    pub creator: Signer,
    /// The NFT's mint, which must not exist.
    #[account(constraint = *asset.address() == pool.asset @ RoyaltyError::WrongAsset)]
    pub asset: UncheckedAccount,
    /// The pool.
    #[account(mut)]
    pub pool: State<Pool>,
    /// The pool's index.
    #[account(mut, constraint = index.pool == *pool.address() @ RoyaltyError::WrongPool)]
    pub index: State<Index>,
}

impl AbandonPool {
    /// Closes the positions that follow and, when no shares are assigned any more, books, index and pool.
    ///
    /// Refused once the pool received revenue, be it a gift of one lamport: what holders are owed is theirs. A pool that is
    /// not sealed can receive none.
    ///
    /// # Errors
    /// [`RoyaltyError::NotPoolCreator`], [`RoyaltyError::WrongAsset`], [`RoyaltyError::AssetExists`],
    /// [`RoyaltyError::WrongPool`], [`RoyaltyError::PoolInUse`], [`RoyaltyError::NotRentPayer`],
    /// [`RoyaltyError::WrongAccounts`], [`RoyaltyError::WrongVault`].
    pub fn handle(&mut self, others: &[AccountView]) -> Result<()> {
        require!(!asset::exists(self.asset.account()), RoyaltyError::AssetExists);
        let unused = self.index.entries.iter().all(|entry| *entry == Default::default());
        require!(unused, RoyaltyError::PoolInUse);
        let mut others = Others(others.iter());
        while let Some(account) = others.next_if(is_position) {
            self.close_position(account, &mut others)?;
        }
        // From here on nothing can be booked, until the creator names holders again.
        self.index.sealed = 0;
        if others.is_done() {
            self.pool.invariant()?;
            return self.index.invariant();
        }
        require!(self.pool.assigned_shares == 0, RoyaltyError::WrongAccounts);
        self.close_all(&mut others)
    }

    fn close_position(&mut self, account: &AccountView, others: &mut Others<'_>) -> Result<()> {
        let creator = self.creator.account();
        let position = <State<Position>>::load(*account)?;
        require!(position.pool == *self.pool.address(), RoyaltyError::WrongPool);
        self.pool.unassign(position.shares()?)?;
        let payer = if position.rent_payer == *creator.address() { creator } else { others.take()? };
        require!(*payer.address() == position.rent_payer, RoyaltyError::NotRentPayer);
        close(account, payer)?;
        Ok(())
    }

    fn close_all(&self, others: &mut Others<'_>) -> Result<()> {
        let creator = self.creator.account();
        for mint in self.pool.mints() {
            let account = others.take()?;
            let books = <State<Books>>::load(*account)?;
            require!(books.pool == *self.pool.address(), RoyaltyError::WrongPool);
            require!(books.mint == *mint, RoyaltyError::WrongAccounts);
            require!(books.inbox_count == 0, RoyaltyError::PoolInUse);
            if !books.is_native() {
                close_vault(&books, creator, others)?;
            }
            close(account, creator)?;
        }
        require!(others.is_done(), RoyaltyError::WrongAccounts);
        close(self.index.view(), creator)?;
        close(self.pool.view(), creator)?;
        Ok(())
    }
}

/// Sends what lies in the vault to the token account that follows, so that nobody can keep it open by a gift.
fn close_vault(books: &State<Books>, creator: &AccountView, others: &mut Others<'_>) -> Result<()> {
    let [vault, mint, token_program, to] = [others.take()?, others.take()?, others.take()?, others.take()?];
    require!(*vault.address() == books.vault, RoyaltyError::WrongVault);
    require!(*mint.address() == books.mint, RoyaltyError::WrongAccounts);
    let token = Token::new(mint, token_program)?;
    let bump = [books.bump];
    let seeds = [BOOKS_SEED, books.pool.as_ref(), books.mint.as_ref(), &bump];
    token.transfer(vault, to, books.view(), token::read(vault)?.amount, &seeds)?;
    token.close(vault, creator, books.view(), &seeds)
}

fn is_position(account: &AccountView) -> bool {
    let data = account.try_borrow();
    data.is_ok_and(|data| account.owned_by(&ID) && data.starts_with(Position::DISCRIMINATOR))
}

/// The accounts that follow, one after the other.
struct Others<'a>(core::slice::Iter<'a, AccountView>);

impl<'a> Others<'a> {
    fn take(&mut self) -> Result<&'a AccountView> {
        self.0.next().ok_or_else(|| RoyaltyError::WrongAccounts.into())
    }

    fn next_if(&mut self, wanted: impl Fn(&AccountView) -> bool) -> Option<&'a AccountView> {
        let first = self.0.as_slice().first()?;
        if wanted(first) { self.0.next() } else { None }
    }

    fn is_done(&self) -> bool {
        self.0.len() == 0
    }
}
