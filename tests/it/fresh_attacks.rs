//! What an engineer who had never seen the programs tried against them: each scenario says what it proves, for the attacker or for
//! the programs.

use anchor_lang::prelude::Address;
use provena_market::{
    client,
    error::MarketError,
    fees::Work,
    pda,
    state::{JobState, Party},
};
use provena_royalty::{DEFAULT_TOTAL_SHARES, client as royalty, error::RoyaltyError};
use provena_tests::{
    market::{INSTANCE, MOST, PaidIn, Scene, answer_bytes, quorum, terms},
    royalty::{Scene as Pool, Terms, configure, holders},
    tokens::{Extension, Money, TransferFee, put_extended_mint},
    world::World,
};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;

/// A pool that Alice holds alone, in a Token-2022 token with this fee.
fn alices_pool(fee: TransferFee, window: u32) -> (World, Money, Pool, Keypair) {
    let mut world = World::new();
    let money = Money::token_2022(&mut world, "euro", &[Extension::TransferFee(fee)]);
    configure(&mut world, &[money]);
    let alice = world.wallet("alice");
    let shares = holders(&[(alice.pubkey(), DEFAULT_TOTAL_SHARES)]);
    let terms = Terms { total_shares: DEFAULT_TOTAL_SHARES, window, holders: &shares };
    let pool = Pool::with_terms(&mut world, "digits", &terms, &[money]);
    money.give(&mut world, &alice.pubkey(), 0);
    (world, money, pool, alice)
}

#[test]
fn a_mints_fee_authority_takes_what_anybody_may_push() {
    let (mut world, money, pool, alice) = alices_pool(TransferFee { bps: 0, most: 0 }, 0);
    pool.deposit(&mut world, money, 1_000_000);
    let all = TransferFee { bps: 10_000, most: u64::MAX };
    put_extended_mint(&mut world, &money.mint(), 6, &[Extension::TransferFee(all)]);
    world.accept(&[royalty::claim_for(&alice.pubkey(), &pool.pool, money.currency())], &[]);
    assert_eq!(pool.owed(&world, &alice.pubkey(), money), 0);
    assert_eq!(money.balance(&world, &alice.pubkey()), 0);
    assert_eq!(pool.holdings(&world, money), 0);
}

#[test]
fn claims_by_strangers_unit_by_unit_leave_everything_to_the_mints_fee() {
    let one_percent = TransferFee { bps: 100, most: u64::MAX };
    let (mut world, money, pool, alice) = alices_pool(one_percent, 32);
    pool.deposit(&mut world, money, 33);
    // 32 arrived; they are released over the next window of 32 slots.
    assert_eq!(pool.unreleased(&world, money), 32);
    let claim = royalty::claim_for(&alice.pubkey(), &pool.pool, money.currency());
    for _ in 0..80 {
        world.pass_slots(1);
        world.accept(std::slice::from_ref(&claim), &[]);
    }
    assert_eq!(pool.owed(&world, &alice.pubkey(), money), 0);
    assert_eq!(money.balance(&world, &alice.pubkey()), 0);
}

#[test]
fn a_node_that_withholds_a_short_answer_until_it_is_demanded_earns_more_than_it_spends() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    let answer = &answer_bytes(1)[..600];
    let root = provena_arith::merkle::content_root(answer).expect("it is not empty");
    scene.take(job, 0, 0);
    let reveal = client::answer(scene.authority(0), job, root, Work::new(3, 2));
    scene.world.accept(&[reveal], &[&scene.nodes[0]]);
    let before = scene.world.lamports(&scene.authority(0));
    scene.demand(job);
    let (parts, seal) = client::put_answer(scene.authority(0), job, answer);
    // One transaction with one signature: 5,000 lamports.
    let all: Vec<_> = parts.into_iter().chain([seal]).collect();
    assert_eq!(all.len(), 2);
    scene.world.accept(&all, &[&scene.nodes[0]]);
    let rent = scene.world.lamports(&pda::answer(&job, &scene.authority(0)).0);
    assert_eq!(scene.world.lamports(&scene.authority(0)) + rent - before, 60_000);
}

