//! What makes an asset a parent of another, and what does not.

use anchor_lang::prelude::Address;
use provena_registry::{
    ID, MAX_PARENTS, TOKEN_PROGRAM,
    client::{NewAsset, Parent, REGISTER_COMPUTE_UNITS},
    error::RegistryError,
    pda,
    state::{Asset, AssetKind, AssetStatus, Floor},
};
use provena_tests::{
    World,
    registry::{PERCENT, Registered, claim, dataset, decode, draft, model, prepare, register, terms, world},
    tokens::put_token_account,
    transactions::{accept_v0, compute_unit_limit},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Where the parent's accounts follow the fixed ones.
const PARENT: usize = 18;
const LICENCE: usize = PARENT + 1;
const POSITION: usize = PARENT + 2;
const NFT: usize = PARENT + 3;
const HOLDER: usize = PARENT + 4;

/// A dataset, and a model of whose pool its pool holds a fifth, ready to be registered. The dataset's licence 1 asks
/// for a tenth, its licence 2 for a tenth and the holder's consent.
struct Stage {
    world: World,
    parent: Registered,
    creator: Keypair,
    mint: Keypair,
    draft: NewAsset,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let parent = dataset(&mut world, "digits", &[]);
        let mut consent = terms(1_000);
        consent.consent = true;
        parent.publish(&mut world, 2, consent);
        let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[(parent.pool, 20 * PERCENT)]);
        let mut draft = draft(AssetKind::Model, &creator, &mint);
        claim(&mut world, &creator, &draft.content);
        draft.parents = vec![parent.as_parent(1)];
        Self { world, parent, creator, mint, draft }
    }

    /// Under the licence that needs consent.
    fn with_consent() -> Self {
        let mut stage = Self::new();
        stage.draft.parents = vec![stage.parent.as_consenting_parent(2)];
        stage
    }

    #[track_caller]
    fn refused(&mut self, error: impl provena_tests::ExpectedError) {
        let instruction = self.draft.instruction();
        self.refused_instruction(instruction, error);
    }

    /// With one account replaced.
    #[track_caller]
    fn refused_account(&mut self, index: usize, other: Address, error: impl provena_tests::ExpectedError) {
        let mut instruction = self.draft.instruction();
        instruction.accounts[index].pubkey = other;
        self.refused_instruction(instruction, error);
    }

    #[track_caller]
    fn refused_instruction(&mut self, instruction: Instruction, error: impl provena_tests::ExpectedError) {
        let signs =
            |key: &Keypair| instruction.accounts.iter().any(|meta| meta.is_signer && meta.pubkey == key.pubkey());
        let mut signers = vec![&self.creator, &self.mint];
        if signs(&self.parent.creator) {
            signers.push(&self.parent.creator);
        }
        self.world.refuses(&[instruction], &signers, error);
    }

    /// With a licence of the parent that asks for so much.
    #[track_caller]
    fn refused_licence(&mut self, bps: u16, error: impl provena_tests::ExpectedError) {
        let id = 100 + u32::from(bps);
        self.parent.publish(&mut self.world, id, terms(bps));
        self.draft.parents = vec![self.parent.as_parent(id)];
        self.refused(error);
    }

    #[track_caller]
    fn accepted(&mut self) -> Registered {
        self.world.accept(&[self.draft.instruction()], &[&self.creator, &self.mint]);
        let asset = pda::asset(&self.mint.pubkey()).0;
        let pool = provena_royalty::pda::pool(&self.mint.pubkey()).0;
        Registered { asset, mint: self.mint.insecure_clone(), pool, creator: self.creator.insecure_clone() }
    }
}

#[test]
fn a_parents_pool_may_hold_more_than_its_licence_asks() {
    let mut stage = Stage::new();
    let child = stage.accepted();
    assert_eq!(child.lineage(&stage.world).1[0].bps, 1_000);
}

#[test]
fn a_parents_pool_may_hold_exactly_what_its_licence_asks() {
    let mut stage = Stage::new();
    stage.parent.publish(&mut stage.world, 3, terms(2_000));
    stage.draft.parents = vec![stage.parent.as_parent(3)];
    stage.accepted();
}

