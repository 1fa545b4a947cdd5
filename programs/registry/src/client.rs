//! Whole instructions with every account derived, and the accounts read back, for clients of the chain.

use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};
use provena_common::upgrade;

pub use draft::{NewParent, abandon_asset, begin_asset, inherit, passing};
pub use read::{decode, decode_asset, decode_lineage};
pub use register::{Consent, NewAsset, Parent, REGISTER_COMPUTE_UNITS};

use crate::{
    ContentReveal, ID, LicenceTerms, Recipe, TOKEN_METADATA_PROGRAM, accounts, content_claim::claim_hash, instruction,
    pda, state::Floor,
};

mod draft;
mod read;
mod register;

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: ID, accounts: accounts.to_account_metas(None), data: data.data() }
}

/// `initialize_admin`; the authority must be the program's upgrade authority.
pub fn initialize_admin(authority: &Address) -> Instruction {
    let accounts = accounts::InitializeAdmin {
        authority: *authority,
        admin: pda::admin().0,
        program_data: upgrade::program_data(&ID),
        system_program: System::id(),
    };
    build(&accounts, &instruction::InitializeAdmin {})
}

/// `propose_authority`.
pub fn propose_authority(authority: &Address, new: Address) -> Instruction {
    let accounts = accounts::ProposeAuthority { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::ProposeAuthority { new })
}

/// `accept_authority`.
pub fn accept_authority(pending: &Address) -> Instruction {
    let accounts = accounts::AcceptAuthority { pending: *pending, admin: pda::admin().0 };
    build(&accounts, &instruction::AcceptAuthority {})
}

/// `cancel_authority`.
pub fn cancel_authority(authority: &Address) -> Instruction {
    let accounts = accounts::CancelAuthority { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::CancelAuthority {})
}

/// `set_pause` with [these bits](crate::constants::pause).
pub fn set_pause(authority: &Address, bits: u32) -> Instruction {
    let accounts = accounts::SetPause { authority: *authority, admin: pda::admin().0 };
    build(&accounts, &instruction::SetPause { bits })
}

/// `claim_content` of this content root, hidden by a secret `salt` that must be random.
pub fn claim_content(claimant: &Address, content_root: &[u8; 32], salt: &[u8; 32]) -> Instruction {
    let hash = claim_hash(claimant, content_root, salt);
    let accounts =
        accounts::ClaimContent { claimant: *claimant, claim: pda::claim(&hash).0, system_program: System::id() };
    build(&accounts, &instruction::ClaimContent { hash })
}

/// `abandon_claim` by `caller`: the claimant, or anybody once the claim has lapsed.
pub fn abandon_claim(caller: &Address, claim: &Address, claimant: &Address) -> Instruction {
    let accounts = accounts::AbandonClaim { caller: *caller, claim: *claim, claimant: *claimant };
    build(&accounts, &instruction::AbandonClaim {})
}

/// `add_version` to the asset of the NFT `mint`, which lies in the token account `nft` of `holder`. `n` is the number
/// of the new version: one more than the latest. `recipe` is a model's.
pub fn add_version(
    holder: &Address,
    mint: &Address,
    nft: &Address,
    n: u32,
    content: ContentReveal,
    recipe: Option<Recipe>,
) -> Instruction {
    let asset = pda::asset(mint).0;
    let accounts = accounts::AddVersion {
        holder: *holder,
        admin: pda::admin().0,
        asset,
        nft: *nft,
        claim: pda::claim(&claim_hash(holder, &content.root, &content.salt)).0,
        version: pda::version(&asset, n).0,
        content: pda::content(&content.root).0,
        system_program: System::id(),
    };
    build(&accounts, &instruction::AddVersion { content, recipe })
}

/// `set_uri` of the NFT `mint`, which lies in the token account `nft` of `holder`.
pub fn set_uri(holder: &Address, mint: &Address, nft: &Address, uri: &str) -> Instruction {
    let accounts = accounts::SetUri {
        holder: *holder,
        asset: pda::asset(mint).0,
        nft: *nft,
        metadata: pda::metadata(mint).0,
        token_metadata_program: TOKEN_METADATA_PROGRAM,
    };
    build(&accounts, &instruction::SetUri { uri: uri.to_owned() })
}

/// `raise_floor` of the asset of the NFT `mint`, which lies in the token account `nft` of `holder`.
pub fn raise_floor(holder: &Address, mint: &Address, nft: &Address, bps: u16, per_unit: Option<Floor>) -> Instruction {
    let accounts =
        accounts::RaiseFloor { holder: *holder, asset: pda::asset(mint).0, nft: *nft, system_program: System::id() };
    build(&accounts, &instruction::RaiseFloor { bps, per_unit })
}

/// `publish_licence` number `id` of the asset of the NFT `mint`, which lies in the token account `nft` of `holder`.
pub fn publish_licence(holder: &Address, mint: &Address, nft: &Address, id: u32, terms: LicenceTerms) -> Instruction {
    let asset = pda::asset(mint).0;
    let accounts = accounts::PublishLicence {
        holder: *holder,
        admin: pda::admin().0,
        asset,
        nft: *nft,
        licence: pda::licence(&asset, id).0,
        system_program: System::id(),
    };
    build(&accounts, &instruction::PublishLicence { id, terms })
}

/// `retire_licence` number `id` of the asset of the NFT `mint`, which lies in the token account `nft` of `holder`.
pub fn retire_licence(holder: &Address, mint: &Address, nft: &Address, id: u32) -> Instruction {
    let asset = pda::asset(mint).0;
    let accounts = accounts::RetireLicence { holder: *holder, asset, nft: *nft, licence: pda::licence(&asset, id).0 };
    build(&accounts, &instruction::RetireLicence {})
}
