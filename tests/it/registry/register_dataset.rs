//! `register_dataset`: the NFT, the record, and everything about the text and the pool that is refused.

use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use provena_registry::{
    error::RegistryError,
    pda,
    state::{Asset, AssetKind, Licence},
};
use provena_tests::{
    World,
    registry::{Draft, dataset, prepare, register},
    royalty::{configure, create_pool},
    tokens::token_balance,
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A creator and a mint with a pool, and a valid draft to spoil.
struct Stage {
    world: World,
    creator: Keypair,
    mint: Keypair,
    draft: Draft,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new();
        configure(&mut world, &[]);
        let (creator, mint) = prepare(&mut world, "curator", "digits", &[], &[]);
        let draft = Draft::new(AssetKind::Dataset, &creator.pubkey(), &mint.pubkey());
        Self { world, creator, mint, draft }
    }

    #[track_caller]
    fn refused(&mut self, error: RegistryError) {
        self.world.refuses(&[self.draft.instruction()], &[&self.creator, &self.mint], error);
    }
}

#[test]
fn register_dataset_records_the_asset() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let registered = dataset(&mut world, "digits", &[], &[]);
    let asset = registered.state(&world);
    assert_eq!(asset.mint, registered.mint.pubkey());
    assert_eq!(asset.creator, registered.creator.pubkey());
    assert_eq!(asset.pool, registered.pool);
    assert_eq!(asset.content_root, registered.mint.pubkey().to_bytes());
    assert_eq!(asset.recipe_root, [0; 32]);
    assert_eq!(asset.licence, Licence { terms_hash: [9; 32], derivative_bps: 1_000, flags: 0 });
    assert_eq!((asset.kind(), asset.version), (Some(AssetKind::Dataset), 1));
    assert!(asset.parents().is_empty());
}

#[test]
fn the_nft_names_the_pool_as_its_verified_creator() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let registered = dataset(&mut world, "digits", &[], &[]);
    let mint = registered.mint.pubkey();
    let account = world.account(&pda::metadata(&mint).0).expect("the metadata exists");
    let metadata = Metadata::safe_deserialize(&account.data).expect("it is metadata");
    assert_eq!(metadata.name.trim_end_matches('\0'), "Handwritten digits");
    assert_eq!(metadata.symbol.trim_end_matches('\0'), "PROVENA");
    assert_eq!(metadata.seller_fee_basis_points, 500);
    assert!(!metadata.is_mutable, "nobody can strip the pool of its resale royalties");
    let creators = metadata.creators.expect("there are creators");
    assert_eq!(creators.len(), 1);
    assert_eq!(creators[0].address.to_bytes(), registered.pool.to_bytes());
    assert!(creators[0].verified);
    assert_eq!(creators[0].share, 100);
}

#[test]
fn the_nft_is_one_of_a_kind() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let registered = dataset(&mut world, "digits", &[], &[]);
    let (mint, creator) = (registered.mint.pubkey(), registered.creator.pubkey());
    assert_eq!(token_balance(&world, &pda::token_account(&creator, &mint).0), 1);
    let edition = world.account(&pda::master_edition(&mint).0).expect("the master edition exists");
    let edition = MasterEdition::safe_deserialize(&edition.data).expect("it is a master edition");
    assert_eq!(edition.max_supply, Some(0));
    let account = world.account(&mint).expect("the mint exists");
    assert_eq!(account.data[36..44], 1u64.to_le_bytes(), "the supply is one");
    assert_eq!(account.data[4..36], pda::master_edition(&mint).0.to_bytes(), "and nobody can mint more");
}

#[test]
fn the_next_version_follows_the_previous() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let first = dataset(&mut world, "digits", &[], &[]);
    let (creator, mint) = prepare(&mut world, "curator", "digits 2", &[], &[]);
    let mut draft = Draft::new(AssetKind::Dataset, &creator.pubkey(), &mint.pubkey());
    draft.previous = Some(first.asset);
    let second: Asset = register(&mut world, &draft, creator, mint).state(&world);
    assert_eq!((second.version, second.previous), (2, first.asset));
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
fn register_dataset_rejects_text_that_is_too_long() {
    let mut stage = Stage::new();
    let text = stage.draft.nft.clone();
    stage.draft.nft.name = "n".repeat(33);
    stage.refused(RegistryError::NameTooLong);
    stage.draft.nft = text.clone();
    stage.draft.nft.symbol = "s".repeat(11);
    stage.refused(RegistryError::SymbolTooLong);
    stage.draft.nft = text;
    stage.draft.nft.uri = "u".repeat(201);
    stage.refused(RegistryError::UriTooLong);
}

