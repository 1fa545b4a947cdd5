//! The demo, end to end, in every currency it knows.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::provena::Person;

const FIELDS: [&str; 19] = [
    "model",
    "asset",
    "job",
    "adapter",
    "backend",
    "class",
    "result_root",
    "result_matches_reference",
    "receipt_verified",
    "mint",
    "units_in",
    "units_out",
    "deposit",
    "node_fee",
    "protocol_fee",
    "royalty",
    "refund",
    "holders",
    "conserved",
];

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_else(|| panic!("{field} is no amount in {value}"))
}

/// Checks everything that holds whatever the payment.
fn check(outcome: &Value) {
    let fields: BTreeSet<&str> = outcome.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(FIELDS));
    assert_eq!(outcome["class"], "int-v1");
    for field in ["result_matches_reference", "receipt_verified", "conserved"] {
        assert_eq!(outcome[field], true, "{field}");
    }
    for field in ["asset", "job"] {
        let address = outcome[field].as_str().unwrap();
        assert!(address.parse::<solana_pubkey::Pubkey>().is_ok(), "{field}: {address}");
    }
    let root = outcome["result_root"].as_str().unwrap();
    assert!(root.len() == 64 && root.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
    assert!(!outcome["adapter"].as_str().unwrap().is_empty());

    let amount = |field| number(outcome, field);
    let out = amount("node_fee") + amount("protocol_fee") + amount("royalty") + amount("refund");
    assert_eq!(out, amount("deposit"));
    for field in ["node_fee", "protocol_fee", "royalty", "refund"] {
        assert!(amount(field) > 0, "{field}");
    }
    let holders = outcome["holders"].as_array().unwrap();
    let names: Vec<&str> = holders.iter().map(|holder| holder["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["trainer", "curator", "contributor-1", "contributor-2"]);
    let mut claimed = 0;
    for holder in holders {
        assert_eq!(holder["owed"], holder["claimed"], "{holder}");
        assert!(holder["address"].as_str().unwrap().parse::<solana_pubkey::Pubkey>().is_ok());
        claimed += number(holder, "claimed");
    }
    // What cannot be divided stays in the pools: less than one unit for each position.
    assert!(claimed <= amount("royalty") && amount("royalty") - claimed < 5);
    // 60%, 15%, and 25% of which 60% and 40%.
    let part = |index: usize| number(&holders[index], "claimed");
    let royalty = amount("royalty");
    for (index, expected) in
        [royalty * 60 / 100, royalty * 15 / 100, royalty * 15 / 100, royalty / 10].iter().enumerate()
    {
        assert!(part(index).abs_diff(*expected) <= 1, "{index}: {} is not {expected}", part(index));
    }
}

#[test]
fn the_demo_holds_in_sol() {
    let outcome = Person::new().run(&["demo", "--json"]).ok().json();
    check(&outcome);
    assert_eq!(outcome["backend"], "wgpu");
    assert_eq!(outcome["mint"], "SOL");
    // Six pictures paid for at 0.001 SOL, four asked: a third comes back; 60% royalty, 1% protocol.
    assert_eq!(number(&outcome, "deposit"), 6_000_000);
    assert_eq!(number(&outcome, "refund"), 2_000_000);
    assert_eq!(number(&outcome, "royalty"), 2_400_000);
    assert_eq!(number(&outcome, "protocol_fee"), 40_000);
    assert_eq!(number(&outcome, "node_fee"), 1_560_000);
    assert_eq!((number(&outcome, "units_in"), number(&outcome, "units_out")), (4, 0));
}

#[test]
fn the_demo_holds_in_a_token_and_on_the_processor() {
    let outcome = Person::new().run(&["demo", "--json", "--token", "--adapter", "cpu", "--row", "4"]).ok().json();
    check(&outcome);
    assert_eq!(outcome["backend"], "cpu");
    assert!(outcome["mint"].as_str().unwrap().parse::<solana_pubkey::Pubkey>().is_ok());
    assert_eq!(number(&outcome, "deposit"), 150_000);
}

#[test]
fn the_demo_holds_for_a_conversation() {
    let outcome = Person::new().run(&["demo", "--json", "--model", "smollm2"]).ok().json();
    check(&outcome);
    assert_eq!((&outcome["model"], &outcome["backend"]), (&"SmolLM2".into(), &"wgpu".into()));
    // At 0.00001 SOL: 128 tokens for the template, 16 + 4 + 16 for the question, 24 for the answer, 2 to spare. The
    // template and the question are 34 tokens.
    assert_eq!(number(&outcome, "deposit"), 1_900_000);
    let (asked, answered) = (number(&outcome, "units_in"), number(&outcome, "units_out"));
    assert!(asked == 34 && (1..=24).contains(&answered), "{outcome}");
    assert_eq!(number(&outcome, "refund"), 1_900_000 - 10_000 * (34 + answered));
}

#[test]
fn the_demo_tells_its_story_to_people() {
    let ended = Person::new().run(&["demo"]).ok();
    for words in [
        "becomes an NFT",
        "claimed 8 slots before",
        "██",
        "reads 6",
        "byte for byte the same",
        "signed by the node",
        "the model's inbox (royalty)",
        "back when the job is closed",
        "swept into the dataset's own",
        "It adds up:",
    ] {
        // Wherever lines break.
        let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(words), "`{words}` is missing in:\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().count() <= 85, "a newcomer reads no more than this:\n{}", ended.stdout);
    ended.fits();
    assert_eq!(ended.stderr, "", "no progress line is drawn where there is no terminal");
}
