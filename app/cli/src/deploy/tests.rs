//! Deploying on the embedded chain, with programs that every chain has as plain bytecode.

use std::path::PathBuf;

use provena_client::{
    amount,
    chain::{Chain, ChainReader, ChainSubmitter, RpcChain, RpcOptions, lookup},
    keys,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::{Pubkey, pubkey};
use solana_signer::Signer;
use tempfile::TempDir;

use super::{Action, Found, InitOptions, Program, Progress, deploy, initialise, initialize, loader, tables, upload};
use crate::localnet::{Localnet, Options};

const SOL: u64 = 1_000_000_000;
/// The Memo program: the smaller of two real programs.
const SMALL: Pubkey = pubkey!("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// The Associated Token program.
const LARGE: Pubkey = pubkey!("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// The mint of wrapped SOL, which every chain has.
const WRAPPED_SOL: Pubkey = pubkey!("So11111111111111111111111111111111111111112");

/// A chain of its own with an empty folder and a wallet.
struct Bench {
    net: Localnet,
    chain: RpcChain,
    wallet: Keypair,
    folder: TempDir,
}

impl Bench {
    async fn start(sol: u64) -> Self {
        let net = Localnet::start(&Options { slot_ms: Some(50), ..Options::default() }).await.unwrap();
        let chain = RpcChain::new(&RpcOptions::new(net.url.clone())).unwrap();
        let bench = Self { net, chain, wallet: Keypair::new(), folder: TempDir::new().unwrap() };
        fund(&bench.chain, &bench.wallet, sol * SOL).await;
        bench
    }

    /// A program at a fresh address with `source`'s bytecode and, when asked, its key.
    async fn program(&self, source: Pubkey, with_key: bool) -> Program {
        let key = Keypair::new();
        let program = Program {
            name: "sample".into(),
            elf: self.folder.path().join("sample.so"),
            id: key.pubkey(),
            keypair: self.folder.path().join("sample-keypair.json"),
        };
        std::fs::write(&program.elf, self.code(source).await).unwrap();
        if with_key {
            keys::write(&program.keypair, &key, true).unwrap();
        }
        program
    }

    /// A program's bytecode as the older loader keeps it: the account's data.
    async fn code(&self, source: Pubkey) -> Vec<u8> {
        let account = self.chain.account(&source).await.unwrap().unwrap();
        assert!(account.data.starts_with(b"\x7fELF"), "{source} is kept as plain bytecode");
        account.data
    }

    async fn deploy(&self, wallet: &Keypair, program: &Program) -> anyhow::Result<Action> {
        let done = deploy(&self.chain, wallet, std::slice::from_ref(program), &mut |_| {}).await?;
        Ok(done[0].action)
    }

    /// The message of a deployment that must be refused, and that it cost nothing.
    async fn refusal(&self, wallet: &Keypair, program: &Program) -> String {
        let before = balance(&self.chain, wallet).await;
        let error = self.deploy(wallet, program).await.unwrap_err();
        assert_eq!(balance(&self.chain, wallet).await, before, "a refusal costs nothing");
        error.to_string()
    }

    async fn stored(&self, id: &Pubkey) -> (Option<Pubkey>, Vec<u8>) {
        match loader::look(&self.chain, id).await.unwrap() {
            Found::Program { authority, elf } => (authority, elf),
            Found::Nothing => panic!("{id} is not on the chain"),
        }
    }
}

async fn balance(chain: &dyn Chain, key: &Keypair) -> u64 {
    chain.account(&key.pubkey()).await.unwrap().map_or(0, |account| account.lamports)
}

async fn fund(chain: &RpcChain, key: &Keypair, lamports: u64) {
    if lamports == 0 {
        return;
    }
    chain.airdrop(&key.pubkey(), lamports).await.unwrap();
    for _ in 0..200 {
        if balance(chain, key).await >= lamports {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the airdrop did not arrive");
}

#[tokio::test]
async fn deploys_then_leaves_alone_then_upgrades_to_larger_code() {
    let bench = Bench::start(20).await;
    let program = bench.program(SMALL, true).await;
    let small = std::fs::read(&program.elf).unwrap();
    let mut steps = Vec::new();
    let done = deploy(&bench.chain, &bench.wallet, std::slice::from_ref(&program), &mut |step| match step {
        Progress::Program { name, action } => assert_eq!((name, action), ("sample", Action::Deployed)),
        Progress::Written { done, total } => steps.push((done, total)),
    })
    .await
    .unwrap();
    assert_eq!((done[0].action, done[0].bytes), (Action::Deployed, small.len()));
    assert_eq!(steps.last(), Some(&(small.len(), small.len())));
    assert!(steps.is_sorted());
    assert_eq!(bench.stored(&program.id).await, (Some(bench.wallet.pubkey()), small.clone()));
    let buffer = upload::address(&bench.wallet, &small).unwrap();
    assert_eq!(bench.chain.account(&buffer).await.unwrap(), None, "the buffer was used up");

    let before = balance(&bench.chain, &bench.wallet).await;
    assert_eq!(bench.deploy(&bench.wallet, &program).await.unwrap(), Action::Unchanged);
    assert_eq!(balance(&bench.chain, &bench.wallet).await, before, "leaving alone costs nothing");

    let large = bench.code(LARGE).await;
    assert!(large.len() > small.len());
    std::fs::write(&program.elf, &large).unwrap();
    std::fs::remove_file(&program.keypair).unwrap();
    assert_eq!(bench.deploy(&bench.wallet, &program).await.unwrap(), Action::Upgraded, "needs no program key");
    let (_, stored) = bench.stored(&program.id).await;
    assert!(loader::same_code(&stored, &large));

    std::fs::write(&program.elf, &small).unwrap();
    assert_eq!(bench.deploy(&bench.wallet, &program).await.unwrap(), Action::Upgraded, "back to smaller code");
    let (_, stored) = bench.stored(&program.id).await;
    assert!(loader::same_code(&stored, &small));
}

#[tokio::test]
async fn continues_a_broken_off_upload() {
    let bench = Bench::start(20).await;
    let program = bench.program(SMALL, true).await;
    let code = std::fs::read(&program.elf).unwrap();
    let (buffer, chain, wallet) = (upload::address(&bench.wallet, &code).unwrap(), &bench.chain, &bench.wallet);
    upload::create(chain, wallet, &buffer, &code).await.unwrap();
    let missing = upload::missing(chain, wallet, &buffer, &code).await.unwrap();
    let half = &missing[..missing.len() / 2];
    upload::send(chain, wallet, &buffer, &code, half).await.unwrap();
    for _ in 0..200 {
        if upload::missing(chain, wallet, &buffer, &code).await.unwrap().len() == missing.len() - half.len() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }

    let mut first = None;
    deploy(chain, wallet, std::slice::from_ref(&program), &mut |step| {
        if let Progress::Written { done, .. } = step {
            first.get_or_insert(done);
        }
    })
    .await
    .unwrap();
    assert!(first.unwrap() >= code.len() / 3, "what was written is not written again");
    assert_eq!(bench.stored(&program.id).await.1, code);
}

#[tokio::test]
async fn deploy_rejects_another_upgrade_authority() {
    let bench = Bench::start(20).await;
    let program = bench.program(SMALL, true).await;
    bench.deploy(&bench.wallet, &program).await.unwrap();
    std::fs::write(&program.elf, bench.code(LARGE).await).unwrap();
    let stranger = Keypair::new();
    fund(&bench.chain, &stranger, 20 * SOL).await;
    let before = bench.stored(&program.id).await;
    let message = bench.refusal(&stranger, &program).await;
    assert!(message.contains(&format!("can only be upgraded by {}", bench.wallet.pubkey())), "{message}");
    assert_eq!(bench.stored(&program.id).await, before);
}

#[tokio::test]
async fn deploy_rejects_a_missing_and_a_wrong_program_key() {
    let bench = Bench::start(1).await;
    let program = bench.program(SMALL, false).await;
    let message = bench.refusal(&bench.wallet, &program).await;
    assert!(message.contains("sample-keypair.json is missing"), "{message}");

    let other = Keypair::new();
    keys::write(&program.keypair, &other, true).unwrap();
    let message = bench.refusal(&bench.wallet, &program).await;
    let expected = format!("is the key of {}, but the sample program declares {}", other.pubkey(), program.id);
    assert!(message.contains(&expected), "{message}");
}

#[tokio::test]
async fn deploy_rejects_too_little_money_and_says_how_much_is_missing() {
    let bench = Bench::start(0).await;
    let program = bench.program(SMALL, true).await;
    let message = bench.refusal(&bench.wallet, &program).await;
    assert!(message.contains("has 0 SOL"), "{message}");

    // What it says is enough is enough, and not much more than is used.
    let needed = message.split_whitespace().skip_while(|word| *word != "needs").nth(1).unwrap();
    let needed = amount::parse_sol(needed).unwrap();
    let wallet = Keypair::new();
    fund(&bench.chain, &wallet, needed - 1).await;
    assert!(bench.refusal(&wallet, &program).await.contains("0.000000001 SOL are missing"));
    let wallet = Keypair::new();
    fund(&bench.chain, &wallet, needed).await;
    assert_eq!(bench.deploy(&wallet, &program).await.unwrap(), Action::Deployed);
    assert!(balance(&bench.chain, &wallet).await < SOL / 1_000);
}

#[tokio::test]
async fn deploy_rejects_files_that_are_no_programs() {
    let bench = Bench::start(1).await;
    let mut program = bench.program(SMALL, true).await;
    std::fs::write(&program.elf, "text").unwrap();
    assert!(bench.refusal(&bench.wallet, &program).await.contains("is not a program"));
    program.elf = PathBuf::from("/nowhere/sample.so");
    assert!(bench.refusal(&bench.wallet, &program).await.contains("cannot read the sample program /nowhere/sample.so"));
}

#[tokio::test]
async fn deploy_rejects_an_address_that_is_taken() {
    let bench = Bench::start(20).await;
    let mut program = bench.program(SMALL, true).await;
    program.id = LARGE;
    assert!(bench.refusal(&bench.wallet, &program).await.contains("is taken by something that is not"));
}

#[tokio::test]
async fn initialize_rejects_a_chain_without_the_program() {
    let bench = Bench::start(1).await;
    let nowhere = Instruction { program_id: Pubkey::new_unique(), accounts: vec![], data: vec![] };
    let before = balance(&bench.chain, &bench.wallet).await;
    let outcome = initialise::once(&bench.chain, &bench.wallet, "config", &Pubkey::new_unique(), nowhere).await;
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("is not on this chain"), "{message}");
    assert_eq!(balance(&bench.chain, &bench.wallet).await, before);
}

#[tokio::test]
async fn initialize_sets_up_all_three_programs_once() {
    let bench = Bench::start(5).await;
    let options = InitOptions::defaults(bench.wallet.pubkey());
    let done = initialize(&bench.chain, &bench.wallet, &options).await.unwrap();
    let what: Vec<_> = done.iter().map(|step| (step.what.as_str(), step.signature.is_some())).collect();
    assert_eq!(what[..3], [("registry", true), ("royalty program", true), ("market", true)]);
    assert!(matches!(what[3..], [(table, true)] if table.starts_with("lookup table ")), "{what:?}");
    let [table] = tables(&bench.chain).await.try_into().unwrap();
    assert_eq!(table.addresses, lookup::common(&[]));

    let before = balance(&bench.chain, &bench.wallet).await;
    let again = initialize(&bench.chain, &bench.wallet, &options).await.unwrap();
    assert!(again.iter().all(|step| step.signature.is_none()));
    assert_eq!(balance(&bench.chain, &bench.wallet).await, before);

    // A payment mint is the authority's to allow, and must be a mint.
    let stranger = Keypair::new();
    fund(&bench.chain, &stranger, SOL).await;
    let before = balance(&bench.chain, &stranger).await;
    for (mints, words) in [(SMALL, "is not a token mint"), (WRAPPED_SOL, "only ")] {
        let options = InitOptions { mints: vec![mints], ..options.clone() };
        let message = initialize(&bench.chain, &stranger, &options).await.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(balance(&bench.chain, &stranger).await, before, "a refusal costs nothing");
    let options = InitOptions { mints: vec![WRAPPED_SOL], ..options };
    let allowed = initialize(&bench.chain, &bench.wallet, &options).await.unwrap();
    assert!(allowed[2].what.starts_with("payment mint So111") && allowed[2].signature.is_some());
    bench.net.stop().await.unwrap();
}

#[tokio::test]
async fn initialize_rejects_a_treasury_that_is_no_wallet_and_a_fee_beyond_the_cap() {
    let bench = Bench::start(5).await;
    let before = balance(&bench.chain, &bench.wallet).await;
    let empty = InitOptions::defaults(Pubkey::new_unique());
    let program = InitOptions::defaults(SMALL);
    let dear = InitOptions { protocol_fee_bps: 501, ..InitOptions::defaults(bench.wallet.pubkey()) };
    for (options, words) in [(empty, "is no wallet"), (program, "is no wallet"), (dear, "at most 5%")] {
        let message = initialize(&bench.chain, &bench.wallet, &options).await.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(balance(&bench.chain, &bench.wallet).await, before);
}
