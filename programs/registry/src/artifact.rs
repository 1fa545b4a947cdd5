//! What a version is made of, as its registrant names it, and the recording of it: the claim is used up, the content is
//! taken, and the version is written.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    ID,
    constants::seeds,
    content_claim::claim_hash,
    creation::create,
    error::RegistryError,
    state::{AssetKind, Content, ContentClaim, ContentState, STATE_VERSION, Version},
};

/// Content, revealed: what a content claim hid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct ContentReveal {
    /// Merkle root of the artifact's bytes together with their number.
    pub root: [u8; 32],
    /// The secret of the claim.
    pub salt: [u8; 32],
    /// Bytes of the artifact, at least 1.
    pub len: u64,
}

/// What turns a model's content into answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Recipe {
    /// Its hash; not all zero.
    pub root: [u8; 32],
    /// Bytes of the recipe, at least 1.
    pub len: u64,
}

/// A version that is to be recorded.
pub struct NewVersion<'a> {
    /// Signed; the claimant, who pays the rent.
    pub claimant: &'a AccountView,
    /// His claim. The caller closes it.
    pub claim: &'a State<ContentClaim>,
    /// Where the content's account shall be.
    pub content_account: &'a AccountView,
    /// Where the version's account shall be.
    pub version_account: &'a AccountView,
    /// The asset.
    pub asset: Address,
    /// What the asset is.
    pub kind: AssetKind,
    /// Number of the version.
    pub n: u32,
    /// The content.
    pub content: ContentReveal,
    /// The recipe; of a model only.
    pub recipe: Option<Recipe>,
}

impl NewVersion<'_> {
    /// Checks the claim and records content and version.
    ///
    /// # Errors
    ///
    /// [`RegistryError::EmptyContent`], [`RegistryError::EmptyRecipe`], [`RegistryError::RecipeOfDataset`],
    /// [`RegistryError::WrongClaim`], [`RegistryError::ClaimTooYoung`], [`RegistryError::ClaimLapsed`],
    /// [`RegistryError::ContentTaken`], and `WrongPda` for accounts elsewhere.
    pub fn record(&self) -> Result<()> {
        require!(self.content.root != [0; 32] && self.content.len > 0, RegistryError::EmptyContent);
        self.check_recipe()?;
        let now = Slot::now()?;
        self.check_claim(now)?;
        self.take_content(now)?;
        self.write_version(now)
    }

    fn check_recipe(&self) -> Result<()> {
        match (self.kind, self.recipe) {
            (AssetKind::Model, Some(recipe)) => {
                require!(recipe.root != [0; 32] && recipe.len > 0, RegistryError::EmptyRecipe);
            }
            (AssetKind::Model, None) => return Err(RegistryError::EmptyRecipe.into()),
            (AssetKind::Dataset, Some(_)) => return Err(RegistryError::RecipeOfDataset.into()),
            (AssetKind::Dataset, None) => {}
        }
        Ok(())
    }

    /// A claim's address holds its hash, so that the address alone proves claimant, root and salt.
    fn check_claim(&self, now: Slot) -> Result<()> {
        require!(self.claim.claimant == *self.claimant.address(), RegistryError::WrongClaim);
        let hash = claim_hash(&self.claim.claimant, &self.content.root, &self.content.salt);
        let bump = [self.claim.bump];
        let address = create_program_address(&[seeds::CLAIM, &hash, &bump], &ID);
        require!(address.is_ok_and(|address| address == *self.claim.address()), RegistryError::WrongClaim);
        self.claim.require_ripe(now)
    }

    fn take_content(&self, now: Slot) -> Result<()> {
        require!(!self.content_account.owned_by(&ID), RegistryError::ContentTaken);
        let seeds = [seeds::CONTENT, &self.content.root];
        let (mut content, bump): (State<Content>, _) = create(self.claimant, self.content_account, &seeds, 0)?;
        content.asset = self.asset;
        content.registered = now.0;
        content.n = self.n;
        content.state = ContentState::Taken as u8;
        content.bump = bump;
        content.version = STATE_VERSION;
        content.invariant()
    }

    fn write_version(&self, now: Slot) -> Result<()> {
        let n = self.n.to_le_bytes();
        let seeds = [seeds::VERSION, self.asset.as_ref(), &n];
        let (mut version, bump): (State<Version>, _) = create(self.claimant, self.version_account, &seeds, 0)?;
        version.asset = self.asset;
        version.content_root = self.content.root;
        version.content_len = self.content.len;
        if let Some(recipe) = self.recipe {
            version.recipe_root = recipe.root;
            version.recipe_len = recipe.len;
        }
        version.registered = now.0;
        version.n = self.n;
        version.bump = bump;
        version.version = STATE_VERSION;
        version.invariant()
    }
}