#[test]
fn who_copies_an_answer_from_the_chain_takes_the_demands_deposit() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.demand(job);
    let node = scene.authority(0);
    let (parts, seal) = client::put_answer(node, job, &answer_bytes(1));
    for part in parts {
        scene.world.accept(&[part], &[&scene.nodes[0]]);
    }
    let thief = scene.world.wallet("thief");
    let before = scene.world.lamports(&thief.pubkey());
    let copied = scene.world.account(&pda::answer(&job, &node).0).expect("it is there").data[156..].to_vec();
    let (parts, thiefs_seal) = client::put_answer(thief.pubkey(), job, &copied);
    for part in parts {
        scene.world.accept(&[part], &[&thief]);
    }
    scene.world.accept(&[thiefs_seal], &[&thief]);
    scene.world.refuses(&[seal], &[&scene.nodes[0]], MarketError::NotDemanded);
    let rent = scene.world.lamports(&pda::answer(&job, &thief.pubkey()).0);
    assert_eq!(scene.world.lamports(&thief.pubkey()) + rent - before, 60_000);
    // The node has its fee and its bond all the same.
    scene.collect(&job, Party::Seat(0));
    assert_eq!(scene.node(0).locked, 0);
}

#[test]
fn a_strangers_later_inbox_keeps_the_rent_of_an_earlier_one() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let (asset, currency) = (scene.model.mint.pubkey(), scene.money.currency());
    let stranger = scene.world.wallet("stranger");
    scene.world.accept(&[royalty::open_inbox(&stranger.pubkey(), &asset, currency, 1)], &[&stranger]);
    let close = royalty::close_inbox(&scene.payer.pubkey(), &scene.model.pool, currency, 0);
    scene.world.refuses(&[close], &[&scene.payer], RoyaltyError::NotLastInbox);
}

#[test]
fn one_node_fails_a_unanimous_job_and_loses_nothing() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 3));
    scene.open_inboxes();
    let saboteur = scene.authority(2);
    let before = (scene.world.lamports(&saboteur), scene.node(2).stake);
    let job = scene.post(0);
    scene.work(job, &[1, 1, 9]);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Failed));
    scene.collect_all(&job);
    assert_eq!((scene.world.lamports(&saboteur), scene.node(2).stake), before);
    assert_eq!((scene.node(2).locked, scene.node(2).forfeited), (0, 0));
}

#[test]
fn a_node_holds_a_seat_again_and_again_without_loss_and_the_payer_cannot_cancel() {
    let long = provena_market::state::OfferTerms { open_window: 100_000, ..quorum(2, 2) };
    let mut scene = Scene::new(PaidIn::Sol, long);
    let job = scene.post(0);
    scene.take(job, 0, 0);
    for _ in 0..10 {
        scene.world.pass_slots(150);
        let cancel = client::cancel_job(scene.payer.pubkey(), job);
        scene.world.refuses(&[cancel], &[&scene.payer], MarketError::JobInUse);
        let leave = client::leave_seat(scene.authority(0), job, 0);
        let take = scene.taking(job, 0, 0);
        scene.world.accept(&[leave, take], &[&scene.nodes[0]]);
    }
    assert_eq!((scene.node(0).stake, scene.node(0).forfeited), (5_000_000_000, 0));
    // What answers it: an honest node in the other seat, and it can no longer leave.
    scene.take(job, 1, 1);
    scene.world.pass_slots(150);
    let leave = client::leave_seat(scene.authority(0), job, 0);
    scene.world.refuses(&[leave], &[&scene.nodes[0]], MarketError::NobodyMissing);
}

