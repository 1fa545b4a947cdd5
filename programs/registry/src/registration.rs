//! What registering a model and registering a dataset have in common: the accounts, the checks, the new asset.

use anchor_lang::prelude::*;
use provena_royalty::state::Pool;

use crate::{
    constants::{
        ASSOCIATED_TOKEN_PROGRAM, FULL_BPS, INSTRUCTIONS_SYSVAR, MAX_NAME_LEN, MAX_PARENTS, MAX_SYMBOL_LEN,
        MAX_URI_LEN, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, seeds,
    },
    error::RegistryError,
    events::AssetRegistered,
    lineage, nft,
    state::{Asset, AssetKind, Licence, STATE_VERSION},
};

/// How the NFT introduces itself; immutable.
#[derive(Clone, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct NftText {
    /// 1 to 32 bytes.
    pub name: String,
    /// Up to 10 bytes.
    pub symbol: String,
    /// Up to 200 bytes.
    pub uri: String,
    /// What marketplaces that honour it pay to the pool on a resale, up to 10,000.
    pub seller_fee_basis_points: u16,
}

impl NftText {
    /// Errors: [`RegistryError::EmptyName`], [`RegistryError::NameTooLong`], [`RegistryError::SymbolTooLong`],
    /// [`RegistryError::UriTooLong`], [`RegistryError::SellerFeeTooHigh`].
    pub fn validate(&self) -> Result<()> {
        require!(!self.name.is_empty(), RegistryError::EmptyName);
        require!(self.name.len() <= MAX_NAME_LEN, RegistryError::NameTooLong);
        require!(self.symbol.len() <= MAX_SYMBOL_LEN, RegistryError::SymbolTooLong);
        require!(self.uri.len() <= MAX_URI_LEN, RegistryError::UriTooLong);
        require!(self.seller_fee_basis_points <= FULL_BPS, RegistryError::SellerFeeTooHigh);
        Ok(())
    }
}

/// Everything about a new asset that is not in its NFT.
pub struct Registration<'a> {
    pub kind: AssetKind,
    pub content_root: [u8; 32],
    pub recipe_root: [u8; 32],
    pub licence: Licence,
    /// One promise per parent, in the order of the parents' accounts.
    pub parent_bps: &'a [u16],
}

impl Registration<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.content_root != [0; 32], RegistryError::EmptyContentRoot);
        require!(self.parent_bps.len() <= MAX_PARENTS, RegistryError::TooManyParents);
        let promised = self.parent_bps.iter().fold(0u32, |sum, bps| sum.saturating_add(u32::from(*bps)));
        require!(promised <= u32::from(FULL_BPS), RegistryError::ParentBpsTooHigh);
        self.licence.validate()
    }
}

/// Accounts of `register_model` and `register_dataset`.
///
/// For each parent follow its [`Asset`] and the position of its pool in this asset's pool; and where the parent's licence
/// requires consent, also a token account that holds the parent's NFT and, signing, that account's owner.
#[derive(Accounts)]
pub struct Register {
    /// Pays, receives the NFT, and is its update authority. May appear again, as the owner of a parent's NFT who consents.
    #[account(unsafe(dup))]
    pub creator: Signer,
    /// A fresh keypair: the NFT's mint.
    #[account(mut)]
    pub mint: Signer,
    #[account(init, payer = creator, space = Asset::SPACE, seeds = [seeds::ASSET, mint.address().as_ref()], bump)]
    pub asset: Account<Asset>,
    /// The asset's sealed royalty pool.
    #[account(
        constraint = pool.asset == *mint.address() @ RegistryError::WrongPool,
        constraint = pool.is_sealed() @ RegistryError::PoolNotSealed
    )]
    pub pool: Account<Pool>,
    /// The version before, when this is not the first.
    pub previous: Option<Account<Asset>>,
    /// The creator's associated token account for the NFT.
    #[account(mut)]
    pub token_account: UncheckedAccount,
    #[account(mut)]
    pub metadata: UncheckedAccount,
    #[account(mut)]
    pub master_edition: UncheckedAccount,
    #[account(address = provena_royalty::ID @ RegistryError::WrongRoyaltyProgram)]
    pub royalty_program: UncheckedAccount,
    #[account(address = TOKEN_METADATA_PROGRAM)]
    pub token_metadata_program: UncheckedAccount,
    #[account(address = ASSOCIATED_TOKEN_PROGRAM)]
    pub associated_token_program: UncheckedAccount,
    #[account(address = TOKEN_PROGRAM)]
    pub token_program: UncheckedAccount,
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount,
    pub system_program: Program<System>,
}

impl Register {
    /// Checks everything, writes the asset, mints the NFT, and has the pool verify itself as its creator.
    ///
    /// Errors: those of [`NftText::validate`], [`Licence::validate`] and [`lineage::check_parents`];
    /// [`RegistryError::EmptyContentRoot`], [`RegistryError::NotPreviousCreator`], [`RegistryError::WrongPreviousKind`].
    pub fn handle(&mut self, text: NftText, new: &Registration, others: &[AccountView], bump: u8) -> Result<()> {
        text.validate()?;
        new.validate()?;
        let version = self.next_version(new.kind)?;
        self.write_asset(new, version, bump)?;
        lineage::check_parents(&mut self.asset, &self.pool, new.parent_bps, others)?;
        self.asset.invariant()?;
        nft::mint(self, text)?;
        emit!(AssetRegistered {
            asset: *self.asset.address(),
            mint: self.asset.mint,
            creator: self.asset.creator,
            content_root: new.content_root,
            version,
            kind: self.asset.kind,
            parent_count: self.asset.parent_count,
            padding: [0; 2],
        });
        Ok(())
    }

    fn next_version(&self, kind: AssetKind) -> Result<u32> {
        let Some(previous) = &self.previous else { return Ok(1) };
        require!(previous.creator == *self.creator.address(), RegistryError::NotPreviousCreator);
        require!(previous.kind() == Some(kind), RegistryError::WrongPreviousKind);
        Ok(previous.version.checked_add(1).ok_or(RegistryError::VersionOverflow)?)
    }

    fn write_asset(&mut self, new: &Registration, version: u32, bump: u8) -> Result<()> {
        let asset = &mut self.asset;
        asset.mint = *self.mint.address();
        asset.creator = *self.creator.address();
        asset.pool = *self.pool.address();
        if let Some(previous) = &self.previous {
            asset.previous = *previous.address();
        }
        asset.content_root = new.content_root;
        asset.recipe_root = new.recipe_root;
        asset.licence = new.licence;
        asset.version = version;
        asset.kind = new.kind.byte();
        asset.bump = bump;
        asset.state_version = STATE_VERSION;
        asset.registered_slot = Clock::get()?.slot;
        Ok(())
    }
}
