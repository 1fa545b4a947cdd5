//! A node's place in a job.

use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};

use crate::{
    error::MarketError,
    fees::{Units, Work},
};

/// Where a seat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SeatState {
    /// No node holds it.
    Free = 0,
    /// A node holds it and has shown nothing yet; its `deadline` runs.
    Taken = 1,
    /// Its node has committed; `value` is the commitment.
    Committed = 2,
    /// Its node has revealed; `value` is the result's content root.
    Revealed = 3,
    /// Its node missed a deadline and lost the bond. It stays named, so that it cannot take another seat.
    Missed = 4,
}

impl TryFrom<u8> for SeatState {
    type Error = MarketError;

    fn try_from(byte: u8) -> core::result::Result<Self, MarketError> {
        Ok(match byte {
            0 => Self::Free,
            1 => Self::Taken,
            2 => Self::Committed,
            3 => Self::Revealed,
            4 => Self::Missed,
            _ => return Err(MarketError::BrokenInvariant),
        })
    }
}

/// One seat, an entry in the job's account.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable, IdlType)]
pub struct Seat {
    /// Authority of the node that holds it; zeros while it is free.
    pub node: Address,
    /// The commitment, then the result's content root; zeros before.
    pub value: [u8; 32],
    /// Last slot for the commitment, or for the answer of a job of one seat.
    pub deadline: u64,
    /// Units of input, as revealed.
    pub units_in: u32,
    /// Units of output, as revealed.
    pub units_out: u32,
    /// A [`SeatState`].
    pub state: u8,
    /// What its node has collected: bits of [`crate::state::job::Part`].
    pub collected: u8,
    /// Zero.
    pub padding: [u8; 6],
}

const _: () = assert!(size_of::<Seat>() == 88);

impl Seat {
    /// The state.
    ///
    /// # Errors
    /// `BrokenInvariant` for a byte that is none.
    pub fn state(&self) -> core::result::Result<SeatState, MarketError> {
        SeatState::try_from(self.state)
    }

    /// The work that was revealed.
    #[must_use]
    pub const fn work(&self) -> Work {
        Work { input: Units(self.units_in), output: Units(self.units_out) }
    }

    /// Whether it stands at `state`.
    #[must_use]
    pub const fn is(&self, state: SeatState) -> bool {
        self.state == state as u8
    }

    /// Whether both have revealed the same result and the same units, byte for byte.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.is(SeatState::Revealed)
            && other.is(SeatState::Revealed)
            && self.value == other.value
            && self.work() == other.work()
    }

    pub(super) fn set(&mut self, state: SeatState) {
        self.state = state as u8;
    }

    pub(super) fn reveal(&mut self, result_root: [u8; 32], work: Work) {
        self.value = result_root;
        self.units_in = work.input.0;
        self.units_out = work.output.0;
        self.set(SeatState::Revealed);
    }
}

/// A set of a job's seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeatSet(u8);

impl SeatSet {
    /// No seat.
    pub const NONE: Self = Self(0);

    /// The set with seat `index` in it; seats beyond the eighth do not exist.
    #[must_use]
    pub const fn with(self, index: u8) -> Self {
        Self(self.0 | 1u8.unbounded_shl(index as u32))
    }

    /// Whether seat `index` is in it.
    #[must_use]
    pub const fn contains(self, index: u8) -> bool {
        self.0 & 1u8.unbounded_shl(index as u32) != 0
    }

    /// How many seats.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.0.count_ones() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The seats' indices, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |index| self.contains(*index))
    }
}
