//! The NFT's metadata: how it is created, and how its URI, and nothing else, is changed.

use anchor_lang::{pinocchio::instruction::InstructionAccount, prelude::*};
use mpl_token_metadata::types::{Key, TokenStandard};
use provena_common::cpi::invoke;

use crate::{
    constants::{MAX_NAME_LEN, MAX_SYMBOL_LEN, MAX_URI_LEN, TOKEN_METADATA_PROGRAM, seeds},
    error::RegistryError,
    registration::NftText,
    state::AssetAccount,
};

const METADATA_CREATE: u8 = 42;
const VARIANT_V1: u8 = 0;
const METADATA_UPDATE_V2: u8 = 15;
/// Room for the longest texts, so that the instruction's bytes are allocated once.
const MAX_INSTRUCTION_LEN: usize = 352;

/// Where the fields of metadata begin. Token Metadata pads the texts with zeros to their greatest length, so that the
/// places are the same for all our NFTs.
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

/// `Create` with its argument `V1`: mutable, with one unverified creator, the pool, and without collection, uses and
/// prints. The first sale counts as made: the creator mints to himself, and from then on resale royalties are due.
pub(super) fn create_instruction(text: &NftText, pool: &Address) -> Vec<u8> {
    let mut data = Vec::with_capacity(MAX_INSTRUCTION_LEN);
    data.extend_from_slice(&[METADATA_CREATE, VARIANT_V1]);
    for part in [&text.name, &text.symbol, &text.uri] {
        write_text(&mut data, part);
    }
    data.extend_from_slice(&text.seller_fee_basis_points.to_le_bytes());
    // Some list of one creator, which is not verified and has all of the 100 shares.
    data.extend_from_slice(&[1, 1, 0, 0, 0]);
    data.extend_from_slice(pool.as_ref());
    data.extend_from_slice(&[0, 100]);
    // First sale made, mutable, a token of the standard NonFungible.
    data.extend_from_slice(&[1, 1, TokenStandard::NonFungible as u8]);
    // No collection, uses, collection details and rule set; no decimals; no prints.
    data.extend_from_slice(&[0, 0, 0, 0, 1, 0, 1, 0]);
    data
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

    let mut instruction = Vec::with_capacity(MAX_INSTRUCTION_LEN);
    instruction.extend_from_slice(&[METADATA_UPDATE_V2, 1]);
    instruction.extend_from_slice(part(at::NAME, at::URI)?);
    write_text(&mut instruction, uri);
    instruction.extend_from_slice(part(at::FEE, at::END)?);
    // No collection, no uses; the update authority, the flag of the first sale and mutability stay.
    instruction.extend_from_slice(&[0; 5]);
    Ok(instruction)
}

/// A text as Borsh writes it, behind its length.
fn write_text(data: &mut Vec<u8>, text: &str) {
    data.extend_from_slice(&len_prefix(text.len()));
    data.extend_from_slice(text.as_bytes());
}

/// A text's length as Borsh writes it. Our texts have at most 200 bytes.
const fn len_prefix(len: usize) -> [u8; 4] {
    let [low, second, ..] = len.to_le_bytes();
    [low, second, 0, 0]
}

#[cfg(test)]
mod tests {
    use borsh::BorshSerialize;
    use mpl_token_metadata::types::{CreateArgs, Creator, PrintSupply};

    use super::*;

    /// The bytes are those that Token Metadata's own library writes.
    #[test]
    fn the_instruction_is_token_metadatas_own() {
        let pool = Address::new_from_array([3; 32]);
        for len in [0, 1, 200] {
            let text = NftText {
                name: "Digits".to_owned(),
                symbol: "PROVENA".to_owned(),
                uri: "u".repeat(len),
                seller_fee_basis_points: 513,
            };
            let arguments = CreateArgs::V1 {
                name: text.name.clone(),
                symbol: text.symbol.clone(),
                uri: text.uri.clone(),
                seller_fee_basis_points: 513,
                creators: Some(vec![Creator { address: pool, verified: false, share: 100 }]),
                primary_sale_happened: true,
                is_mutable: true,
                token_standard: TokenStandard::NonFungible,
                collection: None,
                uses: None,
                collection_details: None,
                rule_set: None,
                decimals: Some(0),
                print_supply: Some(PrintSupply::Zero),
            };
            let mut expected = vec![METADATA_CREATE];
            arguments.serialize(&mut expected).expect("it can be written");
            assert_eq!(create_instruction(&text, &pool), expected);
        }
    }
}