/// In a pool without a window, where shares cannot be wrapped: the seller signed an approval once, and not the sale.
#[test]
fn a_flash_buyer_takes_waiting_revenue_through_a_delegate() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (alice, market, buyer) = (world.wallet("alice"), world.wallet("share market"), world.wallet("buyer"));
    let pool = Pool::new(&mut world, "digits", &[(alice.pubkey(), DEFAULT_TOTAL_SHARES)], &[]);
    let approve =
        |holder: &Keypair| royalty::approve(&holder.pubkey(), &pool.pool, &market.pubkey(), DEFAULT_TOTAL_SHARES);
    world.accept(&[approve(&alice)], &[&alice]);
    pool.donate(&mut world, Money::Sol, 1_000_000);
    let buy = royalty::transfer_shares_by(
        &market.pubkey(),
        &alice.pubkey(),
        &buyer.pubkey(),
        &pool.pool,
        DEFAULT_TOTAL_SHARES,
    );
    let sync = royalty::sync(&pool.pool, Money::Sol.currency(), &[]);
    let claim = royalty::claim(&buyer.pubkey(), &pool.pool, Money::Sol.currency());
    let sell = royalty::transfer_shares(&buyer.pubkey(), &alice.pubkey(), &pool.pool, DEFAULT_TOTAL_SHARES);
    world.accept(&[buy, sync, claim, sell], &[&market, &buyer]);
    assert_eq!(pool.owed(&world, &alice.pubkey(), Money::Sol), 0);
    assert_eq!(pool.position(&world, &buyer.pubkey()).checkpoints[0].claimed, 1_000_000);
}

#[test]
fn anybody_parks_what_could_be_paid_and_a_mints_fee_is_taken_twice() {
    let mut world = World::new();
    let fee = Extension::TransferFee(TransferFee { bps: 1_000, most: u64::MAX });
    let money = Money::token_2022(&mut world, "costly dollar", &[fee]);
    world.pass_slots(10);
    let mut scene = Scene::with_money(world, money, terms());
    scene.open_inboxes();
    let price = client::price(&scene.offer(), MOST).expect("the price fits");
    let request = client::Request { deposit: price * 2, ..scene.request(0, MOST) };
    scene.world.accept(&[scene.posting(request)], &[&scene.payer]);
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    scene.work(job, &[1]);
    scene.world.pass_slots(216_000);
    let owed = scene.job(&job).job.owed(&scene.job(&job).seats, Party::Seat(0)).expect("it has ended").money.0;
    let stranger = scene.world.wallet("stranger");
    let park = client::park(stranger.pubkey(), &scene.job(&job), Some(0), scene.token_program());
    scene.world.accept(&[park], &[&stranger]);
    let node = scene.authority(0);
    let vault = pda::residual_vault(&pda::residual(&node, &money.mint()).0).0;
    let harvest = provena_tests::tokens::harvest_fees(&money.mint(), &vault);
    let collect = client::collect_residual(node, stranger.pubkey(), scene.money.currency());
    let before = scene.balance(&node);
    scene.world.accept(&[harvest, collect], &[]);
    let arrived = scene.balance(&node) - before;
    let once = owed - owed.div_ceil(10);
    assert_eq!(arrived, once - once.div_ceil(10));
}

/// An offer whose rent payer became a program: does the next holder get rid of it?
#[test]
fn an_offer_closes_though_its_rent_payer_became_a_program() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let buyer = scene.world.wallet("buyer");
    let nft = scene.sell_nft(&buyer.pubkey());
    let offer = scene.offer();
    let seller = scene.model.creator.pubkey();
    scene.world.remove(&seller);
    scene.world.svm.add_program(seller, &provena_tests::programs::all()[0].bytes).expect("it is a program");
    assert!(scene.world.account(&seller).expect("it is there").executable);
    let close = client::close_offer(buyer.pubkey(), nft, scene.offer, &offer);
    scene.world.accept(&[close], &[&buyer]);
    assert!(scene.world.account(&scene.offer).is_none());
}

