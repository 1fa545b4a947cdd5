//! The market's settings.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};
use provena_common::upgrade;

use super::build;
use crate::{ID, accounts, instruction, pda};

/// `initialize_admin`; the authority must be the program's upgrade authority.
#[must_use]
pub fn initialize_admin(
    authority: Address,
    treasury: Address,
    cluster: [u8; 32],
    protocol_fee_bps: u16,
    min_stake: u64,
) -> Instruction {
    build(
        &accounts::InitializeAdmin {
            authority,
            admin: pda::admin().0,
            treasury,
            program_data: upgrade::program_data(&ID),
            system_program: System::id(),
        },
        &instruction::InitializeAdmin { cluster, protocol_fee_bps, min_stake },
    )
}

/// `propose_authority`.
#[must_use]
pub fn propose_authority(authority: Address, new: Address) -> Instruction {
    let admin = pda::admin().0;
    build(&accounts::ProposeAuthority { authority, admin }, &instruction::ProposeAuthority { new })
}

/// `accept_authority`.
#[must_use]
pub fn accept_authority(pending: Address) -> Instruction {
    build(&accounts::AcceptAuthority { pending, admin: pda::admin().0 }, &instruction::AcceptAuthority {})
}

/// `cancel_authority`.
#[must_use]
pub fn cancel_authority(authority: Address) -> Instruction {
    build(&accounts::CancelAuthority { authority, admin: pda::admin().0 }, &instruction::CancelAuthority {})
}

/// `set_pause`; the bits are those of [`pause`](crate::constants::pause).
#[must_use]
pub fn set_pause(authority: Address, bits: u32) -> Instruction {
    build(&accounts::SetPause { authority, admin: pda::admin().0 }, &instruction::SetPause { bits })
}

/// `set_treasury`.
#[must_use]
pub fn set_treasury(authority: Address, treasury: Address) -> Instruction {
    build(&accounts::SetTreasury { authority, admin: pda::admin().0, treasury }, &instruction::SetTreasury {})
}

/// `set_protocol_fee`.
#[must_use]
pub fn set_protocol_fee(authority: Address, bps: u16) -> Instruction {
    build(&accounts::SetProtocolFee { authority, admin: pda::admin().0 }, &instruction::SetProtocolFee { bps })
}

/// `set_min_stake`.
#[must_use]
pub fn set_min_stake(authority: Address, lamports: u64) -> Instruction {
    build(&accounts::SetMinStake { authority, admin: pda::admin().0 }, &instruction::SetMinStake { lamports })
}
