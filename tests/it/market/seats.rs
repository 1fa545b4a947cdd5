//! `take_seat`, `leave_seat`, `expire_seat`, `commit`, `reveal`, `answer`, `finalize`.

use anchor_lang::prelude::Address;
use provena_market::{
    client,
    error::MarketError,
    fees::Work,
    pda,
    state::{JobState, OfferTerms, Party, SeatState},
};
use provena_tests::{
    market::{DONE, INSTANCE, PaidIn, STAKE, Scene, expected, quorum, result_root, salt, terms},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

#[test]
fn a_seat_locks_the_bond_and_names_the_node() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    let before = scene.balances(&[job]);
    scene.take(job, 3, 1);
    let record = scene.job(&job);
    assert_eq!((record.seats[1].node, record.seats[1].state()), (scene.authority(3), Ok(SeatState::Taken)));
    assert_eq!(record.seats[1].deadline, scene.world.slot() + 160);
    let node = scene.node(3);
    assert_eq!((node.locked, node.stake), (400_000_000, 5_000_000_000));
    assert_eq!(scene.lamport_changes(&[job], &before), [], "no money moves");
}

#[test]
fn take_seat_rejects_other_terms() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let mut hash = scene.job(&job).job.terms_hash;
    hash[31] ^= 1;
    let take = client::take_seat(scene.authority(0), job, 0, hash, INSTANCE);
    scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::WrongTerms);
    // The offer's terms are not the job's.
    let take = client::take_seat(scene.authority(0), job, 0, scene.offer().terms_hash, INSTANCE);
    scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::WrongTerms);
}

#[test]
fn take_seat_rejects_a_taken_seat_a_second_seat_and_a_seat_that_is_not_there() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let take = scene.taking(job, 1, 0);
    scene.world.refuses(&[take], &[&scene.nodes[1]], MarketError::SeatTaken);
    let take = scene.taking(job, 0, 1);
    scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::DuplicateNode);
    for missing in [2, 255] {
        let take = scene.taking(job, 1, missing);
        scene.world.refuses(&[take], &[&scene.nodes[1]], MarketError::SeatOutOfRange);
    }
}

#[test]
fn take_seat_rejects_after_the_window() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.world.pass_slots(200);
    scene.take(job, 0, 0);
    scene.world.pass_slots(1);
    let take = scene.taking(job, 1, 1);
    scene.world.refuses(&[take], &[&scene.nodes[1]], MarketError::WindowOver);
}

#[test]
fn take_seat_rejects_too_little_stake() {
    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { bond_lamports: 3_000_000_000, ..terms() });
    let (first, second) = (scene.post(0), scene.post(1));
    scene.take(first, 0, 0);
    // 2 of 5 SOL are free, 3 are asked for.
    let take = scene.taking(second, 0, 0);
    scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::StakeLocked);
    // The market's minimum rises; the job remembers the one of its posting.
    let authority = scene.world.wallet("market authority");
    scene.world.accept(&[client::set_min_stake(authority.pubkey(), STAKE + 1)], &[&authority]);
    let third = scene.post(2);
    let take = scene.taking(third, 1, 0);
    scene.world.refuses(&[take], &[&scene.nodes[1]], MarketError::StakeTooLow);
    scene.take(second, 1, 0);
}

#[test]
fn take_seat_rejects_a_node_of_somebody_else() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let mut take = scene.taking(job, 0, 0);
    take.accounts[1].pubkey = pda::node(&scene.authority(1)).0;
    scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::NotNodeAuthority);
    let mut take = scene.taking(job, 0, 0);
    take.accounts[0].is_signer = false;
    scene.world.refuses(&[take], &[], InstructionError::MissingRequiredSignature);
    let forged = keypair("forged node").pubkey();
    scene.world.forge(&pda::node(&scene.authority(0)).0, &forged, Some(provena_royalty::ID));
    let mut take = scene.taking(job, 0, 0);
    take.accounts[1].pubkey = forged;
    scene.world.refuses(&[take], &[&scene.nodes[0]], InstructionError::IllegalOwner);
}

