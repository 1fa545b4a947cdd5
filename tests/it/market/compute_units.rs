//! What the market's instructions cost.

use anchor_lang::prelude::Address;
use provena_market::{
    client,
    fees::Work,
    pda,
    state::{OfferTerms, Party},
};
use provena_tests::{
    Calls, World,
    compute_units::Report,
    market::{MOST, PaidIn, Scene, answer_bytes, quorum, seat, terms},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

mod settings;

/// Totals that must never be exceeded, whatever is committed.
const LIMITS: [(&str, u64); 20] = [
    ("market.whole_job", 30_000),
    ("market.finalize", 5_000),
    ("market.finalize.three_of_five", 12_000),
    ("market.collect_seat", 4_000),
    ("market.collect_royalty", 4_000),
    ("market.collect_protocol", 4_000),
    ("market.collect_refund", 4_000),
    ("market.collect_seat.token", 9_000),
    ("market.collect_royalty.token", 9_000),
    ("market.collect_protocol.token", 9_000),
    ("market.collect_refund.token", 9_000),
    ("market.collect_seat.three_of_five", 4_000),
    ("market.collect_royalty.three_of_five", 4_000),
    ("market.collect_protocol.three_of_five", 4_000),
    ("market.collect_refund.three_of_five", 4_000),
    ("market.post_job", 7_500),
    ("market.post_job.token", 20_000),
    ("market.take_seat", 3_000),
    ("market.commit", 2_000),
    ("market.reveal", 3_500),
];

#[test]
fn costs_stay_within_their_limits() {
    let mut report = Report::default();
    record(&mut report);
    println!("{}", report.to_markdown());
    for (name, limit) in LIMITS {
        let cost = report.cost(name);
        assert!(cost.total <= limit, "{name} costs {}, more than {limit}", cost.total);
    }
}

#[test]
fn the_program_stays_small() {
    let program = provena_tests::programs::all().iter().find(|program| program.id == provena_market::ID);
    let len = program.expect("it is loaded").bytes.len();
    assert!(len <= 300_000, "{len} bytes");
}

/// Measures every instruction.
pub(crate) fn record(report: &mut Report) {
    calls(report);
    one_seat(report, ".classic_token", Scene::on(World::with_classic_token(), PaidIn::Token, terms()));
}

/// Calls every instruction.
pub(crate) fn calls(calls: &mut dyn Calls) {
    settings::calls(calls);
    offers(calls);
    one_seat(calls, "", Scene::new(PaidIn::Sol, terms()));
    one_seat(calls, ".token", Scene::new(PaidIn::Token, terms()));
    one_seat(calls, ".token_2022", Scene::new(PaidIn::Token2022, terms()));
    three_of_five(calls);
    endings(calls);
    demands(calls);
    residuals(calls);
}

fn offers(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let create = scene.create_offer(1, terms());
    calls.call("market.create_offer", &mut scene.world, &[create], &[&scene.model.creator]);
    let close = scene.close_offer();
    calls.call("market.close_offer", &mut scene.world, &[close], &[&scene.model.creator]);
}

/// One job with one seat from posting to closing, in which everybody is paid. Instructions that do not depend on the money
/// are recorded once; of the job in SOL the sum as well.
fn one_seat(calls: &mut dyn Calls, case: &str, mut scene: Scene) {
    scene.open_inboxes();
    let mut whole = provena_tests::Cost { total: 0, ours: 0 };
    let mut step = |scene: &mut Scene, name: &str, same: bool, instruction: Instruction, signer: Option<&Keypair>| {
        let signers: Vec<&Keypair> = signer.into_iter().collect();
        let cost = if case.is_empty() || !same {
            calls.call(&format!("market.{name}{case}"), &mut scene.world, &[instruction], &signers)
        } else {
            scene.world.measure(&[instruction], &signers)
        };
        whole.total += cost.total;
        whole.ours += cost.ours;
    };
    let request = scene.request(0, MOST);
    let post = scene.posting(request);
    let (payer, node) = (scene.payer.insecure_clone(), scene.nodes[0].insecure_clone());
    step(&mut scene, "post_job", false, post, Some(&payer));
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    let take = scene.taking(job, 0, 0);
    step(&mut scene, "take_seat", true, take, Some(&node));
    let answer = scene.answering(job, 0, 1);
    step(&mut scene, "answer", true, answer, Some(&node));
    let acknowledge = client::acknowledge(scene.payer.pubkey(), job);
    step(&mut scene, "acknowledge", true, acknowledge, Some(&payer));
    for (name, party) in COLLECTS {
        let collect = scene.collecting(&scene.job(&job), party);
        step(&mut scene, name, false, collect, None);
    }
    scene.world.pass_slots(151);
    let close = scene.closing(&scene.payer, &job);
    step(&mut scene, "close_job", false, close, Some(&payer));
    calls.sum(&format!("market.whole_job{case}"), whole);
}

const COLLECTS: [(&str, Party); 4] = [
    ("collect_seat", Party::Seat(0)),
    ("collect_royalty", Party::Royalty),
    ("collect_protocol", Party::Protocol),
    ("collect_refund", Party::Payer),
];

/// Five nodes: three agree, one disagrees, one never reveals.
fn three_of_five(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, quorum(5, 3));
    scene.open_inboxes();
    let request = scene.request(0, MOST);
    let post = scene.posting(request);
    calls.call("market.post_job.five_seats", &mut scene.world, &[post], &[&scene.payer]);
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    let results = [1, 1, 2, 1, 1];
    for (node, result) in results.into_iter().enumerate() {
        scene.take(job, node, seat(node));
        let commit = scene.committing(job, node, seat(node), result);
        if node == 4 {
            calls.call("market.commit", &mut scene.world, &[commit], &[&scene.nodes[node]]);
        } else {
            scene.world.accept(&[commit], &[&scene.nodes[node]]);
        }
    }
    for (node, result) in results.into_iter().enumerate().take(4) {
        let reveal = scene.revealing(job, node, seat(node), result);
        if node == 3 {
            calls.call("market.reveal", &mut scene.world, &[reveal], &[&scene.nodes[node]]);
        } else {
            scene.world.accept(&[reveal], &[&scene.nodes[node]]);
        }
    }
    scene.world.pass_slots(151);
    let finalize = scene.finalizing(&job);
    calls.call("market.finalize.three_of_five", &mut scene.world, &[finalize], &[]);
    scene.acknowledge(job);
    for (name, party) in COLLECTS {
        let collect = scene.collecting(&scene.job(&job), party);
        calls.call(&format!("market.{name}.three_of_five"), &mut scene.world, &[collect], &[]);
    }
}

