//! Who earns what of a payment that reaches a pool, the holders of ancestors' pools included. The arithmetic is the program's:
//! its index books, its positions take.

use std::collections::{BTreeMap, VecDeque};

use anchor_lang::{bytemuck::Zeroable, prelude::*};
use provena_common::{amount::Amount, slot::Slot};

use crate::{
    error::RoyaltyError,
    shares::Shares,
    state::{Index, Position},
};

/// The mint that is looked at; all are divided alike.
const MINT: u8 = 0;
/// Payments after which pools are taken to pass everything on in a circle.
const MOST_STEPS: u32 = 1_000_000;

/// Who holds a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolShares {
    /// All shares.
    pub total: u64,
    /// Wallets and pools with their shares.
    pub holders: Vec<(Address, u64)>,
}

/// What one holder earns in one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earning {
    /// The pool.
    pub pool: Address,
    /// The holder: a wallet, or another pool, which passes it on to its own holders.
    pub holder: Address,
    /// Base units.
    pub amount: u64,
}

/// What every holder earns when `amount` reaches `pool` and everything is booked, swept and claimed. `pools` are that pool and
/// all that hold shares of it, of those and so on; holders that are not among them keep what they get.
///
/// What is paid in what order does not matter: each holder of a pool gets its part of all that the pool received, rounded down
/// once. So nobody gets more than the exact share, and less by less than one base unit for each pool on the way.
///
/// # Errors
/// [`RoyaltyError::WrongPool`] when `pool` is not among `pools`; [`RoyaltyError::TooManyShares`], `Overflow`;
/// [`RoyaltyError::BrokenInvariant`] for pools that pass everything on in a circle.
pub fn earnings(pools: &BTreeMap<Address, PoolShares>, pool: &Address, amount: u64) -> Result<Vec<Earning>> {
    require!(pools.contains_key(pool), RoyaltyError::WrongPool);
    let mut flows = BTreeMap::new();
    for (address, shares) in pools {
        flows.insert(*address, Flow::new(*address, shares)?);
    }
    let mut arriving = VecDeque::from([(*pool, Amount(amount))]);
    let mut steps = 0u32;
    while let Some((pool, amount)) = arriving.pop_front() {
        steps = steps.saturating_add(1);
        require!(steps <= MOST_STEPS, RoyaltyError::BrokenInvariant);
        let Some(flow) = flows.get_mut(&pool) else { continue };
        for (holder, paid) in flow.divide(amount)? {
            if !paid.is_zero() && pools.contains_key(&holder) {
                arriving.push_back((holder, paid));
            }
        }
    }
    Ok(flows.values().flat_map(Flow::earnings).collect())
}

/// A pool while money flows through it.
struct Flow {
    index: Index,
    /// Each with what it has been paid.
    positions: Vec<(Position, Amount)>,
}

impl Flow {
    fn new(pool: Address, shares: &PoolShares) -> Result<Self> {
        let mut index = Index::zeroed();
        index.initialize(pool, Shares::new(shares.total)?, 0, 0);
        index.sealed = 1;
        let position = |(holder, shares): &(Address, u64)| {
            let mut position = Position::zeroed();
            position.initialize(pool, *holder, *holder, 0);
            position.shares = Shares::new(*shares)?.get();
            Ok((position, Amount::ZERO))
        };
        Ok(Self { index, positions: shares.holders.iter().map(position).collect::<Result<_>>()? })
    }

    /// Books an amount and pays every holder what it is owed then.
    fn divide(&mut self, amount: Amount) -> Result<Vec<(Address, Amount)>> {
        self.index.book(MINT, amount, Slot(0))?;
        let mut payments = Vec::new();
        for (position, received) in &mut self.positions {
            let paid = position.take(&self.index, MINT, Slot(0), Amount(u64::MAX))?;
            *received = received.plus(paid)?;
            payments.push((position.holder, paid));
        }
        Ok(payments)
    }

    fn earnings(&self) -> impl Iterator<Item = Earning> + '_ {
        let pool = self.index.pool;
        self.positions.iter().map(move |(position, paid)| Earning { pool, holder: position.holder, amount: paid.0 })
    }
}
