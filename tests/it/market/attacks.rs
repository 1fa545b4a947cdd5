//! The attacks of the audit on jobs, each played through the built programs, and where every lamport is afterwards.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_market::{
    client::{self, Request},
    error::MarketError,
    pda,
    state::{JobState, Node, OfferTerms, Party, SeatState},
};
use provena_tests::{
    ExpectedError,
    market::{MOST, PaidIn, Scene, answer_bytes, expected, quorum, seat, terms},
    tokens,
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// C1: payer, X and Y are one. X lets a seat expire, the victim takes it, and Y's lateness is used against the victim, who
/// is not late.
#[test]
fn c1_bond_theft_through_timed_out() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let (x, y, victim) = (0, 1, 2);
    let job = scene.post(0);
    scene.take(job, x, 0);
    scene.take(job, y, 1);
    scene.world.pass_slots(161);
    scene.expire(&job, 0);
    scene.take(job, victim, 0);
    // Y is late, the victim is not: nobody can end the victim's seat.
    let theft = client::expire_seat(&scene.job(&job), 0);
    scene.world.refuses(&[theft], &[], MarketError::NotLate);
    let early = scene.finalizing(&job);
    scene.world.refuses(&[early], &[], MarketError::TooEarly);
    scene.world.pass_slots(40);
    // The window is over, and with Y's seat lost two results can no longer come. The victim has 120 slots left.
    scene.finalize(&job);
    let record = scene.job(&job);
    assert_eq!(record.job.state(), Ok(JobState::Failed));
    assert_eq!((record.seats[0].state(), record.seats[1].state()), (Ok(SeatState::Taken), Ok(SeatState::Missed)));
    let commit = scene.committing(job, victim, 0, 1);
    scene.world.refuses(&[commit], &[&scene.nodes[victim]], MarketError::WrongState);
    // Nor can a call that names the victim's node take its bond.
    let mut again = scene.finalizing(&job);
    again.accounts.push(solana_instruction::AccountMeta::new(pda::node(&scene.authority(victim)).0, false));
    scene.world.refuses(&[again], &[], MarketError::WrongState);
    scene.collect_all(&job);
    scene.close(&job);
    let node = scene.node(victim);
    assert_eq!((node.stake, node.locked, node.forfeited), (5_000_000_000, 0, 0));
    let moved = [("stake 0", -400_000_000), ("stake 1", -400_000_000), ("treasury inbox", 800_000_000)];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

/// H1: the payer closes a job and posts another one at its address, to reuse what nodes did for the first.
#[test]
fn h1_job_address_reuse() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let request = scene.request(7, MOST);
    let job = scene.post(7);
    scene.world.accept(&[client::cancel_job(scene.payer.pubkey(), job)], &[&scene.payer]);
    scene.collect_all(&job);
    let again = scene.posting(Request { input_root: [9; 32], ..request });
    let close = scene.closing(&scene.payer, &job);
    // While the nonce is fresh the address cannot be freed, and when it can be freed the nonce is too old.
    scene.world.pass_slots(150);
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.payer], MarketError::TooEarly);
    scene.world.refuses(std::slice::from_ref(&again), &[&scene.payer], InstructionError::Custom(0));
    scene.world.pass_slots(1);
    scene.world.refuses(&[close.clone(), again.clone()], &[&scene.payer], MarketError::WrongNonce);
    scene.world.accept(&[close], &[&scene.payer]);
    scene.world.refuses(&[again], &[&scene.payer], MarketError::WrongNonce);
    // A commitment binds terms and slot of posting as well: what a node committed to for one job fits no other.
    scene.world.pass_slots(10);
    let (first, second) = (scene.post(8), scene.post(9));
    assert_ne!(scene.commitment(&first, 0, 1), scene.commitment(&second, 0, 1));
}

/// H2: after the node's check the payer exchanges the job under its feet; the pending claim lands on the other one.
#[test]
fn h2_bait_and_switch() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let bait = scene.post(0);
    let pending = scene.taking(bait, 0, 0);
    let cancel = client::cancel_job(scene.payer.pubkey(), bait);
    scene.world.accept(&[cancel], &[&scene.payer]);
    scene.world.refuses(std::slice::from_ref(&pending), &[&scene.nodes[0]], MarketError::WrongState);
    // A job of another input has other terms; a claim made for the first does not fit it.
    let request = Request { input_root: [66; 32], ..scene.request(1, MOST) };
    scene.world.accept(&[scene.posting(request)], &[&scene.payer]);
    let switched = pda::job(&scene.payer.pubkey(), request.nonce_slot, 1).0;
    let mut landed = pending.clone();
    landed.accounts[2].pubkey = switched;
    scene.world.refuses(&[landed], &[&scene.nodes[0]], MarketError::WrongTerms);
    // And the first address never becomes another job's.
    scene.collect_all(&bait);
    scene.world.pass_slots(151);
    scene.close(&bait);
    scene.world.refuses(&[pending], &[&scene.nodes[0]], InstructionError::AccountDataTooSmall);
    let node = scene.node(0);
    assert_eq!((node.stake, node.locked), (5_000_000_000, 0));
}

