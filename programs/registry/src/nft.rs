//! Mints the NFT: one token, immutable metadata with the pool as its only creator, a master edition without prints.
//!
//! The account lists are built by hand, because the generic builders cost more compute units than some of the callees.

use anchor_lang::{Discriminator, create_account, pinocchio::instruction::InstructionAccount, prelude::*};
use borsh::BorshSerialize;
use mpl_token_metadata::{
    instructions::CreateMetadataAccountV3InstructionArgs,
    types::{Creator, DataV2},
};
use provena_royalty::spl::{MINT_LEN, invoke};

use crate::{
    constants::{ASSOCIATED_TOKEN_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM},
    error::RegistryError,
    registration::{NftText, Register},
};

const TOKEN_INITIALIZE_MINT_2: u8 = 20;
const TOKEN_MINT_TO: u8 = 7;
const METADATA_CREATE_V3: u8 = 33;
const METADATA_CREATE_MASTER_EDITION_V3: u8 = 17;
/// Room for the longest texts, so that the instruction's bytes are allocated once.
const MAX_METADATA_INSTRUCTION_LEN: usize = 320;

/// Mints the NFT to the creator and has the pool sign its metadata. A failing call ends the transaction.
pub fn mint(accounts: &Register, text: NftText) -> Result<()> {
    create_mint(accounts)?;
    create_token_account(accounts);
    mint_one(accounts);
    create_metadata(accounts, text)?;
    create_master_edition(accounts);
    verify_pool(accounts);
    Ok(())
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
    invoke(&TOKEN_PROGRAM, &data, &[InstructionAccount::writable(mint.address())], [mint], &[]);
    Ok(())
}

fn create_token_account(accounts: &Register) {
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
    invoke(&ASSOCIATED_TOKEN_PROGRAM, &[0], &metas, views, &[]);
}

fn mint_one(accounts: &Register) {
    let (creator, mint) = (accounts.creator.account(), accounts.mint.account());
    let token_account = accounts.token_account.account();
    let data = [TOKEN_MINT_TO, 1, 0, 0, 0, 0, 0, 0, 0];
    let metas = [
        InstructionAccount::writable(mint.address()),
        InstructionAccount::writable(token_account.address()),
        InstructionAccount::readonly_signer(creator.address()),
    ];
    invoke(&TOKEN_PROGRAM, &data, &metas, [mint, token_account, creator], &[]);
}

fn create_metadata(accounts: &Register, text: NftText) -> Result<()> {
    let (creator, mint) = (accounts.creator.account(), accounts.mint.account());
    let metadata = accounts.metadata.account();
    let system = accounts.system_program.account();
    let data = metadata_instruction(text, accounts.pool.address())?;
    let metas = [
        InstructionAccount::writable(metadata.address()),
        InstructionAccount::readonly(mint.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::readonly(system.address()),
    ];
    let views = [metadata, mint, creator, creator, creator, system];
    invoke(&TOKEN_METADATA_PROGRAM, &data, &metas, views, &[]);
    Ok(())
}

/// `CreateMetadataAccountV3` with one unverified creator, the pool, and without collection, uses or mutability.
fn metadata_instruction(text: NftText, pool: &Address) -> Result<Vec<u8>> {
    let creator = Creator { address: *pool, verified: false, share: 100 };
    let data = DataV2 {
        name: text.name,
        symbol: text.symbol,
        uri: text.uri,
        seller_fee_basis_points: text.seller_fee_basis_points,
        creators: Some(vec![creator]),
        collection: None,
        uses: None,
    };
    let arguments = CreateMetadataAccountV3InstructionArgs { data, is_mutable: false, collection_details: None };
    let mut instruction = Vec::with_capacity(MAX_METADATA_INSTRUCTION_LEN);
    instruction.push(METADATA_CREATE_V3);
    arguments.serialize(&mut instruction).map_err(|_| RegistryError::BrokenInvariant)?;
    Ok(instruction)
}

fn create_master_edition(accounts: &Register) {
    let (creator, mint) = (accounts.creator.account(), accounts.mint.account());
    let (edition, metadata) = (accounts.master_edition.account(), accounts.metadata.account());
    let (system, token) = (accounts.system_program.account(), accounts.token_program.account());
    // Some maximum supply of zero prints.
    let data = [METADATA_CREATE_MASTER_EDITION_V3, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let metas = [
        InstructionAccount::writable(edition.address()),
        InstructionAccount::writable(mint.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::writable(metadata.address()),
        InstructionAccount::readonly(token.address()),
        InstructionAccount::readonly(system.address()),
    ];
    let views = [edition, mint, creator, creator, creator, metadata, token, system];
    invoke(&TOKEN_METADATA_PROGRAM, &data, &metas, views, &[]);
}

fn verify_pool(accounts: &Register) {
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
    invoke(&provena_royalty::ID, data, &metas, views, &[]);
}
