//! `timeout_claim`, `timeout_job`.

use provena_market::{
    client,
    error::MarketError,
    pda,
    state::{JobState, Slot},
    view::{self, Next},
};
use solana_signer::Signer;

use super::scene::{PaidIn, STAKE, Scene, index, quorum, terms};

const BOTH: [PaidIn; 2] = [PaidIn::Sol, PaidIn::Token];

#[test]
fn a_late_commit_costs_the_bond_and_frees_the_slot() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let (payer, node) = (scene.payer.pubkey(), scene.nodes[0].pubkey());
    let (payer_before, node_before) = (scene.world.lamports(&payer), scene.world.lamports(&node));
    scene.pass(21);
    assert_eq!(view::next(&scene.job(&job), &scene.slots(&job), scene.now()), Ok(Next::TimeoutClaim));
    let late = scene.timeout_claim_instruction(job, 0);
    scene.world.accept(&[late], &[]);
    let bond = terms().bond_lamports;
    assert_eq!(scene.world.lamports(&payer), payer_before + bond);
    let rent = scene.world.svm.minimum_balance_for_rent_exemption(Slot::SPACE);
    assert_eq!(scene.world.lamports(&node), node_before + rent, "the slot's rent is the node's");
    assert_eq!((scene.node(0).stake, scene.node(0).locked, scene.node(0).forfeited), (STAKE - bond, 0, 1));
    let state = scene.job(&job);
    assert_eq!((state.state(), state.retries, state.live), (Ok(JobState::Open), 1, 0));
    // The same slot works for somebody else, or for the same node again.
    scene.work(job, &[(1, 1)]);
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
}

#[test]
fn a_late_reveal_costs_the_bond_and_frees_the_slot() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    scene.pass(11);
    let late = scene.timeout_claim_instruction(job, 0);
    scene.world.accept(&[late], &[]);
    let state = scene.job(&job);
    assert_eq!((state.state(), state.committed, state.live), (Ok(JobState::Open), 0, 0));
    assert_eq!(scene.node(0).stake, STAKE - terms().bond_lamports);
}

#[test]
fn the_fourth_miss_ends_in_a_refund() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let payer = scene.payer.pubkey();
        let before = scene.balance(&payer);
        let job = scene.post(0, 6);
        for retry in 1..=4 {
            scene.claim(job, retry, 0);
            scene.pass(21);
            let late = scene.timeout_claim_instruction(job, 0);
            scene.world.accept(&[late], &[]);
        }
        assert_eq!(scene.job(&job).state(), Ok(JobState::TimedOut));
        assert_eq!(view::next(&scene.job(&job), &[], scene.now()), Ok(Next::TimeoutJob));
        let refund = scene.timeout_job_instruction(job);
        scene.world.accept(std::slice::from_ref(&refund), &[]);
        let state = scene.job(&job);
        assert_eq!((state.state(), state.refunded), (Ok(JobState::Refunded), state.deposit));
        scene.world.refuses(&[refund], &[], MarketError::WrongState.code());
        let close = client::close_job(payer, job, &state);
        scene.world.accept(&[close], &[&scene.payer]);
        let bonds = if paid_in == PaidIn::Sol { 4 * terms().bond_lamports } else { 0 };
        assert_eq!(scene.balance(&payer), before + bonds);
    }
}

#[test]
fn an_expired_job_is_refunded_and_patient_nodes_keep_their_bonds() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, quorum(4, 3));
        let payer = scene.payer.pubkey();
        let job = scene.post(0, 6);
        let before = (scene.balance(&payer), scene.world.lamports(&payer));
        // Node 0 commits, node 1 is late, node 2 still has time; nobody takes the fourth slot.
        scene.claim(job, 0, 0);
        scene.commit(job, 0, 0, 1, 1);
        scene.claim(job, 1, 1);
        scene.pass(95);
        scene.claim(job, 2, 2);
        scene.pass(6);
        let refund = scene.timeout_job_instruction(job);
        scene.world.accept(&[refund], &[]);
        let (bond, deposit) = (terms().bond_lamports, scene.job(&job).deposit);
        let stakes: Vec<u64> = (0..3).map(|node| scene.node(node).stake).collect();
        assert_eq!(stakes, [STAKE, STAKE - bond, STAKE]);
        assert!((0..3).all(|node| scene.node(node).locked == 0));
        let sol = if paid_in == PaidIn::Sol { deposit } else { 0 };
        assert_eq!(scene.balance(&payer), before.0 + deposit + bond * u64::from(sol > 0));
        assert_eq!(scene.world.lamports(&payer), before.1 + sol + bond);
        assert!(scene.slots(&job).is_empty());
    }
}

#[test]
fn a_job_without_agreement_is_refunded_and_bonds_are_free() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, quorum(3, 2));
        let payer = scene.payer.pubkey();
        let before = scene.balance(&payer);
        let job = scene.post(0, 1);
        scene.work(job, &[(1, 1), (2, 1), (3, 1)]);
        let refund = scene.timeout_job_instruction(job);
        scene.world.accept(&[refund], &[]);
        assert!((0..3).all(|node| (scene.node(node).stake, scene.node(node).locked) == (STAKE, 0)));
        let close = client::close_job(payer, job, &scene.job(&job));
        scene.world.accept(&[close], &[&scene.payer]);
        assert_eq!(scene.balance(&payer), before);
    }
}