/// `take_seat` of the first seat by a process of node 0.
fn taking_as(scene: &Scene, job: Address, instance: u64) -> Instruction {
    client::take_seat(scene.authority(0), job, 0, scene.job(&job).job.terms_hash, instance)
}

/// Two processes with one key, which know nothing of each other, each with its own data folder: the second would double the
/// node's work and its signatures.
#[test]
fn take_seat_rejects_another_instance_until_its_lease_is_over() {
    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { bond_lamports: 1_000_000, ..terms() });
    let lease = |scene: &Scene| (scene.node(0).instance, scene.node(0).leased_at);
    assert_eq!(lease(&scene), (0, 0));
    let taken = |scene: &mut Scene, instance: u64| {
        let job = scene.post(u16::try_from(scene.world.slot() % 1_000).expect("it is small"));
        let take = taking_as(scene, job, instance);
        scene.world.accept(&[take], &[&scene.nodes[0]]);
        assert_eq!(lease(scene), (instance, scene.world.slot()));
    };
    let refused = |scene: &mut Scene, index: u16, instance: u64| {
        let job = scene.post(1_000 + index);
        let (before, take) = (lease(scene), taking_as(scene, job, instance));
        scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::AnotherInstance);
        assert_eq!((lease(scene), scene.job(&job).seats[0].state()), (before, Ok(SeatState::Free)));
    };
    taken(&mut scene, 7);
    // In the same slot and in the last one of the lease nobody else, whatever he says and if he says nothing.
    for (index, slots, other) in [(0, 0, 8), (1, 0, u64::MAX), (2, 0, 0), (3, 149, 8), (4, 0, u64::MAX), (5, 0, 0)] {
        scene.world.pass_slots(slots);
        refused(&mut scene, index, other);
    }
    // The same process renews it, after a restart as well.
    taken(&mut scene, 7);
    scene.world.pass_slots(149);
    refused(&mut scene, 6, 8);
    // Then anybody with the key takes over, and the first one waits in turn.
    scene.world.pass_slots(1);
    taken(&mut scene, 8);
    refused(&mut scene, 7, 7);
    // A lease is of one node: another one's process is not concerned.
    let job = scene.post(2_000);
    scene.take(job, 1, 0);
}

/// A wallet that takes seats by hand says no process: it takes no lease, and it goes round none.
#[test]
fn who_says_no_process_takes_no_lease_and_ends_none() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let by_hand = |scene: &mut Scene, index: u16| {
        let job = scene.post(index);
        let take = taking_as(scene, job, 0);
        scene.world.accept(&[take], &[&scene.nodes[0]]);
    };
    by_hand(&mut scene, 0);
    by_hand(&mut scene, 1);
    assert_eq!((scene.node(0).instance, scene.node(0).leased_at), (0, 0));
    let (job, now) = (scene.post(2), scene.world.slot());
    let take = taking_as(&scene, job, 7);
    scene.world.accept(&[take], &[&scene.nodes[0]]);
    scene.world.pass_slots(150);
    by_hand(&mut scene, 3);
    assert_eq!((scene.node(0).instance, scene.node(0).leased_at), (7, now));
}

/// Only its authority writes a node's lease: a stranger who could would keep it from its seats.
#[test]
fn a_stranger_cannot_hold_a_nodes_lease() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let mut take = client::take_seat(scene.authority(1), job, 0, scene.job(&job).job.terms_hash, 9);
    take.accounts[1].pubkey = pda::node(&scene.authority(0)).0;
    scene.world.refuses(&[take], &[&scene.nodes[1]], MarketError::NotNodeAuthority);
    // A seat that is refused for another reason takes no lease either.
    let taken = scene.post(1);
    scene.take(taken, 1, 0);
    let take = taking_as(&scene, taken, 9);
    scene.world.refuses(&[take], &[&scene.nodes[0]], MarketError::SeatTaken);
    assert_eq!((scene.node(0).instance, scene.node(0).leased_at), (0, 0));
    scene.take(job, 0, 0);
}

