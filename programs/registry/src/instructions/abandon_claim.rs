//! Clears a content claim away.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{error::RegistryError, state::ContentClaim};

/// Accounts of `abandon_claim`.
#[derive(Accounts)]
pub struct AbandonClaim {
    /// The claimant; anybody once the claim has lapsed.
    pub caller: Signer,
    /// Closed here.
    #[account(mut, close = claimant)]
    pub claim: State<ContentClaim>,
    /// Receives the rent.
    #[account(
        mut,
        unsafe(dup),
        constraint = *claimant.address() == claim.claimant @ RegistryError::NotClaimant
    )]
    pub claimant: UncheckedAccount,
}

impl AbandonClaim {
    /// # Errors
    ///
    /// [`RegistryError::NotClaimant`].
    pub fn handle(&mut self) -> Result<()> {
        let allowed = *self.caller.address() == self.claim.claimant || self.claim.has_lapsed(Slot::now()?);
        require!(allowed, RegistryError::NotClaimant);
        Ok(())
    }
}
