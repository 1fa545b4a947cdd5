//! What a node looks at now and then beside its jobs: the chain's slot, its money, its crash log, and who answers at its address.

use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_client::chain::{ChainError, SharedChain};
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use crate::instance::{self, InstanceError};
use crate::journal::Journal;
use crate::memory;
use crate::readiness::{Readiness, Standing};

/// How often the chain is asked for its slot.
const BEAT: Duration = Duration::from_secs(2);

/// How often the chain is asked for the node's money.
const MONEY_EVERY: Duration = Duration::from_secs(15);

/// How often free memory goes back to the system.
const MEMORY_EVERY: Duration = Duration::from_secs(30);

/// The registered address is asked who answers after so many times the pause between two looks for jobs: every minute by
/// default.
const INSTANCE_EVERY: u32 = 6;

/// Attempts before a node does not start because another instance answers: a predecessor that is just ending may.
const STARTS: u32 = 5;

/// Looks at a node's surroundings.
pub(super) struct Pulse {
    pub chain: SharedChain,
    pub journal: Journal,
    pub readiness: Arc<Readiness>,
    pub node: Pubkey,
    pub instance: String,
    pub poll: Duration,
}

impl Pulse {
    /// Refuses to start while another instance answers at the registered address.
    ///
    /// # Errors
    /// [`InstanceError::Elsewhere`].
    pub(super) async fn begin(&self) -> Result<(), InstanceError> {
        for attempt in 1.. {
            let Some(endpoint) = self.elsewhere().await else { break };
            if attempt == STARTS {
                return Err(InstanceError::Elsewhere { node: self.node, endpoint });
            }
            tokio::time::sleep(BEAT / 2).await;
        }
        self.money().await;
        Ok(())
    }

    /// Looks until `closing`.
    pub(super) async fn run(self, closing: CancellationToken) {
        let instance_every = self.poll.saturating_mul(INSTANCE_EVERY);
        let (mut next_money, mut next_instance) = (Instant::now() + MONEY_EVERY, Instant::now() + instance_every);
        let mut next_memory = Instant::now() + MEMORY_EVERY;
        while !closing.is_cancelled() {
            // Success and failure are both recorded by the connection itself.
            let _: Result<u64, ChainError> = self.chain.slot().await;
            if self.journal.is_degraded() {
                self.journal.restore();
            }
            let now = Instant::now();
            if now >= next_money {
                next_money = now + MONEY_EVERY;
                self.money().await;
            }
            if now >= next_memory {
                next_memory = now + MEMORY_EVERY;
                // It is not waited for.
                drop(tokio::task::spawn_blocking(memory::give_back));
            }
            if now >= next_instance {
                next_instance = now + instance_every;
                self.look_for_another().await;
            }
            tokio::select! {
                () = tokio::time::sleep(BEAT) => {}
                () = closing.cancelled() => {}
            }
        }
    }

    /// What cannot be read now is read later.
    async fn standing(&self) -> Option<Standing> {
        Standing::read(self.chain.as_ref(), &self.node).await.ok().flatten()
    }

    async fn money(&self) {
        let read = Instant::now();
        if let Some(standing) = self.standing().await {
            self.readiness.saw_money(standing.money, read);
            self.readiness.saw_lease(&standing.node);
        }
    }

    /// The address at which another instance answers.
    async fn elsewhere(&self) -> Option<String> {
        let endpoint = self.standing().await?.node.endpoint().to_owned();
        if endpoint.is_empty() {
            return None;
        }
        match instance::who_answers(&endpoint).await {
            Ok(who) => {
                let other = who.node == self.node.to_string() && who.instance != self.instance;
                other.then_some(endpoint)
            }
            Err(error) => {
                tracing::debug!(endpoint, error, "nobody answers at the registered address");
                None
            }
        }
    }

    async fn look_for_another(&self) {
        let endpoint = self.elsewhere().await;
        if self.readiness.saw_another(endpoint.is_some()) {
            match endpoint {
                Some(endpoint) => tracing::error!(
                    endpoint,
                    node = %self.node,
                    "another process with this node's key answers at its address; this one takes no more jobs: stop one of them"
                ),
                None => tracing::info!("no other process answers at the node's address any more"),
            }
        }
    }
}
