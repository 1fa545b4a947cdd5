//! What a pool has received, what waits to be booked, and booking it.

use provena_common::{amount::Amount, slot::Slot};
use provena_royalty::{
    client as royalty, pda,
    state::{Books, Inbox, Index, Pool, Position},
    view,
};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    Moved, RoyaltyError,
    error::{unread, unsent},
};
use crate::{
    batch,
    chain::{Chain, ChainError, accounts, accounts::ProgramAccount},
    token::{self, PaymentMint},
};

/// The account in which the runtime keeps the current slot.
const CLOCK: Pubkey = solana_pubkey::pubkey!("SysvarC1ock11111111111111111111111111111111");

/// A pool's revenue in all its mints, at one moment.
#[derive(Clone)]
pub struct Revenue {
    /// The pool.
    pub pool: Pubkey,
    /// Its settings.
    pub state: Pool,
    /// By which its positions are settled.
    pub index: Index,
    /// The chain's slot.
    pub now: Slot,
    /// One for each of its mints, in the pool's order: SOL first.
    pub mints: Vec<RevenueIn>,
}

/// A pool's revenue in one mint.
#[derive(Clone)]
pub struct RevenueIn {
    /// What it is paid in.
    pub mint: PaymentMint,
    /// What is booked.
    pub books: Books,
    /// Base units that came into the books' own account past the books.
    pub unbooked: u64,
    /// Base units in each inbox, by shard; empty ones too.
    pub inboxes: Vec<(u8, u64)>,
    /// Base units of resale royalties, which [`collect`](super::collect) books.
    pub resale: u64,
}

impl RevenueIn {
    /// Base units that the next [`sync`] books.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.inboxes.iter().fold(self.unbooked, |sum, (_, amount)| sum.saturating_add(*amount))
    }
}

impl Revenue {
    /// Base units that a position could claim now.
    #[must_use]
    pub fn owed(&self, revenue: &RevenueIn, position: &Position) -> u64 {
        view::owed(&self.index, &revenue.books, position, self.now).0
    }

    /// Base units that are booked and released to the shares later, and the slot in which the last of them is.
    #[must_use]
    pub fn unreleased(&self, revenue: &RevenueIn) -> Option<(u64, u64)> {
        let amount = view::unreleased(&self.index, &revenue.books, self.now);
        let mut entry = *self.index.entry(revenue.books.index).ok()?;
        entry.advance(self.now, self.index.window).ok()?;
        let windows = if entry.arriving > 0 { 2 } else { 1 };
        let until = entry.window_start.saturating_add(u64::from(self.index.window).saturating_mul(windows));
        (!amount.is_zero()).then_some((amount.0, until))
    }
}

/// Looks at a pool's revenue.
///
/// # Errors
/// A failure to read.
pub async fn revenue(chain: &dyn Chain, pool: &Pubkey) -> Result<Revenue, RoyaltyError> {
    const READ: &str = "read the pool's books";
    let state: Pool = accounts::fetch(chain, pool).await.map_err(unread("read the royalty pool"))?;
    let books: Vec<Pubkey> = state.mints().iter().map(|mint| pda::books(pool, mint).0).collect();
    let index = pda::index(pool).0;
    let asked: Vec<Pubkey> = [CLOCK, index].into_iter().chain(books.iter().copied()).collect();
    let mut found = chain.accounts(&asked).await.map_err(unread(READ))?.into_iter();
    let mut next = |what, address| found.next().flatten().ok_or(ChainError::Missing { what, address });
    let clock = next("clock", CLOCK).map_err(unread(READ))?;
    let index_account = next("index", index).map_err(unread(READ))?;
    let mut mints = Vec::new();
    for (address, mint) in books.iter().zip(state.mints()) {
        let account = next("books", *address).map_err(unread(READ))?;
        let books: Books = accounts::decode(address, &account).map_err(unread(READ))?;
        let mint = token::payment_mint(chain, mint).await?;
        mints.push(revenue_in(chain, pool, &state, mint, books, &account).await?);
    }
    let index = accounts::decode(&index, &index_account).map_err(unread(READ))?;
    Ok(Revenue { pool: *pool, state, index, now: slot(&clock).map_err(unread(READ))?, mints })
}

