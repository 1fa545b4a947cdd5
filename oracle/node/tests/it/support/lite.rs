//! The chain traits over the SVM with the real programs: every transaction runs, nothing leaves the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use provena_client::chain::history::PastInstruction;
use provena_client::chain::{
    AccountFilter, ChainError, ChainReader, ChainSubmitter, Changes, HealthReport, RecentBlockhash, Rejection,
    SignatureStatus, Watch,
    message::{MOST_BYTES, transaction_len},
};
use provena_client::reach::Reach;
use provena_tests::market::CLUSTER;
use provena_tests::world::World;
use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

/// Blocks that a blockhash stays valid for.
const VALIDITY: u64 = 150;

/// A chain in memory.
pub(crate) struct LiteChain {
    inner: Mutex<Inner>,
}

struct Inner {
    world: World,
    genesis: [u8; 32],
    /// Every account that a transaction named: what a program's accounts are listed from.
    known: BTreeSet<Pubkey>,
    landed: BTreeMap<Signature, SignatureStatus>,
    /// The instructions of successful transactions.
    sent: Vec<PastInstruction>,
}

impl LiteChain {
    pub(crate) fn new(world: World) -> Self {
        let inner =
            Inner { world, genesis: CLUSTER, known: BTreeSet::new(), landed: BTreeMap::new(), sent: Vec::new() };
        Self { inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics while it holds the chain")
    }

    /// Looks at the chain itself.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.lock().world)
    }

    /// Has another genesis hash from now on.
    pub(crate) fn become_cluster(&self, genesis: [u8; 32]) {
        self.lock().genesis = genesis;
    }

    /// Lists these accounts, too, though no transaction named them.
    pub(crate) fn know(&self, addresses: &[Pubkey]) {
        self.lock().known.extend(addresses);
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, slots: u64) {
        let mut inner = self.lock();
        let now = slot(&inner.world);
        inner.world.svm.warp_to_slot(now + slots);
    }

    /// How many successful instructions began with this data.
    pub(crate) fn count(&self, discriminator: &[u8]) -> usize {
        self.lock().sent.iter().filter(|sent| sent.data.starts_with(discriminator)).count()
    }

    /// The instructions of successful transactions.
    pub(crate) fn past(&self) -> Vec<PastInstruction> {
        self.lock().sent.clone()
    }
}

fn slot(world: &World) -> u64 {
    world.svm.get_sysvar::<solana_program::clock::Clock>().slot
}

#[async_trait]
impl ChainReader for LiteChain {
    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        Ok(self.lock().genesis)
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        Ok(slot(&self.lock().world))
    }

    async fn account(&self, address: &Pubkey) -> Result<Option<Account>, ChainError> {
        Ok(self.lock().world.account(address))
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, ChainError> {
        let inner = self.lock();
        Ok(addresses.iter().map(|address| inner.world.account(address)).collect())
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filter: &AccountFilter,
    ) -> Result<Vec<(Pubkey, Account)>, ChainError> {
        let inner = self.lock();
        let matches = |account: &Account| {
            let sized = filter.len.is_none_or(|len| account.data.len() as u64 == len);
            let at =
                |offset: usize, bytes: &[u8]| account.data.get(offset..).is_some_and(|rest| rest.starts_with(bytes));
            account.owner == *program && sized && filter.bytes.iter().all(|(offset, bytes)| at(*offset, bytes))
        };
        let found = inner.known.iter().filter_map(|address| Some((*address, inner.world.account(address)?)));
        Ok(found.filter(|(_, account)| matches(account)).collect())
    }

    async fn rent_exempt(&self, len: usize) -> Result<u64, ChainError> {
        Ok(self.lock().world.svm.minimum_balance_for_rent_exemption(len))
    }

    fn watch(&self, _watch: Watch) -> Changes {
        // No hints at all: whoever waits must poll, which is what must work.
        Changes::from_channel(tokio::sync::mpsc::channel(1).1)
    }

    async fn reach(&self) -> Result<Reach, ChainError> {
        // It is on this machine.
        Ok(Reach::of_chain("http://127.0.0.1:8899", &self.cluster().await?))
    }

    fn health(&self) -> HealthReport {
        HealthReport { reachable: true, slot: slot(&self.lock().world), ..HealthReport::default() }
    }
}

#[async_trait]
impl ChainSubmitter for LiteChain {
    async fn recent_blockhash(&self) -> Result<RecentBlockhash, ChainError> {
        let inner = self.lock();
        let last_valid_block_height = slot(&inner.world) + VALIDITY;
        Ok(RecentBlockhash { hash: inner.world.svm.latest_blockhash(), last_valid_block_height })
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let mut inner = self.lock();
        let message = &transaction.message;
        // A cluster takes no longer ones; the SVM would.
        let len = transaction_len(message);
        assert!(len <= MOST_BYTES, "a transaction of {len} bytes");
        let keys = message.static_account_keys();
        let programs: Vec<Pubkey> =
            message.instructions().iter().map(|instruction| keys[usize::from(instruction.program_id_index)]).collect();
        let done = inner.world.svm.send_transaction(transaction.clone());
        let now = slot(&inner.world);
        inner.world.svm.warp_to_slot(now + 1);
        match done {
            Ok(_) => {
                inner.known.extend(keys.iter().copied());
                let signature = transaction.signatures[0];
                let status = SignatureStatus { slot: now, confirmed: true, error: None, finalized: true };
                inner.landed.insert(signature, status);
                // This chain has no lookup tables.
                let key = |index: &u8| keys[usize::from(*index)];
                let past = message.instructions().iter().map(|instruction| PastInstruction {
                    program: key(&instruction.program_id_index),
                    accounts: instruction.accounts.iter().map(key).collect(),
                    data: instruction.data.clone(),
                });
                inner.sent.extend(past);
                inner.world.svm.expire_blockhash();
                Ok(())
            }
            Err(failed) => {
                // Refused before it landed: the same transaction may be tried again, which the SVM does not know.
                inner.world.svm.expire_blockhash();
                Err(ChainError::Rejected(Box::new(Rejection::explain(None, failed.err, &programs, failed.meta.logs))))
            }
        }
    }

    async fn signature_status(&self, signature: &Signature) -> Result<Option<SignatureStatus>, ChainError> {
        Ok(self.lock().landed.get(signature).cloned())
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        self.slot().await
    }

    async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<Signature, ChainError> {
        self.lock().world.svm.airdrop(to, lamports).expect("the faucet is full");
        Ok(Signature::default())
    }
}
