//! `register_dataset`: the records, the rent, and everything about text, content and accounts that is refused.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{
    ID, NftText,
    client::{self, NewAsset},
    constants::pause,
    content_claim::claim_hash,
    error::RegistryError,
    pda,
    state::{Asset, AssetKind, AssetStatus, Content, ContentState, Floor, Version},
};
use provena_royalty::Holder;
use provena_tests::{
    World,
    registry::{RECIPE, claim, dataset, decode, draft, prepare, register, world},
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The System program's error for an account that exists.
const EXISTS: u32 = 0;

/// A creator and a mint with a pool, a ripe claim, and a valid draft to spoil.
struct Stage {
    world: World,
    creator: Keypair,
    mint: Keypair,
    draft: NewAsset,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
        let draft = draft(AssetKind::Dataset, &creator, &mint);
        claim(&mut world, &creator, &draft.content);
        Self { world, creator, mint, draft }
    }

    #[track_caller]
    fn refused(&mut self, error: impl provena_tests::ExpectedError) {
        self.world.refuses(&[self.draft.instruction()], &[&self.creator, &self.mint], error);
    }

    /// With the draft's text changed.
    #[track_caller]
    fn refused_text(&mut self, spoil: impl FnOnce(&mut NftText), error: impl provena_tests::ExpectedError) {
        let sound = self.draft.nft.clone();
        spoil(&mut self.draft.nft);
        self.refused(error);
        self.draft.nft = sound;
    }

    /// With one of the fixed accounts replaced.
    #[track_caller]
    fn refused_account(&mut self, index: usize, other: Address, error: impl provena_tests::ExpectedError) {
        let mut instruction = self.draft.instruction();
        instruction.accounts[index].pubkey = other;
        self.world.refuses(&[instruction], &[&self.creator, &self.mint], error);
    }
}

/// Where the fixed accounts are.
mod at {
    pub(super) const ADMIN: usize = 2;
    pub(super) const CLAIM: usize = 3;
    pub(super) const ASSET: usize = 4;
    pub(super) const VERSION: usize = 5;
    pub(super) const CONTENT: usize = 6;
    pub(super) const LINEAGE: usize = 7;
    pub(super) const POOL: usize = 8;
    pub(super) const TOKEN_ACCOUNT: usize = 9;
    pub(super) const METADATA: usize = 10;
    pub(super) const MASTER_EDITION: usize = 11;
    pub(super) const ROYALTY_PROGRAM: usize = 12;
    pub(super) const TOKEN_METADATA_PROGRAM: usize = 13;
    pub(super) const ASSOCIATED_TOKEN_PROGRAM: usize = 14;
    pub(super) const TOKEN_PROGRAM: usize = 15;
    pub(super) const INSTRUCTIONS: usize = 16;
    pub(super) const SYSTEM_PROGRAM: usize = 17;
}

#[test]
fn register_dataset_records_asset_version_and_content() {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
    let mut draft = draft(AssetKind::Dataset, &creator, &mint);
    draft.floors.bps = 250;
    draft.floors.per_unit = vec![Floor { mint: Address::default(), per_unit: 40 }];
    claim(&mut world, &creator, &draft.content);
    world.svm.warp_to_slot(5_000);
    world.accept(&[draft.instruction()], &[&creator, &mint]);

    let address = pda::asset(&mint.pubkey()).0;
    let account = world.account(&address).expect("the asset exists");
    assert_eq!((account.owner, account.data.len()), (ID, 192));
    let (asset, floors) = client::decode_asset(&account.data).expect("it is an asset");
    assert_eq!(asset.mint, mint.pubkey());
    assert_eq!(asset.pool, provena_royalty::pda::pool(&mint.pubkey()).0);
    assert_eq!((asset.kind(), asset.status()), (Ok(AssetKind::Dataset), Ok(AssetStatus::Active)));
    assert_eq!((asset.latest, asset.floor_bps), (1, 250));
    assert_eq!((asset.direct_parents, asset.inherited_parents), (0, 0));
    assert_eq!(floors, [Floor { mint: Address::default(), per_unit: 40 }]);
    assert!(world.account(&pda::lineage(&address).0).is_none(), "without parents there is no lineage");

    let version: Version = decode(&world, &pda::version(&address, 1).0);
    assert_eq!((version.asset, version.n, version.registered), (address, 1, 5_000));
    assert_eq!((version.content_root, version.content_len), (mint.pubkey().to_bytes(), 1_000_000));
    assert_eq!((version.recipe_root, version.recipe_len), ([0; 32], 0));

    let content: Content = decode(&world, &pda::content(&mint.pubkey().to_bytes()).0);
    assert_eq!((content.asset, content.n, content.registered), (address, 1, 5_000));
    assert_eq!(content.state, ContentState::Taken as u8);
}