#[test]
fn register_dataset_rejects_an_empty_name() {
    let mut stage = Stage::new();
    stage.draft.nft.name.clear();
    stage.refused(RegistryError::EmptyName);
}

#[test]
fn register_dataset_rejects_a_seller_fee_over_the_whole() {
    let mut stage = Stage::new();
    stage.draft.nft.seller_fee_basis_points = 10_001;
    stage.refused(RegistryError::SellerFeeTooHigh);
}

#[test]
fn register_dataset_rejects_an_empty_content_root() {
    let mut stage = Stage::new();
    stage.draft.content_root = [0; 32];
    stage.refused(RegistryError::EmptyContentRoot);
}

#[test]
fn register_dataset_rejects_a_licence_over_the_whole() {
    let mut stage = Stage::new();
    stage.draft.licence.derivative_bps = 10_001;
    stage.refused(RegistryError::LicenceBpsTooHigh);
}

#[test]
fn register_dataset_rejects_unknown_licence_flags() {
    let mut stage = Stage::new();
    stage.draft.licence.flags = 2;
    stage.refused(RegistryError::UnknownLicenceFlags);
}

#[test]
fn register_dataset_rejects_another_assets_pool() {
    let mut stage = Stage::new();
    let other = dataset(&mut stage.world, "other", &[], &[]);
    let mut accounts = stage.draft.accounts();
    accounts.pool = other.pool;
    let instruction = stage.draft.instruction_with(&accounts);
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.mint], RegistryError::WrongPool);
}

#[test]
fn register_dataset_rejects_a_forged_pool() {
    let mut stage = Stage::new();
    let mut accounts = stage.draft.accounts();
    let forged = keypair("forged pool").pubkey();
    stage.world.forge(&accounts.pool, &forged, Some(provena_registry::ID));
    accounts.pool = forged;
    let instruction = stage.draft.instruction_with(&accounts);
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.mint], InstructionError::IllegalOwner);
}

#[test]
fn register_dataset_rejects_a_pool_that_is_not_sealed() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, mint) = (world.wallet("curator"), keypair("digits"));
    let create = create_pool(&creator.pubkey(), &mint.pubkey(), 10, &[(creator.pubkey(), 9)]);
    world.accept(&[create], &[&creator, &mint]);
    let draft = Draft::new(AssetKind::Dataset, &creator.pubkey(), &mint.pubkey());
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::PoolNotSealed);
}

#[test]
fn register_dataset_rejects_a_mint_that_does_not_sign() {
    let mut stage = Stage::new();
    let mut instruction = stage.draft.instruction();
    instruction.accounts[1].is_signer = false;
    stage.world.refuses(&[instruction], &[&stage.creator], InstructionError::MissingRequiredSignature);
}

#[test]
fn register_dataset_rejects_a_second_registration() {
    let mut stage = Stage::new();
    stage.world.accept(&[stage.draft.instruction()], &[&stage.creator, &stage.mint]);
    // The System program refuses to allocate the asset's account again.
    stage.world.refuses(&[stage.draft.instruction()], &[&stage.creator, &stage.mint], 0);
}

#[test]
fn register_dataset_rejects_a_stranger_as_successor() {
    let mut stage = Stage::new();
    let first = dataset(&mut stage.world, "first", &[], &[]);
    let (mallory, mint) = prepare(&mut stage.world, "mallory", "mallory's", &[], &[]);
    let mut draft = Draft::new(AssetKind::Dataset, &mallory.pubkey(), &mint.pubkey());
    draft.previous = Some(first.asset);
    stage.world.refuses(&[draft.instruction()], &[&mallory, &mint], RegistryError::NotPreviousCreator);
}

#[test]
fn register_dataset_rejects_other_programs() {
    let mut stage = Stage::new();
    let mut accounts = stage.draft.accounts();
    accounts.royalty_program = provena_market::ID;
    let instruction = stage.draft.instruction_with(&accounts);
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.mint], RegistryError::WrongRoyaltyProgram);
    // The others are fixed addresses too, with Anchor's error.
    for index in [9, 10, 11, 12] {
        let mut instruction = stage.draft.instruction();
        instruction.accounts[index].pubkey = provena_market::ID;
        stage.world.refuses(&[instruction], &[&stage.creator, &stage.mint], 2012);
    }
}

#[test]
fn register_dataset_rejects_a_token_account_elsewhere() {
    let mut stage = Stage::new();
    let mut accounts = stage.draft.accounts();
    accounts.token_account = keypair("elsewhere").pubkey();
    let instruction = stage.draft.instruction_with(&accounts);
    // The associated token program derives the address itself.
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.mint], InstructionError::InvalidSeeds);
}
