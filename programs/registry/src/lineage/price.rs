//! The price of a grant, paid to the parent's pool.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Amount};
use provena_royalty::{purse::Purse, state::Books};

use crate::{error::RegistryError, state::Licence};

/// The accounts that a price is paid with. It arrives by plain transfer, and the royalty program's `sync` books it as revenue.
pub(crate) struct PricePaid<'a> {
    /// Signed; pays.
    pub(crate) payer: &'a AccountView,
    /// The books of the parent's pool in the price's mint.
    pub(crate) books: Option<&'a UncheckedAccount>,
    /// The payer's token account; tokens only.
    pub(crate) source: Option<&'a UncheckedAccount>,
    /// The books' vault; tokens only.
    pub(crate) vault: Option<&'a UncheckedAccount>,
    /// The price's mint; tokens only.
    pub(crate) mint: Option<&'a UncheckedAccount>,
    /// The mint's token program; tokens only.
    pub(crate) token_program: Option<&'a UncheckedAccount>,
}

impl PricePaid<'_> {
    /// Pays what the licence asks to the books of `pool`. The books must be given exactly where there is a price. Where the mint
    /// takes a fee, less arrives.
    ///
    /// # Errors
    ///
    /// [`RegistryError::WrongPriceBooks`]; those of [`Purse::open`] and [`Purse::take_in`].
    pub(crate) fn pay(&self, licence: &Licence, pool: &Address) -> Result<()> {
        let Some(account) = self.books else {
            require!(licence.price == 0, RegistryError::WrongPriceBooks);
            return Ok(());
        };
        require!(licence.price > 0, RegistryError::WrongPriceBooks);
        let books = State::<Books>::load(*account.account())?;
        require!(books.pool == *pool && books.mint == licence.price_mint, RegistryError::WrongPriceBooks);
        let purse = Purse::open(&books, self.vault, self.mint, self.token_program)?;
        purse.take_in(&books, self.source, self.payer, Amount(licence.price))?;
        Ok(())
    }
}
