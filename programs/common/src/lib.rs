//! What all Provena programs share; no program keeps a copy of it.
//!
//! Amounts and wide sums ([`amount`], [`wide`], [`slot`]), checked accounts ([`account`](mod@account)), lamports ([`money`]), tokens of both token
//! programs ([`token`], [`nft`]; for clients [`currency`]), the one call of another program ([`cpi`]), the admin's rights ([`admin`], [`upgrade`]), derived
//! addresses ([`pda`]) and errors ([`error`]). Builds for the host and for the chain, where neither floats nor a division of
//! 128 bits exist.

#![no_std]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

#[cfg(test)]
extern crate std;

use anchor_lang::prelude::*;

pub mod account;
pub mod admin;
pub mod amount;
pub mod cpi;
#[cfg(not(target_os = "solana"))]
pub mod currency;
pub mod error;
pub mod money;
pub mod nft;
pub mod pda;
pub mod slot;
pub mod token;
pub mod upgrade;
pub mod wide;

/// SOL, written as a mint: the all-zero address.
pub const NATIVE_MINT: Address = Address::new_from_array([0; 32]);
