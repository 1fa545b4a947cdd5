//! The nodes of one job, read from the accounts that follow an instruction's own.

use anchor_lang::prelude::*;

use crate::constants::MAX_SLOTS;
use crate::error::MarketError;
use crate::events::BondForfeited;
use crate::fees::{Amount, Units};
use crate::funds;
use crate::state::{Job, Node, Slot, SlotState};

/// One live slot with the accounts that belong to it, in the order in which they are passed.
pub struct Member<'a> {
    /// The slot's account.
    pub slot: &'a AccountView,
    /// The node's account.
    pub node: &'a AccountView,
    /// The node's wallet.
    pub authority: &'a AccountView,
    /// The node's token account; only for a job paid in tokens.
    pub token: Option<&'a AccountView>,
    /// Which of the job's slots.
    pub index: u8,
    /// Where the claim stands.
    pub state: SlotState,
    /// The revealed result.
    pub result_root: [u8; 32],
    /// The revealed units.
    pub units: Units,
    /// Last Solana slot for its commit.
    pub commit_deadline: u64,
    bond: Amount,
}

/// How a claim ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The node agreed with the quorum; the bond is free again.
    Agreed,
    /// The node did nothing wrong and earned nothing; the bond is free again.
    Released,
    /// The bond goes to the payer.
    Forfeited,
}

/// Reads every live slot of `job`: `slot, node, authority` for each, and with `with_tokens` also `node token account`.
/// Errors: `MissingSlots` unless there are exactly as many as the job counts, `WrongSlot` for another job's slot or a
/// repeated one, `WrongNode`.
pub fn read<'a>(job: &Account<Job>, rest: &'a [AccountView], with_tokens: bool) -> Result<Vec<Member<'a>>> {
    let stride = if with_tokens { 4 } else { 3 };
    let live = usize::from(job.live);
    require!(rest.len() == live.saturating_mul(stride), MarketError::MissingSlots);
    let mut seen = [false; MAX_SLOTS];
    let mut members = Vec::with_capacity(live);
    for chunk in rest.chunks_exact(stride) {
        let member = read_one(job, chunk)?;
        let seen = seen.get_mut(usize::from(member.index)).ok_or(MarketError::WrongSlot)?;
        require!(!core::mem::replace(seen, true), MarketError::WrongSlot);
        members.push(member);
    }
    Ok(members)
}

/// Reads one live slot from `slot, node, authority` and perhaps `node token account`. Errors: as [`read`].
pub fn read_one<'a>(job: &Account<Job>, accounts: &'a [AccountView]) -> Result<Member<'a>> {
    let [slot_view, node, authority, token @ ..] = accounts else {
        return Err(MarketError::MissingSlots.into());
    };
    let slot = Account::<Slot>::load(*slot_view)?;
    require!(slot.job == *job.address(), MarketError::WrongSlot);
    require!(slot.node == *node.address() && slot.authority == *authority.address(), MarketError::WrongNode);
    Ok(Member {
        slot: slot_view,
        node,
        authority,
        token: token.first(),
        index: slot.index,
        state: slot.state()?,
        result_root: slot.result_root,
        units: Units(slot.units),
        commit_deadline: slot.commit_deadline,
        bond: Amount(slot.bond),
    })
}

/// The result on which at least `quorum` members agree, byte for byte, with its units and how many agree. There is at
/// most one, because a quorum is a strict majority of the job's slots.
pub fn quorum(members: &[Member<'_>], quorum: u8) -> Option<([u8; 32], Units, u64)> {
    members.iter().find_map(|candidate| {
        let agreeing = members.iter().filter(|other| other.agrees(&candidate.result_root, candidate.units)).count();
        let agreeing = u64::try_from(agreeing).ok()?;
        (agreeing >= u64::from(quorum)).then_some((candidate.result_root, candidate.units, agreeing))
    })
}

impl Member<'_> {
    /// Whether this member revealed exactly this result.
    pub fn agrees(&self, result_root: &[u8; 32], units: Units) -> bool {
        self.state == SlotState::Revealed && self.units == units && self.result_root == *result_root
    }

    /// Ends the claim: frees or forfeits the bond and returns the slot's rent to the node. Bonds go to the payer, or to
    /// the job, which the payer empties with `close_job`, when the payer's wallet could not hold them.
    pub fn end(&self, outcome: Outcome, job: &AccountView, payer: &AccountView) -> Result<()> {
        // SAFETY: `read` has let every reference to these accounts go, no two members share one (a node holds at most
        // one slot of a job), and none is a declared account of an instruction that calls this.
        let (mut node, mut slot) =
            unsafe { (Account::<Node>::load_mut(*self.node)?, Account::<Slot>::load_mut(*self.slot)?) };
        match outcome {
            Outcome::Agreed => {
                node.release(self.bond)?;
                node.agreed = node.agreed.saturating_add(1);
            }
            Outcome::Released => node.release(self.bond)?,
            Outcome::Forfeited => {
                node.forfeit(self.bond)?;
                funds::pay(self.node, payer, job, self.bond)?;
                emit!(BondForfeited { job: *job.address(), authority: node.authority, bond: self.bond.0 });
            }
        }
        node.invariant()?;
        slot.close(*self.authority)
    }
}
