//! What clients rely on over HTTP.

use solana_pubkey::{Pubkey, pubkey};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::Transaction;

use crate::support::{Localnet, SOL, airdrop, eventually, funded};

const TOKEN: Pubkey = pubkey!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const TOKEN_2022: Pubkey = pubkey!("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
const ASSOCIATED_TOKEN: Pubkey = pubkey!("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

#[test]
fn airdrop_adds_up() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let to = Pubkey::new_unique();
    airdrop(&client, &to, 2 * SOL);
    airdrop(&client, &to, SOL);
    assert_eq!(client.get_balance(&to).unwrap(), 3 * SOL);
}

#[test]
fn slots_advance_without_transactions() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let first = client.get_slot().unwrap();
    eventually("a later slot", || (client.get_slot().unwrap() > first + 3).then_some(()));
}

#[test]
fn genesis_hash_names_this_chain() {
    let (one, two) = (Localnet::start(&[]), Localnet::start(&[]));
    let hash = one.client().get_genesis_hash().unwrap();
    assert_eq!(hash, one.client().get_genesis_hash().unwrap());
    assert_ne!(hash, two.client().get_genesis_hash().unwrap());
}

#[test]
fn token_programs_are_present() {
    let chain = Localnet::start(&[]);
    for id in [TOKEN, TOKEN_2022, ASSOCIATED_TOKEN] {
        assert!(chain.client().get_account(&id).unwrap().executable, "{id}");
    }
}

#[test]
fn transfers_confirm_and_are_found_again() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let from = funded(&client);
    let to = Pubkey::new_unique();
    let hash = client.get_latest_blockhash().unwrap();
    let transaction =
        Transaction::new_signed_with_payer(&[transfer(&from.pubkey(), &to, SOL)], Some(&from.pubkey()), &[&from], hash);
    let signature = client.send_and_confirm_transaction(&transaction).unwrap();
    assert_eq!(client.get_balance(&to).unwrap(), SOL);
    let history = client.get_signatures_for_address(&to).unwrap();
    assert_eq!(history[0].signature, signature.to_string());
    assert!(history[0].err.is_none());
}

#[test]
fn a_forged_signature_is_refused() {
    let chain = Localnet::start(&[]);
    let client = chain.client();
    let from = funded(&client);
    let to = Pubkey::new_unique();
    let hash = client.get_latest_blockhash().unwrap();
    let mut transaction =
        Transaction::new_signed_with_payer(&[transfer(&from.pubkey(), &to, SOL)], Some(&from.pubkey()), &[&from], hash);
    transaction.signatures[0] = solana_signature::Signature::from([7; 64]);
    let error = client.send_transaction(&transaction).unwrap_err().to_string();
    assert!(error.to_lowercase().contains("signature"), "{error}");
    assert_eq!(client.get_balance(&to).unwrap(), 0);
}
