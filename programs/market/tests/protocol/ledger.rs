//! Who has how much, and what the handlers do with it: money is moved here exactly where they move it.

use anchor_lang::bytemuck::Zeroable;
use provena_market::{
    constants::DEMAND_DEPOSIT,
    fees::Amount,
    state::{Job, Node, Owed, Part, Party, Seat, SeatSet},
};

/// What a node has outside and at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Purse {
    pub(crate) wallet: u64,
    pub(crate) stake: u64,
    pub(crate) locked: u64,
}

impl Purse {
    /// Everything that is the node's.
    pub(crate) fn wealth(&self) -> u64 {
        self.wallet + self.stake
    }

    /// Lets the program's own [`Node`] do something with this stake.
    pub(crate) fn with_node(&mut self, act: impl FnOnce(&mut Node) -> anchor_lang::prelude::Result<()>) -> bool {
        let mut node: Node = Zeroable::zeroed();
        (node.stake, node.locked) = (self.stake, self.locked);
        let done = act(&mut node).is_ok();
        if done {
            (self.stake, self.locked) = (node.stake, node.locked);
        }
        done
    }
}

/// All lamports of the model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    pub(crate) payer: u64,
    pub(crate) nodes: Vec<Purse>,
    pub(crate) royalty: u64,
    pub(crate) treasury: u64,
    /// What the job's account holds above its rent.
    pub(crate) job: u64,
}

impl Ledger {
    /// The sum of everything.
    pub(crate) fn total(&self) -> u64 {
        let nodes: u64 = self.nodes.iter().map(Purse::wealth).sum();
        self.payer + nodes + self.royalty + self.treasury + self.job
    }

    /// Takes the bonds of seats that forfeit into the job, as `finalize` and `default_answer` do.
    pub(crate) fn forfeit(&mut self, job: &Job, seats: &[Seat], forfeiting: SeatSet) {
        for index in forfeiting.iter() {
            self.forfeit_one(job, node_of(&seats[usize::from(index)]));
        }
    }

    /// Takes one node's bond into the job.
    pub(crate) fn forfeit_one(&mut self, job: &Job, node: usize) {
        let bond = Amount(job.bond);
        assert!(self.nodes[node].with_node(|node| node.forfeit(bond)), "a bond that is not locked");
        self.job += job.bond;
    }

    /// Pays a party what it is owed, as the collects do.
    pub(crate) fn pay(&mut self, job: &mut Job, seats: &mut [Seat], party: Party, owed: Owed) {
        let lamports = owed.money.0 + owed.lamports.0;
        self.job = self.job.checked_sub(lamports).expect("the job holds what it owes");
        match party {
            Party::Seat(index) => {
                let purse = &mut self.nodes[node_of(&seats[usize::from(index)])];
                purse.wallet += lamports;
                if owed.bond {
                    assert!(purse.with_node(|node| node.release(Amount(job.bond))), "a bond that is not locked");
                }
            }
            Party::Royalty => self.royalty += lamports,
            Party::Protocol => self.treasury += lamports,
            Party::Payer => self.payer += lamports,
        }
        for (part, owed) in
            [(Part::Money, !owed.money.is_zero()), (Part::Lamports, !owed.lamports.is_zero()), (Part::Bond, owed.bond)]
        {
            if owed {
                job.collect(seats, party, part).expect("it was owed");
            }
        }
    }

    /// The payer's deposit for a demand goes into the job.
    pub(crate) fn demand(&mut self) {
        self.payer -= DEMAND_DEPOSIT.0;
        self.job += DEMAND_DEPOSIT.0;
    }

    /// Whoever put the answer on chain gets that deposit.
    pub(crate) fn answered(&mut self, node: usize) {
        self.job -= DEMAND_DEPOSIT.0;
        self.nodes[node].wallet += DEMAND_DEPOSIT.0;
    }
}

/// The number of a seat's node; its authority's first byte counts from one.
pub(crate) fn node_of(seat: &Seat) -> usize {
    usize::from(seat.node.as_array()[0]) - 1
}
