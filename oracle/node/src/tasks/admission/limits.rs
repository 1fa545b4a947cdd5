//! What a node takes on: the operator's limits.

use std::collections::HashMap;
use std::time::Duration;

use provena_client::chain::SIGNATURE_FEE;
use provena_market::constants::MIN_WINDOW;
use solana_pubkey::Pubkey;

/// Base units in which a mint's rate is given.
const RATE_UNITS: u128 = 1_000_000;

/// What a node takes on at most, and for how little. Whoever makes an offer sets its terms, whoever posts a job its
/// number, and a late node loses its bond: without limits an offer could be made to be failed, to hold the stake for days,
/// or to cost more than it brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest bond of one seat, in lamports.
    pub max_bond: u64,
    /// Shortest time to commit, and to reveal, in slots.
    pub min_window: u32,
    /// Longest time from posting to the last reveal, in slots: all windows together.
    pub max_windows: u64,
    /// Least pay of a node for a job, in lamports, above what its transactions cost.
    pub min_profit: u64,
    /// Least pay for holding a bond, in millionths of the bond: what the stake earns while it can serve nobody else.
    pub bond_ppm: u64,
    /// Most that a transaction can pay for its priority, in lamports.
    pub priority_fee: u64,
    /// Lamports that a million base units of a mint are worth to the operator. A mint that is not here is declined.
    pub rates: HashMap<Pubkey, u64>,
    /// Seats that are held at the same time and not decided, those that wait for other nodes included.
    pub max_jobs: usize,
    /// Part of the stake and of `max_jobs` that the jobs of one payer may hold, in percent.
    pub payer_percent: u64,
    /// Part that the jobs of one offer may hold, in percent.
    pub offer_percent: u64,
    /// Part that jobs of several seats may hold, which wait for other nodes, in percent.
    pub waiting_percent: u64,
    /// The longest that a job of one seat may take to be computed before its seat is taken; zero takes seats first.
    pub at_once: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bond: 1_000_000_000,
            min_window: MIN_WINDOW,
            max_windows: 9_000,
            min_profit: 0,
            bond_ppm: 100,
            priority_fee: 0,
            rates: HashMap::new(),
            max_jobs: 256,
            payer_percent: 50,
            offer_percent: 75,
            waiting_percent: 50,
            at_once: Duration::from_millis(500),
        }
    }
}

impl Limits {
    /// The least that a seat must pay this node, in lamports: its transactions, the time of its bond, and the profit.
    #[must_use]
    pub fn least_pay(&self, seats: usize, bond: u64) -> u64 {
        // Taking the seat, the answer or commitment and reveal, collecting.
        let transactions = if seats > 1 { 4 } else { 3 };
        let fees = SIGNATURE_FEE.saturating_add(self.priority_fee).saturating_mul(transactions);
        let held = u128::from(bond) * u128::from(self.bond_ppm) / RATE_UNITS;
        fees.saturating_add(u64::try_from(held).unwrap_or(u64::MAX)).saturating_add(self.min_profit)
    }

    /// What base units of `mint` are worth, in lamports; `None` where the operator takes none.
    #[must_use]
    pub fn worth(&self, mint: &Pubkey, amount: u64) -> Option<u64> {
        if *mint == provena_market::NATIVE_MINT {
            return Some(amount);
        }
        let rate = self.rates.get(mint)?;
        Some(u64::try_from(u128::from(amount) * u128::from(*rate) / RATE_UNITS).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_must_pay_for_its_transactions_and_for_the_time_of_its_bond() {
        let limits = Limits::default();
        assert_eq!(limits.least_pay(1, 0), 15_000);
        assert_eq!(limits.least_pay(2, 0), 20_000);
        // A hundredth of a percent of 1 SOL.
        assert_eq!(limits.least_pay(1, 1_000_000_000), 115_000);
        let dear = Limits { priority_fee: 1_000, min_profit: 7, ..limits };
        assert_eq!(dear.least_pay(5, 0), 24_007);
        assert_eq!(Limits { bond_ppm: u64::MAX, ..dear }.least_pay(1, u64::MAX), u64::MAX);
    }

    #[test]
    fn a_mint_is_worth_what_the_operator_says_and_nothing_otherwise() {
        let mint = Pubkey::new_from_array([7; 32]);
        let limits = Limits { rates: [(mint, 6_500_000)].into(), ..Limits::default() };
        assert_eq!(limits.worth(&mint, 1_000_000), Some(6_500_000));
        assert_eq!(limits.worth(&mint, 1), Some(6));
        assert_eq!(limits.worth(&mint, u64::MAX), Some(u64::MAX));
        assert_eq!(limits.worth(&provena_market::NATIVE_MINT, 5), Some(5));
        assert_eq!(limits.worth(&Pubkey::new_from_array([8; 32]), 1_000_000), None);
    }
}
