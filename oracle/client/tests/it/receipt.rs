//! A receipt that says something else than the chain does not hold.

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{KIND_JOB, RECEIPT_VERSION, Receipt};
use provena_client::receipt::{ReceiptMismatch, check_against, check_offer};
use provena_client::view::{JobView, terms_hash};
use provena_market::client::JobRecord;
use provena_market::state::{Job, JobState, Offer, Seat, SeatState};
use provena_wire::receipt::{SignedReceipt, sign};
use solana_pubkey::Pubkey;

const CLUSTER: [u8; 32] = [1; 32];

/// What a receipt speaks of.
#[derive(Clone)]
struct Case {
    receipt: Receipt,
    job: JobView,
    offer: Offer,
}

impl Case {
    fn new() -> Self {
        let key = key();
        let mut offer: Offer = bytemuck::Zeroable::zeroed();
        offer.asset = Pubkey::new_from_array([4; 32]);
        offer.asset_version = 3;
        offer.content_root = [6; 32];
        offer.recipe_root = [7; 32];
        offer.engine_class = 1;
        let mut job: Job = bytemuck::Zeroable::zeroed();
        job.payer = Pubkey::new_from_array([2; 32]);
        job.offer = Pubkey::new_from_array([5; 32]);
        job.input_root = [8; 32];
        job.posted_at = 345;
        (job.base_price, job.input_price, job.output_price) = (100, 10, 1_000);
        (job.max_input, job.max_output, job.deposit) = (20, 20, 100_000);
        job.terms_hash = terms_hash(&job, &offer, &CLUSTER);
        job.state = JobState::Agreed as u8;
        job.decided_at = 400;
        job.winner = 1;
        let mut seats: Vec<Seat> = vec![bytemuck::Zeroable::zeroed(); 3];
        for (index, node) in [(1, key.verifying_key().to_bytes()), (2, [77; 32])] {
            let seat: &mut Seat = &mut seats[index];
            seat.node = Pubkey::from(node);
            seat.state = SeatState::Revealed as u8;
            (seat.value, seat.units_in, seat.units_out) = ([9; 32], 12, 5);
        }
        let address = Pubkey::new_from_array([3; 32]);
        let receipt = Receipt {
            version: RECEIPT_VERSION,
            kind: KIND_JOB,
            cluster: CLUSTER,
            program: provena_market::ID.to_bytes(),
            place: address.to_bytes(),
            number: 0,
            node: key.verifying_key().to_bytes(),
            payer: [2; 32],
            asset: [4; 32],
            asset_version: 3,
            content_root: [6; 32],
            recipe_root: [7; 32],
            input_root: [8; 32],
            result_root: [9; 32],
            terms_hash: job.terms_hash,
            mint: [0; 32],
            amount: 100 + 12 * 10 + 5 * 1_000,
            engine_class: 1,
            units_in: 12,
            units_out: 5,
            slot: 345,
        };
        Self { receipt, job: JobView(JobRecord { address, job, seats }), offer }
    }

    fn signed(&self) -> SignedReceipt {
        sign(&self.receipt, &key()).unwrap()
    }

    fn check(&self) -> Result<(), ReceiptMismatch> {
        check_against(&self.signed(), &CLUSTER, &self.job)
    }

    fn check_offer(&self) -> Result<(), ReceiptMismatch> {
        check_offer(&self.signed(), &CLUSTER, &self.job, &self.offer)
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

#[track_caller]
fn assert_differs(found: Result<(), ReceiptMismatch>, name: &str) {
    let error = found.unwrap_err();
    assert!(matches!(error, ReceiptMismatch::Differs { field, .. } if field == name), "{name}: {error}");
}

#[test]
fn check_against_rejects_every_difference_by_name() {
    Case::new().check().unwrap();
    type Change = (&'static str, fn(&mut Receipt));
    let changes: [Change; 13] = [
        ("kind", |receipt| receipt.kind = 2),
        ("number", |receipt| receipt.number = 1),
        ("place", |receipt| receipt.place[0] ^= 1),
        ("program", |receipt| receipt.program[0] ^= 1),
        ("cluster", |receipt| receipt.cluster[0] ^= 1),
        ("payer", |receipt| receipt.payer[0] ^= 1),
        ("input root", |receipt| receipt.input_root[0] ^= 1),
        ("terms hash", |receipt| receipt.terms_hash[0] ^= 1),
        ("mint", |receipt| receipt.mint[0] ^= 1),
        ("slot", |receipt| receipt.slot += 1),
        ("result root", |receipt| receipt.result_root[0] ^= 1),
        ("units of input", |receipt| receipt.units_in += 1),
        ("units of output", |receipt| receipt.units_out += 1),
    ];
    for (name, change) in changes {
        let mut case = Case::new();
        change(&mut case.receipt);
        assert_differs(case.check(), name);
    }
    let mut case = Case::new();
    case.receipt.amount += 1;
    assert_differs(case.check(), "amount");
    // Another chain is asked.
    let case = Case::new();
    assert_differs(check_against(&case.signed(), &[2; 32], &case.job), "cluster");
}

#[test]
fn check_offer_rejects_every_difference_by_name() {
    Case::new().check_offer().unwrap();
    type Change = (&'static str, fn(&mut Receipt));
    let changes: [Change; 6] = [
        ("terms hash", |receipt| receipt.terms_hash[0] ^= 1),
        ("asset", |receipt| receipt.asset[0] ^= 1),
        ("version of the asset", |receipt| receipt.asset_version += 1),
        ("content root", |receipt| receipt.content_root[0] ^= 1),
        ("recipe root", |receipt| receipt.recipe_root[0] ^= 1),
        ("engine class", |receipt| receipt.engine_class = 2),
    ];
    for (name, change) in changes {
        let mut case = Case::new();
        change(&mut case.receipt);
        assert_differs(case.check_offer(), name);
    }
    // An offer that was made again at the same address with other terms is not the job's.
    let mut case = Case::new();
    case.offer.content_root[0] ^= 1;
    assert_differs(case.check_offer(), "terms hash");
}

#[test]
fn check_against_rejects_a_node_with_which_no_quorum_agreed() {
    let not_agreed = |case: &Case| {
        let error = case.check().unwrap_err();
        assert!(matches!(error, ReceiptMismatch::NotAgreed { .. }), "{error}");
    };
    // Before the decision, and without one.
    for state in [JobState::Open, JobState::Revealing, JobState::Failed, JobState::Cancelled] {
        let mut case = Case::new();
        case.job.0.job.state = state as u8;
        not_agreed(&case);
    }
    // It has no seat, or revealed something else.
    let mut case = Case::new();
    case.job.0.seats[1].node = Pubkey::new_from_array([78; 32]);
    not_agreed(&case);
    let mut case = Case::new();
    case.job.0.job.winner = 2;
    case.job.0.seats[1].value = [10; 32];
    not_agreed(&case);
    // The second of two that agreed is as good as the first.
    let mut case = Case::new();
    case.job.0.job.winner = 2;
    case.check().unwrap();
}