#[test]
fn a_node_leaves_while_another_seat_is_free() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let leave = client::leave_seat(scene.authority(0), job, 0);
    scene.world.pass_slots(149);
    scene.world.refuses(std::slice::from_ref(&leave), &[&scene.nodes[0]], MarketError::TooEarly);
    scene.world.pass_slots(1);
    let strangers = client::leave_seat(scene.authority(1), job, 0);
    scene.world.refuses(&[strangers], &[&scene.nodes[1]], MarketError::WrongNode);
    scene.world.accept(std::slice::from_ref(&leave), &[&scene.nodes[0]]);
    assert_eq!((scene.node(0).locked, scene.node(0).forfeited), (0, 0));
    let freed = scene.job(&job).seats[0];
    assert_eq!((freed.state(), freed.node, freed.deadline), (Ok(SeatState::Free), Default::default(), 0));
    scene.world.refuses(&[leave], &[&scene.nodes[0]], MarketError::WrongNode);
    // It may come back.
    scene.take(job, 0, 1);
}

#[test]
fn leave_seat_rejects_a_full_job_a_late_seat_and_a_missing_one() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.take(job, 1, 1);
    scene.world.pass_slots(150);
    let leave = client::leave_seat(scene.authority(0), job, 0);
    scene.world.refuses(std::slice::from_ref(&leave), &[&scene.nodes[0]], MarketError::NobodyMissing);
    let missing = client::leave_seat(scene.authority(0), job, 2);
    scene.world.refuses(&[missing], &[&scene.nodes[0]], MarketError::SeatOutOfRange);
    scene.world.pass_slots(11);
    scene.expire(&job, 1);
    scene.world.refuses(&[leave], &[&scene.nodes[0]], MarketError::DeadlinePassed);
    // A job of one seat has no other.
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.world.pass_slots(150);
    let leave = client::leave_seat(scene.authority(0), job, 0);
    scene.world.refuses(&[leave], &[&scene.nodes[0]], MarketError::NobodyMissing);
}

#[test]
fn expire_seat_rejects_who_is_in_time_and_frees_the_seat() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let before = scene.balances(&[job]);
    scene.take(job, 0, 0);
    scene.world.pass_slots(160);
    let expire = client::expire_seat(&scene.job(&job), 0);
    scene.world.refuses(std::slice::from_ref(&expire), &[], MarketError::NotLate);
    scene.world.pass_slots(1);
    let mut wrong = expire.clone();
    wrong.accounts[1].pubkey = pda::node(&scene.authority(1)).0;
    scene.world.refuses(&[wrong], &[], MarketError::WrongNode);
    scene.world.accept(std::slice::from_ref(&expire), &[]);
    let record = scene.job(&job);
    assert_eq!((record.seats[0].state(), record.job.forfeited), (Ok(SeatState::Free), 400_000_000));
    let node = scene.node(0);
    assert_eq!((node.stake, node.locked, node.forfeited), (4_600_000_000, 0, 1));
    let moved = [("stake 0", -400_000_000), ("job 0", 400_000_000)];
    assert_eq!(scene.lamport_changes(&[job], &before), expected(&moved));
    scene.world.refuses(&[expire], &[], MarketError::NotLate);
    // Another node answers, and what the first one lost is the answerer's up to its fees, and the treasury's.
    scene.open_inboxes();
    let before = scene.balances(&[job]);
    scene.take(job, 1, 0);
    scene.answer(job, 1, 1);
    scene.acknowledge(job);
    scene.collect_all(&job);
    let moved = [
        ("job 0", -400_000_000 - 16_005_036),
        ("node 1", 5_428_887 + 30_000),
        ("payer", 9_000_021),
        ("royalty inbox", 1_401_003),
        ("treasury inbox", 175_125 + 399_970_000),
    ];
    assert_eq!(scene.lamport_changes(&[job], &before), expected(&moved));
}

