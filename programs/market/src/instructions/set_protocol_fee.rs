//! Sets the protocol's share of the fees of jobs to come.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::state::Admin;

/// Accounts of `set_protocol_fee`.
#[derive(Accounts)]
pub struct SetProtocolFee {
    /// The present authority.
    pub authority: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl SetProtocolFee {
    /// Posted jobs keep the fee that they were posted with.
    ///
    /// # Errors
    /// `NotAuthority`; `FeeTooHigh` above 500 basis points.
    pub fn handle(&mut self, bps: u16) -> Result<()> {
        self.admin.control.check_authority(self.authority.address())?;
        self.admin.set_protocol_fee(bps)?;
        self.admin.invariant()
    }
}
