//! Registered models and datasets: what the registry knows of them, and what the holder of an NFT may do.

mod error;
mod owner;
mod uri;

use provena_registry::{
    pda,
    state::{Asset, AssetStatus, ContentClaim, Edge, Floor, Licence, Lineage, Version},
};
use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::chain::{
    Chain, ChainError, accounts,
    accounts::{ProgramAccount, decode_with_items},
};
use error::unread;

pub use error::AssetError;
pub use owner::{Owner, Sent};
pub use uri::{Reach, check_uri};

/// An asset as the chain shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Mint of the NFT: the asset's name in every command.
    pub mint: Pubkey,
    /// The asset's account.
    pub address: Pubkey,
    /// What it is.
    pub asset: Asset,
    /// The least royalty per unit of use, by payment mint.
    pub floors: Vec<Floor>,
}

/// The asset whose NFT has this mint; `None` when there is none, or only a draft.
///
/// # Errors
/// [`AssetError::Unread`].
pub async fn find(chain: &dyn Chain, mint: &Pubkey) -> Result<Option<Registered>, AssetError> {
    Ok(begun(chain, mint).await?.filter(|found| !found.is_draft()))
}

/// The draft of an asset whose NFT will have this mint; `None` when there is none, or it is registered.
///
/// # Errors
/// [`AssetError::Unread`].
pub async fn draft(chain: &dyn Chain, mint: &Pubkey) -> Result<Option<Registered>, AssetError> {
    Ok(begun(chain, mint).await?.filter(Registered::is_draft))
}

/// The asset or the draft whose NFT has, or will have, this mint.
///
/// # Errors
/// [`AssetError::Unread`].
pub(crate) async fn begun(chain: &dyn Chain, mint: &Pubkey) -> Result<Option<Registered>, AssetError> {
    let address = pda::asset(mint).0;
    let Some(account) = account(chain, &address, "an asset").await? else { return Ok(None) };
    let (asset, floors) = decode_with_items::<Asset, Floor>(&address, &account).map_err(unread("an asset"))?;
    Ok(Some(Registered { mint: *mint, address, asset, floors }))
}

/// The asset whose NFT has this mint.
///
/// # Errors
/// [`AssetError::NoAsset`], [`AssetError::Unread`].
pub async fn get(chain: &dyn Chain, mint: &Pubkey) -> Result<Registered, AssetError> {
    find(chain, mint).await?.ok_or(AssetError::NoAsset(*mint))
}

/// The asset with this account, as lineages name it.
///
/// # Errors
/// [`AssetError::Unread`], also when nothing lives there.
pub async fn at(chain: &dyn Chain, address: &Pubkey) -> Result<Registered, AssetError> {
    let missing = || unread("an asset")(ChainError::Missing { what: Asset::what(), address: *address });
    let account = account(chain, address, "an asset").await?.ok_or_else(missing)?;
    let (asset, floors) = decode_with_items::<Asset, Floor>(address, &account).map_err(unread("an asset"))?;
    Ok(Registered { mint: asset.mint, address: *address, asset, floors })
}

impl Registered {
    /// Whether it is still being put together.
    fn is_draft(&self) -> bool {
        self.asset.status() == Ok(AssetStatus::Draft)
    }

    /// Version `n`.
    ///
    /// # Errors
    /// [`AssetError::NoVersion`], [`AssetError::Unread`].
    pub async fn version(&self, chain: &dyn Chain, n: u32) -> Result<Version, AssetError> {
        let address = pda::version(&self.address, n).0;
        let found = accounts::fetch_optional::<Version, _>(chain, &address).await.map_err(unread("a version"))?;
        found.ok_or(AssetError::NoVersion { mint: self.mint, n, latest: self.asset.latest })
    }

    /// All versions, the first first.
    ///
    /// # Errors
    /// [`AssetError::NoVersion`], [`AssetError::Unread`].
    pub async fn versions(&self, chain: &dyn Chain) -> Result<Vec<Version>, AssetError> {
        let numbers = 1..=self.asset.latest;
        let addresses: Vec<Pubkey> = numbers.clone().map(|n| pda::version(&self.address, n).0).collect();
        let found = chain.accounts(&addresses).await.map_err(unread("the versions"))?;
        let decoded = numbers.zip(&addresses).zip(found).map(|((n, address), account)| {
            let account = account.ok_or(AssetError::NoVersion { mint: self.mint, n, latest: self.asset.latest })?;
            accounts::decode(address, &account).map_err(unread("a version"))
        });
        decoded.collect()
    }

    /// Every licence that was ever published, by number.
    ///
    /// # Errors
    /// [`AssetError::Unread`].
    pub async fn licences(&self, chain: &dyn Chain) -> Result<Vec<Licence>, AssetError> {
        let filter = Licence::filter_field(std::mem::offset_of!(Licence, asset), self.address.as_ref());
        let found = accounts::list::<Licence, _>(chain, &filter).await.map_err(unread("the licences"))?;
        let mut licences: Vec<Licence> = found.into_iter().map(|(_, licence)| licence).collect();
        licences.sort_by_key(|licence| licence.id);
        Ok(licences)
    }

    /// Whose work it builds on.
    ///
    /// # Errors
    /// [`AssetError::Unread`].
    pub async fn parents(&self, chain: &dyn Chain) -> Result<Vec<Edge>, AssetError> {
        Ok(self.lineage(chain).await?.map(|(_, edges)| edges).unwrap_or_default())
    }

    /// Its lineage with all edges; `None` where it builds on nothing.
    ///
    /// # Errors
    /// [`AssetError::Unread`].
    pub async fn lineage(&self, chain: &dyn Chain) -> Result<Option<(Lineage, Vec<Edge>)>, AssetError> {
        if self.asset.edges() == 0 {
            return Ok(None);
        }
        let address = pda::lineage(&self.address).0;
        let Some(account) = account(chain, &address, "the lineage").await? else { return Ok(None) };
        let lineage = decode_with_items::<Lineage, Edge>(&address, &account);
        Ok(Some(lineage.map_err(unread("the lineage"))?))
    }
}

/// The claim with this hash; `None` when there is none.
///
/// # Errors
/// [`AssetError::Unread`].
pub async fn content_claim(chain: &dyn Chain, hash: &[u8; 32]) -> Result<Option<ContentClaim>, AssetError> {
    let found = accounts::fetch_optional::<ContentClaim, _>(chain, &pda::claim(hash).0).await;
    found.map_err(unread("the content claim"))
}

async fn account(chain: &dyn Chain, address: &Pubkey, what: &'static str) -> Result<Option<Account>, AssetError> {
    let account = chain.account(address).await.map_err(unread(what))?;
    // Whoever sends lamports to an address makes an account there, but not one of the registry's.
    Ok(account.filter(|account| account.owner == provena_registry::ID))
}
