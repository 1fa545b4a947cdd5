//! Shares that change hands.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::build;
use crate::{accounts, instruction, pda};

/// `transfer_shares` by the holder, who pays for the recipient's position.
#[must_use]
pub fn transfer_shares(holder: &Address, recipient: &Address, pool: &Address, shares: u64) -> Instruction {
    transfer_shares_by(holder, holder, recipient, pool, shares)
}

/// `transfer_shares` out of `holder`'s position by `authority`: the holder or its delegate, who pays for the recipient's
/// position.
#[must_use]
pub fn transfer_shares_by(
    authority: &Address,
    holder: &Address,
    recipient: &Address,
    pool: &Address,
    shares: u64,
) -> Instruction {
    let accounts = accounts::TransferShares {
        authority: *authority,
        payer: *authority,
        index: pda::index(pool).0,
        from: pda::position(pool, holder).0,
        recipient: *recipient,
        to: pda::position(pool, recipient).0,
        system_program: System::id(),
    };
    build(&accounts, &instruction::TransferShares { shares })
}

/// `approve`.
#[must_use]
pub fn approve(holder: &Address, pool: &Address, delegate: &Address, shares: u64) -> Instruction {
    let accounts = accounts::Approve { holder: *holder, position: pda::position(pool, holder).0 };
    build(&accounts, &instruction::Approve { delegate: *delegate, shares })
}

/// `revoke`.
#[must_use]
pub fn revoke(holder: &Address, pool: &Address) -> Instruction {
    let accounts = accounts::Revoke { holder: *holder, position: pda::position(pool, holder).0 };
    build(&accounts, &instruction::Revoke {})
}

/// `close_position` of `holder`, whose rent `rent_payer` paid; `authority` is one of the two.
#[must_use]
pub fn close_position(authority: &Address, holder: &Address, rent_payer: &Address, pool: &Address) -> Instruction {
    let accounts = accounts::ClosePosition {
        authority: *authority,
        position: pda::position(pool, holder).0,
        rent_payer: *rent_payer,
    };
    build(&accounts, &instruction::ClosePosition {})
}