/// What the creator locks, account by account: (128 + bytes) * 6,960 lamports each. The claim's rent has come back.
#[test]
fn registering_costs_what_the_accounts_hold() {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
    let draft = draft(AssetKind::Dataset, &creator, &mint);
    let before = world.lamports(&creator.pubkey());
    claim(&mut world, &creator, &draft.content);
    world.accept(&[draft.instruction()], &[&creator, &mint]);
    let (address, mint) = (pda::asset(&mint.pubkey()).0, mint.pubkey());
    let held = |address: Address| world.lamports(&address);
    assert_eq!(held(address), 1_948_800);
    assert_eq!(held(pda::version(&address, 1).0), 2_282_880);
    assert_eq!(held(pda::content(&draft.content.root).0), 1_726_080);
    assert_eq!(held(mint), 1_461_600);
    assert_eq!(held(pda::token_account(&creator.pubkey(), &mint)), 2_039_280);
    let nft = [pda::metadata(&mint).0, pda::master_edition(&mint).0].map(held);
    let hash = claim_hash(&creator.pubkey(), &draft.content.root, &draft.content.salt);
    assert!(world.account(&pda::claim(&hash).0).is_none(), "the claim is used up");
    let spent = 1_948_800 + 2_282_880 + 1_726_080 + 1_461_600 + 2_039_280 + nft[0] + nft[1];
    assert_eq!(before - world.lamports(&creator.pubkey()), spent);
    println!("metadata and its fee hold {} lamports, the edition {}", nft[0], nft[1]);
}

#[test]
fn everything_can_be_made_where_somebody_sent_lamports_before() {
    let mut stage = Stage::new();
    let (mint, root) = (stage.mint.pubkey(), stage.draft.content.root);
    let asset = pda::asset(&mint).0;
    let ours = [asset, pda::version(&asset, 1).0, pda::content(&root).0];
    let theirs = [
        mint,
        pda::token_account(&stage.creator.pubkey(), &mint),
        pda::metadata(&mint).0,
        pda::master_edition(&mint).0,
    ];
    for address in ours.iter().chain(&theirs) {
        stage.world.add_lamports(address, 1_000_000);
    }
    stage.world.accept(&[stage.draft.instruction()], &[&stage.creator, &stage.mint]);
}

#[test]
fn the_longest_text_fits() {
    let mut stage = Stage::new();
    stage.draft.nft.name = "n".repeat(32);
    stage.draft.nft.symbol = "s".repeat(10);
    stage.draft.nft.uri = "u".repeat(200);
    stage.draft.nft.seller_fee_basis_points = 10_000;
    stage.world.accept(&[stage.draft.instruction()], &[&stage.creator, &stage.mint]);
}

#[test]
fn register_dataset_rejects_text_that_does_not_fit() {
    let mut stage = Stage::new();
    stage.refused_text(|nft| nft.name = "n".repeat(33), RegistryError::NameTooLong);
    stage.refused_text(|nft| nft.name.clear(), RegistryError::EmptyName);
    stage.refused_text(|nft| nft.symbol = "s".repeat(11), RegistryError::SymbolTooLong);
    stage.refused_text(|nft| nft.uri = "u".repeat(201), RegistryError::UriTooLong);
    stage.refused_text(|nft| nft.seller_fee_basis_points = 10_001, CommonError::BpsTooHigh);
    // Two bytes each: characters do not count, bytes do.
    stage.refused_text(|nft| nft.name = "ö".repeat(17), RegistryError::NameTooLong);
}

#[test]
fn register_dataset_rejects_content_of_nothing() {
    let mut stage = Stage::new();
    let sound = stage.draft.content;
    stage.draft.content.len = 0;
    stage.refused(RegistryError::EmptyContent);
    stage.draft.content = sound;
    stage.draft.content.root = [0; 32];
    claim(&mut stage.world, &stage.creator, &stage.draft.content);
    stage.refused(RegistryError::EmptyContent);
}

#[test]
fn register_dataset_rejects_floors_that_make_no_sense() {
    let mut stage = Stage::new();
    let floor = |name: &str, per_unit| Floor { mint: keypair(name).pubkey(), per_unit };
    stage.draft.floors.bps = 10_001;
    stage.refused(CommonError::BpsTooHigh);
    stage.draft.floors.bps = 10_000;
    stage.draft.floors.per_unit = vec![floor("a", 1), floor("b", 0)];
    stage.refused(RegistryError::ZeroFloor);
    stage.draft.floors.per_unit = vec![floor("a", 1), floor("b", 1), floor("a", 2)];
    stage.refused(RegistryError::DuplicateFloor);
    stage.draft.floors.per_unit = (0..9).map(|n| floor(&n.to_string(), 1)).collect();
    stage.refused(RegistryError::TooManyFloors);
    stage.draft.floors.per_unit.pop();
    stage.world.accept(&[stage.draft.instruction()], &[&stage.creator, &stage.mint]);
}

