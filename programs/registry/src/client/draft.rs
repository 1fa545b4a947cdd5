//! Registrations in several transactions, and parents of an asset's next version.

use provena_common::currency::Currency;

use super::*;
use crate::{
    Floors,
    state::{AssetKind, Edge},
};

/// `begin_asset` of the NFT `mint`, which signs as `registrant` does.
pub fn begin_asset(registrant: &Address, mint: &Address, kind: AssetKind, floors: Floors) -> Instruction {
    let asset = pda::asset(mint).0;
    let accounts = accounts::BeginAsset {
        registrant: *registrant,
        mint: *mint,
        admin: pda::admin().0,
        asset,
        lineage: pda::lineage(&asset).0,
        pool: provena_royalty::pda::pool(mint).0,
        system_program: System::id(),
    };
    build(&accounts, &instruction::BeginAsset { kind: kind as u8, floors })
}

/// A parent that is added to a draft, or to the next version of an asset.
#[derive(Clone, Debug)]
pub struct NewParent {
    /// Began the draft, or holds the NFT; signs and pays.
    pub builder: Address,
    /// Mint of the child's NFT.
    pub mint: Address,
    /// The builder's token account with the child's NFT; none for a draft.
    pub nft: Option<Address>,
    /// The parent.
    pub parent: Parent,
    /// Whether the parent has parents of its own.
    pub derived: bool,
    /// What the licence's price is paid in; none where it has none.
    pub price: Option<Currency>,
    /// What must be granted at least; see [`uses`](crate::constants::uses).
    pub uses: u32,
}

impl NewParent {
    /// The accounts.
    pub fn accounts(&self) -> accounts::AddParent {
        let (asset, parent) = (pda::asset(&self.mint).0, &self.parent);
        let pool = provena_royalty::pda::pool(&self.mint).0;
        let books = self.price.map(|currency| provena_royalty::pda::books(&parent.pool, &currency.mint()).0);
        let token = self.price.filter(|currency| currency.token_mint().is_some());
        accounts::AddParent {
            builder: self.builder,
            admin: pda::admin().0,
            asset,
            nft: self.nft,
            lineage: pda::lineage(&asset).0,
            pool,
            parent: parent.asset,
            parent_lineage: (self.derived && self.nft.is_some()).then(|| pda::lineage(&parent.asset).0),
            licence: pda::licence(&parent.asset, parent.licence).0,
            position: provena_royalty::pda::position(&pool, &parent.pool).0,
            parent_nft: parent.consent.as_ref().map(|consent| consent.nft),
            parent_holder: parent.consent.as_ref().map(|consent| consent.holder),
            books,
            source: token.and_then(|currency| currency.token_account(&self.builder)),
            vault: token.and(books).map(|books| provena_royalty::pda::vault(&books).0),
            price_mint: token.and_then(Currency::token_mint),
            token_program: token.and_then(Currency::token_program),
            system_program: System::id(),
        }
    }

    /// `add_parent`.
    pub fn instruction(&self) -> Instruction {
        let mut built =
            build(&self.accounts(), &instruction::AddParent { version: self.parent.version, uses: self.uses });
        if let Some(consent) = &self.parent.consent {
            // The program looks at the signature itself, because a parent may need none.
            for meta in built.accounts.iter_mut().filter(|meta| meta.pubkey == consent.holder) {
                meta.is_signer = true;
            }
        }
        built
    }
}

/// Which of a parent's ancestors pass to an asset that was built on `version` of it, when `count` of its edges from number
/// `from` are looked at.
pub fn passing(parents_edges: &[Edge], version: u32, from: u8, count: u8) -> Vec<Edge> {
    let looked_at = parents_edges.iter().skip(from.into()).take(count.into());
    looked_at.filter(|edge| edge.passes_from(version)).copied().collect()
}

/// `inherit` of up to `count` more edges of the parent that edge number `place` of the asset names. `passing` are the ancestors
/// that [pass](passing()) with them.
pub fn inherit(
    payer: &Address,
    mint: &Address,
    parent: &Address,
    place: u8,
    count: u8,
    passing: &[Edge],
) -> Instruction {
    let (asset, pool) = (pda::asset(mint).0, provena_royalty::pda::pool(mint).0);
    let accounts = accounts::Inherit {
        payer: *payer,
        asset,
        lineage: pda::lineage(&asset).0,
        pool,
        parent_lineage: pda::lineage(parent).0,
        system_program: System::id(),
    };
    let mut built = build(&accounts, &instruction::Inherit { parent: place, count });
    let positions = passing.iter().map(|edge| provena_royalty::pda::position(&pool, &edge.pool).0);
    built.accounts.extend(positions.map(|position| AccountMeta::new_readonly(position, false)));
    built
}

/// `abandon_asset` by `caller` of the draft for the NFT `mint`, which `registrant` began and which has these edges.
pub fn abandon_asset(caller: &Address, mint: &Address, registrant: &Address, edges: &[Edge]) -> Instruction {
    let asset = pda::asset(mint).0;
    let accounts = accounts::AbandonAsset {
        caller: *caller,
        asset,
        lineage: pda::lineage(&asset).0,
        pool: provena_royalty::pda::pool(mint).0,
        registrant: *registrant,
    };
    let mut built = build(&accounts, &instruction::AbandonAsset {});
    let direct = edges.iter().filter(|edge| edge.is_direct());
    let licences = direct.map(|edge| pda::licence(&edge.parent, edge.licence).0);
    built.accounts.extend(licences.map(|licence| AccountMeta::new(licence, false)));
    built
}
