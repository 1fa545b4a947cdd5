//! A receipt that was altered in any field is not one.

use provena_arith::receipt::{RECEIPT_VERSION, Receipt};
use provena_market::state::{Job, Slot};
use provena_node::receipt::{ReceiptError, SignedReceipt, load, parse, sign};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

fn signed() -> (Keypair, Receipt, SignedReceipt) {
    let key = Keypair::new_from_array([5; 32]);
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        cluster: [1; 32],
        market_program: provena_market::ID.to_bytes(),
        job: [3; 32],
        node: key.pubkey().to_bytes(),
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
    (key, receipt, signed)
}

#[test]
fn a_receipt_survives_its_file() {
    let (_, receipt, signed) = signed();
    assert_eq!(signed.verify().unwrap(), receipt);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    std::fs::write(&path, serde_json::to_string_pretty(&signed).unwrap()).unwrap();
    assert_eq!(load(&path).unwrap(), signed);
    assert!(matches!(load(&folder.path().join("none")).unwrap_err(), ReceiptError::Unreadable { .. }));
}

#[test]
fn verify_rejects_every_altered_field() {
    let (_, _, signed) = signed();
    let fields = serde_json::to_value(&signed).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        let mut altered = fields.clone();
        altered[name] = match value {
            serde_json::Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            serde_json::Value::String(text) if text.len() == 64 => text.replacen('0', "1", 1).into(),
            serde_json::Value::String(_) if name == "signature" => {
                solana_signature::Signature::from([7; 64]).to_string().into()
            }
            _ => Pubkey::new_from_array([200; 32]).to_string().into(),
        };
        let altered: SignedReceipt = serde_json::from_value(altered).unwrap();
        let error = altered.verify().unwrap_err();
        let expected = if name == "version" {
            matches!(error, ReceiptError::Version(2))
        } else {
            matches!(error, ReceiptError::Signature { .. })
        };
        assert!(expected, "{name}: {error}");
    }
}

#[test]
fn parse_rejects_what_is_no_receipt() {
    for text in ["", "{}", "[]", "{\"version\": 1}"] {
        assert!(matches!(parse(text).unwrap_err(), ReceiptError::Malformed(_)), "{text}");
    }
    let (_, _, signed) = signed();
    let mut extra = serde_json::to_value(&signed).unwrap();
    extra["note"] = "unsigned words".into();
    assert!(matches!(parse(&extra.to_string()).unwrap_err(), ReceiptError::Malformed(_)));
    let short = SignedReceipt { result_root: "00".to_owned(), ..signed };
    let error = short.verify().unwrap_err().to_string();
    assert!(error.contains("result_root"), "{error}");
}

#[test]
fn sign_rejects_another_nodes_receipt() {
    let (_, receipt, _) = signed();
    let error = sign(&receipt, &Keypair::new_from_array([6; 32])).unwrap_err();
    assert!(matches!(error, ReceiptError::Differs { field: "node", .. }), "{error}");
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
    let (_, receipt, signed) = signed();
    let address = Pubkey::from(receipt.job);
    let job = settled_job(&receipt);
    signed.check_against(&address, &job, None).unwrap();
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
        let error = signed.check_against(&address, &job, None).unwrap_err();
        assert!(matches!(error, ReceiptError::Differs { field, .. } if field == name), "{name}: {error}");
    }
    let error = signed.check_against(&Pubkey::default(), &job, None).unwrap_err();
    assert!(matches!(error, ReceiptError::Differs { field: "job", .. }), "{error}");
    let mut job = settled_job(&receipt);
    job.nodes[1] = Pubkey::default();
    let error = signed.check_against(&address, &job, None).unwrap_err();
    assert!(matches!(error, ReceiptError::NotRevealed { .. }), "{error}");
}

#[test]
fn check_against_takes_the_slot_before_the_settlement() {
    let (_, receipt, signed) = signed();
    let address = Pubkey::from(receipt.job);
    let mut job = settled_job(&receipt);
    job.result_root = [0; 32];
    job.units_used = 0;
    let error = signed.check_against(&address, &job, None).unwrap_err();
    assert!(matches!(error, ReceiptError::NotRevealed { .. }), "{error}");
    let mut slot: Slot = bytemuck::Zeroable::zeroed();
    slot.authority = Pubkey::from(receipt.node);
    slot.result_root = receipt.result_root;
    slot.units = receipt.units;
    signed.check_against(&address, &job, Some(&slot)).unwrap();
}
