//! What the holder of an asset's NFT does with it: licences, floors, the metadata's address.

use provena_registry::{
    LicenceTerms, MAX_FLOORS, client as registry,
    state::{AssetKind, Floor, Licence},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    AssetError, Registered,
    error::{unread, unsent},
};
use crate::{
    chain::{Chain, accounts, send_and_confirm},
    token,
};

/// A wallet that holds an asset's NFT.
pub struct Owner<'a> {
    chain: &'a dyn Chain,
    wallet: &'a Keypair,
    registered: Registered,
    nft: Pubkey,
}

/// A transaction that changed an asset.
pub type Sent = Result<Signature, AssetError>;

impl<'a> Owner<'a> {
    /// Looks the asset up and checks that `wallet` holds its NFT.
    ///
    /// # Errors
    /// [`AssetError::NoAsset`], [`AssetError::NotOwner`] with the wallet that does, or a failure to read.
    pub async fn of(chain: &'a dyn Chain, wallet: &'a Keypair, mint: &Pubkey) -> Result<Self, AssetError> {
        let registered = super::get(chain, mint).await?;
        let held = token::nft_account(chain, &wallet.pubkey(), mint).await.map_err(AssetError::Token)?;
        let Some(nft) = held else {
            let owner = token::owner_of(chain, mint).await.map_err(AssetError::Token)?;
            return Err(AssetError::NotOwner { wallet: wallet.pubkey(), mint: *mint, owner });
        };
        Ok(Self { chain, wallet, registered, nft })
    }

    /// The asset.
    #[must_use]
    pub fn registered(&self) -> &Registered {
        &self.registered
    }

    /// The token account that holds the NFT.
    #[must_use]
    pub fn nft(&self) -> Pubkey {
        self.nft
    }

    /// Checks that versions, licences and offers are possible.
    ///
    /// # Errors
    /// [`AssetError::NotActive`].
    pub fn check_active(&self) -> Result<(), AssetError> {
        if self.registered.asset.is_active() { Ok(()) } else { Err(AssetError::NotActive(self.registered.mint)) }
    }

    /// Checks what the asset is.
    ///
    /// # Errors
    /// [`AssetError::WrongKind`].
    pub fn check_kind(&self, wanted: AssetKind) -> Result<(), AssetError> {
        let name = |kind| if kind == AssetKind::Model { "model" } else { "dataset" };
        match self.registered.asset.kind() {
            Ok(kind) if kind != wanted => {
                Err(AssetError::WrongKind { mint: self.registered.mint, is: name(kind), wanted: name(wanted) })
            }
            _ => Ok(()),
        }
    }

    /// Publishes a licence for what others build on the asset, under `id` or the next free number; returns the number.
    ///
    /// # Errors
    /// [`AssetError::NotActive`], [`AssetError::LicenceExists`], [`AssetError::Unsent`], or a failure to read.
    pub async fn publish_licence(&self, id: Option<u32>, terms: LicenceTerms) -> Result<(u32, Signature), AssetError> {
        self.check_active()?;
        let licences = self.registered.licences(self.chain).await?;
        let mint = self.registered.mint;
        let id = match id {
            Some(id) if licences.iter().any(|licence| licence.id == id) => {
                return Err(AssetError::LicenceExists { mint, id });
            }
            Some(id) => id,
            None => licences.last().map_or(1, |last| last.id.saturating_add(1)),
        };
        let publish = registry::publish_licence(&self.wallet.pubkey(), &mint, &self.nft, id, terms);
        Ok((id, self.send(publish, "the licence was not published").await?))
    }

    /// Ends granting by a licence.
    ///
    /// # Errors
    /// [`AssetError::NoLicence`], [`AssetError::Retired`], [`AssetError::Unsent`], or a failure to read.
    pub async fn retire_licence(&self, id: u32) -> Sent {
        let mint = self.registered.mint;
        let address = provena_registry::pda::licence(&self.registered.address, id).0;
        let licence =
            accounts::fetch_optional::<Licence, _>(self.chain, &address).await.map_err(unread("a licence"))?;
        let licence = licence.ok_or(AssetError::NoLicence { mint, id })?;
        if !licence.is_active() {
            return Err(AssetError::Retired { mint, id });
        }
        let retire = registry::retire_licence(&self.wallet.pubkey(), &mint, &self.nft, id);
        self.send(retire, "the licence was not retired").await
    }

    /// Raises the least royalty on use: `bps` of each fee, and for one payment mint so much per unit.
    ///
    /// # Errors
    /// [`AssetError::FloorLowered`], [`AssetError::UnitFloorLowered`], [`AssetError::TooManyFloors`],
    /// [`AssetError::Unsent`].
    pub async fn raise_floor(&self, bps: u16, per_unit: Option<Floor>) -> Sent {
        let Registered { mint, asset, floors, .. } = &self.registered;
        if bps < asset.floor_bps {
            return Err(AssetError::FloorLowered { mint: *mint, floor: asset.floor_bps });
        }
        if let Some(wanted) = per_unit {
            match floors.iter().find(|floor| floor.mint == wanted.mint) {
                Some(floor) if wanted.per_unit < floor.per_unit => {
                    let currency = token::currency(self.chain, &floor.mint).await.map_err(AssetError::Token)?;
                    return Err(AssetError::UnitFloorLowered { mint: *mint, floor: currency.show(floor.per_unit) });
                }
                None if floors.len() >= MAX_FLOORS => return Err(AssetError::TooManyFloors(*mint)),
                _ => {}
            }
        }
        let raise = registry::raise_floor(&self.wallet.pubkey(), mint, &self.nft, bps, per_unit);
        self.send(raise, "the floor was not raised").await
    }

    /// Changes where the NFT's metadata document is.
    ///
    /// # Errors
    /// [`AssetError::UriTooLong`], [`AssetError::BadUri`], [`AssetError::Unsent`].
    pub async fn set_uri(&self, uri: &str) -> Sent {
        super::check_uri(uri)?;
        let set = registry::set_uri(&self.wallet.pubkey(), &self.registered.mint, &self.nft, uri);
        self.send(set, "the URI was not changed").await
    }

    async fn send(&self, instruction: Instruction, outcome: &'static str) -> Sent {
        let sent = send_and_confirm(self.chain, &[instruction], &[self.wallet]).await;
        Ok(sent.map_err(unsent(outcome))?.signature)
    }
}
