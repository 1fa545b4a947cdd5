//! `park`, `collect_residual`, and collecting where somebody cannot take what is owed.

use anchor_lang::prelude::Address;
use provena_common::{NATIVE_MINT, error::CommonError};
use provena_market::{
    client,
    error::MarketError,
    pda,
    state::{Party, Residual},
};
use provena_tests::{
    market::{PaidIn, Scene, expected, quorum, terms},
    tokens,
    world::keypair,
};
use solana_signer::Signer;

/// A job whose answer is agreed and acknowledged.
fn agreed(paid_in: PaidIn) -> (Scene, Address) {
    let mut scene = Scene::new(paid_in, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    (scene, job)
}

#[test]
fn an_empty_wallet_holds_nobody_up() {
    let mut scene =
        Scene::new(PaidIn::Sol, provena_market::state::OfferTerms { bond_lamports: 50_000, ..quorum(2, 2) });
    scene.open_inboxes();
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1]);
    scene.reveal(job, 0, 0, 1);
    scene.world.pass_slots(151);
    scene.finalize(&job);
    // 30,000 lamports alone would leave a wallet that the chain does not allow.
    let wallet = scene.authority(0);
    scene.world.remove(&wallet);
    let before = scene.balances(&[job]);
    scene.collect(&job, Party::Seat(0));
    assert_eq!((scene.node(0).locked, scene.lamport_changes(&[job], &before)), (0, vec![]));
    let again = scene.collecting(&scene.job(&job), Party::Seat(0));
    scene.world.refuses(std::slice::from_ref(&again), &[], MarketError::CannotReceive);
    scene.world.add_lamports(&wallet, 890_880 - 30_000);
    scene.world.accept(&[again], &[]);
    assert_eq!(scene.world.lamports(&wallet), 890_880);
}

#[test]
fn collect_residual_rejects_others_and_pays_what_was_parked() {
    let (mut scene, job) = agreed(PaidIn::Sol);
    let helper = scene.world.wallet("helper");
    let park = client::park(helper.pubkey(), &scene.job(&job), Some(0), None);
    scene.world.pass_slots(215_999);
    scene.world.refuses(std::slice::from_ref(&park), &[&helper], MarketError::TooEarly);
    scene.world.pass_slots(1);
    let before = scene.balances(&[job]);
    scene.world.accept(std::slice::from_ref(&park), &[&helper]);
    scene.world.refuses(&[park], &[&helper], MarketError::NothingToPark);
    let address = pda::residual(&scene.authority(0), &NATIVE_MINT).0;
    let residual: Residual = scene.state(&address);
    assert_eq!((residual.beneficiary, residual.mint, residual.rent), (scene.authority(0), NATIVE_MINT, 2_394_240));
    assert_eq!(scene.world.lamports(&address), 5_428_887 + 2_394_240);
    // The bond is not parked; it comes free.
    scene.collect(&job, Party::Seat(0));
    for party in [Party::Royalty, Party::Protocol] {
        scene.collect(&job, party);
    }
    let payers = client::park(helper.pubkey(), &scene.job(&job), None, None);
    scene.world.accept(&[payers], &[&helper]);
    scene.close(&job);
    let collect = |scene: &Scene, beneficiary| {
        let _ = scene;
        client::collect_residual(beneficiary, helper.pubkey(), client::Currency::Sol)
    };
    let mut theft = collect(&scene, scene.authority(0));
    theft.accounts[1].pubkey = helper.pubkey();
    scene.world.refuses(&[theft], &[], MarketError::WrongResidual);
    let mut theft = collect(&scene, scene.authority(0));
    theft.accounts[2].pubkey = scene.authority(1);
    scene.world.refuses(&[theft], &[], MarketError::NotRentPayer);
    for beneficiary in [scene.authority(0), scene.payer.pubkey()] {
        let collect = collect(&scene, beneficiary);
        scene.world.accept(&[collect], &[]);
    }
    let after = scene.balances(&[job]);
    let gained = |name: &str| after.lamports(name) - before.lamports(name);
    assert_eq!((gained("node 0"), gained("royalty inbox"), gained("treasury inbox")), (5_428_887, 1_401_003, 175_125));
    // The refund and the job's rent.
    assert_eq!(gained("payer"), 9_000_021 + 4_398_720);
}