#[test]
fn register_model_rejects_a_parent_that_holds_less_than_its_licence_asks() {
    let mut stage = Stage::new();
    stage.refused_licence(2_001, RegistryError::ParentShareMissing);
    stage.refused_licence(10_000, RegistryError::ParentShareMissing);
}

#[test]
fn a_child_names_the_version_that_it_was_made_from() {
    let mut stage = Stage::new();
    let mut parent: Asset = stage.parent.state(&stage.world);
    parent.latest = 3;
    stage.world.set_state(&stage.parent.asset, &parent);
    stage.draft.parents[0].version = 3;
    let child = stage.accepted();
    assert_eq!(child.lineage(&stage.world).1[0].parent_version, 3);
}

#[test]
fn register_model_rejects_a_version_that_the_parent_does_not_have() {
    let mut stage = Stage::new();
    for version in [0, 2, u32::MAX] {
        stage.draft.parents[0].version = version;
        stage.refused(RegistryError::UnknownParentVersion);
    }
}

#[test]
fn register_model_rejects_a_duplicate_parent() {
    let mut stage = Stage::new();
    stage.draft.parents = vec![stage.parent.as_parent(1), stage.parent.as_parent(1)];
    stage.refused(RegistryError::DuplicateParent);
    // Under another licence it is the same parent still.
    stage.parent.publish(&mut stage.world, 3, terms(0));
    stage.draft.parents = vec![stage.parent.as_parent(1), stage.parent.as_parent(3)];
    stage.refused(RegistryError::DuplicateParent);
}

#[test]
fn register_model_rejects_itself_as_parent() {
    let mut stage = Stage::new();
    let own = pda::asset(&stage.mint.pubkey()).0;
    // Anchor refuses a second reference to an account that is being written.
    stage.refused_account(PARENT, own, 2040);
}

#[test]
fn register_model_rejects_a_parent_that_does_not_exist() {
    let mut stage = Stage::new();
    stage.refused_account(PARENT, pda::asset(&keypair("no such mint").pubkey()).0, RegistryError::ParentNotFound);
}

#[test]
fn register_model_rejects_a_forged_parent() {
    let mut stage = Stage::new();
    let forged = keypair("forged").pubkey();
    stage.world.forge(&stage.parent.asset, &forged, Some(provena_royalty::ID));
    stage.refused_account(PARENT, forged, RegistryError::ParentNotFound);
    // Ours, but of another kind.
    let version = pda::version(&stage.parent.asset, 1).0;
    stage.refused_account(PARENT, version, InstructionError::InvalidAccountData);
}

#[test]
fn register_model_rejects_a_parent_that_is_not_active() {
    let mut stage = Stage::new();
    for status in [AssetStatus::Draft, AssetStatus::Disputed, AssetStatus::Frozen] {
        let mut parent: Asset = stage.parent.state(&stage.world);
        parent.status = status as u8;
        stage.world.set_state(&stage.parent.asset, &parent);
        stage.refused(RegistryError::AssetNotActive);
    }
}

#[test]
fn register_model_rejects_a_retired_licence() {
    let mut stage = Stage::new();
    let (holder, mint) = (stage.parent.creator.pubkey(), stage.parent.mint.pubkey());
    let retire = provena_registry::client::retire_licence(&holder, &mint, &stage.parent.nft(), 1);
    stage.world.accept(&[retire], &[&stage.parent.creator]);
    stage.refused(RegistryError::LicenceRetired);
}

#[test]
fn register_model_rejects_another_assets_licence() {
    let mut stage = Stage::new();
    let other = dataset(&mut stage.world, "other", &[]);
    other.publish(&mut stage.world, 2, terms(0));
    stage.refused_account(LICENCE, pda::licence(&other.asset, 2).0, RegistryError::WrongLicence);
}

#[test]
fn register_model_rejects_a_forged_licence() {
    let mut stage = Stage::new();
    let forged = keypair("forged").pubkey();
    stage.world.forge(&pda::licence(&stage.parent.asset, 1).0, &forged, Some(provena_royalty::ID));
    stage.refused_account(LICENCE, forged, InstructionError::IllegalOwner);
    stage.refused_account(LICENCE, stage.parent.asset, InstructionError::AccountDataTooSmall);
    stage.refused_account(LICENCE, pda::licence(&stage.parent.asset, 9).0, InstructionError::AccountDataTooSmall);
}

