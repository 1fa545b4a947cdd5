//! The chain that `provena demo --keep` leaves running, used from another terminal.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use provena_arith::receipt::Receipt;
use provena_client::keys;
use provena_engine::artifact::LlamaRecipe;
use provena_wire::receipt;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    localnet::nobody,
    provena::{Ended, Person},
    tiny_llama,
};

/// A demo that was kept, and what it told us to export.
pub(crate) struct Kept {
    child: Child,
    exports: BTreeMap<String, String>,
}

impl Kept {
    /// Starts the demo with these variables and waits until it says how to go on.
    pub(crate) fn start(person: &Person, environment: &[(&str, &str)]) -> Self {
        let mut demo = person.command();
        demo.args(["demo", "--keep"]).envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut child = demo.spawn().expect("provena runs");
        let mut exports = BTreeMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(pairs) = line.trim().strip_prefix("export ") {
                exports = pairs.split(' ').filter_map(|pair| pair.split_once('=')).map(owned).collect();
                break;
            }
        }
        assert_eq!(exports.len(), 3, "the demo says how to go on");
        Self { child, exports }
    }

    /// Runs a command line as "you", the demo's payer.
    pub(crate) fn run(&self, person: &Person, arguments: &[&str]) -> Ended {
        let output = person.command().args(arguments).arg("--json").envs(&self.exports).output().unwrap();
        crate::provena::ended(output)
    }

    /// As [`Kept::run`], as a person reads it; checks that it fits a terminal.
    pub(crate) fn read(&self, person: &Person, arguments: &[&str]) -> String {
        let output = person.command().args(arguments).envs(&self.exports).output().unwrap();
        let ended = crate::provena::ended(output).ok();
        ended.fits();
        ended.stdout
    }

    /// The key file of another of the demo's wallets.
    pub(crate) fn wallet(&self, name: &str) -> String {
        let yours = Path::new(&self.exports["PROVENA_KEYPAIR"]);
        yours.with_file_name(format!("{name}.json")).display().to_string()
    }

    /// What the demo's node has logged so far.
    pub(crate) fn log(&self) -> String {
        let wallets = Path::new(&self.exports["PROVENA_KEYPAIR"]).parent().unwrap();
        fs::read_to_string(wallets.with_file_name("node/node.log")).unwrap()
    }

    /// Mints a small language model on the same chain, where the same node serves it, and gives an offer for its use.
    pub(crate) fn sell(&self, person: &Person, recipe: &LlamaRecipe) -> String {
        let artifact = tiny_llama::random(recipe, 31);
        let file = person.path("words.pvna").display().to_string();
        fs::write(&file, artifact.bytes()).unwrap();
        let trainer = self.wallet("trainer");
        let mint = ["model", "mint", &file, "--title", "Words", "--keypair", &trainer];
        let minted = self.run(person, &mint).ok().json();
        let asset = minted["asset"].as_str().unwrap();
        let create = ["offer", "create", asset, "--price", "0.00003", "--keypair", &trainer];
        let limits = ["--max-input", "600", "--max-output", "600"];
        self.run(person, &[&create[..], &limits].concat()).ok().json()["offer"].as_str().unwrap().to_owned()
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Pictures that the model never saw, as one CSV file.
pub(crate) fn pictures(person: &Person) -> String {
    let rows: Vec<String> =
        (0..3u8).map(|ink| (0..64u8).map(|i| ((i + ink) % 17).to_string()).collect::<Vec<_>>().join(",")).collect();
    let file = person.path("pictures.csv");
    fs::write(&file, rows.join("\n")).unwrap();
    file.display().to_string()
}

#[test]
fn a_second_terminal_lists_pays_verifies_and_collects() {
    let person = Person::new();
    let kept = Kept::start(&person, &[]);
    let run = |arguments: &[&str]| kept.run(&person, arguments);

    let offers = run(&["offer", "list"]).ok().json();
    let offer = offers[0]["offer"].as_str().unwrap();
    let asset = offers[0]["asset"].as_str().unwrap();
    assert_eq!((&offers[0]["title"], &offers[0]["input_price"]), (&"Digit reader".into(), &1_000_000.into()));
    kept.read(&person, &["offer", "list"]);

    let csv = pictures(&person);
    let receipt = person.path("receipt.json").display().to_string();
    let infer = ["infer", offer, "--csv", &csv, "--row", "0", "--row", "2", "--recompute", "--receipt", &receipt];
    let answer = run(&infer).ok().json();
    assert_eq!(answer["recomputed_equal"], true);
    assert_eq!(answer["response"]["Classify"]["labels"].as_array().unwrap().len(), 2);
    assert_eq!((&answer["units_in"], &answer["units_out"], &answer["version"]), (&2.into(), &0.into(), &1.into()));
    let paid = |field: &str| answer["paid"][field].as_u64().unwrap();
    // 60% of 0.002 SOL to the holders, 1% to the protocol, the rest to the node.
    let parts = ["deposit", "royalty", "protocol_fee", "node_fee", "refund"].map(paid);
    assert_eq!(parts, [2_000_000, 1_200_000, 20_000, 780_000, 0]);

    let verified = run(&["verify", &receipt, "--recompute"]).ok().json();
    assert_eq!((&verified["chain"], &verified["recomputed"]), (&"job and offer".into(), &"equal".into()));
    receipts_that_do_not_hold(&run, &person, &receipt);
    let job = answer["job"].as_str().unwrap();
    a_job_is_looked_at_and_closed(&kept, &person, job, &receipt);
    royalties_reach_the_trainer_and_the_contributors(&kept, &person, asset);
    what_the_market_refuses(&run, offer, &csv, &kept.wallet("trainer"));
}

/// The demo's own job and ours are over; both are closed once their time has come, with all of their rent.
fn a_job_is_looked_at_and_closed(kept: &Kept, person: &Person, job: &str, receipt: &str) {
    let run = |arguments: &[&str]| kept.run(person, arguments);
    let shown = run(&["job", "show", job]).ok().json();
    assert_eq!((&shown["state"], &shown["royalty"]), (&"agreed".into(), &1_200_000.into()));
    assert_eq!(shown["seats"][0]["state"], "answered");
    kept.read(person, &["job", "show", job]);
    kept.read(person, &["job", "list"]);
    run(&["job", "cancel", job]).fails(1, &["cannot be cancelled: it is answered", "job answer"]);
    assert_eq!(run(&["job", "collect", job]).ok().json()["signatures"], Value::Array(Vec::new()));
    let again = run(&["job", "answer", job]).ok().json();
    assert_eq!((&again["job"], &again["signature"]), (&job.into(), &Value::Null));
    let stranger = kept.wallet("trainer");
    run(&["job", "answer", job, "--keypair", &stranger]).fails(1, &["is paid for by another wallet", "--keypair"]);

    let rent = shown["rent"]["lamports"].as_u64().unwrap();
    let from = shown["rent"]["back_from_slot"].as_u64().unwrap();
    assert!(rent <= 5_000_000, "{rent}");
    let balance = || run(&["balance"]).ok().json()["amount"].as_u64().unwrap();
    let (before, listed) = (balance(), run(&["job", "list"]).ok().json());
    // The demo's own job may be closed already, by our question.
    let open = listed.as_array().unwrap().len() as u64;
    assert!((1..=2).contains(&open), "{listed}");
    let early = run(&["job", "close", job]);
    if early.code == Some(1) {
        early.fails(1, &["cannot be closed yet", &from.to_string()]);
    }
    let begun = Instant::now();
    while !run(&["job", "list"]).ok().json().as_array().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(90), "151 slots of this chain take fifteen seconds");
        run(&["job", "close"]).ok();
        std::thread::sleep(Duration::from_secs(1));
    }
    let back = balance() - before;
    assert!((open * rent - 50_000..=open * rent).contains(&back), "their rent came back, less fees: {back}");
    let closed = run(&["job", "show", job]).ok().json();
    assert_eq!((&closed["state"], &closed["answered"]), (&"closed".into(), &true.into()));
    kept.read(person, &["job", "show", job]);
    let again = run(&["job", "answer", job]).ok().json();
    assert_eq!((&again["closed"], &again["receipt"]["place"]), (&true.into(), &job.into()));
    // The receipt holds all the same: its job's transactions say so.
    assert_eq!(run(&["verify", receipt]).ok().json()["chain"], "history");
}

