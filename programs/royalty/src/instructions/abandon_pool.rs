//! Takes a pool back that never came into use, and returns the rent of all its accounts.

use anchor_lang::prelude::*;
use provena_common::{
    account::{State, close},
    slot::Slot,
    token::{self, Token},
};

use crate::{
    ID, asset,
    constants::BOOKS_SEED,
    error::RoyaltyError,
    state::{Books, Index, Pool, Position},
};

/// Accounts of `abandon_pool`. To close everything, all the pool's books follow in the order of its mints, books in a token
/// with their vault, the mint, the token program and a token account for what lies in the vault. Then positions of the pool
/// follow, each that somebody else than the creator paid for with its payer behind it.
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
    /// Closes the positions that follow and, where its books follow as well, the whole pool; no shares may be assigned then.
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
        // Vaults are closed by calls of the token program, which must see no lamports that were moved before.
        let books = if others.next_is::<Books>() { self.close_vaults(&mut others)? } else { Vec::new() };
        while !others.is_done() {
            self.close_position(&mut others)?;
        }
        // Once a share is without a holder, nothing can be booked until the creator names holders again.
        self.index.sealed = u8::from(self.pool.is_sealed());
        if books.is_empty() {
            self.pool.invariant()?;
            return self.index.invariant();
        }
        require!(self.pool.assigned_shares == 0, RoyaltyError::PoolInUse);
        for account in books.into_iter().chain([self.index.view(), self.pool.view()]) {
            close(account, self.creator.account())?;
        }
        Ok(())
    }

    /// Closes the position that comes next. Once closed it is none any more: no position is counted twice.
    fn close_position(&mut self, others: &mut Others<'_>) -> Result<()> {
        let (account, creator) = (others.take()?, self.creator.account());
        let position = <State<Position>>::load(*account)?;
        require!(position.pool == *self.pool.address(), RoyaltyError::WrongPool);
        self.pool.unassign(position.shares()?, Slot::now()?)?;
        let payer = if position.rent_payer == *creator.address() { creator } else { others.take()? };
        require!(*payer.address() == position.rent_payer, RoyaltyError::NotRentPayer);
        close(account, payer)?;
        Ok(())
    }

    /// Closes the vaults of all the pool's books, and returns the books.
    fn close_vaults<'a>(&self, others: &mut Others<'a>) -> Result<Vec<&'a AccountView>> {
        let mut all = Vec::new();
        for mint in self.pool.mints() {
            let account = others.take()?;
            let books = <State<Books>>::load(*account)?;
            require!(books.pool == *self.pool.address(), RoyaltyError::WrongPool);
            require!(books.mint == *mint, RoyaltyError::WrongAccounts);
            require!(books.inbox_count == 0, RoyaltyError::PoolInUse);
            if !books.is_native() {
                close_vault(&books, self.creator.account(), others)?;
            }
            all.push(account);
        }
        Ok(all)
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

/// The accounts that follow, one after the other.
struct Others<'a>(core::slice::Iter<'a, AccountView>);

impl<'a> Others<'a> {
    fn take(&mut self) -> Result<&'a AccountView> {
        self.0.next().ok_or_else(|| RoyaltyError::WrongAccounts.into())
    }

    /// Whether the next account is one of the program's of this kind.
    fn next_is<T: Discriminator>(&self) -> bool {
        let next = self.0.as_slice().first();
        next.is_some_and(|account| {
            account.owned_by(&ID) && account.try_borrow().is_ok_and(|data| data.starts_with(T::DISCRIMINATOR))
        })
    }

    fn is_done(&self) -> bool {
        self.0.len() == 0
    }
}
