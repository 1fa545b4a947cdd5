//! What a licence grants, how often, until when, and at what price.

use provena_registry::state::AssetKind;
use provena_registry::{LicenceTerms, Price, client, constants::uses, error::RegistryError};
use provena_tests::{
    ExpectedError, World,
    market::open_books,
    registry::{Building, PERCENT, Registered, claim, dataset, draft, model, prepare, terms},
    royalty::{configure, sol_books},
    tokens::Money,
    transactions::compute_unit_limit,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

const FIFTH: u64 = 20 * PERCENT;

/// Both programs' admin accounts, a dataset, and a token that may be paid in and for which its pool has books.
fn stage() -> (World, Registered, Money) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    provena_tests::registry::configure(&mut world);
    let parent = dataset(&mut world, "digits", &[]);
    open_books(&mut world, &parent, token);
    (world, parent, token)
}

/// A derivative under this licence, ready to be registered in one step.
fn deriving(world: &mut World, parent: &Registered, name: &str, licence: u32) -> (Keypair, Keypair, client::NewAsset) {
    let (creator, mint) = prepare(world, "trainer", name, &[(parent.pool, FIFTH)]);
    let mut new = draft(AssetKind::Model, &creator, &mint);
    new.parents = vec![parent.as_parent(licence)];
    claim(world, &creator, &new.content);
    (creator, mint, new)
}

/// Registered.
#[track_caller]
fn derived(world: &mut World, parent: &Registered, name: &str, licence: u32) -> Registered {
    let (creator, mint, new) = deriving(world, parent, name, licence);
    let limit = compute_unit_limit(client::REGISTER_COMPUTE_UNITS);
    world.accept(&[limit, new.instruction()], &[&creator, &mint]);
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    Registered { asset: provena_registry::pda::asset(&mint.pubkey()).0, mint, pool, creator }
}

#[track_caller]
fn refused(world: &mut World, parent: &Registered, name: &str, licence: u32, error: impl ExpectedError) {
    let (creator, mint, new) = deriving(world, parent, name, licence);
    world.refuses(&[new.instruction()], &[&creator, &mint], error);
}

#[test]
fn a_licence_grants_until_its_last_slot() {
    let (mut world, parent, _) = stage();
    let last = world.slot() + 100;
    parent.publish(&mut world, 2, LicenceTerms { expires: last, ..terms(1_000) });
    let (creator, mint, in_time) = deriving(&mut world, &parent, "in time", 2);
    let (late_creator, late_mint, late) = deriving(&mut world, &parent, "late", 2);
    let drafted = Building::begin(&mut world, "drafted", &[(parent.pool, FIFTH)]);
    world.svm.warp_to_slot(last);
    world.accept(&[in_time.instruction()], &[&creator, &mint]);
    world.svm.warp_to_slot(last + 1);
    world.refuses(&[late.instruction()], &[&late_creator, &late_mint], RegistryError::LicenceExpired);
    let adding = drafted.parent(&world, &parent, 2).instruction();
    world.refuses(&[adding], &[&drafted.creator], RegistryError::LicenceExpired);
    // What was granted stays, and a licence that is over already cannot be published.
    assert_eq!(parent.licence(&world, 2).children, 1);
    let over = parent.publishing(3, LicenceTerms { expires: last, ..terms(1_000) });
    world.refuses(&[over], &[&parent.creator], RegistryError::LicenceExpired);
}

#[test]
fn a_licence_grants_to_so_many_and_no_more() {
    let (mut world, parent, _) = stage();
    parent.publish(&mut world, 2, LicenceTerms { most_children: 2, ..terms(1_000) });
    derived(&mut world, &parent, "first", 2);
    let second = Building::begin(&mut world, "second", &[(parent.pool, FIFTH)]);
    let adding = second.parent(&world, &parent, 2).instruction();
    world.accept(&[adding], &[&second.creator]);
    refused(&mut world, &parent, "third", 2, RegistryError::LicenceExhausted);
    let third = Building::begin(&mut world, "third draft", &[(parent.pool, FIFTH)]);
    let adding = third.parent(&world, &parent, 2).instruction();
    world.refuses(std::slice::from_ref(&adding), &[&third.creator], RegistryError::LicenceExhausted);
    // A draft that is given up makes room again.
    let abandoning = second.abandoning(&world, &second.creator.pubkey());
    world.accept(&[abandoning], &[&second.creator]);
    world.accept(&[adding], &[&third.creator]);
    assert_eq!(parent.licence(&world, 2).children, 2);
    // The count does not end where there is no limit.
    assert_eq!(parent.licence(&world, 1).children, 0);
}