/// The demo's claims emptied the pools; what this job paid lies in an inbox, and is collected once.
fn royalties_reach_the_trainer_and_the_contributors(kept: &Kept, person: &Person, asset: &str) {
    let run = |arguments: &[&str]| kept.run(person, arguments);
    let shown = run(&["royalty", "show", asset]).ok().json();
    assert_eq!((&shown["mints"][0]["waiting"], &shown["mints"][0]["held"]), (&1_200_000.into(), &0.into()));
    let dataset = run(&["asset", "show", asset]).ok().json()["parents"][0]["asset"].as_str().unwrap().to_owned();
    let derived = run(&["royalty", "show", &dataset]).ok().json()["mints"][0]["derived"].clone();
    assert_eq!((&derived[0]["asset"], &derived[0]["owed"]), (&asset.into(), &300_000.into()));
    kept.read(person, &["royalty", "show", &dataset]);

    let claim =
        |asset: &str, name: &str| run(&["royalty", "claim", asset, "--keypair", &kept.wallet(name)]).ok().json();
    // A contributor gives away some of its 60%. Before, this books the model's inbox and sweeps the dataset's quarter, so that
    // what the shares have earned stays with who held them.
    let somebody = nobody();
    let give = ["royalty", "transfer", &dataset, "--to", &somebody, "--share", "10%", "--keypair"];
    run(&[&give[..], &[&kept.wallet("contributor-1")]].concat()).ok();
    let first = claim(&dataset, "contributor-1");
    assert_eq!((&first["swept"], &first["claimed"][0]["amount"]), (&Value::Array(vec![]), &180_000.into()));
    let trainer = claim(asset, "trainer");
    assert_eq!((&trainer["swept"], &trainer["claimed"][0]["amount"]), (&Value::Array(vec![]), &720_000.into()));
    assert_eq!(claim(asset, "trainer")["claimed"], Value::Array(vec![]));
    // Somebody else pays the fee; the money is the holder's.
    let curator = keys::read(Path::new(&kept.wallet("curator"))).unwrap().pubkey().to_string();
    let of_curator = || run(&["balance", &curator]).ok().json()["amount"].as_u64().unwrap();
    let before = of_curator();
    run(&["royalty", "claim", asset, "--for", &curator]).ok();
    assert_eq!(of_curator() - before, 180_000);
    kept.read(person, &["royalty", "show", asset]);
}

