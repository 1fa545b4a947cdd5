//! Creates the revenue pool of an asset, its index and its books in SOL.

use anchor_lang::prelude::*;
use provena_common::{NATIVE_MINT, account::State, money, slot::Slot};

use crate::{
    constants::{BOOKS_SEED, INDEX_SEED, PAUSE_POOLS, POOL_SEED},
    error::RoyaltyError,
    events::PoolCreated,
    positions::open_position,
    shares::Shares,
    state::{Admin, Books, Index, NewBooks, NewPool, Pool, Vesting},
};

/// Decimal places of SOL.
const SOL_DECIMALS: u8 = 9;

/// A holder named by the pool's creator: a wallet, or the pool of a parent asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Holder {
    /// Its address.
    pub holder: Address,
    /// Its shares of the pool, at least one.
    pub shares: u64,
    /// Which of them it may not move yet.
    pub vesting: Option<Vesting>,
}

impl Holder {
    /// A holder who may move all its shares at once.
    #[must_use]
    pub const fn new(holder: Address, shares: u64) -> Self {
        Self { holder, shares, vesting: None }
    }
}

/// Accounts of `create_pool`; one writable position account per holder follows, in the same order.
#[derive(Accounts)]
pub struct CreatePool {
    /// Pays, and may add holders until every share is assigned.
    #[account(mut)]
    pub creator: Signer,
    /// The NFT's mint. It signs, so that nobody else can lay claim to an asset's pool.
    pub asset: Signer,
    /// The program's settings.
    pub admin: State<Admin>,
    /// To be created.
    #[account(init, payer = creator, space = Pool::SPACE, seeds = [POOL_SEED, asset.address().as_ref()], bump)]
    pub pool: State<Pool>,
    /// To be created.
    #[account(init, payer = creator, space = Index::SPACE, seeds = [INDEX_SEED, pool.address().as_ref()], bump)]
    pub index: State<Index>,
    /// The books in SOL, to be created.
    #[account(
        init, payer = creator, space = Books::SPACE,
        seeds = [BOOKS_SEED, pool.address().as_ref(), NATIVE_MINT.as_ref()], bump
    )]
    pub books: State<Books>,
    /// Creates the accounts.
    pub system_program: Program<System>,
}

impl CreatePool {
    /// # Errors
    /// `Paused`, [`RoyaltyError::TooManyShares`], those of [`Pool::initialize`] and of [`assign_all`].
    pub fn handle(&mut self, terms: &PoolTerms, positions: &[AccountView], bumps: [u8; 3]) -> Result<()> {
        self.admin.control.check_running(PAUSE_POOLS)?;
        let (asset, creator) = (*self.asset.address(), *self.creator.address());
        let total = Shares::new(terms.total_shares)?;
        let [pool_bump, index_bump, books_bump] = bumps;
        self.pool.initialize(NewPool {
            asset,
            creator,
            total,
            window: terms.window,
            flags: terms.flags,
            rent: money::rent(Pool::SPACE)?,
            bump: pool_bump,
            now: Slot::now()?,
        })?;
        let pool = *self.pool.address();
        self.index.initialize(pool, total, terms.window, index_bump);
        self.books.initialize(NewBooks {
            pool,
            mint: NATIVE_MINT,
            token_program: Address::default(),
            vault: Address::default(),
            rent: money::rent(Books::SPACE)?,
            index: 0,
            bump: books_bump,
            vault_bump: 0,
            decimals: SOL_DECIMALS,
        });
        assign_all(&mut self.pool, &mut self.index, self.creator.account(), terms.holders, positions)?;
        emit!(PoolCreated { pool, asset, total_shares: total.get() });
        self.pool.invariant()?;
        self.index.invariant()?;
        self.books.invariant()
    }
}

/// What a pool is created with.
pub struct PoolTerms<'a> {
    /// From 1 to [`MAX_TOTAL_SHARES`](crate::MAX_TOTAL_SHARES).
    pub total_shares: u64,
    /// In slots; see [`Pool::window`].
    pub window: u32,
    /// See [`Pool::flags`].
    pub flags: u8,
    /// Some or all of the holders.
    pub holders: &'a [Holder],
}

/// Opens a position for each holder and gives it its shares; seals the pool with the last of them.
///
/// # Errors
/// [`RoyaltyError::WrongPositionAddress`], [`RoyaltyError::DuplicateHolder`], [`RoyaltyError::SelfHolding`],
/// [`RoyaltyError::WrongVesting`] and those of [`Pool::assign`].
pub fn assign_all(
    pool: &mut State<Pool>,
    index: &mut State<Index>,
    payer: &AccountView,
    holders: &[Holder],
    positions: &[AccountView],
) -> Result<()> {
    require!(holders.len() == positions.len(), RoyaltyError::WrongPositionAddress);
    let now = Slot::now()?;
    for (holder, account) in holders.iter().zip(positions) {
        let shares = Shares::new(holder.shares)?;
        pool.assign(shares, now)?;
        let mut position = open_position(payer, account, pool.address(), &holder.holder)?;
        position.assign(shares, holder.vesting.unwrap_or(Vesting::NONE))?;
        position.invariant()?;
    }
    index.sealed = u8::from(pool.is_sealed());
    Ok(())
}