#[test]
fn a_price_in_sol_goes_to_the_parents_holders() {
    let (mut world, parent, _) = stage();
    let price = Price { mint: Money::Sol.mint(), amount: 5_000_000 };
    parent.publish(&mut world, 2, LicenceTerms { price: Some(price), ..terms(1_000) });
    refused(&mut world, &parent, "at once", 2, RegistryError::PriceDue);

    let building = Building::begin(&mut world, "classifier", &[(parent.pool, FIFTH)]);
    let books = sol_books(&parent.pool);
    let (buyer, before) = (building.creator.pubkey(), world.lamports(&books));
    let wallet = world.lamports(&buyer);
    let adding = building.paid_parent(&world, &parent, 2, Money::Sol.currency()).instruction();
    world.accept(&[adding], &[&building.creator]);
    // The lineage grew by an edge of 88 bytes.
    assert_eq!(world.lamports(&buyer), wallet - 5_000_000 - 88 * 6_960);
    assert_eq!(world.lamports(&books), before + 5_000_000);
    // It is revenue like any other: booked by `sync`, and claimed by the holder.
    let (pool, curator) = (parent.pool, parent.creator.pubkey());
    world.accept(&[provena_royalty::client::sync(&pool, Money::Sol.currency(), &[])], &[]);
    let had = world.lamports(&curator);
    let claiming = provena_royalty::client::claim(&curator, &pool, Money::Sol.currency());
    world.accept(&[claiming], &[&parent.creator]);
    assert_eq!(world.lamports(&curator), had + 5_000_000);
}

#[test]
fn a_price_in_a_token_goes_to_the_parents_vault() {
    let (mut world, parent, token) = stage();
    let price = Price { mint: token.mint(), amount: 700 };
    parent.publish(&mut world, 2, LicenceTerms { price: Some(price), ..terms(1_000) });
    let building = Building::begin(&mut world, "classifier", &[(parent.pool, FIFTH)]);
    let buyer = building.creator.pubkey();
    token.give(&mut world, &buyer, 699);
    let adding = building.paid_parent(&world, &parent, 2, token.currency()).instruction();
    // SPL Token: insufficient funds.
    world.refuses(std::slice::from_ref(&adding), &[&building.creator], 1);
    token.give(&mut world, &buyer, 700);
    let had = token.balance(&world, &buyer);
    world.accept(&[adding], &[&building.creator]);
    assert_eq!(token.balance(&world, &buyer), had - 700);
    let books = provena_royalty::pda::books(&parent.pool, &token.mint()).0;
    let vault = provena_royalty::pda::vault(&books).0;
    assert_eq!(provena_tests::tokens::token_balance(&world, &vault), 700);
}

#[test]
fn a_price_goes_nowhere_else() {
    let (mut world, parent, token) = stage();
    let price = Price { mint: Money::Sol.mint(), amount: 5_000_000 };
    parent.publish(&mut world, 2, LicenceTerms { price: Some(price), ..terms(1_000) });
    let other = dataset(&mut world, "other", &[]);
    let building = Building::begin(&mut world, "classifier", &[(parent.pool, FIFTH)]);
    let signers = [&building.creator];
    let sound = building.paid_parent(&world, &parent, 2, Money::Sol.currency());
    let with = |books| {
        let mut instruction = sound.instruction();
        instruction.accounts[12].pubkey = books;
        instruction
    };
    let unpaid = building.parent(&world, &parent, 2).instruction();
    world.refuses(&[unpaid], &signers, RegistryError::WrongPriceBooks);
    world.refuses(&[with(sol_books(&other.pool))], &signers, RegistryError::WrongPriceBooks);
    world.refuses(&[with(sol_books(&building.pool()))], &signers, RegistryError::WrongPriceBooks);
    let tokens = provena_royalty::pda::books(&parent.pool, &token.mint()).0;
    world.refuses(&[with(tokens)], &signers, RegistryError::WrongPriceBooks);
    // Nobody pays where nothing is asked.
    let free = building.paid_parent(&world, &parent, 1, Money::Sol.currency()).instruction();
    world.refuses(&[free], &signers, RegistryError::WrongPriceBooks);
    world.accept(&[sound.instruction()], &signers);
}