/// The chain says no to receipts of jobs that never were, and to results on which no quorum agreed.
fn receipts_that_do_not_hold(run: &dyn Fn(&[&str]) -> Ended, person: &Person, receipt: &str) {
    let genuine = receipt::load(Path::new(receipt)).unwrap();
    let fields = genuine.receipt().unwrap();
    let key = SigningKey::from_bytes(Keypair::new().secret_bytes());
    let file = person.path("other.json").display().to_string();
    let forged = |change: &dyn Fn(&mut Receipt)| {
        let mut forged = Receipt { node: key.verifying_key().to_bytes(), ..fields };
        change(&mut forged);
        let signed = receipt::sign(&forged, &key).unwrap();
        fs::write(&file, serde_json::to_string(&signed).unwrap()).unwrap();
        run(&["verify", &file])
    };
    // Well signed, but by somebody who did not work on the job.
    forged(&|_| {}).fails(1, &["no quorum agreed with"]);
    forged(&|receipt| receipt.payer = receipt.node).fails(1, &["does not hold", "payer"]);
    forged(&|receipt| receipt.slot += 1).fails(1, &["does not hold", "slot"]);
    forged(&|receipt| receipt.terms_hash[0] ^= 1).fails(1, &["does not hold", "terms hash"]);
    forged(&|receipt| receipt.place = receipt.node).fails(1, &["the chain knows no job"]);
    forged(&|receipt| receipt.cluster[0] ^= 1).fails(1, &["from another chain"]);
    run(&["verify", &file, "--offline"]).ok();
}

fn what_the_market_refuses(run: &dyn Fn(&[&str]) -> Ended, offer: &str, csv: &str, trainer: &str) {
    let ask = ["infer", offer, "--csv", csv, "--row", "0"];
    run(&["infer", offer, "--csv", csv, "--row", "9"]).fails(2, &["has no row 9; its rows are 0 to 2"]);
    run(&["infer", offer]).fails(2, &["there is nothing to ask"]);
    // Addresses of another kind than is asked for.
    run(&["job", "show", offer]).fails(1, &["the chain knows no job"]);
    run(&["asset", "show", offer]).fails(1, &["is no asset on this chain"]);
    run(&["node", "status", offer]).fails(1, &["is no node on this chain"]);
    let nowhere = Keypair::new().pubkey().to_string();
    run(&["royalty", "show", &nowhere]).fails(1, &["has no royalty pool"]);
    run(&["infer", &nowhere, "--csv", csv, "--row", "0"]).fails(1, &["is no offer on this chain", "offer list"]);
    // That a receipt can be kept is found out before anything is paid.
    let before = run(&["balance"]).ok().json()["amount"].clone();
    let folder = format!("{csv}/receipt.json");
    run(&[&ask[..], &["--receipt", &folder]].concat()).fails(1, &["could not be written", "nothing was paid"]);
    assert_eq!(run(&["balance"]).ok().json()["amount"], before);
    run(&["offer", "close", offer]).fails(1, &["does not own", "its owner is", "--keypair"]);
    let closed = run(&["offer", "close", offer, "--keypair", trainer]).ok().json();
    assert!(closed["rent"].as_u64().unwrap() > 4_000_000, "{closed}");
    assert_eq!(run(&["offer", "list"]).ok().json(), Value::Array(vec![]));
    run(&["offer", "close", offer, "--keypair", trainer]).fails(1, &["is no offer on this chain"]);
    run(&ask).fails(1, &["is no offer on this chain"]);
}

