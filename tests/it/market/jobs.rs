//! `post_job`, `cancel_job`, `close_job`, and jobs from posting to closing.

use anchor_lang::prelude::Address;
use provena_common::{error::CommonError, slot::Slot};
use provena_market::{
    client::{self, Request},
    constants::pause,
    error::MarketError,
    fees::Work,
    pda,
    state::{JobState, JobTerms, Next, Party, SeatState, Who},
};
use provena_tests::{
    market::{
        ALL_MONEY, CLUSTER, DONE, INSTANCE, MOST, PaidIn, Scene, expected, quorum, result_root, salt, seat, terms,
    },
    tokens::{self, Money, TransferFee},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// Rent of a job's 504 bytes with one seat, and of its escrow's 165.
const JOB_RENT: i64 = 4_398_720;
const ESCROW_RENT: i64 = 2_039_280;

#[test]
fn a_job_keeps_its_terms_and_holds_its_deposit() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, terms());
        let (before, now) = (scene.balances(&[]), scene.world.slot());
        let address = scene.post(5);
        let record = scene.job(&address);
        let job = record.job;
        assert_eq!(job.state(), Ok(JobState::Open));
        assert_eq!((job.deposit, job.max_input, job.max_output), (16_005_036, 8, 4));
        assert_eq!((job.base_price, job.input_price, job.output_price), (5_000, 1_000_003, 2_000_003));
        assert_eq!(
            (job.royalty_bps, job.protocol_bps, job.bond, job.min_stake),
            (2_000, 250, 400_000_000, 1_000_000_000)
        );
        assert_eq!((job.nonce_slot, job.nonce_index, job.posted_at, job.open_until), (now, 5, now, now + 200));
        assert_eq!((job.commit_window, job.reveal_window, job.quorum, record.seats.len()), (160, 150, 1, 1));
        let offer = scene.offer();
        assert_eq!((job.mint, job.books, job.offer), (offer.mint, offer.books, scene.offer));
        let terms = JobTerms {
            offer: &scene.offer,
            offer_terms: &offer.terms_hash,
            payer: &scene.payer.pubkey(),
            input_root: &[8; 32],
            most: MOST,
            protocol_bps: 250,
            cluster: &CLUSTER,
        };
        assert_eq!(job.terms_hash, terms.hash());
        let rent = if paid_in == PaidIn::Sol { -16_005_036 - JOB_RENT } else { -JOB_RENT - ESCROW_RENT };
        let in_job = if paid_in == PaidIn::Sol { 16_005_036 + JOB_RENT } else { JOB_RENT };
        let mut lamports = vec![("payer", rent), ("job 0", in_job)];
        if paid_in != PaidIn::Sol {
            lamports.push(("job 0's token account", ESCROW_RENT));
        }
        // What is new came from the payer alone.
        let after = scene.balances(&[address]);
        assert_eq!(scene.lamport_changes(&[address], &before), expected(&lamports), "{after:?}");
        if paid_in != PaidIn::Sol {
            let moved = [("payer", -16_005_036), ("job 0", 16_005_036)];
            assert_eq!(scene.token_changes(&[address], &before), expected(&moved));
        }
    }
}

#[test]
fn a_job_of_one_seat_goes_from_posting_to_closing() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, terms());
        scene.open_inboxes();
        let before = scene.balances(&[]);
        let job = scene.post(0);
        scene.work(job, &[1]);
        let record = scene.job(&job);
        assert_eq!(record.job.state(), Ok(JobState::Agreed));
        assert_eq!((record.seats[0].value, record.seats[0].work()), (result_root(1), DONE));
        scene.acknowledge(job);
        scene.collect_all(&job);
        let node = scene.node(0);
        assert_eq!((node.stake, node.locked, node.agreed, node.forfeited), (5_000_000_000, 0, 1, 0));
        scene.world.pass_slots(151);
        scene.close(&job);
        assert!(scene.is_closed(&job) && scene.is_closed(&pda::escrow(&job).0));
        // Fee 7,005,015: royalty 20 % up, protocol 2.5 % down, the node the rest.
        let moved =
            [("payer", -7_005_015), ("node 0", 5_428_887), ("royalty inbox", 1_401_003), money_inbox(paid_in, 175_125)];
        assert_eq!(scene.money_changes(&[], &before), expected(&moved));
        if paid_in != PaidIn::Sol {
            assert_eq!(scene.lamport_changes(&[], &before), [], "rent comes back");
        }
    }
}

