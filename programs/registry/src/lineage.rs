//! Whether an asset may call others its parents, and the record of it.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Bps, nft::holds_nft};
use provena_royalty::state::{Pool, Position};

use crate::{
    ID,
    constants::{MAX_PARENTS, seeds},
    creation::create,
    error::RegistryError,
    state::{AssetAccount, Edge, EdgeKind, Floor, Licence, LineageAccount, STATE_VERSION, check_edges, per_unit_floor},
};

/// The lineage of an asset that is being registered.
pub struct NewLineage<'a> {
    /// Signed; pays the rent.
    pub payer: &'a AccountView,
    /// Where the lineage's account shall be; absent without parents.
    pub account: Option<&'a AccountView>,
    /// The asset, its floors filled in.
    pub asset: &'a AssetAccount,
    /// Its pool.
    pub pool: &'a State<Pool>,
    /// Which version of each parent was built on.
    pub parents: &'a [u32],
    /// The parents' accounts: asset, licence and position of each, and where the licence needs consent NFT account and
    /// holder.
    pub others: &'a [AccountView],
}

/// Checks each parent and freezes what it granted into the new asset's lineage.
///
/// A parent is registered already, so no cycle can arise: the new asset itself, which is being written, Anchor refuses
/// among the accounts that follow. The asset's floors must be at least those of each parent and of its licence: else a
/// parent's floor could be undercut through a derivative of a derivative.
///
/// # Errors
///
/// [`RegistryError::WrongLineage`], [`RegistryError::TooManyParents`], [`RegistryError::WrongParentAccounts`],
/// [`RegistryError::ParentNotFound`], [`RegistryError::DuplicateParent`], [`RegistryError::AssetNotActive`],
/// [`RegistryError::UnknownParentVersion`], [`RegistryError::WrongLicence`], [`RegistryError::LicenceRetired`],
/// [`RegistryError::FloorBelowParent`], [`RegistryError::WrongPosition`], [`RegistryError::ParentShareMissing`],
/// [`RegistryError::ConsentMissing`], `WrongPda`.
pub fn record(new: &NewLineage<'_>) -> Result<()> {
    let mut others = new.others.iter();
    if new.parents.is_empty() {
        require!(new.account.is_none(), RegistryError::WrongLineage);
    } else {
        let mut lineage = create_lineage(new)?;
        for version in new.parents {
            let edge = check_parent(new, *version, &mut others)?;
            lineage.try_push(edge)?;
        }
        check_edges(lineage.as_slice())?;
        lineage.invariant()?;
    }
    require!(others.next().is_none(), RegistryError::WrongParentAccounts);
    Ok(())
}

fn create_lineage(new: &NewLineage<'_>) -> Result<LineageAccount> {
    require!(new.parents.len() <= MAX_PARENTS, RegistryError::TooManyParents);
    let asset = new.asset.address();
    let seeds: [&[u8]; 2] = [seeds::LINEAGE, asset.as_ref()];
    let account = new.account.ok_or(RegistryError::WrongLineage)?;
    let (mut lineage, bump): (LineageAccount, _) = create(new.payer, account, &seeds, new.parents.len())?;
    lineage.asset = *asset;
    lineage.direct = new.asset.direct_parents;
    lineage.bump = bump;
    lineage.version = STATE_VERSION;
    Ok(lineage)
}

fn check_parent(new: &NewLineage<'_>, version: u32, others: &mut core::slice::Iter<'_, AccountView>) -> Result<Edge> {
    let account = next(others)?;
    require!(account.owned_by(&ID), RegistryError::ParentNotFound);
    let parent = AssetAccount::load(*account)?;
    parent.require_active()?;
    require!((1..=parent.latest).contains(&version), RegistryError::UnknownParentVersion);

    let licence = State::<Licence>::load(*next(others)?)?;
    require!(licence.asset == *account.address(), RegistryError::WrongLicence);
    require!(licence.is_active(), RegistryError::LicenceRetired);
    check_floors(new.asset, &parent, &licence)?;
    check_share(next(others)?, new.pool, &parent.pool, licence.bps)?;
    if licence.needs_consent() {
        check_consent(next(others)?, next(others)?, &parent.mint)?;
    }
    Ok(Edge {
        parent: *account.address(),
        pool: parent.pool,
        licence: licence.id,
        parent_version: version,
        since: 1,
        bps: licence.bps,
        kind: EdgeKind::Direct as u8,
        padding: 0,
    })
}

fn next<'a>(accounts: &mut core::slice::Iter<'a, AccountView>) -> Result<&'a AccountView> {
    Ok(accounts.next().ok_or(RegistryError::WrongParentAccounts)?)
}

/// The asset must ask of its users at least what the parent asks of its own, and what the licence asks.
fn check_floors(asset: &AssetAccount, parent: &AssetAccount, licence: &Licence) -> Result<()> {
    let licences = Floor { mint: licence.floor_mint, per_unit: licence.floor_per_unit };
    let bps_kept = asset.floor_bps >= licence.floor_bps.max(parent.floor_bps);
    let mut asked = parent.iter().chain([&licences]);
    let kept = bps_kept && asked.all(|floor| per_unit_floor(asset.as_slice(), &floor.mint) >= floor.per_unit);
    require!(kept, RegistryError::FloorBelowParent);
    Ok(())
}

/// The parent's pool must hold at least `bps` of the new asset's pool.
fn check_share(account: &AccountView, pool: &State<Pool>, parent_pool: &Address, bps: u16) -> Result<()> {
    let position = State::<Position>::load(*account)?;
    let ours = position.pool == *pool.address() && position.holder == *parent_pool;
    require!(ours, RegistryError::WrongPosition);
    let held = position.shares.checked_mul(u64::from(Bps::FULL.get()));
    let asked = pool.total_shares.checked_mul(u64::from(bps));
    let (Some(held), Some(asked)) = (held, asked) else { return Err(RegistryError::BrokenInvariant.into()) };
    require!(held >= asked, RegistryError::ParentShareMissing);
    Ok(())
}

/// `holder` must sign and hold the NFT of `mint` in `token_account`.
fn check_consent(token_account: &AccountView, holder: &AccountView, mint: &Address) -> Result<()> {
    let consents = holder.is_signer() && holds_nft(token_account, mint, holder.address());
    require!(consents, RegistryError::ConsentMissing);
    Ok(())
}