#[test]
fn a_seat_that_expires_after_the_window_stays_missed() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0);
    scene.world.pass_slots(100);
    scene.take(job, 0, 0);
    scene.world.pass_slots(161);
    scene.expire(&job, 0);
    let record = scene.job(&job);
    assert_eq!((record.seats[0].state(), record.seats[0].node), (Ok(SeatState::Missed), scene.authority(0)));
    scene.finalize(&job);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Failed));
}

#[test]
fn commit_rejects_others_late_ones_and_a_second_commitment() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let others = scene.committing(job, 1, 0, 1);
    scene.world.refuses(&[others], &[&scene.nodes[1]], MarketError::WrongNode);
    let mut unsigned = scene.committing(job, 0, 0, 1);
    unsigned.accounts[0].is_signer = false;
    scene.world.refuses(&[unsigned], &[], InstructionError::MissingRequiredSignature);
    let missing = scene.committing(job, 0, 2, 1);
    scene.world.refuses(&[missing], &[&scene.nodes[0]], MarketError::SeatOutOfRange);
    let commit = scene.committing(job, 0, 0, 1);
    scene.world.pass_slots(160);
    scene.world.accept(&[commit], &[&scene.nodes[0]]);
    let again = scene.committing(job, 0, 0, 2);
    scene.world.refuses(&[again], &[&scene.nodes[0]], MarketError::AlreadyCommitted);
    scene.take(job, 1, 1);
    scene.world.pass_slots(161);
    let late = scene.committing(job, 1, 1, 1);
    scene.world.refuses(&[late], &[&scene.nodes[1]], MarketError::DeadlinePassed);
}

#[test]
fn answer_rejects_strangers_late_nodes_and_jobs_of_several_seats() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let free = scene.answering(job, 0, 1);
    scene.world.refuses(&[free], &[&scene.nodes[0]], MarketError::WrongNode);
    scene.take(job, 0, 0);
    let commit = scene.committing(job, 0, 0, 1);
    scene.world.refuses(&[commit], &[&scene.nodes[0]], MarketError::SingleSeat);
    let others = scene.answering(job, 1, 1);
    scene.world.refuses(&[others], &[&scene.nodes[1]], MarketError::WrongNode);
    for (work, error) in [
        (Work::ZERO, MarketError::ZeroUnits),
        (Work::new(9, 0), MarketError::TooManyUnits),
        (Work::new(1, 5), MarketError::TooManyUnits),
    ] {
        let answer = client::answer(scene.authority(0), job, result_root(1), work);
        scene.world.refuses(&[answer], &[&scene.nodes[0]], error);
    }
    scene.world.pass_slots(160);
    let answer = scene.answering(job, 0, 1);
    scene.world.accept(std::slice::from_ref(&answer), &[&scene.nodes[0]]);
    scene.world.refuses(&[answer], &[&scene.nodes[0]], MarketError::WrongState);
    // Late by one slot.
    let job = scene.post(1);
    scene.take(job, 0, 0);
    scene.world.pass_slots(161);
    let answer = scene.answering(job, 0, 1);
    scene.world.refuses(&[answer], &[&scene.nodes[0]], MarketError::DeadlinePassed);
    // And a job of several seats takes no answer.
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let answer = scene.answering(job, 0, 1);
    scene.world.refuses(&[answer], &[&scene.nodes[0]], MarketError::ManySeats);
}

