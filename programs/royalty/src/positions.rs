//! Creates position accounts, for the instructions that meet new holders.

use anchor_lang::{accounts::HeaderOnly, prelude::*};
use provena_common::{
    account::{NewAccount, State},
    amount::Amount,
    error::CommonError,
};

use crate::{ID, constants::POSITION_SEED, error::RoyaltyError, state::Position};

/// Creates the position of `holder` in `pool` at its derived address, without shares.
///
/// # Errors
/// [`RoyaltyError::SelfHolding`], [`RoyaltyError::DuplicateHolder`] when the account exists,
/// [`RoyaltyError::WrongPositionAddress`].
pub fn open_position(
    payer: &AccountView,
    account: &AccountView,
    pool: &Address,
    holder: &Address,
) -> Result<State<Position>> {
    require!(holder != pool, RoyaltyError::SelfHolding);
    require!(!account.owned_by(&ID), RoyaltyError::DuplicateHolder);
    let new = NewAccount {
        payer,
        account,
        program: &ID,
        owner: &ID,
        seeds: &[POSITION_SEED, pool.as_ref(), holder.as_ref()],
        len: Position::SPACE,
        extra: Amount::ZERO,
    };
    let wrong_address = ProgramError::from(CommonError::WrongPda);
    let created = new.create_state::<Position, HeaderOnly>();
    let (mut position, bump) = created
        .map_err(|error| if error == wrong_address { RoyaltyError::WrongPositionAddress.into() } else { error })?;
    position.initialize(*pool, *holder, *payer.address(), bump);
    Ok(position)
}
