//! `settle`.

use anchor_lang::prelude::Address;
use provena_market::{
    client,
    error::MarketError,
    fees::{Units, node_part},
    pda,
    state::{Job, JobState, OfferTerms},
    view::{self, Next},
};
use provena_tests::{royalty, tokens::Money, world::keypair};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::scene::{PROTOCOL_BPS, PaidIn, STAKE, Scene, give, index, quorum, terms};

const BOTH: [PaidIn; 2] = [PaidIn::Sol, PaidIn::Token];

/// Settles a job and checks every balance against the split.
#[track_caller]
fn settle_and_check(scene: &mut Scene, address: Address, used: u32, agreeing: &[usize], wrong: &[usize]) -> Job {
    let before = scene.job(&address);
    let bond = before.bond;
    let expected = view::split(&before, Units(used)).expect("the units are paid for");
    assert_eq!(expected.total().expect("it fits").0, before.deposit);
    let slot_rent = scene.world.svm.minimum_balance_for_rent_exemption(provena_market::state::Slot::SPACE);
    let payer = scene.payer.pubkey();
    let wallets: Vec<Address> = scene.nodes.iter().map(Signer::pubkey).collect();
    let paid_before: Vec<u64> = wallets.iter().map(|wallet| scene.balance(wallet)).collect();
    let (payer_before, treasury_before) = (scene.balance(&payer), scene.balance(&scene.treasury));
    let payer_lamports = scene.world.lamports(&payer);
    let (booked_before, locked_before) =
        (scene.booked(), agreeing.iter().map(|node| scene.node(*node).locked).sum::<u64>());

    let settle = scene.settle_instruction(address);
    scene.world.accept(&[settle], &[]);

    let native = scene.money == Money::Sol;
    let rent = if native { slot_rent } else { 0 };
    let count = u64::try_from(agreeing.len()).expect("few nodes");
    // Nodes are paid in the order of their slots, which is the order in which they are listed.
    for (position, node) in (0u64..).zip(agreeing) {
        let part = node_part(expected.nodes, count, position).expect("somebody agrees").0;
        assert_eq!(scene.balance(&wallets[*node]), paid_before[*node] + part + rent, "node {node}");
        assert_eq!((scene.node(*node).stake, scene.node(*node).agreed), (STAKE, 1));
    }
    for node in wrong {
        assert_eq!(scene.balance(&wallets[*node]), paid_before[*node] + rent, "node {node}");
        assert_eq!((scene.node(*node).stake, scene.node(*node).locked), (STAKE - bond, 0));
        assert_eq!((scene.node(*node).agreed, scene.node(*node).forfeited), (0, 1));
    }
    let bonds = bond * u64::try_from(wrong.len()).expect("few nodes");
    let locked = agreeing.iter().map(|node| scene.node(*node).locked).sum::<u64>();
    assert_eq!(locked, locked_before - bond * count);
    assert_eq!(scene.balance(&scene.treasury), treasury_before + expected.protocol.0);
    assert_eq!(scene.booked(), booked_before + expected.royalty.0, "the royalty is booked at once");
    if native {
        assert_eq!(scene.balance(&payer), payer_before + expected.refund.0 + bonds);
    } else {
        assert_eq!(scene.balance(&payer), payer_before + expected.refund.0);
        assert_eq!(scene.world.lamports(&payer), payer_lamports + bonds);
    }
    let job = scene.job(&address);
    assert_eq!(job.state(), Ok(JobState::Settled));
    assert_eq!(view::paid(&job), expected);
    assert_eq!(job.units_used, used);
    assert_eq!(scene.escrowed(&address), 0);
    assert!(scene.slots(&address).is_empty());
    job
}

#[test]
fn one_node_is_paid_and_everything_adds_up() {
    for paid_in in BOTH {
        for used in [1, 5, 7] {
            let mut scene = Scene::new(paid_in, terms());
            let job = scene.post(0, 7);
            scene.work(job, &[(9, used)]);
            assert_eq!(view::next(&scene.job(&job), &scene.slots(&job), scene.now()), Ok(Next::Settle));
            let settled = settle_and_check(&mut scene, job, used, &[0], &[]);
            assert_eq!(settled.result_root, [9; 32]);
            assert_eq!(view::next(&settled, &[], scene.now()), Ok(Next::Close));
        }
    }
}

#[test]
fn a_holder_of_the_pool_can_claim_the_royalty_at_once() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let job = scene.post(0, 7);
        scene.work(job, &[(9, 7)]);
        let settled = settle_and_check(&mut scene, job, 7, &[0], &[]);
        let holder = scene.model.creator.pubkey();
        give(&mut scene.world, scene.money, &holder, 0);
        let before = scene.balance(&holder);
        let claim = royalty::claim(&holder, &scene.model.pool, scene.money);
        scene.world.accept(&[claim], &[&scene.model.creator]);
        assert_eq!(scene.balance(&holder), before + settled.paid_royalty);
    }
}

