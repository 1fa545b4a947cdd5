//! Buying from anybody's node, and what can go wrong on the way: no money and no paid answer is lost, and whoever is told to
//! stop is told what was paid. Each test plays a finding (N6 to N9, N14) against the real binary, node and chain.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use provena_client::kept::JobsFolder;
use serde_json::Value;

use crate::{
    market::Market,
    provena::{Ended, Person, ended},
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// What a command that failed says with `--json`.
fn error(ended: &Ended) -> Value {
    let line = ended.stderr.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr))
}

/// Reads what a command says on stderr until a line contains `words`, and gives the line.
fn until(child: &mut Child, words: &str) -> String {
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    let mut said = Vec::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("`{words}` never comes: {said:?}")).unwrap();
        if line.contains(words) {
            return line;
        }
        said.push(line);
    }
}

#[test]
fn a_payer_with_his_own_home_buys_from_anybodys_node() {
    let market = Market::start();
    let shown = market.buy(&market.ask(&["--dry-run"])).ok().json();
    assert_eq!((&shown["deposit"], &shown["units_in"]), (&1_000_000.into(), &1.into()));
    assert_eq!(shown["nodes"].as_array().unwrap().len(), 1);
    assert!(market.jobs().is_empty(), "nothing was paid");

    let receipt = market.buyer.path("receipt.json").display().to_string();
    let asked = market.read(&market.ask(&["--receipt", &receipt])).ok();
    asked.fits();
    for words in ["this costs at most 0.001 SOL", "are lent until", "paying for job", "is paid for"] {
        assert!(asked.stderr.contains(words), "`{words}` is missing in: {}", asked.stderr);
    }
    for words in ["reads ", "network fees", "your wallet"] {
        assert!(asked.stdout.contains(words), "`{words}` is missing in: {}", asked.stdout);
    }
    // The buyer has neither the model nor a folder in common with the seller: it comes from the node.
    let store = market.buyer.path(".local/share/provena/store");
    let _ = fs::remove_dir_all(&store);
    let verified = market.buy(&["verify", &receipt, "--recompute"]).ok().json();
    assert_eq!((&verified["chain"], &verified["recomputed"]), (&"job and offer".into(), &"equal".into()));
    // Somebody who knows nothing but the receipt checks it, too.
    let stranger = Person::new();
    let check = ended(market.command_of(&stranger, &["verify", &receipt, "--recompute"]).output().unwrap()).ok();
    assert!(check.stderr.contains("fetching the model"), "{}", check.stderr);
}

/// Ctrl-c at many moments: whatever was paid for by then is named, kept and finished later; when nothing was paid, that is
/// what is said.
#[test]
fn n6_ctrl_c_at_any_moment_loses_no_job() {
    let market = Market::start();
    let folder = market.buyer.path(".local/share/provena/jobs");
    let (mut named, mut delay) = (0, Duration::from_millis(100));
    loop {
        let before = market.balance();
        let mut ask = market.command(&market.ask(&["--json"]));
        let child = ask.spawn().unwrap();
        std::thread::sleep(delay);
        let alive = child.id();
        let _ = Command::new("kill").args(["-INT", &alive.to_string()]).status();
        let said = ended(child.wait_with_output().unwrap());
        delay += Duration::from_millis(150);
        if said.code == Some(0) {
            break;
        }
        assert_eq!(said.code, Some(130), "{}", said.stderr);
        let said = error(&said);
        match said["job"].as_str() {
            Some(job) => {
                named += 1;
                assert!(text(&said["hint"]).contains(job), "{said}");
                let kept = JobsFolder::open(&folder).unwrap().get(&job.parse().unwrap()).unwrap();
                assert!(kept.is_some(), "{job} is not kept");
            }
            None => {
                assert!(text(&said["error"]).contains("nothing was paid"), "{said}");
                assert_eq!(market.balance(), before, "and nothing was");
            }
        }
    }
    // How often nothing was paid yet depends on the machine's speed.
    assert!(named > 0, "no job was ever named");
    // What is on the chain is all listed, and each of them ends with its answer.
    for job in market.jobs() {
        if job["state"] == "being paid" {
            continue;
        }
        let answer = market.buy(&["job", "answer", text(&job["job"])]).ok().json();
        assert!(answer["response"]["Classify"]["labels"].is_array(), "{answer}");
        assert!(answer["receipt"].is_object());
    }
}

