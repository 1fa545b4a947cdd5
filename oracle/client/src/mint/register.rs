//! The registry's part of minting.

use anchor_lang::{InstructionData, ToAccountMetas};
use provena_registry::{
    ASSOCIATED_TOKEN_PROGRAM, INSTRUCTIONS_SYSVAR, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
    accounts as registry_accounts, instruction, pda,
    state::{Asset, AssetKind},
};
use provena_royalty::NATIVE_MINT;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    MintError, Plan,
    error::{unread, unsent},
};
use crate::{
    chain::{Budget, Chain, accounts, send_and_confirm},
    share::Share,
    token,
};

/// A registered asset that a new one builds on.
pub struct Parent {
    /// The NFT's mint.
    pub mint: Pubkey,
    /// The asset's account.
    pub address: Pubkey,
    /// The asset.
    pub asset: Asset,
    /// Its share of the new asset's revenue.
    pub bps: u16,
}

/// Looks the parents up and checks what they ask for, before anything is paid.
pub async fn parents(chain: &dyn Chain, shares: &[Share]) -> Result<Vec<Parent>, MintError> {
    let mut found = Vec::new();
    for share in shares {
        let address = pda::asset(&share.address).0;
        let asset = accounts::fetch_optional::<Asset, _>(chain, &address).await.map_err(unread("a parent"))?;
        let asset = asset.ok_or(MintError::NoParent(share.address))?;
        let asked = asset.licence.derivative_bps;
        if share.bps < asked {
            return Err(MintError::ParentAsksMore { parent: share.address, asked, given: share.bps });
        }
        found.push(Parent { mint: share.address, address, asset, bps: share.bps });
    }
    Ok(found)
}

/// A new asset, beside its plan.
pub struct New<'a> {
    /// Pays, and receives the NFT.
    pub creator: &'a Keypair,
    /// Keys of parents' owners whose consent is due.
    pub consents: &'a [Keypair],
    /// The NFT's mint.
    pub key: &'a Keypair,
    /// What it builds on.
    pub parents: &'a [Parent],
    /// Merkle root of its content.
    pub content_root: [u8; 32],
    /// Where its metadata is.
    pub uri: &'a str,
}

/// Registers the asset and mints its NFT to the creator.
pub async fn register(chain: &dyn Chain, plan: &Plan, new: &New<'_>) -> Result<Signature, MintError> {
    let New { creator, consents, key, parents, content_root, uri } = *new;
    let (mint, owner) = (key.pubkey(), creator.pubkey());
    let accounts = registry_accounts::Register {
        creator: owner,
        mint,
        asset: pda::asset(&mint).0,
        pool: provena_royalty::pda::pool(&mint).0,
        previous: plan.previous.map(|previous| pda::asset(&previous).0),
        token_account: pda::token_account(&owner, &mint).0,
        metadata: pda::metadata(&mint).0,
        master_edition: pda::master_edition(&mint).0,
        royalty_program: provena_royalty::ID,
        token_metadata_program: TOKEN_METADATA_PROGRAM,
        associated_token_program: ASSOCIATED_TOKEN_PROGRAM,
        token_program: TOKEN_PROGRAM,
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: NATIVE_MINT,
    };
    let mut metas = accounts.to_account_metas(None);
    let mut signers: Vec<&Keypair> = vec![creator, key];
    for parent in parents {
        let position = provena_royalty::pda::position(&accounts.pool, &parent.asset.pool).0;
        metas.push(AccountMeta::new_readonly(parent.address, false));
        metas.push(AccountMeta::new_readonly(position, false));
        if parent.asset.licence.consent_required() {
            let owner = consenting(chain, creator, consents, parent).await?;
            metas.push(AccountMeta::new_readonly(pda::token_account(&owner.pubkey(), &parent.mint).0, false));
            metas.push(AccountMeta::new_readonly(owner.pubkey(), true));
            if !signers.iter().any(|signer| signer.pubkey() == owner.pubkey()) {
                signers.push(owner);
            }
        }
    }
    let instruction =
        Instruction { program_id: provena_registry::ID, accounts: metas, data: data(plan, parents, content_root, uri) };
    let sent = send_and_confirm(chain, &[instruction], &signers, Budget::units(300_000)).await;
    let unregistered = "the asset was not registered; running the same command again goes on from here";
    Ok(sent.map_err(unsent(unregistered))?.signature)
}

fn data(plan: &Plan, parents: &[Parent], content_root: [u8; 32], uri: &str) -> Vec<u8> {
    let parent_bps = parents.iter().map(|parent| parent.bps).collect();
    let (nft, licence) = (plan.text.nft(uri), plan.licence);
    match plan.kind {
        AssetKind::Dataset => instruction::RegisterDataset { nft, content_root, licence, parent_bps }.data(),
        AssetKind::Model => {
            let recipe_root = plan.recipe_root;
            instruction::RegisterModel { nft, content_root, recipe_root, licence, parent_bps }.data()
        }
    }
}

/// Whose key among ours holds the parent's NFT.
async fn consenting<'a>(
    chain: &dyn Chain,
    creator: &'a Keypair,
    others: &'a [Keypair],
    parent: &Parent,
) -> Result<&'a Keypair, MintError> {
    for key in others.iter().chain([creator]) {
        if token::balance(chain, &key.pubkey(), &parent.mint).await.map_err(MintError::Holder)? == 1 {
            return Ok(key);
        }
    }
    Err(MintError::NoConsent(parent.mint))
}
