use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use super::STATE_VERSION;
use crate::{
    constants::{MAX_CLAIM_AGE, MIN_CLAIM_AGE},
    error::RegistryError,
};

/// A claim to register some content, see [`crate::content_claim`]. Its address holds the hash. Closed, and its rent
/// returned to the claimant, when it is used, abandoned or cleared away.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct ContentClaim {
    /// Made the claim, alone can use it, and receives its rent.
    pub claimant: Address,
    /// Slot of the claim.
    pub claimed: u64,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 6],
}

const _: () = assert!(size_of::<ContentClaim>() == 48);

provena_common::layout!(ContentClaim, STATE_VERSION);

impl ContentClaim {
    /// Whether the claim is too old to be used at slot `now`.
    pub fn has_lapsed(&self, now: Slot) -> bool {
        now.since(Slot(self.claimed)) > MAX_CLAIM_AGE
    }

    /// Passes when the claim can be used at slot `now`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::ClaimTooYoung`], [`RegistryError::ClaimLapsed`].
    pub fn require_ripe(&self, now: Slot) -> Result<()> {
        require!(now.since(Slot(self.claimed)) >= MIN_CLAIM_AGE, RegistryError::ClaimTooYoung);
        require!(!self.has_lapsed(now), RegistryError::ClaimLapsed);
        Ok(())
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == STATE_VERSION, RegistryError::BrokenInvariant);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> ContentClaim {
        ContentClaim {
            claimant: Address::default(),
            claimed: 1_000,
            bump: 255,
            version: STATE_VERSION,
            padding: [0; 6],
        }
    }

    #[test]
    fn a_claim_ripens_after_eight_slots_and_lapses_after_a_day() {
        let claim = claim();
        let errors: Vec<_> =
            [1_000, 1_007, 1_008, 217_000, 217_001].map(|now| claim.require_ripe(Slot(now)).err()).into();
        let young = Some(RegistryError::ClaimTooYoung.into());
        assert_eq!(errors, [young.clone(), young, None, None, Some(RegistryError::ClaimLapsed.into())]);
        assert!(!claim.has_lapsed(Slot(217_000)));
        assert!(claim.has_lapsed(Slot(217_001)));
    }
}