#[test]
fn two_of_three_agree_and_the_third_loses_its_bond() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, quorum(3, 2));
        let job = scene.post(0, 8);
        scene.work(job, &[(1, 8), (2, 8), (1, 8)]);
        let settled = settle_and_check(&mut scene, job, 8, &[0, 2], &[1]);
        assert_eq!(settled.result_root, [1; 32]);
    }
}

#[test]
fn equal_results_with_different_units_do_not_agree() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0, 8);
    scene.work(job, &[(1, 8), (1, 7), (1, 7)]);
    settle_and_check(&mut scene, job, 7, &[1, 2], &[0]);
}

#[test]
fn five_nodes_share_the_fee_to_the_last_unit() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, quorum(5, 3));
        let job = scene.post(0, 3);
        scene.work(job, &[(1, 3), (1, 3), (1, 3), (1, 3), (1, 3)]);
        settle_and_check(&mut scene, job, 3, &[0, 1, 2, 3, 4], &[]);
    }
}

#[test]
fn a_missing_reveal_does_not_stop_a_quorum() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, quorum(3, 2));
        let job = scene.post(0, 4);
        for node in 0..3 {
            scene.claim(job, node, index(node));
            scene.commit(job, node, index(node), 1, 4);
        }
        scene.reveal(job, 0, 0, 1, 4);
        scene.reveal(job, 1, 1, 1, 4);
        scene.pass(11);
        let late = scene.timeout_claim_instruction(job, 2);
        scene.world.accept(&[late], &[]);
        assert_eq!(scene.job(&job).state(), Ok(JobState::Final));
        settle_and_check(&mut scene, job, 4, &[0, 1], &[]);
        assert_eq!(scene.node(2).stake, STAKE - terms().bond_lamports);
    }
}

#[test]
fn a_whole_royalty_and_none_both_settle() {
    for royalty_bps in [0, 10_000 - PROTOCOL_BPS] {
        for paid_in in BOTH {
            let mut scene = Scene::new(paid_in, OfferTerms { royalty_bps, ..terms() });
            let job = scene.post(0, 2);
            scene.work(job, &[(1, 2)]);
            settle_and_check(&mut scene, job, 2, &[0], &[]);
        }
    }
}

#[test]
fn an_empty_payer_wallet_blocks_nobody_and_gets_its_money_on_close() {
    // 1 unit of 2 is used: the refund of 1,000,003 lamports alone would suffice; a smaller price makes it too small.
    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { price_per_unit: 1_000, ..quorum(3, 2) });
    let job = scene.post(0, 2);
    scene.work(job, &[(1, 1), (1, 1), (2, 1)]);
    let payer = scene.payer.pubkey();
    scene.world.svm.set_account(payer, solana_account::Account::default()).expect("the account is sound");
    let bond = terms().bond_lamports;
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
    let settled = scene.job(&job);
    assert_eq!(settled.refunded, 1_000);
    // The bond reaches the wallet, which then can take the refund too.
    assert_eq!(scene.world.lamports(&payer), bond + 1_000);

    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { price_per_unit: 1_000, ..terms() });
    let job = scene.post(0, 2);
    scene.work(job, &[(1, 1)]);
    scene.world.svm.set_account(payer, solana_account::Account::default()).expect("the account is sound");
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
    assert_eq!((scene.world.lamports(&payer), scene.escrowed(&job)), (0, 1_000));
    let settled = scene.job(&job);
    scene.pass(200);
    let stranger = scene.world.wallet("stranger");
    let rent = scene.world.svm.minimum_balance_for_rent_exemption(Job::SPACE);
    scene.world.accept(&[client::close_job(stranger.pubkey(), job, &settled)], &[&stranger]);
    assert_eq!(scene.world.lamports(&payer), rent + 1_000);
}

#[test]
fn an_empty_treasury_blocks_nobody() {
    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { price_per_unit: 1_000, ..terms() });
    let job = scene.post(0, 2);
    scene.work(job, &[(1, 2)]);
    let treasury = scene.treasury;
    scene.world.svm.set_account(treasury, solana_account::Account::default()).expect("the account is sound");
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
    let settled = scene.job(&job);
    // 2 * 1,000 * 2.5 % = 50 go to the payer instead.
    assert_eq!((settled.paid_protocol, settled.refunded), (0, 50));
}

#[test]
fn a_frozen_token_account_blocks_nobody() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let job = scene.post(0, 2);
    scene.work(job, &[(1, 2)]);
    let frozen = scene.money.account_of(&scene.nodes[0].pubkey());
    let mut account = scene.world.account(&frozen).expect("it exists");
    account.data[108] = 2;
    scene.world.svm.set_account(frozen, account).expect("the account is sound");
    let expected = view::split(&scene.job(&job), Units(2)).expect("paid for");
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
    let settled = scene.job(&job);
    assert_eq!((settled.paid_nodes, settled.refunded), (0, expected.nodes.0));
    assert_eq!(settled.paid_royalty, expected.royalty.0);
}

#[test]
fn settle_rejects_before_the_reveal() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let settle = scene.settle_instruction(job);
    scene.world.refuses(&[settle], &[], MarketError::WrongState.code());
    scene.claim(job, 0, 0);
    let settle = scene.settle_instruction(job);
    scene.world.refuses(&[settle], &[], MarketError::WrongState.code());
    scene.commit(job, 0, 0, 1, 1);
    let settle = scene.settle_instruction(job);
    scene.world.refuses(&[settle], &[], MarketError::WrongState.code());
}

