//! Whether an asset may call others its parents, and the record of it.

use anchor_lang::prelude::*;
use provena_common::account::State;
use provena_royalty::state::Pool;

pub(crate) use grant::{Grant, check_share};
pub(crate) use price::PricePaid;

use crate::{
    ID,
    constants::{MAX_PARENTS, seeds},
    creation::create,
    error::RegistryError,
    state::{AssetAccount, Growing, Licence, Lineage, LineageAccount, STATE_VERSION},
};

mod grant;
mod price;

/// The lineage of an asset that is being registered in one step.
pub struct NewLineage<'a> {
    /// Signed; pays the rent.
    pub payer: &'a AccountView,
    /// Where the lineage's account shall be; absent without parents.
    pub account: Option<&'a AccountView>,
    /// The asset's pool.
    pub pool: &'a State<Pool>,
    /// Which version of each parent was built on.
    pub parents: &'a [u32],
    /// The parents' accounts: asset, licence and position of each, and where the licence needs consent NFT account and
    /// holder.
    pub others: &'a [AccountView],
}

/// Checks each parent and copies what it granted into the new asset's lineage. Parents that want to be paid at once or whose own
/// ancestors are to be inherited need a draft.
///
/// A parent is registered already, so no cycle can arise: the new asset itself, which is being written, Anchor refuses
/// among the accounts that follow. The asset's floors must be at least those of each parent and of its licence: else a
/// parent's floor could be undercut through a derivative of a derivative.
///
/// # Errors
///
/// [`RegistryError::WrongLineage`], [`RegistryError::WrongParentAccounts`], [`RegistryError::ParentNotFound`],
/// [`RegistryError::PriceDue`], [`RegistryError::InheritanceDue`]; those of `Grant::edge` and [`Growing::add_direct`];
/// `WrongPda`.
pub fn record(new: &NewLineage<'_>, asset: &mut AssetAccount) -> Result<()> {
    let mut others = new.others.iter();
    if new.parents.is_empty() {
        require!(new.account.is_none(), RegistryError::WrongLineage);
    } else {
        require!(new.parents.len() <= MAX_PARENTS, RegistryError::TooManyParents);
        let account = new.account.ok_or(RegistryError::WrongLineage)?;
        let mut lineage = create_lineage(new.payer, account, asset.address(), new.parents.len())?;
        for version in new.parents {
            add_parent(new, asset, &mut lineage, *version, &mut others)?;
        }
        lineage.invariant()?;
    }
    require!(others.next().is_none(), RegistryError::WrongParentAccounts);
    Ok(())
}

/// Creates the lineage of an asset with room for so many edges.
pub(crate) fn create_lineage(
    payer: &AccountView,
    account: &AccountView,
    asset: &Address,
    edges: usize,
) -> Result<LineageAccount> {
    let seeds: [&[u8]; 2] = [seeds::LINEAGE, asset.as_ref()];
    let (mut lineage, bump): (LineageAccount, _) = create(payer, account, &seeds, edges)?;
    lineage.asset = *asset;
    lineage.bump = bump;
    lineage.version = STATE_VERSION;
    Ok(lineage)
}

/// Whether a lineage is this asset's.
pub(crate) fn check_lineage(lineage: &Lineage, asset: &Address) -> Result<()> {
    require!(lineage.asset == *asset, RegistryError::WrongLineage);
    Ok(())
}

fn add_parent(
    new: &NewLineage<'_>,
    asset: &mut AssetAccount,
    lineage: &mut LineageAccount,
    version: u32,
    others: &mut core::slice::Iter<'_, AccountView>,
) -> Result<()> {
    let account = next(others)?;
    require!(account.owned_by(&ID), RegistryError::ParentNotFound);
    let parent = AssetAccount::load(*account)?;
    require!(parent.absolute_parents == 0, RegistryError::InheritanceDue);
    // SAFETY: a licence is another kind of account than all that are declared, and the one before it was dropped.
    let mut licence = unsafe { State::<Licence>::load_mut(*next(others)?) }?;
    require!(licence.price == 0, RegistryError::PriceDue);
    let position = next(others)?;
    let consent = if licence.needs_consent() { Some((next(others)?, next(others)?)) } else { None };
    let grant = Grant { child: asset, pool: new.pool, parent: &parent, position, consent, version };
    let edge = grant.edge(&mut licence)?;
    Growing { asset, lineage, payer: new.payer }.add_direct(edge)
}

fn next<'a>(accounts: &mut core::slice::Iter<'a, AccountView>) -> Result<&'a AccountView> {
    Ok(accounts.next().ok_or(RegistryError::WrongParentAccounts)?)
}
