//! Instructions of the registry program.

use provena_registry::{
    ContentReveal, Floors, LicenceTerms, NftText, Recipe,
    client::{self, Consent, NewAsset, REGISTER_COMPUTE_UNITS},
    state::Floor,
};
use provena_tests::transactions::compute_unit_limit;

use super::{
    Built, Chain,
    places::{Place, content_root},
};
use crate::conservation::{
    model::{Claim, Model},
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
                let n = model.assets[*asset].as_ref()?.latest + 1;
                let (by, recipe) = (self.wallets[claim.by], recipe.then_some(RECIPE));
                let add = client::add_version(&by, &mint(asset), &nft(asset, &claim.by), n, reveal(claim), recipe);
                Built::by(by, add)
            }
            Registry::PublishLicence { asset, by, id, bps, floor_bps, floor: asked, consent } => {
                let terms = LicenceTerms {
                    text_hash: [9; 32],
                    bps: *bps,
                    floor_bps: *floor_bps,
                    floor: floor(asked),
                    consent: *consent,
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
            nft: NftText {
                name: "n".repeat(new.name_len),
                symbol: "PROVENA".to_owned(),
                uri: "https://example.org".to_owned(),
                seller_fee_basis_points: 500,
            },
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

    /// Where a licence needs it: the wallet that holds the parent's NFT.
    fn consent(&self, parent: &Parent, model: &Model) -> Option<Consent> {
        let needed = model.assets[parent.asset].as_ref()?.licences.get(&parent.licence)?.consent;
        let holder = model.nft_holder(parent.asset).filter(|_| needed)?;
        Some(Consent { nft: self.at(Place::Nft(parent.asset, holder)), holder: self.wallets[holder] })
    }
}

fn reveal(claim: &Claim) -> ContentReveal {
    ContentReveal { root: content_root(claim.content), salt: [claim.salt; 32], len: 1_000_000 }
}
