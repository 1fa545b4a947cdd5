//! Every account of every instruction is replaced by wrong ones, and every such call is refused with an error about the
//! account. The instructions and their accounts come from the IDL; the valid calls from the scenes that also measure compute
//! units, and from a few more that only substitutions need.
//!
//! With the environment variable `PROVENA_SUBSTITUTIONS` set, the test prints what each account is refused with.

use std::{collections::BTreeSet, env, thread, time::Instant};

use provena_tests::{Calls, idl::Idl};

mod allowed;
mod errors;
mod kinds;
mod more;
mod probe;
mod stock;
mod verdict;

use probe::{Attempt, Idls, Probe};
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
