//! What the chain says of a new asset's parents: the licences that were taken, and what they allow.

use anyhow::Result;
use provena_client::{
    amount::show_bps,
    asset,
    chain::Chain,
    mint::Plan,
    share::{Share, show_shares},
    token,
};
use provena_registry::{
    constants::uses,
    state::{Edge, Licence},
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::context::Context;

/// The lineage of a new asset.
pub(crate) struct Lineage {
    /// What may be done with the asset; see [`uses`].
    pub uses: u32,
    /// A line for each parent, and for each ancestor behind one whose licence binds every descendant.
    pub built_on: Vec<BuiltOn>,
}

/// A licence that was taken.
#[derive(Serialize)]
pub(crate) struct BuiltOn {
    asset: String,
    licence: u32,
    /// What it asks for.
    basis_points: u16,
    /// Shares of a thousand million that were given; of what is inherited, those that it asks for.
    shares: u64,
    price_mint: Option<String>,
    /// In base units; what is inherited costs nothing.
    price: Option<u64>,
    every_descendant: bool,
    inherited: bool,
    #[serde(skip)]
    called: String,
    #[serde(skip)]
    shown_price: Option<String>,
}

impl Lineage {
    /// Of the asset with this mint, which was minted by this plan. One without parents needs no look at the chain.
    ///
    /// # Errors
    /// The chain does not answer.
    pub(crate) async fn of(chain: &dyn Chain, mint: &Pubkey, plan: &Plan, context: &Context<'_>) -> Result<Self> {
        if plan.parents.is_empty() {
            return Ok(Self { uses: uses::ALL, built_on: Vec::new() });
        }
        let registered = asset::get(chain, mint).await?;
        let mut built_on = Vec::new();
        for edge in registered.parents(chain).await? {
            built_on.push(BuiltOn::of(chain, &edge, plan, context).await?);
        }
        Ok(Self { uses: registered.asset.uses, built_on })
    }
}

impl BuiltOn {
    async fn of(chain: &dyn Chain, edge: &Edge, plan: &Plan, context: &Context<'_>) -> Result<Self> {
        let parent = asset::at(chain, &edge.parent).await?;
        let inherited = !edge.is_direct();
        let licences = if inherited { Vec::new() } else { parent.licences(chain).await? };
        let priced = licences.iter().find(|licence| licence.id == edge.licence && licence.price > 0);
        let given = plan.parents.iter().find(|one| one.share.address == parent.mint);
        let shown_price = match priced {
            Some(Licence { price, price_mint, .. }) => Some(token::currency(chain, price_mint).await?.show(*price)),
            None => None,
        };
        Ok(Self {
            asset: parent.mint.to_string(),
            licence: edge.licence,
            basis_points: edge.bps,
            shares: given.map_or_else(|| Share::from_bps(parent.mint, edge.bps), |one| one.share).shares,
            price_mint: priced.map(|licence| token::name(&licence.price_mint)),
            price: priced.map(|licence| licence.price),
            every_descendant: edge.is_absolute(),
            inherited,
            called: context.written(&parent.mint),
            shown_price,
        })
    }

    /// In words.
    pub(crate) fn text(&self) -> String {
        let Self { called, licence, .. } = self;
        let asks = if self.basis_points == 0 { "no share".into() } else { show_bps(self.basis_points) };
        let price = self.shown_price.as_ref().map(|price| format!("; {price} was paid")).unwrap_or_default();
        let binds = if self.every_descendant { "; it binds every descendant" } else { "" };
        let inherited = if self.inherited { "; inherited" } else { "" };
        let share = show_shares(self.shares);
        format!("{called} for {share}, under its licence {licence}, which asks for {asks}{price}{binds}{inherited}")
    }
}
