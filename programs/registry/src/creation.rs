//! Creates accounts of this program.

use anchor_lang::prelude::*;
use provena_common::{
    account::{Layout, NewAccount, State},
    amount::Amount,
};

use crate::ID;

/// Creates an account with room for so many items at the address of `seeds`, and returns it with its bump. `payer`
/// signed. Fill it, its bump and version included.
///
/// # Errors
///
/// `WrongPda`; the System program's where the account exists already.
pub(crate) fn create<H: Layout, T>(
    payer: &AccountView,
    account: &AccountView,
    seeds: &[&[u8]],
    items: usize,
) -> Result<(State<H, T>, u8)> {
    let len = State::<H, T>::space(items);
    NewAccount { payer, account, program: &ID, owner: &ID, seeds, len, extra: Amount::ZERO }.create_state()
}
