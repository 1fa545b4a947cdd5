//! What every instruction of the market costs.

use provena_market::client;
use provena_tests::{World, compute_units::Report};
use solana_signer::Signer;

use super::scene::{MIN_STAKE, PaidIn, STAKE, Scene, configure, index, quorum, terms};

/// Records `market.*`: SOL under the plain name, SPL Token as `.token`, the classic token program as `.classic_token`.
pub fn record(report: &mut Report) {
    setup(report);
    job(report, "", Scene::new(PaidIn::Sol, terms()));
    job(report, ".token", Scene::new(PaidIn::Token, terms()));
    job(report, ".classic_token", Scene::on(World::with_classic_token(), PaidIn::Token, terms()));
    committee(report);
    endings(report, "", PaidIn::Sol);
    endings(report, ".token", PaidIn::Token);
}

fn setup(report: &mut Report) {
    let mut world = World::new();
    let authority = world.wallet("market authority");
    let treasury = world.wallet("treasury").pubkey();
    let create = client::initialize_config(authority.pubkey(), treasury, [3; 32], 250, MIN_STAKE);
    report.record("market.initialize_config", world.measure(&[create], &[&authority]));

    let mut world = World::new();
    configure(&mut world);
    let node = world.wallet("node");
    let register = client::register_node(node.pubkey(), STAKE, "https://node.example.org");
    report.record("market.register_node", world.measure(&[register], &[&node]));
    let add = client::add_stake(node.pubkey(), 1);
    report.record("market.add_stake", world.measure(&[add], &[&node]));
    let withdraw = client::withdraw_stake(node.pubkey(), 1);
    report.record("market.withdraw_stake", world.measure(&[withdraw], &[&node]));

    let mut scene = Scene::new(PaidIn::Sol, terms());
    let create = scene.create_offer(1, terms());
    report.record("market.create_offer", scene.world.measure(&[create], &[&scene.model.creator]));
    let close = client::close_offer(scene.model.creator.pubkey(), scene.offer);
    report.record("market.close_offer", scene.world.measure(&[close], &[&scene.model.creator]));
}

/// One job with one node, from posting to closing; one unit is refunded, so that every receiver is paid.
fn job(report: &mut Report, case: &str, mut scene: Scene) {
    let post = scene.post_instruction(0, 8);
    report.record(&format!("market.post_job{case}"), scene.world.measure(&[post], &[&scene.payer]));
    let job = provena_market::pda::job(&scene.offer, &scene.payer.pubkey(), 0).0;
    let claim = client::claim_slot(scene.nodes[0].pubkey(), job, 0);
    let claimed = scene.world.measure(&[claim], &[&scene.nodes[0]]);
    let commit = scene.commit_instruction(job, 0, 0, 1, 7);
    let committed = scene.world.measure(&[commit], &[&scene.nodes[0]]);
    let reveal = scene.reveal_instruction(job, 0, 0, 1, 7);
    let revealed = scene.world.measure(&[reveal], &[&scene.nodes[0]]);
    if case.is_empty() {
        report.record("market.claim_slot", claimed);
        report.record("market.commit", committed);
        report.record("market.reveal", revealed);
    }
    let settle = scene.settle_instruction(job);
    report.record(&format!("market.settle{case}"), scene.world.measure(&[settle], &[]));
    let close = client::close_job(scene.payer.pubkey(), job, &scene.job(&job));
    report.record(&format!("market.close_job{case}"), scene.world.measure(&[close], &[&scene.payer]));
}

/// Five nodes of which three agree.
fn committee(report: &mut Report) {
    for (case, paid_in) in [("", PaidIn::Sol), ("_token", PaidIn::Token)] {
        let mut scene = Scene::new(paid_in, quorum(5, 3));
        let job = scene.post(0, 8);
        scene.work(job, &[(1, 7), (1, 7), (1, 7), (2, 7), (3, 7)]);
        let settle = scene.settle_instruction(job);
        report.record(&format!("market.settle.three_of_five{case}"), scene.world.measure(&[settle], &[]));
    }
}

fn endings(report: &mut Report, case: &str, paid_in: PaidIn) {
    let mut scene = Scene::new(paid_in, terms());
    let job = scene.post(0, 8);
    let cancel = client::cancel(job, &scene.job(&job));
    report.record(&format!("market.cancel{case}"), scene.world.measure(&[cancel], &[&scene.payer]));

    let mut scene = Scene::new(paid_in, quorum(3, 2));
    let job = scene.post(0, 8);
    for node in 0..2 {
        scene.claim(job, node, index(node));
    }
    scene.pass(101);
    if case.is_empty() {
        let late = scene.timeout_claim_instruction(job, 1);
        report.record("market.timeout_claim", scene.world.measure(&[late], &[]));
    }
    let refund = scene.timeout_job_instruction(job);
    report.record(&format!("market.timeout_job{case}"), scene.world.measure(&[refund], &[]));
}