fn slot(clock: &Account) -> Result<Slot, ChainError> {
    let bytes = clock.data.first_chunk::<8>().ok_or(ChainError::Missing { what: "clock", address: CLOCK })?;
    Ok(Slot(u64::from_le_bytes(*bytes)))
}

/// Looks at what waits in one mint. `account` is the books' own.
async fn revenue_in(
    chain: &dyn Chain,
    pool: &Pubkey,
    state: &Pool,
    mint: PaymentMint,
    books: Books,
    account: &Account,
) -> Result<RevenueIn, RoyaltyError> {
    let address = pda::books(pool, &mint.address).0;
    let shards = 0..books.inbox_count;
    let inboxes = shards.clone().map(|shard| pda::inbox(&address, shard).0);
    let sol = mint.program.is_none();
    // Where the money lies: for SOL in the accounts themselves, for tokens in their token accounts.
    let mut asked = vec![if sol { *pool } else { mint.account_of(pool) }, books.vault];
    asked.extend(inboxes.map(|inbox| if sol { inbox } else { pda::inbox_vault(&inbox).0 }));
    let found = chain.accounts(&asked).await.map_err(unread("read the pool's inboxes"))?;
    let inbox_rent = match sol && books.inbox_count > 0 {
        true => chain.rent_exempt(Inbox::account_len()).await.map_err(unread("read the rent"))?,
        false => 0,
    };
    let tokens = |account: &Option<Account>| account.as_ref().map_or(0, token::amount_of);
    let lamports = |account: &Option<Account>, rent: u64| {
        account.as_ref().map_or(0, |account| account.lamports.saturating_sub(rent))
    };
    let (resale, held) = match found.as_slice() {
        [pool_account, _, ..] if sol => {
            (lamports(pool_account, state.rent), account.lamports.saturating_sub(books.rent))
        }
        [pool_account, vault, ..] => (tokens(pool_account), tokens(vault)),
        _ => (0, 0),
    };
    let amount = |account| if sol { lamports(account, inbox_rent) } else { tokens(account) };
    let inboxes = shards.zip(found.iter().skip(2).map(amount)).collect();
    let unbooked = view::unbooked(&books, Amount(held)).0;
    Ok(RevenueIn { mint, books, unbooked, inboxes, resale })
}

/// Books what waits in a pool's inboxes and past its books. Anybody may do this; `payer` pays the fees.
///
/// # Errors
/// [`RoyaltyError::Unsent`], or a failure to read. What was booked before stays booked.
pub async fn sync(chain: &dyn Chain, payer: &Keypair, revenue: &Revenue) -> Result<Vec<Moved>, RoyaltyError> {
    let mut groups = Vec::new();
    let mut owners = Vec::new();
    for (number, one) in revenue.mints.iter().enumerate().filter(|(_, one)| one.waiting() > 0) {
        let shards: Vec<u8> = one.inboxes.iter().filter(|(_, amount)| *amount > 0).map(|(shard, _)| *shard).collect();
        let sync = |shards: &[u8]| royalty::sync(&revenue.pool, one.mint.means(), shards);
        let mut rest = shards.as_slice();
        loop {
            let some = batch::prefix(rest, &payer.pubkey(), sync);
            groups.push(vec![sync(some)]);
            owners.push(number);
            rest = &rest[some.len()..];
            if rest.is_empty() {
                break;
            }
        }
    }
    let sent = batch::send_all(chain, &groups, &[payer]).await;
    let sent = sent.map_err(unsent("what waits in the inboxes was not booked"))?;
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let after = self::revenue(chain, &revenue.pool).await?;
    let mut moved: Vec<Moved> = Vec::new();
    for (number, (before, after)) in revenue.mints.iter().zip(&after.mints).enumerate() {
        let last = owners.iter().zip(&sent).filter(|(owner, _)| **owner == number).map(|(_, sent)| sent).next_back();
        let amount = after.books.received.minus(before.books.received).and_then(|booked| booked.amount());
        if let (Some(sent), Some(amount)) = (last, amount) {
            let mint = before.mint.address;
            moved.push(Moved { pool: revenue.pool, mint, amount: amount.0, signature: sent.signature });
        }
    }
    Ok(moved)
}
