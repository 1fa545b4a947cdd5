//! The treasury's inboxes.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::{Currency, build};
use crate::{accounts, instruction, pda};

/// `open_treasury_inbox`.
#[must_use]
pub fn open_treasury_inbox(payer: Address, currency: Currency, shard: u8) -> Instruction {
    let inbox = inbox(currency, shard);
    build(
        &accounts::OpenTreasuryInbox {
            payer,
            inbox,
            vault: currency.token_mint().map(|_| pda::treasury_vault(&inbox).0),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
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
            vault: currency.token_mint().map(|_| pda::treasury_vault(&inbox).0),
            treasury_token: currency.token_account(&treasury),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
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
            vault: currency.token_mint().map(|_| pda::treasury_vault(&inbox).0),
            mint: currency.token_mint(),
            token_program: currency.token_program(),
        },
        &instruction::CloseTreasuryInbox {},
    )
}

fn inbox(currency: Currency, shard: u8) -> Address {
    pda::treasury_inbox(&currency.mint(), shard).0
}
