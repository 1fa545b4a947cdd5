//! Books the resale royalties of an asset's NFT: marketplaces pay them to the pool, its verified creator.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    money::move_lamports,
    token::{check_account, needed},
};

use crate::{
    constants::POOL_SEED,
    error::RoyaltyError,
    purse::{Purse, above_rent, book_surplus},
    state::{Books, Index, Pool},
};

/// Accounts of `collect`. Anybody may call it.
#[derive(Accounts)]
pub struct Collect {
    /// The pool; lamports above its rent are resale royalties.
    #[account(mut)]
    pub pool: State<Pool>,
    /// The pool's index.
    #[account(mut)]
    pub index: State<Index>,
    /// The pool's books in the mint.
    #[account(mut, constraint = books.pool == *pool.address() @ RoyaltyError::WrongPool)]
    pub books: State<Books>,
    /// A token account of the pool, in practice the associated one; absent for SOL.
    #[account(mut)]
    pub source: Option<UncheckedAccount>,
    /// The books' vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl Collect {
    /// Moves everything that waits into the books, and books it. That may be nothing.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongPool`], [`RoyaltyError::PoolNotSealed`], `WrongTokenAccount` and those of [`Purse::open`].
    pub fn handle(&mut self) -> Result<()> {
        let mint = self.mint.as_ref();
        let purse = Purse::open(&self.books, self.vault.as_ref(), mint, self.token_program.as_ref())?;
        let pool = self.pool.view();
        match &purse {
            Purse::Lamports => move_lamports(pool, self.books.view(), above_rent(pool, self.pool.rent)?)?,
            Purse::Tokens { token, vault } => {
                let source = needed(self.source.as_ref())?;
                let waiting = check_account(source, pool.address(), &self.books.mint)?.amount;
                let bump = [self.pool.bump];
                let seeds = [POOL_SEED, self.pool.asset.as_ref(), &bump];
                token.transfer(source, vault, pool, waiting, &seeds)?;
            }
        }
        book_surplus(&mut self.index, &mut self.books, &purse)
    }
}