/// How a job ends otherwise.
fn endings(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let cancel = client::cancel_job(scene.payer.pubkey(), job);
    calls.call("market.cancel_job", &mut scene.world, &[cancel], &[&scene.payer]);

    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.world.pass_slots(161);
    let expire = client::expire_seat(&scene.job(&job), 0);
    calls.call("market.expire_seat", &mut scene.world, &[expire], &[]);
    scene.take(job, 1, 0);
    scene.world.pass_slots(201);
    let finalize = scene.finalizing(&job);
    calls.call("market.finalize", &mut scene.world, &[finalize], &[]);

    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.world.pass_slots(150);
    let leave = client::leave_seat(scene.authority(0), job, 0);
    calls.call("market.leave_seat", &mut scene.world, &[leave], &[&scene.nodes[0]]);
}

/// An agreed job of one seat, and the demand for its answer.
fn demanding() -> (Scene, Address, Instruction) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    let demand = client::demand_answer(scene.payer.pubkey(), job);
    (scene, job, demand)
}

fn demands(calls: &mut dyn Calls) {
    let (mut scene, job, demand) = demanding();
    calls.call("market.demand_answer", &mut scene.world, &[demand], &[&scene.payer]);
    let (parts, seal) = client::put_answer(scene.authority(0), job, &answer_bytes(1));
    for (index, part) in parts.into_iter().enumerate() {
        let (world, signers) = (&mut scene.world, [&scene.nodes[0]]);
        match index {
            0 => calls.call("market.put_answer.first_part", world, &[part], &signers),
            1 => calls.call("market.put_answer", world, &[part], &signers),
            _ => world.measure(&[part], &signers),
        };
    }
    calls.call("market.seal_answer", &mut scene.world, &[seal], &[&scene.nodes[0]]);
    scene.world.pass_slots(1_501);
    let close = client::close_answer(scene.authority(0), job);
    calls.call("market.close_answer", &mut scene.world, &[close], &[]);

    let (mut scene, job, demand) = demanding();
    scene.world.accept(&[demand], &[&scene.payer]);
    scene.world.pass_slots(751);
    let default = client::default_answer(&scene.job(&job));
    calls.call("market.default_answer", &mut scene.world, &[default], &[]);

    let tree = [6; 32];
    let mut scene = Scene::new(PaidIn::Sol, OfferTerms { max_output_units: 9_000, ..terms() });
    let job = scene.post(0);
    scene.take(job, 0, 0);
    let root = provena_arith::merkle::root_of(9_000, &tree);
    let answer = client::answer(scene.authority(0), job, root, Work::new(1, 1));
    scene.world.accept(&[answer], &[&scene.nodes[0]]);
    scene.demand(job);
    let helper = scene.world.wallet("helper");
    let prove = client::prove_length(helper.pubkey(), job, 9_000, tree);
    calls.call("market.prove_length", &mut scene.world, &[prove], &[&helper]);
}

fn residuals(calls: &mut dyn Calls) {
    for (case, paid_in) in [("", PaidIn::Sol), (".token", PaidIn::Token)] {
        let mut scene = Scene::new(paid_in, terms());
        let job = scene.post(0);
        scene.work(job, &[1]);
        scene.world.pass_slots(216_000);
        let helper = scene.world.wallet("helper");
        let park = client::park(helper.pubkey(), &scene.job(&job), Some(0), scene.token_program());
        calls.call(&format!("market.park{case}"), &mut scene.world, &[park], &[&helper]);
        let collect = client::collect_residual(scene.authority(0), helper.pubkey(), scene.money.currency());
        calls.call(&format!("market.collect_residual{case}"), &mut scene.world, &[collect], &[]);
    }
}