/// A job that no node takes goes back to its payer, and `infer` says how.
#[test]
fn a_job_that_nobody_takes_is_cancelled_with_its_deposit() {
    let person = Person::new();
    let kept = Kept::start(&person, &[]);
    let run = |arguments: &[&str]| kept.run(&person, arguments);
    let offers = run(&["offer", "list"]).ok().json();
    let asset = offers[0]["asset"].as_str().unwrap();
    // Two nodes must agree, and there is one.
    let create = ["offer", "create", asset, "--base", "0.5", "--nodes", "2", "--royalty", "10%", "--keypair"];
    let limits = ["--max-input", "4", "--max-output", "0"];
    let offer = run(&[&create[..], &[&kept.wallet("trainer")], &limits].concat()).ok().json();
    let offer = offer["offer"].as_str().unwrap().to_owned();
    let before = run(&["balance"]).ok().json()["amount"].as_u64().unwrap();
    let csv = pictures(&person);
    let ask = ["infer", &offer, "--csv", &csv, "--row", "0", "--unquoted"];
    run(&ask[..6]).fails(1, &["1 node(s) would answer this and 2 must agree; nothing was paid", "--unquoted"]);
    run(&[&ask[..], &["--patience", "1"]].concat()).fails(3, &["no answer yet; the deposit is safe", "job answer"]);
    // Ctrl-c while waiting leaves the job as it is, and says how to go on.
    #[cfg(unix)]
    {
        let mut waiting = person.command();
        waiting.args(ask).envs(&kept.exports).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut waiting = waiting.spawn().unwrap();
        let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines();
        let paid = said.find_map(|line| line.unwrap().strip_prefix("job ").map(ToOwned::to_owned)).unwrap();
        let posted = paid.split_whitespace().next().unwrap().to_owned();
        std::thread::sleep(Duration::from_millis(300));
        assert!(
            std::process::Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap().success()
        );
        assert_eq!(waiting.wait().unwrap().code(), Some(130));
        let rest: Vec<String> = said.map(Result::unwrap).collect();
        assert!(rest.iter().any(|line| line.contains(&format!("provena job answer {posted}"))), "{rest:?}");
        assert_eq!(run(&["job", "show", &posted]).ok().json()["state"], "open");
    }
    let jobs = run(&["job", "list"]).ok().json();
    let job = jobs.as_array().unwrap().iter().find(|job| job["deposit"] == 500_000_000).unwrap();
    let job = job["job"].as_str().unwrap();
    // While its one node holds a seat it cannot be taken back; late nodes lose their seats first.
    let begun = Instant::now();
    let cancelled = loop {
        let tried = run(&["job", "cancel", job]);
        if tried.code == Some(0) {
            break tried.json();
        }
        assert!(tried.stderr.contains("cannot be cancelled"), "{}", tried.stderr);
        run(&["job", "collect", job]).ok();
        if run(&["job", "show", job]).ok().json()["state"] != "open" {
            break run(&["job", "show", job]).ok().json();
        }
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(500));
    };
    assert!(["cancelled", "failed"].contains(&cancelled["state"].as_str().unwrap()), "{cancelled}");
    assert_eq!(cancelled["refund"], 500_000_000);
    run(&["job", "collect", job]).ok();
    let after = run(&["balance"]).ok().json()["amount"].as_u64().unwrap();
    // The job of the ctrl-c keeps its deposit until it is over, too.
    let kept_back = if cfg!(unix) { 500_000_000 + 6_000_000 } else { 0 };
    assert!(before - after < 6_000_000 + kept_back, "all but fees and rent is back: {}", before - after);
}
