//! A private chain for a test: commands against it, one after the other, as a person would use them.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use provena_client::{
    chain::{ChainReader, RpcChain, RpcOptions, send_and_confirm},
    keys,
};
use provena_common::token::TOKEN_PROGRAM;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::instruction as spl;

use crate::provena::{Ended, Person};

/// `provena localnet` and a person with a wallet on it; stopped at the end of the test.
pub(crate) struct Localnet {
    /// Whose wallet it is.
    pub(crate) person: Person,
    child: Child,
    url: String,
    ws: String,
}

impl Localnet {
    /// A chain on which the programs are there and nothing is set up; the wallet has so many SOL.
    pub(crate) fn bare(sol: u64) -> Self {
        let localnet = Self::without_wallet();
        localnet.run(&["keygen"]).ok();
        localnet.run(&["airdrop", &sol.to_string()]).ok();
        localnet
    }

    /// A chain and a person with an empty home folder.
    pub(crate) fn without_wallet() -> Self {
        let person = Person::new();
        let (child, url, ws) = begin(&person, "0", "0");
        Self { person, child, url, ws }
    }

    /// Ends the chain and starts another one, which is empty, at the same addresses.
    pub(crate) fn begin_again(&mut self) {
        self.stop();
        let port = |address: &str| address.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
        let (rpc, ws) = (port(&self.url), port(&self.ws));
        (self.child, self.url, self.ws) = begin(&self.person, &rpc, &ws);
    }

    fn stop(&mut self) {
        // SIGTERM, so that the chain behind it stops, too.
        let _ = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }

    /// A chain on which everything is set up.
    pub(crate) fn start(sol: u64) -> Self {
        let localnet = Self::bare(sol);
        localnet.run(&["deploy", "--init-only"]).ok();
        localnet
    }

    /// Where the chain answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where it tells of changes.
    pub(crate) fn ws(&self) -> &str {
        &self.ws
    }

    /// Runs a command line with `--json`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.person.run(&[arguments, &["--url", &self.url, "--json"]].concat())
    }

    /// Runs a command line as a person reads it, and checks that it fits a terminal.
    pub(crate) fn read(&self, arguments: &[&str]) -> String {
        let ended = self.person.run(&[arguments, &["--url", &self.url]].concat()).ok();
        ended.fits();
        ended.stdout
    }

    /// A command line that has not begun.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.person.command();
        command.args(arguments).args(["--url", &self.url, "--json"]);
        command
    }

    /// A new key file of this name with so many SOL, and its address.
    pub(crate) fn wallet(&self, name: &str, sol: &str) -> (String, String) {
        let file = self.person.path(name).display().to_string();
        let made = self.run(&["keygen", "--out", &file]).ok().json();
        let address = made["address"].as_str().unwrap().to_owned();
        if sol != "0" {
            self.run(&["airdrop", sol, "--to", &address]).ok();
        }
        (file, address)
    }

    /// A file with this text.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let file = self.person.path(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    /// Lamports of the wallet.
    pub(crate) fn balance(&self) -> u64 {
        self.run(&["balance"]).ok().json()["amount"].as_u64().unwrap()
    }

    /// Lamports of any address.
    pub(crate) fn balance_of(&self, address: &str) -> u64 {
        self.run(&["balance", address]).ok().json()["amount"].as_u64().unwrap()
    }

    /// Asserts that each of these command lines is refused with this code and these words, and that all together cost
    /// nothing.
    pub(crate) fn refuses(&self, refusals: &[(&[&str], i32, &[&str])]) {
        let before = self.balance();
        for (arguments, code, words) in refusals {
            self.run(arguments).fails(*code, words);
        }
        assert_eq!(self.balance(), before, "a refusal costs nothing");
    }

    /// Mints a text as a dataset and gives its address.
    pub(crate) fn dataset(&self, name: &str, options: &[&str]) -> String {
        let file = self.file(name, &format!("the content of {name}\n"));
        let minted = self.run(&[&["dataset", "mint", &file][..], options].concat()).ok().json();
        minted["asset"].as_str().unwrap().to_owned()
    }

    /// A token of SPL Token with two decimals, of which the wallet has a thousand whole ones.
    pub(crate) fn token(&self) -> String {
        const MINT_LEN: usize = 82;
        let wallet = keys::read(&self.person.path(".config/provena/id.json")).unwrap();
        let chain = RpcChain::new(&RpcOptions::new(self.url.clone())).unwrap();
        let (key, owner) = (Keypair::new(), wallet.pubkey());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let rent = chain.rent_exempt(MINT_LEN).await.unwrap();
            let mint = key.pubkey();
            let space = MINT_LEN as u64;
            let account = provena_client::token::PaymentMint {
                address: mint,
                program: Some(provena_common::token::TokenProgram::Spl),
                decimals: 2,
            };
            let instructions = [
                solana_system_interface::instruction::create_account(&owner, &mint, rent, space, &TOKEN_PROGRAM),
                spl::initialize_mint2(&TOKEN_PROGRAM, &mint, &owner, None, 2).unwrap(),
                account.open_account(&owner, &owner).unwrap(),
                spl::mint_to(&TOKEN_PROGRAM, &mint, &account.account_of(&owner), &owner, &[], 100_000).unwrap(),
            ];
            send_and_confirm(&chain, &instructions, &[&wallet, &key]).await.unwrap();
        });
        key.pubkey().to_string()
    }

    /// The address of the wallet.
    pub(crate) fn address(&self) -> String {
        keys::read(&self.person.path(".config/provena/id.json")).unwrap().pubkey().to_string()
    }
}

/// Starts a chain at these ports; gives the process and the addresses.
fn begin(person: &Person, rpc_port: &str, ws_port: &str) -> (Child, String, String) {
    let mut command = person.command();
    command.args(["localnet", "--rpc-port", rpc_port, "--ws-port", ws_port, "--json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("provena runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
    let address = |name: &str| ready[name].as_str().unwrap().to_owned();
    (child, address("url"), address("ws"))
}

/// An address that nobody has.
pub(crate) fn nobody() -> String {
    Pubkey::new_unique().to_string()
}

impl Drop for Localnet {
    fn drop(&mut self) {
        self.stop();
    }
}
