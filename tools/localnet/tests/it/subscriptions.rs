//! What the node watches over WebSocket.

use std::time::Duration;

use solana_account_decoder_client_types::{UiAccountEncoding, UiDataSliceConfig};
use solana_client::{
    pubsub_client::{PubsubClient, PubsubClientError},
    rpc_config::{
        RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSignatureSubscribeConfig, RpcTransactionLogsConfig,
        RpcTransactionLogsFilter,
    },
    rpc_filter::{Memcmp, RpcFilterType},
    rpc_response::RpcSignatureResult,
};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_system_interface::instruction::{create_account, transfer};
use solana_transaction::Transaction;

use crate::support::{Localnet, SOL, funded};

const OWNER: Pubkey = solana_pubkey::pubkey!("FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512");
const LIMIT: Duration = Duration::from_secs(20);

/// Keeps the subscription for the rest of the process: dropping the blocking client's waits for one more message.
fn listen<S, T>(subscribed: Result<(S, T), PubsubClientError>) -> T {
    let (subscription, updates) = subscribed.expect("the chain takes the subscription");
    std::mem::forget(subscription);
    updates
}

fn account_config() -> RpcAccountInfoConfig {
    RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        ..RpcAccountInfoConfig::default()
    }
}

#[test]
fn account_changes_are_announced() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let payer = funded(&client);
    let to = funded(&client).pubkey();
    let updates = listen(PubsubClient::account_subscribe(&chain.ws_url, &to, Some(account_config())));
    let hash = client.get_latest_blockhash().unwrap();
    let pay = Transaction::new_signed_with_payer(
        &[transfer(&payer.pubkey(), &to, SOL)],
        Some(&payer.pubkey()),
        &[&payer],
        hash,
    );
    client.send_and_confirm_transaction(&pay).unwrap();
    let update = updates.recv_timeout(LIMIT).expect("an update");
    assert_eq!(update.value.lamports, 101 * SOL);
}

#[test]
fn a_programs_new_accounts_are_announced() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let payer = funded(&client);
    let config = RpcProgramAccountsConfig { account_config: account_config(), ..Default::default() };
    let updates = listen(PubsubClient::program_subscribe(&chain.ws_url, &OWNER, Some(config)));
    let account = create_owned(&chain, &payer, 16);
    let update = updates.recv_timeout(LIMIT).expect("an update");
    assert_eq!(update.value.pubkey, account.to_string());
    assert_eq!(update.value.account.data.decode().unwrap(), vec![0; 16]);
}

#[test]
fn program_filters_hold() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let payer = funded(&client);
    let filters = vec![RpcFilterType::DataSize(24), RpcFilterType::Memcmp(Memcmp::new_raw_bytes(0, vec![0; 8]))];
    let config =
        RpcProgramAccountsConfig { filters: Some(filters), account_config: account_config(), ..Default::default() };
    let updates = listen(PubsubClient::program_subscribe(&chain.ws_url, &OWNER, Some(config.clone())));
    create_owned(&chain, &payer, 16);
    let wanted = create_owned(&chain, &payer, 24);
    let update = updates.recv_timeout(LIMIT).expect("an update");
    assert_eq!(update.value.pubkey, wanted.to_string());

    let found = client.get_program_ui_accounts_with_config(&OWNER, config).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, wanted);
}

#[test]
fn a_confirmed_signature_is_announced() {
    let chain = Localnet::start(&["--slot-ms", "400"]);
    let client = chain.client();
    let payer = funded(&client);
    let hash = client.get_latest_blockhash().unwrap();
    let pay = Transaction::new_signed_with_payer(
        &[transfer(&payer.pubkey(), &Pubkey::new_unique(), SOL)],
        Some(&payer.pubkey()),
        &[&payer],
        hash,
    );
    let config = RpcSignatureSubscribeConfig {
        commitment: Some(CommitmentConfig::confirmed()),
        enable_received_notification: None,
    };
    let updates = listen(PubsubClient::signature_subscribe(&chain.ws_url, &pay.signatures[0], Some(config)));
    client.send_transaction(&pay).unwrap();
    let update = updates.recv_timeout(LIMIT).expect("an update");
    assert!(matches!(update.value, RpcSignatureResult::ProcessedSignature(ref result) if result.err.is_none()));
}

#[test]
fn slots_are_announced() {
    let chain = Localnet::start(&[]);
    let slots = listen(PubsubClient::slot_subscribe(&chain.ws_url));
    let first = slots.recv_timeout(LIMIT).expect("a slot").slot;
    assert!(slots.recv_timeout(LIMIT).expect("another").slot > first);
}

#[test]
fn logs_are_announced() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let payer = funded(&client);
    let logs = listen(PubsubClient::logs_subscribe(
        &chain.ws_url,
        RpcTransactionLogsFilter::All,
        RpcTransactionLogsConfig { commitment: Some(CommitmentConfig::confirmed()) },
    ));
    create_owned(&chain, &payer, 16);
    let update = logs.recv_timeout(LIMIT).expect("logs");
    assert!(update.value.err.is_none());
    assert!(!update.value.logs.is_empty());
}

/// Only part of an account can be asked for over HTTP.
#[test]
fn data_slices_hold() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let payer = funded(&client);
    let account = create_owned(&chain, &payer, 16);
    let config =
        RpcAccountInfoConfig { data_slice: Some(UiDataSliceConfig { offset: 4, length: 3 }), ..account_config() };
    let found = client.get_ui_account_with_config(&account, config).unwrap().value.expect("the account");
    assert_eq!(found.data.decode().unwrap().len(), 3);
}

fn create_owned(chain: &Localnet, payer: &Keypair, size: u64) -> Pubkey {
    let client = chain.client();
    let account = Keypair::new();
    let rent = client.get_minimum_balance_for_rent_exemption(usize::try_from(size).unwrap()).unwrap();
    let create = create_account(&payer.pubkey(), &account.pubkey(), rent, size, &OWNER);
    let hash = client.get_latest_blockhash().unwrap();
    let transaction = Transaction::new_signed_with_payer(&[create], Some(&payer.pubkey()), &[payer, &account], hash);
    client.send_and_confirm_transaction(&transaction).unwrap();
    account.pubkey()
}
