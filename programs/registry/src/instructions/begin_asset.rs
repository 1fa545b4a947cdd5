//! Begins the draft of an asset whose registration takes several transactions.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};
use provena_royalty::state::Pool;

use crate::{
    constants::pause,
    error::RegistryError,
    lineage::create_lineage,
    registration::{Floors, FreshAsset},
    state::{Admin, AssetKind},
};

/// Accounts of `begin_asset`.
#[derive(Accounts)]
pub struct BeginAsset {
    /// Pays, and alone may add parents and seal.
    #[account(mut)]
    pub registrant: Signer,
    /// A fresh key pair, which will be the NFT's mint.
    pub mint: Signer,
    /// Says whether registering is paused.
    pub admin: State<Admin>,
    /// Made here.
    #[account(mut)]
    pub asset: UncheckedAccount,
    /// Made here, without edges.
    #[account(mut)]
    pub lineage: UncheckedAccount,
    /// The asset's sealed royalty pool.
    #[account(
        constraint = pool.asset == *mint.address() @ RegistryError::WrongPool,
        constraint = pool.is_sealed() @ RegistryError::PoolNotSealed
    )]
    pub pool: State<Pool>,
    /// The System program.
    pub system_program: Program<System>,
}

impl BeginAsset {
    /// `kind` is 1 for a dataset, 2 for a model. The pool must be older than this slot: as long as there is no NFT its creator
    /// can take it back and name other holders, and from now on the draft notices.
    ///
    /// # Errors
    ///
    /// `Paused`, `WrongPda`, `BpsTooHigh`, [`RegistryError::UnknownKind`], [`RegistryError::PoolChanged`]; those of
    /// [`check_floors`](crate::state::check_floors).
    pub fn handle(&mut self, kind: u8, floors: &Floors) -> Result<()> {
        self.admin.control.check_running(pause::REGISTER)?;
        let kind = AssetKind::try_from(kind).map_err(|_| RegistryError::UnknownKind)?;
        let now = Slot::now()?;
        require!(Slot(self.pool.assigned) < now, RegistryError::PoolChanged);
        let payer = self.registrant.account();
        let new = FreshAsset {
            payer,
            account: self.asset.account(),
            mint: *self.mint.address(),
            pool: *self.pool.address(),
            kind,
            floors,
        };
        let asset = new.create()?;
        let mut lineage = create_lineage(payer, self.lineage.account(), asset.address(), 0)?;
        lineage.registrant = *self.registrant.address();
        lineage.begun = now.0;
        lineage.invariant()?;
        asset.invariant()
    }
}
