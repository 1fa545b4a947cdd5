//! A chain kept in a file.

use std::fs;

use solana_client::rpc_client::RpcClient;
use solana_keypair::Keypair;
use solana_message::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_system_interface::instruction::{create_account, transfer};
use tempfile::TempDir;

use crate::support::{Localnet, SOL, airdrop, eventually, funded, refused, send};

const TOKEN: Pubkey = solana_pubkey::pubkey!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const OWNER: Pubkey = solana_pubkey::pubkey!("FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512");

#[test]
fn a_chain_goes_on_after_a_clean_stop() {
    goes_on(|chain| {
        let (status, _) = chain.signal("TERM");
        assert_eq!(status.code(), Some(0));
    });
}

#[test]
fn a_chain_that_is_let_go_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("chain.state");
    let path = path.to_str().unwrap();
    let chain = Localnet::start_held(&["--state", path]);
    let payer = funded(&chain.client());
    // At once: it is not the snapshot of every second that keeps this.
    assert_eq!(chain.let_go().code(), Some(0));
    let chain = Localnet::start(&["--state", path]);
    assert_eq!(chain.client().get_balance(&payer.pubkey()).unwrap(), 100 * SOL);
}

#[test]
fn a_chain_goes_on_after_a_kill() {
    goes_on(Localnet::kill);
}

fn goes_on(stop: impl Fn(Localnet)) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep/chain.state");
    let path = path.to_str().unwrap();

    let chain = Localnet::start(&["--state", path]);
    let client = chain.client();
    let payer = funded(&client);
    let (friend, account) = (Keypair::new(), Keypair::new());
    let rent = client.get_minimum_balance_for_rent_exemption(16).unwrap();
    send(&client, &payer, &[&account], &[create_account(&payer.pubkey(), &account.pubkey(), rent, 16, &OWNER)]);
    send(&client, &payer, &[], &[transfer(&payer.pubkey(), &friend.pubkey(), 3 * SOL)]);
    let genesis = client.get_genesis_hash().unwrap();
    eventually("some slots", || (client.get_slot().unwrap() > 60).then_some(()));
    let slot = client.get_slot().unwrap();
    let balance = client.get_balance(&payer.pubkey()).unwrap();
    // A kill loses the last second at most.
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    stop(chain);

    let chain = Localnet::start(&["--state", path]);
    let client = chain.client();
    assert_eq!(client.get_genesis_hash().unwrap(), genesis);
    let resumed = client.get_slot().unwrap();
    assert!(resumed + 6 >= slot, "slot {slot} became {resumed}");
    assert_eq!(client.get_balance(&payer.pubkey()).unwrap(), balance);
    let kept = client.get_account(&account.pubkey()).unwrap();
    assert_eq!((kept.owner, kept.lamports, kept.data.len()), (OWNER, rent, 16));
    let owned = client.get_program_accounts(&OWNER).unwrap();
    assert_eq!(owned.len(), 1);
    assert_eq!(owned[0].0, account.pubkey());

    // Money that came back is money that can be spent and added to.
    airdrop(&client, &friend.pubkey(), SOL);
    assert_eq!(client.get_balance(&friend.pubkey()).unwrap(), 4 * SOL);
    let fee = 5_000;
    send(&client, &friend, &[], &[transfer(&friend.pubkey(), &payer.pubkey(), SOL)]);
    assert_eq!(client.get_balance(&friend.pubkey()).unwrap(), 3 * SOL - fee);
    assert_eq!(client.get_balance(&payer.pubkey()).unwrap(), balance + SOL);
}

/// N11: an account that was closed stays closed, and its rent is in one place only.
#[test]
fn n11_a_closed_account_does_not_come_back_with_its_rent() {
    for kill in [false, true] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("chain.state");
        let path = path.to_str().unwrap();
        let chain = Localnet::start(&["--state", path]);
        let client = chain.client();
        let payer = funded(&client);
        let wallets: Vec<Keypair> = (0..3).map(|_| Keypair::new()).collect();
        for wallet in &wallets {
            send(&client, &payer, &[], &[transfer(&payer.pubkey(), &wallet.pubkey(), SOL)]);
        }
        let token = token_account(&client, &payer);
        // It is there at one snapshot, and gone before the next.
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        let [closed, kept, _] = &wallets[..] else { unreachable!() };
        send(&client, &payer, &[closed], &[transfer(&closed.pubkey(), &payer.pubkey(), SOL)]);
        // Closed by its program, as jobs are.
        let close = token_instruction(&[9], &[(token, false), (payer.pubkey(), false), (payer.pubkey(), true)]);
        send(&client, &payer, &[], &[close]);
        let gone =
            |client: &RpcClient| client.get_account(&closed.pubkey()).is_err() && client.get_account(&token).is_err();
        assert!(gone(&client), "it is not even closed while the chain runs");
        let money = |client: &RpcClient| {
            let all = [&payer].into_iter().chain(&wallets);
            all.map(|wallet| client.get_balance(&wallet.pubkey()).unwrap()).sum::<u64>()
        };
        let before = money(&client);
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        if kill {
            chain.kill();
        } else {
            assert_eq!(chain.signal("TERM").0.code(), Some(0));
        }

        let chain = Localnet::start(&["--state", path]);
        let client = chain.client();
        assert!(gone(&client), "a closed account came back (killed: {kill})");
        assert_eq!(money(&client), before, "money was made or lost (killed: {kill})");
        assert_eq!(client.get_balance(&kept.pubkey()).unwrap(), SOL);
    }
}

/// An empty account of a new token, which belongs to the payer.
fn token_account(client: &RpcClient, payer: &Keypair) -> Pubkey {
    let (mint, account) = (Keypair::new(), Keypair::new());
    let create = |key: &Keypair, len: usize| {
        let rent = client.get_minimum_balance_for_rent_exemption(len).unwrap();
        create_account(&payer.pubkey(), &key.pubkey(), rent, len as u64, &TOKEN)
    };
    let authority = payer.pubkey().to_bytes();
    let initialize_mint = [&[20, 2][..], &authority, &[0]].concat();
    let initialize_account = [&[18][..], &authority].concat();
    let instructions = [
        create(&mint, 82),
        token_instruction(&initialize_mint, &[(mint.pubkey(), false)]),
        create(&account, 165),
        token_instruction(&initialize_account, &[(account.pubkey(), false), (mint.pubkey(), false)]),
    ];
    send(client, payer, &[&mint, &account], &instructions);
    account.pubkey()
}

fn token_instruction(data: &[u8], accounts: &[(Pubkey, bool)]) -> Instruction {
    let accounts = accounts.iter().map(|(address, signs)| AccountMeta::new(*address, *signs)).collect();
    Instruction { program_id: TOKEN, accounts, data: data.to_vec() }
}

#[test]
fn refuses_a_file_in_use() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("chain.state");
    let path = path.to_str().unwrap();
    let _chain = Localnet::start(&["--state", path]);
    let message = refused(&["--rpc-port", "0", "--ws-port", "0", "--state", path]);
    assert!(message.contains("in use by another local chain"), "{message}");
}

#[test]
fn refuses_a_file_that_is_something_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("letter.txt");
    fs::write(&path, "Dear reader, this is no chain.").unwrap();
    let message = refused(&["--rpc-port", "0", "--ws-port", "0", "--state", path.to_str().unwrap()]);
    assert!(message.contains("letter.txt") && message.contains("--state"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "Dear reader, this is no chain.");
}
