//! Nodes, offers, jobs of five seats that are paid in tokens.

use bytemuck::Zeroable;
use provena_common::slot::Slot;
use provena_market::{
    client::{self, Currency, JobRecord, OfferOf, Request},
    constants::{MAX_ANSWER, MAX_ENDPOINT, MAX_SEATS},
    fees::Work,
    state::{Job, JobState, Offer, OfferTerms, Seat, SeatState},
};
use provena_royalty::client as royalty;
use solana_pubkey::Pubkey;

use super::{
    Page, key,
    royalty::{currency, open_account},
};

/// A job of five seats in which everybody is as `seat` says.
fn job(state: JobState, seat: SeatState) -> JobRecord {
    let mut job = Job::zeroed();
    (job.payer, job.offer, job.books) = (key("payer"), key("offer"), key("books"));
    (job.mint, job.state) = (currency(0).mint(), state as u8);
    let seats = (0..MAX_SEATS).map(|index| {
        let mut held = Seat::zeroed();
        (held.node, held.state) = (key(&format!("node {index}")), seat as u8);
        held
    });
    JobRecord { address: key("job"), job, seats: seats.collect() }
}

pub(super) fn record(page: &mut Page) {
    record_owners(page);
    record_seats(page);
    record_payers(page);
    record_collections(page);
}

/// The deployment, nodes, offers.
fn record_owners(page: &mut Page) {
    let (owner, asset, nft) = (key("owner"), key("asset"), key("NFT account"));
    let endpoint = "e".repeat(MAX_ENDPOINT);
    let mut offer = Offer::zeroed();
    offer.rent_payer = key("rent payer");
    let of = OfferOf { asset, version: u32::MAX, mint: currency(0).mint(), offer_id: u64::MAX };
    let terms = OfferTerms {
        base_price: u64::MAX,
        input_price: u64::MAX,
        output_price: u64::MAX,
        bond_lamports: u64::MAX,
        open_window: u32::MAX,
        commit_window: u32::MAX,
        reveal_window: u32::MAX,
        max_input_units: u32::MAX,
        max_output_units: u32::MAX,
        royalty_bps: 10_000,
        seats: 5,
        quorum: 5,
        engine_class: u8::MAX,
        flags: u8::MAX,
    };
    let single = [
        ("initialize_admin", client::initialize_admin(owner, key("treasury"), [1; 32], 500, u64::MAX)),
        ("register_node", client::register_node(owner, u64::MAX, &endpoint, [2; 32], u32::MAX)),
        ("update_node", client::update_node(owner, &endpoint, [2; 32], u32::MAX)),
        ("add_stake", client::add_stake(owner, u64::MAX)),
        ("withdraw_stake", client::withdraw_stake(owner, u64::MAX)),
        ("close_node", client::close_node(owner)),
        ("create_offer", client::create_offer(owner, nft, of, terms)),
        ("close_offer", client::close_offer(owner, nft, key("offer"), &offer)),
    ];
    for (name, instruction) in single {
        page.record(format!("`market.{name}`"), &owner, &[instruction]);
    }
}

/// What nodes do with seats and answers.
fn record_seats(page: &mut Page) {
    let (me, address) = (key("node 0"), key("job"));
    let work = Work::new(u32::MAX, u32::MAX);
    let open = job(JobState::Open, SeatState::Taken);
    let agreed = job(JobState::Agreed, SeatState::Revealed);
    let single = [
        ("take_seat", client::take_seat(me, address, 4, [1; 32], u64::MAX)),
        ("leave_seat", client::leave_seat(me, address, 4)),
        ("commit", client::commit(me, address, 4, [1; 32])),
        ("reveal", client::reveal(me, address, 4, [1; 32], work, [2; 32])),
        ("answer", client::answer(me, address, [1; 32], work)),
        ("expire_seat", client::expire_seat(&open, 4)),
        ("finalize` with five late seats", client::finalize(&open, Slot(u64::MAX))),
        ("default_answer` with five seats", client::default_answer(&agreed)),
        ("prove_length", client::prove_length(me, address, u64::MAX, [1; 32])),
        ("close_answer", client::close_answer(me, address)),
    ];
    for (name, instruction) in single {
        let seats = if name.starts_with("finalize") || name.starts_with("default") { MAX_SEATS } else { 0 };
        assert!(instruction.accounts.len() > seats, "{name} names its nodes");
        let tick = if name.contains('`') { "" } else { "`" };
        page.record(format!("`market.{name}{tick}"), &me, &[instruction]);
    }
    let (parts, seal) = client::put_answer(me, address, &[7; MAX_ANSWER]);
    let longest = parts.into_iter().max_by_key(|part| part.data.len()).expect("there are parts");
    page.record("`market.put_answer`", &me, std::slice::from_ref(&longest));
    page.record("`market.put_answer` and `market.seal_answer`", &me, &[longest.clone(), seal.clone()]);
    page.record("`market.seal_answer`", &me, &[seal]);
}