#[test]
fn register_dataset_rejects_a_paused_program() {
    let mut stage = Stage::new();
    let authority = stage.world.wallet("registry authority");
    stage.world.accept(&[client::set_pause(&authority.pubkey(), pause::REGISTER)], &[&authority]);
    stage.refused(CommonError::Paused);
    // The other bits stop other things.
    let others = pause::ADD_VERSION | pause::PUBLISH_LICENCE;
    stage.world.accept(&[client::set_pause(&authority.pubkey(), others)], &[&authority]);
    stage.world.accept(&[stage.draft.instruction()], &[&stage.creator, &stage.mint]);
}

#[test]
fn register_dataset_rejects_other_addresses() {
    let mut stage = Stage::new();
    let elsewhere = keypair("elsewhere").pubkey();
    for index in [at::ASSET, at::VERSION, at::CONTENT] {
        stage.refused_account(index, elsewhere, CommonError::WrongPda);
    }
    // Token Metadata derives the addresses itself: 5 is its `InvalidMetadataKey`, 27 its `DerivedKeyInvalid`. The token
    // account's it derives for the associated token program, and then does not find the account.
    stage.refused_account(at::TOKEN_ACCOUNT, elsewhere, InstructionError::MissingAccount);
    stage.refused_account(at::METADATA, elsewhere, 5);
    stage.refused_account(at::MASTER_EDITION, elsewhere, 27);
}

#[test]
fn register_dataset_rejects_the_accounts_of_another_asset() {
    let mut stage = Stage::new();
    let (_, other) = prepare(&mut stage.world, "curator", "other", &[]);
    let (mint, asset) = (other.pubkey(), pda::asset(&other.pubkey()).0);
    stage.refused_account(at::ASSET, asset, CommonError::WrongPda);
    stage.refused_account(at::VERSION, pda::version(&asset, 1).0, CommonError::WrongPda);
    stage.refused_account(at::CONTENT, pda::content(&mint.to_bytes()).0, CommonError::WrongPda);
    stage.refused_account(at::POOL, provena_royalty::pda::pool(&mint).0, RegistryError::WrongPool);
    let theirs = pda::token_account(&stage.creator.pubkey(), &mint);
    stage.refused_account(at::TOKEN_ACCOUNT, theirs, InstructionError::MissingAccount);
    stage.refused_account(at::METADATA, pda::metadata(&mint).0, 5);
    stage.refused_account(at::MASTER_EDITION, pda::master_edition(&mint).0, 27);
}

#[test]
fn register_dataset_rejects_a_lineage_without_parents() {
    let mut stage = Stage::new();
    let lineage = pda::lineage(&pda::asset(&stage.mint.pubkey()).0).0;
    let mut instruction = stage.draft.instruction();
    instruction.accounts[at::LINEAGE].pubkey = lineage;
    instruction.accounts[at::LINEAGE].is_writable = true;
    let signers = [&stage.creator, &stage.mint];
    stage.world.refuses(&[instruction], &signers, RegistryError::WrongLineage);
}

#[test]
fn register_dataset_rejects_forged_and_foreign_accounts() {
    let mut stage = Stage::new();
    let forged = keypair("forged").pubkey();
    let sound = stage.draft.accounts();
    for (index, address) in [(at::ADMIN, sound.admin), (at::CLAIM, sound.claim), (at::POOL, sound.pool)] {
        let owner = if index == at::POOL { ID } else { provena_royalty::ID };
        stage.world.forge(&address, &forged, Some(owner));
        stage.refused_account(index, forged, InstructionError::IllegalOwner);
    }
    // Of the right owner and the wrong kind.
    stage.refused_account(at::ADMIN, sound.claim, 2040);
    stage.world.forge(&sound.claim, &forged, None);
    stage.refused_account(at::ADMIN, forged, InstructionError::AccountDataTooSmall);
    stage.world.forge(&sound.admin, &forged, None);
    stage.refused_account(at::CLAIM, forged, InstructionError::InvalidAccountData);
    let position = provena_royalty::pda::position(&sound.pool, &stage.creator.pubkey()).0;
    stage.refused_account(at::POOL, position, InstructionError::InvalidAccountData);
}