/// A node whose bond came back, and which then closed its account while its tokens were unpaid: the money has an exit.
#[test]
fn a_closed_nodes_fee_is_put_aside_and_the_job_closes() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.world.pass_slots(1_501);
    let bond = client::collect_seat(&scene.job(&job), 0, None);
    scene.world.accept(&[bond], &[]);
    scene.world.accept(&[client::close_node(scene.authority(0))], &[&scene.nodes[0]]);
    let money = client::collect_seat(&scene.job(&job), 0, scene.token_program());
    scene.world.refuses(&[money], &[], InstructionError::AccountDataTooSmall);
    scene.world.pass_slots(216_000);
    let helper = scene.world.wallet("helper");
    let park = client::park(helper.pubkey(), &scene.job(&job), Some(0), scene.token_program());
    scene.world.accept(&[park], &[&helper]);
    for party in [Party::Royalty, Party::Protocol, Party::Payer] {
        scene.collect(&job, party);
    }
    scene.close(&job);
}

/// A job's deposit meets a mint whose fee authority raised the fee to everything while the job ran: anybody pushes the payments.
#[test]
fn a_mints_fee_authority_takes_a_deposit_that_anybody_may_push_out_of_escrow() {
    let mut world = World::new();
    let no_fee = Extension::TransferFee(TransferFee { bps: 0, most: 0 });
    let money = Money::token_2022(&mut world, "new dollar", &[no_fee]);
    world.pass_slots(10);
    let mut scene = Scene::with_money(world, money, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    let deposit = scene.job(&job).job.deposit;
    assert_eq!(deposit, 16_005_036);
    scene.world.accept(&[client::cancel_job(scene.payer.pubkey(), job)], &[&scene.payer]);
    let all = Extension::TransferFee(TransferFee { bps: 10_000, most: u64::MAX });
    put_extended_mint(&mut scene.world, &money.mint(), 6, &[all]);
    let before = scene.balance(&scene.payer.pubkey());
    scene.collect(&job, Party::Payer);
    assert_eq!(scene.balance(&scene.payer.pubkey()), before);
    let record = scene.job(&job);
    assert_eq!(record.job.is_paid_out(&record.seats), Ok(true));
}

/// A parent asks for a least royalty per unit in SOL, a child keeps to it, and is sold in another mint with no royalty at all.
#[test]
fn a_least_royalty_per_unit_is_void_in_a_mint_that_the_parent_did_not_name() {
    let mut scene = Scene::new(PaidIn::Token, provena_market::state::OfferTerms { royalty_bps: 0, ..terms() });
    scene.open_inboxes();
    let floor = provena_registry::state::Floor { mint: provena_royalty::NATIVE_MINT, per_unit: 1_000_000 };
    let (holder, mint) = (scene.model.creator.pubkey(), scene.model.mint.pubkey());
    let raise = provena_registry::client::raise_floor(&holder, &mint, &scene.model.nft(), 0, Some(floor));
    scene.world.accept(&[raise], &[&scene.model.creator]);
    let parent = &scene.model;
    let (world, creator) = (&mut scene.world, "trainer of the child");
    let (creator, mint) = provena_tests::registry::prepare(world, creator, "child", &[(parent.pool, 100_000_000)]);
    let mut draft = provena_tests::registry::draft(provena_registry::state::AssetKind::Model, &creator, &mint);
    draft.parents = vec![parent.as_parent(1)];
    draft.floors.per_unit = vec![floor];
    let child = provena_tests::registry::register(world, &draft, creator, mint);
    provena_tests::market::open_books(world, &child, scene.money);
    scene.model = child;
    let free = provena_market::state::OfferTerms { royalty_bps: 0, ..terms() };
    let create = scene.create_offer(0, free);
    scene.world.accept(&[create], &[&scene.model.creator]);
    scene.offer = pda::offer(&scene.model.mint.pubkey(), 0).0;
    let job = scene.post(0);
    scene.work(job, &[1]);
    let record = scene.job(&job);
    let split = record.job.split(&record.seats).expect("it is agreed");
    assert_eq!((split.royalty.0, split.nodes.0 + split.protocol.0), (0, 7_005_015));
}

/// Anybody uses up the places for mints of somebody else's pool, for one unit of each and the rent. When the authority then exchanges
/// a mint, what reaches the pool in the new one stays where it is.
#[test]
fn a_stranger_fills_a_pools_list_of_mints_and_a_later_mint_never_gets_books() {
    let mut world = World::new();
    let tokens: Vec<_> = (0..7).map(|n| Money::token(&mut world, &format!("token {n}"))).collect();
    let authority = configure(&mut world, &tokens);
    let (alice, stranger) = (world.wallet("alice"), world.wallet("stranger"));
    let pool = Pool::new(&mut world, "digits", &[(alice.pubkey(), DEFAULT_TOTAL_SHARES)], &[]);
    let nft = pool.mint_nft(&mut world, &alice.pubkey());
    let asset = pool.asset.pubkey();
    let before = world.lamports(&stranger.pubkey());
    for token in &tokens {
        token.give(&mut world, &pool.pool, 1);
        let evidence = royalty::Evidence::Tokens(token.account_of(&pool.pool));
        let open = royalty::open_books(&stranger.pubkey(), &asset, token.currency(), evidence).expect("a token");
        world.accept(&[open], &[&stranger]);
    }
    // 0.0327 SOL: seven books and seven vaults.
    assert_eq!(before - world.lamports(&stranger.pubkey()), 7 * ((128 + 256) + (128 + 165)) * 6_960);
    let euro = Money::token(&mut world, "euro");
    let swap = [
        royalty::disallow_mint(&authority.pubkey(), &tokens[0].mint()),
        royalty::allow_mint(&authority.pubkey(), &euro.mint()),
    ];
    world.accept(&swap, &[&authority]);
    euro.give(&mut world, &pool.pool, 1_000_000);
    let open = royalty::open_books(&alice.pubkey(), &asset, euro.currency(), royalty::Evidence::Nft(nft));
    world.refuses(&[open.expect("a token")], &[&alice], RoyaltyError::TooManyMints);
    let collect = royalty::collect(&pool.pool, euro.currency());
    world.refuses(&[collect], &[], InstructionError::AccountDataTooSmall);
}

/// The chain asks for a little more rent than when the treasury's inbox was opened.
#[test]
fn a_higher_rent_does_not_lock_the_treasurys_inboxes() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.collect(&job, Party::Protocol);
    scene.world.raise_rent();
    let before = scene.world.lamports(&scene.treasury);
    let sweep = client::sweep_treasury(scene.treasury, client::Currency::Sol, 0);
    scene.world.accept(std::slice::from_ref(&sweep), &[]);
    // 175,125 came in; (128 + 184) bytes cost 312 lamports more.
    assert_eq!(scene.world.lamports(&scene.treasury) - before, 175_125 - 312);
    scene.world.changes_nothing(&[sweep], &[]);
    let close = client::close_treasury_inbox(scene.payer.pubkey(), client::Currency::Sol, 0);
    scene.world.accept(&[close], &[&scene.payer]);
    assert!(scene.world.account(&pda::treasury_inbox(&provena_royalty::NATIVE_MINT, 0).0).is_none());
}

