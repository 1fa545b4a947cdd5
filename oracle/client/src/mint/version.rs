//! The next version of an asset: other content, the same NFT and the same pool.

use provena_arith::merkle;
use provena_registry::{ContentReveal, Recipe, client as registry, state::AssetKind};
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    Mint, MintError, ParentPlan, check, claim,
    error::{unread, unsent, unstored},
};
use crate::{
    asset::{self, Owner},
    chain::send_and_confirm,
};

/// A version that was added.
pub struct Added {
    /// Its number.
    pub n: u32,
    /// Merkle root of its content.
    pub content_root: [u8; 32],
    /// Transactions, in order.
    pub signatures: Vec<Signature>,
}

impl Mint<'_> {
    /// Stores `content` and adds it as the next version of the asset whose NFT is `mint`; the creator here is the NFT's
    /// present holder. A model's version brings its recipe; `parents` are what it was made from besides.
    ///
    /// # Errors
    /// [`MintError`]; everything that can be checked is checked before the first transaction.
    pub async fn add_version(
        &self,
        mint: &Pubkey,
        recipe: Option<Recipe>,
        parents: &[ParentPlan],
        content: Vec<u8>,
        step: &dyn Fn(&'static str),
    ) -> Result<Added, MintError> {
        let owner = Owner::of(self.chain, self.creator, mint).await?;
        owner.check_kind(if recipe.is_some() { AssetKind::Model } else { AssetKind::Dataset })?;
        owner.check_active()?;
        let content_root = merkle::content_root(&content).map_err(|_| MintError::Empty)?;
        let unfinished = self.find(&content_root).await?;
        check::check_free(self.chain, &content_root, None).await?;
        let parents = self.later_parents(&owner, parents).await?;

        step("storing the content");
        let len = content.len() as u64;
        self.store.put(content).await.map_err(unstored("content"))?;
        let unfinished = match unfinished {
            Some(unfinished) => unfinished,
            None => {
                let chain = self.chain.cluster().await.map_err(unread("the chain's genesis"))?;
                self.pending.begin(&self.creator.pubkey(), &chain, &content_root, "", &[])?
            }
        };
        step("claiming the content");
        let claim = claim::claim(self.chain, self.creator, &unfinished).await?;
        claim.ripen(self.chain).await?;
        let mut signatures = claim.signatures;
        if !parents.is_empty() {
            signatures.extend(self.add_parents(&owner, &parents, step).await?);
        }
        step("adding the version");
        // The latest may have grown while the claim was waited for.
        let n = asset::get(self.chain, mint).await?.asset.latest.saturating_add(1);
        let reveal = ContentReveal { root: content_root, salt: unfinished.salt, len };
        let add = registry::add_version(&self.creator.pubkey(), mint, &owner.nft(), n, reveal, recipe);
        let sent = send_and_confirm(self.chain, &[add], &[self.creator]).await;
        signatures
            .push(sent.map_err(unsent("the version was not added; the same command goes on from here"))?.signature);
        unfinished.forget()?;
        Ok(Added { n, content_root, signatures })
    }
}
