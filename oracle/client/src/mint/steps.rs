//! Registering in steps: where a parent's licence has a price or binds every descendant, or where one transaction does not hold
//! the registration. The draft is on the chain: what an interrupted minting did is found there and not done again.

use std::time::{Duration, Instant};

use provena_registry::{
    client::{self as registry, NewAsset, NewParent},
    state::Edge,
};
use provena_royalty::state::Pool;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    MintError,
    error::{unread, unsent},
    parents::Parent,
};
use crate::{
    asset,
    chain::{Chain, accounts, send_and_confirm},
};

/// Edges that one `inherit` looks at; each that passes names an account.
const AT_ONCE: u8 = 12;
/// Longest wait for the slot after the pool's.
const PATIENCE: Duration = Duration::from_secs(60);
/// Wait between two looks at the slot.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A registration in steps.
pub(super) struct Steps<'a> {
    /// Adds the parents.
    pub building: Building<'a>,
    /// Of the NFT's mint.
    pub key: &'a Keypair,
    /// The registration; its parents are not looked at.
    pub new: NewAsset,
}

/// Parents that are added to a draft, or to the next version of an asset.
pub(super) struct Building<'a> {
    /// The chain.
    pub chain: &'a dyn Chain,
    /// Began the draft, or holds the NFT; pays.
    pub builder: &'a Keypair,
    /// The NFT's mint.
    pub mint: Pubkey,
    /// Where the builder has the NFT; none for a draft.
    pub nft: Option<Pubkey>,
    /// What is added, unless it is there already.
    pub parents: &'a [Parent<'a>],
}

impl Building<'_> {
    /// Adds parents and inherits what they pass on, as far as it was not done before.
    ///
    /// # Errors
    /// [`MintError`].
    pub(super) async fn take(&self) -> Result<Vec<Signature>, MintError> {
        let mut signatures = Vec::new();
        let known = self.edges().await?;
        // Who wants to be paid comes last: what is paid does not come back if another parent grants nothing any more.
        let (free, priced): (Vec<_>, Vec<_>) = self.parents.iter().partition(|parent| parent.price.is_none());
        for parent in free.into_iter().chain(priced) {
            if known.iter().any(|edge| edge.is_direct() && edge.parent == parent.registered.address) {
                continue;
            }
            let mut signers = vec![self.builder];
            signers.extend(parent.consent.map(|(key, _)| key).filter(|key| key.pubkey() != self.builder.pubkey()));
            signatures.push(self.send(self.adding(parent), &signers).await?);
        }
        while let Some(next) = self.inheriting().await? {
            signatures.push(self.send(next, &[self.builder]).await?);
        }
        Ok(signatures)
    }

    /// The edges of the draft or the asset.
    pub(super) async fn edges(&self) -> Result<Vec<Edge>, MintError> {
        let found = match self.nft {
            None => asset::draft(self.chain, &self.mint).await?,
            Some(_) => asset::find(self.chain, &self.mint).await?,
        };
        Ok(found.ok_or(MintError::Unripe)?.parents(self.chain).await?)
    }

    fn adding(&self, parent: &Parent<'_>) -> Instruction {
        let adding = NewParent {
            builder: self.builder.pubkey(),
            mint: self.mint,
            nft: self.nft,
            parent: parent.named(),
            derived: parent.registered.asset.edges() > 0,
            price: parent.price.map(|price| price.means()),
            uses: parent.uses(),
        };
        adding.instruction()
    }

    /// The next step of inheritance, if one is left.
    async fn inheriting(&self) -> Result<Option<Instruction>, MintError> {
        let edges = self.edges().await?;
        let due = |edge: &&Edge| edge.is_direct() && edge.inherited < edge.to_inherit;
        let Some((place, edge)) = edges.iter().enumerate().find(|(_, edge)| due(edge)) else { return Ok(None) };
        let parents = asset::at(self.chain, &edge.parent).await?.parents(self.chain).await?;
        let count = AT_ONCE.min(edge.to_inherit.saturating_sub(edge.inherited));
        let passing = registry::passing(&parents, edge.parent_version, edge.inherited, count);
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        let payer = self.builder.pubkey();
        Ok(Some(registry::inherit(&payer, &self.mint, &edge.parent, place, count, &passing)))
    }

    async fn send(&self, instruction: Instruction, signers: &[&Keypair]) -> Result<Signature, MintError> {
        let sent = send_and_confirm(self.chain, &[instruction], signers).await;
        let unfinished = "it is not finished; running the same command again goes on from here";
        Ok(sent.map_err(unsent(unfinished))?.signature)
    }
}

impl Steps<'_> {
    /// Does what is missing, and seals the draft at last.
    ///
    /// # Errors
    /// [`MintError`].
    pub(super) async fn take(&self) -> Result<Vec<Signature>, MintError> {
        let Building { chain, builder, mint, .. } = &self.building;
        let mut signatures = Vec::new();
        if asset::draft(*chain, mint).await?.is_none() {
            self.wait_for_the_next_slot().await?;
            let begin = registry::begin_asset(&builder.pubkey(), mint, self.new.kind(), self.new.floors.clone());
            signatures.push(self.building.send(begin, &[builder, self.key]).await?);
        }
        signatures.extend(self.building.take().await?);
        signatures.push(self.building.send(self.new.sealing(), &[builder, self.key]).await?);
        Ok(signatures)
    }

    /// The registry takes a pool whose holders were named before this slot.
    async fn wait_for_the_next_slot(&self) -> Result<(), MintError> {
        let pool = provena_royalty::pda::pool(&self.building.mint).0;
        let pool: Pool = accounts::fetch(self.building.chain, &pool).await.map_err(unread("the royalty pool"))?;
        let begun = Instant::now();
        while self.building.chain.slot().await.map_err(unread("the slot"))? <= pool.assigned {
            if begun.elapsed() > PATIENCE {
                return Err(MintError::Unripe);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}
