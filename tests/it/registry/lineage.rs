//! What makes an asset a parent of another, and what does not.

use provena_registry::{
    MAX_PARENTS, TOKEN_PROGRAM,
    error::RegistryError,
    pda,
    state::{AssetKind, Licence},
};
use provena_royalty::DEFAULT_TOTAL_SHARES;
use provena_tests::{
    World,
    registry::{Draft, Registered, dataset, prepare, register},
    royalty::configure,
    tokens::put_token_account,
    world::keypair,
};
use solana_instruction::AccountMeta;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

const PERCENT: u64 = DEFAULT_TOTAL_SHARES / 100;

/// A dataset that asks for a tenth, and a model of whose pool it holds a fifth, ready to be registered.
struct Stage {
    world: World,
    parent: Registered,
    creator: Keypair,
    mint: Keypair,
    draft: Draft,
}

impl Stage {
    fn new() -> Self {
        Self::with_licence(0)
    }

    fn with_licence(flags: u16) -> Self {
        let mut world = World::new();
        configure(&mut world, &[]);
        let (curator, digits) = prepare(&mut world, "curator", "digits", &[], &[]);
        let mut draft = Draft::new(AssetKind::Dataset, &curator.pubkey(), &digits.pubkey());
        draft.licence.flags = flags;
        let parent = register(&mut world, &draft, curator, digits);
        let holders = [(parent.pool, 20 * PERCENT)];
        let (creator, mint) = prepare(&mut world, "trainer", "classifier", &holders, &[]);
        let draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
        Self { world, parent, creator, mint, draft }
    }

    #[track_caller]
    fn refused(&mut self, draft: &Draft, error: impl provena_tests::ExpectedError) {
        self.world.refuses(&[draft.instruction()], &[&self.creator, &self.mint], error);
    }

    /// The draft naming its parent, and the accounts of the owner's consent.
    fn consented(&self, owner_signs: bool) -> Draft {
        let owner = self.parent.creator.pubkey();
        let token_account = pda::token_account(&owner, &self.parent.mint.pubkey()).0;
        let mut draft = self.draft.clone().with_parent(&self.parent, 2_000);
        draft.parent_accounts.push(AccountMeta::new_readonly(token_account, false));
        draft.parent_accounts.push(AccountMeta::new_readonly(owner, owner_signs));
        draft
    }
}

#[test]
fn a_parent_may_be_promised_less_than_it_holds() {
    let mut stage = Stage::new();
    let draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    stage.world.accept(&[draft.instruction()], &[&stage.creator, &stage.mint]);
}

#[test]
fn register_model_rejects_a_promise_below_the_licence() {
    let mut stage = Stage::new();
    let draft = stage.draft.clone().with_parent(&stage.parent, 999);
    stage.refused(&draft, RegistryError::ParentBpsTooLow);
}

#[test]
fn register_model_rejects_a_promise_that_the_pool_does_not_keep() {
    let mut stage = Stage::new();
    let draft = stage.draft.clone().with_parent(&stage.parent, 2_001);
    stage.refused(&draft, RegistryError::ParentShareMissing);
}

#[test]
fn register_model_rejects_promises_over_the_whole() {
    let mut stage = Stage::new();
    let draft = stage.draft.clone().with_parent(&stage.parent, 10_001);
    stage.refused(&draft, RegistryError::ParentBpsTooHigh);
    let draft = stage.draft.clone().with_parent(&stage.parent, 6_000).with_parent(&stage.parent, 6_000);
    stage.refused(&draft, RegistryError::ParentBpsTooHigh);
}

#[test]
fn register_model_rejects_a_duplicate_parent() {
    let mut stage = Stage::new();
    let draft = stage.draft.clone().with_parent(&stage.parent, 1_000).with_parent(&stage.parent, 1_000);
    stage.refused(&draft, RegistryError::DuplicateParent);
}

#[test]
fn register_model_rejects_itself_as_parent() {
    let mut stage = Stage::new();
    let own = Registered {
        asset: pda::asset(&stage.mint.pubkey()).0,
        mint: keypair("classifier"),
        pool: provena_royalty::pda::pool(&stage.mint.pubkey()).0,
        creator: keypair("trainer"),
    };
    let draft = stage.draft.clone().with_parent(&own, 1_000);
    // Anchor refuses the second reference to the account that is being created.
    stage.refused(&draft, 2040);
}

#[test]
fn register_model_rejects_a_parent_that_does_not_exist() {
    let mut stage = Stage::new();
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    draft.parent_accounts[0].pubkey = pda::asset(&keypair("no such mint").pubkey()).0;
    stage.refused(&draft, RegistryError::ParentNotFound);
}

#[test]
fn register_model_rejects_a_forged_parent() {
    let mut stage = Stage::new();
    let forged = keypair("forged asset").pubkey();
    stage.world.forge(&stage.parent.asset, &forged, Some(provena_market::ID));
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    draft.parent_accounts[0].pubkey = forged;
    stage.refused(&draft, RegistryError::ParentNotFound);
}

