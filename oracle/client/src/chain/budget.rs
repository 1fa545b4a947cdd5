//! What a transaction may consume, and what it offers for being taken early.

use serde::{Deserialize, Serialize};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::limits;

/// The compute-budget program, whose two instructions a [`Budget`] becomes.
pub(super) const COMPUTE_BUDGET: Pubkey = solana_pubkey::pubkey!("ComputeBudget111111111111111111111111111111");

/// Lamports for each signature of a transaction.
pub const SIGNATURE_FEE: u64 = 5_000;

/// The most by which a near deadline multiplies a price.
const MOST_URGENT: u64 = 8;

/// Tags of the compute-budget program's instructions.
const SET_LIMIT: u8 = 2;
const SET_PRICE: u8 = 3;

/// A limit on compute units and the priority fee. The fee is the limit times the price, whatever is consumed, so that a tight
/// limit saves money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Limit on compute units; `None` takes what was measured of the transaction's instructions, see
    /// [`limits::compute_limit`].
    pub compute_units: Option<u32>,
    /// Price of one compute unit in millionths of a lamport; 0 offers nothing, also near a deadline.
    pub micro_lamports_per_unit: u64,
    /// The highest price to which a near deadline may raise it, see [`Budget::near`]; at or below the price itself, 0 by
    /// default, it never rises.
    pub most_micro_lamports_per_unit: u64,
}

impl Budget {
    /// A limit and no price.
    #[must_use]
    pub fn units(compute_units: u32) -> Self {
        Self { compute_units: Some(compute_units), ..Self::default() }
    }

    /// The measured limit and this price, which a near deadline may raise as far as [`urgency`] goes.
    #[must_use]
    pub fn rising(micro_lamports_per_unit: u64) -> Self {
        let most = micro_lamports_per_unit.saturating_mul(MOST_URGENT);
        Self { compute_units: None, micro_lamports_per_unit, most_micro_lamports_per_unit: most }
    }

    /// The same for a transaction that must land within `left` slots, the rest of a window of `window` slots: the price is
    /// multiplied by [`urgency`], but does not rise above the most.
    #[must_use]
    pub fn near(self, left: u64, window: u64) -> Self {
        let raised = self.micro_lamports_per_unit.saturating_mul(urgency(left, window));
        let most = self.most_micro_lamports_per_unit.max(self.micro_lamports_per_unit);
        Self { micro_lamports_per_unit: raised.min(most), ..self }
    }

    /// Whether a near deadline raises the price.
    #[must_use]
    pub fn can_rise(self) -> bool {
        self.micro_lamports_per_unit > 0 && self.most_micro_lamports_per_unit > self.micro_lamports_per_unit
    }

    /// `instructions`, behind those that set the limit and the price.
    #[must_use]
    pub fn around(self, instructions: &[Instruction]) -> Vec<Instruction> {
        let limit = |units: u32| set(SET_LIMIT, &units.to_le_bytes());
        let price =
            (self.micro_lamports_per_unit > 0).then(|| set(SET_PRICE, &self.micro_lamports_per_unit.to_le_bytes()));
        let set_budget = 1 + u32::from(price.is_some());
        let units = self.compute_units.unwrap_or_else(|| limits::compute_limit(instructions, set_budget));
        std::iter::once(limit(units)).chain(price).chain(instructions.iter().cloned()).collect()
    }
}

/// How many times the usual price a transaction is worth, with `left` of `window` slots until its deadline: 1 while more than
/// half of the window is left, 2 from a half on, 4 from a quarter on, 8 from an eighth on. Without a window, 1.
///
/// The steps double because the fee must grow faster than a queue that grows towards everybody's deadline, and they end at 8
/// because what is at stake (a seat's bond) is bounded.
#[must_use]
pub fn urgency(left: u64, window: u64) -> u64 {
    let within = |part: u64| left <= window / part;
    match window {
        0 => 1,
        _ if within(8) => MOST_URGENT,
        _ if within(4) => 4,
        _ if within(2) => 2,
        _ => 1,
    }
}

fn set(tag: u8, value: &[u8]) -> Instruction {
    let data = std::iter::once(tag).chain(value.iter().copied()).collect();
    Instruction { program_id: COMPUTE_BUDGET, accounts: Vec::new(), data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_doubles_at_a_half_a_quarter_and_an_eighth() {
        let slots_left = [801, 800, 401, 400, 201, 200, 199, 1, 0, 5_000];
        assert_eq!(slots_left.map(|left| urgency(left, 1_600)), [1, 2, 2, 4, 4, 8, 8, 8, 8, 1]);
        assert_eq!([0, 7].map(|left| urgency(left, 0)), [1, 1]);
        assert_eq!([u64::MAX, 0].map(|left| urgency(left, u64::MAX)), [1, 8]);
    }

    #[test]
    fn the_price_never_rises_above_the_most() {
        let budget =
            Budget { micro_lamports_per_unit: 1_000, most_micro_lamports_per_unit: 5_000, ..Budget::default() };
        let price = |left| budget.near(left, 80).micro_lamports_per_unit;
        assert_eq!([80, 40, 20, 10].map(price), [1_000, 2_000, 4_000, 5_000]);
        assert!(budget.can_rise() && !Budget { most_micro_lamports_per_unit: 1_000, ..budget }.can_rise());
        assert_eq!([800, 0].map(|left| Budget::rising(7).near(left, 800).micro_lamports_per_unit), [7, 56]);
        // A most below the price does not lower it, and none at all lets nothing rise.
        for most in [0, 999] {
            let budget = Budget { most_micro_lamports_per_unit: most, ..budget };
            assert_eq!(budget.near(0, 80).micro_lamports_per_unit, 1_000);
        }
        let budget = Budget { micro_lamports_per_unit: u64::MAX, most_micro_lamports_per_unit: u64::MAX, ..budget };
        assert_eq!(budget.near(0, 80).micro_lamports_per_unit, u64::MAX);
        assert_eq!(
            Budget { most_micro_lamports_per_unit: 9, ..Budget::default() }.near(0, 80).micro_lamports_per_unit,
            0
        );
    }

    #[test]
    fn limit_and_price_come_first() {
        let other = Instruction { program_id: Pubkey::new_from_array([7; 32]), accounts: Vec::new(), data: vec![9] };
        let priced = Budget { compute_units: Some(77), micro_lamports_per_unit: 258, ..Budget::default() };
        let all = priced.around(std::slice::from_ref(&other));
        assert_eq!(
            all.iter().map(|one| one.data.clone()).collect::<Vec<_>>(),
            [vec![2, 77, 0, 0, 0], vec![3, 2, 1, 0, 0, 0, 0, 0, 0], vec![9],]
        );
        assert!(all[..2].iter().all(|one| one.program_id == COMPUTE_BUDGET));
        assert_eq!(Budget::units(77).around(&[other]).len(), 2);
    }
}
