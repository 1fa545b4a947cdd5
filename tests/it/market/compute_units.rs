//! What the market's instructions cost.

use anchor_lang::prelude::Address;
use provena_market::{
    client,
    fees::Work,
    pda,
    state::{OfferTerms, Party},
};
use provena_tests::{
    World,
    compute_units::Report,
    market::{MOST, PaidIn, Scene, answer_bytes, quorum, seat, terms},
};
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
pub fn record(report: &mut Report) {
    settings::record(report);
    offers(report);
    one_seat(report, "", Scene::new(PaidIn::Sol, terms()));
    one_seat(report, ".token", Scene::new(PaidIn::Token, terms()));
    one_seat(report, ".classic_token", Scene::on(World::with_classic_token(), PaidIn::Token, terms()));
    one_seat(report, ".token_2022", Scene::new(PaidIn::Token2022, terms()));
    three_of_five(report);
    endings(report);
    demands(report);
    residuals(report);
}

fn offers(report: &mut Report) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let create = scene.create_offer(1, terms());
    report.record("market.create_offer", scene.world.measure(&[create], &[&scene.model.creator]));
    let close = scene.close_offer();
    report.record("market.close_offer", scene.world.measure(&[close], &[&scene.model.creator]));
}

/// One job with one seat from posting to closing, in which everybody is paid. Instructions that do not depend on the money
/// are recorded once; of the job in SOL the sum as well.
fn one_seat(report: &mut Report, case: &str, mut scene: Scene) {
    scene.open_inboxes();
    let mut whole = provena_tests::Cost { total: 0, ours: 0 };
    let mut note = |report: &mut Report, name: &str, same: bool, cost: provena_tests::Cost| {
        whole.total += cost.total;
        whole.ours += cost.ours;
        if case.is_empty() || !same {
            report.record(&format!("market.{name}{case}"), cost);
        }
    };
    let request = scene.request(0, MOST);
    let post = scene.posting(request);
    note(report, "post_job", false, scene.world.measure(&[post], &[&scene.payer]));
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    let take = scene.taking(job, 0, 0);
    note(report, "take_seat", true, scene.world.measure(&[take], &[&scene.nodes[0]]));
    let answer = scene.answering(job, 0, 1);
    note(report, "answer", true, scene.world.measure(&[answer], &[&scene.nodes[0]]));
    let acknowledge = client::acknowledge(scene.payer.pubkey(), job);
    note(report, "acknowledge", true, scene.world.measure(&[acknowledge], &[&scene.payer]));
    for (name, party) in COLLECTS {
        let collect = scene.collecting(&scene.job(&job), party);
        note(report, name, false, scene.world.measure(&[collect], &[]));
    }
    scene.world.pass_slots(151);
    let close = scene.closing(&scene.payer, &job);
    note(report, "close_job", false, scene.world.measure(&[close], &[&scene.payer]));
    report.record(&format!("market.whole_job{case}"), whole);
}

const COLLECTS: [(&str, Party); 4] = [
    ("collect_seat", Party::Seat(0)),
    ("collect_royalty", Party::Royalty),
    ("collect_protocol", Party::Protocol),
    ("collect_refund", Party::Payer),
];

