//! Decoding accounts through the owning program's own state types.

use anchor_lang::{Discriminator, Owner};
use bytemuck::Pod;
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::{AccountFilter, ChainError, ChainReader};

/// An account of a program: fixed layout, named by a discriminator, owned by its program.
pub trait ProgramAccount: Pod + Discriminator + Owner {
    /// The type's own name, e.g. `Job`.
    #[must_use]
    fn what() -> &'static str {
        std::any::type_name::<Self>().rsplit("::").next().unwrap_or("account")
    }

    /// Account length in bytes.
    #[must_use]
    fn account_len() -> usize {
        Self::DISCRIMINATOR.len() + size_of::<Self>()
    }

    /// A filter that matches every account of this type.
    #[must_use]
    fn filter() -> AccountFilter {
        AccountFilter { len: Some(Self::account_len() as u64), bytes: vec![(0, Self::DISCRIMINATOR.to_vec())] }
    }

    /// A filter that also matches `bytes` at the field offset `field` (as `core::mem::offset_of!` gives it).
    #[must_use]
    fn filter_field(field: usize, bytes: &[u8]) -> AccountFilter {
        let mut filter = Self::filter();
        filter.bytes.push((Self::offset(field), bytes.to_vec()));
        filter
    }

    /// Where the field at `field` (as `core::mem::offset_of!` gives it) lies in the account's data.
    #[must_use]
    fn offset(field: usize) -> usize {
        Self::DISCRIMINATOR.len() + field
    }
}

impl<T: Pod + Discriminator + Owner> ProgramAccount for T {}

/// Decodes one account.
///
/// # Errors
/// [`ChainError::Malformed`] when the owner, the discriminator or the length is not that of `T`.
pub fn decode<T: ProgramAccount>(address: &Pubkey, account: &Account) -> Result<T, ChainError> {
    let malformed = |reason: String| ChainError::Malformed { what: T::what(), address: *address, reason };
    let owner = T::OWNER;
    if account.owner != owner {
        return Err(malformed(format!("it belongs to {}, not to {owner}", account.owner)));
    }
    let fields = account
        .data
        .strip_prefix(T::DISCRIMINATOR)
        .ok_or_else(|| malformed("its discriminator is another type's".to_owned()))?;
    if fields.len() < size_of::<T>() {
        return Err(malformed(format!("it has {} bytes, not {}", account.data.len(), T::account_len())));
    }
    Ok(bytemuck::pod_read_unaligned(&fields[..size_of::<T>()]))
}

/// Reads and decodes one account.
///
/// # Errors
/// [`ChainError::Missing`], [`ChainError::Malformed`], or a failure to read.
pub async fn fetch<T: ProgramAccount, C: ChainReader + ?Sized>(chain: &C, address: &Pubkey) -> Result<T, ChainError> {
    fetch_optional(chain, address).await?.ok_or(ChainError::Missing { what: T::what(), address: *address })
}

/// Reads and decodes one account that may not exist (or no longer: an account without lamports is gone).
///
/// # Errors
/// [`ChainError::Malformed`], or a failure to read.
pub async fn fetch_optional<T: ProgramAccount, C: ChainReader + ?Sized>(
    chain: &C,
    address: &Pubkey,
) -> Result<Option<T>, ChainError> {
    match chain.account(address).await? {
        Some(account) if account.lamports > 0 => decode(address, &account).map(Some),
        _ => Ok(None),
    }
}

/// Lists and decodes every account of type `T` that matches `filter`; those that do not decode are left out.
///
/// # Errors
/// A failure to read.
pub async fn list<T: ProgramAccount, C: ChainReader + ?Sized>(
    chain: &C,
    filter: &AccountFilter,
) -> Result<Vec<(Pubkey, T)>, ChainError> {
    let program = T::OWNER;
    let listed = chain.program_accounts(&program, filter).await?;
    Ok(listed.into_iter().filter_map(|(address, account)| Some((address, decode(&address, &account).ok()?))).collect())
}
