//! Who earns what of a payment that reaches a pool, the holders of ancestors' pools included. The arithmetic is the program's:
//! its index books, its positions take.

use std::collections::{BTreeMap, BTreeSet};

use anchor_lang::{bytemuck::Zeroable, prelude::*};
use provena_common::{amount::Amount, slot::Slot};

use crate::{
    error::RoyaltyError,
    shares::Shares,
    state::{Index, Position},
};

/// The mint that is looked at; all are divided alike.
const MINT: u8 = 0;
/// Rounds after which pools are taken to pass everything on in a circle.
const MOST_ROUNDS: u32 = 10_000;

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
    let order = order(pools, pool);
    let mut arriving = BTreeMap::from([(*pool, Amount(amount))]);
    // Where no pools pay each other in a circle, one round is enough: a pool comes after all that pay it.
    for _ in 0..MOST_ROUNDS {
        for pool in &order {
            let Some(amount) = arriving.remove(pool) else { continue };
            let Some(flow) = flows.get_mut(pool) else { continue };
            for (holder, paid) in flow.divide(amount)?.into_iter().filter(|(holder, _)| pools.contains_key(holder)) {
                let waiting = arriving.entry(holder).or_insert(Amount::ZERO);
                *waiting = waiting.plus(paid)?;
            }
        }
        arriving.retain(|_, amount| !amount.is_zero());
        if arriving.is_empty() {
            break;
        }
    }
    require!(arriving.is_empty(), RoyaltyError::BrokenInvariant);
    Ok(flows.values().flat_map(Flow::earnings).collect())
}

/// The pools that money reaches from this one, each before those that it pays, as far as they pay in no circle.
fn order(pools: &BTreeMap<Address, PoolShares>, first: &Address) -> Vec<Address> {
    let (mut seen, mut order) = (BTreeSet::from([*first]), Vec::new());
    let mut stack = vec![(*first, 0usize)];
    while let Some((pool, next)) = stack.last_mut() {
        match pools.get(pool).and_then(|shares| shares.holders.get(*next)) {
            Some((holder, _)) => {
                *next = next.saturating_add(1);
                if pools.contains_key(holder) && seen.insert(*holder) {
                    stack.push((*holder, 0));
                }
            }
            None => {
                order.push(*pool);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
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