#[test]
fn several_jobs_share_a_residual() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let jobs = [scene.post(0), scene.post(1)];
    for job in jobs {
        scene.work(job, &[1]);
        scene.acknowledge(job);
    }
    scene.world.remove(&scene.money.account_of(&scene.authority(0)));
    scene.world.pass_slots(216_000);
    let (first, second) = (scene.world.wallet("helper"), scene.world.wallet("second helper"));
    let before = scene.balances(&jobs);
    for (helper, job) in [(&first, jobs[0]), (&second, jobs[1])] {
        let park = client::park(helper.pubkey(), &scene.job(&job), Some(0), scene.token_program());
        scene.world.accept(&[park], &[helper]);
    }
    let moved = [("job 0", -5_428_887), ("job 1", -5_428_887), ("residual 0", 10_857_774)];
    assert_eq!(scene.token_changes(&jobs, &before), expected(&moved));
    let (mint, node) = (scene.money.mint(), scene.authority(0));
    tokens::put_token_account(&mut scene.world, &scene.money.account_of(&node), &mint, &node, 0);
    // The rent is the first helper's.
    let wrong = client::collect_residual(scene.authority(0), second.pubkey(), scene.money.currency());
    scene.world.refuses(&[wrong], &[], MarketError::NotRentPayer);
    let collect = client::collect_residual(scene.authority(0), first.pubkey(), scene.money.currency());
    let mut others = collect.clone();
    others.accounts[4].pubkey = scene.money.account_of(&scene.authority(1));
    scene.world.refuses(&[others], &[], CommonError::WrongTokenAccount);
    scene.world.accept(&[collect], &[]);
    assert_eq!(scene.balance(&scene.authority(0)), 10_857_774);
}

#[test]
fn park_rejects_what_is_not_a_seats_or_the_payers() {
    let (mut scene, job) = agreed(PaidIn::Token);
    let helper = scene.world.wallet("helper");
    scene.world.pass_slots(216_001);
    let park = |scene: &Scene, seat, tokens: bool| {
        client::park(helper.pubkey(), &scene.job(&job), seat, scene.token_program().filter(|_| tokens))
    };
    // A token job owes no lamports here.
    let lamports = park(&scene, Some(0), false);
    scene.world.refuses(&[lamports], &[&helper], MarketError::NothingToPark);
    let missing = park(&scene, Some(1), true);
    scene.world.refuses(&[missing], &[&helper], MarketError::SeatOutOfRange);
    let mut elsewhere = park(&scene, Some(0), true);
    elsewhere.accounts[2].pubkey = pda::residual(&helper.pubkey(), &scene.money.mint()).0;
    scene.world.refuses(&[elsewhere], &[&helper], CommonError::WrongPda);
    // Another's residual that exists.
    let payers = park(&scene, None, true);
    scene.world.accept(&[payers], &[&helper]);
    let mut others = park(&scene, Some(0), true);
    others.accounts[2].pubkey = pda::residual(&scene.payer.pubkey(), &scene.money.mint()).0;
    scene.world.refuses(&[others], &[&helper], MarketError::WrongResidual);
    let mut vault = park(&scene, Some(0), true);
    vault.accounts[5].pubkey = keypair("another vault").pubkey();
    scene.world.refuses(&[vault], &[&helper], CommonError::WrongPda);
    let mut unsigned = park(&scene, Some(0), true);
    unsigned.accounts[0].is_signer = false;
    scene.world.refuses(&[unsigned], &[], solana_instruction_error::InstructionError::MissingRequiredSignature);
    let open = scene.post(1);
    let early = client::park(helper.pubkey(), &scene.job(&open), None, scene.token_program());
    scene.world.refuses(&[early], &[&helper], MarketError::WrongState);
}

