//! Accounts as bytes, for clients of the chain.

extern crate alloc;

use alloc::vec::Vec;

use anchor_lang::prelude::*;
use bytemuck::Pod;

use super::{COUNT_LEN, DISCRIMINATOR_LEN, Layout, State};
use crate::error::CommonError;

/// Reads an account without items, as strictly as the programs do.
///
/// # Errors
/// Anchor's for another discriminator; [`CommonError::AccountLength`], [`CommonError::StateVersion`].
pub fn decode<H: Layout>(data: &[u8]) -> Result<H> {
    require!(data.len() == <State<H>>::space(0), CommonError::AccountLength);
    header(data)
}

/// Reads an account and its items, as strictly as the programs do.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_with_items<H: Layout, T: Pod>(data: &[u8]) -> Result<(H, Vec<T>)> {
    let count = data.get(DISCRIMINATOR_LEN.saturating_add(size_of::<H>())..);
    let count = count.and_then(|tail| tail.first_chunk::<COUNT_LEN>()).ok_or(CommonError::AccountLength)?;
    let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| CommonError::AccountLength)?;
    require!(data.len() == State::<H, T>::space(count), CommonError::AccountLength);
    let items = data.get(State::<H, T>::space(0)..).ok_or(CommonError::AccountLength)?;
    Ok((header(data)?, items.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()))
}

/// The bytes of an account without items as they are stored, discriminator first.
#[must_use]
pub fn encode<H: Layout>(account: &H) -> Vec<u8> {
    [H::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

fn header<H: Layout>(data: &[u8]) -> Result<H> {
    let (discriminator, rest) = data.split_at_checked(DISCRIMINATOR_LEN).ok_or(CommonError::AccountLength)?;
    require!(discriminator == H::DISCRIMINATOR, ProgramError::InvalidAccountData);
    let header: H = bytemuck::pod_read_unaligned(rest.get(..size_of::<H>()).ok_or(CommonError::AccountLength)?);
    require!(header.version() == H::VERSION, CommonError::StateVersion);
    Ok(header)
}
