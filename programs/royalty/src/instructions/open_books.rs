//! Opens the books of a pool in a mint beyond SOL.

use anchor_lang::{accounts::HeaderOnly, prelude::*};
use provena_common::{
    NATIVE_MINT,
    account::{NewAccount, State},
    amount::Amount,
    money,
    nft::holds_nft,
    slot::Slot,
    token::{self, Token, check_mint},
};

use crate::{
    ID, asset,
    constants::{BOOKS_SEED, PAUSE_POOLS, VAULT_SEED},
    error::RoyaltyError,
    state::{Admin, Books, Index, NewBooks, Pool, Position},
    view,
};

/// Accounts of `open_books`. What gives the payer the right to call it follows:
///
/// - nothing, when the payer is the pool's creator and the NFT does not exist yet;
/// - a token account of the payer that holds the NFT;
/// - a token account of the pool in the mint, with a balance: resale royalties that wait for `collect`;
/// - this pool's position in a child's pool with something owed in the mint, and the child's index and books: revenue that
///   waits for `sweep`.
#[derive(Accounts)]
pub struct OpenBooks {
    /// Pays the rent, which does not come back.
    #[account(mut)]
    pub payer: Signer,
    /// The program's settings: the mint must be allowed.
    pub admin: State<Admin>,
    /// The pool.
    #[account(mut)]
    pub pool: State<Pool>,
    /// The NFT's mint, which may not exist yet.
    #[account(constraint = *asset.address() == pool.asset @ RoyaltyError::WrongAsset)]
    pub asset: UncheckedAccount,
    /// The payment mint.
    pub mint: UncheckedAccount,
    /// To be created.
    #[account(mut)]
    pub books: UncheckedAccount,
    /// To be created.
    #[account(mut)]
    pub vault: UncheckedAccount,
    /// The mint's token program.
    pub token_program: UncheckedAccount,
    /// Creates the accounts.
    pub system_program: Program<System>,
}

impl OpenBooks {
    /// # Errors
    /// `Paused`, [`RoyaltyError::NativeMint`], [`RoyaltyError::MintNotAllowed`], [`RoyaltyError::NoRightToOpen`],
    /// [`RoyaltyError::TooManyMints`], `WrongPda`, those of [`check_mint`] and [`Token::new`]; the System program's when the
    /// books are open already.
    pub fn handle(&mut self, evidence: &[AccountView]) -> Result<()> {
        self.admin.control.check_running(PAUSE_POOLS)?;
        let mint = *self.mint.address();
        require!(mint != NATIVE_MINT, RoyaltyError::NativeMint);
        self.admin.check_allowed(&mint)?;
        let kind = check_mint(self.mint.account())?;
        let token = Token::new(self.mint.account(), self.token_program.account())?;
        require!(self.has_right(evidence)?, RoyaltyError::NoRightToOpen);
        let index = self.pool.add_mint(mint)?;
        let pool = *self.pool.address();
        let (mut books, bump) = self
            .new_account(self.books.account(), &ID, Books::SPACE, &[BOOKS_SEED, pool.as_ref(), mint.as_ref()])
            .create_state::<Books, HeaderOnly>()?;
        let (vault, owner) = (self.vault.account(), token.program().address());
        let seeds = [VAULT_SEED, self.books.address().as_ref()];
        let vault_bump = self.new_account(vault, owner, kind.account_len, &seeds).create()?;
        token.initialize(vault, self.books.address())?;
        books.initialize(NewBooks {
            pool,
            mint,
            token_program: *owner,
            vault: *vault.address(),
            rent: money::rent(Books::SPACE)?,
            index,
            bump,
            vault_bump,
            decimals: token.decimals(),
        });
        self.pool.invariant()?;
        books.invariant()
    }

    fn new_account<'a>(
        &'a self,
        account: &'a AccountView,
        owner: &'a Address,
        len: usize,
        seeds: &'a [&'a [u8]],
    ) -> NewAccount<'a> {
        NewAccount { payer: self.payer.account(), account, program: &ID, owner, seeds, len, extra: Amount::ZERO }
    }

    fn has_right(&self, evidence: &[AccountView]) -> Result<bool> {
        let payer = self.payer.address();
        match evidence {
            [] => Ok(*payer == self.pool.creator && !asset::exists(self.asset.account())),
            [account] => Ok(holds_nft(account, &self.pool.asset, payer) || self.has_tokens(account)),
            [position, index, books] => self.is_owed(position, index, books),
            _ => Err(RoyaltyError::WrongAccounts.into()),
        }
    }

    /// Whether this is a token account of the pool in the mint, with a balance.
    fn has_tokens(&self, account: &AccountView) -> bool {
        let found = token::check_account(account, self.pool.address(), self.mint.address());
        found.is_ok_and(|found| !found.amount.is_zero())
    }

    /// Whether a child's pool owes this pool something in the mint.
    fn is_owed(&self, position: &AccountView, index: &AccountView, books: &AccountView) -> Result<bool> {
        let position = <State<Position>>::load(*position)?;
        let (index, books) = (<State<Index>>::load(*index)?, <State<Books>>::load(*books)?);
        let ours = position.holder == *self.pool.address() && books.mint == *self.mint.address();
        Ok(ours && !view::owed(&index, &books, &position, Slot::now()?).is_zero())
    }
}