/// H2 for payers: the holder closes an offer and makes another one of the same number that costs more.
#[test]
fn h2_bait_and_switch_of_an_offer() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let pending = scene.posting(scene.request(0, MOST));
    let dearer = OfferTerms { base_price: 0, input_price: 1, output_price: 1, bond_lamports: 1, ..terms() };
    let (close, create) = (scene.close_offer(), scene.create_offer(0, dearer));
    scene.world.accept(&[close, create], &[&scene.model.creator]);
    scene.world.refuses(&[pending], &[&scene.payer], MarketError::WrongTerms);
}

/// H3, first variant: the payer's own node withholds its reveal after the honest one has shown the answer.
#[test]
fn h3_forfeits_pay_the_payer_by_a_withheld_reveal() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let (honest, own) = (0, 1);
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1]);
    scene.reveal(job, honest, 0, 1);
    scene.world.pass_slots(151);
    let late = scene.revealing(job, own, 1, 1);
    scene.world.refuses(&[late], &[&scene.nodes[own]], MarketError::DeadlinePassed);
    scene.finalize(&job);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Failed));
    scene.collect_all(&job);
    scene.close(&job);
    // The attacker paid 0.4 SOL for it; the honest node has its fees, the treasury the rest.
    let moved = [("node 0", 30_000), ("stake 1", -400_000_000), ("treasury inbox", 399_970_000)];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
    assert_eq!((scene.node(honest).locked, scene.node(honest).stake), (0, 5_000_000_000));
}

/// H3, second variant: the payer's nodes are the quorum and reveal garbage; the honest minority's bond is the prize.
#[test]
fn h3_forfeits_pay_the_payer_by_a_garbage_quorum() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let honest = 2;
    let job = scene.post(0);
    scene.work(job, &[9, 9, 1]);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Agreed));
    // The minority waits for nobody.
    scene.collect(&job, Party::Seat(2));
    assert_eq!((scene.node(honest).locked, scene.node(honest).stake), (0, 5_000_000_000));
    scene.acknowledge(job);
    scene.collect_all(&job);
    scene.world.pass_slots(151);
    scene.close(&job);
    // The attackers' own fee comes back to them; royalty and protocol fee are what it cost.
    let moved = [
        ("payer", -7_005_015),
        ("node 0", 2_714_444),
        ("node 1", 2_714_443),
        ("royalty inbox", 1_401_003),
        ("treasury inbox", 175_125),
    ];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

/// H6: one node has no token account, another one's belongs to somebody else, the payer has closed his: the others are paid,
/// bonds are free, and what is owed waits.
#[test]
fn h6_token_settlements_held_hostage() {
    let mut scene = Scene::new(PaidIn::Token, quorum(3, 2));
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1, 1, 1]);
    scene.acknowledge(job);
    let (gone, stolen) = (scene.money.account_of(&scene.authority(0)), scene.money.account_of(&scene.authority(1)));
    let payers = scene.money.account_of(&scene.payer.pubkey());
    scene.world.remove(&gone);
    tokens::set_token_owner(&mut scene.world, &stolen, &keypair("thief").pubkey());
    scene.world.remove(&payers);
    let before = scene.balances(&[job]);
    for party in [Party::Seat(0), Party::Seat(1), Party::Payer] {
        let collect = scene.collecting(&scene.job(&job), party);
        scene.world.refuses(&[collect], &[], CommonError::WrongTokenAccount);
    }
    for party in [Party::Seat(2), Party::Royalty, Party::Protocol] {
        scene.collect(&job, party);
    }
    // Without token accounts the bonds come free.
    for seat in [0, 1] {
        let bond = client::collect_seat(&scene.job(&job), seat, None);
        scene.world.accept(&[bond], &[]);
    }
    assert_eq!((0..3).map(|node| scene.node(node).locked).collect::<Vec<_>>(), [0, 0, 0]);
    let moved = [
        ("job 0", -1_809_629 - 1_401_003 - 175_125),
        ("node 2", 1_809_629),
        ("royalty inbox", 1_401_003),
        ("treasury token inbox", 175_125),
    ];
    assert_eq!(scene.token_changes(&[job], &before), expected(&moved));
    // A day later the rest is put aside, and the job closes although three receivers are still missing.
    scene.world.pass_slots(216_000);
    let helper = scene.world.wallet("helper");
    for seat in [Some(0), Some(1), None] {
        let park = client::park(helper.pubkey(), &scene.job(&job), seat, scene.token_program());
        scene.world.accept(&[park], &[&helper]);
    }
    scene.close(&job);
    // Node 0 opens its account and is paid what it was owed; the helper has the rent back.
    let (mint, node) = (scene.money.mint(), scene.authority(0));
    tokens::put_token_account(&mut scene.world, &gone, &mint, &node, 0);
    let before = scene.world.lamports(&helper.pubkey());
    let collect = client::collect_residual(scene.authority(0), helper.pubkey(), scene.money.currency());
    scene.world.accept(&[collect], &[]);
    assert_eq!(tokens::token_balance(&scene.world, &gone), 1_809_629);
    // A residual has 216 bytes, its token account 165.
    assert_eq!(scene.world.lamports(&helper.pubkey()) - before, 2_394_240 + 2_039_280);
}

