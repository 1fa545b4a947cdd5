//! A receipt that says something else than the chain does not hold.

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{RECEIPT_VERSION, Receipt};
use provena_client::receipt::{ReceiptMismatch, check_against};
use provena_market::state::{Job, Slot};
use provena_wire::receipt::{SignedReceipt, sign};
use solana_pubkey::Pubkey;

fn signed() -> (Receipt, SignedReceipt) {
    let key = SigningKey::from_bytes(&[5; 32]);
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        cluster: [1; 32],
        market_program: provena_market::ID.to_bytes(),
        job: [3; 32],
        node: key.verifying_key().to_bytes(),
        asset: [4; 32],
        content_root: [6; 32],
        recipe_root: [7; 32],
        input_root: [8; 32],
        result_root: [9; 32],
        engine_class: 1,
        units: 12,
        slot: 345,
    };
    let signed = sign(&receipt, &key).unwrap();
    (receipt, signed)
}

fn settled_job(receipt: &Receipt) -> Job {
    let mut job: Job = bytemuck::Zeroable::zeroed();
    job.cluster = receipt.cluster;
    job.asset = Pubkey::from(receipt.asset);
    job.content_root = receipt.content_root;
    job.recipe_root = receipt.recipe_root;
    job.input_root = receipt.input_root;
    job.result_root = receipt.result_root;
    job.engine_class = receipt.engine_class;
    job.units_used = receipt.units;
    job.nodes[1] = Pubkey::from(receipt.node);
    job
}

#[test]
fn check_against_rejects_every_difference_by_name() {
    let (receipt, signed) = signed();
    let address = Pubkey::from(receipt.job);
    let job = settled_job(&receipt);
    check_against(&signed, &address, &job, None).unwrap();
    type Change = (&'static str, fn(&mut Job));
    let changes: [Change; 8] = [
        ("cluster", |job| job.cluster[0] ^= 1),
        ("asset", |job| job.asset = Pubkey::default()),
        ("content root", |job| job.content_root[0] ^= 1),
        ("recipe root", |job| job.recipe_root[0] ^= 1),
        ("input root", |job| job.input_root[0] ^= 1),
        ("result root", |job| job.result_root[0] ^= 1),
        ("engine class", |job| job.engine_class = 2),
        ("units", |job| job.units_used += 1),
    ];
    for (name, change) in changes {
        let mut job = settled_job(&receipt);
        change(&mut job);
        let error = check_against(&signed, &address, &job, None).unwrap_err();
        assert!(matches!(error, ReceiptMismatch::Differs { field, .. } if field == name), "{name}: {error}");
    }
    let error = check_against(&signed, &Pubkey::default(), &job, None).unwrap_err();
    assert!(matches!(error, ReceiptMismatch::Differs { field: "job", .. }), "{error}");
    let mut job = settled_job(&receipt);
    job.nodes[1] = Pubkey::default();
    let error = check_against(&signed, &address, &job, None).unwrap_err();
    assert!(matches!(error, ReceiptMismatch::NotRevealed { .. }), "{error}");
}

#[test]
fn check_against_takes_the_slot_before_the_settlement() {
    let (receipt, signed) = signed();
    let address = Pubkey::from(receipt.job);
    let mut job = settled_job(&receipt);
    job.result_root = [0; 32];
    job.units_used = 0;
    let error = check_against(&signed, &address, &job, None).unwrap_err();
    assert!(matches!(error, ReceiptMismatch::NotRevealed { .. }), "{error}");
    let mut slot: Slot = bytemuck::Zeroable::zeroed();
    slot.authority = Pubkey::from(receipt.node);
    slot.result_root = receipt.result_root;
    slot.units = receipt.units;
    check_against(&signed, &address, &job, Some(&slot)).unwrap();
}
