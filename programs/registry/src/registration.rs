//! What registering a model and registering a dataset have in common: the accounts, the checks, the new asset.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Bps};
use provena_royalty::state::Pool;

use crate::{
    artifact::{ContentReveal, NewVersion, Recipe},
    constants::{
        ASSOCIATED_TOKEN_PROGRAM, INSTRUCTIONS_SYSVAR, MAX_NAME_LEN, MAX_SYMBOL_LEN, MAX_URI_LEN,
        TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, pause, seeds, uses,
    },
    creation::create,
    error::RegistryError,
    events::AssetRegistered,
    lineage::{self, NewLineage},
    nft,
    state::{Admin, AssetAccount, AssetKind, AssetStatus, ContentClaim, Floor, STATE_VERSION, check_floors},
};

/// How the NFT introduces itself. Of all this only the URI can change, by `set_uri`.
#[derive(Clone, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct NftText {
    /// 1 to 32 bytes.
    pub name: String,
    /// Up to 10 bytes.
    pub symbol: String,
    /// Up to 200 bytes.
    pub uri: String,
    /// What marketplaces that honour it pay to the pool on a resale, in basis points.
    pub seller_fee_basis_points: u16,
}

impl NftText {
    /// Whether Token Metadata can store it.
    ///
    /// # Errors
    ///
    /// [`RegistryError::EmptyName`], [`RegistryError::NameTooLong`], [`RegistryError::SymbolTooLong`],
    /// [`RegistryError::UriTooLong`], `BpsTooHigh`.
    pub fn validate(&self) -> Result<()> {
        require!(!self.name.is_empty(), RegistryError::EmptyName);
        require!(self.name.len() <= MAX_NAME_LEN, RegistryError::NameTooLong);
        require!(self.symbol.len() <= MAX_SYMBOL_LEN, RegistryError::SymbolTooLong);
        require!(self.uri.len() <= MAX_URI_LEN, RegistryError::UriTooLong);
        Bps::new(self.seller_fee_basis_points)?;
        Ok(())
    }
}

/// The least royalty on use that a new asset asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Floors {
    /// In basis points of the fee.
    pub bps: u16,
    /// Per unit, in up to 8 mints.
    pub per_unit: Vec<Floor>,
}

/// Everything about a new asset that is not in its NFT.
pub struct Registration {
    /// What it is.
    pub kind: AssetKind,
    /// Its first version.
    pub content: ContentReveal,
    /// Of a model only.
    pub recipe: Option<Recipe>,
    /// What it asks of its users.
    pub floors: Floors,
    /// Which version of each parent was built on, in the order of the parents' accounts.
    pub parents: Vec<u32>,
}

