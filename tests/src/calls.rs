//! The table of valid calls: each program's scenes make every one of its instructions once, and whoever walks the table says
//! what happens at each call.

use solana_instruction::Instruction;
use solana_keypair::Keypair;

use crate::{
    compute_units::{Cost, Report},
    world::World,
};

/// What is done with the calls of the table.
pub trait Calls {
    /// Makes one call, named `program.instruction` or `program.instruction.case`: the LAST of the instructions, which is valid
    /// where it stands. It must be carried out, so that the scene goes on. Returns what it cost.
    fn call(&mut self, name: &str, world: &mut World, instructions: &[Instruction], signers: &[&Keypair]) -> Cost;

    /// Notes what several calls cost together.
    fn sum(&mut self, _name: &str, _cost: Cost) {}
}

/// Each call is measured and recorded.
impl Calls for Report {
    fn call(&mut self, name: &str, world: &mut World, instructions: &[Instruction], signers: &[&Keypair]) -> Cost {
        let cost = world.measure(instructions, signers);
        self.record(name, cost);
        cost
    }

    fn sum(&mut self, name: &str, cost: Cost) {
        self.record(name, cost);
    }
}
