//! Lets a pool receive one more payment mint.

use anchor_lang::{create_account_signed, prelude::*};

use crate::{
    amount::Amount,
    constants::{NATIVE_MINT, TOKEN_PROGRAM, seeds},
    error::RoyaltyError,
    spl,
    state::{Config, NewPoolMint, Pool, PoolMint},
};

/// Accounts of `add_mint`. Anybody may call it.
#[derive(Accounts)]
pub struct AddMint {
    #[account(mut)]
    pub payer: Signer,
    pub config: Account<Config>,
    #[account(mut)]
    pub pool: Account<Pool>,
    /// The payment mint. For SOL this is [`NATIVE_MINT`], which is also the System program's address.
    pub mint: UncheckedAccount,
    #[account(
        init, payer = payer, space = PoolMint::SPACE,
        seeds = [seeds::POOL_MINT, pool.address().as_ref(), mint.address().as_ref()], bump
    )]
    pub pool_mint: Account<PoolMint>,
    /// The vault to create; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// Absent for SOL.
    pub token_program: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl AddMint {
    /// Errors: [`RoyaltyError::PoolNotSealed`], [`RoyaltyError::MintNotAllowed`], [`RoyaltyError::TooManyMints`],
    /// [`RoyaltyError::MissingTokenAccount`], [`RoyaltyError::WrongTokenProgram`], [`RoyaltyError::WrongVault`].
    pub fn handle(&mut self, bump: u8) -> Result<()> {
        let mint = *self.mint.address();
        require!(self.pool.is_sealed(), RoyaltyError::PoolNotSealed);
        require!(self.config.allowed().contains(&mint), RoyaltyError::MintNotAllowed);
        let (vault, vault_bump) = if mint == NATIVE_MINT { (NATIVE_MINT, 0) } else { self.create_vault()? };
        let index = self.pool.add_mint(mint)?;
        let new = NewPoolMint {
            pool: *self.pool.address(),
            mint,
            vault,
            total: self.pool.total()?,
            rent: Amount(self.pool_mint.min_lamports()?),
            index,
            bump,
            vault_bump,
        };
        self.pool_mint.initialize(new);
        self.pool.invariant()?;
        self.pool_mint.invariant()
    }

    fn create_vault(&self) -> Result<(Address, u8)> {
        let vault = self.vault.as_ref().ok_or(RoyaltyError::MissingTokenAccount)?.account();
        let program = self.token_program.as_ref().ok_or(RoyaltyError::MissingTokenAccount)?;
        require!(*program.address() == TOKEN_PROGRAM, RoyaltyError::WrongTokenProgram);
        let (address, bump) = crate::pda::vault(self.pool_mint.address());
        require!(*vault.address() == address, RoyaltyError::WrongVault);
        let bump_seed = [bump];
        let signer: [&[u8]; 3] = [seeds::VAULT, self.pool_mint.address().as_ref(), &bump_seed];
        create_account_signed(self.payer.account(), vault, spl::TOKEN_ACCOUNT_LEN, &TOKEN_PROGRAM, &signer)?;
        spl::initialize_token_account(vault, self.mint.account(), self.pool_mint.address());
        Ok((address, bump))
    }
}
