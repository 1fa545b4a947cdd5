//! `add_version`: the next version of an asset, under the same pool.

use provena_common::error::CommonError;
use provena_registry::{
    ID, client,
    constants::pause,
    error::RegistryError,
    pda,
    state::{Asset, AssetStatus, Content, Version},
};
use provena_tests::{
    World,
    registry::{RECIPE, Registered, claim, content, decode, model, world},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// A model whose holder has claimed the content "classifier 2".
struct Stage {
    world: World,
    model: Registered,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let model = model(&mut world, "classifier", &[]);
        claim(&mut world, &model.creator, &content("classifier 2"));
        Self { world, model }
    }

    fn adding(&self, n: u32, name: &str) -> Instruction {
        let (holder, mint) = (self.model.creator.pubkey(), self.model.mint.pubkey());
        client::add_version(&holder, &mint, &self.model.nft(), n, content(name), Some(RECIPE))
    }

    #[track_caller]
    fn refused(&mut self, instruction: Instruction, error: impl provena_tests::ExpectedError) {
        self.world.refuses(&[instruction], &[&self.model.creator], error);
    }

    #[track_caller]
    fn refused_account(
        &mut self,
        index: usize,
        other: anchor_lang::prelude::Address,
        error: impl provena_tests::ExpectedError,
    ) {
        let mut instruction = self.adding(2, "classifier 2");
        instruction.accounts[index].pubkey = other;
        self.refused(instruction, error);
    }
}

#[test]
fn versions_are_numbered_and_share_pool_and_kind() {
    let mut stage = Stage::new();
    let before = stage.model.state(&stage.world);
    stage.world.svm.warp_to_slot(9_000);
    stage.world.accept(&[stage.adding(2, "classifier 2")], &[&stage.model.creator]);
    claim(&mut stage.world, &stage.model.creator, &content("classifier 3"));
    stage.world.accept(&[stage.adding(3, "classifier 3")], &[&stage.model.creator]);

    let after = stage.model.state(&stage.world);
    assert_eq!(after, Asset { latest: 3, ..before });
    let second: Version = decode(&stage.world, &pda::version(&stage.model.asset, 2).0);
    assert_eq!((second.asset, second.n, second.registered), (stage.model.asset, 2, 9_000));
    assert_eq!(second.content_root, content("classifier 2").root);
    assert_eq!((second.recipe_root, second.recipe_len), ([7; 32], 4_096));
    let first: Version = decode(&stage.world, &pda::version(&stage.model.asset, 1).0);
    assert_eq!(first.content_root, stage.model.mint.pubkey().to_bytes(), "the first stays what it was");
    let taken: Content = decode(&stage.world, &pda::content(&content("classifier 3").root).0);
    assert_eq!((taken.asset, taken.n), (stage.model.asset, 3));
}

#[test]
fn add_version_rejects_numbers_out_of_turn() {
    let mut stage = Stage::new();
    for n in [0, 1, 3] {
        let instruction = stage.adding(n, "classifier 2");
        stage.refused(instruction, CommonError::WrongPda);
    }
}

#[test]
fn add_version_rejects_an_exhausted_number() {
    let mut stage = Stage::new();
    let state = Asset { latest: u32::MAX, ..stage.model.state(&stage.world) };
    stage.world.set_state(&stage.model.asset, &state);
    let instruction = stage.adding(0, "classifier 2");
    stage.refused(instruction, RegistryError::TooManyVersions);
}

#[test]
fn add_version_rejects_a_paused_program() {
    let mut stage = Stage::new();
    let authority = stage.world.wallet("registry authority");
    stage.world.accept(&[client::set_pause(&authority.pubkey(), pause::ADD_VERSION)], &[&authority]);
    let instruction = stage.adding(2, "classifier 2");
    stage.refused(instruction, CommonError::Paused);
}

#[test]
fn add_version_rejects_an_asset_that_is_not_active() {
    let mut stage = Stage::new();
    for status in [AssetStatus::Draft, AssetStatus::Disputed, AssetStatus::Frozen] {
        let state = Asset { status: status as u8, ..stage.model.state(&stage.world) };
        stage.world.set_state(&stage.model.asset, &state);
        let instruction = stage.adding(2, "classifier 2");
        stage.refused(instruction, RegistryError::AssetNotActive);
    }
}

#[test]
fn add_version_rejects_its_own_earlier_content() {
    let mut stage = Stage::new();
    let mut same = content("classifier");
    same.root = stage.model.mint.pubkey().to_bytes();
    same.salt = [6; 32];
    claim(&mut stage.world, &stage.model.creator, &same);
    let (holder, mint) = (stage.model.creator.pubkey(), stage.model.mint.pubkey());
    let add = client::add_version(&holder, &mint, &stage.model.nft(), 2, same, Some(RECIPE));
    stage.refused(add, RegistryError::ContentTaken);
}

#[test]
fn add_version_rejects_other_accounts() {
    let mut stage = Stage::new();
    let forged = keypair("forged").pubkey();
    let sound = stage.adding(2, "classifier 2");
    for index in [1, 4] {
        stage.world.forge(&sound.accounts[index].pubkey, &forged, Some(provena_royalty::ID));
        stage.refused_account(index, forged, InstructionError::IllegalOwner);
    }
    stage.refused_account(5, keypair("elsewhere").pubkey(), CommonError::WrongPda);
    stage.refused_account(6, keypair("elsewhere").pubkey(), CommonError::WrongPda);
    stage.refused_account(7, ID, InstructionError::IncorrectProgramId);
}

#[test]
fn add_version_rejects_a_claim_copied_to_another_address() {
    let mut stage = Stage::new();
    let sound = stage.adding(2, "classifier 2");
    let forged = keypair("forged").pubkey();
    stage.world.forge(&sound.accounts[4].pubkey, &forged, None);
    stage.refused_account(4, forged, RegistryError::WrongClaim);
}

#[test]
fn add_version_rejects_a_recipe_of_nothing() {
    let mut stage = Stage::new();
    let (holder, mint) = (stage.model.creator.pubkey(), stage.model.mint.pubkey());
    for recipe in
        [provena_registry::Recipe { root: [0; 32], len: 1 }, provena_registry::Recipe { root: [7; 32], len: 0 }]
    {
        let add = client::add_version(&holder, &mint, &stage.model.nft(), 2, content("classifier 2"), Some(recipe));
        stage.refused(add, RegistryError::EmptyRecipe);
    }
}
