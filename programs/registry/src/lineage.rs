//! Whether an asset may call others its parents.

use anchor_lang::prelude::*;
use anchor_spl::TokenAccount;
use provena_royalty::state::{Pool, Position};

use crate::{
    ID,
    constants::{FULL_BPS, TOKEN_PROGRAM},
    error::RegistryError,
    state::{Asset, Parent},
};

/// Checks each parent and freezes it, with its promised basis points, into the new asset.
///
/// `others` holds two accounts per parent, or four where the parent's licence requires consent. A parent is registered
/// already, so no cycle can arise.
///
/// Errors: [`RegistryError::WrongParentAccounts`], [`RegistryError::ParentNotFound`], [`RegistryError::DuplicateParent`],
/// [`RegistryError::ParentIsSelf`], [`RegistryError::WrongPosition`], [`RegistryError::ParentBpsTooLow`],
/// [`RegistryError::ParentShareMissing`], [`RegistryError::ConsentMissing`].
pub fn check_parents(
    asset: &mut Account<Asset>,
    pool: &Account<Pool>,
    parent_bps: &[u16],
    others: &[AccountView],
) -> Result<()> {
    let own_address = *asset.address();
    let mut others = others.iter();
    for bps in parent_bps {
        let account = next(&mut others)?;
        require!(account.owned_by(&ID), RegistryError::ParentNotFound);
        require!(*account.address() != own_address, RegistryError::ParentIsSelf);
        let parent = <Account<Asset>>::load(*account)?;
        require!(*bps >= parent.licence.derivative_bps, RegistryError::ParentBpsTooLow);
        check_share(next(&mut others)?, pool, &parent.pool, *bps)?;
        if parent.licence.consent_required() {
            check_consent(next(&mut others)?, next(&mut others)?, &parent.mint)?;
        }
        let frozen = Parent { asset: *account.address(), pool: parent.pool, bps: *bps, padding: [0; 6] };
        asset.add_parent(&own_address, frozen)?;
    }
    require!(others.next().is_none(), RegistryError::WrongParentAccounts);
    Ok(())
}

fn next<'a>(accounts: &mut core::slice::Iter<'a, AccountView>) -> Result<&'a AccountView> {
    Ok(accounts.next().ok_or(RegistryError::WrongParentAccounts)?)
}

/// The parent's pool must hold at least `bps` of the new asset's pool.
fn check_share(account: &AccountView, pool: &Account<Pool>, parent_pool: &Address, bps: u16) -> Result<()> {
    let position = <Account<Position>>::load(*account)?;
    let ours = position.pool == *pool.address() && position.holder == *parent_pool;
    require!(ours, RegistryError::WrongPosition);
    let held = position.shares.checked_mul(u64::from(FULL_BPS));
    let promised = pool.total_shares.checked_mul(u64::from(bps));
    let (Some(held), Some(promised)) = (held, promised) else { return Err(RegistryError::BrokenInvariant.into()) };
    require!(held >= promised, RegistryError::ParentShareMissing);
    Ok(())
}

/// `owner` must sign and hold the NFT of `mint` in `token_account`.
fn check_consent(token_account: &AccountView, owner: &AccountView, mint: &Address) -> Result<()> {
    require!(owner.is_signer(), RegistryError::ConsentMissing);
    require!(token_account.owned_by(&TOKEN_PROGRAM), RegistryError::ConsentMissing);
    require!(holds_nft(token_account, mint, owner.address())?, RegistryError::ConsentMissing);
    Ok(())
}

/// Whether a token account of the SPL Token program holds the one token of `mint` for `owner`; an account of another
/// program is an error.
pub fn holds_nft(token_account: &AccountView, mint: &Address, owner: &Address) -> Result<bool> {
    let account = <Account<TokenAccount>>::load(*token_account)?;
    Ok(account.mint() == mint && account.owner() == owner && account.amount() == 1)
}
