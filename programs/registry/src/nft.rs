//! Mints the NFT: one token, a master edition without prints, and metadata with the pool as its only creator and the asset
//! as its update authority, of which [`set_uri`] can change the URI and nobody anything else.
//!
//! The account lists are built by hand, because the generic builders cost more compute units than some of the callees.

mod metadata;

use anchor_lang::{Discriminator, create_account, pinocchio::instruction::InstructionAccount, prelude::*};
use provena_common::cpi::invoke;

use crate::{
    constants::{ASSOCIATED_TOKEN_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, seeds},
    registration::{NftText, Register},
};

pub(crate) use metadata::set_uri;

/// Bytes of a mint of SPL Token.
const MINT_LEN: usize = 82;
const TOKEN_INITIALIZE_MINT_2: u8 = 20;
const TOKEN_MINT_TO: u8 = 7;
const METADATA_CREATE_MASTER_EDITION_V3: u8 = 17;

/// Mints the NFT to the creator and has the pool sign its metadata. A failing call ends the transaction. `bump` is that of
/// the asset's address.
pub(crate) fn mint(accounts: &Register, text: &NftText, bump: u8) -> Result<()> {
    create_mint(accounts)?;
    create_token_account(accounts)?;
    mint_one(accounts)?;
    let (mint, bump) = (accounts.mint.address(), [bump]);
    let asset_seeds: [&[u8]; 3] = [seeds::ASSET, mint.as_ref(), &bump];
    create_metadata(accounts, text, &asset_seeds)?;
    create_master_edition(accounts, &asset_seeds)?;
    verify_pool(accounts)
}

fn create_mint(accounts: &Register) -> Result<()> {
    let (creator, mint) = (accounts.creator.account(), accounts.mint.account());
    create_account(creator, mint, MINT_LEN, &TOKEN_PROGRAM)?;
    // No decimals; the creator is mint and freeze authority until the master edition takes both.
    let mut data = [0u8; 67];
    data[0] = TOKEN_INITIALIZE_MINT_2;
    data[2..34].copy_from_slice(creator.address().as_ref());
    data[34] = 1;
    data[35..].copy_from_slice(creator.address().as_ref());
    invoke(&TOKEN_PROGRAM, &data, &[InstructionAccount::writable(mint.address())], &[mint], &[])
}

fn create_token_account(accounts: &Register) -> Result<()> {
    let (creator, mint) = (accounts.creator.account(), accounts.mint.account());
    let token_account = accounts.token_account.account();
    let (system, token) = (accounts.system_program.account(), accounts.token_program.account());
    let metas = [
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::writable(token_account.address()),
        InstructionAccount::readonly(creator.address()),
        InstructionAccount::readonly(mint.address()),
        InstructionAccount::readonly(system.address()),
        InstructionAccount::readonly(token.address()),
    ];
    let views = [creator, token_account, creator, mint, system, token];
    invoke(&ASSOCIATED_TOKEN_PROGRAM, &[0], &metas, &views, &[])
}

fn mint_one(accounts: &Register) -> Result<()> {
    let (creator, mint) = (accounts.creator.account(), accounts.mint.account());
    let token_account = accounts.token_account.account();
    let data = [TOKEN_MINT_TO, 1, 0, 0, 0, 0, 0, 0, 0];
    let metas = [
        InstructionAccount::writable(mint.address()),
        InstructionAccount::writable(token_account.address()),
        InstructionAccount::readonly_signer(creator.address()),
    ];
    invoke(&TOKEN_PROGRAM, &data, &metas, &[mint, token_account, creator], &[])
}

fn create_metadata(accounts: &Register, text: &NftText, asset_seeds: &[&[u8]]) -> Result<()> {
    let (creator, mint, asset) = (accounts.creator.account(), accounts.mint.account(), accounts.asset.account());
    let (metadata, system) = (accounts.metadata.account(), accounts.system_program.account());
    let data = metadata::create_instruction(text, accounts.pool.address())?;
    let metas = [
        InstructionAccount::writable(metadata.address()),
        InstructionAccount::readonly(mint.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::readonly_signer(asset.address()),
        InstructionAccount::readonly(system.address()),
    ];
    let views = [metadata, mint, creator, creator, asset, system];
    invoke(&TOKEN_METADATA_PROGRAM, &data, &metas, &views, asset_seeds)
}

fn create_master_edition(accounts: &Register, asset_seeds: &[&[u8]]) -> Result<()> {
    let (creator, mint, asset) = (accounts.creator.account(), accounts.mint.account(), accounts.asset.account());
    let (edition, metadata) = (accounts.master_edition.account(), accounts.metadata.account());
    let (system, token) = (accounts.system_program.account(), accounts.token_program.account());
    // Some maximum supply of zero prints.
    let data = [METADATA_CREATE_MASTER_EDITION_V3, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let metas = [
        InstructionAccount::writable(edition.address()),
        InstructionAccount::writable(mint.address()),
        InstructionAccount::readonly_signer(asset.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::writable(metadata.address()),
        InstructionAccount::readonly(token.address()),
        InstructionAccount::readonly(system.address()),
    ];
    let views = [edition, mint, asset, creator, creator, metadata, token, system];
    invoke(&TOKEN_METADATA_PROGRAM, &data, &metas, &views, asset_seeds)
}

fn verify_pool(accounts: &Register) -> Result<()> {
    let (pool, metadata) = (accounts.pool.account(), accounts.metadata.account());
    let program = accounts.token_metadata_program.account();
    let (instructions, system) = (accounts.instructions.account(), accounts.system_program.account());
    let metas = [
        InstructionAccount::readonly(pool.address()),
        InstructionAccount::writable(metadata.address()),
        InstructionAccount::readonly(program.address()),
        InstructionAccount::readonly(instructions.address()),
        InstructionAccount::readonly(system.address()),
    ];
    let views = [pool, metadata, program, instructions, system];
    let data = provena_royalty::instruction::VerifyCreator::DISCRIMINATOR;
    invoke(&provena_royalty::ID, data, &metas, &views, &[])
}
