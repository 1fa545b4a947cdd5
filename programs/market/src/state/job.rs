//! A piece of paid work: a header and one [`Seat`] for each node, in one account.
//!
//! Everything here is a pure function of header, seats and the present slot: no account is read, no money is moved. The
//! handlers do what these functions say, clients and nodes ask the same ones, and a model checker drives them.
//!
//! - [`posting`](self): a job opens with its terms;
//! - `seats`: nodes take seats and leave them, late ones expire, the payer cancels;
//! - `results`: commitments, reveals, the one answer of a job of one seat;
//! - `decision`: what ends the waiting, and who forfeits;
//! - `demand`: the payer acknowledges the answer, or demands it on chain;
//! - `owed`: who gets what, and what was collected;
//! - `next`: what comes next.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    error::MarketError,
    fees::{Amount, Bps, Prices, Units, Work},
    state::STATE_VERSION,
    state::{Seat, SeatState},
};

mod account;
mod decision;
mod demand;
mod next;
mod owed;
mod posting;
mod results;
mod seats;

pub use account::{JobAccount, begin, parts};
pub use next::{Next, Who};
pub use owed::{Owed, Part, Party};
pub use posting::{JobTerms, Posting};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum JobState {
    /// Nodes take seats and commit. Ends with the last commitment, with the answer of a job of one seat, with the payer's
    /// `cancel_job`, or after `open_until` with `finalize`.
    Open = 1,
    /// Enough nodes have committed; they reveal. Ends with the last reveal, or after `reveal_until` with `finalize`.
    Revealing = 2,
    /// A quorum revealed the same. Its pay waits for the payer or for time, see [`Job::is_settled`].
    Agreed = 3,
    /// No quorum: everything goes back to the payer, and bonds are free.
    Failed = 4,
    /// The payer took it back before any node began.
    Cancelled = 5,
    /// The payer demanded the agreed answer and it did not come: the deposit goes back to the payer, the agreeing nodes'
    /// bonds to the treasury.
    Defaulted = 6,
}

impl JobState {
    /// Whether it is decided who gets what.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        !matches!(self, Self::Open | Self::Revealing)
    }
}

impl TryFrom<u8> for JobState {
    type Error = MarketError;

    fn try_from(byte: u8) -> core::result::Result<Self, MarketError> {
        Ok(match byte {
            1 => Self::Open,
            2 => Self::Revealing,
            3 => Self::Agreed,
            4 => Self::Failed,
            5 => Self::Cancelled,
            6 => Self::Defaulted,
            _ => return Err(MarketError::BrokenInvariant),
        })
    }
}

/// Bits of [`Job::flags`].
pub mod flag {
    /// Seats go to whoever takes them first.
    pub const FIRST_COME: u8 = 1;
    /// The payer has the answer.
    pub const ACKNOWLEDGED: u8 = 2;
    /// The demanded answer is on chain.
    pub const ANSWERED: u8 = 4;
}

/// A job's header, at `pda::job`. Seats follow it in the account; there are as many as nodes are wanted.
///
/// The account's lamports are its rent, the deposit when it is paid in SOL, forfeited bonds, and the deposit of a demand.
#[account]
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// Who paid, and receives refund and rent.
    pub payer: Address,
    /// The offer on which it was posted; it may be closed since.
    pub offer: Address,
    /// What it is paid in; zeros for SOL.
    pub mint: Address,
    /// The royalty pool's books for `mint`; an inbox of theirs receives the royalty.
    pub books: Address,
    /// [`JobTerms::hash`]; whoever takes a seat repeats it.
    pub terms_hash: [u8; 32],
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// First part of the nonce: a slot at most 150 before the posting.
    pub nonce_slot: u64,
    /// Price of the job as such, in base units of `mint`.
    pub base_price: u64,
    /// Price of one unit of input, in base units of `mint`.
    pub input_price: u64,
    /// Price of one unit of output, in base units of `mint`.
    pub output_price: u64,
    /// Least royalty of one unit, in base units of `mint`.
    pub least_royalty: u64,
    /// What arrived in escrow, in base units of `mint`.
    pub deposit: u64,
    /// Lamports of stake that a seat locks.
    pub bond: u64,
    /// Least stake, in lamports, of a node that takes a seat.
    pub min_stake: u64,
    /// Slot of posting.
    pub posted_at: u64,
    /// Last slot in which seats may be taken.
    pub open_until: u64,
    /// Last slot for reveals; 0 before.
    pub reveal_until: u64,
    /// Slot in which it ended; 0 before.
    pub decided_at: u64,
    /// Slot in which the payer demanded the answer on chain; 0 if never.
    pub demanded_at: u64,
    /// Lamports of bonds that seats forfeited before the end.
    pub forfeited: u64,
    /// Most units of input.
    pub max_input: u32,
    /// Most units of output.
    pub max_output: u32,
    /// Slots from taking a seat to its commitment.
    pub commit_window: u32,
    /// Slots from the beginning of the reveals to their end.
    pub reveal_window: u32,
    /// Second part of the nonce.
    pub nonce_index: u16,
    /// The royalty's share of the fee, in basis points.
    pub royalty_bps: u16,
    /// The protocol's share of the fee, in basis points.
    pub protocol_bps: u16,
    /// A [`JobState`].
    pub state: u8,
    /// Seats that must agree.
    pub quorum: u8,
    /// The first of the seats that agreed, once they have.
    pub winner: u8,
    /// What royalty, protocol and payer have collected; see [`Party`].
    pub collected: u8,
    /// See [`flag`].
    pub flags: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Bump of the escrow's address; 0 for SOL.
    pub escrow_bump: u8,
    /// The layout's version.
    pub version: u8,
    /// Zero.
    pub padding: [u8; 2],
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(size_of::<Job>() == 400);

