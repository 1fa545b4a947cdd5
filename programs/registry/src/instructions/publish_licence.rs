//! Publishes what an asset grants to derivatives.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Bps, nft::check_holder, slot::Slot};

use crate::{
    constants::{pause, seeds, uses},
    creation::create,
    error::RegistryError,
    events::LicencePublished,
    state::{Admin, AssetAccount, Floor, Licence, STATE_VERSION},
};

/// A price, in SOL or in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Price {
    /// All zero for SOL.
    pub mint: Address,
    /// Base units, at least 1.
    pub amount: u64,
}

/// What a licence grants and asks.
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
    /// Whether share, floor and uses bind every descendant, not the direct derivative alone.
    pub absolute: bool,
    /// What may be done with a derivative; see [`uses`]. At least one bit.
    pub uses: u32,
    /// Paid to the asset's pool for each grant.
    pub price: Option<Price>,
    /// Last slot in which it grants; zero for ever.
    pub expires: u64,
    /// Most derivatives; zero for any number.
    pub most_children: u32,
}

impl LicenceTerms {
    /// Asks for so much of a derivative's pool, in basis points, and for nothing else; grants every use to any number of
    /// derivatives, for ever.
    pub const fn sharing(bps: u16, text_hash: [u8; 32]) -> Self {
        Self {
            text_hash,
            bps,
            floor_bps: 0,
            floor: None,
            consent: false,
            absolute: false,
            uses: uses::ALL,
            price: None,
            expires: 0,
            most_children: 0,
        }
    }
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
    /// `id` is any number that the asset has not used for a licence. Nothing is granted that the asset's own licences do not
    /// allow.
    ///
    /// # Errors
    ///
    /// `Paused`, `NotNftHolder`, `BpsTooHigh`, `WrongPda`, [`RegistryError::AssetNotActive`], [`RegistryError::ZeroFloor`],
    /// [`RegistryError::ZeroPrice`], [`RegistryError::NoUses`], [`RegistryError::UseNotAllowed`],
    /// [`RegistryError::LicenceExpired`]; the System program's where the number is used.
    pub fn handle(&mut self, id: u32, terms: &LicenceTerms) -> Result<()> {
        self.admin.control.check_running(pause::PUBLISH_LICENCE)?;
        check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        self.asset.require_active()?;
        self.check_uses(terms)?;
        let now = Slot::now()?;
        require!(terms.expires == 0 || now <= Slot(terms.expires), RegistryError::LicenceExpired);
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
        if let Some(price) = terms.price {
            require!(price.amount > 0, RegistryError::ZeroPrice);
            licence.price_mint = price.mint;
            licence.price = price.amount;
        }
        licence.issued = now.0;
        licence.expires = terms.expires;
        licence.id = id;
        licence.most_children = terms.most_children;
        licence.uses = terms.uses;
        licence.bps = Bps::new(terms.bps)?.get();
        licence.floor_bps = Bps::new(terms.floor_bps)?.get();
        licence.flags =
            Licence::ACTIVE | flag(terms.consent, Licence::CONSENT) | flag(terms.absolute, Licence::ABSOLUTE);
        licence.bump = bump;
        licence.version = STATE_VERSION;
        emit!(LicencePublished { asset: *self.asset.address(), licence: *licence.address() });
        licence.invariant()
    }

    fn check_uses(&self, terms: &LicenceTerms) -> Result<()> {
        require!(terms.uses != 0, RegistryError::NoUses);
        let allowed = self.asset.allows(uses::DERIVE) && self.asset.allows(terms.uses);
        require!(allowed, RegistryError::UseNotAllowed);
        Ok(())
    }
}

const fn flag(set: bool, bit: u16) -> u16 {
    if set { bit } else { 0 }
}
