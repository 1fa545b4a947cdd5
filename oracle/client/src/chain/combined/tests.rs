//! Against a chain that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[derive(Default)]
struct Counting {
    accounts: AtomicUsize,
    signatures: AtomicUsize,
    heights: AtomicUsize,
    blockhashes: AtomicUsize,
}

async fn counted(counter: &AtomicUsize) -> usize {
    tokio::time::sleep(Duration::from_millis(10)).await;
    counter.fetch_add(1, Ordering::Relaxed)
}

#[async_trait]
impl ChainReader for Counting {
    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        Ok([1; 32])
    }
    async fn slot(&self) -> Result<u64, ChainError> {
        Ok(1)
    }
    async fn account(&self, _: &Pubkey) -> Result<Option<Account>, ChainError> {
        Ok(None)
    }
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, ChainError> {
        counted(&self.accounts).await;
        // An account has as many lamports as the first byte of its address says.
        let account =
            |address: &Pubkey| Some(Account { lamports: u64::from(address.to_bytes()[0]), ..Account::default() });
        Ok(addresses.iter().map(account).collect())
    }
    async fn program_accounts(&self, _: &Pubkey, _: &AccountFilter) -> Result<Vec<(Pubkey, Account)>, ChainError> {
        Ok(Vec::new())
    }
    async fn rent_exempt(&self, _: usize) -> Result<u64, ChainError> {
        Ok(0)
    }
    fn watch(&self, _: Watch) -> Changes {
        Changes::from_channel(tokio::sync::mpsc::channel(1).1)
    }
    fn health(&self) -> HealthReport {
        super::super::Health::default().report()
    }
}

#[async_trait]
impl ChainSubmitter for Counting {
    async fn recent_blockhash(&self) -> Result<RecentBlockhash, ChainError> {
        let count = counted(&self.blockhashes).await as u64;
        Ok(RecentBlockhash { hash: solana_hash::Hash::default(), last_valid_block_height: count })
    }
    async fn send(&self, _: &VersionedTransaction) -> Result<(), ChainError> {
        Ok(())
    }
    async fn signature_status(&self, _: &Signature) -> Result<Option<SignatureStatus>, ChainError> {
        Ok(None)
    }
    async fn signature_statuses(&self, asked: &[Signature]) -> Result<Vec<Option<SignatureStatus>>, ChainError> {
        counted(&self.signatures).await;
        Ok(vec![None; asked.len()])
    }
    async fn block_height(&self) -> Result<u64, ChainError> {
        Ok(counted(&self.heights).await as u64)
    }
    async fn airdrop(&self, _: &Pubkey, _: u64) -> Result<Signature, ChainError> {
        Ok(Signature::default())
    }
}

#[tokio::test]
async fn a_hundred_tasks_ask_as_few_times_as_one_or_two() {
    let chain = Arc::new(Combined::new(Counting::default()));
    let task = |index: u8| {
        let chain = chain.clone();
        tokio::spawn(async move {
            let own = Pubkey::new_from_array([index; 32]);
            let found = chain.accounts(&[Pubkey::new_from_array([200; 32]), own]).await.unwrap();
            let lamports: Vec<_> = found.into_iter().map(|account| account.unwrap().lamports).collect();
            assert_eq!(lamports, [200, u64::from(index)]);
            chain.recent_blockhash().await.unwrap();
            chain.block_height().await.unwrap();
            assert_eq!(chain.signature_status(&Signature::from([index; 64])).await.unwrap(), None);
        })
    };
    for task in (0..90).map(task).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let counts = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let Counting { accounts, signatures, heights, blockhashes } = chain.inner();
    assert_eq!(counts(blockhashes), 1);
    for counter in [accounts, signatures, heights] {
        assert!((1..=3).contains(&counts(counter)), "{}", counts(counter));
    }
}

#[tokio::test]
async fn an_answer_is_never_older_than_its_question() {
    let chain = Combined::new(Counting::default());
    for expected in 0..3 {
        assert_eq!(chain.block_height().await.unwrap(), expected);
    }
}