#[test]
fn register_model_rejects_a_position_of_another_holder() {
    let mut stage = Stage::new();
    let pool = provena_royalty::pda::pool(&stage.mint.pubkey()).0;
    let own = provena_royalty::pda::position(&pool, &stage.creator.pubkey()).0;
    stage.refused_account(POSITION, own, RegistryError::WrongPosition);
}

#[test]
fn register_model_rejects_a_position_in_another_pool() {
    let mut stage = Stage::new();
    let holders = [(stage.parent.pool, 50 * PERCENT)];
    let (_, other) = prepare(&mut stage.world, "trainer", "other model", &holders);
    let pool = provena_royalty::pda::pool(&other.pubkey()).0;
    let position = provena_royalty::pda::position(&pool, &stage.parent.pool).0;
    stage.refused_account(POSITION, position, RegistryError::WrongPosition);
}

#[test]
fn register_model_rejects_a_forged_position() {
    let mut stage = Stage::new();
    let forged = keypair("forged").pubkey();
    let pool = provena_royalty::pda::pool(&stage.mint.pubkey()).0;
    let position = provena_royalty::pda::position(&pool, &stage.parent.pool).0;
    stage.world.forge(&position, &forged, Some(ID));
    stage.refused_account(POSITION, forged, InstructionError::IllegalOwner);
    stage.refused_account(POSITION, pool, InstructionError::AccountDataTooSmall);
}

#[test]
fn register_model_rejects_missing_and_surplus_parent_accounts() {
    let mut stage = Stage::new();
    for left in [PARENT, LICENCE, POSITION] {
        let mut instruction = stage.draft.instruction();
        instruction.accounts.truncate(left);
        stage.refused_instruction(instruction, RegistryError::WrongParentAccounts);
    }
    let mut instruction = stage.draft.instruction();
    instruction.accounts.push(instruction.accounts[PARENT].clone());
    stage.refused_instruction(instruction, RegistryError::WrongParentAccounts);
    // Consent that no licence asked for is surplus, too.
    stage.draft.parents = vec![stage.parent.as_consenting_parent(1)];
    stage.refused(RegistryError::WrongParentAccounts);
}

#[test]
fn register_model_rejects_parents_without_a_lineage_account() {
    let mut stage = Stage::new();
    let mut instruction = stage.draft.instruction();
    instruction.accounts[7] = solana_instruction::AccountMeta::new_readonly(ID, false);
    stage.refused_instruction(instruction, RegistryError::WrongLineage);
    let elsewhere = pda::lineage(&stage.parent.asset).0;
    stage.refused_account(7, elsewhere, provena_common::error::CommonError::WrongPda);
}

#[test]
fn register_model_rejects_a_seventeenth_parent() {
    let mut stage = Stage::new();
    let parents: Vec<Parent> = vec![stage.parent.as_parent(1); MAX_PARENTS + 1];
    stage.draft.parents = parents;
    stage.refused(RegistryError::TooManyParents);
}

/// As many as one transaction can name, with all of the pool promised to them.
#[test]
fn fourteen_parents_fit() {
    let mut world = world();
    let parents: Vec<_> = (0..14).map(|n| dataset(&mut world, &format!("digits {n}"), &[])).collect();
    // 13 * 714 + 718 basis points are the whole.
    let bps: Vec<u16> = (0..14).map(|n| if n == 13 { 718 } else { 714 }).collect();
    for (parent, bps) in parents.iter().zip(&bps) {
        parent.publish(&mut world, 2, terms(*bps));
    }
    let shares = parents.iter().zip(&bps).map(|(parent, bps)| (parent.pool, u64::from(*bps) * (PERCENT / 100)));
    let holders: Vec<_> = shares.collect();
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &holders);
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    draft.parents = parents.iter().map(|parent| parent.as_parent(2)).collect();
    claim(&mut world, &creator, &draft.content);
    let instructions = [compute_unit_limit(REGISTER_COMPUTE_UNITS), draft.instruction()];
    let table: Vec<_> = draft.instruction().accounts[8..].iter().map(|meta| meta.pubkey).collect();
    accept_v0(&mut world, &instructions, &[&creator, &mint], &table);
    let asset = pda::asset(&mint.pubkey()).0;
    let account = world.account(&pda::lineage(&asset).0).expect("the lineage exists");
    let (lineage, edges) = provena_registry::client::decode_lineage(&account.data).expect("it is a lineage");
    assert_eq!((lineage.direct, edges.len()), (14, 14));
    assert_eq!(edges.iter().map(|edge| u32::from(edge.bps)).sum::<u32>(), 10_000);
}

