//! Every account of every instruction is replaced by wrong ones, and every such call is refused with an error about the
//! account. The instructions and their accounts come from the IDL; the valid calls from the scenes that also measure compute
//! units, and from a few more that only substitutions need.
//!
//! With the environment variable `PROVENA_SUBSTITUTIONS` set, the test prints what each account is refused with.

use std::{collections::BTreeSet, env, thread, time::Instant};

use provena_tests::{Calls, idl::Idl};
use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;

mod allowed;
mod errors;
mod kinds;
mod more;
mod probe;
mod stock;
mod verdict;

use kinds::Kind;
use probe::{Attempt, Idls, Probe, Slot};
use stock::Stock;

/// Makes each call of a part of the table.
type Table = fn(&mut dyn Calls);

/// The table of valid calls, in parts that are walked side by side.
const TABLES: [(&str, Table); 4] = [
    ("royalty", crate::royalty::compute_units::calls),
    ("registry", crate::registry::compute_units::calls),
    ("market", crate::market::compute_units::calls),
    ("more", more::calls),
];

fn idls() -> Idls {
    ["royalty", "registry", "market"].map(|name| (name.to_owned(), Idl::of(name))).into()
}

/// Walks all tables at once, each with what `walk` does, and returns what that makes.
fn side_by_side<T: Send>(walk: impl Fn(Table) -> T + Sync) -> Vec<T> {
    let walk = &walk;
    thread::scope(|scope| {
        let walks = TABLES.map(|(name, table)| {
            // Transactions are recorded by the name of the thread that sends them.
            let thread = thread::Builder::new().name(format!("substitutions::{name}"));
            thread.spawn_scoped(scope, move || walk(table)).expect("a thread can be started")
        });
        walks.map(|walk| walk.join().expect("every call of the table is valid")).into()
    })
}

#[test]
fn every_substituted_account_is_refused() {
    let (start, idls) = (Instant::now(), idls());
    let mut stock = Stock::default();
    side_by_side(Stock::of).into_iter().for_each(|part| stock.add(part));
    let attempts: Vec<Attempt<'_>> = side_by_side(|table| {
        let mut probe = Probe::new(&stock, &idls);
        table(&mut probe);
        probe.attempts
    })
    .concat();
    if env::var_os("PROVENA_SUBSTITUTIONS").is_some() {
        println!("{}", verdict::summary(&attempts));
    }
    println!("{} substitutions in {:?}", attempts.len(), start.elapsed());
    let missing = accounts_without_a_substitution(&idls, &attempts);
    assert!(
        missing.is_empty(),
        "the table of valid calls names no account for:\n{}",
        Vec::from_iter(missing).join("\n")
    );
    let faults = verdict::faults(&attempts);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), Vec::from_iter(faults).join("\n"));
}

/// Instructions of the IDL that the table does not call, and their accounts that no call names.
fn accounts_without_a_substitution(idls: &Idls, attempts: &[Attempt<'_>]) -> BTreeSet<String> {
    let tried: BTreeSet<(&str, &str)> =
        attempts.iter().map(|attempt| (attempt.slot.instruction(), attempt.slot.account.as_str())).collect();
    let mut missing = BTreeSet::new();
    for (program, idl) in idls {
        for instruction in &idl.instructions {
            let call = format!("{program}.{}", instruction.name);
            let accounts = instruction.accounts.iter().map(|account| account.name.as_str());
            let untried = accounts.filter(|account| !tried.contains(&(call.as_str(), account)));
            missing.extend(untried.map(|account| format!("{call} {account}")));
        }
    }
    missing
}

#[test]
#[should_panic(expected = "market.settle is no instruction of the IDL")]
fn a_call_of_no_instruction_fails() {
    probe::described(&idls(), "market.settle");
}

#[test]
fn an_instruction_without_a_call_fails() {
    let missing = accounts_without_a_substitution(&idls(), &[]);
    assert!(missing.contains("market.finalize job"), "{missing:?}");
    assert!(missing.contains("registry.register_dataset lineage"), "{missing:?}");
    assert!(missing.contains("royalty.claim token_program"), "{missing:?}");
}

/// An account that is accepted, an error that is about something else, and one that comes from elsewhere.
#[test]
fn what_is_not_refused_for_the_account_is_a_fault() {
    let instruction = |index, error| Err(TransactionError::InstructionError(index, error));
    let attempt = |kind, outcome| {
        let slot = Slot {
            call: "market.acknowledge".to_owned(),
            account: "payer".to_owned(),
            declared: None,
            ours: false,
            wallet: true,
        };
        Attempt { slot, kind, outcome, instruction: 0 }
    };
    let attempts = [
        attempt(Kind::Twin, Ok(())),
        attempt(Kind::Other, instruction(0, InstructionError::ProgramFailedToComplete)),
        attempt(Kind::Missing, instruction(1, InstructionError::IllegalOwner)),
        // This one is as it should be, and the next is a wallet, known by its address.
        attempt(Kind::Unsigned, instruction(0, InstructionError::MissingRequiredSignature)),
        attempt(Kind::ReOwned, Ok(())),
    ];
    let faults = verdict::faults(&attempts);
    let here: Vec<_> = faults.iter().filter(|fault| !fault.contains("never")).map(String::as_str).collect();
    let expected = [
        "market.acknowledge payer Missing: IllegalOwner of another instruction",
        "market.acknowledge payer Other: ProgramFailedToComplete is not about the account",
        "market.acknowledge payer Twin: accepted",
    ];
    assert_eq!(here, expected);
}
