//! Ends granting by a licence.

use anchor_lang::prelude::*;
use provena_common::{account::State, nft::check_holder};

use crate::{
    error::RegistryError,
    events::LicenceRetired,
    state::{AssetAccount, Licence},
};

/// Accounts of `retire_licence`.
#[derive(Accounts)]
pub struct RetireLicence {
    /// Holds the asset's NFT.
    pub holder: Signer,
    /// The asset that was licensed.
    pub asset: AssetAccount,
    /// The holder's token account with the NFT.
    pub nft: UncheckedAccount,
    /// Its licence.
    #[account(
        mut,
        constraint = licence.asset == *asset.address() @ RegistryError::WrongLicence
    )]
    pub licence: State<Licence>,
}

impl RetireLicence {
    /// What was granted before stays granted. The account stays, too, so that its number never comes back.
    ///
    /// # Errors
    ///
    /// `NotNftHolder`, [`RegistryError::WrongLicence`], [`RegistryError::LicenceRetired`].
    pub fn handle(&mut self) -> Result<()> {
        check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        self.licence.retire()?;
        emit!(LicenceRetired { asset: *self.asset.address(), licence: *self.licence.address() });
        self.licence.invariant()
    }
}
