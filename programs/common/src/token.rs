//! Tokens of SPL Token and Token-2022: which mints are accepted, what a token account holds, and the calls that move tokens.

use anchor_lang::{address_eq, pinocchio::instruction::InstructionAccount, prelude::*};

use crate::{
    amount::Amount,
    cpi::{invoke, write},
    error::CommonError,
};

pub use account::{TokenAccount, check_account, parse_account, read};
pub use mint::{Mint, check_mint, parse_mint};

mod account;
mod mint;

/// The SPL Token program.
pub const TOKEN_PROGRAM: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// The Token-2022 program.
pub const TOKEN_2022_PROGRAM: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Bytes of a token account without extensions.
pub const TOKEN_ACCOUNT_LEN: usize = 165;

/// Bytes of a multisig of either program: the one kind of account that could pass for an extended one.
const MULTISIG_LEN: usize = 355;

const INITIALIZE_ACCOUNT_3: u8 = 18;
const TRANSFER_CHECKED: u8 = 12;
const CLOSE_ACCOUNT: u8 = 9;

/// One of the two token programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProgram {
    /// SPL Token.
    Spl,
    /// Token-2022, whose mints may carry extensions.
    Token2022,
}

impl TokenProgram {
    /// The program at `address`; `None` for any other.
    #[must_use]
    pub fn of(address: &Address) -> Option<Self> {
        if address_eq(address, &TOKEN_PROGRAM) {
            Some(Self::Spl)
        } else if address_eq(address, &TOKEN_2022_PROGRAM) {
            Some(Self::Token2022)
        } else {
            None
        }
    }

    /// Its address.
    #[must_use]
    pub const fn address(self) -> &'static Address {
        match self {
            Self::Spl => &TOKEN_PROGRAM,
            Self::Token2022 => &TOKEN_2022_PROGRAM,
        }
    }
}

/// The view of an optional account that a payment in tokens needs.
///
/// # Errors
/// [`CommonError::MissingTokenAccount`].
pub fn needed(account: Option<&UncheckedAccount>) -> Result<&AccountView> {
    account.map(AnchorAccount::account).ok_or_else(|| CommonError::MissingTokenAccount.into())
}

/// A mint with its token program: what every call that moves its tokens needs.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    program: TokenProgram,
    mint: &'a AccountView,
    decimals: u8,
}

impl<'a> Token<'a> {
    /// Takes an initialised mint and the token program that owns it. Does not look at extensions; see [`check_mint`].
    ///
    /// # Errors
    /// [`CommonError::WrongTokenProgram`], [`CommonError::UnsupportedMint`].
    pub fn new(mint: &'a AccountView, token_program: &AccountView) -> Result<Self> {
        let program = TokenProgram::of(token_program.address()).ok_or(CommonError::WrongTokenProgram)?;
        require!(mint.owned_by(program.address()), CommonError::WrongTokenProgram);
        let decimals = mint::decimals(program, &mint.try_borrow()?).ok_or(CommonError::UnsupportedMint)?;
        Ok(Self { program, mint, decimals })
    }

    /// As [`Token::new`] from optional accounts, for the mint that the caller expects.
    ///
    /// # Errors
    /// [`CommonError::MissingTokenAccount`], [`CommonError::WrongMint`], and those of [`Token::new`].
    pub fn of(
        mint: Option<&'a UncheckedAccount>,
        token_program: Option<&UncheckedAccount>,
        expected: &Address,
    ) -> Result<Self> {
        let (mint, token_program) = (needed(mint)?, needed(token_program)?);
        require!(address_eq(mint.address(), expected), CommonError::WrongMint);
        Self::new(mint, token_program)
    }

    /// The token program.
    #[must_use]
    pub const fn program(&self) -> TokenProgram {
        self.program
    }

    /// The mint's account.
    #[must_use]
    pub const fn mint(&self) -> &'a AccountView {
        self.mint
    }

    /// Decimals of the mint.
    #[must_use]
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Turns a fresh account of the token program, of [`Mint::account_len`] bytes, into a token account of `owner`.
    ///
    /// # Errors
    /// None of its own.
    pub fn initialize(&self, account: &AccountView, owner: &Address) -> Result<()> {
        let mut data = [INITIALIZE_ACCOUNT_3; 33];
        write(&mut data, 1, owner.as_ref())?;
        let metas =
            [InstructionAccount::writable(account.address()), InstructionAccount::readonly(self.mint.address())];
        invoke(self.program.address(), &data, &metas, &[account, self.mint], &[])
    }

    /// Moves tokens and returns what arrived, measured at the receiving account: a mint may take a fee. `seeds`, bump
    /// last, sign for `authority` where it is an account of the calling program. Zero moves nothing.
    ///
    /// # Errors
    /// [`CommonError::WrongTokenAccount`] when `to` is none.
    pub fn transfer(
        &self,
        from: &AccountView,
        to: &AccountView,
        authority: &AccountView,
        amount: Amount,
        seeds: &[&[u8]],
    ) -> Result<Amount> {
        self.send(&Transfer { from, to, authority, amount, seeds })
    }

    #[inline(never)]
    fn send(&self, transfer: &Transfer<'_>) -> Result<Amount> {
        let Transfer { from, to, authority, amount, seeds } = *transfer;
        if amount.is_zero() {
            return Ok(Amount::ZERO);
        }
        let before = read(to)?.amount;
        let mut data = [TRANSFER_CHECKED; 10];
        write(&mut data, 1, &amount.0.to_le_bytes())?;
        write(&mut data, 9, &[self.decimals])?;
        let metas = [
            InstructionAccount::writable(from.address()),
            InstructionAccount::readonly(self.mint.address()),
            InstructionAccount::writable(to.address()),
            InstructionAccount::readonly_signer(authority.address()),
        ];
        invoke(self.program.address(), &data, &metas, &[from, self.mint, to, authority], seeds)?;
        Ok(read(to)?.amount.minus(before)?)
    }

    /// Closes an empty token account and sends its rent to `to`. Token-2022 refuses while fees withheld by a transfer lie in
    /// it; anybody can harvest those into the mint by an instruction of its own before.
    ///
    /// # Errors
    /// None of its own.
    pub fn close(
        &self,
        account: &AccountView,
        to: &AccountView,
        authority: &AccountView,
        seeds: &[&[u8]],
    ) -> Result<()> {
        let metas = [
            InstructionAccount::writable(account.address()),
            InstructionAccount::writable(to.address()),
            InstructionAccount::readonly_signer(authority.address()),
        ];
        invoke(self.program.address(), &[CLOSE_ACCOUNT], &metas, &[account, to, authority], seeds)
    }
}

/// A transfer's parts, in memory, as in [`cpi`](crate::cpi).
#[derive(Clone, Copy)]
struct Transfer<'a> {
    from: &'a AccountView,
    to: &'a AccountView,
    authority: &'a AccountView,
    amount: Amount,
    seeds: &'a [&'a [u8]],
}
