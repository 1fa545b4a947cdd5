//! Every account of every instruction is replaced by wrong ones, and every such call is refused with an error about the
//! account. The instructions and their accounts come from the IDL; the valid calls from the scenes that also measure compute
//! units, and from a few more that only substitutions need.

use std::{collections::BTreeSet, thread, time::Instant};

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
    let missing = instructions_without_a_call(&idls, &stock);
    assert!(missing.is_empty(), "no valid call in the table: {missing:?}");
    let walked = start.elapsed();
    let attempts: Vec<Attempt<'_>> = side_by_side(|table| {
        let mut probe = Probe::new(&stock, &idls);
        table(&mut probe);
        probe.attempts
    })
    .concat();
    println!("{}", verdict::summary(&attempts));
    println!("{} substitutions, {:?}, of which {walked:?} to walk the table", attempts.len(), start.elapsed());
    let faults = verdict::faults(&attempts);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), Vec::from_iter(faults).join("\n"));
}

/// Instructions of the IDL that the table does not call.
fn instructions_without_a_call(idls: &Idls, stock: &Stock) -> BTreeSet<String> {
    let called: BTreeSet<String> = stock
        .calls()
        .map(|call| {
            let (_, instruction) = probe::described(idls, call);
            let program = call.split('.').next().expect("split yields one part at least");
            format!("{program}.{}", instruction.name)
        })
        .collect();
    let all = idls.iter().flat_map(|(program, idl)| {
        idl.instructions.iter().map(move |instruction| format!("{program}.{}", instruction.name))
    });
    all.filter(|instruction| !called.contains(instruction)).collect()
}