/// M2: the mint's freeze authority stops the escrow. Bonds do not wait for it, and nothing is lost.
#[test]
fn m2_a_frozen_escrow_locks_bonds() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    let escrow = pda::escrow(&job).0;
    tokens::set_frozen(&mut scene.world, &escrow, true);
    // SPL Token's error for a frozen account.
    let collect = scene.collecting(&scene.job(&job), Party::Seat(0));
    scene.world.refuses(&[collect], &[], 17);
    let bond = client::collect_seat(&scene.job(&job), 0, None);
    scene.world.accept(std::slice::from_ref(&bond), &[]);
    assert_eq!(scene.node(0).locked, 0);
    scene.world.refuses(&[bond], &[], MarketError::CannotReceive);
    tokens::set_frozen(&mut scene.world, &escrow, false);
    let before = scene.balances(&[job]);
    scene.collect_all(&job);
    let moved = [
        ("job 0", -16_005_036),
        ("node 0", 5_428_887),
        ("payer", 9_000_021),
        ("royalty inbox", 1_401_003),
        ("treasury token inbox", 175_125),
    ];
    assert_eq!(scene.token_changes(&[job], &before), expected(&moved));
}

/// M2, second half: the caller picks a token account of the node that is frozen, or that the node does not use.
#[test]
fn m2_the_caller_picks_a_nodes_token_account() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    let other = keypair("another account of the node").pubkey();
    let (mint, node) = (scene.money.mint(), scene.authority(0));
    tokens::put_token_account(&mut scene.world, &other, &mint, &node, 0);
    let mut collect = scene.collecting(&scene.job(&job), Party::Seat(0));
    collect.accounts[4].pubkey = other;
    scene.world.refuses(std::slice::from_ref(&collect), &[], CommonError::WrongTokenAccount);
    // The node itself may choose.
    collect.accounts[2].is_signer = true;
    scene.world.accept(&[collect], &[&scene.nodes[0]]);
    assert_eq!(tokens::token_balance(&scene.world, &other), 5_428_887);
}

/// M3: a node closes its token account again and again, so that whoever settles pays for a new one. Nobody has to.
#[test]
fn m3_token_accounts_closed_to_take_their_rent() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.world.remove(&scene.money.account_of(&scene.authority(0)));
    let before = scene.balances(&[job]);
    for party in [Party::Royalty, Party::Protocol, Party::Payer] {
        scene.collect(&job, party);
    }
    assert_eq!(scene.lamport_changes(&[job], &before), [], "nobody paid any rent");
    let moved =
        [("job 0", -10_576_149), ("payer", 9_000_021), ("royalty inbox", 1_401_003), ("treasury token inbox", 175_125)];
    assert_eq!(scene.token_changes(&[job], &before), expected(&moved));
}

