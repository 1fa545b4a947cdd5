//! How a deposit is divided. The chain, its clients and its tests call the same function.

use anchor_lang::prelude::*;
pub use provena_common::amount::{Amount, Bps, Units};

use crate::error::MarketError;

/// Work that was done, or may be done at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Work {
    /// Units of input that were read: pictures, texts, tokens of a prompt.
    pub input: Units,
    /// Units of output that were made: tokens of an answer; none for a classifier or an encoder.
    pub output: Units,
}

impl Work {
    /// No work.
    pub const ZERO: Self = Self { input: Units::ZERO, output: Units::ZERO };

    /// Work of so many units.
    #[must_use]
    pub const fn new(input: u32, output: u32) -> Self {
        Self { input: Units(input), output: Units(output) }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.input.is_zero() && self.output.is_zero()
    }

    /// Whether neither side exceeds that of `most`.
    #[must_use]
    pub fn within(self, most: Self) -> bool {
        self.input <= most.input && self.output <= most.output
    }

    /// Both sides together; two numbers of 32 bits cannot overflow 64.
    fn units(self) -> u64 {
        u64::from(self.input.0).saturating_add(u64::from(self.output.0))
    }
}

/// What work costs and who takes part of the fee, as fixed when a job was posted. Amounts are base units of its mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// For the job as such.
    pub base: Amount,
    /// For one unit of input.
    pub input: Amount,
    /// For one unit of output.
    pub output: Amount,
    /// The royalty's share of the fee, rounded up.
    pub royalty: Bps,
    /// The least royalty for one unit, whichever side it is on.
    pub least_royalty: Amount,
    /// The protocol's share of the fee, rounded down.
    pub protocol: Bps,
}

impl Prices {
    /// The fee: `base + input * units in + output * units out`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn fee(&self, work: Work) -> Result<Amount> {
        Ok(self.base.plus(self.input.times(work.input)?)?.plus(self.output.times(work.output)?)?)
    }

    /// The royalty on a fee: its share rounded up, or the least royalty for all units, whichever is more; never more than
    /// the fee.
    #[must_use]
    pub fn royalty(&self, fee: Amount, work: Work) -> Amount {
        let least = Amount(self.least_royalty.0.saturating_mul(work.units()));
        fee.portion_up(self.royalty).max(least).min(fee)
    }
}

/// Where a deposit goes. The four always add up to the deposit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// To the nodes that agreed, together.
    pub nodes: Amount,
    /// To the asset's royalty pool.
    pub royalty: Amount,
    /// To the treasury.
    pub protocol: Amount,
    /// Back to the payer.
    pub refund: Amount,
}

impl Split {
    /// The sum of all four.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn total(self) -> Result<Amount> {
        Ok(self.nodes.plus(self.royalty)?.plus(self.protocol)?.plus(self.refund)?)
    }
}

/// Divides a deposit after `work`: first the royalty, then the protocol's share of the fee or what the royalty left of it,
/// the rest of the fee to the nodes, the rest of the deposit to the payer.
///
/// # Errors
/// `TooManyUnits` when the fee exceeds the deposit, `Overflow`.
pub fn split(prices: &Prices, deposit: Amount, work: Work) -> Result<Split> {
    let fee = prices.fee(work)?;
    let refund = deposit.minus(fee).map_err(|_| MarketError::TooManyUnits)?;
    let royalty = prices.royalty(fee, work);
    let rest = fee.minus(royalty)?;
    let protocol = fee.portion(prices.protocol).min(rest);
    Ok(Split { nodes: rest.minus(protocol)?, royalty, protocol, refund })
}

