//! Jobs in every stage, and all that can be called for them.

use anchor_lang::prelude::Address;
use provena_arith::{hash::sha256, merkle};
use provena_market::{
    client::{self, JobRecord, Request},
    pda,
    state::{Offer, Party},
};
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

use super::{
    Calls,
    populated::{MOST_PROTOCOL, Site},
};
use crate::market::{DONE, INSTANCE, MOST, Scene, result_root, seat};

/// An answer that fits into one `put_answer`.
const SHORT: &[u8] = b"a short answer that fits into one instruction";
/// Mallory's number among the nodes.
const MALLORY: usize = 6;

/// A job by name, and the token program of what it is paid in.
pub(super) struct Named {
    name: &'static str,
    job: Address,
    token_program: Option<Address>,
}

/// An answer that is too long for the chain: the root of its tree and its content root.
fn long() -> ([u8; 32], [u8; 32]) {
    let bytes = vec![9u8; 8_193];
    (sha256(&[&[0], &bytes]), merkle::content_root(&bytes).expect("it is not empty"))
}

fn short_root() -> [u8; 32] {
    merkle::content_root(SHORT).expect("it is not empty")
}

/// Jobs as they are made.
struct Making<'a> {
    site: &'a mut Site,
    jobs: Vec<Named>,
}

impl Making<'_> {
    /// Posts a job on an offer of the model, as the payer.
    fn post(&mut self, name: &'static str, offer: u64) -> Address {
        let asset = self.site.scene.model.mint.pubkey();
        self.post_on(name, asset, offer, "payer")
    }

    fn post_on(&mut self, name: &'static str, asset: Address, offer: u64, payer: &str) -> Address {
        let scene = &mut self.site.scene;
        let payer = scene.world.wallet(payer);
        let address = pda::offer(&asset, offer).0;
        let offer: Offer = scene.state(&address);
        let nonce_index = u16::try_from(self.jobs.len()).expect("few jobs");
        let request = request(&offer, scene.world.slot(), nonce_index);
        let post = client::post_job(payer.pubkey(), address, &offer, request, None);
        scene.world.accept(&[post], &[&payer]);
        let job = pda::job(&payer.pubkey(), request.nonce_slot, nonce_index).0;
        let token_program = client::Currency::of(&offer.mint, &offer.token_program).token_program();
        self.jobs.push(Named { name, job, token_program });
        job
    }

    fn scene(&mut self) -> &mut Scene {
        &mut self.site.scene
    }

    /// A node answers a job of one seat with what stands for these bytes.
    fn answer(&mut self, job: Address, node: usize, root: [u8; 32]) {
        let scene = self.scene();
        scene.take(job, node, 0);
        let answer = client::answer(scene.authority(node), job, root, DONE);
        scene.world.accept(&[answer], &[&scene.nodes[node]]);
    }

    /// All three agree, or two do and the third does not.
    fn agree(&mut self, job: Address) {
        self.scene().work(job, &[1, 1, 2]);
    }
}

/// A request for the usual work; where the mint takes a fee, what arrives must still cover it.
fn request(offer: &Offer, nonce_slot: u64, nonce_index: u16) -> Request {
    let price = client::price(offer, MOST).expect("the price fits");
    let deposit = price + price / 50;
    Request { nonce_slot, nonce_index, input_root: [8; 32], most: MOST, deposit, max_protocol_bps: MOST_PROTOCOL }
}

/// Jobs that ended more than a day ago.
pub(super) fn old(site: &mut Site) -> Vec<Named> {
    let mut making = Making { site, jobs: Vec::new() };
    let paid = making.post("old", 4);
    making.answer(paid, 0, short_root());
    making.scene().acknowledge(paid);
    let token = making.post("old-dollar", 0);
    making.answer(token, 0, short_root());
    making.scene().acknowledge(token);
    let parked = making.post("parked", 0);
    making.answer(parked, 1, short_root());
    making.scene().acknowledge(parked);
    let failed = making.post("failed", 1);
    making.scene().take(failed, 3, 0);
    let defaulted = making.post("defaulted", 1);
    making.agree(defaulted);
    making.scene().demand(defaulted);
    making.scene().world.pass_slots(751);
    let default = client::default_answer(&making.scene().job(&defaulted));
    making.scene().world.accept(&[default], &[]);
    making.scene().finalize(&failed);
    let closable = making.post("closable", 4);
    let cancel = client::cancel_job(making.scene().payer.pubkey(), closable);
    let payer = making.scene().payer.insecure_clone();
    making.scene().world.accept(&[cancel], &[&payer]);
    making.scene().collect(&closable, Party::Payer);
    making.scene().world.pass_slots(216_001);
    let record = making.scene().job(&parked);
    let program = making.jobs[2].token_program;
    let mallory = making.site.mallory.insecure_clone();
    for (seat, program) in [(Some(0), program), (None, program)] {
        let park = client::park(mallory.pubkey(), &record, seat, program);
        making.scene().world.accept(&[park], &[&mallory]);
    }
    let record = making.scene().job(&paid);
    let park = client::park(mallory.pubkey(), &record, None, None);
    making.scene().world.accept(&[park], &[&mallory]);
    making.jobs
}

