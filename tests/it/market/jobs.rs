//! `post_job`, `cancel`, `close_job`.

use anchor_lang::prelude::Address;
use provena_market::{
    client,
    error::MarketError,
    pda,
    state::{Job, JobState, Offer},
};
use provena_tests::{tokens, tokens::Money, world::keypair};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::scene::{CLUSTER, PAYER_MONEY, PROTOCOL_BPS, PaidIn, Scene, give, terms};

const BOTH: [PaidIn; 2] = [PaidIn::Sol, PaidIn::Token];

#[test]
fn a_job_snapshots_its_terms_and_holds_its_deposit() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let address = scene.post(5, 7);
        let job = scene.job(&address);
        let deposit = 7 * terms().price_per_unit;
        assert_eq!(job.state(), Ok(JobState::Open));
        assert_eq!((job.deposit, job.max_units, job.nonce), (deposit, 7, 5));
        assert_eq!((job.royalty_bps, job.protocol_fee_bps, job.bond), (2_000, PROTOCOL_BPS, terms().bond_lamports));
        assert_eq!((job.cluster, job.input_root), (CLUSTER, [8; 32]));
        assert_eq!((job.posted_at, job.expires_at), (scene.now(), scene.now() + 100));
        let offer: Offer = scene.world.state(&scene.offer);
        assert_eq!(job.terms_hash, offer.terms_hash);
        assert_eq!((job.content_root, job.recipe_root), (offer.content_root, offer.recipe_root));
        assert_eq!(scene.escrowed(&address), deposit);
    }
}

#[test]
fn lamports_sent_ahead_do_not_stop_a_job() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let job = pda::job(&scene.offer, &scene.payer.pubkey(), 0).0;
        for address in [job, pda::escrow(&job).0, pda::slot(&job, 0).0] {
            scene.world.svm.airdrop(&address, 1_000_000).expect("the airdrop lands");
        }
        scene.post(0, 3);
        scene.work(job, &[(1, 3)]);
        let settle = scene.settle_instruction(job);
        scene.world.accept(&[settle], &[]);
        assert_eq!(scene.job(&job).state(), Ok(JobState::Settled));
    }
}

#[test]
fn post_job_rejects_a_closed_offer() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let close = client::close_offer(scene.model.creator.pubkey(), scene.offer);
    scene.world.accept(&[close], &[&scene.model.creator]);
    let post = scene.post_instruction(0, 1);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::OfferInactive.code());
}

#[test]
fn post_job_rejects_zero_units() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let post = scene.post_instruction(0, 0);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::ZeroUnits.code());
}

#[test]
fn post_job_rejects_more_units_than_offered() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let post = scene.post_instruction(0, terms().max_units + 1);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::TooManyUnits.code());
}

#[test]
fn post_job_rejects_shares_beyond_the_whole() {
    let mut scene = Scene::new(PaidIn::Sol, provena_market::state::OfferTerms { royalty_bps: 9_900, ..terms() });
    let post = scene.post_instruction(0, 1);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::BpsTooHigh.code());
}

#[test]
fn post_job_rejects_a_nonce_in_use() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.post(0, 1);
    let post = scene.post_instruction(0, 1);
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::Custom(0));
}

#[test]
fn post_job_rejects_another_address() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut post = scene.post_instruction(0, 1);
    post.accounts[3].pubkey = pda::job(&scene.offer, &scene.payer.pubkey(), 1).0;
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongPda.code());
}

#[test]
fn post_job_rejects_a_forged_offer() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let forged = keypair("forged offer").pubkey();
    scene.world.forge(&scene.offer.clone(), &forged, Some(provena_registry::ID));
    let offer: Offer = scene.world.state(&scene.offer);
    let post = client::post_job(scene.payer.pubkey(), forged, &offer, 0, [8; 32], 1, None);
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::IllegalOwner);
}

#[test]
fn post_job_rejects_a_forged_config() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let forged = keypair("forged config").pubkey();
    scene.world.forge(&pda::config().0, &forged, Some(provena_registry::ID));
    let mut post = scene.post_instruction(0, 1);
    post.accounts[1].pubkey = forged;
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::IllegalOwner);
}

#[test]
fn post_job_rejects_a_payer_who_did_not_sign() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut post = scene.post_instruction(0, 1);
    post.accounts[0].is_signer = false;
    // Anchor's code for a signer that is not writable and signed.
    scene.world.refuses(&[post], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn post_job_rejects_a_wrong_mint() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let other = Money::token(&mut scene.world, "other dollar");
    let mut post = scene.post_instruction(0, 1);
    post.accounts[7].pubkey = other.mint();
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongMint.code());
}