/// The same for a residual that stays open because whoever paid its rent became a program.
#[test]
fn a_higher_rent_does_not_lock_a_residual_that_cannot_be_closed() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.world.pass_slots(216_001);
    let attacker = scene.world.wallet("attacker");
    let park = client::park(attacker.pubkey(), &scene.job(&job), Some(0), None);
    scene.world.accept(&[park], &[&attacker]);
    scene.world.make_executable(&attacker.pubkey());
    scene.world.raise_rent();
    let node = scene.authority(0);
    let before = scene.world.lamports(&node);
    scene.world.accept(&[client::collect_residual(node, attacker.pubkey(), client::Currency::Sol)], &[]);
    // (128 + 216) bytes cost 344 lamports more.
    assert_eq!(scene.world.lamports(&node) - before, 5_428_887 - 344);
}

/// The chain asks for more rent, and a late node has nothing beyond its bond: its account would no longer be exempt. A few lamports
/// from anybody, and the job goes on.
#[test]
fn a_higher_rent_saves_no_bond_and_holds_no_job_up() {
    let bond = provena_market::state::OfferTerms { bond_lamports: 1_000_000_000, ..quorum(2, 2) };
    let mut scene = Scene::new(PaidIn::Sol, bond);
    let tight = scene.world.wallet("tight");
    provena_tests::market::register(&mut scene.world, &tight, 1_000_000_000);
    let job = scene.post(0);
    let take = client::take_seat(tight.pubkey(), job, 0, scene.job(&job).job.terms_hash, INSTANCE);
    scene.world.accept(&[take], &[&tight]);
    scene.world.pass_slots(161);
    scene.world.raise_rent();
    let expire = client::expire_seat(&scene.job(&job), 0);
    let failed = scene.world.send(std::slice::from_ref(&expire), &[]).expect_err("the rent is missing");
    assert!(matches!(failed.err, TransactionError::InsufficientFundsForRent { .. }), "{:?}", failed.err);
    let node = pda::node(&tight.pubkey()).0;
    // (128 + 368) bytes cost 496 lamports more.
    scene.world.add_lamports(&node, 496);
    scene.world.accept(&[expire], &[]);
    assert_eq!(scene.job(&job).job.forfeited, 1_000_000_000);
}