/// The chain falls silent after the deposit is paid: for a while, which is only waited for, and for good.
#[test]
fn n6_a_silent_chain_costs_no_paid_job() {
    let market = Market::start();
    let mut child = market.command(&market.ask(&["--patience", "60"])).spawn().unwrap();
    until(&mut child, "is paid for");
    market.wire.silent(true);
    std::thread::sleep(Duration::from_secs(4));
    assert!(child.try_wait().unwrap().is_none(), "it goes on asking");
    market.wire.silent(false);
    let done = ended(child.wait_with_output().unwrap()).ok();
    assert!(done.stdout.contains("reads "), "{}", done.stdout);

    market.front.keep_back(&["/v1/blobs"]);
    // Another question, which the node does not have from before.
    let another = ["--row", "1", "--patience", "2", "--unquoted", "--undelivered"];
    let mut child = market.command(&market.ask(&another)).spawn().unwrap();
    let line = until(&mut child, "is paid for");
    let job = line.split(' ').nth(1).unwrap().to_owned();
    market.wire.silent(true);
    let gone = ended(child.wait_with_output().unwrap());
    market.wire.silent(false);
    assert_eq!(gone.code, Some(3), "{}", gone.stderr);
    assert!(gone.stderr.contains("the chain does not answer"), "{}", gone.stderr);
    assert!(gone.stderr.contains(&format!("provena job answer {job} --url {}", market.wire.url)), "{}", gone.stderr);
    market.front.keep_back(&[]);
    // The node never got the request; the command that goes on sends it once more.
    let answer = market.buy(&["job", "answer", &job]).ok().json();
    assert_eq!(answer["job"], job.as_str());
}

/// Nothing was posted, because the chain was gone when the deposit was to be sent: that is told apart from what was paid.
#[test]
fn n6_a_job_that_was_never_posted_is_told_apart() {
    let market = Market::start();
    let before = market.balance();
    let mut child = market.command(&market.ask(&["--json"])).spawn().unwrap();
    let folder = market.buyer.path(".local/share/provena/jobs");
    let begun = Instant::now();
    // The moment between keeping the job and sending the deposit.
    while JobsFolder::open(&folder).unwrap().all().unwrap().0.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    let _ = child.wait();
    let record = JobsFolder::open(&folder).unwrap().all().unwrap().0.remove(0);
    let job = record.job.to_string();
    let deadline = Instant::now() + Duration::from_secs(90);
    let state = loop {
        let state = market.buy(&["job", "show", &job]).ok().json()["state"].clone();
        if state != "being paid" || Instant::now() > deadline {
            break state;
        }
        let early = market.buy(&["job", "answer", &job]);
        if early.code == Some(3) {
            assert!(text(&error(&early)["error"]).contains("not on the chain yet"), "{}", early.stderr);
        }
        std::thread::sleep(Duration::from_secs(2));
    };
    eprintln!("killed between keeping and paying: {state}");
    if state == "never posted" {
        assert_eq!(market.balance(), before);
        market.buy(&["job", "answer", &job]).fails(1, &["was never posted; nothing was paid"]);
        market.buy(&["job", "close"]).ok();
        assert!(market.jobs().is_empty(), "it is forgotten");
    } else {
        // The kill came too late: it was paid, and nothing is lost either.
        market.buy(&["job", "answer", &job]).ok();
    }
}

