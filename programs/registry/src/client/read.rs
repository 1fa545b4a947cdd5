//! Accounts from their bytes, with the checks of the program but for the owner, which the caller knows.

use anchor_lang::prelude::*;
pub use provena_common::account::decode;
use provena_common::account::decode_with_items;

use crate::state::{Asset, Edge, Floor, Lineage};

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
