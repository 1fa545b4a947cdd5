//! Hints over WebSocket: which accounts changed. Whoever waits on them polls as well, so a lost hint costs time only.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use solana_account::Account;
use solana_client::nonblocking::pubsub_client::PubsubClient;
use solana_client::rpc_config::{CommitmentConfig, RpcAccountInfoConfig, UiAccountEncoding};
use solana_pubkey::Pubkey;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::reader::program_config;
use super::{AccountFilter, Backoff, Health};

/// Hints kept for a slow listener; more are dropped, and the listener's poll finds what they said.
const QUEUE: usize = 1_024;

/// What to watch.
#[derive(Debug, Clone)]
pub enum Watch {
    /// Every account of a program that matches the filter.
    Program(Pubkey, AccountFilter),
    /// One account.
    Account(Pubkey),
}

/// One account as it became.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which account.
    pub address: Pubkey,
    /// Its new content.
    pub account: Account,
}

/// A subscription. Dropping it ends the task behind it.
#[derive(Debug)]
pub struct Changes {
    hints: mpsc::Receiver<Change>,
    task: Option<JoinHandle<()>>,
}

impl Changes {
    /// Hints from a channel that something else feeds, e.g. an embedded chain in a test.
    #[must_use]
    pub fn from_channel(hints: mpsc::Receiver<Change>) -> Self {
        Self { hints, task: None }
    }

    /// Waits for the next hint, at most `patience`; `None` says that it is time to poll.
    pub async fn next(&mut self, patience: Duration) -> Option<Change> {
        match tokio::time::timeout(patience, self.hints.recv()).await {
            Ok(Some(change)) => Some(change),
            Ok(None) => {
                // The source is gone: from here on there is only polling, at the caller's pace.
                tokio::time::sleep(patience).await;
                None
            }
            Err(_) => None,
        }
    }

    pub(super) fn subscribe(url: String, watch: Watch, commitment: CommitmentConfig, health: Arc<Health>) -> Self {
        let (sender, hints) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
            while !sender.is_closed() {
                let ended = listen(&url, &watch, commitment, &sender, &health, &mut backoff).await;
                health.subscribed(false);
                let delay = backoff.failed();
                if backoff.failures().is_power_of_two() {
                    tracing::warn!(url, reason = ended, ?delay, "no subscription; polling until it is back");
                }
                tokio::time::sleep(delay).await;
            }
        });
        Self { hints, task: Some(task) }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Subscribes and forwards until something ends it; returns why.
async fn listen(
    url: &str,
    watch: &Watch,
    commitment: CommitmentConfig,
    sender: &mpsc::Sender<Change>,
    health: &Health,
    backoff: &mut Backoff,
) -> String {
    let client = match PubsubClient::new(url).await {
        Ok(client) => client,
        Err(error) => return error.to_string(),
    };
    match watch {
        Watch::Program(program, filter) => {
            let config = program_config(filter, commitment);
            match client.program_subscribe(program, Some(config)).await {
                Err(error) => error.to_string(),
                Ok((mut notices, _unsubscribe)) => {
                    health.subscribed(true);
                    backoff.succeeded();
                    while let Some(notice) = notices.next().await {
                        let address = notice.value.pubkey.parse().ok();
                        forward(sender, address, notice.value.account.decode());
                    }
                    "the server closed the subscription".to_owned()
                }
            }
        }
        Watch::Account(address) => {
            let config = RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(commitment),
                ..RpcAccountInfoConfig::default()
            };
            match client.account_subscribe(address, Some(config)).await {
                Err(error) => error.to_string(),
                Ok((mut notices, _unsubscribe)) => {
                    health.subscribed(true);
                    backoff.succeeded();
                    while let Some(notice) = notices.next().await {
                        forward(sender, Some(*address), notice.value.decode());
                    }
                    "the server closed the subscription".to_owned()
                }
            }
        }
    }
}

fn forward(sender: &mpsc::Sender<Change>, address: Option<Pubkey>, account: Option<Account>) {
    if let (Some(address), Some(account)) = (address, account)
        && sender.try_send(Change { address, account }).is_err()
    {
        tracing::debug!(%address, "a hint was dropped; the next poll finds it");
    }
}