/// An answer for which nobody waited is fetched later, and outlives its job.
#[test]
fn n6_an_answer_for_which_nobody_waited_outlives_its_job() {
    let market = Market::start();
    let mut child = market.command(&market.ask(&[])).spawn().unwrap();
    let line = until(&mut child, "is paid for");
    let _ = child.kill();
    let _ = child.wait();
    let job = line.split(' ').nth(1).unwrap().to_owned();
    let shown = || market.buy(&["job", "show", &job]).ok().json();
    let begun = Instant::now();
    while shown()["state"] != "agreed" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", shown());
        std::thread::sleep(Duration::from_millis(200));
    }
    let again = market.buy(&["job", "answer", &job]).ok().json();
    let labels = again["response"].clone();
    let folder = JobsFolder::open(market.buyer.path(".local/share/provena/jobs")).unwrap();
    assert!(folder.answer(&job.parse().unwrap()).unwrap().is_some());
    // A second time nothing has to be paid or waited for.
    let twice = market.read(&["job", "answer", &job]).ok();
    assert!(!twice.stderr.contains("not paid yet"), "{}", twice.stderr);

    // Its time comes, and it is closed.
    let from = shown()["rent"]["back_from_slot"].as_u64().unwrap();
    let begun = Instant::now();
    while market.buy(&["job", "close"]).ok().json()["closed"].as_array().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(120), "from slot {from}");
        std::thread::sleep(Duration::from_secs(2));
    }
    assert_eq!(shown()["state"], "closed");
    let closed = market.buy(&["job", "answer", &job]).ok().json();
    assert_eq!((&closed["response"], &closed["closed"]), (&labels, &true.into()));
}

/// A receipt that cannot be written, a node that is gone when it is asked for: the answer is printed, and the receipt is
/// fetched later.
#[test]
fn n7_an_answer_is_printed_whatever_becomes_of_the_receipt() {
    let market = Market::start();
    let before = market.balance();
    let nowhere = format!("{}/receipt.json", market.csv);
    market.buy(&market.ask(&["--receipt", &nowhere])).fails(1, &["could not be written", "nothing was paid"]);
    assert_eq!(market.balance(), before);

    // The folder goes after the check.
    let folder = market.buyer.path("receipts-here");
    let file = folder.join("receipt.json").display().to_string();
    let mut child = market.command(&market.ask(&["--receipt", &file])).spawn().unwrap();
    until(&mut child, "is paid for");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    let done = ended(child.wait_with_output().unwrap()).ok();
    assert!(done.stdout.contains("reads "), "{}", done.stdout);
    assert!(done.stderr.contains("cannot write the receipt"), "{}", done.stderr);
    assert!(done.stderr.contains("provena job receipt"), "{}", done.stderr);

    // The node hands no receipts out for now.
    market.front.keep_back(&["/v1/receipts"]);
    let done = market.buy(&market.ask(&[])).ok().json();
    assert_eq!((&done["receipt"], &done["response"]["Classify"]["labels"].is_array()), (&Value::Null, &true));
    let job = text(&done["job"]).to_owned();
    let out = market.buyer.path("later.json").display().to_string();
    market.buy(&["job", "receipt", &job, "--out", &out]).fails(3, &["no receipt of this job yet", "503"]);
    market.front.keep_back(&[]);
    let fetched = market.buy(&["job", "receipt", &job, "--out", &out]).ok().json();
    assert_eq!(fetched["receipts"].as_array().unwrap().len(), 1);
    market.buy(&["verify", &out]).ok();
    // Once it is kept no node is needed.
    market.front.silent(true);
    fs::remove_file(&out).unwrap();
    market.buy(&["job", "receipt", &job, "--out", &out]).ok();
    market.buy(&["verify", &out]).ok();
}

