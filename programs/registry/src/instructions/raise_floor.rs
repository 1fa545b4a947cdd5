//! Raises what an asset asks of its users at least.

use anchor_lang::prelude::*;
use provena_common::{amount::Bps, nft::check_holder};

use crate::{
    error::RegistryError,
    events::FloorRaised,
    state::{AssetAccount, Floor, check_floors},
};

/// Accounts of `raise_floor`.
#[derive(Accounts)]
pub struct RaiseFloor {
    /// Holds the asset's NFT, and pays where the asset's account grows.
    #[account(mut)]
    pub holder: Signer,
    /// Asks.
    #[account(mut)]
    pub asset: AssetAccount,
    /// The holder's token account with the NFT.
    pub nft: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl RaiseFloor {
    /// Offers, jobs and derivatives made before keep what they were made with. A floor never falls: not for the next
    /// holder either.
    ///
    /// # Errors
    ///
    /// `NotNftHolder`, `BpsTooHigh`, [`RegistryError::FloorLowered`], and those of [`check_floors`].
    pub fn handle(&mut self, bps: u16, per_unit: Option<Floor>) -> Result<()> {
        check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        self.asset.raise_floor_bps(Bps::new(bps)?)?;
        if let Some(floor) = per_unit {
            self.raise_per_unit(floor)?;
        }
        let raised = per_unit.unwrap_or(Floor { mint: Address::default(), per_unit: 0 });
        emit!(FloorRaised {
            asset: *self.asset.address(),
            mint: raised.mint,
            per_unit: raised.per_unit,
            bps,
            padding: [0; 6],
        });
        check_floors(self.asset.as_slice())?;
        self.asset.invariant()
    }

    fn raise_per_unit(&mut self, floor: Floor) -> Result<()> {
        let Some(present) = self.asset.iter_mut().find(|present| present.mint == floor.mint) else {
            return self.asset.push(floor, self.holder.account());
        };
        require!(floor.per_unit >= present.per_unit, RegistryError::FloorLowered);
        present.per_unit = floor.per_unit;
        Ok(())
    }
}