/// The treasury's inbox for a scene's money, by its name.
fn money_inbox(paid_in: PaidIn, amount: i64) -> (&'static str, i64) {
    (if paid_in == PaidIn::Sol { "treasury inbox" } else { "treasury token inbox" }, amount)
}

#[test]
fn a_quorum_shares_the_fee_and_the_minority_keeps_its_bond() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, quorum(5, 3));
        scene.open_inboxes();
        let before = scene.balances(&[]);
        let job = scene.post(0);
        scene.work(job, &[2, 1, 1, 3, 1]);
        let record = scene.job(&job);
        assert_eq!((record.job.state(), record.job.winner, record.job.forfeited), (Ok(JobState::Agreed), 1, 0));
        // The minority waits for nobody.
        scene.collect(&job, Party::Seat(0));
        scene.acknowledge(job);
        scene.collect_all(&job);
        scene.world.pass_slots(151);
        scene.close(&job);
        // 5,428,887 among three: 1,809,629 each, nothing left over.
        let moved = [
            ("payer", -7_005_015),
            ("node 1", 1_809_629),
            ("node 2", 1_809_629),
            ("node 4", 1_809_629),
            ("royalty inbox", 1_401_003),
            money_inbox(paid_in, 175_125),
        ];
        assert_eq!(scene.money_changes(&[], &before), expected(&moved));
        let agreed: Vec<_> = (0..5).map(|node| (scene.node(node).agreed, scene.node(node).locked)).collect();
        assert_eq!(agreed, [(0, 0), (1, 0), (1, 0), (0, 0), (1, 0)]);
    }
}

#[test]
fn the_first_agreeing_seat_gets_the_indivisible_rest() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let job = scene.post(0);
    scene.work(job, &[2, 1, 1]);
    scene.acknowledge(job);
    scene.collect_all(&job);
    let changes = scene.lamport_changes(&[job], &before);
    // 5,428,887 / 2 = 2,714,443 and one.
    assert!(changes.contains(&("node 1".to_owned(), 2_714_444)), "{changes:?}");
    assert!(changes.contains(&("node 2".to_owned(), 2_714_443)), "{changes:?}");
}

#[test]
fn without_a_quorum_the_payer_gets_everything_back() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, quorum(3, 2));
        let before = scene.balances(&[]);
        let job = scene.post(0);
        scene.work(job, &[1, 2, 3]);
        assert_eq!(scene.job(&job).job.state(), Ok(JobState::Failed));
        scene.collect_all(&job);
        scene.world.pass_slots(151);
        scene.close(&job);
        assert_eq!(scene.lamport_changes(&[], &before), []);
        assert_eq!(scene.token_changes(&[], &before), []);
    }
}

#[test]
fn equal_results_with_other_units_do_not_agree() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    let works = [DONE, Work::new(3, 1)];
    for (node, work) in works.into_iter().enumerate() {
        let seat = seat(node);
        scene.take(job, node, seat);
        let commit = client::commit(scene.authority(node), job, seat, scene.commitment_to(&job, node, 1, work));
        scene.world.accept(&[commit], &[&scene.nodes[node]]);
    }
    for (node, work) in works.into_iter().enumerate() {
        let reveal = client::reveal(scene.authority(node), job, seat(node), result_root(1), work, salt(node));
        scene.world.accept(&[reveal], &[&scene.nodes[node]]);
    }
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Failed));
}

#[test]
fn a_cancelled_job_returns_its_deposit() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, terms());
        let before = scene.balances(&[]);
        let job = scene.post(0);
        scene.world.accept(&[client::cancel_job(scene.payer.pubkey(), job)], &[&scene.payer]);
        assert_eq!(scene.job(&job).job.state(), Ok(JobState::Cancelled));
        scene.collect_all(&job);
        scene.world.pass_slots(151);
        scene.close(&job);
        assert_eq!((scene.lamport_changes(&[], &before), scene.token_changes(&[], &before)), (vec![], vec![]));
    }
}

