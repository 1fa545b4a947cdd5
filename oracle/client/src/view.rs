//! One consistent look at jobs: job, seats and clock, read together.

use std::ops::Deref;

use provena_common::slot::Slot;
use provena_market::{
    client::JobRecord,
    fees::{Amount, Split},
    state::{Job, JobState, JobTerms, Next, Offer, Party, Seat, Who},
};
use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::chain::{AccountFilter, ChainError, ChainReader, accounts};
use accounts::ProgramAccount;

/// The account in which the runtime keeps the current slot.
const CLOCK: Pubkey = solana_pubkey::pubkey!("SysvarC1ock11111111111111111111111111111111");

/// Accounts that are read together, so that all are of one moment; servers answer no more in one request.
const READ_TOGETHER: usize = 100;

/// A job as the chain shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The chain's current slot.
    pub now: Slot,
    /// The job; `None` once it is closed.
    pub job: Option<JobView>,
}

/// A job's address, header and seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView(pub JobRecord);

impl Deref for JobView {
    type Target = JobRecord;

    fn deref(&self) -> &JobRecord {
        &self.0
    }
}

impl View {
    /// Reads the job at `address`.
    ///
    /// # Errors
    /// A failure to read, or [`ChainError::Malformed`] when something else lives there.
    pub async fn read<C: ChainReader + ?Sized>(chain: &C, address: &Pubkey) -> Result<Self, ChainError> {
        let mut views = Self::read_all(chain, std::slice::from_ref(address)).await?;
        views.pop().ok_or(ChainError::Missing { what: "Job", address: *address })?
    }

    /// Reads the jobs at `addresses`, in their order.
    ///
    /// # Errors
    /// A failure to read; for one job, [`ChainError::Malformed`] when something else lives there.
    pub async fn read_all<C: ChainReader + ?Sized>(
        chain: &C,
        addresses: &[Pubkey],
    ) -> Result<Vec<Result<Self, ChainError>>, ChainError> {
        let mut views = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(READ_TOGETHER - 1) {
            let asked: Vec<_> = std::iter::once(CLOCK).chain(some.iter().copied()).collect();
            let mut found = chain.accounts(&asked).await?.into_iter();
            let now = slot(found.next().flatten())?;
            views.extend(some.iter().zip(found).map(|(address, account)| {
                // Whoever sends lamports to the address of a closed account revives it without data: that is no job.
                let account = account.filter(|account| account.owner == provena_market::ID);
                let job = account.map(|account| JobView::decode(address, &account)).transpose()?;
                Ok(Self { now, job })
            }));
        }
        Ok(views)
    }

    /// What `who` can do for the job now; [`Next::Done`] once it is closed.
    ///
    /// # Errors
    /// [`ChainError::Malformed`] for bytes that no program of ours wrote.
    pub fn next(&self, who: Who<'_>) -> Result<Next, ChainError> {
        self.job.as_ref().map_or(Ok(Next::Done), |job| job.next(who, self.now))
    }
}

fn slot(clock: Option<Account>) -> Result<Slot, ChainError> {
    clock
        .and_then(|clock| Some(Slot(u64::from_le_bytes(*clock.data.first_chunk()?))))
        .ok_or(ChainError::Missing { what: "clock", address: CLOCK })
}

impl JobView {
    /// Decodes a job's account.
    ///
    /// # Errors
    /// [`ChainError::Malformed`].
    pub fn decode(address: &Pubkey, account: &Account) -> Result<Self, ChainError> {
        // Owner, discriminator, length and version first.
        accounts::decode_with_items::<Job, Seat>(address, account)?;
        let malformed = |error| malformed(address, &error);
        JobRecord::decode(*address, &account.data).map(Self).map_err(malformed)
    }

    /// A filter for jobs of any number of seats that have `bytes` at the field offset `field` of [`Job`].
    #[must_use]
    pub fn filter(field: usize, bytes: &[u8]) -> AccountFilter {
        Job::filter_of_any_length().and(Job::offset(field), bytes)
    }

