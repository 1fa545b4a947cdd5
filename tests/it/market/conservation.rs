//! Money is conserved and everybody gets exactly what is theirs, whatever happens in whatever order.
//!
//! Random instructions of payers, nodes and strangers over several offers, mints and jobs are sent to the programs and told
//! to a model that is written apart from them: its own deadlines, its own division of fees. The model says of each
//! instruction whether it must succeed, and after each what every account must hold, to the base unit.
//!
//! `PROVENA_SOAK=1000000` sends that many instructions instead of the usual number; `PROVENA_SEED` chooses another run.

mod answers;
mod chain;
mod collects;
mod jobs;
mod model;
mod random;
mod world;

use std::env;

use chain::Chain;

/// Instructions of a normal run.
const INSTRUCTIONS: u64 = 20_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn everybody_gets_exactly_what_is_theirs() {
    let instructions = number("PROVENA_SOAK").unwrap_or(INSTRUCTIONS);
    let seed = number("PROVENA_SEED").unwrap_or(0x70_726f_7665_6e61);
    println!("PROVENA_SEED={seed} PROVENA_SOAK={instructions}");
    let mut chain = Chain::new(seed);
    while chain.sent < instructions {
        chain.step();
    }
    chain.finish();
    println!("{}", chain.summary());
    // Every kind of instruction was accepted and refused often enough to mean something.
    for (name, (accepted, refused)) in &chain.counts {
        assert!(*accepted >= 5, "{name} was accepted {accepted} times in {instructions} instructions");
        let always_possible = ["add_stake", "set_protocol_fee", "create_offer", "sweep_treasury"].contains(name);
        assert!(*refused >= 3 || always_possible, "{name} was refused {refused} times in {instructions} instructions");
    }
}