#[test]
fn a_job_that_nobody_took_is_finalized_and_paid_back() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let before = scene.balances(&[]);
    let job = scene.post(0);
    scene.world.pass_slots(200);
    let finalize = scene.finalizing(&job);
    scene.world.refuses(&[finalize], &[], MarketError::TooEarly);
    scene.world.pass_slots(1);
    scene.finalize(&job);
    scene.collect_all(&job);
    scene.close(&job);
    assert_eq!(scene.lamport_changes(&[], &before), []);
}

#[test]
fn what_comes_next_leads_a_job_to_its_end() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    let (payer, node) = (scene.payer.pubkey(), scene.authority(0));
    let posted = scene.world.slot();
    let next = |scene: &Scene, who: Who<'_>| scene.job(&job).next(who, Slot(scene.world.slot())).expect("a next step");
    assert_eq!(next(&scene, Who::Node(&node)), Next::TakeSeat);
    assert_eq!(next(&scene, Who::Anybody), Next::WaitUntil(Slot(posted + 201)));
    scene.take(job, 0, 0);
    assert_eq!(next(&scene, Who::Node(&node)), Next::Answer);
    assert_eq!(next(&scene, Who::Anybody), Next::WaitUntil(Slot(posted + 161)));
    scene.answer(job, 0, 1);
    assert_eq!(next(&scene, Who::Payer), Next::Acknowledge);
    assert_eq!(next(&scene, Who::Anybody), Next::WaitUntil(Slot(posted + 1_501)));
    scene.acknowledge(job);
    let parties = [Party::Seat(0), Party::Royalty, Party::Protocol, Party::Payer];
    for party in parties {
        assert_eq!(next(&scene, Who::Anybody), Next::Collect(party));
        scene.collect(&job, party);
    }
    assert_eq!(next(&scene, Who::Payer), Next::WaitUntil(Slot(posted + 151)));
    assert_eq!(next(&scene, Who::Anybody), Next::WaitUntil(Slot(posted + 216_001)));
    scene.world.pass_slots(151);
    assert_eq!(next(&scene, Who::Payer), Next::Close);
    let close = client::close_job(payer, &scene.job(&job), None);
    scene.world.accept(&[close], &[&scene.payer]);
    assert_eq!(client::next(None, Who::Payer, Slot(0)), Ok(Next::Done));
}

#[test]
fn lamports_sent_ahead_do_not_stop_a_job() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, terms());
        scene.open_inboxes();
        let job = pda::job(&scene.payer.pubkey(), scene.world.slot(), 0).0;
        for address in [job, pda::escrow(&job).0] {
            scene.world.add_lamports(&address, 1_000_000);
        }
        assert_eq!(scene.post(0), job);
        scene.work(job, &[1]);
        scene.acknowledge(job);
        scene.collect_all(&job);
        scene.world.pass_slots(151);
        scene.close(&job);
        assert!(scene.is_closed(&job));
    }
}

#[test]
fn post_job_rejects_what_the_payer_did_not_agree_to() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let request = Request { max_protocol_bps: 249, ..scene.request(0, MOST) };
    scene.world.refuses(&[scene.posting(request)], &[&scene.payer], MarketError::FeeAboveLimit);
    let mut other = scene.offer();
    other.terms_hash[0] ^= 1;
    let post = client::post_job(scene.payer.pubkey(), scene.offer, &other, scene.request(0, MOST), None);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongTerms);
}

#[test]
fn post_job_rejects_too_little_money() {
    for paid_in in ALL_MONEY {
        let mut scene = Scene::new(paid_in, terms());
        let request = Request { deposit: 16_005_035, ..scene.request(0, MOST) };
        scene.world.refuses(&[scene.posting(request)], &[&scene.payer], MarketError::DepositTooSmall);
    }
}

#[test]
fn more_than_the_price_comes_back() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let before = scene.balances(&[]);
    let request = Request { deposit: 20_000_000, ..scene.request(0, MOST) };
    scene.world.accept(&[scene.posting(request)], &[&scene.payer]);
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    assert_eq!(scene.job(&job).job.deposit, 20_000_000);
    scene.world.accept(&[client::cancel_job(scene.payer.pubkey(), job)], &[&scene.payer]);
    scene.collect_all(&job);
    assert_eq!(scene.token_changes(&[job], &before), []);
}