/// Accounts of `register_model` and `register_dataset`.
///
/// For each parent follow its [`Asset`](crate::state::Asset), its [`Licence`](crate::state::Licence) and the position
/// of its pool in this asset's pool; and where the licence needs consent, also a token account that holds the parent's
/// NFT and, signing, that account's owner. `seal_asset` has the same accounts, asset and lineage being there, and none follow.
#[derive(Accounts)]
pub struct Register {
    /// Pays, made the content claim, and receives the NFT. May appear again, as the holder of a parent's NFT who
    /// consents.
    #[account(mut, unsafe(dup))]
    pub creator: Signer,
    /// A fresh key pair: the NFT's mint.
    #[account(mut)]
    pub mint: Signer,
    /// Says whether registering is paused.
    pub admin: State<Admin>,
    /// The creator's claim to the content; closed here.
    #[account(mut, close = creator)]
    pub claim: State<ContentClaim>,
    /// Made here.
    #[account(mut)]
    pub asset: UncheckedAccount,
    /// The first version, made here.
    #[account(mut)]
    pub version: UncheckedAccount,
    /// Made here.
    #[account(mut)]
    pub content: UncheckedAccount,
    /// Made here when there are parents, else absent.
    #[account(mut)]
    pub lineage: Option<UncheckedAccount>,
    /// The asset's sealed royalty pool.
    #[account(
        constraint = pool.asset == *mint.address() @ RegistryError::WrongPool,
        constraint = pool.is_sealed() @ RegistryError::PoolNotSealed
    )]
    pub pool: State<Pool>,
    /// The creator's associated token account for the NFT, made here.
    #[account(mut)]
    pub token_account: UncheckedAccount,
    /// The NFT's metadata, made here.
    #[account(mut)]
    pub metadata: UncheckedAccount,
    /// The NFT's master edition, made here.
    #[account(mut)]
    pub master_edition: UncheckedAccount,
    /// Has the pool sign as the NFT's creator.
    #[account(address = provena_royalty::ID @ RegistryError::WrongRoyaltyProgram)]
    pub royalty_program: UncheckedAccount,
    /// Token Metadata.
    #[account(address = TOKEN_METADATA_PROGRAM)]
    pub token_metadata_program: UncheckedAccount,
    /// Makes the token account.
    #[account(address = ASSOCIATED_TOKEN_PROGRAM)]
    pub associated_token_program: UncheckedAccount,
    /// SPL Token.
    #[account(address = TOKEN_PROGRAM)]
    pub token_program: UncheckedAccount,
    /// The instructions sysvar, which Token Metadata wants to see.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl Register {
    /// Checks everything, records the asset, mints the NFT, and has the pool verify itself as its creator.
    ///
    /// # Errors
    ///
    /// `Paused`, `WrongPda`, `BpsTooHigh`; those of [`NftText::validate`], [`check_floors`], [`NewVersion::record`] and
    /// [`lineage::record`].
    pub fn handle(&mut self, text: &NftText, new: &Registration, others: &[AccountView]) -> Result<()> {
        self.admin.control.check_running(pause::REGISTER)?;
        text.validate()?;
        let mut asset = self.fresh_asset(new).create()?;
        self.record_version(new.kind, new.content, new.recipe)?;
        lineage::record(&self.new_lineage(new, others), &mut asset)?;
        asset.status = AssetStatus::Active as u8;
        asset.invariant()?;
        self.mint_nft(&asset, text, &new.content)
    }

    /// Mints the NFT of the asset, whose state is final, and announces it.
    pub(crate) fn mint_nft(&self, asset: &AssetAccount, text: &NftText, content: &ContentReveal) -> Result<()> {
        nft::mint(self, text, asset.bump)?;
        emit!(AssetRegistered {
            asset: *self.asset.address(),
            mint: *self.mint.address(),
            creator: *self.creator.address(),
            content_root: content.root,
            kind: asset.kind,
            parents: asset.direct_parents,
            padding: [0; 6],
        });
        Ok(())
    }

    fn fresh_asset<'a>(&'a self, new: &'a Registration) -> FreshAsset<'a> {
        FreshAsset {
            payer: self.creator.account(),
            account: self.asset.account(),
            mint: *self.mint.address(),
            pool: *self.pool.address(),
            kind: new.kind,
            floors: &new.floors,
        }
    }

    /// Records the first version.
    pub(crate) fn record_version(&self, kind: AssetKind, content: ContentReveal, recipe: Option<Recipe>) -> Result<()> {
        let version = NewVersion {
            claimant: self.creator.account(),
            claim: &self.claim,
            content_account: self.content.account(),
            version_account: self.version.account(),
            asset: *self.asset.address(),
            kind,
            n: 1,
            content,
            recipe,
        };
        version.record()
    }

    fn new_lineage<'a>(&'a self, new: &'a Registration, others: &'a [AccountView]) -> NewLineage<'a> {
        NewLineage {
            payer: self.creator.account(),
            account: self.lineage.as_ref().map(AnchorAccount::account),
            pool: &self.pool,
            parents: &new.parents,
            others,
        }
    }
}

/// An asset's account that is to be made: a draft without parents.
pub(crate) struct FreshAsset<'a> {
    /// Signed; pays the rent.
    pub(crate) payer: &'a AccountView,
    /// Where it shall be.
    pub(crate) account: &'a AccountView,
    /// The NFT's mint.
    pub(crate) mint: Address,
    /// The royalty pool.
    pub(crate) pool: Address,
    /// What it is.
    pub(crate) kind: AssetKind,
    /// What it asks of its users.
    pub(crate) floors: &'a Floors,
}

impl FreshAsset<'_> {
    /// # Errors
    ///
    /// `WrongPda`, `BpsTooHigh`; those of [`check_floors`].
    pub(crate) fn create(&self) -> Result<AssetAccount> {
        let floors = &self.floors.per_unit;
        check_floors(floors)?;
        let seeds: [&[u8]; 2] = [seeds::ASSET, self.mint.as_ref()];
        let (mut asset, bump): (AssetAccount, _) = create(self.payer, self.account, &seeds, floors.len())?;
        asset.mint = self.mint;
        asset.pool = self.pool;
        asset.latest = 1;
        asset.uses = uses::ALL;
        asset.floor_bps = Bps::new(self.floors.bps)?.get();
        asset.kind = self.kind as u8;
        asset.status = AssetStatus::Draft as u8;
        asset.bump = bump;
        asset.version = STATE_VERSION;
        for floor in floors {
            asset.try_push(*floor)?;
        }
        Ok(asset)
    }
}