#[test]
fn reveals_wait_for_every_commitment() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.commit(job, 0, 0, 1);
    scene.take(job, 1, 1);
    let early = scene.revealing(job, 0, 0, 1);
    scene.world.refuses(&[early], &[&scene.nodes[0]], MarketError::WrongState);
    scene.commit(job, 1, 1, 1);
    let record = scene.job(&job);
    assert_eq!((record.job.state(), record.job.reveal_until), (Ok(JobState::Revealing), scene.world.slot() + 150));
    scene.reveal(job, 0, 0, 1);
    let again = scene.revealing(job, 0, 0, 1);
    scene.world.refuses(&[again], &[&scene.nodes[0]], MarketError::AlreadyRevealed);
    scene.reveal(job, 1, 1, 1);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Agreed));
}

#[test]
fn reveal_rejects_whatever_was_not_committed_to() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1]);
    let reveal = |scene: &Scene, root: u8, work: Work, with: usize| {
        client::reveal(scene.authority(0), job, 0, result_root(root), work, salt(with))
    };
    for (root, work, with) in
        [(2, DONE, 0), (1, Work::new(2, 2), 0), (1, Work::new(3, 1), 0), (1, Work::new(2, 3), 0), (1, DONE, 1)]
    {
        let wrong = reveal(&scene, root, work, with);
        scene.world.refuses(&[wrong], &[&scene.nodes[0]], MarketError::WrongPreimage);
    }
    for (work, error) in [(Work::ZERO, MarketError::ZeroUnits), (Work::new(9, 2), MarketError::TooManyUnits)] {
        let wrong = reveal(&scene, 1, work, 0);
        scene.world.refuses(&[wrong], &[&scene.nodes[0]], error);
    }
    let others = scene.revealing(job, 1, 0, 1);
    scene.world.refuses(&[others], &[&scene.nodes[1]], MarketError::WrongNode);
    let mut forged = scene.revealing(job, 0, 0, 1);
    let copy = keypair("forged admin").pubkey();
    scene.world.forge(&pda::admin().0, &copy, Some(provena_royalty::ID));
    forged.accounts[1].pubkey = copy;
    scene.world.refuses(&[forged], &[&scene.nodes[0]], InstructionError::IllegalOwner);
    scene.world.pass_slots(150);
    scene.reveal(job, 0, 0, 1);
    scene.world.pass_slots(1);
    let late = scene.revealing(job, 1, 1, 1);
    scene.world.refuses(&[late], &[&scene.nodes[1]], MarketError::DeadlinePassed);
}

#[test]
fn a_copied_commitment_opens_nothing() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.take(job, 1, 1);
    scene.commit(job, 0, 0, 1);
    let copied = scene.commitment(&job, 0, 1);
    let commit = client::commit(scene.authority(1), job, 1, copied);
    scene.world.accept(&[commit], &[&scene.nodes[1]]);
    scene.reveal(job, 0, 0, 1);
    let reveal = client::reveal(scene.authority(1), job, 1, result_root(1), DONE, salt(0));
    scene.world.refuses(&[reveal], &[&scene.nodes[1]], MarketError::WrongPreimage);
}

#[test]
fn enough_commitments_go_on_to_reveals_when_the_window_is_over() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1]);
    scene.world.pass_slots(100);
    scene.take(job, 2, 2);
    scene.world.pass_slots(101);
    // The third seat is not late: it is waited for.
    let early = scene.finalizing(&job);
    scene.world.refuses(&[early], &[], MarketError::TooEarly);
    scene.world.pass_slots(60);
    let finalize = scene.finalizing(&job);
    let mut without = finalize.clone();
    without.accounts.pop();
    scene.world.refuses(&[without], &[], MarketError::MissingNodes);
    let mut wrong = finalize.clone();
    wrong.accounts[1].pubkey = pda::node(&scene.authority(0)).0;
    scene.world.refuses(&[wrong], &[], MarketError::WrongNode);
    scene.world.accept(std::slice::from_ref(&finalize), &[]);
    let record = scene.job(&job);
    assert_eq!((record.job.state(), record.job.forfeited), (Ok(JobState::Revealing), 400_000_000));
    scene.world.refuses(&[finalize], &[], MarketError::TooEarly);
    scene.reveal(job, 0, 0, 1);
    scene.reveal(job, 1, 1, 1);
    scene.acknowledge(job);
    scene.collect_all(&job);
    scene.close(&job);
    // Each of the two gets half of the fee and 30,000 of the third one's bond.
    let moved = [
        ("payer", -7_005_015),
        ("node 0", 2_714_444 + 30_000),
        ("node 1", 2_714_443 + 30_000),
        ("stake 2", -400_000_000),
        ("royalty inbox", 1_401_003),
        ("treasury inbox", 175_125 + 399_940_000),
    ];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

