//! The assets that a new one builds on, and the licence under which it builds on each.

use provena_common::slot::Slot;
use provena_registry::{
    client::{Consent, Parent as Named},
    constants::uses,
    state::{Edge, Floor, Licence},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{MintError, error::unread};
use crate::{
    asset::{self, AssetError, Registered},
    chain::Chain,
    share::Share,
    token::{self, PaymentMint},
};

/// What a minting says of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentPlan {
    /// The parent's NFT, and its share of the new asset's revenue.
    pub share: Share,
    /// Number of the licence to build under; `None` takes the one that asks for least among those whose terms are met.
    pub licence: Option<u32>,
}

/// A parent that was looked up, with a licence whose terms are met.
pub(super) struct Parent<'a> {
    /// The parent.
    pub registered: Registered,
    /// The licence.
    pub licence: Licence,
    /// The parent's pool, and its share of the new asset's revenue.
    pub share: Share,
    /// Who consents, and the token account with the parent's NFT; where the licence needs it.
    pub consent: Option<(&'a Keypair, Pubkey)>,
    /// What the licence's price is paid in; where it has one.
    pub price: Option<PaymentMint>,
    /// The parent's own ancestors whose licences bind every descendant.
    pub passing: Vec<Edge>,
}

impl Parent<'_> {
    /// As the registry takes it: the latest version is the one that was built on.
    pub(super) fn named(&self) -> Named {
        let consent = self.consent.map(|(key, nft)| Consent { nft, holder: key.pubkey() });
        Named {
            asset: self.registered.address,
            pool: self.registered.asset.pool,
            licence: self.licence.id,
            version: self.registered.asset.latest,
            consent,
        }
    }

    /// What it grants, as it was looked up.
    pub(super) fn uses(&self) -> u32 {
        self.licence.uses & self.registered.asset.uses
    }

    /// Whether it can be registered with its child in one step.
    pub(super) fn at_once(&self) -> bool {
        self.price.is_none() && self.registered.asset.absolute_parents == 0
    }

    /// What the new asset must ask of its users at least: basis points of each fee, and base units per unit of use.
    pub(super) fn floors(&self) -> (u16, Vec<Floor>) {
        let Licence { floor_bps, floor_mint, floor_per_unit, .. } = self.licence;
        let own = (floor_per_unit > 0).then_some(Floor { mint: floor_mint, per_unit: floor_per_unit });
        (floor_bps.max(self.registered.asset.floor_bps), self.registered.floors.iter().copied().chain(own).collect())
    }
}

/// What the pools of ancestors must hold that the parents pass on, each once and at the highest rate. Who is a parent itself is
/// not among them.
pub(super) fn inherited(parents: &[Parent<'_>]) -> Vec<(Pubkey, u16)> {
    let direct = |edge: &&Edge| parents.iter().any(|parent| parent.registered.address == edge.parent);
    let mut all: Vec<(Pubkey, u16)> = Vec::new();
    for edge in parents.iter().flat_map(|parent| &parent.passing).filter(|edge| !direct(edge)) {
        match all.iter_mut().find(|(pool, _)| *pool == edge.pool) {
            Some((_, bps)) => *bps = (*bps).max(edge.bps),
            None => all.push((edge.pool, edge.bps)),
        }
    }
    all
}

/// Looks every parent up and finds a licence of each whose terms are met. `keys` are those that can consent. What was granted
/// before, in an edge of `granted`, is not asked for again: it may have been the last that there was.
pub(super) async fn find<'a>(
    chain: &dyn Chain,
    plans: &[ParentPlan],
    keys: &[&'a Keypair],
    granted: &[Edge],
) -> Result<Vec<Parent<'a>>, MintError> {
    if plans.len() > provena_registry::MAX_PARENTS {
        return Err(MintError::TooManyParents(plans.len()));
    }
    let slot = if plans.is_empty() { 0 } else { chain.slot().await.map_err(unread("the slot"))? };
    let mut found = Vec::new();
    for plan in plans {
        let registered = asset::get(chain, &plan.share.address).await?;
        let licences = registered.licences(chain).await?;
        let edge = granted.iter().find(|edge| edge.parent == registered.address && edge.is_direct());
        let known = edge.and_then(|edge| licences.iter().find(|licence| licence.id == edge.licence)).copied();
        let (licence, consent, price) = match known {
            Some(licence) => (licence, None, None),
            None => ask(chain, &registered, &licences, plan, keys, slot).await?,
        };
        let mut passing = registered.parents(chain).await?;
        passing.retain(|edge| edge.passes_from(registered.asset.latest));
        let share = Share { address: registered.asset.pool, shares: plan.share.shares };
        found.push(Parent { registered, licence, share, consent, price, passing });
    }
    Ok(found)
}

