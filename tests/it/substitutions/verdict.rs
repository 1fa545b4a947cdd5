//! What is wrong with how the attempts ended.

use std::collections::{BTreeMap, BTreeSet};

use solana_transaction_error::TransactionError;

use super::{
    allowed::{ALLOWED, Allowed},
    errors,
    kinds::Kind,
    probe::Attempt,
};

/// Faults, each in a line; empty when all is well.
pub fn faults(attempts: &[Attempt<'_>]) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    let mut used = BTreeSet::new();
    for attempt in attempts {
        let (slot, kind) = (&attempt.slot, attempt.kind);
        let about = format!("{} {} {kind:?}", slot.call, slot.account);
        let Err(error) = &attempt.outcome else {
            if is_known_by(attempt) {
                continue;
            }
            match ALLOWED.iter().position(|allowed| allows(allowed, attempt)) {
                Some(index) => drop(used.insert((index, kind))),
                None => drop(faults.insert(format!("{about}: accepted"))),
            }
            continue;
        };
        let name = errors::name(error);
        if let TransactionError::InstructionError(index, error) = error {
            if usize::from(*index) != attempt.instruction {
                faults.insert(format!("{about}: {name} of another instruction"));
            }
            let exact = errors::exact(slot, kind);
            if !exact.is_empty() && !exact.contains(error) {
                faults.insert(format!("{about}: {name} instead of {exact:?}"));
            }
        }
        if !errors::is_about_accounts(&name) {
            faults.insert(format!("{about}: {name} is not about the account"));
        }
    }
    for (index, allowed) in ALLOWED.iter().enumerate() {
        for kind in allowed.kinds.iter().filter(|kind| !used.contains(&(index, **kind))) {
            faults.insert(format!("{} {} {kind:?}: allowed, and never accepted", allowed.call, allowed.account));
        }
    }
    faults
}

/// Two things are no fault of any instruction. An account of ours is known by its owner and its kind, because our programs
/// make accounts at derived addresses alone: a look-alike of the right owner cannot exist. And a wallet is known by its
/// address, whoever owns it.
fn is_known_by(attempt: &Attempt<'_>) -> bool {
    match attempt.kind {
        Kind::LookAlike => attempt.slot.ours,
        Kind::ReOwned => attempt.slot.wallet,
        _ => false,
    }
}

fn allows(allowed: &Allowed, attempt: &Attempt<'_>) -> bool {
    allowed.covers(&attempt.slot.call, &attempt.slot.account) && allowed.kinds.contains(&attempt.kind)
}

/// What each account of each instruction is refused with, by kind, all cases together.
pub fn summary(attempts: &[Attempt<'_>]) -> String {
    let mut rows: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
    for attempt in attempts {
        let mut parts = attempt.slot.call.splitn(3, '.');
        let instruction = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
        let outcome = attempt.outcome.as_ref().map_or_else(errors::name, |()| "accepted".to_owned());
        let row = rows.entry((instruction, attempt.slot.account.clone(), attempt.kind)).or_default();
        *row.entry(outcome).or_default() += 1;
    }
    let line = |((instruction, account, kind), outcomes): (&(String, String, Kind), &BTreeMap<String, usize>)| {
        let outcomes: Vec<_> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
        format!("{instruction} {account} {kind:?}: {}\n", outcomes.join(", "))
    };
    rows.iter().map(line).collect()
}
