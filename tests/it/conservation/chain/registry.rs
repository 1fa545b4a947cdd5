//! Instructions of the registry program.

use anchor_lang::prelude::Address;
use provena_registry::{
    ContentReveal, Floors, LicenceTerms, NftText, Price, Recipe,
    client::{self, Consent, NewAsset, NewParent, REGISTER_COMPUTE_UNITS},
    state::{AssetKind, Edge, EdgeKind, Floor},
};
use provena_tests::transactions::compute_unit_limit;
use solana_instruction::Instruction;

use super::{
    Built, Chain,
    places::{Place, content_root},
};
use crate::conservation::{
    model::{Asset, Claim, Edge as KnownEdge, Model, SOL},
    operation::{FloorOf, Parent, Registering, Registry},
};

const RECIPE: Recipe = Recipe { root: [7; 32], len: 4_096 };

impl Chain {
    pub(super) fn registering(&self, instruction: &Registry, model: &Model) -> Option<Built> {
        let wallet = |wallet: &usize| self.wallets[*wallet];
        let mint = |asset: &usize| self.mints[*asset];
        let nft = |asset: &usize, by: &usize| self.at(Place::Nft(*asset, *by));
        let floor = |floor: &Option<FloorOf>| floor.map(|floor| self.floor(floor));
        Some(match instruction {
            Registry::ClaimContent(claim) => {
                let by = self.wallets[claim.by];
                let claim = client::claim_content(&by, &content_root(claim.content), &[claim.salt; 32]);
                Built::by(by, claim)
            }
            Registry::AbandonClaim { by, claim } => {
                let address = self.at(Place::claim(claim));
                let abandon = client::abandon_claim(&wallet(by), &address, &self.wallets[claim.by]);
                Built::by(wallet(by), abandon)
            }
            Registry::RegisterDataset(new) => self.registration(new, None, model)?,
            Registry::RegisterModel(new) => self.registration(new, Some(RECIPE), model)?,
            Registry::AddVersion { asset, claim, recipe } => {
                let n = model.known(*asset).ok()?.latest + 1;
                let (by, recipe) = (self.wallets[claim.by], recipe.then_some(RECIPE));
                let add = client::add_version(&by, &mint(asset), &nft(asset, &claim.by), n, reveal(claim), recipe);
                Built::by(by, add)
            }
            Registry::BeginAsset { asset, by, model: is_model, floor_bps, floors } => {
                let kind = if *is_model { AssetKind::Model } else { AssetKind::Dataset };
                let per_unit = floors.iter().map(|floor| self.floor(*floor)).collect();
                let begin = client::begin_asset(&wallet(by), &mint(asset), kind, Floors { bps: *floor_bps, per_unit });
                Built { instructions: vec![begin], signers: vec![wallet(by), mint(asset)] }
            }
            Registry::AddParent { asset, by, holder, parent, pays } => {
                self.adding_parent(*asset, *by, *holder, parent, *pays, model)
            }
            Registry::Inherit { asset, by, parent, count } => {
                Built::by(wallet(by), self.inheriting(*asset, *by, *parent, *count, model))
            }
            Registry::SealAsset { asset, claim, name_len } => {
                let (creator, is_model) = (self.wallets[claim.by], model.known(*asset).is_ok_and(|asset| asset.model));
                let new = NewAsset {
                    creator,
                    mint: mint(asset),
                    nft: nft_text(*name_len),
                    content: reveal(claim),
                    recipe: is_model.then_some(RECIPE),
                    floors: Floors::default(),
                    parents: Vec::new(),
                };
                let limit = compute_unit_limit(4 * REGISTER_COMPUTE_UNITS);
                let signers = vec![creator, mint(asset)];
                Built { instructions: vec![new.sealing()], signers }.after(Some(limit))
            }
            Registry::AbandonAsset { asset, by } => {
                let found = model.known(*asset).ok();
                let registrant =
                    found.and_then(|asset| asset.registrant).map_or(Address::default(), |who| self.wallets[who]);
                let edges = found.map_or(Vec::new(), |found| self.edges(found));
                Built::by(wallet(by), client::abandon_asset(&wallet(by), &mint(asset), &registrant, &edges))
            }
            Registry::PublishLicence { asset, by, id, terms } => {
                let terms = LicenceTerms {
                    floor_bps: terms.floor_bps,
                    floor: floor(&terms.floor),
                    consent: terms.consent,
                    absolute: terms.absolute,
                    uses: terms.uses,
                    price: terms.price.map(|(mint, amount)| Price { mint: self.money[mint].mint(), amount }),
                    expires: terms.expires,
                    most_children: terms.most,
                    ..LicenceTerms::sharing(terms.bps, [9; 32])
                };
                let publish = client::publish_licence(&wallet(by), &mint(asset), &nft(asset, by), *id, terms);
                Built::by(wallet(by), publish)
            }
            Registry::RetireLicence { asset, by, id } => {
                Built::by(wallet(by), client::retire_licence(&wallet(by), &mint(asset), &nft(asset, by), *id))
            }
            Registry::RaiseFloor { asset, by, bps, floor: asked } => {
                let raise = client::raise_floor(&wallet(by), &mint(asset), &nft(asset, by), *bps, floor(asked));
                Built::by(wallet(by), raise)
            }
            Registry::SetUri { asset, by, len } => {
                let set = client::set_uri(&wallet(by), &mint(asset), &nft(asset, by), &"u".repeat(*len));
                Built::by(wallet(by), set)
            }
        })
    }

    fn floor(&self, (mint, per_unit): FloorOf) -> Floor {
        Floor { mint: self.money[mint].mint(), per_unit }
    }

