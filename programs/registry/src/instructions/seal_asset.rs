//! Turns a draft into an asset: its first version is recorded and its NFT minted.

use anchor_lang::prelude::*;

use crate::{
    artifact::{ContentReveal, Recipe},
    constants::pause,
    draft::check_draft,
    error::RegistryError,
    lineage::check_lineage,
    registration::{NftText, Register},
    state::{AssetAccount, AssetStatus, LineageAccount},
};

impl Register {
    /// # Errors
    ///
    /// `Paused`, `WrongPda`, [`RegistryError::WrongLineage`], [`RegistryError::WrongDraft`], [`RegistryError::InheritanceDue`],
    /// [`RegistryError::WrongParentAccounts`]; those of `check_draft`, [`NftText::validate`] and
    /// [`NewVersion::record`](crate::artifact::NewVersion::record).
    pub fn seal(
        &mut self,
        text: &NftText,
        content: ContentReveal,
        recipe: Option<Recipe>,
        others: &[AccountView],
    ) -> Result<()> {
        self.admin.control.check_running(pause::REGISTER)?;
        text.validate()?;
        require!(others.is_empty(), RegistryError::WrongParentAccounts);
        // SAFETY: the account is declared `mut`, so that Anchor has refused the instruction if any other declared account is
        // the same one; nothing else refers to its data.
        let mut asset = unsafe { AssetAccount::load_mut(*self.asset.account()) }?;
        require!(asset.mint == *self.mint.address(), RegistryError::WrongDraft);
        let account = self.lineage.as_ref().ok_or(RegistryError::WrongLineage)?;
        let lineage = LineageAccount::load(*account.account())?;
        check_lineage(&lineage, asset.address())?;
        check_draft(&asset, &lineage, &self.pool, self.creator.address())?;
        require!(asset.pending == 0, RegistryError::InheritanceDue);
        asset.status = AssetStatus::Active as u8;
        asset.invariant()?;
        self.record_version(asset.kind()?, content, recipe)?;
        self.mint_nft(&asset, text, &content)
    }
}
