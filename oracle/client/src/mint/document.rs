//! What an NFT says about itself: a JSON document and a picture, as Metaplex's standard for fungible and other assets
//! defines them and wallets and marketplaces show them. Our own facts are under `properties.provena`.

use provena_arith::merkle;
use provena_registry::{Floors, state::AssetKind};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;

use super::{MintError, Plan, error::unstored};
use crate::{
    asset::{Reach, check_uri},
    share::{Share, show_shares},
    store::Store,
};

/// The NFT's picture.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The file; empty where the picture has an address already.
    pub bytes: Vec<u8>,
    /// Its type, e.g. `image/png`.
    pub media: String,
    /// Where it is, if it is somewhere.
    pub uri: Option<String>,
}

/// Who keeps the document, where the NFT's URI points to.
#[derive(Clone, Debug, Default)]
pub enum Hosting {
    /// The first of the stores, which must be one that others can read.
    #[default]
    Store,
    /// The first of the stores, even if it is a folder of this machine.
    Local,
    /// Another store: a node's address, or an object storage. What it lacks is sent to it.
    Host(Store),
    /// The owner, who puts the document at this address.
    Owner(String),
}

/// What the document says beyond the text and the chain.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// What wallets show.
    pub picture: Picture,
    /// A page about the asset; empty for none.
    pub external_url: String,
    /// A film, a sound or a page that is shown in place of the picture; empty for none.
    pub animation_url: String,
    /// What it is in figures and words: name and value.
    pub attributes: Vec<(String, String)>,
    /// Who keeps the document.
    pub hosting: Hosting,
}

/// A document that was kept.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// What the NFT's URI is.
    pub uri: String,
    /// The document.
    pub json: Vec<u8>,
}

/// The facts that only a minting knows.
pub(super) struct Facts<'a> {
    pub plan: &'a Plan,
    pub floors: &'a Floors,
    pub content_root: &'a [u8; 32],
    pub len: u64,
    /// The royalty pool, which marketplaces pay on a resale.
    pub pool: Pubkey,
}

/// Checks who keeps the document, and gives the number of bytes of its URI.
///
/// # Errors
/// [`MintError::LocalUri`], [`MintError::NoPictureBeside`], or what is wrong with the address.
pub(super) fn check_hosting(store: &Store, metadata: &Metadata) -> Result<usize, MintError> {
    let uri = match &metadata.hosting {
        Hosting::Owner(uri) => {
            let beside = metadata.picture.uri.is_some() || beside(uri).is_some();
            if !beside {
                return Err(MintError::NoPictureBeside(uri.clone()));
            }
            uri.clone()
        }
        Hosting::Store | Hosting::Local => place(store, &[0; 32]),
        Hosting::Host(host) => place(host, &[0; 32]),
    };
    let reach = check_uri(&uri)?;
    if reach == Reach::Local && !matches!(metadata.hosting, Hosting::Local) {
        return Err(MintError::LocalUri);
    }
    Ok(uri.len())
}

/// Where a store keeps what has this root.
fn place(store: &Store, root: &[u8; 32]) -> String {
    let base = store.urls().next().unwrap_or_default().trim_end_matches('/');
    format!("{base}/blobs/{}", hex::encode(root))
}

/// Keeps picture and document, and says where.
pub(super) async fn publish(store: &Store, facts: &Facts<'_>) -> Result<Document, MintError> {
    let Metadata { picture, hosting, .. } = &facts.plan.metadata;
    let host = match hosting {
        Hosting::Host(host) => host,
        _ => store,
    };
    let image = match (&picture.uri, hosting) {
        (Some(uri), _) => uri.clone(),
        (None, Hosting::Owner(uri)) => beside(uri).unwrap_or_default(),
        (None, _) => {
            let root = keep(store, host, picture.bytes.clone(), "picture").await?;
            let uri = place(host, &root);
            // Names of blobs have no ending, and some wallets go by it.
            let ending = picture.media.rsplit('/').next().and_then(|name| name.split('+').next()).unwrap_or("png");
            if uri.starts_with("http") { format!("{uri}?ext={ending}") } else { uri }
        }
    };
    // A folder of this machine is nobody else's business.
    let content = place(host, facts.content_root);
    let content = (matches!(hosting, Hosting::Local) || !content.starts_with("file:")).then_some(content);
    if matches!(hosting, Hosting::Host(_)) && !host.has(facts.content_root).await {
        let bytes = store.get(facts.content_root).await.map_err(unstored("content"))?;
        host.put(bytes).await.map_err(unstored("content"))?;
    }
    let json = format!("{:#}", document(facts, &image, content.as_deref())).into_bytes();
    let root = keep(store, host, json.clone(), "metadata").await?;
    let uri = match hosting {
        Hosting::Owner(uri) => uri.clone(),
        _ => place(host, &root),
    };
    Ok(Document { uri, json })
}

