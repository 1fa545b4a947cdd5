//! A receipt that was altered in any field is not one.

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{KIND_JOB, RECEIPT_VERSION, Receipt};
use provena_wire::receipt::{ReceiptError, SignedReceipt, load, parse, sign};

fn signed() -> (Receipt, SignedReceipt) {
    let key = SigningKey::from_bytes(&[5; 32]);
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        kind: KIND_JOB,
        cluster: [1; 32],
        program: [2; 32],
        place: [3; 32],
        number: 0,
        node: key.verifying_key().to_bytes(),
        payer: [10; 32],
        asset: [4; 32],
        asset_version: 2,
        content_root: [6; 32],
        recipe_root: [7; 32],
        input_root: [8; 32],
        result_root: [9; 32],
        terms_hash: [0; 32],
        mint: [11; 32],
        amount: 1_000_003,
        engine_class: 1,
        units_in: 12,
        units_out: 34,
        slot: 345,
    };
    let signed = sign(&receipt, &key).unwrap();
    (receipt, signed)
}

#[test]
fn a_receipt_survives_its_file() {
    let (receipt, signed) = signed();
    assert_eq!(signed.verify().unwrap(), receipt);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    std::fs::write(&path, serde_json::to_string_pretty(&signed).unwrap()).unwrap();
    assert_eq!(load(&path).unwrap(), signed);
    assert!(matches!(load(&folder.path().join("none")).unwrap_err(), ReceiptError::Unreadable { .. }));
}

#[test]
fn verify_rejects_every_altered_field() {
    let (_, signed) = signed();
    let fields = serde_json::to_value(&signed).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        let mut altered = fields.clone();
        altered[name] = match value {
            serde_json::Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            serde_json::Value::String(text) if text.len() == 64 => text.replacen('0', "1", 1).into(),
            serde_json::Value::String(_) if name == "signature" => bs58::encode([7; 64]).into_string().into(),
            _ => bs58::encode([200; 32]).into_string().into(),
        };
        let altered: SignedReceipt = serde_json::from_value(altered).unwrap();
        let error = altered.verify().unwrap_err();
        let expected = if name == "version" {
            matches!(error, ReceiptError::Version(3))
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
    let (_, signed) = signed();
    let mut extra = serde_json::to_value(&signed).unwrap();
    extra["note"] = "unsigned words".into();
    assert!(matches!(parse(&extra.to_string()).unwrap_err(), ReceiptError::Malformed(_)));
    let short = SignedReceipt { result_root: "00".to_owned(), ..signed };
    let error = short.verify().unwrap_err().to_string();
    assert!(error.contains("result_root"), "{error}");
}

#[test]
fn sign_rejects_another_nodes_receipt() {
    let (receipt, _) = signed();
    let error = sign(&receipt, &SigningKey::from_bytes(&[6; 32])).unwrap_err();
    assert!(matches!(error, ReceiptError::ForeignKey { .. }), "{error}");
}