#[test]
fn settle_rejects_a_second_time() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let job = scene.post(0, 1);
        scene.work(job, &[(1, 1)]);
        let settle = scene.settle_instruction(job);
        scene.world.accept(std::slice::from_ref(&settle), &[]);
        scene.world.refuses(&[settle], &[], MarketError::WrongState.code());
        let bare = scene.settle_instruction(job);
        scene.world.refuses(&[bare], &[], MarketError::WrongState.code());
    }
}

#[test]
fn settle_rejects_without_a_quorum() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1), (2, 1), (3, 1)]);
    assert_eq!(view::next(&scene.job(&job), &scene.slots(&job), scene.now()), Ok(Next::TimeoutJob));
    let settle = scene.settle_instruction(job);
    scene.world.refuses(&[settle], &[], MarketError::NoQuorum.code());
}

#[test]
fn settle_rejects_missing_slots() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1), (1, 1), (2, 1)]);
    let mut settle = scene.settle_instruction(job);
    settle.accounts.truncate(settle.accounts.len() - 3);
    scene.world.refuses(&[settle], &[], MarketError::MissingSlots.code());
}

#[test]
fn settle_rejects_a_slot_given_twice() {
    let mut scene = Scene::new(PaidIn::Sol, quorum(3, 2));
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1), (1, 1), (2, 1)]);
    let mut settle = scene.settle_instruction(job);
    let at = settle.accounts.len() - 9;
    let first: Vec<_> = settle.accounts[at..at + 3].to_vec();
    settle.accounts.truncate(settle.accounts.len() - 3);
    settle.accounts.extend(first);
    scene.world.refuses(&[settle], &[], MarketError::WrongSlot.code());
}

#[test]
fn settle_rejects_another_jobs_slot() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (first, second) = (scene.post(0, 1), scene.post(1, 1));
    scene.work(first, &[(1, 1)]);
    scene.work(second, &[(1, 1)]);
    let slots = scene.slots(&second);
    let settle = client::settle(first, &scene.job(&first), &slots);
    scene.world.refuses(&[settle], &[], MarketError::WrongSlot.code());
}

#[test]
fn settle_rejects_a_wallet_that_is_not_the_nodes() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1)]);
    for (which, thief) in [(1, pda::node(&scene.nodes[1].pubkey()).0), (0, scene.nodes[1].pubkey())] {
        let mut settle = scene.settle_instruction(job);
        let at = settle.accounts.len() - 1 - which;
        settle.accounts[at].pubkey = thief;
        scene.world.refuses(&[settle], &[], MarketError::WrongNode.code());
    }
}

#[test]
fn settle_rejects_a_forged_slot() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1)]);
    let forged = keypair("forged slot").pubkey();
    scene.world.forge(&pda::slot(&job, 0).0, &forged, Some(provena_registry::ID));
    let mut settle = scene.settle_instruction(job);
    let at = settle.accounts.len() - 3;
    settle.accounts[at].pubkey = forged;
    scene.world.refuses(&[settle], &[], InstructionError::IllegalOwner);
}

#[test]
fn settle_rejects_wrong_receivers() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.work(job, &[(1, 1)]);
    let other =
        royalty::Scene::new(&mut scene.world, "other asset", &[(scene.treasury, 1_000_000_000)], &[scene.money]);
    let other_pool = other.pool_mint_address(scene.money);
    let thief = scene.nodes[1].pubkey();
    for (which, account, error) in [
        (1, thief, MarketError::Unauthorized),
        (2, thief, MarketError::BadTreasury),
        (3, other_pool, MarketError::WrongPool),
        (4, provena_registry::ID, MarketError::WrongPool),
    ] {
        let mut settle = scene.settle_instruction(job);
        settle.accounts[which].pubkey = account;
        scene.world.refuses(&[settle], &[], error.code());
    }
}

#[test]
fn settle_rejects_wrong_token_accounts() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let (job, second) = (scene.post(0, 2), scene.post(1, 2));
    scene.work(job, &[(1, 1)]);
    let thief = scene.money.account_of(&scene.nodes[1].pubkey());
    let last = scene.settle_instruction(job).accounts.len() - 1;
    for (which, account, error) in [
        (5, pda::escrow(&second).0, MarketError::WrongTokenAccount),
        (6, thief, MarketError::WrongPool),
        (7, thief, MarketError::WrongTokenAccount),
        (8, thief, MarketError::WrongTokenAccount),
        (last, thief, MarketError::WrongTokenAccount),
    ] {
        let mut settle = scene.settle_instruction(job);
        settle.accounts[which].pubkey = account;
        scene.world.refuses(&[settle], &[], error.code());
    }
    for which in 5..10 {
        let mut settle = scene.settle_instruction(job);
        settle.accounts[which].pubkey = provena_market::ID;
        settle.accounts[which].is_writable = false;
        scene.world.refuses(&[settle], &[], MarketError::MissingTokenAccount.code());
    }
}