    /// A filter for jobs whose seat `index` is held by `node`.
    #[must_use]
    pub fn filter_seat(index: usize, node: &Pubkey) -> AccountFilter {
        let at = Job::item_offset::<Seat>(index, std::mem::offset_of!(Seat, node));
        Job::filter_of_any_length().and(at, node.as_ref())
    }

    /// Every job that matches `filter`; accounts that do not decode are left out.
    ///
    /// # Errors
    /// A failure to read.
    pub async fn list<C: ChainReader + ?Sized>(
        chain: &C,
        filter: &AccountFilter,
    ) -> Result<Vec<(Pubkey, Self)>, ChainError> {
        let listed = chain.program_accounts(&provena_market::ID, filter).await?;
        let decoded = |(address, account): (Pubkey, Account)| Some((address, Self::decode(&address, &account).ok()?));
        Ok(listed.into_iter().filter_map(decoded).collect())
    }

    /// What `who` can do for the job now.
    ///
    /// # Errors
    /// [`ChainError::Malformed`] for bytes that no program of ours wrote.
    pub fn next(&self, who: Who<'_>, now: Slot) -> Result<Next, ChainError> {
        self.job.next(&self.seats, who, now).map_err(|error| malformed(&self.address, &error))
    }

    /// The state.
    ///
    /// # Errors
    /// [`ChainError::Malformed`] for a byte that is none.
    pub fn state(&self) -> Result<JobState, ChainError> {
        self.job.state().map_err(|error| malformed(&self.address, &error))
    }

    /// The seat that `node` holds, and its index.
    #[must_use]
    pub fn seat_of(&self, node: &Pubkey) -> Option<(u8, &Seat)> {
        self.job.seat_held_by(&self.seats, node)
    }

    /// Whether `node` revealed what the quorum agreed on.
    #[must_use]
    pub fn agrees(&self, node: &Pubkey) -> bool {
        self.seat_of(node).is_some_and(|(_, seat)| self.job.agrees(&self.seats, seat))
    }

    /// The seat whose result the quorum agreed on; `None` before, and when it never did.
    #[must_use]
    pub fn winner(&self) -> Option<&Seat> {
        self.job.winner(&self.seats)
    }

    /// The nodes that revealed what the quorum agreed on.
    pub fn agreeing(&self) -> impl Iterator<Item = Pubkey> + '_ {
        self.seats.iter().filter(|seat| self.job.agrees(&self.seats, seat)).map(|seat| seat.node)
    }

    /// How the deposit is divided; `None` before the job has ended.
    #[must_use]
    pub fn split(&self) -> Option<Split> {
        self.job.split(&self.seats).ok()
    }

    /// What the agreed answer costs, in base units of the job's mint; `None` when there is none.
    #[must_use]
    pub fn fee(&self) -> Option<Amount> {
        self.job.prices().ok()?.fee(self.winner()?.work()).ok()
    }

    /// The parties that can collect something now, seats first.
    #[must_use]
    pub fn collectable(&self, now: Slot) -> Vec<Party> {
        let seats = (0..).zip(&self.seats).map(|(index, _)| Party::Seat(index));
        let parties = seats.chain([Party::Royalty, Party::Protocol, Party::Payer]);
        parties.filter(|party| self.job.payable(&self.seats, *party, now).is_ok()).collect()
    }
}

/// The terms hash of a job as it is when the job was posted on `offer`, as that is now, on `cluster`.
#[must_use]
pub fn terms_hash(job: &Job, offer: &Offer, cluster: &[u8; 32]) -> [u8; 32] {
    JobTerms {
        offer: &job.offer,
        offer_terms: &offer.hash_terms(),
        payer: &job.payer,
        input_root: &job.input_root,
        most: job.most(),
        protocol_bps: job.protocol_bps,
        cluster,
    }
    .hash()
}

fn malformed(address: &Pubkey, error: &dyn std::fmt::Debug) -> ChainError {
    ChainError::Malformed { what: "Job", address: *address, reason: format!("{error:?}") }
}
