//! How many instructions of each kind were accepted, how many refused and why, and whether all that exist were among them.

use std::{collections::BTreeMap, fmt};

use provena_tests::idl::Idl;

use super::{
    model::{Answer, Flows},
    operation::{Operation, Program},
};

/// How often an instruction must have been accepted, and refused, at least.
const LEAST: usize = 20;

/// Instructions that are never sent: they happen once, before anything else.
const NEVER: [&str; 1] = ["initialize_admin"];

/// What an instruction's refusals were, and how often it was accepted.
#[derive(Default)]
struct Outcomes {
    accepted: usize,
    refused: BTreeMap<String, usize>,
}

#[derive(Default)]
pub(crate) struct Tally {
    outcomes: BTreeMap<(Program, String), Outcomes>,
    flows: Flows,
}

impl Tally {
    pub(crate) fn count(&mut self, operation: &Operation, answer: &Answer) {
        let Some(name) = operation.instruction() else { return };
        let outcomes = self.outcomes.entry(name).or_default();
        match answer {
            Ok(()) => outcomes.accepted += 1,
            Err(refusal) => *outcomes.refused.entry(format!("{refusal:?}")).or_default() += 1,
        }
    }

    pub(crate) fn count_flows(&mut self, flows: &Flows) {
        self.flows.royalties += flows.royalties;
        self.flows.sweeps += flows.sweeps;
        self.flows.claims += flows.claims;
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.count_flows(&other.flows);
        for (name, outcomes) in other.outcomes {
            let mine = self.outcomes.entry(name).or_default();
            mine.accepted += outcomes.accepted;
            for (refusal, count) in outcomes.refused {
                *mine.refused.entry(refusal).or_default() += count;
            }
        }
    }

    pub(crate) fn instructions(&self) -> usize {
        self.outcomes.values().map(|outcomes| outcomes.accepted + outcomes.refusals()).sum()
    }

    /// Every instruction that the programs' interface descriptions name was accepted and refused often enough to mean something.
    pub(crate) fn check_against_descriptions(&self) {
        let mut rare = Vec::new();
        for (program, file) in
            [(Program::Registry, "registry"), (Program::Royalty, "royalty"), (Program::Market, "market")]
        {
            for name in Idl::of(file).instructions.into_iter().map(|instruction| instruction.name) {
                if NEVER.contains(&name.as_str()) {
                    continue;
                }
                let (accepted, refused) = self
                    .outcomes
                    .get(&(program, name.clone()))
                    .map_or((0, 0), |outcomes| (outcomes.accepted, outcomes.refusals()));
                if accepted < LEAST || refused < LEAST {
                    rare.push(format!("{program:?} {name}: {accepted} accepted, {refused} refused"));
                }
            }
        }
        let Flows { royalties, sweeps, claims } = self.flows;
        let enough = royalties.min(sweeps).min(claims) >= LEAST;
        assert!(enough, "money goes its way too rarely: {:?}", self.flows);
        assert!(rare.is_empty(), "too rare to mean something:\n{}", rare.join("\n"));
    }
}

impl Outcomes {
    fn refusals(&self) -> usize {
        self.refused.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((program, name), outcomes) in &self.outcomes {
            let refused: Vec<_> =
                outcomes.refused.iter().map(|(refusal, count)| format!("{refusal} {count}")).collect();
            let (accepted, refusals) = (outcomes.accepted, outcomes.refusals());
            let program = format!("{program:?}");
            writeln!(
                f,
                "{program:<8} {name:<20} {accepted:>6} accepted {refusals:>6} refused: {}",
                refused.join(", ")
            )?;
        }
        let Flows { royalties, sweeps, claims } = self.flows;
        writeln!(
            f,
            "{royalties} royalties of jobs reached pools, {sweeps} sweeps pools' parents, {claims} claims wallets"
        )
    }
}
