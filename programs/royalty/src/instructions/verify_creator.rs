//! Signs the pool as a verified creator of its asset's NFT.

use anchor_lang::{pinocchio::instruction::InstructionAccount, prelude::*};
use mpl_token_metadata::types::Key;
use provena_common::{account::State, cpi::invoke};

use crate::{
    constants::{INSTRUCTIONS_SYSVAR, POOL_SEED, TOKEN_METADATA_PROGRAM},
    error::RoyaltyError,
    state::Pool,
};

/// Token Metadata's `Verify` instruction with its argument `CreatorV1`.
const VERIFY_CREATOR_V1: [u8; 2] = [52, 0];
/// The first byte of a metadata account.
const METADATA_KEY: u8 = Key::MetadataV1 as u8;
/// Where a metadata account names its mint: after the key and the update authority.
const MINT_OFFSET: usize = 33;

/// Accounts of `verify_creator`. Anybody may call it.
#[derive(Accounts)]
pub struct VerifyCreator {
    /// The pool.
    pub pool: State<Pool>,
    /// The asset's metadata account, which lists the pool as a creator.
    #[account(mut)]
    pub metadata: UncheckedAccount,
    /// Called.
    #[account(address = TOKEN_METADATA_PROGRAM)]
    pub token_metadata_program: UncheckedAccount,
    /// Wanted by Token Metadata.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount,
    /// Wanted by Token Metadata.
    pub system_program: Program<System>,
}

impl VerifyCreator {
    /// # Errors
    /// [`RoyaltyError::WrongMetadata`], [`RoyaltyError::PoolNotSealed`], and Token Metadata's own when the pool is not among
    /// the creators.
    pub fn handle(&mut self) -> Result<()> {
        require!(self.pool.is_sealed(), RoyaltyError::PoolNotSealed);
        self.check_metadata()?;
        let bump = [self.pool.bump];
        let seeds = [POOL_SEED, self.pool.asset.as_ref(), &bump];
        // In Token Metadata's account lists its own address stands for an absent optional account.
        let absent = self.token_metadata_program.account();
        let accounts = [
            self.pool.view(),
            absent,
            self.metadata.account(),
            absent,
            absent,
            absent,
            self.system_program.account(),
            self.instructions.account(),
        ];
        let mut metas = accounts.map(|account| InstructionAccount::readonly(account.address()));
        metas[0] = InstructionAccount::readonly_signer(self.pool.address());
        metas[2] = InstructionAccount::writable(self.metadata.address());
        invoke(&TOKEN_METADATA_PROGRAM, &VERIFY_CREATOR_V1, &metas, &accounts, &seeds)
    }

    fn check_metadata(&self) -> Result<()> {
        let metadata = self.metadata.account();
        require!(metadata.owned_by(&TOKEN_METADATA_PROGRAM), RoyaltyError::WrongMetadata);
        let data = metadata.try_borrow()?;
        let mint = data.get(MINT_OFFSET..).and_then(|tail| tail.first_chunk::<32>());
        let ours = data.first() == Some(&METADATA_KEY) && mint == Some(self.pool.asset.as_array());
        require!(ours, RoyaltyError::WrongMetadata);
        Ok(())
    }
}
