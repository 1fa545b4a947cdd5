//! Adds a direct parent to a draft, or to the next version of an asset.

use anchor_lang::prelude::*;
use provena_common::{account::State, nft::check_holder};
use provena_royalty::state::Pool;

use crate::{
    ID,
    constants::pause,
    draft::check_draft,
    error::RegistryError,
    events::ParentAdded,
    lineage::{Grant, PricePaid, check_lineage, create_lineage},
    state::{Admin, AssetAccount, Growing, Licence, LineageAccount},
};

/// Accounts of `add_parent`.
#[derive(Accounts)]
pub struct AddParent {
    /// Began the draft, or holds the asset's NFT; pays. May appear again, as the holder of the parent's NFT who consents.
    #[account(mut, unsafe(dup))]
    pub builder: Signer,
    /// Says whether registering, or adding versions, is paused.
    pub admin: State<Admin>,
    /// What is built.
    #[account(mut)]
    pub asset: AssetAccount,
    /// The builder's token account with the asset's NFT; absent for a draft.
    pub nft: Option<UncheckedAccount>,
    /// The asset's lineage; made here for an asset that had no parents.
    #[account(mut)]
    pub lineage: UncheckedAccount,
    /// The asset's pool.
    #[account(address = asset.pool @ RegistryError::WrongPool)]
    pub pool: State<Pool>,
    /// What was built on.
    pub parent: AssetAccount,
    /// The parent's lineage; absent for a draft, of which nothing can be made yet, and where the parent has none.
    pub parent_lineage: Option<UncheckedAccount>,
    /// The parent's licence.
    #[account(mut)]
    pub licence: State<Licence>,
    /// The position of the parent's pool in the asset's pool.
    pub position: UncheckedAccount,
    /// A token account with the parent's NFT; absent where the licence needs no consent.
    pub parent_nft: Option<UncheckedAccount>,
    /// Owns `parent_nft` and signs; absent where the licence needs no consent.
    pub parent_holder: Option<UncheckedAccount>,
    /// The books of the parent's pool in the mint of the licence's price; absent where it has none.
    #[account(mut)]
    pub books: Option<UncheckedAccount>,
    /// The builder's token account for the price; absent for SOL.
    #[account(mut)]
    pub source: Option<UncheckedAccount>,
    /// The books' vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The price's mint; absent for SOL.
    pub price_mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
    /// The System program.
    pub system_program: Program<System>,
}

impl AddParent {
    /// `version` is the parent's that was built on. What the parent passes on of its own ancestors is left to `inherit`, in a
    /// draft; a later version takes no such parent. What the licence grants now must allow all of `uses`: the parent's holder could
    /// otherwise narrow it between the builder's look and his payment.
    ///
    /// # Errors
    ///
    /// `Paused`, `NotNftHolder`, [`RegistryError::WrongLineage`], [`RegistryError::WrongParentAccounts`],
    /// [`RegistryError::PoolChanged`], [`RegistryError::NotRegistrant`], [`RegistryError::AssetNotActive`],
    /// [`RegistryError::Cycle`], [`RegistryError::InheritanceDue`], [`RegistryError::UseNotAllowed`]; those of
    /// `Grant::edge`, `PricePaid::pay` and [`Growing::add_direct`].
    pub fn handle(&mut self, version: u32, uses: u32) -> Result<()> {
        let mut lineage = self.lineage()?;
        self.check_builder(&lineage)?;
        self.check_cycle()?;
        let consent = match (&self.parent_nft, &self.parent_holder) {
            (Some(nft), Some(holder)) => Some((nft.account(), holder.account())),
            (None, None) => None,
            _ => return Err(RegistryError::WrongParentAccounts.into()),
        };
        let grant = Grant {
            child: &self.asset,
            pool: &self.pool,
            parent: &self.parent,
            position: self.position.account(),
            consent,
            version,
        };
        let edge = grant.edge(&mut self.licence)?;
        require!(edge.uses & uses == uses, RegistryError::UseNotAllowed);
        // Whoever sells the NFT must not leave a version behind that waits for shares which the buyer does not have.
        require!(self.nft.is_none() || edge.to_inherit == 0, RegistryError::InheritanceDue);
        self.price().pay(&self.licence, &self.parent.pool)?;
        let payer = self.builder.account();
        Growing { asset: &mut self.asset, lineage: &mut lineage, payer }.add_direct(edge)?;
        emit!(ParentAdded { asset: *self.asset.address(), parent: edge.parent, licence: *self.licence.address() });
        lineage.invariant()?;
        self.asset.invariant()
    }

    fn lineage(&self) -> Result<LineageAccount> {
        let (account, asset) = (self.lineage.account(), self.asset.address());
        if !account.owned_by(&ID) {
            return create_lineage(self.builder.account(), account, asset, 0);
        }
        // SAFETY: the account is declared `mut`, so that Anchor has refused the instruction if any other declared account is
        // the same one; nothing else refers to its data.
        let lineage = unsafe { LineageAccount::load_mut(*account) }?;
        check_lineage(&lineage, asset)?;
        Ok(lineage)
    }

    fn check_builder(&self, lineage: &LineageAccount) -> Result<()> {
        match &self.nft {
            None => {
                self.admin.control.check_running(pause::REGISTER)?;
                check_draft(&self.asset, lineage, &self.pool, self.builder.address())
            }
            Some(nft) => {
                self.admin.control.check_running(pause::ADD_VERSION)?;
                self.asset.require_active()?;
                check_holder(nft.account(), &self.asset.mint, self.builder.address())
            }
        }
    }

    /// A parent that builds on this asset is refused, as far as its lineage shows. Between versions no cycle can arise anyway:
    /// an edge names a version that exists and counts for one that does not.
    fn check_cycle(&self) -> Result<()> {
        let shown = self.nft.is_some() && self.parent.edges() > 0;
        let Some(account) = &self.parent_lineage else {
            require!(!shown, RegistryError::WrongLineage);
            return Ok(());
        };
        require!(shown, RegistryError::WrongLineage);
        let lineage = LineageAccount::load(*account.account())?;
        check_lineage(&lineage, self.parent.address())?;
        let cyclic = lineage.iter().any(|edge| edge.parent == *self.asset.address());
        require!(!cyclic, RegistryError::Cycle);
        Ok(())
    }

    fn price(&self) -> PricePaid<'_> {
        PricePaid {
            payer: self.builder.account(),
            books: self.books.as_ref(),
            source: self.source.as_ref(),
            vault: self.vault.as_ref(),
            mint: self.price_mint.as_ref(),
            token_program: self.token_program.as_ref(),
        }
    }
}