#[test]
fn the_holder_can_consent_to_a_derivative() {
    let mut stage = Stage::with_consent();
    let signers = [&stage.creator, &stage.mint, &stage.parent.creator];
    stage.world.accept(&[stage.draft.instruction()], &signers);
}

#[test]
fn the_holder_can_build_on_its_own_asset() {
    let mut stage = Stage::with_consent();
    let owner = stage.world.wallet("curator");
    stage.draft.creator = owner.pubkey();
    claim(&mut stage.world, &owner, &stage.draft.content);
    stage.world.accept(&[stage.draft.instruction()], &[&owner, &stage.mint]);
}

#[test]
fn consent_mixes_with_plain_parents_in_any_order() {
    for consenting_first in [true, false] {
        let mut world = world();
        let (plain, asks) = (dataset(&mut world, "plain", &[]), dataset(&mut world, "asks", &[]));
        let mut consent = terms(1_000);
        consent.consent = true;
        asks.publish(&mut world, 2, consent);
        let holders = [(plain.pool, 10 * PERCENT), (asks.pool, 10 * PERCENT)];
        let (creator, mint) = prepare(&mut world, "trainer", "classifier", &holders);
        let mut draft = draft(AssetKind::Model, &creator, &mint);
        draft.parents = vec![asks.as_consenting_parent(2), plain.as_parent(1)];
        if !consenting_first {
            draft.parents.reverse();
        }
        claim(&mut world, &creator, &draft.content);
        world.accept(&[draft.instruction()], &[&creator, &mint, &asks.creator]);
    }
}

#[test]
fn register_model_rejects_consent_in_the_wrong_place() {
    let mut world = world();
    let (plain, asks) = (dataset(&mut world, "plain", &[]), dataset(&mut world, "asks", &[]));
    let mut consent = terms(1_000);
    consent.consent = true;
    asks.publish(&mut world, 2, consent);
    let holders = [(plain.pool, 10 * PERCENT), (asks.pool, 10 * PERCENT)];
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &holders);
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    claim(&mut world, &creator, &draft.content);
    // The consent follows the plain parent instead of the one that needs it.
    draft.parents = vec![asks.as_consenting_parent(2), plain.as_parent(1)];
    let sound = draft.instruction();
    let mut mixed = sound.clone();
    let tail: Vec<_> = [0, 1, 2, 5, 6, 7, 3, 4].map(|at| sound.accounts[PARENT + at].clone()).into();
    mixed.accounts.truncate(PARENT);
    mixed.accounts.extend(tail);
    let signers = [&creator, &mint, &asks.creator];
    world.refuses(&[mixed], &signers, RegistryError::ConsentMissing);
    world.accept(&[sound], &signers);
}

#[test]
fn register_model_rejects_a_derivative_without_consent() {
    let mut stage = Stage::with_consent();
    let mut instruction = stage.draft.instruction();
    instruction.accounts[HOLDER].is_signer = false;
    stage.refused_instruction(instruction, RegistryError::ConsentMissing);
    stage.draft.parents[0].consent = None;
    stage.refused(RegistryError::WrongParentAccounts);
}