/// The bill is what the wallet fell by, to the lamport; what is lent comes back by itself. And a receipt outlives its job,
/// for its payer and for strangers.
#[test]
fn n8_the_bill_is_what_the_wallet_fell_by_and_n9_a_receipt_outlives_its_job() {
    let market = Market::start();
    let asked = |options: &[&str]| {
        let before = market.balance();
        let answer = market.buy(&market.ask(options)).ok().json();
        let bill = answer["bill"].clone();
        let number = |field: &str| bill[field].as_i64().unwrap_or_else(|| panic!("{field} in {bill}"));
        let fell = i64::try_from(before).unwrap() - i64::try_from(market.balance()).unwrap();
        assert_eq!(number("wallet_fell"), fell, "{bill}");
        let parts = number("price") + number("network_fees") + number("lent") + number("other") - number("returned");
        assert_eq!(parts, fell, "{bill}");
        assert_eq!((number("price"), number("other")), (1_000_000, 0), "{bill}");
        answer
    };
    let first = asked(&[]);
    let lent = first["bill"]["lent"].as_i64().unwrap();
    assert!(lent > 3_000_000 && first["closed"] == false, "{first}");
    // The second waits, and is closed at the end; the first came back by then or comes back with the third.
    let file = market.buyer.path("receipt.json").display().to_string();
    let second = asked(&["--wait-close", "--receipt", &file]);
    assert_eq!((&second["bill"]["lent"], &second["closed"]), (&0.into(), &true.into()));
    assert!(second["bill"]["network_fees"].as_i64().unwrap() <= 3 * 5_000, "{second}");
    let third = asked(&[]);
    assert_eq!(third["bill"]["returned"].as_i64().unwrap(), lent, "{third}");

    let job = text(&second["job"]);
    let stranger = Person::new();
    let check = |person: &Person| {
        let checked = ended(market.command_of(person, &["verify", &file, "--json"]).output().unwrap());
        assert_eq!(checked.ok().json()["chain"], "history");
    };
    check(&market.buyer);
    check(&stranger);
    // The payer on another machine, who has kept nothing: the answer and the receipt come from the node.
    let other = Person::new();
    let key = market.buyer.path(".config/provena/id.json").display().to_string();
    let elsewhere = |arguments: &[&str]| {
        ended(market.command_of(&other, &[arguments, &["--keypair", &key, "--json"]].concat()).output().unwrap())
    };
    let answer = elsewhere(&["job", "answer", job]).ok().json();
    assert_eq!((&answer["response"], &answer["closed"]), (&second["response"], &true.into()));
    let out = other.path("receipt.json").display().to_string();
    elsewhere(&["job", "receipt", job, "--out", &out]).ok();
    assert!(Path::new(&out).is_file());
}

/// What cannot be answered is refused at once with its reason, and nothing is paid.
#[test]
fn n14_unfit_requests_are_refused_before_they_are_paid() {
    let mut market = Market::start();
    let before = market.balance();
    let refused = |market: &Market, options: &[&str], code: i32, words: &[&str]| {
        let begun = Instant::now();
        market.buy(&[&["infer", &market.offer], options].concat()).fails(code, words);
        assert!(begun.elapsed() < Duration::from_secs(60), "at once, not when a job's time is over");
    };
    let stops: Vec<&str> = std::iter::repeat_n(["--stop", "x"], 17).flatten().collect();
    let csv = market.csv.clone();
    refused(&market, &["--text", "hello"], 1, &["this model classifies images", "nothing was paid"]);
    refused(&market, &["--prompt", "hello"], 1, &["does not answer in words", "--csv"]);
    refused(&market, &["--prompt", "hello", "--stop", ""], 1, &["has 0 bytes, not 1 to 1024"]);
    refused(&market, &[&["--prompt", "hello"], &stops[..]].concat(), 1, &["17 texts end the answer"]);
    let picture = ["--csv", csv.as_str(), "--row", "0"];
    refused(&market, &[&picture[..], &["--most", "0.0001"]].concat(), 1, &["more than the 0.0001 SOL of --most"]);
    refused(&market, &[&picture[..], &["--most", "much"]].concat(), 2, &["--most", "not an amount"]);
    let many: Vec<&str> = std::iter::repeat_n(["--row", "0"], 65).flatten().collect();
    refused(&market, &[&["--csv", &csv], &many[..]].concat(), 1, &["65 in", "allows 64 in"]);
    market.front.silent(true);
    refused(&market, &picture, 1, &["no registered node can be reached", "--unquoted"]);
    market.front.silent(false);
    market.stop_node();
    refused(&market, &picture, 1, &["no registered node can be reached"]);
    assert_eq!(market.balance(), before);
    assert!(market.jobs().is_empty());
}
