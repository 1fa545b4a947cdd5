//! What a payer is told of a job that cannot be cancelled or closed now, what comes back when it can, and what there is of it on
//! another machine.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    time::{Duration, Instant},
};

use provena_client::kept::JobsFolder;

use crate::{
    market::Market,
    provena::{Ended, Person, ended},
};

fn of(market: &Market, person: &Person, arguments: &[&str]) -> Ended {
    ended(market.command_of(person, arguments).output().unwrap())
}

/// What is kept is written where it is asked for, or it is said that it is not kept.
fn without_its_chain_the_receipt_is_written(market: &Market, job: &str) {
    let file = market.buyer.path("kept-receipt.json").display().to_string();
    let answer = market.buy(&["job", "answer", job, "--receipt", &file]).ok().json();
    assert_eq!(answer["receipt_file"], file);
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&written, &written["place"]), (&answer["receipt"], &job.into()));
    // No other file is replaced, and a receipt that is not here is not passed over.
    market.buy(&["job", "answer", job, "--receipt", &market.csv]).fails(2, &["exists already", "--force"]);
    let jobs = JobsFolder::open(market.buyer.path(".local/share/provena/jobs")).unwrap();
    let job_id = job.parse().unwrap();
    let kept = jobs.get(&job_id).unwrap().unwrap().receipts;
    jobs.note(&job_id, |record| record.receipts.clear()).unwrap();
    let none = market.buy(&["job", "answer", job, "--receipt", &file]);
    none.fails(1, &["no receipt of this job is kept", "without --receipt", "job receipt"]);
    market.buy(&["job", "answer", job]).ok();
    jobs.note(&job_id, |record| record.receipts = kept).unwrap();
}

#[test]
fn a_wrong_moment_is_said_with_the_state_and_what_can_be_done() {
    let market = Market::start();
    let asked = market.buy(&market.ask(&[])).ok().json();
    let job = asked["job"].as_str().unwrap().to_owned();
    market.buy(&["job", "cancel", &job]).fails(1, &["cannot be cancelled: it is answered", "job answer"]);
    market.buy(&["job", "close", &job]).fails(1, &["cannot be closed yet", "in about", "provena job close"]);
    // People read words, programs the market's states.
    let listed = market.read(&["job", "list"]).ok();
    listed.fits();
    assert!(listed.stdout.contains(" paid ") && listed.stdout.contains("its rent comes back"), "{}", listed.stdout);
    assert_eq!(market.jobs()[0]["state"], "agreed");
    // A receipt says where it is.
    let receipt = market.buy(&["job", "receipt", &job]).ok().json();
    let file = receipt["receipt_file"].as_str().unwrap();
    assert!(Path::new(file).is_file());
    market.buy(&["verify", file]).ok();

    // Another machine, without a wallet and with another one.
    let stranger = Person::new();
    of(&market, &stranger, &["job", "receipt", &job]).ok();
    of(&market, &stranger, &["job", "list"]).fails(1, &["there is no key file", "--keypair", "job receipt JOB"]);
    of(&market, &stranger, &["keygen"]).ok();
    of(&market, &stranger, &["job", "answer", &job])
        .fails(1, &["is paid for by another wallet", "job show", "job receipt"]);
    of(&market, &stranger, &["job", "cancel", &job]).fails(1, &["cannot be cancelled by this wallet"]);
    of(&market, &stranger, &["job", "close", &job]).fails(1, &["cannot be closed by this wallet"]);
    let all = of(&market, &stranger, &["job", "list", "--all"]).ok();
    assert!(all.stderr.contains("keeps no job of this wallet"), "{}", all.stderr);

    // Without its chain a job is still listed, and its answer shown.
    market.wire.silent(true);
    let listed = market.buy(&["job", "list"]).ok().json();
    assert_eq!((&listed[0]["job"], &listed[0]["state"]), (&asked["job"], &"unknown".into()));
    assert_eq!(market.buy(&["job", "answer", &job]).ok().json()["response"], asked["response"]);
    without_its_chain_the_receipt_is_written(&market, &job);
    market.wire.silent(false);

    // What is asked for next is shown before its job is waited for.
    let mut child = market.command(&market.ask(&["--wait-close"])).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let answer = lines.find(|line| line.as_ref().unwrap().contains("reads "));
    assert!(answer.is_some() && child.try_wait().unwrap().is_none(), "it still waits");
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn a_job_that_nobody_answers_costs_its_fees_alone() {
    let market = Market::start();
    let before = market.balance();
    // A request that no node has can be answered by none.
    market.front.silent(true);
    let unquoted = market.ask(&["--unquoted"]);
    market.buy(&unquoted).fails(1, &["no node has taken the request", "nothing was paid", "--undelivered"]);
    assert_eq!(market.balance(), before);
    let posted = market.buy(&[&unquoted[..], &["--undelivered", "--patience", "1"]].concat());
    posted.fails(3, &["no answer yet", "job cancel"]);
    let listed = market.read(&["job", "list"]).ok();
    assert!(listed.stdout.contains("waiting for a node"), "{}", listed.stdout);
    let listed = market.jobs().remove(0);
    let job = listed["job"].as_str().unwrap();
    assert_eq!(listed["state"], "open");
    market.buy(&["job", "close", job]).fails(1, &["it is waiting for a node", "job cancel"]);
    let cancelled = market.buy(&["job", "cancel", job]).ok().json();
    assert_eq!((&cancelled["state"], &cancelled["network_fees"]), (&"cancelled".into(), &5_000.into()));
    let rent = cancelled["rent"]["lamports"].as_u64().unwrap();
    // Posting and cancelling cost a fee each; the rest is lent.
    assert_eq!(market.balance(), before - 10_000 - rent);
    let shown = market.read(&["job", "show", job]).ok();
    shown.fits();
    assert!(shown.stdout.contains("refunded") && shown.stdout.contains("all of it came back"), "{}", shown.stdout);
    market.buy(&["job", "cancel", job]).fails(1, &["it was cancelled before"]);

    let begun = Instant::now();
    let closed = loop {
        let closed = market.buy(&["job", "close"]).ok().json();
        if closed["closed"].as_array().is_some_and(|closed| !closed.is_empty()) {
            break closed;
        }
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_secs(2));
    };
    assert_eq!((&closed["rent"], &closed["network_fees"]), (&rent.into(), &5_000.into()), "{closed}");
    assert_eq!(market.balance(), before - 15_000, "nothing else was lost");
    // No hint leads to a command that leads back.
    market.buy(&["job", "close", job]).fails(1, &["closed already: its deposit and its rent are back"]);
    market.buy(&["job", "answer", job]).fails(1, &["ended without an answer", "nothing is left to do"]);
    market.buy(&["job", "receipt", job]).fails(1, &["there will be no receipt"]);
    let all = market.read(&["job", "list", "--all"]).ok();
    assert!(all.stdout.contains("refunded") && !all.stdout.contains("look for its answer"), "{}", all.stdout);
    let stranger = Person::new();
    of(&market, &stranger, &["job", "show", job]).fails(1, &["is closed", "paid for it"]);
}
