//! Every account of every instruction is replaced by wrong ones, and every such call is refused.

use std::{collections::BTreeMap, thread, time::Instant};

use provena_tests::{Calls, idl::Idl};

mod kinds;
mod probe;
mod stock;

use probe::Probe;
use stock::Stock;

/// Each program's part of the table.
const TABLES: [fn(&mut dyn Calls); 3] =
    [crate::royalty::compute_units::calls, crate::registry::compute_units::calls, crate::market::compute_units::calls];

fn stock() -> Stock {
    let mut all = Stock::default();
    thread::scope(|scope| {
        let walks = TABLES.map(|table| scope.spawn(move || Stock::of(table)));
        for walk in walks {
            all.add(walk.join().expect("every call is valid"));
        }
    });
    all
}

#[test]
fn every_substituted_account_is_refused() {
    let start = Instant::now();
    let stock = stock();
    println!("stock after {:?}", start.elapsed());
    let idls: BTreeMap<String, Idl> =
        ["royalty", "registry", "market"].map(|name| (name.to_owned(), Idl::of(name))).into();
    let mut outcomes = BTreeMap::new();
    thread::scope(|scope| {
        let walks = TABLES.map(|table| {
            let (stock, idls) = (&stock, &idls);
            scope.spawn(move || {
                let mut probe = Probe::new(stock, idls);
                table(&mut probe);
                probe.outcomes
            })
        });
        for walk in walks {
            outcomes.extend(walk.join().expect("every call is valid"));
        }
    });
    println!("probed after {:?}", start.elapsed());
    let count: usize = outcomes.values().map(Vec::len).sum();
    println!("{count} substitutions");
    for (tried, outcomes) in &outcomes {
        let set: std::collections::BTreeSet<String> =
            outcomes.iter().map(|(outcome, _)| format!("{outcome:?}")).collect();
        println!("ROW {} {} {:?} {set:?}", tried.call, tried.account, tried.kind);
    }
}
