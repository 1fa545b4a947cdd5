//! Where the money of books lies, and how it moves: lamports of the program's own accounts, or tokens in vaults.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    amount::Amount,
    money,
    slot::Slot,
    token::{self, Token},
};

use crate::{
    constants::BOOKS_SEED,
    error::RoyaltyError,
    events::RevenueBooked,
    state::{Books, Index, Position},
};

/// The kind of money of some books, with what is needed to move it.
#[derive(Clone, Copy)]
pub enum Purse<'a> {
    /// SOL: lamports of the books' own account.
    Lamports,
    /// Tokens in the books' vault.
    Tokens {
        /// The mint and its program.
        token: Token<'a>,
        /// The books' vault.
        vault: &'a AccountView,
    },
}

/// What left the books and what of it arrived; they differ where the mint takes a fee.
#[derive(Clone, Copy)]
pub struct Payment {
    /// Base units that left.
    pub paid: Amount,
    /// Base units that arrived.
    pub arrived: Amount,
}

impl Payment {
    /// Nothing was owed.
    const NOTHING: Self = Self { paid: Amount::ZERO, arrived: Amount::ZERO };
}

impl<'a> Purse<'a> {
    /// The purse of some books; the accounts matter for tokens alone.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongVault`] and those of [`Token::of`].
    pub fn open(
        books: &Books,
        vault: Option<&'a UncheckedAccount>,
        mint: Option<&'a UncheckedAccount>,
        token_program: Option<&UncheckedAccount>,
    ) -> Result<Self> {
        if books.is_native() {
            return Ok(Self::Lamports);
        }
        let token = Token::of(mint, token_program, &books.mint)?;
        Self::tokens(books, token, token::needed(vault)?)
    }

    /// The purse of books in a token whose mint was loaded before.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongVault`].
    pub fn tokens(books: &Books, token: Token<'a>, vault: &'a AccountView) -> Result<Self> {
        require!(*vault.address() == books.vault, RoyaltyError::WrongVault);
        Ok(Self::Tokens { token, vault })
    }

    /// What lies in the books' account or vault, whether it is booked or not.
    ///
    /// # Errors
    /// `WrongTokenAccount`.
    pub fn balance(&self, books: &State<Books>) -> Result<Amount> {
        match self {
            Self::Lamports => above_rent(books.view(), books.rent),
            Self::Tokens { vault, .. } => Ok(token::read(vault)?.amount),
        }
    }

    /// Takes money from a payer into the books' account or vault and returns what arrived, which is less where the mint takes
    /// a fee. A mint of Token-2022 is checked again: it may have got a transfer hook since it was allowed. The caller books it,
    /// or leaves that to `sync`.
    ///
    /// # Errors
    /// Those of [`token::check_mint`]; the token program's own when the source has too little or another mint.
    pub fn take_in(
        &self,
        books: &State<Books>,
        source: Option<&UncheckedAccount>,
        payer: &AccountView,
        amount: Amount,
    ) -> Result<Amount> {
        match self {
            Self::Lamports => {
                money::transfer_from_wallet(payer, books.view(), amount)?;
                Ok(amount)
            }
            Self::Tokens { token, vault } => {
                token::check_mint(token.mint())?;
                token.transfer(token::needed(source)?, vault, payer, amount, &[])
            }
        }
    }

    /// Moves money that has been taken off the books' accounts to `to`; returns what arrived.
    ///
    /// # Errors
    /// `Overflow`, `WrongTokenAccount`; the token program's own.
    fn send(&self, books: &State<Books>, to: &AccountView, amount: Amount) -> Result<Amount> {
        match self {
            Self::Lamports => {
                money::move_lamports(books.view(), to, amount)?;
                Ok(amount)
            }
            Self::Tokens { token, vault } => {
                let bump = [books.bump];
                let seeds = [BOOKS_SEED, books.pool.as_ref(), books.mint.as_ref(), &bump];
                token.transfer(vault, to, books.view(), amount, &seeds)
            }
        }
    }
}

/// Lamports of an account of this program beyond what keeps it alive: what was noted when it was made, or what the chain
/// asks for now if that is more.
///
/// # Errors
/// Those of the rent's system call.
pub fn above_rent(account: &AccountView, noted: u64) -> Result<Amount> {
    let kept = money::rent(account.data_len())?.max(Amount(noted));
    Ok(Amount(account.lamports()).less(kept))
}

/// Checks that index and books belong to one pool.
///
/// # Errors
/// [`RoyaltyError::WrongPool`].
pub fn check_pool(index: &Index, books: &Books) -> Result<()> {
    require!(books.pool == index.pool, RoyaltyError::WrongPool);
    Ok(())
}

/// Settles a position in the mint of the books and pays what it is owed. Nothing changes when that is nothing, and more
/// than the books hold is never paid: the rest stays owed.
///
/// # Errors
/// [`RoyaltyError::WrongPool`] and those of settling and sending.
pub fn pay_owed(
    position: &mut State<Position>,
    index: &Index,
    books: &mut State<Books>,
    purse: &Purse<'_>,
    to: &AccountView,
) -> Result<Payment> {
    check_pool(index, books)?;
    require!(position.pool == index.pool, RoyaltyError::WrongPool);
    let most = match purse {
        Purse::Lamports => Amount(books.held).min(purse.balance(books)?),
        Purse::Tokens { .. } => Amount(books.held),
    };
    let paid = position.take(index, books.index, Slot::now()?, most)?;
    if paid.is_zero() {
        return Ok(Payment::NOTHING);
    }
    books.pay(paid)?;
    let arrived = purse.send(books, to, paid)?;
    position.invariant()?;
    books.invariant()?;
    Ok(Payment { paid, arrived })
}

/// Books money that has arrived in the books' account or vault. Zero changes nothing.
///
/// # Errors
/// [`RoyaltyError::WrongPool`], [`RoyaltyError::PoolNotSealed`], `Overflow`.
pub fn book(index: &mut State<Index>, books: &mut State<Books>, amount: Amount) -> Result<()> {
    check_pool(index, books)?;
    if amount.is_zero() {
        return Ok(());
    }
    books.receive(amount)?;
    index.book(books.index, amount, Slot::now()?)?;
    emit!(RevenueBooked { books: *books.address(), amount: amount.0 });
    index.invariant()?;
    books.invariant()
}

/// Books what lies in the books' account or vault beyond what is booked.
///
/// # Errors
/// Those of [`book`] and [`Purse::balance`].
pub fn book_surplus(index: &mut State<Index>, books: &mut State<Books>, purse: &Purse<'_>) -> Result<()> {
    let surplus = purse.balance(books)?.less(Amount(books.held));
    book(index, books, surplus)
}