#[test]
fn post_job_rejects_tokens_of_another_mint() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let other = Money::token(&mut scene.world, "other dollar");
    let payer = scene.payer.pubkey();
    other.give(&mut scene.world, &payer, PAYER_MONEY);
    let mut post = scene.post_instruction(0, 1);
    post.accounts[5].pubkey = other.account_of(&payer);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongTokenAccount.code());
}

#[test]
fn post_job_rejects_somebody_elses_tokens() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let mut post = scene.post_instruction(0, 1);
    let victim = scene.nodes[0].pubkey();
    give(&mut scene.world, scene.money, &victim, PAYER_MONEY);
    post.accounts[5].pubkey = scene.money.account_of(&victim);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongTokenAccount.code());
}

#[test]
fn post_job_rejects_missing_token_accounts() {
    for missing in 5..9 {
        let mut scene = Scene::new(PaidIn::Token, terms());
        let mut post = scene.post_instruction(0, 1);
        post.accounts[missing].pubkey = provena_market::ID;
        post.accounts[missing].is_writable = false;
        scene.world.refuses(&[post], &[&scene.payer], MarketError::MissingTokenAccount.code());
    }
}

#[test]
fn post_job_rejects_another_escrow() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let mut post = scene.post_instruction(0, 1);
    post.accounts[6].pubkey = pda::escrow(&scene.offer).0;
    scene.world.refuses(&[post], &[&scene.payer], MarketError::WrongPda.code());
}

#[test]
fn post_job_rejects_too_little_money() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let payer = scene.payer.pubkey();
    let (Money::Token(mint), account) = (scene.money, scene.money.account_of(&payer)) else { unreachable!() };
    tokens::put_token_account(&mut scene.world, &account, &mint, &payer, terms().price_per_unit - 1);
    let post = scene.post_instruction(0, 1);
    // The token program's "insufficient funds".
    scene.world.refuses(&[post], &[&scene.payer], InstructionError::Custom(1));
}

#[test]
fn a_cancelled_job_costs_the_payer_nothing() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let payer = scene.payer.pubkey();
        let before = (scene.balance(&payer), scene.world.lamports(&payer));
        let job = scene.post(0, 9);
        scene.world.accept(&[client::cancel(job, &scene.job(&job))], &[&scene.payer]);
        let state = scene.job(&job);
        assert_eq!((state.state(), state.refunded), (Ok(JobState::Cancelled), state.deposit));
        scene.world.accept(&[client::close_job(payer, job, &state)], &[&scene.payer]);
        assert_eq!((scene.balance(&payer), scene.world.lamports(&payer)), before);
        assert!(scene.world.account(&job).is_none() && scene.world.account(&pda::escrow(&job).0).is_none());
    }
}

#[test]
fn cancel_rejects_anybody_but_the_payer() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let mut cancel = client::cancel(job, &scene.job(&job));
    cancel.accounts[0].pubkey = scene.nodes[0].pubkey();
    scene.world.refuses(&[cancel], &[&scene.nodes[0]], MarketError::Unauthorized.code());
}

#[test]
fn cancel_rejects_a_claimed_job() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let cancel = client::cancel(job, &scene.job(&job));
    scene.world.refuses(&[cancel], &[&scene.payer], MarketError::JobInUse.code());
}

#[test]
fn cancel_rejects_a_partly_claimed_job() {
    let mut scene = Scene::new(PaidIn::Sol, super::scene::quorum(3, 2));
    let job = scene.post(0, 1);
    scene.claim(job, 0, 1);
    let cancel = client::cancel(job, &scene.job(&job));
    scene.world.refuses(&[cancel], &[&scene.payer], MarketError::JobInUse.code());
}

#[test]
fn cancel_rejects_a_second_time() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        let job = scene.post(0, 1);
        let cancel = client::cancel(job, &scene.job(&job));
        scene.world.accept(std::slice::from_ref(&cancel), &[&scene.payer]);
        scene.world.refuses(&[cancel], &[&scene.payer], MarketError::WrongState.code());
    }
}

#[test]
fn cancel_rejects_somebody_elses_token_account() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let job = scene.post(0, 1);
    let mut cancel = client::cancel(job, &scene.job(&job));
    cancel.accounts[3].pubkey = scene.money.account_of(&scene.nodes[0].pubkey());
    scene.world.refuses(&[cancel], &[&scene.payer], MarketError::WrongTokenAccount.code());
}

