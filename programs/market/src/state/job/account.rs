//! Header and seats as they lie in one account.

use anchor_lang::prelude::*;
use provena_common::account::{DISCRIMINATOR_LEN, Layout, State};

use super::Job;
use crate::{error::MarketError, state::Seat};

/// A job's account: the header and its seats.
pub type JobAccount = State<Job, Seat>;

/// Header and seats of a loaded account, to be changed together.
pub fn parts(account: &mut JobAccount) -> (&mut Job, &mut [Seat]) {
    let seats: *mut [Seat] = account.as_mut_slice();
    // SAFETY: the slice stays valid as long as the account is borrowed, which both results keep it; the header lies before
    // the seats in the account's data, so that the two never overlap.
    (account, unsafe { &mut *seats })
}

/// Begins an account of a header and `items` items in an account that was created just now with the right size; header and
/// items are zeros.
///
/// # Errors
/// `BrokenInvariant` for a size that cannot be.
pub fn begin<H: Layout, T>(view: &AccountView, items: usize) -> Result<State<H, T>> {
    let mut view = *view;
    let count = u32::try_from(items).map_err(|_| MarketError::BrokenInvariant)?;
    {
        let mut data = view.try_borrow_mut()?;
        let behind = DISCRIMINATOR_LEN.saturating_add(size_of::<H>());
        for (at, bytes) in [(0, H::DISCRIMINATOR), (behind, &count.to_le_bytes()[..])] {
            let target = data.get_mut(at..).and_then(|tail| tail.get_mut(..bytes.len()));
            target.ok_or(MarketError::BrokenInvariant)?.copy_from_slice(bytes);
        }
    }
    // SAFETY: nothing else refers to the data of an account that was created just now.
    unsafe { State::load_mut_after_init(view) }
}
