//! The chain that `provena demo --keep` leaves running, used from another terminal.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use ed25519_dalek::SigningKey;
use provena_engine::artifact::LlamaRecipe;
use provena_wire::receipt;
use serde_json::Value;
use solana_keypair::Keypair;

use crate::{
    provena::{Ended, Person},
    tiny_llama,
};

/// A demo that was kept, and what it told us to export.
pub struct Kept {
    child: Child,
    exports: BTreeMap<String, String>,
}

impl Kept {
    /// Starts the demo with these variables and waits until it says how to go on.
    pub fn start(person: &Person, environment: &[(&str, &str)]) -> Self {
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
    pub fn run(&self, person: &Person, arguments: &[&str]) -> Ended {
        let output = person.command().args(arguments).arg("--json").envs(&self.exports).output().unwrap();
        crate::provena::ended(output)
    }

    /// The key file of another of the demo's wallets.
    pub fn wallet(&self, name: &str) -> String {
        let yours = Path::new(&self.exports["PROVENA_KEYPAIR"]);
        yours.with_file_name(format!("{name}.json")).display().to_string()
    }

    /// What the demo's node has logged so far.
    pub fn log(&self) -> String {
        let wallets = Path::new(&self.exports["PROVENA_KEYPAIR"]).parent().unwrap();
        fs::read_to_string(wallets.with_file_name("node/node.log")).unwrap()
    }

    /// Mints a small language model on the same chain, where the same node serves it, and gives an offer for its use.
    pub fn sell(&self, person: &Person, recipe: &LlamaRecipe) -> String {
        let artifact = tiny_llama::random(recipe, 31);
        let file = person.path("words.pvna").display().to_string();
        fs::write(&file, artifact.bytes()).unwrap();
        let trainer = self.wallet("trainer");
        let mint = ["model", "mint", &file, "--title", "Words", "--keypair", &trainer];
        let minted = self.run(person, &mint).ok().json();
        let asset = minted["asset"].as_str().unwrap();
        let create = ["offer", "create", asset, "--price", "0.00001", "--keypair", &trainer];
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
pub fn pictures(person: &Person) -> String {
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
    assert_eq!((&offers[0]["title"], &offers[0]["price_per_unit"]), (&"Digit reader".into(), &1_000_000.into()));

    let csv = pictures(&person);
    let receipt = person.path("receipt.json").display().to_string();
    let infer = ["infer", offer, "--csv", &csv, "--row", "0", "--row", "2", "--recompute", "--receipt", &receipt];
    let answer = run(&infer).ok().json();
    assert_eq!(answer["recomputed_equal"], true);
    assert_eq!(answer["response"]["Classify"]["labels"].as_array().unwrap().len(), 2);
    let paid = |field: &str| answer["paid"][field].as_u64().unwrap();
    assert_eq!(paid("deposit"), 2_000_000);
    assert_eq!(paid("node_fee") + paid("royalty") + paid("protocol_fee") + paid("refund"), paid("deposit"));

    let verified = run(&["verify", &receipt, "--recompute"]).ok().json();
    assert_eq!((&verified["chain"], &verified["recomputed"]), (&"agrees".into(), &"equal".into()));
    receipts_that_do_not_hold(&run, &person, &receipt);

    let job = answer["job"].as_str().unwrap();
    let shown = run(&["job", "show", job]).ok().json();
    assert_eq!((&shown["state"], &shown["royalty"]), (&"settled".into(), &answer["paid"]["royalty"]));
    run(&["job", "cancel", job]).fails(1, &["was not cancelled", "job show"]);
    assert_eq!(run(&["job", "crank", job]).ok().json()["signature"], Value::Null);
    run(&["job", "close", job]).ok();
    run(&["job", "show", job]).fails(1, &["the chain knows no job"]);
    run(&["verify", &receipt]).fails(1, &["its payer has closed it", "--offline"]);

    // The demo's claims emptied the pool; what this job paid is owed now, and collected once.
    let shown = run(&["royalty", "show", asset]).ok().json();
    let holders = shown["mints"][0]["holders"].as_array().unwrap();
    let owed: u64 = holders.iter().map(|holder| holder["owed"].as_u64().unwrap()).sum();
    assert_eq!(owed, paid("royalty"));
    let trainer = kept.wallet("trainer");
    let claimed = run(&["royalty", "claim", asset, "--keypair", &trainer]).ok().json();
    assert_eq!(claimed["claimed"][0]["amount"], paid("royalty") * 60 / 100);
    assert_eq!(run(&["royalty", "claim", asset, "--keypair", &trainer]).ok().json()["claimed"], Value::Array(vec![]));

    what_the_market_refuses(&run, offer, &csv, &trainer);
}

/// The chain says no to receipts of jobs that never were, and to results that nobody revealed.
fn receipts_that_do_not_hold(run: &dyn Fn(&[&str]) -> Ended, person: &Person, receipt: &str) {
    let genuine = receipt::load(Path::new(receipt)).unwrap();
    let mut fields = genuine.receipt().unwrap();
    let key = SigningKey::from_bytes(Keypair::new().secret_bytes());
    fields.node = key.verifying_key().to_bytes();
    let file = person.path("other.json").display().to_string();
    let write = |fields: &provena_arith::receipt::Receipt| {
        let signed = receipt::sign(fields, &key).unwrap();
        fs::write(&file, serde_json::to_string(&signed).unwrap()).unwrap();
    };
    // Well signed, but by somebody who did not work on the job.
    write(&fields);
    run(&["verify", &file]).fails(1, &["has revealed no result for this job"]);
    fields.result_root[0] ^= 1;
    write(&fields);
    run(&["verify", &file]).fails(1, &["does not hold"]);
    fields.job = fields.node;
    write(&fields);
    run(&["verify", &file]).fails(1, &["the chain knows no job"]);
    fields.cluster[0] ^= 1;
    write(&fields);
    run(&["verify", &file]).fails(1, &["from another chain"]);
    run(&["verify", &file, "--offline"]).ok();
}

fn what_the_market_refuses(run: &dyn Fn(&[&str]) -> Ended, offer: &str, csv: &str, trainer: &str) {
    let ask = ["infer", offer, "--csv", csv, "--row", "0"];
    run(&["infer", offer, "--csv", csv, "--row", "9"]).fails(2, &["has no row 9; its rows are 0 to 2"]);
    run(&["infer", offer]).fails(2, &["there is nothing to ask"]);
    run(&["offer", "close", offer]).fails(1, &["was not closed"]);
    run(&["offer", "close", offer, "--keypair", trainer]).ok();
    assert_eq!(run(&["offer", "list"]).ok().json(), Value::Array(vec![]));
    let all = run(&["offer", "list", "--all"]).ok().json();
    assert!(all.as_array().unwrap().iter().all(|offer| offer["active"] == false), "{all}");
    run(&ask).fails(1, &["could not be had"]);
}