#[test]
fn cancel_rejects_another_jobs_escrow() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let (first, second) = (scene.post(0, 1), scene.post(1, 1));
    let mut cancel = client::cancel(first, &scene.job(&first));
    cancel.accounts[2].pubkey = pda::escrow(&second).0;
    scene.world.refuses(&[cancel], &[&scene.payer], MarketError::WrongTokenAccount.code());
}

fn closing(scene: &Scene, caller: &Address, job: &Address) -> solana_instruction::Instruction {
    client::close_job(*caller, *job, &scene.job(job))
}

#[test]
fn close_job_rejects_a_job_that_has_not_ended() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    let payer = scene.payer.pubkey();
    let close = closing(&scene, &payer, &job);
    scene.world.refuses(&[close], &[&scene.payer], MarketError::WrongState.code());
    scene.work(job, &[(1, 1)]);
    let close = closing(&scene, &payer, &job);
    scene.world.refuses(&[close], &[&scene.payer], MarketError::WrongState.code());
}

#[test]
fn close_job_rejects_a_stranger_before_expiry() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.world.accept(&[client::cancel(job, &scene.job(&job))], &[&scene.payer]);
    let stranger = scene.nodes[0].pubkey();
    let close = closing(&scene, &stranger, &job);
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.nodes[0]], MarketError::DeadlineNotReached.code());
    let before = scene.world.lamports(&scene.payer.pubkey());
    scene.pass(101);
    scene.world.accept(&[close], &[&scene.nodes[0]]);
    let rent = scene.world.svm.minimum_balance_for_rent_exemption(Job::SPACE);
    assert_eq!(scene.world.lamports(&scene.payer.pubkey()), before + rent);
}

#[test]
fn close_job_rejects_another_receiver() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.world.accept(&[client::cancel(job, &scene.job(&job))], &[&scene.payer]);
    let mut close = closing(&scene, &scene.payer.pubkey(), &job);
    close.accounts[1].pubkey = scene.nodes[0].pubkey();
    scene.world.refuses(&[close], &[&scene.payer], MarketError::Unauthorized.code());
}

#[test]
fn close_job_rejects_a_token_job_without_its_escrow() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let job = scene.post(0, 1);
    scene.world.accept(&[client::cancel(job, &scene.job(&job))], &[&scene.payer]);
    let mut close = closing(&scene, &scene.payer.pubkey(), &job);
    close.accounts[3].pubkey = provena_market::ID;
    close.accounts[3].is_writable = false;
    scene.world.refuses(&[close], &[&scene.payer], MarketError::MissingTokenAccount.code());
}

#[test]
fn tokens_donated_to_an_escrow_reach_the_payer() {
    let mut scene = Scene::new(PaidIn::Token, terms());
    let payer = scene.payer.pubkey();
    let before = scene.balance(&payer);
    let job = scene.post(0, 1);
    tokens::donate_tokens(&mut scene.world, &pda::escrow(&job).0, 77);
    scene.world.accept(&[client::cancel(job, &scene.job(&job))], &[&scene.payer]);
    let close = closing(&scene, &payer, &job);
    scene.world.accept(&[close], &[&scene.payer]);
    assert_eq!(scene.balance(&payer), before + 77);
}

#[test]
fn a_wallet_may_be_payer_node_and_treasury_at_once() {
    for paid_in in BOTH {
        let mut scene = Scene::new(paid_in, terms());
        // The first node posts the job itself.
        let node = scene.nodes[0].pubkey();
        give(&mut scene.world, scene.money, &node, PAYER_MONEY);
        let offer: Offer = scene.world.state(&scene.offer);
        let post = client::post_job(node, scene.offer, &offer, 0, [8; 32], 2, None);
        let before = scene.balance(&node);
        scene.world.accept(&[post], &[&scene.nodes[0]]);
        let job = pda::job(&scene.offer, &node, 0).0;
        scene.work(job, &[(1, 1)]);
        let settle = scene.settle_instruction(job);
        scene.world.accept(&[settle], &[]);
        let state = scene.job(&job);
        let close = client::close_job(node, job, &state);
        scene.world.accept(&[close], &[&scene.nodes[0]]);
        assert_eq!(scene.balance(&node), before - state.paid_royalty - state.paid_protocol);
    }
}
