//! A node that keeps an agreed answer back, and what a receipt may not take the place of.

use std::{
    fs,
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::market::Market;

/// Nobody waits longer than he said, what a demand costs is said and billed under its name, and nothing that is here already
/// needs the node again.
#[test]
fn a_node_that_keeps_the_answer_back_costs_what_is_said() {
    let market = Market::start();
    let job = unfetched(&market);
    let shown = market.read(&["job", "show", &job]).ok();
    assert!(shown.stdout.contains("answered") && shown.stdout.contains("job answer"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("takes it back"), "{}", shown.stdout);
    market.buy(&["job", "close", &job]).fails(1, &["its answer waits to be fetched", "job answer"]);
    let closed = market.read(&["job", "close"]).ok();
    assert!(closed.stdout.contains(&job) && closed.stdout.contains("job answer"), "{}", closed.stdout);
    let before = market.balance();
    let impatient = market.buy(&["job", "answer", &job, "--patience", "4"]);
    impatient.fails(3, &["no node hands it out yet", "--patience 120", "0.00006 SOL"]);
    assert_eq!(market.balance(), before, "nothing was demanded");

    let patient = market.read(&["job", "answer", &job]).ok();
    let said = patient.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["it is demanded on the chain", "it was demanded on the chain, for a fee and a deposit of 0.00006 SOL"]
    {
        assert!(said.contains(words), "`{words}` is missing in {said}");
    }
    assert!(!said.contains("not paid yet"), "{said}");
    assert!(patient.stdout.contains("for the demand"), "{}", patient.stdout);
    let answer = market.buy(&["job", "answer", &job]).ok().json();
    // Who reads no words is told of the demand, too; another command made it.
    let demand = &answer["demand"];
    assert_eq!(
        (&demand["signature"], &demand["deposit"], &demand["met"]),
        (&Value::Null, &60_000.into(), &true.into())
    );
    let bill = answer["bill"].clone();
    assert_eq!(
        (&bill["demand_deposit"], &bill["demand_met"], &bill["other"]),
        (&60_000.into(), &true.into(), &0.into())
    );

    // Once the receipt is here the node is not asked for it.
    market.front.silent(false);
    assert!(market.buy(&["job", "answer", &job]).ok().json()["receipt"].is_object());
    market.front.silent(true);
    let asked = market.front.connections();
    assert!(market.buy(&["job", "answer", &job]).ok().json()["receipt"].is_object());
    assert_eq!(market.front.connections(), asked);
}

/// Asks, and goes away before the answer is fetched, which the node keeps back from then on.
fn unfetched(market: &Market) -> String {
    let mut child = market.command(&market.ask(&[])).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("paying for job"))).unwrap();
    let job = line.split_whitespace().last().unwrap().to_owned();
    // The latest job is this one before it is paid for.
    assert_eq!(market.buy(&["book"]).ok().stdout.matches(&job).count(), 1);
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("is paid for"))));
    let _ = child.kill();
    let _ = child.wait();
    market.front.silent(true);
    let begun = Instant::now();
    while market.buy(&["job", "show", "@last"]).ok().json()["state"] != "agreed" {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(200));
    }
    job
}

/// Whoever asked for JSON reads what the demand cost also where the answer does not come in time.
#[test]
fn a_demand_in_vain_is_told_to_programs() {
    let mut market = Market::start();
    let job = unfetched(&market);
    market.stop_node();
    let before = market.balance();
    let begun = Instant::now();
    let ended = market.buy(&["job", "answer", &job, "--patience", "34"]);
    // One patience for everything; starting and reading take a moment.
    assert!(begun.elapsed() < Duration::from_secs(39), "{:?}", begun.elapsed());
    ended.fails(3, &["it was demanded on the chain"]);
    let told: Value = serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    let demand = &told["demand"];
    assert_eq!(
        (&demand["deposit"], &demand["met"], &told["job"]),
        (&60_000.into(), &false.into(), &job.as_str().into())
    );
    assert!(demand["signature"].is_string(), "{told}");
    assert_eq!(before - market.balance(), 65_000);
}

/// A receipt takes the place of a receipt of the same job, or of what the person says; and never of the wallet.
#[test]
fn a_receipt_replaces_no_other_file() {
    let market = Market::start();
    let wallet = market.buyer.path(".config/provena/id.json").display().to_string();
    let other = market.buyer.path("other.txt").display().to_string();
    fs::write(&other, "mine").unwrap();
    let folder = market.buyer.path("").display().to_string();
    let (key, before) = (fs::read(&wallet).unwrap(), market.balance());
    for force in [&[][..], &["--force"]] {
        market.buy(&[&market.ask(&["--receipt", &wallet])[..], force].concat()).fails(2, &["never replaced"]);
    }
    market.buy(&market.ask(&["--receipt", &other])).fails(2, &["exists already", "--force"]);
    market.buy(&market.ask(&["--receipt", &folder])).fails(2, &["is a folder", "name a file in it"]);
    // The network's part counts, and is said.
    market.buy(&market.ask(&["--most", "0.001"])).fails(1, &["for the network)", "more than the 0.001 SOL of --most"]);
    assert_eq!(market.balance(), before);

    let file = market.buyer.path("receipt.json").display().to_string();
    let first = market.buy(&market.ask(&["--receipt", &file])).ok().json();
    let job = first["job"].as_str().unwrap();
    let before = market.balance();
    market.buy(&market.ask(&["--receipt", &file])).fails(2, &["exists already"]);
    assert_eq!(market.balance(), before);
    market.buy(&["job", "answer", job, "--receipt", &file]).ok();
    market.buy(&["job", "receipt", job, "--out", &file]).ok();
    market.buy(&["job", "receipt", job, "--out", &other]).fails(2, &["exists already", "--force"]);
    market.buy(&["job", "receipt", job, "--out", &wallet, "--force"]).fails(2, &["never replaced"]);
    assert_eq!((fs::read(&wallet).unwrap(), fs::read_to_string(&other).unwrap()), (key, "mine".to_owned()));
    market.buy(&["job", "receipt", job, "--out", &other, "--force"]).ok();
    market.buy(&["verify", &other]).ok();
}
