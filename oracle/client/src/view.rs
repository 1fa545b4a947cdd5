//! One consistent look at a job: the job, its slots and the clock, read together.

use provena_market::constants::MAX_SLOTS;
use provena_market::state::{Job, Slot};
use solana_pubkey::Pubkey;

use crate::chain::accounts::decode;
use crate::chain::{ChainError, ChainReader};

/// The account in which the runtime keeps the current slot.
const CLOCK: Pubkey = solana_pubkey::pubkey!("SysvarC1ock11111111111111111111111111111111");

/// A job as the chain shows it.
#[derive(Clone)]
pub struct View {
    /// The chain's current slot.
    pub now: u64,
    /// The job; `None` once it is closed.
    pub job: Option<Job>,
    /// Its live slots by index.
    pub slots: [Option<Slot>; MAX_SLOTS],
}

impl View {
    /// Reads the job at `address`.
    ///
    /// # Errors
    /// A failure to read, or [`ChainError::Malformed`] when something else lives there.
    pub async fn read<C: ChainReader + ?Sized>(chain: &C, address: &Pubkey) -> Result<Self, ChainError> {
        let slots = (0..).take(MAX_SLOTS).map(|index| provena_market::pda::slot(address, index).0);
        let asked: Vec<_> = [CLOCK, *address].into_iter().chain(slots).collect();
        let found = chain.accounts(&asked).await?;
        let mut found = asked.iter().zip(found);
        let clock = found.next().and_then(|(_, account)| account);
        let now = clock
            .and_then(|clock| Some(u64::from_le_bytes(clock.data.get(..8)?.try_into().ok()?)))
            .ok_or(ChainError::Missing { what: "clock", address: CLOCK })?;
        // Whoever sends lamports to the address of a closed account revives it without data: that is no job.
        let mut next = || {
            found
                .next()
                .and_then(|(address, account)| Some((address, account?)))
                .filter(|(_, account)| account.owner == provena_market::ID)
        };
        let job = next().map(|(address, account)| decode::<Job>(address, &account)).transpose()?;
        let mut slots = [None; MAX_SLOTS];
        for slot in &mut slots {
            *slot = next().map(|(address, account)| decode::<Slot>(address, &account)).transpose()?;
        }
        Ok(Self { now, job, slots })
    }

    /// The slot that `authority` holds.
    #[must_use]
    pub fn slot_of(&self, authority: &Pubkey) -> Option<&Slot> {
        self.slots.iter().flatten().find(|slot| slot.authority == *authority)
    }

    /// The live slots in order of their index.
    pub fn live(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }
}
