//! What an NFT says about itself: a JSON document in the store, named by the NFT's URI.

use provena_registry::{Floors, MAX_NAME_LEN, MAX_SYMBOL_LEN, MAX_URI_LEN, NftText, state::AssetKind};
use serde_json::json;
use solana_pubkey::Pubkey;

use super::{
    MintError, Plan,
    error::{unread, unstored},
};
use crate::{
    chain::Chain,
    share::{Share, show_shares},
    store::Store,
};

/// The words of an NFT.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Its name, up to 32 bytes.
    pub title: String,
    /// Its ticker, up to 10 bytes.
    pub symbol: String,
    /// A sentence about it.
    pub description: String,
    /// The licence's name or text.
    pub licence: String,
    /// What marketplaces that honour it pay to the pool on a resale.
    pub resale_bps: u16,
}

impl Text {
    /// Says what is too long before anything is sent.
    ///
    /// # Errors
    /// [`MintError::TextTooLong`] or [`MintError::Untitled`].
    pub fn check(&self) -> Result<(), MintError> {
        let limits = [("title", &self.title, MAX_NAME_LEN), ("symbol", &self.symbol, MAX_SYMBOL_LEN)];
        for (what, text, limit) in limits {
            if text.len() > limit {
                return Err(MintError::TextTooLong { what, text: text.clone(), limit });
            }
        }
        if self.title.is_empty() { Err(MintError::Untitled) } else { Ok(()) }
    }

    /// As the registry takes it.
    #[must_use]
    pub fn nft(&self, uri: &str) -> NftText {
        NftText {
            name: self.title.clone(),
            symbol: self.symbol.clone(),
            uri: uri.to_owned(),
            seller_fee_basis_points: self.resale_bps,
        }
    }
}

/// Bytes of the URI of a document in the first of the stores.
///
/// # Errors
/// [`MintError::UriTooLong`].
pub(super) fn uri_len(store: &Store) -> Result<usize, MintError> {
    let len = place(store, &[0; 32]).len();
    if len > MAX_URI_LEN { Err(MintError::UriTooLong) } else { Ok(len) }
}

fn place(store: &Store, root: &[u8; 32]) -> String {
    let base = store.urls().next().unwrap_or_default().trim_end_matches('/');
    format!("{base}/blobs/{}", hex::encode(root))
}

/// Stores the metadata document and returns its URI.
pub(super) async fn publish(
    store: &Store,
    plan: &Plan,
    floors: &Floors,
    content_root: &[u8; 32],
    bytes: u64,
) -> Result<String, MintError> {
    let (kind, media) = match plan.kind() {
        AssetKind::Model => ("model", "application/x-provena-artifact"),
        AssetKind::Dataset => ("dataset", "application/octet-stream"),
    };
    let parents: Vec<_> = plan
        .parents
        .iter()
        .map(|parent| {
            let Share { address, shares } = parent.share;
            json!({ "mint": address.to_string(), "share": show_shares(shares) })
        })
        .collect();
    let mut properties = json!({
        "kind": kind,
        "content_root": hex::encode(content_root),
        "bytes": bytes,
        "files": [{ "uri": place(store, content_root), "type": media }],
        "licence": plan.text.licence,
        "floor_basis_points": floors.bps,
        "parents": parents,
    });
    if let Some(terms) = &plan.licence {
        properties["derivative_basis_points"] = json!(terms.bps);
    }
    if let Some(recipe) = &plan.recipe {
        properties["recipe_root"] = json!(hex::encode(recipe.root));
        properties["engine_class"] = json!("int-v1");
    }
    let document = json!({
        "name": plan.text.title,
        "symbol": plan.text.symbol,
        "description": plan.text.description,
        "seller_fee_basis_points": plan.text.resale_bps,
        "properties": properties,
    });
    let root = store.put(format!("{document:#}").into_bytes()).await.map_err(unstored("metadata"))?;
    Ok(place(store, &root))
}

/// The name in an NFT's metadata account, if there is one.
///
/// # Errors
/// A failure to read.
pub async fn name_of(chain: &dyn Chain, mint: &Pubkey) -> Result<Option<String>, MintError> {
    // Key (1), update authority (32), mint (32), then the name with its length (u32) and trailing zeros.
    const NAME: usize = 65;
    let account = chain.account(&provena_registry::pda::metadata(mint).0).await.map_err(unread("the NFT"))?;
    let name = account.and_then(|account| {
        let rest = account.data.get(NAME..)?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let name = rest.get(..usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        Some(String::from_utf8_lossy(name).trim_end_matches('\0').to_owned())
    });
    Ok(name)
}
