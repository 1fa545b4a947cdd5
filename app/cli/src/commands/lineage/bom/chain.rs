//! What a bill of materials says, as the chain has it: an asset and everything that it builds on.

use std::collections::{HashMap, HashSet, VecDeque};

use anyhow::Result;
use provena_client::{
    asset::{self, Registered},
    chain::Chain,
    mint::{self, NftWords},
    royalty, token,
};
use provena_registry::state::{AssetKind, Edge, Licence, Version};
use solana_pubkey::Pubkey;

/// Letters of a genesis hash that name a chain of Solana's kind in CAIP-2.
const CHAIN_REFERENCE: usize = 32;

/// An asset and all its ancestors, the asset first and then generation by generation, each once.
pub(super) struct Bill {
    /// The genesis hash as Solana writes it.
    pub genesis: String,
    /// Never empty.
    pub assets: Vec<Entry>,
}

/// One asset of the bill.
pub(super) struct Entry {
    /// The asset's account.
    pub registered: Registered,
    /// What its NFT is called, and where its document is.
    pub words: NftWords,
    /// All versions, the first first.
    pub versions: Vec<Version>,
    /// All licences that were ever published, by number.
    pub licences: Vec<Licence>,
    /// Its whole lineage.
    pub ancestors: Vec<Ancestor>,
    /// Began its draft; not known of what was registered by one transaction.
    pub registrant: Option<Pubkey>,
    /// Paid for its royalty pool and named the first holders of its shares.
    pub pool_creator: Option<Pubkey>,
    /// Holds the NFT.
    pub holder: Option<Pubkey>,
}

/// One edge of a lineage.
pub(super) struct Ancestor {
    /// Mint of the ancestor's NFT.
    pub mint: Pubkey,
    /// What the chain says of it.
    pub edge: Edge,
}

impl Entry {
    /// Mint of the NFT.
    pub(super) fn mint(&self) -> Pubkey {
        self.registered.mint
    }

    /// Whether it answers; else it is data.
    pub(super) fn is_model(&self) -> bool {
        self.registered.asset.kind() == Ok(AssetKind::Model)
    }

    /// Its name, or its address where it has none.
    pub(super) fn name(&self) -> String {
        match self.words.name.raw() {
            "" => self.mint().to_string(),
            name => name.to_owned(),
        }
    }

    /// The address of the NFT's document where it is an address at all.
    pub(super) fn document(&self) -> Option<&str> {
        Some(self.words.uri.raw()).filter(|uri| asset::check_uri(uri).is_ok())
    }
}

impl Ancestor {
    /// Whether a parent was made from it, under a licence that binds every descendant.
    pub(super) fn is_inherited(&self) -> bool {
        !self.edge.is_direct()
    }
}

impl Bill {
    /// The asset with this mint.
    pub(super) fn entry(&self, mint: &Pubkey) -> Option<&Entry> {
        self.assets.iter().find(|entry| entry.mint() == *mint)
    }

    /// Slot of the newest version or licence in it: the time of the bill, as far as it has one.
    pub(super) fn newest_slot(&self) -> u64 {
        let versions = self.assets.iter().flat_map(|entry| &entry.versions).map(|version| version.registered);
        let licences = self.assets.iter().flat_map(|entry| &entry.licences).map(|licence| licence.issued);
        versions.chain(licences).max().unwrap_or(0)
    }

    /// The chain's name in CAIP-2.
    fn chain(&self) -> String {
        format!("solana:{}", self.genesis.get(..CHAIN_REFERENCE).unwrap_or(&self.genesis))
    }

    /// An NFT's name in CAIP-19.
    pub(super) fn nft(&self, mint: &Pubkey) -> String {
        format!("{}/nft:{mint}", self.chain())
    }

    /// A wallet's name in CAIP-10.
    pub(super) fn wallet(&self, address: &Pubkey) -> String {
        format!("{}:{address}", self.chain())
    }
}

/// Reads the asset whose NFT has this mint and everything behind it.
///
/// # Errors
/// There is none, or the chain does not answer.
pub(super) async fn read(chain: &dyn Chain, mint: &Pubkey) -> Result<Bill> {
    let genesis = Pubkey::new_from_array(chain.cluster().await?).to_string();
    let first = asset::get(chain, mint).await?;
    // An account's address is what edges name, its mint what people know it by.
    let mut mints: HashMap<Pubkey, Pubkey> = HashMap::from([(first.address, first.mint)]);
    let (mut met, mut due) = (HashSet::from([first.address]), VecDeque::from([first]));
    let mut assets = Vec::new();
    while let Some(registered) = due.pop_front() {
        let lineage = registered.lineage(chain).await?;
        let (registrant, edges) = lineage.map_or((None, Vec::new()), |(lineage, edges)| {
            (Some(lineage.registrant).filter(|registrant| *registrant != Pubkey::default()), edges)
        });
        let mut ancestors = Vec::with_capacity(edges.len());
        for edge in edges {
            // A later version may name parents, too, so that only what was met already ends the search.
            if met.insert(edge.parent) {
                let parent = asset::at(chain, &edge.parent).await?;
                mints.insert(parent.address, parent.mint);
                due.push_back(parent);
            }
            ancestors.push(Ancestor { mint: mints.get(&edge.parent).copied().unwrap_or(edge.parent), edge });
        }
        let pool = royalty::find_pool(chain, &registered.mint).await?;
        assets.push(Entry {
            words: mint::words_of(chain, &registered.mint).await?.unwrap_or_default(),
            versions: registered.versions(chain).await?,
            licences: registered.licences(chain).await?,
            ancestors,
            registrant,
            pool_creator: pool.map(|pool| pool.creator),
            holder: token::owner_of(chain, &registered.mint).await?,
            registered,
        });
    }
    Ok(Bill { genesis, assets })
}
