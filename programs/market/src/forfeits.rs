//! Bonds that are lost: lamports of the nodes' accounts, taken into the job's.

use anchor_lang::prelude::*;
use provena_common::{account::State, money};

use crate::{
    error::MarketError,
    events::BondForfeited,
    fees::Amount,
    state::{JobAccount, Node, SeatSet},
};

/// Takes the bonds of `seats` from the node accounts `nodes`, which are given in the order of the seats.
///
/// # Errors
/// `MissingNodes` unless there is one for each seat, `WrongNode` for another seat's.
pub(crate) fn take(job: &JobAccount, seats: SeatSet, nodes: &[AccountView]) -> Result<()> {
    require!(u64::try_from(nodes.len()) == Ok(seats.len()), MarketError::MissingNodes);
    for (index, view) in seats.iter().zip(nodes) {
        // SAFETY: these accounts follow the instruction's own, which cannot be among them when they are written, and no
        // reference to a node outlives its turn.
        let mut node = unsafe { State::<Node>::load_mut(*view) }?;
        let seat = job.get(usize::from(index)).ok_or(MarketError::SeatOutOfRange)?;
        require!(node.authority == seat.node, MarketError::WrongNode);
        take_one(job, &mut node)?;
    }
    Ok(())
}

/// Takes one node's bond; the caller knows that it is the node's that loses it.
///
/// # Errors
/// `Overflow` when the node has less locked, which it never has.
pub(crate) fn take_one(job: &JobAccount, node: &mut State<Node>) -> Result<()> {
    let bond = Amount(job.bond);
    node.forfeit(bond)?;
    node.invariant()?;
    money::move_lamports(node.view(), job.view(), bond)?;
    emit!(BondForfeited { job: *job.address(), node: node.authority, bond: bond.0 });
    Ok(())
}
