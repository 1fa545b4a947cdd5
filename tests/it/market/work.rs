//! `claim_slot`, `commit`, `reveal`.

use provena_market::{
    client,
    error::MarketError,
    pda,
    state::{JobState, SlotState},
};
use provena_tests::world::keypair;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::scene::{MIN_STAKE, PaidIn, STAKE, Scene, quorum, salt, terms};

#[test]
fn a_claim_locks_the_bond_and_names_the_node() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 3, 1);
    let state = scene.job(&job);
    assert_eq!((state.state(), state.live), (Ok(JobState::Open), 1));
    assert_eq!(state.nodes[1], scene.nodes[3].pubkey());
    let slot = scene.slots(&job)[0];
    assert_eq!((slot.state(), slot.index, slot.bond), (Ok(SlotState::Claimed), 1, terms().bond_lamports));
    assert_eq!(slot.commit_deadline, scene.now() + 20);
    assert_eq!((scene.node(3).stake, scene.node(3).locked), (STAKE, terms().bond_lamports));
    scene.claim(job, 0, 0);
    assert_eq!(scene.job(&job).state(), Ok(JobState::Claimed));
}

#[test]
fn claim_slot_rejects_a_taken_slot() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let claim = client::claim_slot(scene.nodes[1].pubkey(), job, 0);
    scene.world.refuses(&[claim], &[&scene.nodes[1]], MarketError::SlotTaken.code());
}

#[test]
fn claim_slot_rejects_a_second_claim_by_one_node() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let claim = client::claim_slot(scene.nodes[0].pubkey(), job, 2);
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::DuplicateNode.code());
}

#[test]
fn claim_slot_rejects_an_index_beyond_the_slots() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    for index in [2, 5, 255] {
        let claim = client::claim_slot(scene.nodes[0].pubkey(), job, index);
        scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::SlotOutOfRange.code());
    }
}

#[test]
fn claim_slot_rejects_an_expired_job() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.pass(101);
    let claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::JobExpired.code());
}

#[test]
fn claim_slot_rejects_a_job_that_is_not_open() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.world.accept(&[client::cancel(job, &scene.job(&job))], &[&scene.payer]);
    let claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::WrongState.code());
}

#[test]
fn claim_slot_rejects_a_node_without_stake() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.world.accept(&[client::withdraw_stake(scene.nodes[0].pubkey(), STAKE)], &[&scene.nodes[0]]);
    let claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::StakeTooLow.code());
}

#[test]
fn claim_slot_rejects_a_node_whose_stake_is_locked() {
    let bond_lamports = STAKE - MIN_STAKE + 1;
    let mut scene = Scene::new(PaidIn::Sol, provena_market::state::OfferTerms { bond_lamports, ..terms() });
    let (first, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.claim(first, 0, 0);
    let claim = client::claim_slot(scene.nodes[0].pubkey(), second, 0);
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::StakeLocked.code());
}

#[test]
fn claim_slot_rejects_another_nodes_account() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let mut claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    claim.accounts[1].pubkey = pda::node(&scene.nodes[1].pubkey()).0;
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::Unauthorized.code());
}

#[test]
fn claim_slot_rejects_an_unregistered_node() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let stranger = scene.world.wallet("stranger");
    let claim = client::claim_slot(stranger.pubkey(), job, 0);
    scene.world.refuses(&[claim], &[&stranger], InstructionError::AccountDataTooSmall);
}

#[test]
fn claim_slot_rejects_a_forged_job() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let forged = keypair("forged job").pubkey();
    scene.world.forge(&job, &forged, Some(provena_registry::ID));
    let claim = client::claim_slot(scene.nodes[0].pubkey(), forged, 0);
    scene.world.refuses(&[claim], &[&scene.nodes[0]], InstructionError::IllegalOwner);
}

#[test]
fn claim_slot_rejects_another_address() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    let mut claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    claim.accounts[3].pubkey = pda::slot(&job, 1).0;
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::WrongPda.code());
}

#[test]
fn claim_slot_rejects_a_bump_that_is_not_the_first() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let canonical = pda::slot(&job, 0).1;
    let hidden = (0..canonical).rev().find_map(|bump| {
        let seeds = [provena_market::constants::SLOT_SEED, job.as_ref(), &[0], &[bump]];
        Some((anchor_lang::create_program_address(&seeds, &provena_market::ID).ok()?, bump))
    });
    let (address, slot_bump) = hidden.expect("some other bump works");
    let mut claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    claim.accounts[3].pubkey = address;
    claim.data = anchor_lang::InstructionData::data(&provena_market::instruction::ClaimSlot { index: 0, slot_bump });
    scene.world.refuses(&[claim], &[&scene.nodes[0]], MarketError::WrongPda.code());
}

#[test]
fn the_time_to_reveal_begins_with_the_last_commit() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    assert_eq!(scene.job(&job).state(), Ok(JobState::Open));
    scene.claim(job, 1, 1);
    scene.pass(5);
    scene.commit(job, 1, 1, 1, 1);
    let state = scene.job(&job);
    assert_eq!((state.state(), state.reveal_deadline), (Ok(JobState::Committed), scene.now() + 10));
    scene.reveal(job, 1, 1, 1, 1);
    assert_eq!(scene.job(&job).state(), Ok(JobState::Revealed));
    scene.reveal(job, 0, 0, 1, 1);
    assert_eq!(scene.job(&job).state(), Ok(JobState::Final));
}

