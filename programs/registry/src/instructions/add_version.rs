//! Adds the next version to an asset.

use anchor_lang::prelude::*;
use provena_common::{account::State, nft::check_holder};

use crate::{
    artifact::{ContentReveal, NewVersion, Recipe},
    constants::pause,
    events::VersionAdded,
    state::{Admin, AssetAccount, ContentClaim},
};

/// Accounts of `add_version`. None of them names a pool: all versions share the asset's.
#[derive(Accounts)]
pub struct AddVersion {
    /// Holds the asset's NFT, made the content claim, and pays.
    #[account(mut)]
    pub holder: Signer,
    /// Says whether adding versions is paused.
    pub admin: State<Admin>,
    /// Counts its versions.
    #[account(mut)]
    pub asset: AssetAccount,
    /// The holder's token account with the NFT.
    pub nft: UncheckedAccount,
    /// The holder's claim to the content; closed here.
    #[account(mut, close = holder)]
    pub claim: State<ContentClaim>,
    /// Made here.
    #[account(mut)]
    pub version: UncheckedAccount,
    /// Made here.
    #[account(mut)]
    pub content: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl AddVersion {
    /// A model's version brings its recipe, a dataset's has none.
    ///
    /// # Errors
    ///
    /// `Paused`, `NotNftHolder`; those of [`Asset::require_active`](crate::state::Asset::require_active),
    /// [`Asset::count_version`](crate::state::Asset::count_version) and [`NewVersion::record`].
    pub fn handle(&mut self, content: ContentReveal, recipe: Option<Recipe>) -> Result<()> {
        self.admin.control.check_running(pause::ADD_VERSION)?;
        check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        self.asset.require_active()?;
        let n = self.asset.count_version()?;
        let version = NewVersion {
            claimant: self.holder.account(),
            claim: &self.claim,
            content_account: self.content.account(),
            version_account: self.version.account(),
            asset: *self.asset.address(),
            kind: self.asset.kind()?,
            n,
            content,
            recipe,
        };
        version.record()?;
        emit!(VersionAdded { asset: *self.asset.address(), content_root: content.root, n, padding: [0; 4] });
        self.asset.invariant()
    }
}
