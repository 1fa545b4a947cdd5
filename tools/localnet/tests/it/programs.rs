//! Programs loaded from files.

use std::fs;

use solana_client::rpc_client::RpcClient;
use solana_loader_v3_interface::{get_program_data_address, state::UpgradeableLoaderState};
use solana_message::Instruction;
use solana_pubkey::{Pubkey, pubkey};
use solana_signer::Signer;
use solana_transaction::Transaction;
use tempfile::TempDir;

use crate::support::{Localnet, funded, refused};

/// Part of every chain and stored as a plain ELF object, so it serves as a real program to load elsewhere.
const ASSOCIATED_TOKEN: Pubkey = pubkey!("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

#[test]
fn a_program_from_a_file_runs_at_its_id() {
    let folder = TempDir::new().unwrap();
    let (id, authority) = (Pubkey::new_unique(), Pubkey::new_unique());
    let elf = real_program();
    let path = folder.path().join("program.so");
    fs::write(&path, &elf).unwrap();

    let argument = format!("{id}={}", path.display());
    let chain = Localnet::start(&["--program", &argument, "--upgrade-authority", &authority.to_string()]);
    let client = chain.client();
    assert!(client.get_account(&id).unwrap().executable);
    let data = client.get_account_data(&get_program_data_address(&id)).unwrap();
    let (head, stored) = data.split_at(UpgradeableLoaderState::size_of_programdata_metadata());
    assert_eq!(stored, elf);
    let state: UpgradeableLoaderState = bincode::deserialize(head).unwrap();
    assert_eq!(state, UpgradeableLoaderState::ProgramData { slot: 0, upgrade_authority_address: Some(authority) });
    assert!(invoked(&client, id));
}

#[test]
fn without_an_authority_nobody_may_upgrade() {
    let folder = TempDir::new().unwrap();
    let id = Pubkey::new_unique();
    let path = folder.path().join("program.so");
    fs::write(&path, real_program()).unwrap();
    let chain = Localnet::start(&["--program", &format!("{id}={}", path.display())]);
    let data = chain.client().get_account_data(&get_program_data_address(&id)).unwrap();
    let state: UpgradeableLoaderState = bincode::deserialize(&data).unwrap();
    assert_eq!(state, UpgradeableLoaderState::ProgramData { slot: 0, upgrade_authority_address: None });
    assert!(invoked(&chain.client(), id));
}

#[test]
fn refuses_programs_that_are_none() {
    let folder = TempDir::new().unwrap();
    let id = Pubkey::new_unique();
    let ports = ["--rpc-port", "0", "--ws-port", "0", "--program"];
    let with = |argument: &str| refused(&[&ports[..], &[argument]].concat());

    let missing = folder.path().join("missing.so");
    let message = with(&format!("{id}={}", missing.display()));
    assert!(message.contains("missing.so") && message.contains("build the programs first"), "{message}");

    let text = folder.path().join("text.so");
    fs::write(&text, "not a program").unwrap();
    let message = with(&format!("{id}={}", text.display()));
    assert!(message.contains("not an ELF object"), "{message}");

    assert!(with("nonsense").contains("<program id>=<path"), "{}", with("nonsense"));
    assert!(with("nonsense=x.so").contains("no program id"), "{}", with("nonsense=x.so"));
}

fn real_program() -> Vec<u8> {
    let chain = Localnet::start(&[]);
    let elf = chain.client().get_account_data(&ASSOCIATED_TOKEN).unwrap();
    assert_eq!(&elf[..4], b"\x7fELF");
    elf
}

/// Whether the virtual machine enters the program. What the program makes of an empty instruction is its own affair.
fn invoked(client: &RpcClient, id: Pubkey) -> bool {
    let payer = funded(client);
    let instruction = Instruction { program_id: id, accounts: vec![], data: vec![] };
    let hash = client.get_latest_blockhash().unwrap();
    let transaction = Transaction::new_signed_with_payer(&[instruction], Some(&payer.pubkey()), &[&payer], hash);
    let logs = client.simulate_transaction(&transaction).unwrap().value.logs.unwrap_or_default();
    logs.iter().any(|line| line.starts_with(&format!("Program {id} consumed")))
}