#[test]
fn l5_the_escrow_counts_what_arrived() {
    let mut world = provena_tests::World::new();
    let fee = TransferFee { bps: 100, most: u64::MAX };
    let money = Money::token_2022(&mut world, "costly dollar", &[tokens::Extension::TransferFee(fee)]);
    let mut scene = Scene::with_money(world, money, terms());
    scene.open_inboxes();
    // A hundredth is lost on the way: the price itself does not arrive.
    let short = scene.request(0, MOST);
    scene.world.refuses(&[scene.posting(short)], &[&scene.payer], MarketError::DepositTooSmall);
    let before = scene.balances(&[]);
    let request = Request { deposit: 16_200_000, ..short };
    scene.world.accept(&[scene.posting(request)], &[&scene.payer]);
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    // 16,200,000 less its hundredth, rounded up by the token program.
    assert_eq!(scene.job(&job).job.deposit, 16_038_000);
    assert_eq!(tokens::token_balance(&scene.world, &pda::escrow(&job).0), 16_038_000);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.collect_all(&job);
    let after = scene.balances(&[job]);
    // Each payment leaves the escrow whole; the mint's fee is taken from what arrives.
    let gained = |name: &str| after.tokens(name) - before.tokens(name);
    assert_eq!(gained("node 0"), 5_428_887 - 54_289);
    assert_eq!(gained("royalty inbox"), 1_401_003 - 14_011);
    assert_eq!(gained("treasury token inbox"), 175_125 - 1_752);
    // Refund 16,038,000 - 7,005,015 = 9,032,985, less its hundredth.
    assert_eq!(before.tokens("payer") - after.tokens("payer"), 16_200_000 - (9_032_985 - 90_330));
    assert_eq!(after.tokens("job 0"), 0);
}

#[test]
fn post_job_rejects_a_nonce_that_is_not_of_the_last_150_slots() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.world.pass_slots(1_000);
    let now = scene.world.slot();
    for (nonce_slot, accepted) in [(now + 1, false), (now - 151, false), (now - 150, true), (now, true)] {
        let post = scene.posting(Request { nonce_slot, ..scene.request(1, MOST) });
        if accepted {
            scene.world.accept(&[post], &[&scene.payer]);
        } else {
            scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongNonce);
        }
    }
}

#[test]
fn post_job_rejects_a_nonce_in_use() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.post(0);
    let post = scene.posting(scene.request(0, MOST));
    // An account with lamports is created step by step; the System program finds it allocated.
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::Custom(0));
}

#[test]
fn post_job_rejects_units_that_the_offer_does_not_allow() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    for most in [Work::new(65, 0), Work::new(1, 33)] {
        let post = scene.posting(scene.request(0, most));
        scene.world.refuses(&[post], &[&scene.payer], MarketError::TooManyUnits);
    }
    let post = scene.posting(scene.request(0, Work::ZERO));
    scene.world.refuses(&[post], &[&scene.payer], MarketError::ZeroUnits);
    let post = scene.posting(scene.request(0, Work::new(64, 32)));
    scene.world.accept(&[post], &[&scene.payer]);
}

#[test]
fn post_job_rejects_another_address() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut post = scene.posting(scene.request(0, MOST));
    post.accounts[4].pubkey = pda::job(&scene.payer.pubkey(), scene.world.slot(), 1).0;
    scene.world.refuses(&[post], &[&scene.payer], CommonError::WrongPda);
    let mut scene = Scene::new(PaidIn::Token, terms());
    let mut post = scene.posting(scene.request(0, MOST));
    post.accounts[7].pubkey = keypair("another escrow").pubkey();
    scene.world.refuses(&[post], &[&scene.payer], CommonError::WrongPda);
}

#[test]
fn post_job_rejects_forged_accounts() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let forged = keypair("forged").pubkey();
    // In order: admin, asset, offer; each an exact copy that another program owns.
    for position in [1, 2, 3] {
        let mut post = scene.posting(scene.request(0, MOST));
        let original = post.accounts[position].pubkey;
        scene.world.forge(&original, &forged, Some(provena_royalty::ID));
        post.accounts[position].pubkey = forged;
        scene.world.refuses(&[post], &[&scene.payer], InstructionError::IllegalOwner);
    }
    // A copy of the right owner at another address, and an account of the right owner and another kind.
    let mut post = scene.posting(scene.request(0, MOST));
    scene.world.forge(&scene.model.asset, &forged, None);
    post.accounts[2].pubkey = forged;
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongAsset);
    let job = scene.post(1);
    let mut post = scene.posting(scene.request(0, MOST));
    post.accounts[3].pubkey = job;
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::InvalidAccountData);
}