#[test]
fn uses_pass_on_and_never_grow() {
    let (mut world, parent, _) = stage();
    let served = LicenceTerms { uses: uses::SERVE, ..terms(1_000) };
    parent.publish(&mut world, 2, served);
    let both = LicenceTerms { uses: uses::SERVE | uses::DERIVE, ..terms(1_000) };
    parent.publish(&mut world, 3, both);

    // Nothing may be built on what was made under licence 2.
    let closed = derived(&mut world, &parent, "for use alone", 2);
    assert_eq!(closed.state(&world).uses, uses::SERVE);
    world.refuses(&[closed.publishing(1, both)], &[&closed.creator], RegistryError::UseNotAllowed);
    world.refuses(&[closed.publishing(1, served)], &[&closed.creator], RegistryError::UseNotAllowed);

    // What was made under licence 3 can grant both, and nothing more.
    let open = derived(&mut world, &parent, "open", 3);
    world.refuses(&[open.publishing(1, terms(1_000))], &[&open.creator], RegistryError::UseNotAllowed);
    open.publish(&mut world, 1, both);
    open.publish(&mut world, 2, LicenceTerms { uses: uses::DERIVE, ..terms(1_000) });
    let grandchild = derived(&mut world, &open, "grandchild", 2);
    assert_eq!(grandchild.state(&world).uses, uses::DERIVE);
    assert_eq!(grandchild.lineage(&world).1[0].uses, uses::DERIVE);
}

/// A licence given while a parent could grant it does not grant any more than the parent may at the time.
#[test]
fn what_a_parent_may_no_longer_grant_is_refused() {
    let (mut world, parent, _) = stage();
    let model = model(&mut world, "classifier", &[]);
    let mut state = model.state(&world);
    state.uses = uses::SERVE;
    world.set_state(&model.asset, &state);
    refused(&mut world, &model, "child", 1, RegistryError::UseNotAllowed);
    drop(parent);
}

/// Whoever holds the parent's NFT could narrow what it grants between a builder's look and his payment.
#[test]
fn add_parent_rejects_less_than_the_builder_saw() {
    let (mut world, parent, _) = stage();
    parent.publish(&mut world, 2, LicenceTerms { uses: uses::DERIVE, ..terms(1_000) });
    let building = Building::begin(&mut world, "classifier", &[(parent.pool, FIFTH)]);
    let mut adding = building.parent(&world, &parent, 2);
    adding.uses = uses::SERVE | uses::DERIVE;
    world.refuses(&[adding.instruction()], &[&building.creator], RegistryError::UseNotAllowed);
    adding.uses = uses::DERIVE;
    world.accept(&[adding.instruction()], &[&building.creator]);
}

/// A licence that asks for no share needs no position.
#[test]
fn a_licence_for_nothing_needs_no_shares() {
    let (mut world, parent, _) = stage();
    parent.publish(&mut world, 2, LicenceTerms { absolute: true, ..terms(0) });
    let building = Building::begin(&mut world, "child", &[]);
    let adding = building.parent(&world, &parent, 2).instruction();
    world.accept(&[adding], &[&building.creator]);
    let child = building.seal(&mut world);
    child.publish(&mut world, 1, terms(0));
    let building = Building::begin(&mut world, "grandchild", &[]);
    building.add(&mut world, &child);
    building.inherit_all(&mut world);
    assert_eq!(building.seal(&mut world).lineage(&world).1.len(), 2);
}