#[test]
fn a_slot_stays_empty_once_another_result_is_public() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    for node in 0..2 {
        scene.claim(job, node, index(node));
        scene.commit(job, node, index(node), 1, 1);
    }
    scene.reveal(job, 0, 0, 1, 1);
    scene.pass(11);
    let late = scene.timeout_claim_instruction(job, 1);
    scene.world.accept(&[late], &[]);
    let state = scene.job(&job);
    assert_eq!((state.state(), state.missed, state.live), (Ok(JobState::Final), 1, 1));
    let claim = client::claim_slot(scene.nodes[2].pubkey(), job, 1);
    scene.world.refuses(&[claim], &[&scene.nodes[2]], MarketError::SlotTaken.code());
    // One of two is no quorum: the payer is refunded and the node that revealed keeps its bond.
    let refund = scene.timeout_job_instruction(job);
    scene.world.accept(&[refund], &[]);
    assert_eq!((scene.node(0).stake, scene.node(0).locked), (STAKE, 0));
}

#[test]
fn timeout_claim_rejects_too_early_a_call() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.pass(20);
    let early = scene.timeout_claim_instruction(job, 0);
    scene.world.refuses(&[early], &[], MarketError::DeadlineNotReached.code());
    scene.commit(job, 0, 0, 1, 1);
    scene.pass(10);
    let early = scene.timeout_claim_instruction(job, 0);
    scene.world.refuses(&[early], &[], MarketError::DeadlineNotReached.code());
}

#[test]
fn timeout_claim_rejects_a_node_that_waits_for_others() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.commit(job, 0, 0, 1, 1);
    scene.pass(50);
    let early = scene.timeout_claim_instruction(job, 0);
    scene.world.refuses(&[early], &[], MarketError::WrongState.code());
}

#[test]
fn timeout_claim_rejects_a_revealed_slot() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    for node in 0..2 {
        scene.claim(job, node, index(node));
        scene.commit(job, node, index(node), 1, 1);
    }
    scene.reveal(job, 0, 0, 1, 1);
    scene.pass(50);
    let late = scene.timeout_claim_instruction(job, 0);
    scene.world.refuses(&[late], &[], MarketError::AlreadyRevealed.code());
}

#[test]
fn timeout_claim_rejects_wrong_accounts() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (job, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.claim(job, 0, 0);
    scene.pass(21);
    let thief = scene.nodes[1].pubkey();
    for (which, account, error) in [
        (0, second, MarketError::WrongSlot),
        (2, pda::node(&thief).0, MarketError::WrongNode),
        (3, thief, MarketError::WrongNode),
        (4, thief, MarketError::Unauthorized),
    ] {
        let mut late = scene.timeout_claim_instruction(job, 0);
        late.accounts[which].pubkey = account;
        scene.world.refuses(&[late], &[], error.code());
    }
}

#[test]
fn timeout_job_rejects_too_early_a_call() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.pass(100);
    let early = scene.timeout_job_instruction(job);
    scene.world.refuses(&[early], &[], MarketError::DeadlineNotReached.code());
}

#[test]
fn timeout_job_rejects_a_job_in_progress() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.pass(200);
    let refund = scene.timeout_job_instruction(job);
    scene.world.refuses(&[refund], &[], MarketError::WrongState.code());
}

#[test]
fn timeout_job_rejects_a_job_with_a_quorum() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1), (1, 1), (2, 1)]);
    scene.pass(200);
    let refund = scene.timeout_job_instruction(job);
    scene.world.refuses(&[refund], &[], MarketError::QuorumReached.code());
}

#[test]
fn timeout_job_rejects_after_settlement() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1)]);
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
    scene.pass(200);
    let refund = scene.timeout_job_instruction(job);
    scene.world.refuses(&[refund], &[], MarketError::WrongState.code());
}

#[test]
fn timeout_job_rejects_missing_slots() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    scene.pass(101);
    let mut refund = scene.timeout_job_instruction(job);
    refund.accounts.truncate(refund.accounts.len() - 3);
    scene.world.refuses(&[refund], &[], MarketError::MissingSlots.code());
}

#[test]
fn timeout_job_rejects_wrong_receivers() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let (job, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.pass(101);
    let thief = scene.nodes[1].pubkey();
    for (which, account, error) in [
        (1, thief, MarketError::Unauthorized),
        (2, pda::escrow(&second).0, MarketError::WrongTokenAccount),
        (3, scene.money.account_of(&thief), MarketError::WrongTokenAccount),
        (3, provena_market::ID, MarketError::MissingTokenAccount),
        (4, provena_market::ID, MarketError::MissingTokenAccount),
    ] {
        let mut refund = scene.timeout_job_instruction(job);
        refund.accounts[which].pubkey = account;
        refund.accounts[which].is_writable &= account != provena_market::ID;
        scene.world.refuses(&[refund], &[], error.code());
    }
}