/// What payers do.
fn record_payers(page: &mut Page) {
    let payer = key("payer");
    let mut offer = Offer::zeroed();
    (offer.asset_account, offer.mint, offer.token_program) =
        (key("asset account"), currency(0).mint(), currency(0).token_program().unwrap());
    let request = Request {
        nonce_slot: u64::MAX,
        nonce_index: u16::MAX,
        input_root: [1; 32],
        most: Work::new(u32::MAX, u32::MAX),
        deposit: u64::MAX,
        max_protocol_bps: 500,
    };
    let post = client::post_job(payer, key("offer"), &offer, request, None);
    page.record("`market.post_job` in tokens", &payer, &[post]);
    let cancelled = job(JobState::Cancelled, SeatState::Free);
    let refund = client::collect_refund(&cancelled, currency(0).token_program());
    let cancel = client::cancel_job(payer, cancelled.address);
    page.record(
        "`market.cancel_job`, its refund to a new account",
        &payer,
        &[cancel, open_account(&payer, &payer, 0), refund],
    );
    page.record("`market.acknowledge`", &payer, &[client::acknowledge(payer, key("job"))]);
    page.record("`market.demand_answer`", &payer, &[client::demand_answer(payer, key("job"))]);
}

/// What anybody does so that somebody is paid. Groups like these share transactions, as many as fit.
fn record_collections(page: &mut Page) {
    let (caller, node) = (key("caller"), key("node 0"));
    let decided = job(JobState::Agreed, SeatState::Revealed);
    let program = currency(0).token_program();
    let collect = client::collect_seat(&decided, 0, program);
    page.record("`market.collect_seat` of tokens, to a new account", &node, &[open_account(&node, &node, 0), collect]);
    let currency = currency(0);
    let open = royalty::open_inbox(&caller, &key("asset"), currency, 63);
    let collect = client::collect_royalty(&decided, 63, program);
    page.record("`market.collect_royalty` of tokens, into a new inbox", &caller, &[open, collect]);
    let open = [Currency::Sol, currency].map(|currency| client::open_treasury_inbox(caller, currency, 127));
    let collect = client::collect_protocol(&decided, 127, true, program);
    let all: Vec<_> = open.into_iter().chain([collect]).collect();
    page.record("`market.collect_protocol` of SOL and tokens, into new inboxes", &caller, &all);
    let payer: Pubkey = decided.job.payer;
    let refund = client::collect_refund(&decided, program);
    let refund = [open_account(&caller, &payer, 0), refund];
    page.record("`market.collect_refund` of tokens, to a new account", &caller, &refund);
    page.record("`market.close_job` in tokens", &caller, &[client::close_job(caller, &decided, program)]);
    page.record("`market.park` of tokens", &caller, &[client::park(caller, &decided, Some(4), program)]);
    let residual = client::collect_residual(node, key("rent payer"), currency);
    let residual = [open_account(&caller, &node, 0), residual];
    page.record("`market.collect_residual` of tokens, to a new account", &caller, &residual);
    let sweep = client::sweep_treasury(key("treasury"), currency, 127);
    let sweep = [open_account(&caller, &key("treasury"), 0), sweep];
    page.record("`market.sweep_treasury` of tokens, to a new account", &caller, &sweep);
}