#[test]
fn post_job_rejects_a_payer_who_did_not_sign() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut post = scene.posting(scene.request(0, MOST));
    post.accounts[0].is_signer = false;
    scene.world.refuses(&[post], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn post_job_rejects_tokens_of_somebody_else() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let victim = scene.authority(0);
    let post = client::post_job(
        scene.payer.pubkey(),
        scene.offer,
        &scene.offer(),
        scene.request(0, MOST),
        Some(scene.money.account_of(&victim)),
    );
    scene.world.refuses(&[post], &[&scene.payer], CommonError::WrongTokenAccount);
}

#[test]
fn post_job_rejects_missing_and_wrong_token_accounts() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let other = Money::token(&mut scene.world, "other dollar");
    let post = scene.posting(scene.request(0, MOST));
    for missing in 6..10 {
        let mut post = post.clone();
        post.accounts[missing].pubkey = provena_market::ID;
        post.accounts[missing].is_writable = false;
        scene.world.refuses(&[post], &[&scene.payer], CommonError::MissingTokenAccount);
    }
    let mut wrong = post.clone();
    wrong.accounts[8].pubkey = other.mint();
    scene.world.refuses(&[wrong], &[&scene.payer], CommonError::WrongMint);
    let mut wrong = post;
    wrong.accounts[9].pubkey = provena_common::token::TOKEN_2022_PROGRAM;
    scene.world.refuses(&[wrong], &[&scene.payer], CommonError::WrongTokenProgram);
}

#[test]
fn post_job_rejects_while_posting_is_paused_and_everything_else_goes_on() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    let authority = scene.world.wallet("market authority");
    let paused = client::set_pause(authority.pubkey(), pause::ALL);
    scene.world.accept(&[paused], &[&authority]);
    let post = scene.posting(scene.request(1, MOST));
    scene.world.refuses(&[post], &[&scene.payer], CommonError::Paused);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.collect_all(&job);
    scene.world.pass_slots(151);
    scene.close(&job);
}

#[test]
fn post_job_rejects_an_offer_below_a_floor_that_has_risen() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.raise_floor(2_001, None);
    let post = scene.posting(scene.request(0, MOST));
    scene.world.refuses(&[post], &[&scene.payer], MarketError::RoyaltyBelowFloor);
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.raise_floor(2_000, Some(1));
    let post = scene.posting(scene.request(0, MOST));
    scene.world.refuses(&[post], &[&scene.payer], MarketError::FloorRaised);
    scene.raise_floor(2_000, Some(1_000_004));
    let post = scene.posting(scene.request(0, MOST));
    scene.world.refuses(&[post], &[&scene.payer], MarketError::PriceBelowFloor);
}

#[test]
fn an_offer_that_is_closed_takes_no_jobs_and_leaves_those_it_has() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    let post = scene.posting(scene.request(1, MOST));
    let close = scene.close_offer();
    scene.world.accept(&[close], &[&scene.model.creator]);
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::UninitializedAccount);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.collect_all(&job);
    scene.world.pass_slots(151);
    scene.close(&job);
}

#[test]
fn cancel_job_rejects_strangers_held_seats_and_late_payers() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let stranger = scene.world.wallet("stranger");
    scene.world.refuses(&[client::cancel_job(stranger.pubkey(), job)], &[&stranger], MarketError::NotPayer);
    let mut unsigned = client::cancel_job(scene.payer.pubkey(), job);
    unsigned.accounts[0].is_signer = false;
    scene.world.refuses(&[unsigned], &[], InstructionError::MissingRequiredSignature);
    scene.take(job, 0, 0);
    let cancel = client::cancel_job(scene.payer.pubkey(), job);
    scene.world.refuses(std::slice::from_ref(&cancel), &[&scene.payer], MarketError::JobInUse);
    scene.world.pass_slots(161);
    scene.expire(&job, 0);
    // The seat is free again, and its bond belongs to the treasury whatever the payer does now.
    scene.world.accept(std::slice::from_ref(&cancel), &[&scene.payer]);
    scene.world.refuses(&[cancel], &[&scene.payer], MarketError::WrongState);

    let job = scene.post(1);
    scene.world.pass_slots(201);
    let cancel = client::cancel_job(scene.payer.pubkey(), job);
    scene.world.refuses(&[cancel], &[&scene.payer], MarketError::WindowOver);
}