#[test]
fn collect_royalty_rejects_other_inboxes() {
    let (mut scene, job) = agreed(PaidIn::Token);
    let record = scene.job(&job);
    // Another pool's inbox, the treasury's as the royalty's, another mint's, and a token account that is not the inbox's.
    let other = provena_tests::registry::model(&mut scene.world, "other model", &[]);
    let open = provena_royalty::client::open_inbox(
        &scene.payer.pubkey(),
        &other.mint.pubkey(),
        provena_royalty::client::Currency::Sol,
        0,
    );
    scene.world.accept(&[open], &[&scene.payer]);
    let books = provena_royalty::pda::books(&other.pool, &NATIVE_MINT).0;
    let mut wrong = scene.collecting(&record, Party::Royalty);
    wrong.accounts[1].pubkey = provena_royalty::pda::inbox(&books, 0).0;
    scene.world.refuses(&[wrong], &[], MarketError::WrongInbox);
    let mut wrong = scene.collecting(&record, Party::Royalty);
    wrong.accounts[1].pubkey = pda::treasury_inbox(&scene.money.mint(), 0).0;
    scene.world.refuses(&[wrong], &[], solana_instruction_error::InstructionError::IllegalOwner);
    let thief = keypair("thief's account").pubkey();
    tokens::put_token_account(&mut scene.world, &thief, &scene.money.mint(), &keypair("thief").pubkey(), 0);
    let mut wrong = scene.collecting(&record, Party::Royalty);
    wrong.accounts[3].pubkey = thief;
    scene.world.refuses(&[wrong], &[], CommonError::WrongTokenAccount);
}

#[test]
fn collect_protocol_rejects_other_inboxes_and_escrows() {
    let (mut scene, job) = agreed(PaidIn::Token);
    let record = scene.job(&job);
    let thief = keypair("thief's account").pubkey();
    tokens::put_token_account(&mut scene.world, &thief, &scene.money.mint(), &keypair("thief").pubkey(), 0);
    let open = client::open_treasury_inbox(scene.payer.pubkey(), client::Currency::Sol, 0);
    scene.world.accept(&[open], &[&scene.payer]);
    let protocol = client::collect_protocol(&record, 0, false, scene.token_program());
    let mut wrong = protocol.clone();
    wrong.accounts[2].pubkey = pda::treasury_inbox(&NATIVE_MINT, 0).0;
    scene.world.refuses(&[wrong], &[], MarketError::WrongInbox);
    let mut wrong = protocol.clone();
    wrong.accounts[4].pubkey = thief;
    scene.world.refuses(&[wrong], &[], CommonError::WrongTokenAccount);
    // Another job's escrow, of the same payer and mint.
    let rich = scene.post(1);
    for party in [Party::Seat(0), Party::Payer] {
        let mut theft = scene.collecting(&record, party);
        let escrow = if party == Party::Payer { 2 } else { 3 };
        theft.accounts[escrow].pubkey = pda::escrow(&rich).0;
        scene.world.refuses(&[theft], &[], CommonError::WrongTokenAccount);
    }
    let sol = client::collect_protocol(&record, 0, true, None);
    scene.world.refuses(&[sol], &[], MarketError::CannotReceive);
    scene.world.accept(&[protocol], &[]);
}

#[test]
fn whoever_pays_the_rent_may_be_the_beneficiary() {
    let (mut scene, job) = agreed(PaidIn::Sol);
    scene.world.pass_slots(216_000);
    let node = scene.authority(0);
    let before = scene.world.lamports(&node);
    let park = client::park(node, &scene.job(&job), Some(0), None);
    scene.world.accept(&[park], &[&scene.nodes[0]]);
    let collect = client::collect_residual(node, node, client::Currency::Sol);
    scene.world.accept(&[collect], &[]);
    assert_eq!(scene.world.lamports(&node) - before, 5_428_887);
}