/// Jobs of the present, and the calls for all.
pub(super) fn build(site: &mut Site, old: Vec<Named>) {
    let mut making = Making { site, jobs: old };
    making.post("fresh", 1);
    let taken = making.post("taken", 1);
    making.scene().take(taken, 0, 0);
    let late = making.post("late", 1);
    making.scene().take(late, 3, 0);
    // From here on a job that is posted has all its windows, and what was taken before is late after 11 slots.
    making.scene().world.pass_slots(150);
    let committed = making.post("committed", 1);
    for node in 0..3 {
        making.scene().take(committed, node, seat(node));
    }
    making.scene().commit(committed, 0, 0, 1);
    making.scene().commit(committed, 1, 1, 1);
    let revealing = making.post("revealing", 1);
    making.scene().commit_all(revealing, &[1, 1, 2]);
    making.scene().reveal(revealing, 0, 0, 1);
    let agreed = making.post("agreed", 1);
    making.agree(agreed);
    let paying = making.post("paying", 1);
    making.agree(paying);
    making.scene().acknowledge(paying);
    making.post("single", 4);
    let demanded = making.post("demanded", 4);
    making.answer(demanded, 0, short_root());
    making.scene().demand(demanded);
    let long_answer = making.post("long", 4);
    making.answer(long_answer, 0, long().1);
    making.scene().demand(long_answer);
    making.post("dollar", 0);
    let dollar = making.post("dollar-paying", 0);
    making.answer(dollar, 0, result_root(1));
    making.scene().acknowledge(dollar);
    making.post("euro", 2);
    let euro = making.post("euro-paying", 2);
    making.scene().work(euro, &[1, 1]);
    making.scene().acknowledge(euro);
    making.post("yen", 3);
    let yen = making.post("yen-paying", 3);
    making.answer(yen, 0, result_root(1));
    making.scene().acknowledge(yen);
    let hers = making.site.hers.mint.pubkey();
    making.post_on("hers", hers, 0, "mallory");
    let paying = making.post_on("hers-paying", hers, 0, "mallory");
    making.answer(paying, MALLORY, result_root(1));
    let mallory = making.site.mallory.insecure_clone();
    let acknowledge = client::acknowledge(mallory.pubkey(), paying);
    making.scene().world.accept(&[acknowledge], &[&mallory]);
    let cancelled = making.post("cancelled", 4);
    let payer = making.scene().payer.insecure_clone();
    making.scene().world.accept(&[client::cancel_job(payer.pubkey(), cancelled)], &[&payer]);
    let Making { site, jobs } = making;
    for named in &jobs {
        calls(site, named);
    }
    posting(site, &jobs);
}

/// Postings of jobs that are not there yet.
fn posting(site: &mut Site, jobs: &[Named]) {
    let slot = site.scene.world.slot();
    let (model, hers) = (site.scene.model.mint.pubkey(), site.hers.mint.pubkey());
    let nonce = u16::try_from(jobs.len()).expect("few jobs");
    let offers = [("sol", model, 1), ("dollar", model, 0), ("euro", model, 2), ("yen", model, 3), ("hers", hers, 0)];
    for (nonce, (what, asset, id)) in (nonce..).zip(offers) {
        let address = pda::offer(&asset, id).0;
        let offer: Offer = site.scene.state(&address);
        for (who, payer) in [("payer", site.scene.payer.pubkey()), ("mallory", site.mallory.pubkey())] {
            let post = client::post_job(payer, address, &offer, request(&offer, slot, nonce), None);
            site.calls.add("market.post_job", &format!("{what} {who}"), post);
        }
    }
}