#[test]
fn register_dataset_rejects_other_programs() {
    let mut stage = Stage::new();
    stage.refused_account(at::ROYALTY_PROGRAM, ID, RegistryError::WrongRoyaltyProgram);
    let fixed = [at::TOKEN_METADATA_PROGRAM, at::ASSOCIATED_TOKEN_PROGRAM, at::TOKEN_PROGRAM, at::INSTRUCTIONS];
    for index in fixed {
        stage.refused_account(index, provena_royalty::ID, 2012);
    }
    // Token-2022 is another token program.
    stage.refused_account(at::TOKEN_PROGRAM, provena_common::token::TOKEN_2022_PROGRAM, 2012);
    stage.refused_account(at::SYSTEM_PROGRAM, provena_royalty::ID, InstructionError::IncorrectProgramId);
}

#[test]
fn register_dataset_rejects_a_pool_that_is_not_sealed() {
    let mut world = world();
    let (creator, mint) = (world.wallet("curator"), keypair("digits"));
    let holders = [Holder::new(creator.pubkey(), 9)];
    let create = provena_royalty::client::create_pool(&creator.pubkey(), &mint.pubkey(), 10, 0, 0, &holders);
    world.accept(&[create], &[&creator, &mint]);
    let draft = draft(AssetKind::Dataset, &creator, &mint);
    claim(&mut world, &creator, &draft.content);
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::PoolNotSealed);
}

#[test]
fn register_dataset_rejects_missing_signatures() {
    let mut stage = Stage::new();
    let mut instruction = stage.draft.instruction();
    instruction.accounts[1].is_signer = false;
    stage.world.refuses(&[instruction], &[&stage.creator], InstructionError::MissingRequiredSignature);
    let mut instruction = stage.draft.instruction();
    instruction.accounts[0].is_signer = false;
    stage.world.refuses(&[instruction], &[&stage.mint], InstructionError::MissingRequiredSignature);
}

#[test]
fn register_dataset_rejects_a_second_registration() {
    let mut stage = Stage::new();
    stage.world.accept(&[stage.draft.instruction()], &[&stage.creator, &stage.mint]);
    // With a new claim to new content, so that nothing else stands in the way of the same mint.
    stage.draft.content.root = [8; 32];
    claim(&mut stage.world, &stage.creator, &stage.draft.content);
    stage.refused(EXISTS);
}

#[test]
fn register_dataset_rejects_a_recipe() {
    let mut stage = Stage::new();
    // A model's registration always has a recipe and a dataset's never; add_version can mix them up.
    let signers = [&stage.creator, &stage.mint];
    stage.world.accept(&[stage.draft.instruction()], &signers);
    let next = provena_tests::registry::content("digits 2");
    claim(&mut stage.world, &stage.creator, &next);
    let (holder, mint) = (stage.creator.pubkey(), stage.mint.pubkey());
    let nft = pda::token_account(&holder, &mint);
    let add = client::add_version(&holder, &mint, &nft, 2, next, Some(RECIPE));
    stage.world.refuses(&[add], &[&stage.creator], RegistryError::RecipeOfDataset);
}

#[test]
fn register_dataset_rejects_accounts_that_follow_for_nothing() {
    let mut stage = Stage::new();
    let other = dataset(&mut stage.world, "other", &[]);
    let mut instruction = stage.draft.instruction();
    instruction.accounts.push(solana_instruction::AccountMeta::new_readonly(other.asset, false));
    let signers = [&stage.creator, &stage.mint];
    stage.world.refuses(&[instruction], &signers, RegistryError::WrongParentAccounts);
}

#[test]
fn register_dataset_rejects_a_creator_who_cannot_pay() {
    let mut stage = Stage::new();
    let creator = stage.creator.pubkey();
    let mut account = stage.world.account(&creator).expect("the creator exists");
    account.lamports = 1_000_000;
    stage.world.svm.set_account(creator, account).expect("the account is sound");
    // The System program's error for a lack of lamports.
    stage.refused(1);
    assert!(stage.world.account(&stage.mint.pubkey()).is_none(), "no mint was left behind");
}

#[test]
fn two_assets_of_one_creator_are_independent() {
    let mut world = world();
    let first = dataset(&mut world, "first", &[]);
    let (creator, mint) = prepare(&mut world, "curator", "second", &[]);
    let draft = draft(AssetKind::Dataset, &creator, &mint);
    let second = register(&mut world, &draft, creator, mint);
    assert_ne!(first.asset, second.asset);
    let states: [Asset; 2] = [first.state(&world), second.state(&world)];
    assert_eq!(states.map(|state| state.latest), [1, 1]);
    assert!(world.lamports(&second.creator.pubkey()) < WALLET_LAMPORTS);
}
