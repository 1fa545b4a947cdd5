//! The authority's instructions.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::build;
use crate::{ID, accounts, instruction, pda};

/// `initialize_admin`; the authority must be the program's upgrade authority.
#[must_use]
pub fn initialize_admin(authority: &Address) -> Instruction {
    let accounts = accounts::InitializeAdmin {
        authority: *authority,
        admin: pda::admin().0,
        program_data: provena_common::upgrade::program_data(&ID),
        system_program: System::id(),
    };
    build(&accounts, &instruction::InitializeAdmin {})
}

/// `propose_authority`.
#[must_use]
pub fn propose_authority(authority: &Address, new: &Address) -> Instruction {
    let accounts = accounts::ProposeAuthority { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::ProposeAuthority { new: *new })
}

/// `accept_authority`, by the one proposed.
#[must_use]
pub fn accept_authority(authority: &Address) -> Instruction {
    let accounts = accounts::AcceptAuthority { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::AcceptAuthority {})
}

/// `cancel_authority`.
#[must_use]
pub fn cancel_authority(authority: &Address) -> Instruction {
    let accounts = accounts::CancelAuthority { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::CancelAuthority {})
}

/// `set_pause`.
#[must_use]
pub fn set_pause(authority: &Address, bits: u32) -> Instruction {
    let accounts = accounts::SetPause { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::SetPause { bits })
}

/// `allow_mint`.
#[must_use]
pub fn allow_mint(authority: &Address, mint: &Address) -> Instruction {
    let accounts = accounts::AllowMint { authority: *authority, admin: pda::admin().0, mint: *mint };
    build(&accounts, &instruction::AllowMint {})
}

/// `disallow_mint`.
#[must_use]
pub fn disallow_mint(authority: &Address, mint: &Address) -> Instruction {
    let accounts = accounts::DisallowMint { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::DisallowMint { mint: *mint })
}
