//! What lies where at one moment: everything that our programs, the token programs and wallets own.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    sync::Arc,
};

use anchor_lang::{bytemuck::Pod, prelude::Address};
use litesvm::LiteSVM;
use provena_common::{
    account::{Layout, State, decode, decode_with_items},
    token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
};
use provena_market::constants::ESCROW_SEED;
use provena_royalty::state::{Books, Index};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_clock::Clock;

use super::claims::Claims;
use crate::programs::OURS;

/// The state of a world.
pub struct Snapshot {
    accounts: Arc<HashMap<Address, AccountSharedData>>,
    books: Arc<HashMap<(Address, Address), (Address, Books)>>,
    indices: Arc<HashMap<Address, Index>>,
    /// The present slot.
    pub now: u64,
    /// Lamports of all accounts, the chain's own included.
    pub lamports: u128,
    /// Claims with one treasury, once they were asked for.
    pub(super) claims: OnceCell<(Address, Claims)>,
}

/// A token account's bytes, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    pub mint: Address,
    pub owner: Address,
    pub amount: u64,
    /// What the mint's fee kept here; the mint's collector can take it, nobody else.
    pub withheld: u64,
}

const TOKEN_ACCOUNT_LEN: usize = 165;
const KIND_ACCOUNT: u8 = 2;
const EXTENSION_FEE_CONFIG: u16 = 1;
const EXTENSION_FEE_AMOUNT: u16 = 2;
/// Where a fee's configuration says what was harvested to the mint: behind two authorities.
const WITHHELD_IN_CONFIG: usize = 64;

impl Snapshot {
    /// What lies where now.
    #[must_use]
    pub fn take(svm: &LiteSVM) -> Self {
        let counted = |account: &AccountSharedData| {
            let owner = account.owner();
            !account.executable() && (*owner == Address::default() || is_ours(owner) || is_token(owner))
        };
        let accounts = svm.accounts_db().inner.iter().filter(|(_, account)| counted(account));
        let accounts: HashMap<_, _> = accounts.map(|(address, account)| (*address, account.clone())).collect();
        let accounts = Arc::new(accounts);
        let now = svm.get_sysvar::<Clock>().slot;
        let lamports = svm.accounts_db().inner.values().map(|account| u128::from(account.lamports())).sum();
        let (none, no_index) = (Arc::default(), Arc::default());
        let mut taken = Self { accounts, books: none, indices: no_index, now, lamports, claims: OnceCell::new() };
        let (mut books, mut indices) = (HashMap::new(), HashMap::new());
        for (address, account) in taken.ours() {
            if let Some(one) = read::<Books>(account) {
                let other = books.insert((one.pool, one.mint), (*address, one));
                assert!(other.is_none(), "pool {} has two books for {}", one.pool, one.mint);
            } else if let Some(index) = read::<Index>(account) {
                assert!(indices.insert(index.pool, index).is_none(), "pool {} has two indices", index.pool);
            }
        }
        (taken.books, taken.indices) = (Arc::new(books), Arc::new(indices));
        taken
    }

    /// The same at another slot.
    #[must_use]
    pub fn at(&self, now: u64) -> Self {
        let (accounts, books, indices) = (self.accounts.clone(), self.books.clone(), self.indices.clone());
        Self { accounts, books, indices, now, lamports: self.lamports, claims: OnceCell::new() }
    }

    /// A pool's books in a mint, and where they are.
    ///
    /// # Panics
    ///
    /// When there are none.
    #[must_use]
    pub fn books(&self, pool: &Address, mint: &Address) -> &(Address, Books) {
        self.books.get(&(*pool, *mint)).unwrap_or_else(|| panic!("pool {pool} has no books for {mint}"))
    }

