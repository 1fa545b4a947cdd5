//! Who may set a program up: whoever may upgrade it, so that nobody can get in between a deployment and its settings.

use anchor_lang::prelude::*;

use crate::error::CommonError;

/// The loader that holds upgradeable programs.
pub const UPGRADEABLE_LOADER: Address = Address::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");

/// What a program's data account begins with: its kind, the slot of its deployment, and perhaps an authority.
const PROGRAM_DATA: [u8; 4] = 3u32.to_le_bytes();
const HAS_AUTHORITY: usize = 12;
const AUTHORITY: usize = 13;

/// The account that holds a program's bytecode and names its upgrade authority.
#[must_use]
pub fn program_data(program: &Address) -> Address {
    find_program_address(&[program.as_ref()], &UPGRADEABLE_LOADER).0
}

/// Checks that `signer` may upgrade `program`, whose data account this is. A program that nobody can upgrade any more may
/// be set up by anybody: set a program up before it is made final.
///
/// # Errors
/// [`CommonError::NotUpgradeAuthority`].
pub fn check_upgrade_authority(account: &AccountView, program: &Address, signer: &Address) -> Result<()> {
    require!(may_initialize(account, program, signer)?, CommonError::NotUpgradeAuthority);
    Ok(())
}

fn may_initialize(account: &AccountView, program: &Address, signer: &Address) -> Result<bool> {
    if *account.address() != program_data(program) {
        return Ok(false);
    }
    let data = account.try_borrow()?;
    if !data.starts_with(&PROGRAM_DATA) {
        return Ok(false);
    }
    let authority = data.get(AUTHORITY..).and_then(|tail| tail.first_chunk::<32>());
    Ok(match data.get(HAS_AUTHORITY) {
        Some(0) => true,
        Some(1) => authority == Some(signer.as_array()),
        _ => false,
    })
}