provena_common::layout!(Job, STATE_VERSION);

impl Job {
    /// The state.
    ///
    /// # Errors
    /// `BrokenInvariant` for a byte that is none.
    pub fn state(&self) -> core::result::Result<JobState, MarketError> {
        JobState::try_from(self.state)
    }

    /// Whether it is paid in SOL.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.mint == provena_common::NATIVE_MINT
    }

    /// What work costs, and who takes part of the fee.
    ///
    /// # Errors
    /// `BpsTooHigh` for a share beyond the whole, which posting refuses.
    pub fn prices(&self) -> Result<Prices> {
        Ok(Prices {
            base: Amount(self.base_price),
            input: Amount(self.input_price),
            output: Amount(self.output_price),
            royalty: Bps::new(self.royalty_bps)?,
            least_royalty: Amount(self.least_royalty),
            protocol: Bps::new(self.protocol_bps)?,
        })
    }

    /// The most work that it asks for.
    #[must_use]
    pub const fn most(&self) -> Work {
        Work { input: Units(self.max_input), output: Units(self.max_output) }
    }

    /// Whether a bit of [`flag`] is set.
    #[must_use]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The seat whose result the quorum agreed on; `None` before, and when it was never reached.
    #[must_use]
    pub fn winner<'a>(&self, seats: &'a [Seat]) -> Option<&'a Seat> {
        let agreed = matches!(self.state(), Ok(JobState::Agreed | JobState::Defaulted));
        if agreed { seats.get(usize::from(self.winner)) } else { None }
    }

    /// Whether a seat revealed what the quorum agreed on.
    #[must_use]
    pub fn agrees(&self, seats: &[Seat], seat: &Seat) -> bool {
        self.winner(seats).is_some_and(|winner| winner.agrees_with(seat))
    }

    /// Checks what must hold after every write.
    ///
    /// # Errors
    /// `BrokenInvariant`.
    pub fn invariant(&self, seats: &[Seat]) -> Result<()> {
        let state = self.state()?;
        let count = |wanted: SeatState| seats.iter().filter(|seat| seat.is(wanted)).count();
        let quorum = usize::from(self.quorum);
        let agreeing = || seats.iter().filter(|seat| self.agrees(seats, seat)).count();
        let seats_fit = match state {
            JobState::Open => count(SeatState::Revealed) == 0,
            JobState::Revealing => count(SeatState::Taken) == 0,
            JobState::Agreed | JobState::Defaulted => agreeing() >= quorum,
            JobState::Failed => true,
            JobState::Cancelled => seats.iter().all(|seat| seat.is(SeatState::Free)),
        };
        let sound = seats_fit
            && self.version == STATE_VERSION
            && (quorum..=crate::constants::MAX_SEATS).contains(&seats.len())
            && state.is_ended() == (self.decided_at != 0)
            && (self.forfeited == 0 || self.bond != 0);
        require!(sound, MarketError::BrokenInvariant);
        Ok(())
    }

    fn expect(&self, state: JobState) -> Result<()> {
        require!(self.state()? == state, MarketError::WrongState);
        Ok(())
    }

    fn end(&mut self, state: JobState, now: Slot) {
        self.state = state as u8;
        self.decided_at = now.0;
    }
}

/// The seat `index`.
fn seat_at(seats: &mut [Seat], index: u8) -> Result<&mut Seat> {
    Ok(seats.get_mut(usize::from(index)).ok_or(MarketError::SeatOutOfRange)?)
}

/// The seat `index`, which must be `node`'s.
fn seat_of<'a>(seats: &'a mut [Seat], index: u8, node: &Address) -> Result<&'a mut Seat> {
    let seat = seat_at(seats, index)?;
    require!(seat.node == *node, MarketError::WrongNode);
    Ok(seat)
}

/// The indices of seats, ascending.
fn indexed(seats: &[Seat]) -> impl Iterator<Item = (u8, &Seat)> {
    (0..).zip(seats)
}
