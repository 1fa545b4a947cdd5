//! Accounts of our programs: loading with every check, creating at a derived address, closing.

use core::ops::{Deref, DerefMut};

use anchor_lang::{
    AccountInitialize, AccountRealloc,
    accounts::{HeaderOnly, Slab},
    prelude::*,
};
use bytemuck::Pod;

#[cfg(not(target_os = "solana"))]
pub use bytes::{decode, decode_with_items, encode};
pub use creation::{NewAccount, close, create};

use crate::error::CommonError;

#[cfg(not(target_os = "solana"))]
mod bytes;
mod creation;
#[cfg(test)]
mod tests;

/// Bytes of a discriminator.
pub const DISCRIMINATOR_LEN: usize = 8;

/// Bytes of a slab's number of items.
const COUNT_LEN: usize = 4;

/// An account's layout: what `#[account]` declares, and the version that the program writes into it.
pub trait Layout: Owner + Discriminator + Pod {
    /// The version that this build writes and reads.
    const VERSION: u8;

    /// The version that the account says it has.
    fn version(&self) -> u8;
}

/// Implements [`Layout`] for an account with a field `version: u8`.
///
/// ```ignore
/// provena_common::layout!(Pool, STATE_VERSION);
/// ```
#[macro_export]
macro_rules! layout {
    ($account:ty, $version:expr) => {
        impl $crate::account::Layout for $account {
            const VERSION: u8 = $version;

            fn version(&self) -> u8 {
                self.version
            }
        }
    };
}

/// A loaded account of one of our programs whose owner, discriminator, exact length and version were checked. Use it in
/// place of Anchor's `Account<H>` and `Slab<H, T>`, which accept longer accounts and every version.
///
/// With items, the account must have room for exactly the items it has.
pub struct State<H: Layout, T = HeaderOnly>(Slab<H, T>);

impl<H: Layout, T> State<H, T> {
    /// Bytes of an account with `items` items; for an account without items pass zero.
    #[must_use]
    pub const fn space(items: usize) -> usize {
        let header = DISCRIMINATOR_LEN.saturating_add(size_of::<H>());
        if size_of::<T>() == 0 {
            return header;
        }
        let (start, align) = (header.saturating_add(COUNT_LEN), align_of::<T>());
        // Alignments are powers of two.
        let start = start.saturating_add(align.saturating_sub(1)) & !align.saturating_sub(1);
        start.saturating_add(items.saturating_mul(size_of::<T>()))
    }

    /// The account as the runtime passed it.
    #[must_use]
    pub fn view(&self) -> &AccountView {
        self.0.account()
    }

    fn checked(slab: Slab<H, T>) -> Result<Self> {
        let view = slab.account();
        // SAFETY: nothing writes while these bytes are looked at, and no reference outlives this function.
        let data = unsafe { view.borrow_unchecked() };
        let items = if size_of::<T>() == 0 {
            0
        } else {
            let at = DISCRIMINATOR_LEN.saturating_add(size_of::<H>());
            let count = data.get(at..).and_then(|tail| tail.first_chunk::<COUNT_LEN>());
            let count = u32::from_le_bytes(*count.ok_or(CommonError::AccountLength)?);
            usize::try_from(count).map_err(|_| CommonError::AccountLength)?
        };
        require!(data.len() == Self::space(items), CommonError::AccountLength);
        require!(slab.version() == H::VERSION, CommonError::StateVersion);
        Ok(Self(slab))
    }
}

impl<H: Layout, T: Pod> State<H, T> {
    /// Appends an item. Where there is no room for it, which an account has while it is being filled for the first time, the
    /// account grows by it, and `payer`, who signed, pays the rent.
    ///
    /// # Errors
    /// Those of the runtime, for example beyond 10,240 bytes more within one instruction.
    pub fn push(&mut self, item: T, payer: &AccountView) -> Result<()> {
        if self.0.is_full() {
            let items = self.0.len().checked_add(1).ok_or(CommonError::Overflow)?;
            self.0.realloc_account(Self::space(items), *payer, true)?;
        }
        self.0.try_push(item)
    }
}

