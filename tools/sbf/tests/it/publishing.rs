//! Only the programs that were asked for are published, each as its own package says.

use std::{fs, path::Path};

use litesvm::LiteSVM;
use provena_sbf::BuildOptions;
use solana_keypair::Keypair;
use solana_message::{Address, Instruction, Message};
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::programs;

fn options(folder: &str) -> BuildOptions {
    let out_dir = programs::out_dir(folder);
    let _ = fs::remove_dir_all(&out_dir);
    BuildOptions { out_dir: Some(out_dir), ..programs::options("family") }
}

fn published(options: &BuildOptions) -> Vec<String> {
    let mut names: Vec<String> = options
        .out_dir
        .iter()
        .flat_map(|dir| dir.read_dir().expect("the folder is there"))
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// Calls the program without accounts and returns how it ended.
fn call(path: &Path) -> String {
    let mut svm = LiteSVM::new();
    let program = Address::new_from_array([9; 32]);
    svm.add_program_from_file(program, path).expect("the VM accepts the program");
    let payer = Keypair::new();
    svm.airdrop(&payer.pubkey(), 1_000_000_000).expect("an airdrop");
    let instruction = Instruction { program_id: program, accounts: Vec::new(), data: Vec::new() };
    let message = Message::new(&[instruction], Some(&payer.pubkey()));
    match svm.send_transaction(Transaction::new(&[&payer], message, svm.latest_blockhash())) {
        Ok(_) => "succeeded".to_owned(),
        Err(failed) => format!("{:?}", failed.err),
    }
}

#[test]
fn building_one_program_publishes_no_other() {
    let options = BuildOptions { packages: vec!["family-child".to_owned()], ..options("family-one") };
    provena_sbf::build(&options).expect("the program can be built");
    assert_eq!(published(&options), ["family_child.so"]);
}

#[test]
fn programs_that_use_one_another_keep_their_entrypoints() {
    let options = options("family-all");
    // Twice, because the second time cargo has both variants of the parent at hand.
    for _ in 0..2 {
        let built = provena_sbf::build(&options).expect("the programs can be built");
        assert_eq!(published(&options), ["family_child.so", "family_parent.so"]);
        let outcomes: Vec<(&str, String)> = built.iter().map(|b| (b.name.as_str(), call(&b.path))).collect();
        assert_eq!(outcomes[0], ("family_child", "InstructionError(0, Custom(7))".to_owned()));
        assert_eq!(outcomes[1], ("family_parent", "succeeded".to_owned()));
    }
}

#[test]
fn build_rejects_a_library_without_entrypoint() {
    let options = BuildOptions {
        packages: vec!["family-parent".to_owned()],
        features: vec!["no-entrypoint".to_owned()],
        ..options("family-none")
    };
    let error = format!("{:#}", provena_sbf::build(&options).expect_err("there is no entrypoint"));
    assert!(
        error.contains("family-parent cannot become a program: the library has no function `entrypoint`"),
        "{error}"
    );
    assert!(!options.out_dir.is_some_and(|dir| dir.exists()));
}
