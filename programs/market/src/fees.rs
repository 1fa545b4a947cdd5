//! How a deposit is divided. The chain and its clients call the same function.

use crate::constants::BPS;
use crate::error::MarketError;

/// An amount in base units of the job's mint (lamports for SOL).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub u64);

/// A share in basis points, at most 10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bps(pub u16);

/// Units of work: images classified or texts embedded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units(pub u32);

impl Amount {
    /// The sum. Errors: `Overflow`.
    pub fn plus(self, other: Self) -> Result<Self, MarketError> {
        self.0.checked_add(other.0).map(Self).ok_or(MarketError::Overflow)
    }

    /// The difference. Errors: `Overflow` when `other` is larger.
    pub fn minus(self, other: Self) -> Result<Self, MarketError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MarketError::Overflow)
    }

    /// The price of `units`. Errors: `Overflow`.
    pub fn times(self, units: Units) -> Result<Self, MarketError> {
        self.0.checked_mul(u64::from(units.0)).map(Self).ok_or(MarketError::Overflow)
    }

    /// `self * bps / 10,000`, rounded down, without a product wider than 64 bits.
    pub fn portion(self, bps: Bps) -> Result<Self, MarketError> {
        if bps.0 > BPS {
            return Err(MarketError::BpsTooHigh);
        }
        const WHOLE: u64 = 10_000;
        let share = u64::from(bps.0);
        let (high, low) = (self.0 / WHOLE, self.0 % WHOLE);
        // high * share <= self.0, and low * share < 10^8, so neither can overflow; checked all the same.
        let high = high.checked_mul(share).ok_or(MarketError::Overflow)?;
        let low = low.checked_mul(share).ok_or(MarketError::Overflow)?;
        let low = low / WHOLE;
        Self(high).plus(Self(low))
    }
}

/// What a job was sold for, as fixed when it was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Base units of the mint for one unit of work.
    pub per_unit: Amount,
    /// What the payer put into escrow.
    pub deposit: Amount,
    /// The asset's royalty pool's share of the fee.
    pub royalty: Bps,
    /// The protocol's share of the fee.
    pub protocol: Bps,
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
    /// The sum of all four. Errors: `Overflow`.
    pub fn total(self) -> Result<Amount, MarketError> {
        self.nodes.plus(self.royalty)?.plus(self.protocol)?.plus(self.refund)
    }
}

/// Divides a deposit after `used` units of work: royalty and protocol fee are rounded down, the nodes get the rest of
/// the fee and the payer the rest of the deposit. Errors: `TooManyUnits` when the fee exceeds the deposit,
/// `BpsTooHigh`, `Overflow`.
pub fn split(price: Price, used: Units) -> Result<Split, MarketError> {
    let fee = price.per_unit.times(used)?;
    if fee > price.deposit {
        return Err(MarketError::TooManyUnits);
    }
    let royalty = fee.portion(price.royalty)?;
    let protocol = fee.portion(price.protocol)?;
    let nodes = fee.minus(royalty)?.minus(protocol).map_err(|_| MarketError::BpsTooHigh)?;
    let refund = price.deposit.minus(fee)?;
    Ok(Split { nodes, royalty, protocol, refund })
}

/// What the `index`-th of `count` agreeing nodes gets: an equal part, and the first also the indivisible rest.
/// Errors: `Overflow` when `count` is zero.
pub fn node_part(nodes: Amount, count: u64, index: u64) -> Result<Amount, MarketError> {
    let part = nodes.0.checked_div(count).ok_or(MarketError::Overflow)?;
    let rest = nodes.0.checked_rem(count).ok_or(MarketError::Overflow)?;
    if index == 0 { Amount(part).plus(Amount(rest)) } else { Ok(Amount(part)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(per_unit: u64, deposit: u64, royalty: u16, protocol: u16) -> Price {
        Price { per_unit: Amount(per_unit), deposit: Amount(deposit), royalty: Bps(royalty), protocol: Bps(protocol) }
    }

    #[test]
    fn every_unit_leaves_exactly_once() {
        for (per_unit, units, used, royalty, protocol) in [
            (1, 1, 1, 0, 0),
            (1, 1, 1, 10_000, 0),
            (3, 7, 5, 3_333, 333),
            (u64::MAX / 10, 10, 10, 5_000, 1_000),
            (999_999_937, 64, 1, 1, 1),
        ] {
            let deposit = per_unit * units;
            let split = split(price(per_unit, deposit, royalty, protocol), Units(used)).expect("valid terms");
            assert_eq!(split.total().expect("fits").0, deposit);
        }
    }

    #[test]
    fn portions_round_down_and_never_overflow() {
        assert_eq!(Amount(9_999).portion(Bps(1)), Ok(Amount(0)));
        assert_eq!(Amount(10_001).portion(Bps(5_000)), Ok(Amount(5_000)));
        assert_eq!(Amount(u64::MAX).portion(Bps(10_000)), Ok(Amount(u64::MAX)));
        for amount in [0, 1, 9_999, 10_000, 123_456_789, u64::MAX - 1] {
            for bps in [0, 1, 3_333, 9_999, 10_000] {
                let wide = u128::from(amount) * u128::from(bps) / 10_000;
                assert_eq!(u128::from(Amount(amount).portion(Bps(bps)).expect("fits").0), wide);
            }
        }
    }

    #[test]
    fn too_many_units_and_too_high_shares_are_refused() {
        assert_eq!(split(price(10, 100, 0, 0), Units(11)), Err(MarketError::TooManyUnits));
        assert_eq!(split(price(10, 100, 9_500, 1_000), Units(10)), Err(MarketError::BpsTooHigh));
        assert_eq!(split(price(10, 100, 10_001, 0), Units(1)), Err(MarketError::BpsTooHigh));
        assert_eq!(split(price(u64::MAX, u64::MAX, 0, 0), Units(2)), Err(MarketError::Overflow));
    }

    #[test]
    fn node_parts_add_up() {
        for (total, count) in [(0, 1), (10, 3), (11, 5), (u64::MAX, 4)] {
            let sum: u128 =
                (0..count).map(|i| u128::from(node_part(Amount(total), count, i).expect("count > 0").0)).sum();
            assert_eq!(sum, u128::from(total));
        }
        assert_eq!(node_part(Amount(5), 0, 0), Err(MarketError::Overflow));
    }
}