#[test]
fn register_model_rejects_the_consent_of_a_stranger() {
    let mut stage = Stage::with_consent();
    let (trainer, parent_mint) = (stage.creator.pubkey(), stage.parent.mint.pubkey());
    // The trainer signs for itself: with the holder's token account, and with accounts of its own.
    let with_account = |stage: &Stage, account: Address| {
        let mut instruction = stage.draft.instruction();
        instruction.accounts[NFT].pubkey = account;
        instruction.accounts[HOLDER].pubkey = trainer;
        instruction
    };
    let instruction = with_account(&stage, stage.parent.nft());
    stage.refused_instruction(instruction, RegistryError::ConsentMissing);
    let cases =
        [("of another mint", keypair("look-alike").pubkey(), 1), ("empty", parent_mint, 0), ("two", parent_mint, 2)];
    for (name, mint, amount) in cases {
        let account = keypair(name).pubkey();
        put_token_account(&mut stage.world, &account, &mint, &trainer, amount);
        let instruction = with_account(&stage, account);
        stage.refused_instruction(instruction, RegistryError::ConsentMissing);
    }
    let forged = keypair("forged").pubkey();
    put_token_account(&mut stage.world, &forged, &parent_mint, &trainer, 1);
    stage.world.forge(&forged, &forged, Some(provena_royalty::ID));
    assert_ne!(stage.world.account(&forged).expect("it exists").owner, TOKEN_PROGRAM);
    let instruction = with_account(&stage, forged);
    stage.refused_instruction(instruction, RegistryError::ConsentMissing);
}

/// The floor is the parent's own or the licence's, whichever is higher.
#[test]
fn register_model_rejects_a_floor_below_its_parents() {
    let mut stage = Stage::new();
    let (sol, dollar) = (Address::default(), keypair("dollar").pubkey());
    let (holder, mint) = (stage.parent.creator.pubkey(), stage.parent.mint.pubkey());
    let own = Floor { mint: sol, per_unit: 30 };
    let raise = provena_registry::client::raise_floor(&holder, &mint, &stage.parent.nft(), 300, Some(own));
    stage.world.accept(&[raise], &[&stage.parent.creator]);
    let mut asked = terms(1_000);
    asked.floor_bps = 500;
    asked.floor = Some(Floor { mint: dollar, per_unit: 2 });
    stage.parent.publish(&mut stage.world, 3, asked);
    stage.draft.parents = vec![stage.parent.as_parent(3)];

    let floors = [Floor { mint: sol, per_unit: 30 }, Floor { mint: dollar, per_unit: 2 }];
    stage.draft.floors.bps = 499;
    stage.draft.floors.per_unit = floors.to_vec();
    stage.refused(RegistryError::FloorBelowParent);
    stage.draft.floors.bps = 500;
    for (index, floor) in floors.into_iter().enumerate() {
        stage.draft.floors.per_unit[index].per_unit = floor.per_unit - 1;
        stage.refused(if floor.per_unit == 1 { RegistryError::ZeroFloor } else { RegistryError::FloorBelowParent });
        stage.draft.floors.per_unit.remove(index);
        stage.refused(RegistryError::FloorBelowParent);
        stage.draft.floors.per_unit = floors.to_vec();
    }
    // The plain licence asks for nothing, yet the parent's own floor holds.
    stage.draft.parents = vec![stage.parent.as_parent(1)];
    stage.draft.floors.bps = 299;
    stage.refused(RegistryError::FloorBelowParent);
    stage.draft.floors.bps = 300;
    stage.accepted();
}

#[test]
fn lineage_reaches_through_generations() {
    let mut world = world();
    let grandparent = dataset(&mut world, "digits", &[]);
    let (creator, mint) = prepare(&mut world, "curator", "clean digits", &[(grandparent.pool, 20 * PERCENT)]);
    let mut draft = draft(AssetKind::Dataset, &creator, &mint);
    draft.parents = vec![grandparent.as_parent(1)];
    let parent = register(&mut world, &draft, creator, mint);
    parent.publish(&mut world, 1, terms(3_000));
    let child = model(&mut world, "classifier", &[(&parent, 3_000)]);
    assert_eq!(child.lineage(&world).1[0].parent, parent.asset);
    assert_eq!(parent.lineage(&world).1[0].parent, grandparent.asset);
    let first: provena_registry::state::Version = decode(&world, &pda::version(&child.asset, 1).0);
    assert_eq!(first.asset, child.asset);
}
