//! Lamports that keep accounts alive.

use provena_common::account::{Layout, State};

/// Rent of so many bytes: 128 more, at 6,960 lamports each.
pub(crate) const fn rent(len: u64) -> u64 {
    (128 + len) * 6_960
}

/// Rent of a program's account with so many items behind it.
pub(crate) fn rent_of<H: Layout, T>(items: usize) -> u64 {
    rent(u64::try_from(State::<H, T>::space(items)).expect("accounts are short"))
}

pub(crate) const POOL_RENT: u64 = rent(432);
pub(crate) const INDEX_RENT: u64 = rent(440);
pub(crate) const BOOKS_RENT: u64 = rent(256);
pub(crate) const INBOX_RENT: u64 = rent(184);
pub(crate) const POSITION_RENT: u64 = rent(568);
/// A claim to content.
pub(crate) const CLAIM_RENT: u64 = 1_280_640;
