//! Somebody sells a model, somebody else's node serves it, and a buyer with a home of his own asks: no folder is shared by
//! the buyer and the others.

use std::{
    fs::{self, File},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    localnet::Localnet,
    provena::{Ended, Person},
    proxy::Proxy,
};

/// Longest time that a node may take to get ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// A chain, a seller, a node behind a proxy, and a buyer.
pub(crate) struct Market {
    /// The chain, and the seller's home.
    pub(crate) net: Localnet,
    /// Who pays.
    pub(crate) buyer: Person,
    /// What the node's address on chain leads to.
    pub(crate) front: Proxy,
    /// What the buyer's commands reach the chain through.
    pub(crate) wire: Proxy,
    /// The offer for the digits model.
    pub(crate) offer: String,
    /// A file of pictures.
    pub(crate) csv: String,
    node: Child,
}

impl Market {
    /// Sets everything up, with 0.001 SOL for a picture.
    pub(crate) fn start() -> Self {
        let net = Localnet::start(50);
        let buyer = Person::new();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/engine/models/digits");
        let digits = net.person.path("digits.pvna").display().to_string();
        net.run(&["model", "import", folder, "--out", &digits]).ok();
        let minted = net.run(&["model", "mint", &digits, "--title", "Digits"]).ok().json();
        let created = net.run(&["offer", "create", minted["asset"].as_str().unwrap(), "--price", "0.001"]).ok().json();
        let offer = created["offer"].as_str().unwrap().to_owned();

        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let front = Proxy::start(&listen);
        let wire = Proxy::start(net.url().trim_start_matches("http://"));
        let (key, _) = net.wallet("node.json", "5");
        net.run(&["node", "register", "--stake", "2", "--endpoint", &front.url, "--keypair", &key]).ok();
        let store = net.person.path(".local/share/provena/store").display().to_string();
        let config = format!(
            "[chain]\nrpc_url = {:?}\nws_url = {:?}\n[node]\nkey = \"node.json\"\ndata = \"data\"\n[store]\n\
             urls = [\"file://{store}\"]\n[engine]\nadapter = \"cpu\"\n[http]\nlisten = {listen:?}\n",
            net.url(),
            net.ws()
        );
        let config = net.file("node.toml", &config);
        let log = net.person.path("node.log");
        let mut command = net.person.command();
        command.args(["node", "run", "--config", &config]).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let node = command.spawn().expect("the node starts");
        let begun = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains("watching") {
            assert!(begun.elapsed() < PATIENCE, "the node is not ready: {}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
        let rows: Vec<String> = (0..3u8).map(|ink| vec![(ink * 5).to_string(); 64].join(",")).collect();
        let csv = buyer.path("pictures.csv");
        fs::write(&csv, rows.join("\n")).unwrap();
        let csv = csv.display().to_string();
        let market = Self { net, buyer, front, wire, offer, csv, node };
        market.buy(&["keygen"]).ok();
        market.buy(&["airdrop", "5"]).ok();
        market
    }

    /// Runs a command line of the buyer's with `--json`.
    pub(crate) fn buy(&self, arguments: &[&str]) -> Ended {
        crate::provena::ended(self.command(arguments).arg("--json").output().unwrap())
    }

    /// As [`Market::buy`], as a person reads it.
    pub(crate) fn read(&self, arguments: &[&str]) -> Ended {
        crate::provena::ended(self.command(arguments).output().unwrap())
    }

    /// A command line of the buyer's that has not begun.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&self.buyer, arguments)
    }

    /// A command line of anybody's.
    pub(crate) fn command_of(&self, person: &Person, arguments: &[&str]) -> Command {
        let mut command = person.command();
        command.args(arguments).args(["--url", &self.wire.url, "--ws", self.net.ws()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The command line that asks about the first picture.
    pub(crate) fn ask<'a>(&'a self, options: &[&'a str]) -> Vec<&'a str> {
        [&["infer", &self.offer, "--csv", &self.csv, "--row", "0"], options].concat()
    }

    /// Lamports of the buyer.
    pub(crate) fn balance(&self) -> u64 {
        self.buy(&["balance"]).ok().json()["amount"].as_u64().unwrap()
    }

    /// The addresses of the buyer's jobs that are listed.
    pub(crate) fn jobs(&self) -> Vec<serde_json::Value> {
        self.buy(&["job", "list"]).ok().json().as_array().unwrap().clone()
    }

    /// Ends the node.
    pub(crate) fn stop_node(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        self.stop_node();
    }
}
