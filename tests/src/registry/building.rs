//! An asset that is put together over several transactions.

use anchor_lang::prelude::Address;
use provena_common::currency::Currency;
use provena_registry::{
    client::{self, NewAsset, NewParent, REGISTER_COMPUTE_UNITS},
    pda,
    state::{AssetKind, Edge, Lineage},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Registered, claim, draft, prepare};
use crate::{transactions::compute_unit_limit, world::World};

/// The draft of a model by "trainer", who has claimed its content.
pub struct Building {
    pub creator: Keypair,
    /// Key pair of the NFT's mint.
    pub mint: Keypair,
    pub new: NewAsset,
}

impl Building {
    /// Prepares a pool with these holders and begins the draft in a later slot.
    pub fn begin(world: &mut World, name: &str, holders: &[(Address, u64)]) -> Self {
        let building = Self::prepare(world, name, holders);
        world.accept(&[building.beginning()], &[&building.creator, &building.mint]);
        building
    }

    /// All but the draft itself.
    pub fn prepare(world: &mut World, name: &str, holders: &[(Address, u64)]) -> Self {
        let (creator, mint) = prepare(world, "trainer", name, holders);
        let new = draft(AssetKind::Model, &creator, &mint);
        claim(world, &creator, &new.content);
        Self { creator, mint, new }
    }

    /// `begin_asset`.
    pub fn beginning(&self) -> Instruction {
        let floors = self.new.floors.clone();
        client::begin_asset(&self.new.creator, &self.mint.pubkey(), AssetKind::Model, floors)
    }

    pub fn asset(&self) -> Address {
        pda::asset(&self.mint.pubkey()).0
    }

    pub fn pool(&self) -> Address {
        provena_royalty::pda::pool(&self.mint.pubkey()).0
    }

    /// A direct parent under its licence of this number, without price and consent.
    pub fn parent(&self, world: &World, parent: &Registered, licence: u32) -> NewParent {
        NewParent {
            builder: self.creator.pubkey(),
            mint: self.mint.pubkey(),
            nft: None,
            parent: parent.as_parent(licence),
            derived: parent.state(world).edges() > 0,
            price: None,
            uses: 0,
        }
    }

    /// The same, paid in this.
    pub fn paid_parent(&self, world: &World, parent: &Registered, licence: u32, price: Currency) -> NewParent {
        NewParent { price: Some(price), ..self.parent(world, parent, licence) }
    }

    /// Adds a direct parent under its licence 1.
    #[track_caller]
    pub fn add(&self, world: &mut World, parent: &Registered) {
        let adding = self.parent(world, parent, 1).instruction();
        world.accept(&[adding], &[&self.creator]);
    }

    /// The draft's edges.
    #[track_caller]
    pub fn edges(&self, world: &World) -> Vec<Edge> {
        edges(world, &self.asset()).1
    }

    /// `inherit` of `count` more from the parent.
    #[track_caller]
    pub fn inheriting(&self, world: &World, parent: &Registered, count: u8) -> Instruction {
        inheriting(world, &self.creator.pubkey(), &self.mint.pubkey(), &parent.asset, count)
    }

    /// Inherits everything from every parent, a few edges at a time.
    #[track_caller]
    pub fn inherit_all(&self, world: &mut World) {
        let due = |edge: &&Edge| edge.inherited < edge.to_inherit;
        while let Some(edge) = self.edges(world).iter().find(due).copied() {
            let next = inheriting(world, &self.creator.pubkey(), &self.mint.pubkey(), &edge.parent, 5);
            world.accept(&[next], &[&self.creator]);
        }
    }

    /// `seal_asset`, with the compute units that Token Metadata may need.
    pub fn sealing(&self) -> [Instruction; 2] {
        [compute_unit_limit(REGISTER_COMPUTE_UNITS), self.new.sealing()]
    }

    /// Seals the draft.
    #[track_caller]
    pub fn seal(self, world: &mut World) -> Registered {
        world.accept(&self.sealing(), &[&self.creator, &self.mint]);
        Registered { asset: self.asset(), pool: self.pool(), mint: self.mint, creator: self.creator }
    }

    /// `abandon_asset` by a caller.
    pub fn abandoning(&self, world: &World, caller: &Address) -> Instruction {
        client::abandon_asset(caller, &self.mint.pubkey(), &self.creator.pubkey(), &self.edges(world))
    }
}

/// A parent under its licence 1 for the child's next version, added by the child's creator, who holds its NFT.
pub fn later_parent(world: &World, child: &Registered, parent: &Registered) -> NewParent {
    NewParent {
        builder: child.creator.pubkey(),
        mint: child.mint.pubkey(),
        nft: Some(child.nft()),
        parent: parent.as_parent(1),
        derived: parent.state(world).edges() > 0,
        price: None,
        uses: 0,
    }
}

/// An asset's lineage and its edges.
#[track_caller]
pub fn edges(world: &World, asset: &Address) -> (Lineage, Vec<Edge>) {
    let account = world.account(&pda::lineage(asset).0).expect("the lineage exists");
    client::decode_lineage(&account.data).expect("it is a lineage")
}

/// `inherit` of `count` more edges of a parent of the asset with this NFT.
#[track_caller]
pub fn inheriting(world: &World, payer: &Address, mint: &Address, parent: &Address, count: u8) -> Instruction {
    let (_, own) = edges(world, &pda::asset(mint).0);
    let place = own.iter().position(|edge| edge.parent == *parent && edge.is_direct());
    let place = place.expect("it is a direct parent");
    let edge = own[place];
    let passing = client::passing(&edges(world, parent).1, edge.parent_version, edge.inherited, count);
    client::inherit(payer, mint, parent, u8::try_from(place).expect("few"), count, &passing)
}
