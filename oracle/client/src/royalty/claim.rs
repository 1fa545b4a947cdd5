//! Paying out what holders are owed.

use provena_royalty::{client as royalty, pda, state::Position};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    Moved, RoyaltyError,
    error::{unread, unsent},
    revenue::{RevenueIn, revenue},
};
use crate::{
    batch,
    chain::{Chain, accounts, accounts::ProgramAccount},
};

/// A claim of everything that a holder is owed.
pub struct Claim<'a> {
    /// The chain.
    pub chain: &'a dyn Chain,
    /// Pays the fees, and the rent of token accounts that do not exist; anybody.
    pub payer: &'a Keypair,
    /// Whose money it is.
    pub holder: Pubkey,
    /// Where it goes; only the holder itself, as `payer`, may choose. `None`: to the holder.
    pub to: Option<Pubkey>,
}

/// The pools in which `holder` has a position.
///
/// # Errors
/// A failure to read.
pub async fn held_by(chain: &dyn Chain, holder: &Pubkey) -> Result<Vec<Pubkey>, RoyaltyError> {
    let filter = Position::filter_field(std::mem::offset_of!(Position, holder), holder.as_ref());
    let found = accounts::list::<Position, _>(chain, &filter).await.map_err(unread("list the wallet's shares"))?;
    let mut pools: Vec<Pubkey> = found.into_iter().map(|(_, position)| position.pool).collect();
    pools.sort_unstable();
    Ok(pools)
}

impl Claim<'_> {
    /// Claims in every mint from each of `pools`, as many together in one transaction as it holds.
    ///
    /// # Errors
    /// [`RoyaltyError::NoShares`], [`RoyaltyError::NotHolder`], [`RoyaltyError::Unsent`], or a failure to read. What was
    /// claimed before stays claimed.
    pub async fn all(&self, pools: &[Pubkey]) -> Result<Vec<Moved>, RoyaltyError> {
        if self.to.is_some() && self.payer.pubkey() != self.holder {
            return Err(RoyaltyError::NotHolder(self.holder));
        }
        let mut due: Vec<(Position, RevenueIn)> = Vec::new();
        let mut groups: Vec<Vec<Instruction>> = Vec::new();
        for pool in pools {
            let position = self.position(pool).await?.ok_or(RoyaltyError::NoShares(self.holder))?;
            let revenue = revenue(self.chain, pool).await?;
            for one in revenue.mints.iter().filter(|one| revenue.owed(one, &position) > 0) {
                groups.push(self.instructions(pool, one));
                due.push((position, one.clone()));
            }
        }
        let sent = batch::send_all(self.chain, &groups, &[self.payer]).await;
        let sent = sent.map_err(unsent("the claim did not go through; nothing was lost and it can be repeated"))?;
        let mut moved = Vec::new();
        for ((before, one), sent) in due.iter().zip(sent) {
            let after = self.position(&before.pool).await?.unwrap_or(*before);
            let claimed = |position: &Position| {
                position.checkpoints.get(usize::from(one.books.index)).map_or(0, |checkpoint| checkpoint.claimed)
            };
            let amount = claimed(&after).saturating_sub(claimed(before));
            moved.push(Moved { pool: before.pool, mint: one.mint.address, amount, signature: sent.signature });
        }
        Ok(moved)
    }

    fn instructions(&self, pool: &Pubkey, one: &RevenueIn) -> Vec<Instruction> {
        let (mint, to) = (one.mint, self.to.unwrap_or(self.holder));
        let claim = match self.to {
            None => royalty::claim_for(&self.holder, pool, mint.means()),
            Some(to) => royalty::claim_to(&self.holder, pool, mint.means(), &mint.account_of(&to)),
        };
        mint.open_account(&self.payer.pubkey(), &to).into_iter().chain([claim]).collect()
    }

    async fn position(&self, pool: &Pubkey) -> Result<Option<Position>, RoyaltyError> {
        let address = pda::position(pool, &self.holder).0;
        accounts::fetch_optional(self.chain, &address).await.map_err(unread("read the position"))
    }
}
