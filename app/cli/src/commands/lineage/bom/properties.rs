//! What neither format has a field for: pairs of a name that begins with `provena:` and a value, the same in both.

use provena_arith::merkle::CHUNK_LEN;
use provena_client::token;
use provena_registry::{constants::uses, state::Licence};
use serde::Serialize;

use super::chain::{Bill, Entry};
use crate::commands::asset::show::status;

/// A name and a value.
#[derive(Serialize)]
pub(super) struct Property {
    pub name: String,
    pub value: String,
}

/// Pairs in the making, whose names begin alike.
struct Pairs {
    prefix: String,
    pairs: Vec<Property>,
}

impl Pairs {
    fn new() -> Self {
        Self { prefix: "provena:".into(), pairs: Vec::new() }
    }

    /// From here on names begin with this, too.
    fn under(&mut self, part: impl ToString) {
        self.prefix = format!("provena:{}:", part.to_string());
    }

    fn say(&mut self, name: &str, value: impl ToString) {
        self.pairs.push(Property { name: format!("{}{name}", self.prefix), value: value.to_string() });
    }

    fn say_if_known(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.say(name, value);
        }
    }

    fn say_uses(&mut self, allowed: u32) {
        self.say("may_be_offered", allowed & uses::SERVE != 0);
        self.say("may_be_built_on", allowed & uses::DERIVE != 0);
        self.say("uses", format!("{allowed:#010x}"));
    }
}

/// How a content root is made, so that nobody takes it for a file's hash.
pub(super) fn content_root_hash() -> String {
    format!(
        "SHA-256 Merkle root over chunks of {CHUNK_LEN} bytes, bound to the content's length (provena.content.v1); it is \
         not the SHA-256 of the file"
    )
}

/// What is true of the whole bill.
pub(super) fn of_bill(bill: &Bill) -> Vec<Property> {
    let mut pairs = Pairs::new();
    pairs.say("genesis_hash", &bill.genesis);
    pairs.say("newest_slot", bill.newest_slot());
    pairs.say("content_root_hash", content_root_hash());
    pairs.say("recipe_root_hash", "SHA-256 of the recipe behind the domain provena.recipe.v1");
    pairs.say("terms_hash_hash", "SHA-256 of the licence's text behind the domain provena.licence.v1");
    pairs.pairs
}

/// Everything about an asset but its licences.
pub(super) fn of_asset(bill: &Bill, entry: &Entry) -> Vec<Property> {
    let (mut pairs, state) = (Pairs::new(), &entry.registered.asset);
    pairs.say("nft", bill.nft(&entry.mint()));
    pairs.say("asset_account", entry.registered.address);
    pairs.say("kind", if entry.is_model() { "model" } else { "dataset" });
    pairs.say("status", status(state));
    pairs.say_if_known("holder", entry.holder);
    pairs.say_if_known("registrant", entry.registrant);
    pairs.say("royalty_pool", state.pool);
    pairs.say_if_known("royalty_pool_creator", entry.pool_creator);
    for (name, words) in [("symbol", &entry.words.symbol), ("metadata_uri", &entry.words.uri)] {
        pairs.say_if_known(name, Some(words.raw()).filter(|words| !words.is_empty()));
    }
    pairs.say("floor_basis_points", state.floor_bps);
    for floor in &entry.registered.floors {
        pairs.say(&format!("floor_per_unit:{}", token::name(&floor.mint)), floor.per_unit);
    }
    pairs.say_uses(state.uses);
    for version in &entry.versions {
        pairs.under(format!("version:{}", version.n));
        pairs.say("content_root", hex::encode(version.content_root));
        pairs.say("content_bytes", version.content_len);
        if entry.is_model() {
            pairs.say("recipe_root", hex::encode(version.recipe_root));
            pairs.say("recipe_bytes", version.recipe_len);
        }
        pairs.say("registered_slot", version.registered);
    }
    for ancestor in &entry.ancestors {
        let edge = &ancestor.edge;
        pairs.under(format!("ancestor:{}", ancestor.mint));
        pairs.say("relation", if ancestor.is_inherited() { "inherited" } else { "direct" });
        pairs.say("licence", edge.licence);
        pairs.say("built_on_version", edge.parent_version);
        pairs.say("since_version", edge.since);
        pairs.say("share_basis_points", edge.bps);
        pairs.say("binds_every_descendant", edge.is_absolute());
        pairs.say_uses(edge.uses);
    }
    pairs.pairs
}

/// The terms of a licence; amounts are in base units of their mint.
pub(super) fn of_licence(licence: &Licence) -> Vec<Property> {
    let mut pairs = Pairs::new();
    pairs.under("licence");
    pairs.say("number", licence.id);
    pairs.say("terms_hash", hex::encode(licence.terms_hash));
    pairs.say("active", licence.is_active());
    pairs.say("grantor", licence.grantor);
    pairs.say("share_basis_points", licence.bps);
    pairs.say("floor_basis_points", licence.floor_bps);
    if licence.floor_per_unit > 0 {
        pairs.say("floor_mint", token::name(&licence.floor_mint));
        pairs.say("floor_per_unit", licence.floor_per_unit);
    }
    if licence.price > 0 {
        pairs.say("price_mint", token::name(&licence.price_mint));
        pairs.say("price", licence.price);
    }
    pairs.say("consent_required", licence.needs_consent());
    pairs.say("binds_every_descendant", licence.is_absolute());
    pairs.say("issued_slot", licence.issued);
    pairs.say_if_known("last_slot", Some(licence.expires).filter(|slot| *slot > 0));
    pairs.say("derivatives", licence.children);
    pairs.say_if_known("most_derivatives", Some(licence.most_children).filter(|most| *most > 0));
    pairs.say_uses(licence.uses);
    pairs.pairs
}

/// What a licence is called, of which the chain has the terms and no name.
pub(super) fn licence_name(entry: &Entry, licence: &Licence) -> String {
    format!("Provena licence {} of {}", licence.id, entry.mint())
}