impl<H: Layout, T> Deref for State<H, T> {
    type Target = Slab<H, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<H: Layout, T> DerefMut for State<H, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<H: Layout, T> AnchorAccount for State<H, T> {
    type Data = Slab<H, T>;
    const MIN_DATA_LEN: usize = <Slab<H, T> as AnchorAccount>::MIN_DATA_LEN;
    const RELAX_READONLY_CPI_BORROW_FROM_MUT: bool = true;

    fn load(view: AccountView) -> Result<Self> {
        Self::checked(Slab::load(view)?)
    }

    unsafe fn load_mut(view: AccountView) -> Result<Self> {
        // SAFETY: the caller's promise is passed on.
        Self::checked(unsafe { Slab::load_mut(view) }?)
    }

    unsafe fn load_mut_after_init(view: AccountView) -> Result<Self> {
        // SAFETY: the caller's promise is passed on. The version is not written yet.
        Ok(Self(unsafe { Slab::load_mut_after_init(view) }?))
    }

    fn account(&self) -> &AccountView {
        self.0.account()
    }

    fn cpi_handle(&self) -> CpiHandle<'_> {
        self.0.cpi_handle()
    }

    fn try_cpi_handle_mut(&mut self) -> Result<CpiHandleMut<'_>> {
        self.0.try_cpi_handle_mut()
    }
}

impl<H: Layout, T> AccountInitialize for State<H, T> {
    type Params<'a> = ();

    fn create_and_initialize<'a>(
        payer: &AccountView,
        account: &AccountView,
        space: usize,
        owner: &Address,
        params: &Self::Params<'a>,
        signer_seeds: Option<&[&[u8]]>,
        payer_signer_seeds: Option<&[&[u8]]>,
    ) -> Result<Self> {
        Slab::create_and_initialize(payer, account, space, owner, params, signer_seeds, payer_signer_seeds).map(Self)
    }
}

impl<H: Layout, T> AccountClose for State<H, T> {
    fn close(&mut self, destination: AccountView) -> ProgramResult {
        self.0.close(destination)
    }
}

impl<H: Layout, T> AccountRealloc for State<H, T> {
    fn realloc_account(&mut self, new_space: usize, payer: AccountView, zero: bool) -> ProgramResult {
        self.0.realloc_account(new_space, payer, zero)
    }
}

impl<H: Layout, T> ToCpiHandle for State<H, T> {
    fn to_cpi_handle(&self) -> CpiHandle<'_> {
        self.0.to_cpi_handle()
    }
}

impl<H: Layout, T> ToCpiHandleMut for State<H, T> {
    fn try_to_cpi_handle_mut(&mut self) -> Result<CpiHandleMut<'_>> {
        self.0.try_to_cpi_handle_mut()
    }
}

impl<H: Layout, T> AsRef<AccountView> for State<H, T> {
    fn as_ref(&self) -> &AccountView {
        self.0.as_ref()
    }
}

impl<H: Layout, T> AsRef<Address> for State<H, T> {
    fn as_ref(&self) -> &Address {
        self.0.as_ref()
    }
}

impl<H: Layout, T> Discriminator for State<H, T> {
    const DISCRIMINATOR: &'static [u8] = H::DISCRIMINATOR;
}

impl<H: Layout, T> Space for State<H, T> {
    const INIT_SPACE: usize = Self::space(0);
}

impl<H: Layout + IdlAccountType, T> IdlAccountType for State<H, T> {
    const __IDL_ACCOUNT_ENTRY: Option<&'static str> = H::__IDL_ACCOUNT_ENTRY;
    const __IDL_TYPE_DEF: Option<&'static str> = H::__IDL_TYPE_DEF;

    fn __idl_account_entry() -> Option<&'static str> {
        H::__idl_account_entry()
    }

    fn __idl_type_def() -> Option<&'static str> {
        H::__idl_type_def()
    }

    fn __register_idl_deps(
        accounts: &mut anchor_lang::__alloc::vec::Vec<&'static str>,
        types: &mut anchor_lang::__alloc::vec::Vec<&'static str>,
    ) {
        H::__register_idl_deps(accounts, types);
    }
}
