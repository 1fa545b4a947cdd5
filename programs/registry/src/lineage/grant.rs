//! What a parent grants to one derivative.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Bps, nft::holds_nft, slot::Slot};
use provena_royalty::state::{Pool, Position};

use crate::{
    constants::uses,
    error::RegistryError,
    state::{AssetAccount, Edge, EdgeKind, Floor, Licence, per_unit_floor},
};

/// A derivative asks for a grant.
pub(crate) struct Grant<'a> {
    /// The derivative, its floors filled in.
    pub(crate) child: &'a AssetAccount,
    /// The derivative's pool.
    pub(crate) pool: &'a State<Pool>,
    /// What it was made from.
    pub(crate) parent: &'a AssetAccount,
    /// The position of the parent's pool in the derivative's.
    pub(crate) position: &'a AccountView,
    /// A token account with the parent's NFT, and its owner; where the licence needs consent.
    pub(crate) consent: Option<(&'a AccountView, &'a AccountView)>,
    /// The parent's version that was built on.
    pub(crate) version: u32,
}

impl Grant<'_> {
    /// Checks the grant, counts it in the licence, and returns its copy. The price is not looked at.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AssetNotActive`], [`RegistryError::UnknownParentVersion`], [`RegistryError::WrongLicence`],
    /// [`RegistryError::UseNotAllowed`] where the parent's own licences forbid derivatives, [`RegistryError::FloorBelowParent`],
    /// [`RegistryError::WrongParentAccounts`], [`RegistryError::ConsentMissing`]; those of [`Licence::grant`] and
    /// [`check_share`].
    pub(crate) fn edge(&self, licence: &mut State<Licence>) -> Result<Edge> {
        let parent = self.parent;
        parent.require_active()?;
        require!((1..=parent.latest).contains(&self.version), RegistryError::UnknownParentVersion);
        require!(licence.asset == *parent.address(), RegistryError::WrongLicence);
        licence.grant(Slot::now()?)?;
        require!(parent.allows(uses::DERIVE), RegistryError::UseNotAllowed);
        self.check_floors(licence)?;
        check_share(self.position, self.pool, &parent.pool, licence.bps)?;
        self.check_consent(licence)?;
        licence.invariant()?;
        Ok(Edge {
            parent: *parent.address(),
            pool: parent.pool,
            licence: licence.id,
            parent_version: self.version,
            since: self.child.version_for_parents()?,
            uses: licence.uses & parent.uses,
            bps: licence.bps,
            kind: EdgeKind::Direct as u8,
            absolute: u8::from(licence.is_absolute()),
            to_inherit: if parent.absolute_parents > 0 { parent.edges() } else { 0 },
            inherited: 0,
            padding: [0; 2],
        })
    }

    /// The derivative must ask of its users at least what the parent asks of its own, and what the licence asks.
    fn check_floors(&self, licence: &Licence) -> Result<()> {
        let (child, parent) = (self.child, self.parent);
        let licences = Floor { mint: licence.floor_mint, per_unit: licence.floor_per_unit };
        let bps_kept = child.floor_bps >= licence.floor_bps.max(parent.floor_bps);
        let mut asked = parent.iter().chain([&licences]);
        let kept = bps_kept && asked.all(|floor| per_unit_floor(child.as_slice(), &floor.mint) >= floor.per_unit);
        require!(kept, RegistryError::FloorBelowParent);
        Ok(())
    }

    /// Whoever holds the parent's NFT must sign exactly where the licence wants it.
    fn check_consent(&self, licence: &Licence) -> Result<()> {
        match self.consent {
            None => {
                require!(!licence.needs_consent(), RegistryError::ConsentMissing);
            }
            Some((token_account, holder)) => {
                require!(licence.needs_consent(), RegistryError::WrongParentAccounts);
                let mint = &self.parent.mint;
                let consents = holder.is_signer() && holds_nft(token_account, mint, holder.address());
                require!(consents, RegistryError::ConsentMissing);
            }
        }
        Ok(())
    }
}

/// The ancestor's pool must hold at least `bps` of the derivative's pool; for nothing it needs no position.
///
/// # Errors
///
/// [`RegistryError::WrongPosition`], [`RegistryError::ParentShareMissing`].
pub(crate) fn check_share(account: &AccountView, pool: &State<Pool>, ancestor_pool: &Address, bps: u16) -> Result<()> {
    if bps == 0 {
        return Ok(());
    }
    let position = State::<Position>::load(*account)?;
    let ours = position.pool == *pool.address() && position.holder == *ancestor_pool;
    require!(ours, RegistryError::WrongPosition);
    let held = position.shares.checked_mul(u64::from(Bps::FULL.get()));
    let asked = pool.total_shares.checked_mul(u64::from(bps));
    let (Some(held), Some(asked)) = (held, asked) else { return Err(RegistryError::BrokenInvariant.into()) };
    require!(held >= asked, RegistryError::ParentShareMissing);
    Ok(())
}