/// What one of `count` agreeing nodes gets: an equal part, and the first also the indivisible rest.
///
/// # Errors
/// `Overflow` when `count` is zero.
pub fn node_part(nodes: Amount, count: u64, first: bool) -> Result<Amount> {
    let (part, rest) = nodes.divided(count).ok_or(provena_common::error::CommonError::Overflow)?;
    Ok(if first { part.plus(rest)? } else { part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bps(bps: u16) -> Bps {
        Bps::new(bps).expect("at most 10,000")
    }

    fn prices() -> Prices {
        Prices {
            base: Amount(1_000),
            input: Amount(30),
            output: Amount(400),
            royalty: bps(2_000),
            least_royalty: Amount::ZERO,
            protocol: bps(250),
        }
    }

    fn parts(prices: Prices, deposit: u64, work: Work) -> [u64; 4] {
        let split = split(&prices, Amount(deposit), work).expect("the fee fits");
        assert_eq!(split.total(), Ok(Amount(deposit)));
        [split.nodes.0, split.royalty.0, split.protocol.0, split.refund.0]
    }

    #[test]
    fn each_side_has_its_price() {
        assert_eq!(prices().fee(Work::new(7, 11)), Ok(Amount(1_000 + 210 + 4_400)));
        assert_eq!(prices().fee(Work::ZERO), Ok(Amount(1_000)));
        // fee 5,610: royalty 1,122, protocol 140.25 down to 140.
        assert_eq!(parts(prices(), 6_000, Work::new(7, 11)), [4_348, 1_122, 140, 390]);
    }

    #[test]
    fn the_royalty_is_rounded_up_and_the_protocols_part_down() {
        let prices = Prices { base: Amount(1), ..prices() };
        assert_eq!(parts(prices, 1, Work::ZERO), [0, 1, 0, 0]);
        let prices = Prices { base: Amount(39), royalty: bps(1), ..prices };
        assert_eq!(parts(prices, 39, Work::ZERO), [38, 1, 0, 0]);
    }

    #[test]
    fn a_least_royalty_counts_every_unit_and_is_capped_at_the_fee() {
        let prices = Prices { least_royalty: Amount(100), ..prices() };
        // 18 units: 1,800 instead of 1,122.
        assert_eq!(parts(prices, 6_000, Work::new(7, 11)), [3_670, 1_800, 140, 390]);
        let prices = Prices { least_royalty: Amount(u64::MAX), ..prices };
        assert_eq!(parts(prices, 6_000, Work::new(7, 11)), [0, 5_610, 0, 390]);
    }

    #[test]
    fn royalty_comes_before_the_protocol() {
        let prices = Prices { royalty: bps(9_900), protocol: bps(500), ..prices() };
        // fee 1,000: royalty 990, of the protocol's 50 only 10 are left.
        assert_eq!(parts(prices, 1_000, Work::ZERO), [0, 990, 10, 0]);
        let prices = Prices { royalty: Bps::FULL, ..prices };
        assert_eq!(parts(prices, 1_000, Work::ZERO), [0, 1_000, 0, 0]);
    }

    #[test]
    fn every_unit_leaves_exactly_once() {
        for base in [0, 1, 9_999, 10_001, u64::MAX / 3, u64::MAX] {
            for royalty in [0, 1, 3_333, 9_999, 10_000] {
                for protocol in [0, 1, 500] {
                    let prices = Prices {
                        base: Amount(base),
                        input: Amount::ZERO,
                        output: Amount::ZERO,
                        royalty: bps(royalty),
                        least_royalty: Amount(3),
                        protocol: bps(protocol),
                    };
                    parts(prices, base, Work::new(2, 1));
                }
            }
        }
    }

    #[test]
    fn too_much_work_is_refused() {
        let code = |error: MarketError| Err::<Split, _>(error.into());
        assert_eq!(split(&prices(), Amount(5_609), Work::new(7, 11)), code(MarketError::TooManyUnits));
        let overflowing = Prices { input: Amount(u64::MAX), ..prices() };
        assert!(split(&overflowing, Amount(u64::MAX), Work::new(2, 0)).is_err());
    }

    #[test]
    fn parts_of_nodes_add_up() {
        for (total, count) in [(0, 1), (10, 3), (11, 5), (u64::MAX, 4)] {
            let part = |index| u128::from(node_part(Amount(total), count, index == 0).expect("count > 0").0);
            assert_eq!((0..count).map(part).sum::<u128>(), u128::from(total));
        }
        assert_eq!(node_part(Amount(11), 4, true), Ok(Amount(5)));
        assert_eq!(node_part(Amount(11), 4, false), Ok(Amount(2)));
        assert!(node_part(Amount(5), 0, true).is_err());
    }
}
