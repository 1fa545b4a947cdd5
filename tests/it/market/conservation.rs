//! Money is conserved and nobody is paid twice, whatever happens in whatever order.

use std::{cell::RefCell, collections::BTreeSet};

use anchor_lang::prelude::Address;
use proptest::{prelude::*, test_runner::TestRunner};
use provena_market::{
    client, pda,
    state::{JobState, OfferTerms},
};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::scene::{PaidIn, Scene, index, terms};

/// Something that somebody tries; the chain may refuse it.
#[derive(Clone, Copy, Debug)]
enum Action {
    Claim { node: usize, slot: u8 },
    Commit { node: usize, slot: u8, result: u8 },
    Reveal { node: usize, slot: u8, result: u8 },
    Cancel,
    TimeoutClaim { slot: u8 },
    TimeoutJob,
    Settle,
    Close,
    Pass { slots: u64 },
    Withdraw { node: usize },
}

fn action() -> impl Strategy<Value = Action> {
    let node = || 0..6usize;
    let slot = || 0..4u8;
    let result = || prop_oneof![4 => Just(1u8), 1 => Just(2u8)];
    prop_oneof![
        6 => (node(), slot()).prop_map(|(node, slot)| Action::Claim { node, slot }),
        2 => (node(), slot(), result()).prop_map(|(node, slot, result)| Action::Commit { node, slot, result }),
        2 => (node(), slot(), result()).prop_map(|(node, slot, result)| Action::Reveal { node, slot, result }),
        1 => Just(Action::Cancel),
        2 => slot().prop_map(|slot| Action::TimeoutClaim { slot }),
        1 => Just(Action::TimeoutJob),
        2 => Just(Action::Settle),
        1 => Just(Action::Close),
        2 => prop_oneof![Just(1u64), Just(11), Just(21), Just(101)].prop_map(|slots| Action::Pass { slots }),
        1 => node().prop_map(|node| Action::Withdraw { node }),
    ]
}

/// A plan that mostly goes well: the nodes that hold slots act, in an order of their own, among arbitrary actions.
fn plan(slots: u8) -> impl Strategy<Value = Vec<Action>> {
    let honest = (0..usize::from(slots)).flat_map(move |node| {
        let slot = index(node);
        [
            Action::Claim { node, slot },
            Action::Commit { node, slot, result: 1 },
            Action::Reveal { node, slot, result: 1 },
        ]
    });
    let mut honest: Vec<Action> = honest.collect();
    honest.sort_by_key(|action| match action {
        Action::Claim { .. } => 0,
        Action::Commit { .. } => 1,
        _ => 2,
    });
    proptest::collection::vec((any::<bool>(), action()), 0..40).prop_map(move |noise| {
        let mut honest = honest.iter().copied();
        let mut out = Vec::new();
        for (go_on, action) in noise {
            if go_on {
                out.extend(honest.next());
            }
            out.push(action);
        }
        out
    })
}

/// Everybody and everything that may hold money.
fn accounts(scene: &Scene, job: &Address) -> Vec<Address> {
    let pool_mint = provena_royalty::pda::pool_mint(&scene.model.pool, &scene.money.mint()).0;
    let mut all: BTreeSet<Address> =
        BTreeSet::from([scene.payer.pubkey(), scene.treasury, pool_mint, *job, pda::escrow(job).0]);
    for node in &scene.nodes {
        all.extend([node.pubkey(), pda::node(&node.pubkey()).0]);
    }
    all.extend((0..5).map(|index| pda::slot(job, index).0));
    if scene.money.is_token() {
        let wallets = scene.nodes.iter().chain([&scene.payer]).map(Signer::pubkey).chain([scene.treasury]);
        all.extend(wallets.map(|wallet| scene.money.account_of(&wallet)));
        all.insert(provena_royalty::pda::vault(&pool_mint).0);
    }
    all.into_iter().collect()
}

/// All lamports and all tokens of these accounts.
fn totals(scene: &Scene, accounts: &[Address]) -> (u128, u128) {
    let lamports = accounts.iter().map(|address| u128::from(scene.world.lamports(address))).sum();
    let tokens = accounts.iter().filter_map(|address| scene.world.account(address)).filter_map(|account| {
        let bytes: [u8; 8] = account.data.get(64..72)?.try_into().ok()?;
        (account.owner == provena_registry::TOKEN_PROGRAM).then(|| u128::from(u64::from_le_bytes(bytes)))
    });
    (lamports, tokens.sum())
}