#[test]
fn close_job_rejects_before_everybody_has_collected() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    let close = scene.closing(&scene.payer, &job);
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.payer], MarketError::WrongState);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.world.pass_slots(151);
    for party in [Party::Seat(0), Party::Royalty, Party::Protocol, Party::Payer] {
        scene.world.refuses(std::slice::from_ref(&close), &[&scene.payer], MarketError::NotPaidOut);
        scene.collect(&job, party);
    }
    scene.world.accept(&[close], &[&scene.payer]);
}

#[test]
fn close_job_rejects_while_its_nonce_could_be_used_again() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    scene.world.accept(&[client::cancel_job(scene.payer.pubkey(), job)], &[&scene.payer]);
    scene.collect_all(&job);
    scene.world.pass_slots(150);
    let close = scene.closing(&scene.payer, &job);
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.payer], MarketError::TooEarly);
    scene.world.pass_slots(1);
    scene.world.accept(&[close], &[&scene.payer]);
}

#[test]
fn close_job_sends_the_rent_to_the_payer_alone() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let job = scene.post(0);
    scene.world.accept(&[client::cancel_job(scene.payer.pubkey(), job)], &[&scene.payer]);
    scene.collect_all(&job);
    scene.world.pass_slots(151);
    let thief = scene.world.wallet("thief");
    let mut close = scene.closing(&scene.payer, &job);
    close.accounts[1].pubkey = thief.pubkey();
    scene.world.refuses(&[close], &[&scene.payer], MarketError::NotPayer);
    // Tokens that strangers sent to the escrow go to the payer as well, and hold nobody up.
    tokens::donate_tokens(&mut scene.world, &pda::escrow(&job).0, 5);
    let before = scene.balances(&[job]);
    let mut close = scene.closing(&scene.payer, &job);
    close.accounts[4].pubkey = scene.money.account_of(&scene.authority(0));
    scene.world.refuses(&[close], &[&scene.payer], CommonError::WrongTokenAccount);
    scene.close(&job);
    let rent = [("payer", JOB_RENT + ESCROW_RENT), ("job 0", -JOB_RENT), ("job 0's token account", -ESCROW_RENT)];
    assert_eq!(scene.lamport_changes(&[job], &before), expected(&rent));
    assert_eq!(scene.token_changes(&[job], &before), expected(&[("payer", 5), ("job 0", -5)]));
}

#[test]
fn a_job_of_another_kind_of_account_is_refused() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    // An offer's account, a job's that another program owns, a job's that is longer than its seats.
    let offer = scene.offer;
    let take = |scene: &Scene, address: Address| {
        client::take_seat(scene.authority(0), address, 0, scene.job(&job).job.terms_hash, INSTANCE)
    };
    let refused = take(&scene, offer);
    scene.world.refuses(&[refused], &[&scene.nodes[0]], InstructionError::InvalidAccountData);
    let forged = keypair("forged job").pubkey();
    scene.world.forge(&job, &forged, Some(provena_royalty::ID));
    let refused = take(&scene, forged);
    scene.world.refuses(&[refused], &[&scene.nodes[0]], InstructionError::IllegalOwner);
    scene.world.forge(&job, &forged, None);
    let mut account = scene.world.account(&forged).expect("it was put there");
    account.data.push(0);
    account.lamports += 6_960;
    scene.world.svm.set_account(forged, account).expect("the account is sound");
    let refused = take(&scene, forged);
    scene.world.refuses(&[refused], &[&scene.nodes[0]], CommonError::AccountLength);
    // Another version of the layout.
    let mut record = scene.job(&job).job;
    record.version = 2;
    scene.world.forge(&job, &forged, None);
    scene.world.set_state(&forged, &record);
    let refused = take(&scene, forged);
    scene.world.refuses(&[refused], &[&scene.nodes[0]], CommonError::StateVersion);
    assert_eq!(scene.job(&job).seats[0].state(), Ok(SeatState::Free));
}
