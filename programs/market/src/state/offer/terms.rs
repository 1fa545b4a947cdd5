//! The terms of an offer and their bounds.

use anchor_lang::prelude::*;
use provena_common::amount::{Amount, Bps, Units};

use crate::{
    constants::{FIRST_COME, MAX_LIFE, MAX_SEATS, MIN_WINDOW},
    error::MarketError,
};

/// The holder's choices for an offer. They never change; another price is another offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct OfferTerms {
    /// Base units of the mint for any answer at all.
    pub base_price: u64,
    /// Base units of the mint for one unit of input.
    pub input_price: u64,
    /// Base units of the mint for one unit of output.
    pub output_price: u64,
    /// Lamports of stake that a seat locks.
    pub bond_lamports: u64,
    /// Slots in which a posted job's seats can be taken.
    pub open_window: u32,
    /// Slots from taking a seat to its commitment, or to its answer where there is one seat.
    pub commit_window: u32,
    /// Slots from the last commitment to the last reveal.
    pub reveal_window: u32,
    /// Most units of input of one job.
    pub max_input_units: u32,
    /// Most units of output of one job.
    pub max_output_units: u32,
    /// The royalty pool's share of a fee, in basis points.
    pub royalty_bps: u16,
    /// Seats of a job, n.
    pub seats: u8,
    /// Seats that must agree, m; a strict majority of n.
    pub quorum: u8,
    /// `provena_arith::receipt::ENGINE_CLASS_INT_V1`.
    pub engine_class: u8,
    /// [`FIRST_COME`].
    pub flags: u8,
}

impl OfferTerms {
    /// The fee for an answer.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn fee(&self, input: Units, output: Units) -> Result<Amount> {
        let input = Amount(self.input_price).times(input)?;
        let output = Amount(self.output_price).times(output)?;
        Ok(Amount(self.base_price).plus(input)?.plus(output)?)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`MarketError::ZeroPrice`], [`MarketError::ZeroUnits`], [`MarketError::ZeroBond`], `BpsTooHigh`,
    /// [`MarketError::BadQuorum`], [`MarketError::BadWindow`], [`MarketError::BadEngineClass`],
    /// [`MarketError::BadFlags`], [`MarketError::PriceTooHigh`].
    pub fn validate(&self) -> Result<()> {
        let prices = [self.base_price, self.input_price, self.output_price];
        require!(prices.iter().any(|price| *price > 0), MarketError::ZeroPrice);
        require!(self.max_input_units > 0 || self.max_output_units > 0, MarketError::ZeroUnits);
        require!(self.bond_lamports > 0, MarketError::ZeroBond);
        Bps::new(self.royalty_bps)?;
        let (n, m) = (self.seats, self.quorum);
        require!(n >= 1 && usize::from(n) <= MAX_SEATS && m <= n, MarketError::BadQuorum);
        // A strict majority: two different results can then never both reach the quorum.
        require!(u16::from(m) > u16::from(n) / 2, MarketError::BadQuorum);
        let mut life = 0u32;
        for window in [self.open_window, self.commit_window, self.reveal_window] {
            require!(window >= MIN_WINDOW, MarketError::BadWindow);
            life = life.checked_add(window).ok_or(MarketError::BadWindow)?;
        }
        require!(life <= MAX_LIFE, MarketError::BadWindow);
        require!(self.engine_class == provena_arith::receipt::ENGINE_CLASS_INT_V1, MarketError::BadEngineClass);
        require!(self.flags == FIRST_COME, MarketError::BadFlags);
        // The largest job must have a price at all.
        let largest = self.fee(Units(self.max_input_units), Units(self.max_output_units));
        largest.map_err(|_| MarketError::PriceTooHigh)?;
        Ok(())
    }

    /// Checks the asset's floors: its least royalty in basis points, and that no unit is sold for less than the least
    /// royalty on it.
    ///
    /// # Errors
    /// [`MarketError::RoyaltyBelowFloor`], [`MarketError::PriceBelowFloor`].
    pub fn check_floor(&self, floor_bps: u16, per_unit: Amount) -> Result<()> {
        require!(self.royalty_bps >= floor_bps, MarketError::RoyaltyBelowFloor);
        for (price, units) in [(self.input_price, self.max_input_units), (self.output_price, self.max_output_units)] {
            require!(units == 0 || price >= per_unit.0, MarketError::PriceBelowFloor);
        }
        Ok(())
    }
}
