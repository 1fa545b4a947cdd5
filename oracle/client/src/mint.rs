//! Minting: the content is claimed, the royalty pool is made, then the asset is registered with its NFT, in as many
//! transactions as it takes.
//!
//! Everything that can be checked is checked before the first transaction. The NFT's fresh key and the claim's secret are
//! kept in a file until the end, so that a minting that was interrupted goes on where it stopped: every step looks at the
//! chain first and does only what is missing. [`abandon`] takes it back instead.

mod abandon;
mod check;
mod claim;
mod document;
mod error;
mod later;
mod metadata;
mod parents;
mod pending;
mod pool;
mod steps;
mod version;

use provena_arith::merkle;
use provena_registry::{Floors, LicenceTerms, Recipe, client as registry, state::AssetKind};
use provena_royalty::Holder;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    asset,
    chain::{Chain, accounts, send_and_confirm},
    share::Share,
    store::Store,
};
use check::Checked;
use document::{Document, Facts};
use error::{unread, unsent, unstored};
use steps::{Building, Steps};

pub use abandon::{Abandoned, abandon};
pub use document::{Hosting, Metadata, Picture};
pub use error::MintError;
pub use metadata::{NftWords, Text, name_of, words_of};
pub use parents::ParentPlan;
pub use pending::{Pending, Unfinished};
pub use version::Added;

/// Number of the licence that a minting publishes.
pub const FIRST_LICENCE: u32 = 1;

/// What is minted, and on which terms.
pub struct Plan {
    /// What people read.
    pub text: Text,
    /// What wallets and marketplaces show, and who keeps it.
    pub metadata: Metadata,
    /// What turns a model's content into answers; `None` mints a dataset.
    pub recipe: Option<Recipe>,
    /// What derived assets owe; `None` lets nobody build on it until a licence is published.
    pub licence: Option<LicenceTerms>,
    /// The least royalty on use; raised to what the parents ask for.
    pub floors: Floors,
    /// Wallets that share the revenue.
    pub holders: Vec<Share>,
    /// Assets that this one builds on.
    pub parents: Vec<ParentPlan>,
    /// What the pool can be paid in, beside SOL.
    pub pay_in: Vec<Pubkey>,
}

impl Plan {
    /// Model or dataset.
    #[must_use]
    pub fn kind(&self) -> AssetKind {
        if self.recipe.is_some() { AssetKind::Model } else { AssetKind::Dataset }
    }
}

/// What was minted.
pub struct Minted {
    /// The NFT's mint: the asset's name in every other command.
    pub mint: Pubkey,
    /// The royalty pool.
    pub pool: Pubkey,
    /// Merkle root of the content.
    pub content_root: [u8; 32],
    /// The least royalty on use.
    pub floors: Floors,
    /// How many share the revenue, parents' pools and creator included.
    pub holders: usize,
    /// Where the metadata is.
    pub uri: String,
    /// The metadata.
    pub document: Vec<u8>,
    /// Transactions, in order.
    pub signatures: Vec<Signature>,
}

/// Who mints, and with what.
pub struct Mint<'a> {
    /// The chain.
    pub chain: &'a dyn Chain,
    /// Where content and metadata go.
    pub store: &'a Store,
    /// Pays, and receives the NFT.
    pub creator: &'a Keypair,
    /// Keys of parents' owners whose consent is due.
    pub consents: &'a [Keypair],
    /// Where the secrets are kept until the asset exists.
    pub pending: Pending,
}