#[test]
fn register_model_rejects_a_position_of_another_holder() {
    let mut stage = Stage::new();
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    let pool = provena_royalty::pda::pool(&stage.mint.pubkey()).0;
    draft.parent_accounts[1].pubkey = provena_royalty::pda::position(&pool, &stage.creator.pubkey()).0;
    stage.refused(&draft, RegistryError::WrongPosition);
}

#[test]
fn register_model_rejects_a_position_in_another_pool() {
    let mut stage = Stage::new();
    let holders = [(stage.parent.pool, 50 * PERCENT)];
    let (_, other) = prepare(&mut stage.world, "trainer", "other model", &holders, &[]);
    let pool = provena_royalty::pda::pool(&other.pubkey()).0;
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    draft.parent_accounts[1].pubkey = provena_royalty::pda::position(&pool, &stage.parent.pool).0;
    stage.refused(&draft, RegistryError::WrongPosition);
}

#[test]
fn register_model_rejects_a_forged_position() {
    let mut stage = Stage::new();
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    let forged = keypair("forged position").pubkey();
    let real = draft.parent_accounts[1].pubkey;
    stage.world.forge(&real, &forged, Some(provena_market::ID));
    draft.parent_accounts[1].pubkey = forged;
    stage.refused(&draft, InstructionError::IllegalOwner);
}

#[test]
fn register_model_rejects_missing_and_surplus_parent_accounts() {
    let mut stage = Stage::new();
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    draft.parent_accounts.pop();
    stage.refused(&draft, RegistryError::WrongParentAccounts);
    let mut draft = stage.draft.clone().with_parent(&stage.parent, 1_000);
    draft.parent_bps.clear();
    stage.refused(&draft, RegistryError::WrongParentAccounts);
}

#[test]
fn register_model_rejects_a_seventeenth_parent() {
    let mut stage = Stage::new();
    let mut draft = stage.draft.clone();
    draft.parent_bps = vec![1; MAX_PARENTS + 1];
    stage.refused(&draft, RegistryError::TooManyParents);
}

#[test]
fn the_owner_can_consent_to_a_derivative() {
    let mut stage = Stage::with_licence(Licence::CONSENT_REQUIRED);
    let draft = stage.consented(true);
    let signers = [&stage.creator, &stage.mint, &stage.parent.creator];
    stage.world.accept(&[draft.instruction()], &signers);
}

#[test]
fn the_owner_can_build_on_its_own_asset() {
    let mut stage = Stage::with_licence(Licence::CONSENT_REQUIRED);
    let mut draft = stage.consented(true);
    let owner = stage.world.wallet("curator");
    draft.creator = owner.pubkey();
    stage.world.accept(&[draft.instruction()], &[&owner, &stage.mint]);
}

#[test]
fn register_model_rejects_a_derivative_without_consent() {
    let mut stage = Stage::with_licence(Licence::CONSENT_REQUIRED);
    let draft = stage.draft.clone().with_parent(&stage.parent, 2_000);
    stage.refused(&draft, RegistryError::WrongParentAccounts);
    let draft = stage.consented(false);
    stage.refused(&draft, RegistryError::ConsentMissing);
}

#[test]
fn register_model_rejects_the_consent_of_a_stranger() {
    let mut stage = Stage::with_licence(Licence::CONSENT_REQUIRED);
    let trainer = stage.creator.pubkey();
    // The trainer signs for itself, with the owner's token account and then with one that it made up.
    let mut draft = stage.consented(false);
    draft.parent_accounts[3] = AccountMeta::new_readonly(trainer, true);
    stage.refused(&draft, RegistryError::ConsentMissing);
    let fake = keypair("fake token account").pubkey();
    put_token_account(&mut stage.world, &fake, &keypair("some mint").pubkey(), &trainer, 1);
    draft.parent_accounts[2].pubkey = fake;
    stage.refused(&draft, RegistryError::ConsentMissing);
    let empty = keypair("empty token account").pubkey();
    put_token_account(&mut stage.world, &empty, &stage.parent.mint.pubkey(), &trainer, 0);
    draft.parent_accounts[2].pubkey = empty;
    stage.refused(&draft, RegistryError::ConsentMissing);
    let forged = keypair("forged token account").pubkey();
    put_token_account(&mut stage.world, &forged, &stage.parent.mint.pubkey(), &trainer, 1);
    stage.world.forge(&forged, &forged, Some(provena_market::ID));
    assert_ne!(stage.world.account(&forged).expect("it exists").owner, TOKEN_PROGRAM);
    draft.parent_accounts[2].pubkey = forged;
    stage.refused(&draft, RegistryError::ConsentMissing);
}

#[test]
fn lineage_reaches_through_generations() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let grandparent = dataset(&mut world, "digits", &[], &[]);
    let holders = [(grandparent.pool, 20 * PERCENT)];
    let (creator, mint) = prepare(&mut world, "curator", "clean digits", &holders, &[]);
    let draft = Draft::new(AssetKind::Dataset, &creator.pubkey(), &mint.pubkey()).with_parent(&grandparent, 2_000);
    let parent = register(&mut world, &draft, creator, mint);
    let child = provena_tests::registry::model(&mut world, "classifier", &[(&parent, 3_000)], &[]);
    assert_eq!(child.state(&world).parents()[0].asset, parent.asset);
    assert_eq!(parent.state(&world).parents()[0].asset, grandparent.asset);
}
