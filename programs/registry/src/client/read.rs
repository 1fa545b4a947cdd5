//! Accounts from their bytes, with the checks of the program but for the owner, which the caller knows.

use anchor_lang::{
    bytemuck::{Pod, pod_read_unaligned},
    prelude::*,
};
use provena_common::{account::Layout, account::State, error::CommonError};

use crate::state::{Asset, Edge, Floor, Lineage};

/// An account without items.
///
/// # Errors
///
/// `InvalidAccountData` for another kind of account, `AccountLength`, `StateVersion`.
pub fn decode<H: Layout>(data: &[u8]) -> Result<H> {
    let header = header::<H>(data)?;
    require!(data.len() == State::<H>::space(0), CommonError::AccountLength);
    Ok(header)
}

/// An asset and its floors.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_asset(data: &[u8]) -> Result<(Asset, Vec<Floor>)> {
    decode_with_items(data)
}

/// A lineage and its edges.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_lineage(data: &[u8]) -> Result<(Lineage, Vec<Edge>)> {
    decode_with_items(data)
}

fn decode_with_items<H: Layout, T: Pod>(data: &[u8]) -> Result<(H, Vec<T>)> {
    let header = header::<H>(data)?;
    let items_at = State::<H, T>::space(0);
    let items = data.get(items_at..).ok_or(CommonError::AccountLength)?;
    let count_at = H::DISCRIMINATOR.len().saturating_add(size_of::<H>());
    let count = data.get(count_at..).and_then(|tail| tail.first_chunk::<4>()).ok_or(CommonError::AccountLength)?;
    let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| CommonError::AccountLength)?;
    require!(data.len() == State::<H, T>::space(count), CommonError::AccountLength);
    let items = items.chunks_exact(size_of::<T>()).map(pod_read_unaligned).collect();
    Ok((header, items))
}

fn header<H: Layout>(data: &[u8]) -> Result<H> {
    let body = data.strip_prefix(H::DISCRIMINATOR).ok_or(ProgramError::InvalidAccountData)?;
    let body = body.get(..size_of::<H>()).ok_or(CommonError::AccountLength)?;
    let header: H = pod_read_unaligned(body);
    require!(header.version() == H::VERSION, CommonError::StateVersion);
    Ok(header)
}
