//! What is wrong with how the attempts ended.

use std::collections::{BTreeMap, BTreeSet};

use solana_transaction_error::TransactionError;

use super::{
    allowed::{EXCEPTIONS, Exception},
    errors,
    kinds::Kind,
    probe::Attempt,
};

/// Faults, each in a line; empty when all is well.
pub(crate) fn faults(attempts: &[Attempt<'_>]) -> BTreeSet<String> {
    let (mut faults, mut used) = (BTreeSet::new(), BTreeSet::new());
    for attempt in attempts.iter().filter(|attempt| attempt.outcome.is_ok() && !is_known_by(attempt)) {
        if !is_excepted(attempt, None, &mut used) {
            faults.insert(format!("{}: accepted", about(attempt)));
        }
    }
    for attempt in attempts {
        let Err(error) = &attempt.outcome else { continue };
        let name = errors::name(error);
        let fault = if is_of_another_instruction(attempt, error) {
            format!("{name} of another instruction")
        } else if let Some(exact) = errors::exact(&attempt.slot, attempt.kind).filter(|exact| !exact.contains(&&*name))
        {
            format!("{name} instead of {exact:?}")
        } else if !errors::is_about_accounts(&name)
            && !errors::is_about_another_state(attempt.kind, &name)
            && !is_excepted(attempt, Some(&name), &mut used)
        {
            format!("{name} is not about the account")
        } else {
            continue;
        };
        faults.insert(format!("{}: {fault}", about(attempt)));
    }
    for (index, exception) in EXCEPTIONS.iter().enumerate() {
        for kind in exception.kinds.iter().filter(|kind| !used.contains(&(index, **kind))) {
            let Exception { call, account, error, reason, .. } = exception;
            faults
                .insert(format!("{call} {account} {kind:?}: never {}, although {reason}", error.unwrap_or("accepted")));
        }
    }
    faults
}

fn about(attempt: &Attempt<'_>) -> String {
    format!("{} {} {:?}", attempt.slot.call, attempt.slot.account, attempt.kind)
}

fn is_of_another_instruction(attempt: &Attempt<'_>, error: &TransactionError) -> bool {
    matches!(error, TransactionError::InstructionError(index, _) if usize::from(*index) != attempt.instruction)
}

/// Whether an exception covers this; notes which one.
fn is_excepted(attempt: &Attempt<'_>, error: Option<&str>, used: &mut BTreeSet<(usize, Kind)>) -> bool {
    let Attempt { slot, kind, .. } = attempt;
    let index = EXCEPTIONS.iter().position(|exception| exception.covers(&slot.call, &slot.account, *kind, error));
    index.is_some_and(|index| {
        used.insert((index, *kind));
        true
    })
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

/// What each account of each instruction is refused with, by kind, all cases together.
pub(crate) fn summary(attempts: &[Attempt<'_>]) -> String {
    let mut rows: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
    for attempt in attempts {
        let instruction = attempt.slot.instruction().to_owned();
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
