//! Creates position accounts, for the instructions that meet new holders.

use anchor_lang::{AccountInitialize, prelude::*};

use crate::{ID, constants::seeds, error::RoyaltyError, state::Position};

/// Creates the position of `holder` in `pool` at its derived address, without shares.
///
/// Errors: [`RoyaltyError::WrongPositionAddress`]; [`RoyaltyError::DuplicateHolder`] when the account exists.
pub fn open_position(
    payer: &AccountView,
    account: &AccountView,
    pool: &Address,
    holder: &Address,
) -> Result<Account<Position>> {
    let (address, bump) = crate::pda::position(pool, holder);
    require!(*account.address() == address, RoyaltyError::WrongPositionAddress);
    require!(!account.owned_by(&ID), RoyaltyError::DuplicateHolder);
    let bump_seed = [bump];
    let signer: [&[u8]; 4] = [seeds::POSITION, pool.as_ref(), holder.as_ref(), &bump_seed];
    let mut position =
        <Account<Position>>::create_and_initialize(payer, account, Position::SPACE, &ID, &(), Some(&signer), None)?;
    position.initialize(*pool, *holder, bump);
    Ok(position)
}
