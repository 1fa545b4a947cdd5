//! Clears a draft away.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};
use provena_royalty::state::Pool;

use crate::{
    constants::MAX_DRAFT_AGE,
    error::RegistryError,
    lineage::check_lineage,
    state::{AssetAccount, Licence, LineageAccount},
};

/// Accounts of `abandon_asset`. The licence of each direct parent follows, in the order of the edges.
#[derive(Accounts)]
pub struct AbandonAsset {
    /// Began the draft; or anybody, once it has lapsed or cannot be sealed any more.
    pub caller: Signer,
    /// The draft, closed here.
    #[account(mut, close = registrant)]
    pub asset: AssetAccount,
    /// Its lineage, closed here.
    #[account(mut, close = registrant)]
    pub lineage: LineageAccount,
    /// Its pool, which may be gone.
    #[account(address = asset.pool @ RegistryError::WrongPool)]
    pub pool: UncheckedAccount,
    /// Began the draft; gets the rent of both.
    #[account(mut, unsafe(dup), address = lineage.registrant @ RegistryError::NotRegistrant)]
    pub registrant: UncheckedAccount,
}

impl AbandonAsset {
    /// Every grant goes back to its licence. A price that was paid is the parents' revenue and does not come back.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotDraft`], [`RegistryError::WrongLineage`], [`RegistryError::NotRegistrant`],
    /// [`RegistryError::WrongParentAccounts`], [`RegistryError::WrongLicence`].
    pub fn handle(&mut self, licences: &[AccountView]) -> Result<()> {
        self.asset.require_draft()?;
        check_lineage(&self.lineage, self.asset.address())?;
        let lapsed = Slot::now()?.since(Slot(self.lineage.begun)) > MAX_DRAFT_AGE;
        let may = lapsed || *self.caller.address() == self.lineage.registrant || self.is_dead();
        require!(may, RegistryError::NotRegistrant);
        let mut licences = licences.iter();
        for edge in self.lineage.iter().filter(|edge| edge.is_direct()) {
            let account = licences.next().ok_or(RegistryError::WrongParentAccounts)?;
            // SAFETY: a licence is another kind of account than all that are declared, and the one before it was dropped.
            let mut licence = unsafe { State::<Licence>::load_mut(*account) }?;
            let granted = licence.asset == edge.parent && licence.id == edge.licence;
            require!(granted, RegistryError::WrongLicence);
            licence.take_back()?;
            licence.invariant()?;
        }
        require!(licences.next().is_none(), RegistryError::WrongParentAccounts);
        Ok(())
    }

    /// Whether it can never be sealed: else whoever takes his pool back would hold a licence's grants for a week at the price of
    /// the draft's rent.
    fn is_dead(&self) -> bool {
        let pool = State::<Pool>::load(*self.pool.account());
        pool.map_or(true, |pool| pool.assigned >= self.lineage.begun)
    }
}
