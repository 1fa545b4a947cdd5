//! Decoding accounts through the owning program's own state types.

use bytemuck::Pod;
use provena_common::account::{DISCRIMINATOR_LEN, Layout, State};
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::{AccountFilter, ChainError, ChainReader};

/// Bytes of the number of items that follows the header of an account with items.
const COUNT_LEN: usize = 4;

/// An account of a program: fixed layout, named by a discriminator and a version, owned by its program.
pub trait ProgramAccount: Layout {
    /// The type's own name, e.g. `Job`.
    #[must_use]
    fn what() -> &'static str {
        std::any::type_name::<Self>().rsplit("::").next().unwrap_or("account")
    }

    /// Account length in bytes, without items.
    #[must_use]
    fn account_len() -> usize {
        State::<Self>::space(0)
    }

    /// A filter that matches every account of this type that has no items.
    #[must_use]
    fn filter() -> AccountFilter {
        AccountFilter { len: Some(Self::account_len() as u64), ..Self::filter_of_any_length() }
    }

    /// A filter that matches every account of this type, however many items it has.
    #[must_use]
    fn filter_of_any_length() -> AccountFilter {
        AccountFilter { len: None, bytes: vec![(0, Self::DISCRIMINATOR.to_vec())] }
    }

    /// A filter that also matches `bytes` at the field offset `field` (as `core::mem::offset_of!` gives it).
    #[must_use]
    fn filter_field(field: usize, bytes: &[u8]) -> AccountFilter {
        Self::filter().and(Self::offset(field), bytes)
    }

    /// Where the field at `field` (as `core::mem::offset_of!` gives it) lies in the account's data.
    #[must_use]
    fn offset(field: usize) -> usize {
        DISCRIMINATOR_LEN + field
    }

    /// Where the field at `field` of item `index` lies in the account's data.
    #[must_use]
    fn item_offset<T: Pod>(index: usize, field: usize) -> usize {
        State::<Self, T>::space(index) + field
    }
}

impl<T: Layout> ProgramAccount for T {}

/// Decodes one account without items.
///
/// # Errors
/// [`ChainError::Malformed`] when owner, discriminator, length or version are not those of `T`.
pub fn decode<T: ProgramAccount>(address: &Pubkey, account: &Account) -> Result<T, ChainError> {
    let (header, rest) = header::<T>(address, account)?;
    if rest.is_empty() {
        return Ok(header);
    }
    Err(malformed::<T>(address, format!("it has {} bytes, not {}", account.data.len(), T::account_len())))
}

/// Decodes one account with items.
///
/// # Errors
/// As for [`decode`]; the account must have room for exactly its items.
pub fn decode_with_items<H: ProgramAccount, T: Pod>(
    address: &Pubkey,
    account: &Account,
) -> Result<(H, Vec<T>), ChainError> {
    let (header, rest) = header::<H>(address, account)?;
    let count = rest.first_chunk::<COUNT_LEN>().map(|count| u32::from_le_bytes(*count));
    let count = count.and_then(|count| usize::try_from(count).ok());
    let len = count.map(State::<H, T>::space);
    if len != Some(account.data.len()) {
        return Err(malformed::<H>(address, format!("its {} bytes do not hold its items", account.data.len())));
    }
    let items = account.data[State::<H, T>::space(0)..].chunks_exact(size_of::<T>());
    Ok((header, items.map(bytemuck::pod_read_unaligned).collect()))
}

/// The header, and the bytes after it.
fn header<'a, T: ProgramAccount>(address: &Pubkey, account: &'a Account) -> Result<(T, &'a [u8]), ChainError> {
    let malformed = |reason: String| malformed::<T>(address, reason);
    let owner = T::OWNER;
    if account.owner != owner {
        return Err(malformed(format!("it belongs to {}, not to {owner}", account.owner)));
    }
    let fields = account
        .data
        .strip_prefix(T::DISCRIMINATOR)
        .ok_or_else(|| malformed("its discriminator is another type's".to_owned()))?;
    let (header, rest) = fields
        .split_at_checked(size_of::<T>())
        .ok_or_else(|| malformed(format!("it has {} bytes, not {}", account.data.len(), T::account_len())))?;
    let header: T = bytemuck::pod_read_unaligned(header);
    if header.version() != T::VERSION {
        return Err(malformed(format!(
            "its layout is version {}, this program reads {}",
            header.version(),
            T::VERSION
        )));
    }
    Ok((header, rest))
}

fn malformed<T: ProgramAccount>(address: &Pubkey, reason: String) -> ChainError {
    ChainError::Malformed { what: T::what(), address: *address, reason }
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