impl Mint<'_> {
    /// Stores `content`, claims it, creates the pool, registers the asset; `step` is told what comes next.
    ///
    /// # Errors
    /// [`MintError`]. Before the first transaction nothing is spent; after it, what was done stays, and minting again goes
    /// on from there.
    pub async fn mint(&self, plan: &Plan, content: Vec<u8>, step: &dyn Fn(&'static str)) -> Result<Minted, MintError> {
        let content_root = merkle::content_root(&content).map_err(|_| MintError::Empty)?;
        let unfinished = self.find(&content_root).await?;
        let checked = self.check(plan, &content_root, unfinished.as_ref()).await?;

        step("storing the content");
        let len = content.len() as u64;
        self.store.put(content).await.map_err(unstored("content"))?;
        let (unfinished, begun) = match unfinished {
            Some(unfinished) => (unfinished, false),
            None => {
                let share = |holder: &Holder| Share { address: holder.holder, shares: holder.shares };
                let shares: Vec<Share> = checked.holders.iter().map(share).collect();
                let chain = self.chain.cluster().await.map_err(unread("the chain's genesis"))?;
                let title = &plan.text.title;
                (self.pending.begin(&self.creator.pubkey(), &chain, &content_root, title, &shares)?, true)
            }
        };
        let mint = unfinished.key.pubkey();
        let pool = provena_royalty::pda::pool(&mint).0;
        step("storing the NFT's document and picture");
        let facts = Facts { plan, floors: &checked.floors, content_root: &content_root, len, pool };
        let Document { uri, json: document } = match document::publish(self.store, &facts).await {
            Ok(document) => document,
            Err(error) => {
                // Nothing was sent yet: an interrupted minting that never began would only confuse.
                if begun {
                    unfinished.forget()?;
                }
                return Err(error);
            }
        };
        let mut signatures = Vec::new();
        if asset::find(self.chain, &mint).await?.is_none() {
            step("claiming the content");
            let claim = claim::claim(self.chain, self.creator, &unfinished).await?;
            signatures.extend_from_slice(&claim.signatures);
            step("creating the royalty pool");
            signatures.extend(pool::create(self.chain, self.creator, &unfinished.key, &checked).await?);
            step("waiting for the claim of the content to be 8 slots old");
            claim.ripen(self.chain).await?;
            step("minting the NFT");
            signatures.extend(self.register(plan, &checked, &unfinished, len, &uri).await?);
        }
        if let Some(mut terms) = plan.licence {
            step("publishing the licence");
            // It can grant no more than it was granted.
            terms.uses &= check::uses(&checked.parents);
            signatures.extend(self.publish_licence(&mint, terms).await?);
        }
        unfinished.forget()?;
        let holders = checked.holders.len();
        Ok(Minted { mint, pool, content_root, floors: checked.floors, holders, uri, document, signatures })
    }

    /// The interrupted minting of this content, if one was; only the wallet that began it can go on, on its chain.
    async fn find(&self, content_root: &[u8; 32]) -> Result<Option<Unfinished>, MintError> {
        let found = self.pending.find(content_root)?;
        if let Some(found) = &found {
            found.check_wallet(&self.creator.pubkey())?;
            found.check_chain(self.chain).await?;
        }
        Ok(found)
    }

    async fn register(
        &self,
        plan: &Plan,
        checked: &Checked<'_>,
        unfinished: &Unfinished,
        len: u64,
        uri: &str,
    ) -> Result<Vec<Signature>, MintError> {
        let Unfinished { content_root, key, salt, .. } = unfinished;
        let new = self.new_asset(plan, checked, &key.pubkey(), content_root, *salt, len, uri);
        // What was begun in steps is ended in steps.
        if !checked.at_once || asset::draft(self.chain, &key.pubkey()).await?.is_some() {
            let building = Building {
                chain: self.chain,
                builder: self.creator,
                mint: key.pubkey(),
                nft: None,
                parents: &checked.parents,
            };
            return Steps { building, key, new }.take().await;
        }
        let mut signers = vec![self.creator, key];
        for (holder, _) in checked.parents.iter().filter_map(|parent| parent.consent) {
            if !signers.iter().any(|signer| signer.pubkey() == holder.pubkey()) {
                signers.push(holder);
            }
        }
        let sent = send_and_confirm(self.chain, &[new.instruction()], &signers).await;
        let unregistered = "the asset was not registered; running the same command again goes on from here";
        Ok(vec![sent.map_err(unsent(unregistered))?.signature])
    }

    /// Publishes the asset's first licence, unless an earlier minting did.
    async fn publish_licence(&self, mint: &Pubkey, terms: LicenceTerms) -> Result<Option<Signature>, MintError> {
        let address = provena_registry::pda::licence(&provena_registry::pda::asset(mint).0, FIRST_LICENCE).0;
        let there = accounts::fetch_optional::<provena_registry::state::Licence, _>(self.chain, &address).await;
        if there.map_err(unread("the licence"))?.is_some() {
            return Ok(None);
        }
        let owner = self.creator.pubkey();
        let nft = provena_registry::pda::token_account(&owner, mint);
        let publish = registry::publish_licence(&owner, mint, &nft, FIRST_LICENCE, terms);
        let sent = send_and_confirm(self.chain, &[publish], &[self.creator]).await;
        let unpublished = "the licence was not published; running the same command again goes on from here";
        Ok(Some(sent.map_err(unsent(unpublished))?.signature))
    }
}