    /// A pool's index.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn index_of(&self, pool: &Address) -> &Index {
        self.indices.get(pool).unwrap_or_else(|| panic!("pool {pool} has no index"))
    }

    /// Where a job keeps tokens.
    ///
    /// # Panics
    ///
    /// When the bump that the job says is none.
    #[must_use]
    pub fn escrow(job: &Address, bump: u8) -> Address {
        thread_local! {
            static FOUND: RefCell<HashMap<Address, Address>> = RefCell::new(HashMap::new());
        }
        FOUND.with_borrow_mut(|found| {
            *found.entry(*job).or_insert_with(|| {
                let seeds: [&[u8]; 3] = [ESCROW_SEED, job.as_ref(), &[bump]];
                Address::create_program_address(&seeds, &provena_market::ID).expect("the job noted its bump")
            })
        })
    }

    /// The account at an address.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&AccountSharedData> {
        self.accounts.get(address).filter(|account| account.lamports() > 0)
    }

    /// Lamports at an address.
    #[must_use]
    pub fn lamports(&self, address: &Address) -> u64 {
        self.get(address).map_or(0, ReadableAccount::lamports)
    }

    /// All accounts that hold lamports.
    pub fn all(&self) -> impl Iterator<Item = (&Address, &AccountSharedData)> {
        self.accounts.iter().filter(|(_, account)| account.lamports() > 0)
    }

    /// The accounts of one of our programs.
    pub fn ours(&self) -> impl Iterator<Item = (&Address, &AccountSharedData)> {
        self.all().filter(|(_, account)| is_ours(account.owner()))
    }

    /// An account of a program, if it is of this kind.
    ///
    /// # Panics
    ///
    /// When it has the kind's discriminator and is not sound.
    #[must_use]
    pub fn read<T: Layout>(&self, address: &Address) -> Option<T> {
        read(self.get(address)?)
    }

    /// The token account at an address.
    #[must_use]
    pub fn token(&self, address: &Address) -> Option<TokenAccount> {
        token_account(self.get(address)?)
    }

    /// All token accounts.
    pub fn tokens(&self) -> impl Iterator<Item = (&Address, TokenAccount)> {
        self.all().filter_map(|(address, account)| Some((address, token_account(account)?)))
    }

    /// Base units by mint, with what was withheld and what was harvested, and how much of that is withheld or harvested.
    #[must_use]
    pub fn supplies(&self) -> HashMap<Address, (u128, u128)> {
        let mut supplies: HashMap<Address, (u128, u128)> = HashMap::new();
        for (_, token) in self.tokens() {
            let sum = supplies.entry(token.mint).or_default();
            sum.0 += u128::from(token.amount) + u128::from(token.withheld);
            sum.1 += u128::from(token.withheld);
        }
        for (address, account) in self.all() {
            if *account.owner() == TOKEN_2022_PROGRAM && token_account(account).is_none() {
                let at = extension(account.data(), EXTENSION_FEE_CONFIG);
                let harvested = at.and_then(|value| value.get(WITHHELD_IN_CONFIG..)).map_or(0, word);
                let sum = supplies.entry(*address).or_default();
                sum.0 += u128::from(harvested);
                sum.1 += u128::from(harvested);
            }
        }
        supplies
    }
}

/// An account without items, if it is of this kind.
///
/// # Panics
///
/// When it has the kind's discriminator and is not sound.
#[must_use]
pub fn read<T: Layout>(account: &AccountSharedData) -> Option<T> {
    let data = account.data();
    let sound = |error| panic!("{error:?} in an account that the program wrote: {data:?}");
    is::<T>(account).then(|| decode(data).unwrap_or_else(sound))
}

/// The same with items.
///
/// # Panics
///
/// As [`read`].
#[must_use]
pub fn read_with_items<T: Layout, I: Pod>(account: &AccountSharedData) -> Option<(T, Vec<I>)> {
    let data = account.data();
    let sound = |error| panic!("{error:?} in an account that the program wrote: {data:?}");
    is::<T>(account).then(|| decode_with_items(data).unwrap_or_else(sound))
}

/// Whether an account is of this kind. Programs have kinds of the same name and so of the same discriminator.
#[must_use]
pub fn is<T: Layout>(account: &AccountSharedData) -> bool {
    // The discriminator first: most accounts are told apart by it, and every account is asked for many kinds.
    account.data().starts_with(T::DISCRIMINATOR) && *account.owner() == T::OWNER
}

/// Bytes of an account of this kind with so many items.
#[must_use]
pub fn space<T: Layout, I>(items: usize) -> usize {
    State::<T, I>::space(items)
}

/// Whether a program is one of the three.
#[must_use]
pub fn is_ours(program: &Address) -> bool {
    OURS.iter().any(|(_, id)| id == program)
}

fn is_token(program: &Address) -> bool {
    *program == TOKEN_PROGRAM || *program == TOKEN_2022_PROGRAM
}

fn token_account(account: &AccountSharedData) -> Option<TokenAccount> {
    let data = account.data();
    let kind = data.len() == TOKEN_ACCOUNT_LEN || data.get(TOKEN_ACCOUNT_LEN) == Some(&KIND_ACCOUNT);
    // Byte 108 says whether it is initialised.
    if !is_token(account.owner()) || !kind || data[108] == 0 {
        return None;
    }
    let address = |at: usize| Address::try_from(&data[at..at + 32]).expect("32 bytes");
    let withheld = extension(data, EXTENSION_FEE_AMOUNT).map_or(0, word);
    Some(TokenAccount { mint: address(0), owner: address(32), amount: word(&data[64..]), withheld })
}

/// The value of one of Token-2022's extensions.
fn extension(data: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = data.get(TOKEN_ACCOUNT_LEN + 1..)?;
    while let [a, b, c, d, behind @ ..] = rest {
        let (kind, len) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        let value = behind.get(..len)?;
        if kind == wanted {
            return Some(value);
        }
        rest = &behind[len..];
    }
    None
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(*bytes.first_chunk().expect("eight bytes"))
}