#[test]
fn commit_rejects_another_node() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let commit = scene.commit_instruction(job, 1, 0, 1, 1);
    scene.world.refuses(&[commit], &[&scene.nodes[1]], MarketError::WrongNode.code());
}

#[test]
fn commit_rejects_a_second_time() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    let commit = scene.commit_instruction(job, 0, 0, 2, 1);
    scene.world.refuses(&[commit], &[&scene.nodes[0]], MarketError::AlreadyCommitted.code());
}

#[test]
fn commit_rejects_after_the_deadline() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.pass(21);
    let commit = scene.commit_instruction(job, 0, 0, 1, 1);
    scene.world.refuses(&[commit], &[&scene.nodes[0]], MarketError::DeadlinePassed.code());
}

#[test]
fn commit_rejects_another_jobs_slot() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (first, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.claim(first, 0, 0);
    let mut commit = scene.commit_instruction(first, 0, 0, 1, 1);
    commit.accounts[1].pubkey = second;
    scene.world.refuses(&[commit], &[&scene.nodes[0]], MarketError::WrongSlot.code());
}

#[test]
fn commit_rejects_a_job_out_of_retries() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    for _ in 0..3 {
        scene.claim(job, 0, 0);
        scene.pass(21);
        let late = scene.timeout_claim_instruction(job, 0);
        scene.world.accept(&[late], &[]);
    }
    scene.claim(job, 1, 0);
    scene.pass(1);
    scene.claim(job, 2, 1);
    scene.pass(20);
    let late = scene.timeout_claim_instruction(job, 0);
    scene.world.accept(&[late], &[]);
    assert_eq!(scene.job(&job).state(), Ok(JobState::TimedOut));
    let commit = scene.commit_instruction(job, 2, 1, 1, 1);
    scene.world.refuses(&[commit], &[&scene.nodes[2]], MarketError::WrongState.code());
}

#[test]
fn reveal_rejects_without_a_commit() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let reveal = scene.reveal_instruction(job, 0, 0, 1, 1);
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::NotCommitted.code());
}

#[test]
fn reveal_rejects_a_second_time() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    for node in 0..2 {
        scene.claim(job, node, super::scene::index(node));
        scene.commit(job, node, super::scene::index(node), 1, 1);
    }
    scene.reveal(job, 0, 0, 1, 1);
    let again = scene.reveal_instruction(job, 0, 0, 1, 1);
    scene.world.refuses(&[again], &[&scene.nodes[0]], MarketError::AlreadyRevealed.code());
}

#[test]
fn reveal_rejects_before_everybody_has_committed() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    let reveal = scene.reveal_instruction(job, 0, 0, 1, 1);
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::WrongState.code());
}

#[test]
fn reveal_rejects_a_wrong_preimage() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 2);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    let authority = scene.nodes[0].pubkey();
    let wrong = [
        client::reveal(authority, job, 0, [2; 32], 1, salt(0)),
        client::reveal(authority, job, 0, [1; 32], 2, salt(0)),
        client::reveal(authority, job, 0, [1; 32], 1, salt(1)),
    ];
    for reveal in wrong {
        scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::WrongPreimage.code());
    }
}

#[test]
fn reveal_rejects_a_copied_commitment() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.claim(job, 1, 1);
    scene.commit(job, 0, 0, 1, 1);
    let copied = client::commit(scene.nodes[1].pubkey(), job, 1, scene.commitment(&job, 0, 1, 1));
    scene.world.accept(&[copied], &[&scene.nodes[1]]);
    scene.reveal(job, 0, 0, 1, 1);
    // The thief now knows result, units and salt, and still cannot open what it copied.
    let reveal = client::reveal(scene.nodes[1].pubkey(), job, 1, [1; 32], 1, salt(0));
    scene.world.refuses(&[reveal], &[&scene.nodes[1]], MarketError::WrongPreimage.code());
}

#[test]
fn reveal_rejects_a_commitment_for_another_job() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (first, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.claim(second, 0, 0);
    let foreign = client::commit(scene.nodes[0].pubkey(), second, 0, scene.commitment(&first, 0, 1, 1));
    scene.world.accept(&[foreign], &[&scene.nodes[0]]);
    let reveal = scene.reveal_instruction(second, 0, 0, 1, 1);
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::WrongPreimage.code());
}

#[test]
fn reveal_rejects_units_above_the_maximum() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 3);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 4);
    let reveal = scene.reveal_instruction(job, 0, 0, 1, 4);
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::TooManyUnits.code());
}

#[test]
fn reveal_rejects_zero_units() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 3);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 0);
    let reveal = scene.reveal_instruction(job, 0, 0, 1, 0);
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::ZeroUnits.code());
}

#[test]
fn reveal_rejects_after_the_deadline() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 3);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    scene.pass(11);
    let reveal = scene.reveal_instruction(job, 0, 0, 1, 1);
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::DeadlinePassed.code());
}

#[test]
fn reveal_rejects_another_node() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    let reveal = client::reveal(scene.nodes[1].pubkey(), job, 0, [1; 32], 1, salt(0));
    scene.world.refuses(&[reveal], &[&scene.nodes[1]], MarketError::WrongNode.code());
}

#[test]
fn reveal_rejects_another_jobs_slot() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (first, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.claim(first, 0, 0);
    scene.commit(first, 0, 0, 1, 1);
    let mut reveal = scene.reveal_instruction(first, 0, 0, 1, 1);
    reveal.accounts[1].pubkey = second;
    scene.world.refuses(&[reveal], &[&scene.nodes[0]], MarketError::WrongSlot.code());
}
