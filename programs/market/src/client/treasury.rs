//! The treasury's inboxes.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::{Currency, build, token_mint, token_program};
use crate::{accounts, instruction, pda};

/// `open_treasury_inbox`.
#[must_use]
pub fn open_treasury_inbox(payer: Address, currency: Currency, shard: u8) -> Instruction {
    let inbox = inbox(currency, shard);
    build(
        &accounts::OpenTreasuryInbox {
            payer,
            inbox,
            vault: token_mint(currency).map(|_| pda::treasury_vault(&inbox).0),
            mint: token_mint(currency),
            token_program: token_program(currency),
            system_program: System::id(),
        },
        &instruction::OpenTreasuryInbox { shard },
    )
}

/// `sweep_treasury`. `treasury` is the wallet that [`Admin`](crate::state::Admin) names.
#[must_use]
pub fn sweep_treasury(treasury: Address, currency: Currency, shard: u8) -> Instruction {
    let inbox = inbox(currency, shard);
    build(
        &accounts::SweepTreasury {
            admin: pda::admin().0,
            inbox,
            treasury,
            vault: token_mint(currency).map(|_| pda::treasury_vault(&inbox).0),
            treasury_token: token_mint(currency).map(|_| currency.account_of(&treasury)),
            mint: token_mint(currency),
            token_program: token_program(currency),
        },
        &instruction::SweepTreasury {},
    )
}

/// `close_treasury_inbox`.
#[must_use]
pub fn close_treasury_inbox(rent_payer: Address, currency: Currency, shard: u8) -> Instruction {
    let inbox = inbox(currency, shard);
    build(
        &accounts::CloseTreasuryInbox {
            rent_payer,
            inbox,
            vault: token_mint(currency).map(|_| pda::treasury_vault(&inbox).0),
            mint: token_mint(currency),
            token_program: token_program(currency),
        },
        &instruction::CloseTreasuryInbox {},
    )
}

fn inbox(currency: Currency, shard: u8) -> Address {
    pda::treasury_inbox(&currency.mint(), shard).0
}
