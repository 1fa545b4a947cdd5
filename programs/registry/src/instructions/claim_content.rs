//! Claims content without showing it.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    constants::seeds,
    creation::create,
    state::{ContentClaim, STATE_VERSION},
};

/// Accounts of `claim_content`.
#[derive(Accounts)]
pub struct ClaimContent {
    /// Pays, and alone can use the claim.
    #[account(mut)]
    pub claimant: Signer,
    /// Made here.
    #[account(mut)]
    pub claim: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl ClaimContent {
    /// `hash` is [`claim_hash`](crate::content_claim::claim_hash) of claimant, content root and a secret salt.
    ///
    /// # Errors
    ///
    /// `WrongPda`; the System program's where this hash is claimed already.
    pub fn handle(&mut self, hash: &[u8; 32]) -> Result<()> {
        let seeds: [&[u8]; 2] = [seeds::CLAIM, hash];
        let (mut claim, bump): (State<ContentClaim>, _) =
            create(self.claimant.account(), self.claim.account(), &seeds, 0)?;
        claim.claimant = *self.claimant.address();
        claim.claimed = Slot::now()?.0;
        claim.bump = bump;
        claim.version = STATE_VERSION;
        claim.invariant()
    }
}