#[test]
fn a_small_bond_is_divided_among_the_revealers() {
    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { bond_lamports: 50_001, ..quorum(3, 2) });
    scene.open_inboxes();
    let before = scene.balances(&[]);
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1, 1]);
    scene.reveal(job, 0, 0, 1);
    scene.reveal(job, 1, 1, 1);
    scene.world.pass_slots(151);
    scene.finalize(&job);
    scene.acknowledge(job);
    scene.collect_all(&job);
    scene.close(&job);
    let moved = [
        ("payer", -7_005_015),
        ("node 0", 2_714_444 + 25_000),
        ("node 1", 2_714_443 + 25_000),
        ("stake 2", -50_001),
        ("royalty inbox", 1_401_003),
        ("treasury inbox", 175_125 + 1),
    ];
    assert_eq!(scene.lamport_changes(&[], &before), expected(&moved));
}

#[test]
fn finalize_ends_a_job_that_can_no_longer_succeed() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(5, 3));
    let job = scene.post(0);
    scene.commit_all(job, &[1]);
    scene.world.pass_slots(190);
    scene.take(job, 1, 1);
    scene.world.pass_slots(11);
    // One commitment and one seat in time are fewer than three: nobody is held any longer, and nobody loses anything.
    scene.finalize(&job);
    assert_eq!(scene.job(&job).job.state(), Ok(JobState::Failed));
    scene.collect_all(&job);
    let states: Vec<_> = (0..2).map(|node| (scene.node(node).locked, scene.node(node).stake)).collect();
    assert_eq!(states, [(0, 5_000_000_000), (0, 5_000_000_000)]);
    let again = scene.finalizing(&job);
    scene.world.refuses(&[again], &[], MarketError::WrongState);
}

#[test]
fn finalize_rejects_a_node_twice_and_accounts_of_another_kind() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.take(job, 1, 1);
    scene.world.pass_slots(201);
    let finalize = scene.finalizing(&job);
    assert_eq!(finalize.accounts.len(), 3);
    let mut twice = finalize.clone();
    twice.accounts[2] = twice.accounts[1].clone();
    scene.world.refuses(&[twice], &[], MarketError::WrongNode);
    let mut wrong = finalize.clone();
    wrong.accounts[1].pubkey = scene.offer;
    scene.world.refuses(&[wrong], &[], InstructionError::InvalidAccountData);
    let mut itself = finalize.clone();
    itself.accounts[1].pubkey = job;
    // Anchor's error for an account that is given twice where it is written.
    scene.world.refuses(&[itself], &[], 2040);
    scene.world.accept(&[finalize], &[]);
    let record = scene.job(&job);
    assert_eq!((record.job.state(), record.job.forfeited), (Ok(JobState::Failed), 800_000_000));
}

#[test]
fn a_node_with_a_seat_cannot_be_closed_or_emptied() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let close = client::close_node(scene.authority(0));
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.nodes[0]], MarketError::StakeLocked);
    let withdraw = client::withdraw_stake(scene.authority(0), 4_600_000_001);
    scene.world.refuses(&[withdraw], &[&scene.nodes[0]], MarketError::StakeLocked);
    scene.answer(job, 0, 1);
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.nodes[0]], MarketError::StakeLocked);
    scene.acknowledge(job);
    scene.collect(&job, Party::Seat(0));
    scene.world.accept(&[close], &[&scene.nodes[0]]);
}