/// What can be called for a job, in whatever stage it is.
fn calls(site: &mut Site, named: &Named) {
    let Named { name, job, token_program } = *named;
    let (scene, calls) = (&site.scene, &mut site.calls);
    // Whoever may sit on a free seat one day.
    let mut record = scene.job(&job);
    let hers = record.job.payer == site.mallory.pubkey();
    for (node, seat) in record.seats.iter_mut().enumerate() {
        if seat.node == Address::default() {
            seat.node = scene.authority(if hers { MALLORY } else { node });
        }
    }
    let payer = record.job.payer;
    calls.add("market.cancel_job", name, client::cancel_job(payer, job));
    calls.add("market.acknowledge", name, client::acknowledge(payer, job));
    calls.add("market.demand_answer", name, client::demand_answer(payer, job));
    for index in 0..record.seats.len() {
        let holder = scene.nodes.iter().position(|node| node.pubkey() == record.seats[index].node);
        let mut nodes = vec![holder.unwrap_or(0), MALLORY];
        nodes.dedup();
        for node in nodes {
            seat_calls(scene, calls, &format!("{name} {node} at {index}"), &record, node, seat(index));
        }
        calls.add("market.expire_seat", &format!("{name} {index}"), client::expire_seat(&record, seat(index)));
    }
    let nodes: Vec<_> = record.seats.iter().map(|seat| AccountMeta::new(pda::node(&seat.node).0, false)).collect();
    for late in [&[][..], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
        if late.iter().any(|seat| *seat >= nodes.len()) {
            continue;
        }
        let with = |mut instruction: Instruction| {
            // What the record says now is left away.
            instruction.accounts.truncate(1);
            instruction.accounts.extend(late.iter().map(|seat| nodes[*seat].clone()));
            instruction
        };
        let what = format!("{name} {late:?}");
        calls.add("market.finalize", &what, with(client::finalize(&record, provena_common::slot::Slot(0))));
        if !late.is_empty() {
            calls.add("market.default_answer", &what, with(client::default_answer(&record)));
        }
    }
    answers(site, name, job);
    paying(site, name, &record, token_program);
}

/// What a node can do with a seat.
fn seat_calls(scene: &Scene, calls: &mut Calls, what: &str, record: &JobRecord, node: usize, index: u8) {
    let (authority, job) = (scene.authority(node), record.address);
    calls.add("market.take_seat", what, client::take_seat(authority, job, index, record.job.terms_hash, INSTANCE));
    calls.add("market.leave_seat", what, client::leave_seat(authority, job, index));
    if record.seats.len() == 1 {
        calls.add("market.answer", what, client::answer(authority, job, result_root(1), DONE));
        return;
    }
    // The third of three says something else.
    let result = if index == 2 { 2 } else { 1 };
    calls.add("market.commit", what, client::commit(authority, job, index, scene.commitment(&job, node, result)));
    calls.add("market.reveal", what, scene.revealing(job, node, index, result));
}

/// What brings a demanded answer on chain.
fn answers(site: &mut Site, name: &str, job: Address) {
    if !["demanded", "long", "single", "agreed"].contains(&name) {
        return;
    }
    let (mallory, node) = (site.mallory.pubkey(), site.scene.authority(0));
    for (who, poster) in [("node", node), ("mallory", mallory)] {
        let (parts, seal) = client::put_answer(poster, job, SHORT);
        let what = format!("{name} {who}");
        for part in parts {
            site.calls.add("market.put_answer", &what, part);
        }
        site.calls.add("market.seal_answer", &what, seal);
        site.calls.add("market.close_answer", &what, client::close_answer(poster, job));
        let mut close = client::close_answer(poster, job);
        close.accounts[0].is_signer = true;
        site.calls.add("market.close_answer", &format!("{what} signed"), close);
        site.calls.add("market.prove_length", &what, client::prove_length(poster, job, 8_193, long().0));
    }
}

/// What pays, and what closes.
fn paying(site: &mut Site, name: &str, record: &JobRecord, token_program: Option<Address>) {
    let (mallory, payer) = (site.mallory.pubkey(), record.job.payer);
    let calls = &mut site.calls;
    for index in (0..).take(record.seats.len()) {
        let what = format!("{name} {index}");
        calls.add("market.collect_seat", &what, client::collect_seat(record, index, token_program));
        calls.add("market.park", &what, client::park(mallory, record, Some(index), token_program));
        if token_program.is_some() {
            let what = format!("{what} in SOL");
            calls.add("market.collect_seat", &what, client::collect_seat(record, index, None));
            calls.add("market.park", &what, client::park(mallory, record, Some(index), None));
        }
    }
    calls.add("market.park", &format!("{name} payer"), client::park(mallory, record, None, token_program));
    calls.add("market.collect_royalty", name, client::collect_royalty(record, 0, token_program));
    calls.add("market.collect_protocol", name, client::collect_protocol(record, 0, true, token_program));
    if token_program.is_some() {
        let tokens = client::collect_protocol(record, 0, false, token_program);
        calls.add("market.collect_protocol", &format!("{name} tokens"), tokens);
        calls.add("market.collect_protocol", &format!("{name} SOL"), client::collect_protocol(record, 0, true, None));
    }
    calls.add("market.collect_refund", name, client::collect_refund(record, token_program));
    for (who, caller) in [("payer", payer), ("mallory", mallory)] {
        let what = format!("{name} {who}");
        if who == "payer" || payer != mallory {
            calls.add("market.close_job", &what, client::close_job(caller, record, token_program));
        }
    }
}
