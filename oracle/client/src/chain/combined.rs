//! One connection for many tasks: what several of them ask at the same time is asked in one request.
//!
//! Nothing is answered from an earlier answer, but for the blockhash: every question is put to the server after it was
//! asked here, so that whoever asks sees what he would have seen alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use solana_account::Account;
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use super::batch::Batch;
use super::{
    AccountFilter, Budget, Chain, ChainError, ChainReader, ChainSubmitter, Changes, HealthReport, RecentBlockhash,
    SignatureStatus, Watch,
};
use crate::reach::Reach;

/// Servers answer at most this many accounts in one request.
const ACCOUNTS_TOGETHER: usize = 100;

/// Servers answer at most this many signatures in one request.
const SIGNATURES_TOGETHER: usize = 256;

/// How long a blockhash is used again: much shorter than the minute for which it is valid.
const BLOCKHASH_FOR: Duration = Duration::from_secs(1);

/// A chain that combines questions.
pub struct Combined<C> {
    chain: Arc<C>,
    accounts: Batch<Pubkey, Option<Account>>,
    signatures: Batch<Signature, Option<SignatureStatus>>,
    height: Batch<(), u64>,
    blockhash: Batch<(), RecentBlockhash>,
    latest: Arc<Latest>,
}

/// The blockhash that was answered last.
#[derive(Debug, Default)]
struct Latest(Mutex<Option<(RecentBlockhash, Instant)>>);

impl Latest {
    /// The hash, while it may be used again.
    fn get(&self) -> Option<RecentBlockhash> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.filter(|(_, since)| since.elapsed() < BLOCKHASH_FOR).map(|(hash, _)| hash)
    }

    fn set(&self, latest: Option<RecentBlockhash>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = latest.map(|hash| (hash, Instant::now()));
    }
}

impl<C: Chain> Combined<C> {
    /// Combines what is asked of `chain`.
    #[must_use]
    pub fn new(chain: C) -> Self {
        let (chain, latest) = (Arc::new(chain), Arc::<Latest>::default());
        let accounts = {
            let chain = Arc::clone(&chain);
            move |all: Vec<Pubkey>| {
                let chain = Arc::clone(&chain);
                async move { chain.accounts(&all).await }
            }
        };
        let signatures = {
            let chain = Arc::clone(&chain);
            move |all: Vec<Signature>| {
                let chain = Arc::clone(&chain);
                async move { chain.signature_statuses(&all).await }
            }
        };
        let height = {
            let chain = Arc::clone(&chain);
            move |_| {
                let chain = Arc::clone(&chain);
                async move { Ok(vec![chain.block_height().await?]) }
            }
        };
        let blockhash = {
            let (chain, latest) = (Arc::clone(&chain), Arc::clone(&latest));
            move |_| {
                let (chain, latest) = (Arc::clone(&chain), Arc::clone(&latest));
                async move {
                    if let Some(latest) = latest.get() {
                        return Ok(vec![latest]);
                    }
                    let fresh = chain.recent_blockhash().await?;
                    latest.set(Some(fresh));
                    Ok(vec![fresh])
                }
            }
        };
        Self {
            accounts: Batch::new(ACCOUNTS_TOGETHER, accounts),
            signatures: Batch::new(SIGNATURES_TOGETHER, signatures),
            height: Batch::new(1, height),
            blockhash: Batch::new(1, blockhash),
            chain,
            latest,
        }
    }

    /// The connection itself.
    #[must_use]
    pub fn inner(&self) -> &C {
        &self.chain
    }
}

#[async_trait]
impl<C: Chain> ChainReader for Combined<C> {
    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.chain.cluster().await
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        self.chain.slot().await
    }

    async fn account(&self, address: &Pubkey) -> Result<Option<Account>, ChainError> {
        Ok(self.accounts(&[*address]).await?.into_iter().next().flatten())
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, ChainError> {
        if addresses.len() > ACCOUNTS_TOGETHER {
            return self.chain.accounts(addresses).await;
        }
        self.accounts.ask(addresses).await
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filter: &AccountFilter,
    ) -> Result<Vec<(Pubkey, Account)>, ChainError> {
        self.chain.program_accounts(program, filter).await
    }

    async fn rent_exempt(&self, len: usize) -> Result<u64, ChainError> {
        self.chain.rent_exempt(len).await
    }

    fn watch(&self, watch: Watch) -> Changes {
        self.chain.watch(watch)
    }

    fn health(&self) -> HealthReport {
        self.chain.health()
    }

    async fn reach(&self) -> Result<Reach, ChainError> {
        self.chain.reach().await
    }
}

#[async_trait]
impl<C: Chain> ChainSubmitter for Combined<C> {
    async fn recent_blockhash(&self) -> Result<RecentBlockhash, ChainError> {
        if let Some(latest) = self.latest.get() {
            return Ok(latest);
        }
        let hashes = self.blockhash.ask(&[()]).await?;
        hashes.first().copied().ok_or_else(|| ChainError::Build("no blockhash was answered".to_owned()))
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let sent = self.chain.send(transaction).await;
        if let Err(ChainError::Rejected(rejection)) = &sent
            && rejection.is_unknown_blockhash()
        {
            self.latest.set(None);
        }
        sent
    }

    fn budget(&self) -> Budget {
        self.chain.budget()
    }

    fn lookup_tables(&self) -> &[AddressLookupTableAccount] {
        self.chain.lookup_tables()
    }

    async fn signature_status(&self, signature: &Signature) -> Result<Option<SignatureStatus>, ChainError> {
        Ok(self.signature_statuses(&[*signature]).await?.into_iter().next().flatten())
    }

    async fn signature_statuses(&self, asked: &[Signature]) -> Result<Vec<Option<SignatureStatus>>, ChainError> {
        if asked.len() > SIGNATURES_TOGETHER {
            return self.chain.signature_statuses(asked).await;
        }
        self.signatures.ask(asked).await
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        let heights = self.height.ask(&[()]).await?;
        heights.first().copied().ok_or_else(|| ChainError::Build("no block height was answered".to_owned()))
    }

    async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<Signature, ChainError> {
        self.chain.airdrop(to, lamports).await
    }
}

#[cfg(test)]
mod tests;
