//! A chain whose calls can be made to fail or to never return, before or after they have their effect.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use provena_client::chain::{
    AccountFilter, ChainError, ChainReader, ChainSubmitter, Changes, HealthReport, RecentBlockhash, SharedChain,
    SignatureStatus, Watch,
};
use provena_client::reach::Reach;
use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use tokio::sync::Notify;

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Blockhash,
    Send,
    Status,
    Height,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing unusual.
    Pass,
    /// The caller dies before the call has its effect.
    KillBefore,
    /// The caller dies after the call had its effect.
    KillAfter,
    /// The call fails without an effect.
    LoseRequest,
    /// The call has its effect and fails all the same.
    LoseAnswer,
}

type Rule = Box<dyn Fn(Call, usize) -> Fate + Send + Sync>;

/// Asks a rule about each call, given its number from 0.
pub(crate) struct Meddling {
    inner: SharedChain,
    rule: Rule,
    calls: AtomicUsize,
    killed: Notify,
}

impl Meddling {
    pub(crate) fn new(inner: SharedChain, rule: impl Fn(Call, usize) -> Fate + Send + Sync + 'static) -> Self {
        Self { inner, rule: Box::new(rule), calls: AtomicUsize::new(0), killed: Notify::new() }
    }

    /// Returns once a caller was killed.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    async fn pass<T>(&self, call: Call, effect: impl Future<Output = Result<T, ChainError>>) -> Result<T, ChainError> {
        let lost = || ChainError::Unreachable { url: "memory".to_owned(), reason: "timed out".to_owned() };
        match (self.rule)(call, self.calls.fetch_add(1, Ordering::SeqCst)) {
            Fate::Pass => effect.await,
            Fate::KillBefore => self.kill().await,
            Fate::KillAfter => {
                drop(effect.await);
                self.kill().await
            }
            Fate::LoseRequest => Err(lost()),
            Fate::LoseAnswer => {
                drop(effect.await);
                Err(lost())
            }
        }
    }

    async fn kill<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl ChainReader for Meddling {
    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.pass(Call::Read, self.inner.cluster()).await
    }
    async fn slot(&self) -> Result<u64, ChainError> {
        self.pass(Call::Read, self.inner.slot()).await
    }
    async fn account(&self, address: &Pubkey) -> Result<Option<Account>, ChainError> {
        self.pass(Call::Read, self.inner.account(address)).await
    }
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, ChainError> {
        self.pass(Call::Read, self.inner.accounts(addresses)).await
    }
    async fn program_accounts(
        &self,
        program: &Pubkey,
        filter: &AccountFilter,
    ) -> Result<Vec<(Pubkey, Account)>, ChainError> {
        self.pass(Call::Read, self.inner.program_accounts(program, filter)).await
    }
    async fn rent_exempt(&self, len: usize) -> Result<u64, ChainError> {
        self.pass(Call::Read, self.inner.rent_exempt(len)).await
    }
    fn watch(&self, watch: Watch) -> Changes {
        self.inner.watch(watch)
    }
    async fn reach(&self) -> Result<Reach, ChainError> {
        self.inner.reach().await
    }

    fn health(&self) -> HealthReport {
        self.inner.health()
    }
}

#[async_trait]
impl ChainSubmitter for Meddling {
    async fn recent_blockhash(&self) -> Result<RecentBlockhash, ChainError> {
        self.pass(Call::Blockhash, self.inner.recent_blockhash()).await
    }
    async fn send(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        self.pass(Call::Send, self.inner.send(transaction)).await
    }
    async fn signature_status(&self, signature: &Signature) -> Result<Option<SignatureStatus>, ChainError> {
        self.pass(Call::Status, self.inner.signature_status(signature)).await
    }
    async fn block_height(&self) -> Result<u64, ChainError> {
        self.pass(Call::Height, self.inner.block_height()).await
    }
    async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<Signature, ChainError> {
        self.inner.airdrop(to, lamports).await
    }
}
