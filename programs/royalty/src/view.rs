//! Questions about the accounts that the program, the other programs and clients answer with the same code.

use provena_common::{amount::Amount, slot::Slot};

use crate::state::{Books, Index, Position};

/// Base units that a position could claim at `now` in one mint; zero when the accounts belong to different pools.
#[must_use]
pub fn owed(index: &Index, books: &Books, position: &Position, now: Slot) -> Amount {
    if position.pool != index.pool || books.pool != index.pool {
        return Amount::ZERO;
    }
    let mut settled = *position;
    settled.take(index, books.index, now, Amount(u64::MAX)).unwrap_or(Amount::ZERO)
}

/// Base units booked in one mint that no position can claim at `now`, because they are released later.
#[must_use]
pub fn unreleased(index: &Index, books: &Books, now: Slot) -> Amount {
    let entry = index.entry(books.index);
    entry.and_then(|entry| entry.unreleased_at(now, index.window)).unwrap_or(Amount::ZERO)
}

/// Base units that `balance` holds beyond what is booked, which the next `sync` would book.
///
/// `balance` is the vault's token amount, or for SOL the lamports of the books' account above its `rent`.
#[must_use]
pub fn unbooked(books: &Books, balance: Amount) -> Amount {
    balance.less(Amount(books.held))
}

/// Whole basis points of a pool that `shares` of `total_shares` amount to.
#[must_use]
pub fn basis_points(shares: u64, total_shares: u64) -> u16 {
    let parts = shares.saturating_mul(10_000).checked_div(total_shares);
    parts.and_then(|bps| u16::try_from(bps).ok()).unwrap_or(0)
}
