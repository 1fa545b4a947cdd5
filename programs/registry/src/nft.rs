//! Mints the NFT: one token, a master edition without prints, and metadata with the pool as its only creator and the
//! asset as its update authority, of which [`set_uri`] can change the URI and nobody anything else.
//!
//! The account lists are built by hand, because the generic builders cost more compute units than some of the callees.

mod metadata;

use anchor_lang::{Discriminator, pinocchio::instruction::InstructionAccount, prelude::*};
use provena_common::{amount::Amount, cpi::invoke, money::transfer_from_wallet};

use crate::{
    constants::{TOKEN_METADATA_PROGRAM, seeds},
    registration::{NftText, Register},
};

pub(crate) use metadata::set_uri;

/// Token Metadata's `Mint` with its argument `V1`: one token, without authorization data.
const MINT_ONE_V1: [u8; 11] = [43, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Mints the NFT to the creator and has the pool sign its metadata. A failing call ends the transaction. `bump` is that
/// of the asset's address.
pub(crate) fn mint(accounts: &Register, text: &NftText, bump: u8) -> Result<()> {
    let (mint, bump) = (accounts.mint.address(), [bump]);
    let asset_seeds: [&[u8]; 3] = [seeds::ASSET, mint.as_ref(), &bump];
    empty_mint(accounts)?;
    create(accounts, text, &asset_seeds)?;
    mint_one(accounts, &asset_seeds)?;
    verify_pool(accounts)
}

/// Token Metadata cannot create a mint where somebody sent lamports before. Anybody could, because the pool shows the
/// address; so they go to the creator.
fn empty_mint(accounts: &Register) -> Result<()> {
    let mint = accounts.mint.account();
    transfer_from_wallet(mint, accounts.creator.account(), Amount(mint.lamports()))
}

/// Creates mint, metadata and master edition. The creator signs as the authority that the mint is born with, which the
/// master edition takes over.
fn create(accounts: &Register, text: &NftText, asset_seeds: &[&[u8]]) -> Result<()> {
    let (creator, mint, asset) = (accounts.creator.account(), accounts.mint.account(), accounts.asset.account());
    let (metadata, edition) = (accounts.metadata.account(), accounts.master_edition.account());
    let (system, token) = (accounts.system_program.account(), accounts.token_program.account());
    let instructions = accounts.instructions.account();
    let data = metadata::create_instruction(text, accounts.pool.address());
    let metas = [
        InstructionAccount::writable(metadata.address()),
        InstructionAccount::writable(edition.address()),
        InstructionAccount::writable_signer(mint.address()),
        InstructionAccount::readonly_signer(creator.address()),
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::readonly_signer(asset.address()),
        InstructionAccount::readonly(system.address()),
        InstructionAccount::readonly(instructions.address()),
        InstructionAccount::readonly(token.address()),
    ];
    let views = [metadata, edition, mint, creator, creator, asset, system, instructions, token];
    invoke(&TOKEN_METADATA_PROGRAM, &data, &metas, &views, asset_seeds)
}

/// Makes the creator's token account and mints the one token to it.
fn mint_one(accounts: &Register, asset_seeds: &[&[u8]]) -> Result<()> {
    let (creator, mint, asset) = (accounts.creator.account(), accounts.mint.account(), accounts.asset.account());
    let (metadata, edition) = (accounts.metadata.account(), accounts.master_edition.account());
    let (system, token) = (accounts.system_program.account(), accounts.token_program.account());
    let (instructions, associated) = (accounts.instructions.account(), accounts.associated_token_program.account());
    let token_account = accounts.token_account.account();
    // In Token Metadata's account lists its own address stands for an absent optional account.
    let absent = accounts.token_metadata_program.account();
    let metas = [
        InstructionAccount::writable(token_account.address()),
        InstructionAccount::readonly(creator.address()),
        InstructionAccount::readonly(metadata.address()),
        InstructionAccount::writable(edition.address()),
        InstructionAccount::readonly(absent.address()),
        InstructionAccount::writable(mint.address()),
        InstructionAccount::readonly_signer(asset.address()),
        InstructionAccount::readonly(absent.address()),
        InstructionAccount::writable_signer(creator.address()),
        InstructionAccount::readonly(system.address()),
        InstructionAccount::readonly(instructions.address()),
        InstructionAccount::readonly(token.address()),
        InstructionAccount::readonly(associated.address()),
        InstructionAccount::readonly(absent.address()),
        InstructionAccount::readonly(absent.address()),
    ];
    let views = [
        token_account,
        creator,
        metadata,
        edition,
        absent,
        mint,
        asset,
        absent,
        creator,
        system,
        instructions,
        token,
        associated,
        absent,
        absent,
    ];
    invoke(&TOKEN_METADATA_PROGRAM, &MINT_ONE_V1, &metas, &views, asset_seeds)
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
