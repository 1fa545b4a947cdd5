//! Lamports: rent, transfers out of a program's accounts and out of signing wallets.

use anchor_lang::{address_eq, pinocchio::instruction::InstructionAccount, prelude::*};

use crate::{
    amount::Amount,
    cpi::{invoke, write},
};

const SYSTEM_TRANSFER: u32 = 2;

/// Lamports that keep an account of `len` bytes alive, by the chain's own present rule.
///
/// # Errors
/// Those of the system call.
pub fn rent(len: usize) -> Result<Amount> {
    Ok(Amount(anchor_lang::cpi::rent_exempt_lamports(len)?))
}

/// Whether an account would be exempt from rent after receiving `amount`. The runtime refuses a transaction that leaves
/// it otherwise, and a receiver with an empty wallet must not be able to block everybody else.
///
/// # Errors
/// Those of [`rent`].
pub fn can_receive(account: &AccountView, amount: Amount) -> Result<bool> {
    Ok(Amount(account.lamports()).plus(amount)? >= rent(account.data_len())?)
}

/// Moves lamports out of an account of the calling program. Nothing happens when both are the same account.
///
/// # Errors
/// `Overflow` when `from` holds less or `to` would overflow.
#[inline(never)]
pub fn move_lamports(from: &AccountView, to: &AccountView, amount: Amount) -> Result<()> {
    if amount.is_zero() || address_eq(from.address(), to.address()) {
        return Ok(());
    }
    let (mut from, mut to) = (*from, *to);
    let left = Amount(from.lamports()).minus(amount)?;
    let sum = Amount(to.lamports()).plus(amount)?;
    from.set_lamports(left.0);
    to.set_lamports(sum.0);
    Ok(())
}

/// Transfers lamports out of a signing wallet.
///
/// # Errors
/// None of its own; the System program ends the transaction when the wallet holds less.
#[inline(never)]
pub fn transfer_from_wallet(wallet: &AccountView, to: &AccountView, amount: Amount) -> Result<()> {
    if amount.is_zero() {
        return Ok(());
    }
    let mut data = [0u8; 12];
    write(&mut data, 0, &SYSTEM_TRANSFER.to_le_bytes())?;
    write(&mut data, 4, &amount.0.to_le_bytes())?;
    let metas = [InstructionAccount::writable_signer(wallet.address()), InstructionAccount::writable(to.address())];
    invoke(&System::id(), &data, &metas, &[wallet, to], &[])
}