/// Builds what an action sends; `None` when the accounts for it do not exist.
fn instruction(scene: &mut Scene, job: Address, action: Action) -> Option<(Instruction, Option<usize>)> {
    let exists = |scene: &Scene, address: &Address| scene.world.account(address).is_some();
    let slot_exists = |scene: &Scene, slot: u8| exists(scene, &pda::slot(&job, slot).0);
    if let Action::Pass { slots } = action {
        scene.pass(slots);
        return None;
    }
    if let Action::Withdraw { node } = action {
        return Some((client::withdraw_stake(scene.nodes[node].pubkey(), 4_000_000_000), Some(node)));
    }
    if !exists(scene, &job) {
        return None;
    }
    let by_node = |instruction, node| Some((instruction, Some(node)));
    let by_anybody = |instruction| Some((instruction, None));
    match action {
        Action::Claim { node, slot } => by_node(client::claim_slot(scene.nodes[node].pubkey(), job, slot), node),
        Action::Commit { node, slot, result } => by_node(scene.commit_instruction(job, node, slot, result, 3), node),
        Action::Reveal { node, slot, result } => by_node(scene.reveal_instruction(job, node, slot, result, 3), node),
        Action::Cancel => by_anybody(client::cancel(job, &scene.job(&job))),
        Action::TimeoutClaim { slot } if slot_exists(scene, slot) => {
            by_anybody(scene.timeout_claim_instruction(job, slot))
        }
        Action::TimeoutClaim { .. } => None,
        Action::TimeoutJob => by_anybody(scene.timeout_job_instruction(job)),
        Action::Settle => by_anybody(scene.settle_instruction(job)),
        Action::Close => by_anybody(client::close_job(scene.payer.pubkey(), job, &scene.job(&job))),
        Action::Pass { .. } | Action::Withdraw { .. } => None,
    }
}

fn signs_payer(action: Action) -> bool {
    matches!(action, Action::Cancel | Action::Close)
}

/// Runs a plan, then lets the job end by its timeouts, checking the sums after every step.
fn run(scene: &mut Scene, plan: &[Action]) -> Result<(), TestCaseError> {
    let job = pda::job(&scene.offer, &scene.payer.pubkey(), 0).0;
    let watched = accounts(scene, &job);
    let before = totals(scene, &watched);
    scene.post(0, 5);
    let mut ends = 0;
    let mut left = plan.len();
    let tail = (0..12).flat_map(|_| {
        let claims = (0..4).map(|slot| Action::TimeoutClaim { slot });
        claims.chain([Action::Settle, Action::TimeoutJob, Action::Pass { slots: 101 }])
    });
    for action in plan.iter().copied().chain(tail).chain([Action::Close]) {
        let was_over = over(scene, &job);
        // Trying to end what has ended is part of the plan; the timeouts at the end need it no more.
        let closing = matches!(action, Action::Close);
        if was_over && left == 0 && !closing {
            continue;
        }
        left = left.saturating_sub(1);
        if let Some((instruction, node)) = instruction(scene, job, action) {
            let payer = scene.payer.insecure_clone();
            let authority = node.map(|node| scene.nodes[node].insecure_clone());
            let mut signers = Vec::new();
            signers.extend(signs_payer(action).then_some(&payer));
            signers.extend(authority.as_ref());
            let done = scene.world.send(&[instruction], &signers).is_ok();
            if done && !was_over && over(scene, &job) {
                ends += 1;
                let state = scene.job(&job);
                let paid = provena_market::view::paid(&state).total().expect("it fits").0;
                prop_assert_eq!(paid, state.deposit, "after {:?}", action);
                prop_assert_eq!(scene.escrowed(&job), 0);
            }
        }
        prop_assert_eq!(totals(scene, &watched), before, "after {:?}", action);
    }
    prop_assert_eq!(ends, 1, "every job ends, once");
    prop_assert!(scene.world.account(&job).is_none(), "every job can be closed");
    for node in 0..scene.nodes.len() {
        prop_assert_eq!(scene.node(node).locked, 0, "no bond stays locked");
    }
    Ok(())
}

/// Whether the job has ended.
fn over(scene: &Scene, job: &Address) -> bool {
    scene.world.account(job).is_none() || scene.job(job).state().is_ok_and(JobState::is_terminal)
}

/// Runs many plans, each from the same start.
fn conserved(paid_in: PaidIn, slots: u8, quorum: u8) {
    let scene = Scene::new(paid_in, OfferTerms { slots, quorum, ..terms() });
    let start = scene.world.svm.clone();
    let scene = RefCell::new(scene);
    let config = ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() };
    let done = TestRunner::new(config).run(&plan(slots), |plan| {
        let mut scene = scene.borrow_mut();
        scene.restart(&start);
        run(&mut scene, &plan)
    });
    done.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn sol_is_conserved_with_one_node() {
    conserved(PaidIn::Sol, 1, 1);
}

#[test]
fn sol_is_conserved_with_a_committee() {
    conserved(PaidIn::Sol, 3, 2);
}

#[test]
fn tokens_are_conserved_with_a_committee() {
    conserved(PaidIn::Token, 3, 2);
}
