//! Every transaction that our clients and nodes send, at its largest allowed size, and what holds it: a packet, or a packet
//! and the deployment's lookup table.

mod market;
mod registry;
mod royalty;

use std::{env, fmt::Write as _, fs, path::PathBuf};

use provena_client::chain::{
    Budget, lookup,
    message::{MOST_BYTES, compile, transaction_len},
};
use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_pubkey::Pubkey;

/// Payment mints beside SOL that a deployment can allow, and a pool can have.
const TOKENS: usize = 7;

const INTRODUCTION: &str = "\
# Transactions

Bytes of every transaction that the clients and the node send, at its largest allowed size: the longest texts, five seats, pay
in tokens with accounts that must be opened first, and a priority fee. A cluster takes 1,232 bytes. Messages are of version 0.
*With table* stands where a transaction needs the deployment's lookup table, which holds the programs, their settings and the
payment mints (`lookup::common`); without one, such a transaction is refused before it is sent.

Holders, positions and inboxes beyond those that fit go into further transactions, floors can be raised later one by one. The
parents of an asset are named when it is registered; where they do not fit, they are added to a draft one by one.

A test fails when this page is not what it measures. To write it anew:
`PROVENA_WRITE_SIZES=1 cargo test -p provena-client --test it sizes`.

| transaction | bytes | with table |
|---|---:|---:|
";

/// An address that nothing else has.
fn key(name: &str) -> Pubkey {
    Pubkey::new_from_array(provena_arith::hash::sha256(&[name.as_bytes()]))
}

/// One of the payment mints, and its token program: both kinds occur.
fn token(index: usize) -> (Pubkey, Pubkey) {
    let program = if index.is_multiple_of(2) { TOKEN_PROGRAM } else { TOKEN_2022_PROGRAM };
    (key(&format!("payment mint {index}")), program)
}

fn table() -> AddressLookupTableAccount {
    let mints: Vec<Pubkey> = (0..TOKENS).map(|index| token(index).0).collect();
    AddressLookupTableAccount { key: key("lookup table"), addresses: lookup::common(&mints) }
}

/// Bytes of a transaction, however many they are; the limit and the price of a priority fee included.
fn bytes(payer: &Pubkey, instructions: &[Instruction], tables: &[AddressLookupTableAccount]) -> usize {
    let budget = Budget { micro_lamports_per_unit: 1, ..Budget::default() };
    let message = v0::Message::try_compile(payer, &budget.around(instructions), tables, Hash::default());
    transaction_len(&VersionedMessage::V0(message.expect("the accounts are few enough")))
}

/// The most of `0..=most` for which the transaction that `build` makes fits, with the table if `with_table`.
fn most_that_fit(most: usize, with_table: bool, build: impl Fn(usize) -> (Pubkey, Instruction)) -> usize {
    let tables = if with_table { vec![table()] } else { Vec::new() };
    let fits = |count: &usize| {
        let (payer, instruction) = build(*count);
        let all = Budget { micro_lamports_per_unit: 1, ..Budget::default() }.around(&[instruction]);
        compile(&all, &payer, &tables, Hash::default()).is_ok()
    };
    (0..=most).take_while(fits).last().expect("none fits")
}

#[derive(Default)]
struct Page(Vec<(String, usize, Option<usize>)>);

impl Page {
    fn record(&mut self, name: impl Into<String>, payer: &Pubkey, instructions: &[Instruction]) {
        let plain = bytes(payer, instructions, &[]);
        let with_table = (plain > MOST_BYTES).then(|| bytes(payer, instructions, &[table()]));
        let name = name.into();
        assert!(!self.0.iter().any(|(other, ..)| *other == name), "{name} was recorded twice");
        self.0.push((name, plain, with_table));
    }

    fn too_long(&self) -> Vec<String> {
        let smallest = |(_, plain, with_table): &&(String, usize, Option<usize>)| with_table.unwrap_or(*plain);
        let long = self.0.iter().filter(|row| smallest(row) > MOST_BYTES);
        long.map(|row| format!("{}: {} bytes", row.0, smallest(&row))).collect()
    }

    fn to_markdown(&self) -> String {
        let mut page = INTRODUCTION.to_owned();
        for (name, plain, with_table) in &self.0 {
            let with_table = with_table.map_or_else(String::new, |bytes| bytes.to_string());
            writeln!(page, "| {name} | {plain} | {with_table} |").expect("strings grow");
        }
        page
    }
}

#[test]
fn every_transaction_fits() {
    let mut page = Page::default();
    registry::record(&mut page);
    royalty::record(&mut page);
    market::record(&mut page);
    println!("{}", page.to_markdown());
    assert_eq!(page.too_long(), Vec::<String>::new());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/TRANSACTIONS.md");
    if env::var_os("PROVENA_WRITE_SIZES").is_some() {
        fs::write(&path, page.to_markdown()).expect("docs/TRANSACTIONS.md is writable");
    }
    let committed = fs::read_to_string(&path).expect("docs/TRANSACTIONS.md exists");
    assert_eq!(committed, page.to_markdown(), "docs/TRANSACTIONS.md is not what is measured");
}
