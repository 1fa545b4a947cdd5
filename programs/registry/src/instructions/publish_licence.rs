//! Publishes what an asset grants to derivatives.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Bps, nft::check_holder, slot::Slot};

use crate::{
    constants::{pause, seeds},
    creation::create,
    error::RegistryError,
    events::LicencePublished,
    state::{Admin, AssetAccount, Floor, Licence, STATE_VERSION},
};

/// What a licence asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct LicenceTerms {
    /// Hash of the licence's text.
    pub text_hash: [u8; 32],
    /// Least share of a derivative's pool that the asset's pool must hold, in basis points.
    pub bps: u16,
    /// Least royalty on a derivative's use, in basis points. The asset's own floor holds besides.
    pub floor_bps: u16,
    /// Least royalty per unit of a derivative's use.
    pub floor: Option<Floor>,
    /// Whether each derivative needs the signature of whoever holds the asset's NFT.
    pub consent: bool,
}

/// Accounts of `publish_licence`.
#[derive(Accounts)]
pub struct PublishLicence {
    /// Holds the asset's NFT, and pays.
    #[account(mut)]
    pub holder: Signer,
    /// Says whether publishing is paused.
    pub admin: State<Admin>,
    /// May be built on.
    pub asset: AssetAccount,
    /// The holder's token account with the NFT.
    pub nft: UncheckedAccount,
    /// Made here.
    #[account(mut)]
    pub licence: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl PublishLicence {
    /// `id` is any number that the asset has not used for a licence.
    ///
    /// # Errors
    ///
    /// `Paused`, `NotNftHolder`, `BpsTooHigh`, `WrongPda`, [`RegistryError::AssetNotActive`],
    /// [`RegistryError::ZeroFloor`]; the System program's where the number is used.
    pub fn handle(&mut self, id: u32, terms: &LicenceTerms) -> Result<()> {
        self.admin.control.check_running(pause::PUBLISH_LICENCE)?;
        check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        self.asset.require_active()?;
        let seeds: [&[u8]; 3] = [seeds::LICENCE, self.asset.address().as_ref(), &id.to_le_bytes()];
        let (mut licence, bump): (State<Licence>, _) =
            create(self.holder.account(), self.licence.account(), &seeds, 0)?;
        licence.asset = *self.asset.address();
        licence.grantor = *self.holder.address();
        licence.terms_hash = terms.text_hash;
        if let Some(floor) = terms.floor {
            require!(floor.per_unit > 0, RegistryError::ZeroFloor);
            licence.floor_mint = floor.mint;
            licence.floor_per_unit = floor.per_unit;
        }
        licence.issued = Slot::now()?.0;
        licence.id = id;
        licence.bps = Bps::new(terms.bps)?.get();
        licence.floor_bps = Bps::new(terms.floor_bps)?.get();
        licence.flags = if terms.consent { Licence::ACTIVE | Licence::CONSENT } else { Licence::ACTIVE };
        licence.bump = bump;
        licence.version = STATE_VERSION;
        emit!(LicencePublished { asset: *self.asset.address(), licence: *licence.address() });
        licence.invariant()
    }
}