/// A licence that grants at this slot, who consents to it, and what its price is paid in.
async fn ask<'a>(
    chain: &dyn Chain,
    registered: &Registered,
    licences: &[Licence],
    plan: &ParentPlan,
    keys: &[&'a Keypair],
    slot: u64,
) -> Result<(Licence, Option<(&'a Keypair, Pubkey)>, Option<PaymentMint>), MintError> {
    if !registered.asset.is_active() {
        return Err(AssetError::NotActive(registered.mint).into());
    }
    if !registered.asset.allows(uses::DERIVE) {
        return Err(MintError::NoDerivatives(registered.mint));
    }
    let licence = licence(licences, plan, registered.mint, slot)?;
    let consent = match licence.needs_consent() {
        true => Some(consent(chain, keys, &registered.mint).await?),
        false => None,
    };
    let price = match licence.price {
        0 => None,
        _ => Some(token::payment_mint(chain, &licence.price_mint).await?),
    };
    Ok((licence, consent, price))
}

/// The licence to build under, at this slot. Where nobody chose, and one with a price is never chosen by itself: one that needs
/// no consent before one that does, one that binds the new asset alone before one that binds all that is built on it, then the
/// one with the lowest demands on the new asset's users.
fn licence(all: &[Licence], plan: &ParentPlan, mint: Pubkey, slot: u64) -> Result<Licence, MintError> {
    if let Some(id) = plan.licence {
        let named = all.iter().find(|licence| licence.id == id).ok_or(AssetError::NoLicence { mint, id })?;
        if !named.is_active() {
            return Err(AssetError::Retired { mint, id }.into());
        }
        if named.check_grant(Slot(slot)).is_err() {
            return Err(MintError::GrantsNoMore { parent: mint, id });
        }
    }
    let active = || {
        let wanted = |licence: &&Licence| plan.licence.map_or(licence.price == 0, |id| licence.id == id);
        all.iter().filter(|licence| licence.check_grant(Slot(slot)).is_ok()).filter(wanted)
    };
    let met = active().filter(|licence| plan.share.reaches(licence.bps));
    let best = met.min_by_key(|licence| {
        let demands = (licence.floor_bps, licence.floor_per_unit);
        (licence.needs_consent(), licence.is_absolute(), demands, licence.id)
    });
    best.copied().ok_or_else(|| match active().map(|licence| licence.bps).min() {
        Some(asked) => MintError::ParentAsksMore { parent: mint, asked, given: plan.share.shares },
        None if all.iter().any(|licence| licence.is_active() && licence.price > 0) => MintError::PriceAsked(mint),
        None => MintError::NoLicence(mint),
    })
}

/// Which of our keys holds the parent's NFT, and where.
async fn consent<'a>(
    chain: &dyn Chain,
    keys: &[&'a Keypair],
    mint: &Pubkey,
) -> Result<(&'a Keypair, Pubkey), MintError> {
    for key in keys {
        if let Some(nft) = token::nft_account(chain, &key.pubkey(), mint).await? {
            return Ok((key, nft));
        }
    }
    Err(MintError::NoConsent(*mint))
}

#[cfg(test)]
mod tests {
    use anchor_lang::bytemuck::Zeroable;

    use super::*;

    fn offered(id: u32, bps: u16, floor_bps: u16, flags: u16) -> Licence {
        Licence { id, bps, floor_bps, flags, uses: uses::ALL, ..Licence::zeroed() }
    }

    fn chosen(all: &[Licence], bps: u16, named: Option<u32>) -> Result<u32, String> {
        let mint = Pubkey::new_from_array([5; 32]);
        let plan = ParentPlan { share: Share::from_bps(mint, bps), licence: named };
        licence(all, &plan, mint, 7).map(|licence| licence.id).map_err(|error| error.to_string())
    }

    #[test]
    fn the_licence_that_asks_for_least_is_taken_unless_one_is_named() {
        const ACTIVE: u16 = Licence::ACTIVE;
        let all = [
            offered(1, 500, 0, 0),
            offered(2, 500, 300, ACTIVE),
            offered(3, 2_000, 100, ACTIVE),
            offered(4, 100, 0, ACTIVE | Licence::CONSENT),
        ];
        assert_eq!(chosen(&all, 2_000, None), Ok(3));
        assert_eq!(chosen(&all, 1_999, None), Ok(2));
        assert_eq!(chosen(&all, 100, None), Ok(4), "consent comes last");
        assert_eq!(chosen(&all, 2_000, Some(2)), Ok(2));
        assert!(chosen(&all, 99, None).unwrap_err().contains("asks for 1% of what is built on it, not 0.99%"));
        assert!(chosen(&all, 2_000, Some(1)).unwrap_err().contains("licence number 1 of"));
        assert!(chosen(&all, 2_000, Some(9)).unwrap_err().contains("has no licence number 9"));
        assert!(chosen(&all, 1_999, Some(3)).unwrap_err().contains("asks for 20% of what is built on it"));
        assert!(chosen(&all[..1], 9_000, None).unwrap_err().contains("no active licence"));
    }
}