    fn registration(&self, new: &Registering, recipe: Option<Recipe>, model: &Model) -> Option<Built> {
        let (creator, mint) = (self.wallets[new.claim.by], self.mints[new.asset]);
        let mut signers = vec![creator, mint];
        let mut parents = Vec::new();
        for parent in &new.parents {
            let consent = self.consent(parent, model);
            signers.extend(consent.as_ref().filter(|_| parent.consents).map(|consent| consent.holder));
            parents.push(client::Parent {
                asset: self.at(Place::Asset(parent.asset)),
                pool: self.at(Place::Pool(parent.asset)),
                licence: parent.licence,
                version: parent.version,
                consent,
            });
        }
        let draft = NewAsset {
            creator,
            mint,
            nft: nft_text(new.name_len),
            content: reveal(&new.claim),
            recipe,
            floors: Floors {
                bps: new.floor_bps,
                per_unit: new.floors.iter().map(|floor| self.floor(*floor)).collect(),
            },
            parents,
        };
        let mut instruction = draft.instruction();
        // Who does not consent is named all the same, and does not sign.
        for parent in new.parents.iter().filter(|parent| !parent.consents) {
            let Some(Consent { holder, .. }) = self.consent(parent, model) else { continue };
            let metas = instruction.accounts.iter_mut().skip(2).filter(|meta| meta.pubkey == holder);
            metas.for_each(|meta| meta.is_signer = false);
        }
        let limit = compute_unit_limit(4 * REGISTER_COMPUTE_UNITS);
        Some(Built { instructions: vec![instruction], signers }.after(Some(limit)))
    }

    fn adding_parent(
        &self,
        asset: usize,
        by: usize,
        holder: bool,
        parent: &Parent,
        pays: bool,
        model: &Model,
    ) -> Built {
        let (builder, consent) = (self.wallets[by], self.consent(parent, model));
        let known = model.known(parent.asset).ok();
        let price = known.and_then(|known| known.licences.get(&parent.licence)?.terms.price);
        let currency = self.money[price.map_or(SOL, |(mint, _)| mint)].currency();
        let signer = consent.as_ref().filter(|_| parent.consents).map(|consent| consent.holder);
        let unsigned = consent.as_ref().map(|consent| consent.holder).filter(|_| !parent.consents);
        let adding = NewParent {
            builder,
            mint: self.mints[asset],
            nft: holder.then(|| self.at(Place::Nft(asset, by))),
            parent: client::Parent {
                asset: self.at(Place::Asset(parent.asset)),
                pool: self.at(Place::Pool(parent.asset)),
                licence: parent.licence,
                version: parent.version,
                consent,
            },
            derived: known.is_some_and(|known| !known.edges.is_empty()),
            price: pays.then_some(currency),
            uses: 0,
        };
        let mut instruction = adding.instruction();
        // Who does not consent is named all the same, and does not sign.
        for meta in instruction.accounts.iter_mut().skip(1).filter(|meta| Some(meta.pubkey) == unsigned) {
            meta.is_signer = false;
        }
        Built { instructions: vec![instruction], signers: [builder].into_iter().chain(signer).collect() }
    }

    fn inheriting(&self, asset: usize, by: usize, parent: usize, count: u8, model: &Model) -> Instruction {
        let own = model.known(asset).map_or(Vec::new(), |asset| asset.edges.clone());
        let place = own.iter().position(|edge| edge.direct && edge.parent == parent);
        let theirs = model.known(parent).map_or(Vec::new(), |parent| self.edges(parent));
        let passing = place.map_or(Vec::new(), |place| {
            let edge = own[place];
            let [from, end] = [edge.inherited, edge.to_inherit].map(|edges| u8::try_from(edges).expect("few edges"));
            client::passing(&theirs, edge.version, from, count.min(end - from))
        });
        let place = u8::try_from(place.unwrap_or(own.len())).expect("few edges");
        let (by, mint) = (self.wallets[by], self.mints[asset]);
        client::inherit(&by, &mint, &self.at(Place::Asset(parent)), place, count, &passing)
    }

    /// An asset's edges as they must stand in its account.
    pub(super) fn edges(&self, asset: &Asset) -> Vec<Edge> {
        let few = |edges: usize| u8::try_from(edges).expect("few edges");
        let edge = |edge: &KnownEdge| Edge {
            parent: self.at(Place::Asset(edge.parent)),
            pool: self.at(Place::Pool(edge.parent)),
            licence: edge.licence,
            parent_version: edge.version,
            since: edge.since,
            uses: edge.uses,
            bps: edge.bps,
            kind: if edge.direct { EdgeKind::Direct } else { EdgeKind::Inherited } as u8,
            absolute: u8::from(edge.absolute),
            to_inherit: few(edge.to_inherit),
            inherited: few(edge.inherited),
            padding: [0; 2],
        };
        asset.edges.iter().map(edge).collect()
    }

    /// Where a licence needs it: the wallet that holds the parent's NFT.
    fn consent(&self, parent: &Parent, model: &Model) -> Option<Consent> {
        let needed = model.assets[parent.asset].as_ref()?.licences.get(&parent.licence)?.terms.consent;
        let holder = model.nft_holder(parent.asset).filter(|_| needed)?;
        Some(Consent { nft: self.at(Place::Nft(parent.asset, holder)), holder: self.wallets[holder] })
    }
}

fn nft_text(name_len: usize) -> NftText {
    NftText {
        name: "n".repeat(name_len),
        symbol: "PROVENA".to_owned(),
        uri: "https://example.org".to_owned(),
        seller_fee_basis_points: 500,
    }
}

fn reveal(claim: &Claim) -> ContentReveal {
    ContentReveal { root: content_root(claim.content), salt: [claim.salt; 32], len: 1_000_000 }
}