/// M4: an early committer is held by co-nodes that never come. It leaves without loss, or waits seven days at the most.
#[test]
fn m4_an_early_committer_is_held() {
    let longest = OfferTerms { open_window: 1_511_690, ..quorum(2, 2) };
    let mut scene = Scene::new(PaidIn::Sol, longest);
    let (job, stays) = (scene.post(0), scene.post(1));
    for (job, node) in [(job, 0), (stays, 1)] {
        scene.take(job, node, 0);
        scene.commit(job, node, 0, 1);
    }
    let leave = client::leave_seat(scene.authority(0), job, 0);
    scene.world.pass_slots(149);
    scene.world.refuses(std::slice::from_ref(&leave), &[&scene.nodes[0]], MarketError::TooEarly);
    scene.world.pass_slots(1);
    let before = scene.balances(&[job, stays]);
    scene.world.accept(&[leave], &[&scene.nodes[0]]);
    assert_eq!((scene.node(0).locked, scene.node(0).stake, scene.node(0).forfeited), (0, 5_000_000_000, 0));
    // Who stays is free when the window is over: 1,511,840 slots after the posting.
    scene.world.pass_slots(1_511_540 + 1);
    scene.finalize(&stays);
    scene.collect(&stays, Party::Seat(0));
    assert_eq!((scene.node(1).locked, scene.node(1).stake), (0, 5_000_000_000));
    assert_eq!(scene.lamport_changes(&[job, stays], &before), []);
}

/// L3: a stranger closes a finished job before its payer has read it.
#[test]
fn l3_strangers_close_paid_jobs() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.world.pass_slots(1_501);
    scene.collect_all(&job);
    let stranger = scene.world.wallet("stranger");
    let close = scene.closing(&stranger, &job);
    scene.world.refuses(std::slice::from_ref(&close), &[&stranger], MarketError::TooEarly);
    scene.world.pass_slots(216_000 - 1_501);
    scene.world.refuses(std::slice::from_ref(&close), &[&stranger], MarketError::TooEarly);
    scene.world.pass_slots(1);
    scene.world.accept(&[close], &[&stranger]);
    // The rent is the payer's, whoever closes.
    let moved =
        [("payer", -7_005_015), ("node 0", 5_428_887), ("royalty inbox", 1_401_003), ("treasury inbox", 175_125)];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

/// L7: a node farms `agreed` with jobs to itself. The number gives no right: with any of it, and without, a node takes seats,
/// locks bonds and is paid alike.
#[test]
fn l7_reputation_gives_no_right() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    scene.open_inboxes();
    let farmed = Node { agreed: u64::MAX, ..scene.node(0) };
    scene.world.set_state(&pda::node(&scene.authority(0)).0, &farmed);
    let before = scene.balances(&[]);
    let job = scene.post(0);
    // It takes no second seat and does not push anybody out.
    scene.take(job, 0, 0);
    let second = scene.taking(job, 0, 1);
    scene.world.refuses(&[second], &[&scene.nodes[0]], MarketError::DuplicateNode);
    scene.take(job, 1, 1);
    for node in [0, 1] {
        scene.commit(job, node, seat(node), 1);
    }
    for node in [0, 1] {
        scene.reveal(job, node, seat(node), 1);
    }
    scene.acknowledge(job);
    scene.collect_all(&job);
    scene.world.pass_slots(151);
    scene.close(&job);
    assert_eq!((scene.node(0).agreed, scene.node(1).agreed), (u64::MAX, 1));
    let moved = [
        ("payer", -7_005_015),
        ("node 0", 2_714_444),
        ("node 1", 2_714_443),
        ("royalty inbox", 1_401_003),
        ("treasury inbox", 175_125),
    ];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

/// S1: a payer fills the job account's share of every block until a deadline has passed. What the chain's scheduler does
/// cannot be played here; that no deadline is shorter than 150 slots, that the last of them still counts, and that the payer
/// has nothing of it, can.
#[test]
fn s1_a_saturated_job_account() {
    let short = |terms: OfferTerms| {
        let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
        let create = scene.create_offer(1, terms);
        scene.world.refuses(&[create], &[&scene.model.creator], MarketError::BadWindow);
    };
    short(OfferTerms { open_window: 149, ..terms() });
    short(OfferTerms { commit_window: 149, ..terms() });
    short(OfferTerms { reveal_window: 149, ..terms() });
    short(OfferTerms { open_window: 1_511_691, ..terms() });

    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let job = scene.post(0);
    for node in [0, 1] {
        scene.take(job, node, seat(node));
    }
    scene.world.pass_slots(160);
    for node in [0, 1] {
        scene.commit(job, node, seat(node), 1);
    }
    scene.world.pass_slots(150);
    scene.reveal(job, 0, 0, 1);
    // The second reveal does not get in any more.
    scene.world.pass_slots(1);
    scene.finalize(&job);
    scene.collect_all(&job);
    scene.close(&job);
    let moved = [("node 0", 30_000), ("stake 1", -400_000_000), ("treasury inbox", 399_970_000)];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

/// Found while this protocol was written: `["answer", job]` was one account for everybody, so that the payer could put
/// something else there and hold the nodes from meeting his own demand.
#[test]
fn an_answer_in_the_way_of_the_answer() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.demand(job);
    let (payer, node) = (scene.payer.pubkey(), scene.authority(0));
    let (garbage, false_seal) = client::put_answer(payer, job, &[0; 700]);
    scene.world.accept(&garbage, &[&scene.payer]);
    scene.world.refuses(&[false_seal], &[&scene.payer], MarketError::WrongAnswer);
    let (parts, seal) = client::put_answer(node, job, &answer_bytes(1));
    for part in parts {
        scene.world.accept(&[part], &[&scene.nodes[0]]);
    }
    scene.world.accept(&[seal], &[&scene.nodes[0]]);
    scene.collect(&job, Party::Seat(0));
    assert_eq!(scene.node(0).stake, 5_000_000_000);
}