/// Five nodes: three agree, one disagrees, one never reveals.
fn three_of_five(report: &mut Report) {
    let mut scene = Scene::new(PaidIn::Sol, quorum(5, 3));
    scene.open_inboxes();
    let request = scene.request(0, MOST);
    let post = scene.posting(request);
    report.record("market.post_job.five_seats", scene.world.measure(&[post], &[&scene.payer]));
    let job = pda::job(&scene.payer.pubkey(), request.nonce_slot, 0).0;
    let results = [1, 1, 2, 1, 1];
    for (node, result) in results.into_iter().enumerate() {
        scene.take(job, node, seat(node));
        let commit = scene.committing(job, node, seat(node), result);
        let cost = scene.world.measure(&[commit], &[&scene.nodes[node]]);
        if node == 4 {
            report.record("market.commit", cost);
        }
    }
    for (node, result) in results.into_iter().enumerate().take(4) {
        let reveal = scene.revealing(job, node, seat(node), result);
        let cost = scene.world.measure(&[reveal], &[&scene.nodes[node]]);
        if node == 3 {
            report.record("market.reveal", cost);
        }
    }
    scene.world.pass_slots(151);
    let finalize = scene.finalizing(&job);
    report.record("market.finalize.three_of_five", scene.world.measure(&[finalize], &[]));
    scene.acknowledge(job);
    for (name, party) in COLLECTS {
        let collect = scene.collecting(&scene.job(&job), party);
        report.record(&format!("market.{name}.three_of_five"), scene.world.measure(&[collect], &[]));
    }
}

/// How a job ends otherwise.
fn endings(report: &mut Report) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    let cancel = client::cancel_job(scene.payer.pubkey(), job);
    report.record("market.cancel_job", scene.world.measure(&[cancel], &[&scene.payer]));

    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.world.pass_slots(161);
    let expire = client::expire_seat(&scene.job(&job), 0);
    report.record("market.expire_seat", scene.world.measure(&[expire], &[]));
    scene.take(job, 1, 0);
    scene.world.pass_slots(201);
    let finalize = scene.finalizing(&job);
    report.record("market.finalize", scene.world.measure(&[finalize], &[]));

    let mut scene = Scene::new(PaidIn::Sol, quorum(2, 2));
    let job = scene.post(0);
    scene.take(job, 0, 0);
    scene.world.pass_slots(150);
    let leave = client::leave_seat(scene.authority(0), job, 0);
    report.record("market.leave_seat", scene.world.measure(&[leave], &[&scene.nodes[0]]));
}

/// An agreed job of one seat, whose answer is demanded.
fn demanded(report: Option<&mut Report>) -> (Scene, Address) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    let demand = client::demand_answer(scene.payer.pubkey(), job);
    let cost = scene.world.measure(&[demand], &[&scene.payer]);
    if let Some(report) = report {
        report.record("market.demand_answer", cost);
    }
    (scene, job)
}

fn demands(report: &mut Report) {
    let (mut scene, job) = demanded(Some(report));
    let (parts, seal) = client::put_answer(scene.authority(0), job, &answer_bytes(1));
    for (index, part) in parts.into_iter().enumerate() {
        let cost = scene.world.measure(&[part], &[&scene.nodes[0]]);
        match index {
            0 => report.record("market.put_answer.first_part", cost),
            1 => report.record("market.put_answer", cost),
            _ => {}
        }
    }
    report.record("market.seal_answer", scene.world.measure(&[seal], &[&scene.nodes[0]]));
    scene.world.pass_slots(1_501);
    let close = client::close_answer(scene.authority(0), job);
    report.record("market.close_answer", scene.world.measure(&[close], &[]));

    let (mut scene, job) = demanded(None);
    scene.world.pass_slots(751);
    let default = client::default_answer(&scene.job(&job));
    report.record("market.default_answer", scene.world.measure(&[default], &[]));

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
    report.record("market.prove_length", scene.world.measure(&[prove], &[&helper]));
}

fn residuals(report: &mut Report) {
    for (case, paid_in) in [("", PaidIn::Sol), (".token", PaidIn::Token)] {
        let mut scene = Scene::new(paid_in, terms());
        let job = scene.post(0);
        scene.work(job, &[1]);
        scene.world.pass_slots(216_000);
        let helper = scene.world.wallet("helper");
        let park = client::park(helper.pubkey(), &scene.job(&job), Some(0), scene.token_program());
        report.record(&format!("market.park{case}"), scene.world.measure(&[park], &[&helper]));
        let collect = client::collect_residual(scene.authority(0), helper.pubkey(), scene.money.currency());
        report.record(&format!("market.collect_residual{case}"), scene.world.measure(&[collect], &[]));
    }
}
