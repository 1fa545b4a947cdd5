//! The treasury's inboxes.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::{Payment, build};
use crate::{NATIVE_MINT, accounts, instruction, pda};

/// `open_treasury_inbox`; `payment` is `None` for SOL.
#[must_use]
pub fn open_treasury_inbox(payer: Address, payment: Option<Payment>, shard: u8) -> Instruction {
    let inbox = inbox(payment, shard);
    build(
        &accounts::OpenTreasuryInbox {
            payer,
            inbox,
            vault: payment.map(|_| pda::treasury_vault(&inbox).0),
            mint: payment.map(|payment| payment.mint),
            token_program: payment.map(|payment| payment.token_program),
            system_program: System::id(),
        },
        &instruction::OpenTreasuryInbox { shard },
    )
}

/// `sweep_treasury`. `treasury` is the wallet that [`Admin`](crate::state::Admin) names.
#[must_use]
pub fn sweep_treasury(treasury: Address, payment: Option<Payment>, shard: u8) -> Instruction {
    let inbox = inbox(payment, shard);
    build(
        &accounts::SweepTreasury {
            admin: pda::admin().0,
            inbox,
            treasury,
            vault: payment.map(|_| pda::treasury_vault(&inbox).0),
            treasury_token: payment.map(|payment| payment.token_account(&treasury)),
            mint: payment.map(|payment| payment.mint),
            token_program: payment.map(|payment| payment.token_program),
        },
        &instruction::SweepTreasury {},
    )
}

/// `close_treasury_inbox`.
#[must_use]
pub fn close_treasury_inbox(rent_payer: Address, payment: Option<Payment>, shard: u8) -> Instruction {
    let inbox = inbox(payment, shard);
    build(
        &accounts::CloseTreasuryInbox {
            rent_payer,
            inbox,
            vault: payment.map(|_| pda::treasury_vault(&inbox).0),
            mint: payment.map(|payment| payment.mint),
            token_program: payment.map(|payment| payment.token_program),
        },
        &instruction::CloseTreasuryInbox {},
    )
}

fn inbox(payment: Option<Payment>, shard: u8) -> Address {
    let mint = payment.map_or(NATIVE_MINT, |payment| payment.mint);
    pda::treasury_inbox(&mint, shard).0
}