/// Found likewise: a node that leaves when the window is over, a moment before the reveals begin, takes the others' pay with
/// it at no cost.
#[test]
fn a_node_leaves_to_spoil_the_quorum() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1]);
    scene.world.pass_slots(201);
    let leave = client::leave_seat(scene.authority(1), job, 1);
    scene.world.refuses(&[leave], &[&scene.nodes[1]], MarketError::WindowOver);
    scene.finalize(&job);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Revealing));
    for node in [0, 1] {
        scene.reveal(job, node, seat(node), 1);
    }
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Agreed));
}

/// Found likewise: whoever puts a residual aside gets its rent back, and could make his own address one that takes no
/// lamports, so that the beneficiary is never paid.
#[test]
fn a_residuals_rent_payer_becomes_a_program() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.world.pass_slots(216_001);
    let attacker = scene.world.wallet("attacker");
    let park = client::park(attacker.pubkey(), &scene.job(&job), Some(0), None);
    scene.world.accept(&[park], &[&attacker]);
    scene.world.make_executable(&attacker.pubkey());
    let before = scene.world.lamports(&scene.authority(0));
    let collect = client::collect_residual(scene.authority(0), attacker.pubkey(), client::Currency::Sol);
    scene.world.accept(&[collect], &[]);
    assert_eq!(scene.world.lamports(&scene.authority(0)) - before, 5_428_887);
}

/// What is owed is not more because it is asked for twice, and it is nobody else's.
#[test]
fn nobody_collects_twice_or_for_somebody_else() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1, 1, 2]);
    let other = scene.post(1);
    let record = scene.job(&job);
    for party in [Party::Seat(0), Party::Royalty, Party::Protocol, Party::Payer] {
        let early = scene.collecting(&record, party);
        scene.world.refuses(&[early], &[], MarketError::StillWaiting);
        let open = scene.collecting(&scene.job(&other), party);
        let error = match party {
            // A free seat has no node.
            Party::Seat(_) => InstructionError::AccountDataTooSmall,
            _ => MarketError::WrongState.instruction_error(),
        };
        scene.world.refuses(&[open], &[], error);
    }
    scene.acknowledge(job);
    for party in [Party::Seat(0), Party::Seat(1), Party::Seat(2), Party::Royalty, Party::Protocol, Party::Payer] {
        let collect = scene.collecting(&record, party);
        scene.world.accept(std::slice::from_ref(&collect), &[]);
        scene.world.refuses(&[collect], &[], MarketError::NothingOwed);
    }
    let record = scene.job(&job);
    assert_eq!(record.job.is_paid_out(&record.seats), Ok(true));
}

/// A job of three seats that two agreed on, acknowledged.
fn acknowledged() -> (Scene, Address) {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1, 1, 2]);
    scene.acknowledge(job);
    (scene, job)
}

#[test]
fn collect_seat_rejects_another_nodes_accounts() {
    let (mut scene, job) = acknowledged();
    let record = scene.job(&job);
    let (node, thief) = (pda::node(&scene.authority(1)).0, scene.authority(1));
    let mut theft = scene.collecting(&record, Party::Seat(0));
    theft.accounts[1].pubkey = node;
    theft.accounts[2].pubkey = thief;
    scene.world.refuses(&[theft], &[], MarketError::WrongNode);
    let mut theft = scene.collecting(&record, Party::Seat(0));
    theft.accounts[2].pubkey = thief;
    scene.world.refuses(&[theft], &[], MarketError::WrongNode);
    let missing = client::collect_seat(&record, 3, None);
    scene.world.refuses(&[missing], &[], InstructionError::AccountDataTooSmall);
}

#[test]
fn collect_refund_rejects_another_payer() {
    let (mut scene, job) = acknowledged();
    let mut theft = scene.collecting(&scene.job(&job), Party::Payer);
    theft.accounts[1].pubkey = scene.authority(1);
    scene.world.refuses(&[theft], &[], MarketError::NotPayer);
}