/// Keeps bytes in the store, and with the host unless it has them.
async fn keep(store: &Store, host: &Store, bytes: Vec<u8>, what: &'static str) -> Result<[u8; 32], MintError> {
    let root = merkle::content_root(&bytes).map_err(|_| MintError::Empty)?;
    store.put(bytes.clone()).await.map_err(unstored(what))?;
    if !host.has(&root).await {
        host.put(bytes).await.map_err(unstored(what))?;
    }
    Ok(root)
}

/// Where the picture of a document is that its owner keeps: beside it.
fn beside(uri: &str) -> Option<String> {
    let (folder, name) = uri.rsplit_once('/')?;
    let stem = name.strip_suffix(".json").filter(|stem| !stem.is_empty())?;
    (!folder.ends_with('/')).then(|| format!("{folder}/{stem}.png"))
}

/// The document.
fn document(facts: &Facts<'_>, image: &str, content: Option<&str>) -> Value {
    let Facts { plan, floors, content_root, len, pool } = facts;
    let (kind, media) = match plan.kind() {
        AssetKind::Model => ("model", "application/x-provena-artifact"),
        AssetKind::Dataset => ("dataset", "application/octet-stream"),
    };
    let parents: Vec<Value> = (plan.parents.iter())
        .map(|parent| {
            let Share { address, shares } = parent.share;
            json!({ "mint": address.to_string(), "share": show_shares(shares) })
        })
        .collect();
    let mut provena = json!({
        "kind": kind,
        "content_root": hex::encode(content_root),
        "bytes": len,
        "licence": plan.text.licence,
        "floor_basis_points": floors.bps,
        "parents": parents,
    });
    if let Some(terms) = &plan.licence {
        provena["derivative_basis_points"] = json!(terms.bps);
    }
    if let Some(recipe) = &plan.recipe {
        provena["recipe_root"] = json!(hex::encode(recipe.root));
        provena["engine_class"] = json!("int-v1");
    }
    let Metadata { picture, external_url, animation_url, attributes, .. } = &plan.metadata;
    let mut files = vec![json!({ "uri": image, "type": picture.media })];
    files.extend(content.map(|uri| json!({ "uri": uri, "type": media })));
    let attributes: Vec<Value> =
        attributes.iter().map(|(name, value)| json!({ "trait_type": name, "value": value })).collect();
    let mut document = json!({
        "name": plan.text.title,
        "symbol": plan.text.symbol,
        "description": plan.text.description,
        "seller_fee_basis_points": plan.text.resale_bps,
        "image": image,
        "external_url": external_url,
        "attributes": attributes,
        "properties": {
            "category": "image",
            "files": files,
            "creators": [{ "address": pool.to_string(), "share": 100 }],
            "provena": provena,
        },
    });
    if !animation_url.is_empty() {
        document["animation_url"] = json!(animation_url);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_lies_beside_a_document_that_its_owner_keeps() {
        assert_eq!(beside("https://a.example/x/digits.json").as_deref(), Some("https://a.example/x/digits.png"));
        for none in
            ["https://a.example", "ar://abc", "ipfs://abc/meta", "https://a.example/.json", "https://digits.json"]
        {
            assert_eq!(beside(none), None, "{none}");
        }
    }
}
