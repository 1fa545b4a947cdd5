//! The NFT's metadata: how it is created, and how its URI, and nothing else, is changed.

use anchor_lang::{pinocchio::instruction::InstructionAccount, prelude::*};
use borsh::BorshSerialize;
use mpl_token_metadata::{
    instructions::CreateMetadataAccountV3InstructionArgs,
    types::{Creator, DataV2, Key},
};
use provena_common::cpi::invoke;

use crate::{
    constants::{MAX_NAME_LEN, MAX_SYMBOL_LEN, MAX_URI_LEN, TOKEN_METADATA_PROGRAM, seeds},
    error::RegistryError,
    registration::NftText,
    state::AssetAccount,
};

const METADATA_CREATE_V3: u8 = 33;
const METADATA_UPDATE_V2: u8 = 15;
/// Room for the longest texts, so that the instruction's bytes are allocated once.
const MAX_INSTRUCTION_LEN: usize = 352;

/// Where the fields of metadata begin. Token Metadata pads the texts with zeros to their greatest length, so that the places
/// are the same for all our NFTs.
mod at {
    use super::{MAX_NAME_LEN, MAX_SYMBOL_LEN, MAX_URI_LEN};

    /// After the key and the update authority.
    pub(super) const MINT: usize = 33;
    /// The name's length in 4 bytes, and the name.
    pub(super) const NAME: usize = 65;
    pub(super) const SYMBOL: usize = NAME + 4 + MAX_NAME_LEN;
    pub(super) const URI: usize = SYMBOL + 4 + MAX_SYMBOL_LEN;
    /// Seller fee and creators.
    pub(super) const FEE: usize = URI + 4 + MAX_URI_LEN;
    /// Behind the seller fee, some list of one creator.
    pub(super) const END: usize = FEE + 2 + 1 + 4 + 34;
}

/// `CreateMetadataAccountV3`: mutable, with one unverified creator, the pool, and without collection and uses.
pub(super) fn create_instruction(text: &NftText, pool: &Address) -> Result<Vec<u8>> {
    let creator = Creator { address: *pool, verified: false, share: 100 };
    let data = DataV2 {
        name: text.name.clone(),
        symbol: text.symbol.clone(),
        uri: text.uri.clone(),
        seller_fee_basis_points: text.seller_fee_basis_points,
        creators: Some(vec![creator]),
        collection: None,
        uses: None,
    };
    let arguments = CreateMetadataAccountV3InstructionArgs { data, is_mutable: true, collection_details: None };
    let mut instruction = Vec::with_capacity(MAX_INSTRUCTION_LEN);
    instruction.push(METADATA_CREATE_V3);
    arguments.serialize(&mut instruction).map_err(|_| RegistryError::BrokenInvariant)?;
    Ok(instruction)
}

/// `UpdateMetadataAccountV2` with everything as it is but the URI. The asset signs.
///
/// # Errors
///
/// [`RegistryError::WrongMetadata`].
pub(crate) fn set_uri(asset: &AssetAccount, metadata: &AccountView, uri: &str) -> Result<()> {
    let data = set_uri_instruction(asset, metadata, uri)?;
    let metas =
        [InstructionAccount::writable(metadata.address()), InstructionAccount::readonly_signer(asset.address())];
    let bump = [asset.bump];
    let asset_seeds: [&[u8]; 3] = [seeds::ASSET, asset.mint.as_ref(), &bump];
    invoke(&TOKEN_METADATA_PROGRAM, &data, &metas, &[metadata, asset.view()], &asset_seeds)
}

fn set_uri_instruction(asset: &AssetAccount, metadata: &AccountView, uri: &str) -> Result<Vec<u8>> {
    require!(metadata.owned_by(&TOKEN_METADATA_PROGRAM), RegistryError::WrongMetadata);
    let old = metadata.try_borrow()?;
    let part = |from: usize, to: usize| old.get(from..to).ok_or(RegistryError::WrongMetadata);
    let len_at = |at: usize, len: usize| old.get(at..).is_some_and(|tail| tail.starts_with(&len_prefix(len)));
    let ours = old.first() == Some(&(Key::MetadataV1 as u8))
        && part(at::MINT, at::NAME)? == asset.mint.as_ref()
        && len_at(at::NAME, MAX_NAME_LEN)
        && len_at(at::SYMBOL, MAX_SYMBOL_LEN)
        && len_at(at::URI, MAX_URI_LEN)
        && part(at::FEE + 2, at::END - 34)? == [1, 1, 0, 0, 0];
    require!(ours, RegistryError::WrongMetadata);

    let uri_len = u32::try_from(uri.len()).map_err(|_| RegistryError::UriTooLong)?;
    let mut instruction = Vec::with_capacity(MAX_INSTRUCTION_LEN);
    instruction.extend_from_slice(&[METADATA_UPDATE_V2, 1]);
    instruction.extend_from_slice(part(at::NAME, at::URI)?);
    instruction.extend_from_slice(&uri_len.to_le_bytes());
    instruction.extend_from_slice(uri.as_bytes());
    instruction.extend_from_slice(part(at::FEE, at::END)?);
    // No collection, no uses; the update authority, the flag of the first sale and mutability stay.
    instruction.extend_from_slice(&[0; 5]);
    Ok(instruction)
}

/// A text's length as Borsh writes it. Our texts are shorter than 256 bytes.
const fn len_prefix(len: usize) -> [u8; 4] {
    let [low, second, ..] = len.to_le_bytes();
    [low, second, 0, 0]
}
