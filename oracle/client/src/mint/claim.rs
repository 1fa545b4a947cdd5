//! The claim of a content, which must be some slots old before the content can be registered.

use std::time::{Duration, Instant};

use provena_registry::{MAX_CLAIM_AGE, MIN_CLAIM_AGE, client as registry, content_claim::claim_hash, pda};
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    MintError, Unfinished,
    error::{unread, unsent},
};
use crate::{
    asset,
    chain::{Chain, send_and_confirm},
};

/// A claim this near to its end is renewed rather than used.
const SPARE_SLOTS: u64 = 1_000;
/// Longest wait for a claim to become old enough.
const PATIENCE: Duration = Duration::from_secs(120);
/// Wait between two looks at the slot.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A claim on the chain.
pub(super) struct Claim {
    /// Slot of the claim.
    claimed: u64,
    /// The transactions that made it; none when an earlier minting had.
    pub signatures: Vec<Signature>,
}

/// Claims the content of `unfinished` for `claimant`, unless that was done before and the claim still holds.
pub(super) async fn claim(chain: &dyn Chain, claimant: &Keypair, unfinished: &Unfinished) -> Result<Claim, MintError> {
    let owner = claimant.pubkey();
    let hash = claim_hash(&owner, &unfinished.content_root, &unfinished.salt);
    let mut signatures = Vec::new();
    if let Some(found) = asset::content_claim(chain, &hash).await? {
        let now = chain.slot().await.map_err(unread("the slot"))?;
        if now.saturating_sub(found.claimed) <= MAX_CLAIM_AGE - SPARE_SLOTS {
            return Ok(Claim { claimed: found.claimed, signatures });
        }
        let abandon = registry::abandon_claim(&owner, &pda::claim(&hash).0, &owner);
        let sent = send_and_confirm(chain, &[abandon], &[claimant]).await;
        signatures.push(sent.map_err(unsent("the lapsed claim of the content was not taken back"))?.signature);
    }
    let claim = registry::claim_content(&owner, &unfinished.content_root, &unfinished.salt);
    let sent = send_and_confirm(chain, &[claim], &[claimant]).await;
    signatures.push(sent.map_err(unsent("the content was not claimed"))?.signature);
    let made = asset::content_claim(chain, &hash).await?.ok_or(MintError::Unripe)?;
    Ok(Claim { claimed: made.claimed, signatures })
}

impl Claim {
    /// Waits until the content can be registered.
    pub(super) async fn ripen(&self, chain: &dyn Chain) -> Result<(), MintError> {
        let begun = Instant::now();
        while chain.slot().await.map_err(unread("the slot"))? < self.claimed + MIN_CLAIM_AGE {
            if begun.elapsed() > PATIENCE {
                return Err(MintError::Unripe);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}
