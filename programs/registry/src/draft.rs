//! What is asked of a draft before anything is done with it.

use anchor_lang::prelude::*;
use provena_royalty::state::Pool;

use crate::{
    error::RegistryError,
    state::{Asset, Lineage},
};

/// Passes for its registrant, as long as nobody was made or unmade a holder of its pool since it was begun. Else a registrant
/// could show the parents' pools their shares, take them back, and seal.
///
/// # Errors
///
/// [`RegistryError::NotDraft`], [`RegistryError::NotRegistrant`], [`RegistryError::PoolChanged`].
pub(crate) fn check_draft(asset: &Asset, lineage: &Lineage, pool: &Pool, registrant: &Address) -> Result<()> {
    asset.require_draft()?;
    require!(lineage.registrant == *registrant, RegistryError::NotRegistrant);
    require!(pool.is_sealed() && pool.assigned < lineage.begun, RegistryError::PoolChanged);
    Ok(())
}
