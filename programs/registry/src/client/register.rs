//! Registrations: one builder for models and datasets.

use super::*;
use crate::{ASSOCIATED_TOKEN_PROGRAM, Floors, INSTRUCTIONS_SYSVAR, NftText, TOKEN_PROGRAM, state::AssetKind};

/// Compute units to ask for with a registration. An instruction has 200,000 unasked, and that is not always enough:
/// what Token Metadata spends on finding addresses depends on the mint's. Among 120 registrations with two parents it
/// was 165,000 to 208,000 in all; where more than this are needed, which is rare, another mint helps.
pub const REGISTER_COMPUTE_UNITS: u32 = 400_000;

/// A model or dataset that is to be registered.
#[derive(Clone, Debug)]
pub struct NewAsset {
    /// Signs, pays, made the content claim, and receives the NFT.
    pub creator: Address,
    /// The NFT's mint; signs.
    pub mint: Address,
    /// How the NFT introduces itself.
    pub nft: NftText,
    /// The content of version 1.
    pub content: ContentReveal,
    /// A model's recipe; `None` registers a dataset.
    pub recipe: Option<Recipe>,
    /// What is asked of users.
    pub floors: Floors,
    /// Whose work it builds on.
    pub parents: Vec<Parent>,
}

/// A parent and the licence under which it was built on.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The parent's asset.
    pub asset: Address,
    /// The parent's pool, which holds shares of the new asset's.
    pub pool: Address,
    /// Number of the licence.
    pub licence: u32,
    /// The version that was built on.
    pub version: u32,
    /// Where the licence needs it.
    pub consent: Option<Consent>,
}

/// The consent of whoever holds a parent's NFT.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The token account with the NFT.
    pub nft: Address,
    /// Its owner; signs.
    pub holder: Address,
}

impl Parent {
    /// The accounts that follow the fixed ones, for a child with this pool.
    fn metas(&self, child_pool: &Address) -> Vec<AccountMeta> {
        let position = provena_royalty::pda::position(child_pool, &self.pool).0;
        let licence = pda::licence(&self.asset, self.licence).0;
        let mut metas = vec![
            AccountMeta::new_readonly(self.asset, false),
            // It counts its derivatives.
            AccountMeta::new(licence, false),
            AccountMeta::new_readonly(position, false),
        ];
        if let Some(consent) = &self.consent {
            metas.push(AccountMeta::new_readonly(consent.nft, false));
            metas.push(AccountMeta::new_readonly(consent.holder, true));
        }
        metas
    }
}

impl NewAsset {
    /// Model or dataset.
    pub fn kind(&self) -> AssetKind {
        if self.recipe.is_some() { AssetKind::Model } else { AssetKind::Dataset }
    }

    /// The fixed accounts.
    pub fn accounts(&self) -> accounts::Register {
        let (creator, mint) = (&self.creator, &self.mint);
        let asset = pda::asset(mint).0;
        accounts::Register {
            creator: *creator,
            mint: *mint,
            admin: pda::admin().0,
            claim: pda::claim(&claim_hash(creator, &self.content.root, &self.content.salt)).0,
            asset,
            version: pda::version(&asset, 1).0,
            content: pda::content(&self.content.root).0,
            lineage: if self.parents.is_empty() { None } else { Some(pda::lineage(&asset).0) },
            pool: provena_royalty::pda::pool(mint).0,
            token_account: pda::token_account(creator, mint),
            metadata: pda::metadata(mint).0,
            master_edition: pda::master_edition(mint).0,
            royalty_program: provena_royalty::ID,
            token_metadata_program: TOKEN_METADATA_PROGRAM,
            associated_token_program: ASSOCIATED_TOKEN_PROGRAM,
            token_program: TOKEN_PROGRAM,
            instructions: INSTRUCTIONS_SYSVAR,
            system_program: System::id(),
        }
    }

    /// `register_model` or `register_dataset`. Send it with a limit of [`REGISTER_COMPUTE_UNITS`].
    pub fn instruction(&self) -> Instruction {
        self.instruction_with(&self.accounts())
    }

    /// `seal_asset` of the draft that was begun for it and has its parents. Send it with a limit of [`REGISTER_COMPUTE_UNITS`].
    pub fn sealing(&self) -> Instruction {
        let accounts =
            accounts::Register { lineage: Some(pda::lineage(&pda::asset(&self.mint).0).0), ..self.accounts() };
        let (nft, content, recipe) = (self.nft.clone(), self.content, self.recipe);
        build(&accounts, &instruction::SealAsset { nft, content, recipe })
    }

    /// The registration with other fixed accounts.
    pub fn instruction_with(&self, accounts: &accounts::Register) -> Instruction {
        let (nft, content, floors) = (self.nft.clone(), self.content, self.floors.clone());
        let parents = self.parents.iter().map(|parent| parent.version).collect();
        let mut built = match self.recipe {
            Some(recipe) => build(accounts, &instruction::RegisterModel { nft, content, recipe, floors, parents }),
            None => build(accounts, &instruction::RegisterDataset { nft, content, floors, parents }),
        };
        let pool = provena_royalty::pda::pool(&self.mint).0;
        built.accounts.extend(self.parents.iter().flat_map(|parent| parent.metas(&pool)));
        built
    }
}