/// Wrapped SOL as a job's money, of whose escrow's address somebody knew before: lamports sent ahead, and lamports that nobody synced.
#[test]
fn a_job_in_wrapped_sol_pays_everybody_and_closes() {
    let mint = Address::from_str_const("So11111111111111111111111111111111111111112");
    let mut world = World::new();
    provena_tests::tokens::put_mint(&mut world, &mint, &provena_common::token::TOKEN_PROGRAM, 9);
    let mut scene = Scene::with_money(world, Money::Token(mint), terms());
    scene.open_inboxes();
    let wrapped = scene.money.account_of(&scene.payer.pubkey());
    let mut account = scene.world.account(&wrapped).expect("it is there");
    account.data[109] = 1;
    account.data[113..121].copy_from_slice(&account.lamports.to_le_bytes());
    account.lamports += provena_tests::market::PAYER_MONEY;
    scene.world.svm.set_account(wrapped, account).expect("the account is sound");
    let request = scene.request(0, MOST);
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    let escrow = pda::escrow(&job).0;
    scene.world.add_lamports(&escrow, 5_000_000);
    scene.world.accept(&[scene.posting(request)], &[&scene.payer]);
    assert_eq!(scene.job(&job).job.deposit, 16_005_036);
    scene.work(job, &[1]);
    scene.world.pass_slots(1_501);
    scene.world.add_lamports(&escrow, 7);
    let before = scene.balance(&scene.payer.pubkey());
    scene.collect_all(&job);
    // Anybody tells the token program of the 7 lamports: SyncNative.
    let accounts = vec![solana_instruction::AccountMeta::new(escrow, false)];
    let sync =
        solana_instruction::Instruction { program_id: provena_common::token::TOKEN_PROGRAM, accounts, data: vec![17] };
    scene.world.accept(&[sync], &[]);
    scene.close(&job);
    assert!(scene.is_closed(&job) && scene.is_closed(&escrow));
    // The refund, and what was sent to the escrow beyond its rent.
    let gift = 5_000_000 - 2_039_280 + 7;
    assert_eq!(scene.balance(&scene.payer.pubkey()) - before, 16_005_036 - 7_005_015 + gift);
}
