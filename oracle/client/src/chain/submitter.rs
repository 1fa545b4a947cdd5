//! Submitting transactions so that nothing is done twice and nothing is given up that may have happened.
//!
//! [`prepare`] signs, [`submit`] sends and waits. Whoever must survive a crash journals the [`Pending`] in between and
//! calls [`resolve`] after the restart.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use solana_client::rpc_config::RpcSendTransactionConfig;
use solana_client::rpc_request::RpcRequest;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;

use super::{Backoff, Chain, ChainError, ChainSubmitter, RecentBlockhash, Rejection, RpcChain, SignatureStatus};

/// The compute-budget program, whose two instructions a [`Budget`] becomes.
const COMPUTE_BUDGET: Pubkey = solana_pubkey::pubkey!("ComputeBudget111111111111111111111111111111");

/// How long an unanswered signature is asked for before the caller is told that it is unknown.
const PATIENCE_WITHOUT_ANSWER: Duration = Duration::from_secs(45);

/// How often an unconfirmed transaction is handed to the cluster again; the signature makes repeats harmless.
const RESEND_EVERY: Duration = Duration::from_secs(2);

/// What a transaction may consume and what it offers for being taken early.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Limit on compute units; `None` leaves the runtime's default of 200,000 per instruction.
    pub compute_units: Option<u32>,
    /// Price of one compute unit in millionths of a lamport; 0 offers nothing.
    pub micro_lamports_per_unit: u64,
}

impl Budget {
    /// A limit and no price.
    #[must_use]
    pub fn units(compute_units: u32) -> Self {
        Self { compute_units: Some(compute_units), micro_lamports_per_unit: 0 }
    }

    fn instructions(self) -> Vec<Instruction> {
        let limit = self.compute_units.map(|units| budget_instruction(2, &units.to_le_bytes()));
        let price = (self.micro_lamports_per_unit > 0)
            .then(|| budget_instruction(3, &self.micro_lamports_per_unit.to_le_bytes()));
        limit.into_iter().chain(price).collect()
    }
}

fn budget_instruction(tag: u8, value: &[u8]) -> Instruction {
    let data = std::iter::once(tag).chain(value.iter().copied()).collect();
    Instruction { program_id: COMPUTE_BUDGET, accounts: Vec::<AccountMeta>::new(), data }
}

/// A signed transaction that may be sent any number of times and lands at most once.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// The signed transaction.
    pub transaction: Transaction,
    /// Block height after which it can never land.
    pub last_valid_block_height: u64,
}

impl Pending {
    /// The first signature, which names the transaction.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.transaction.signatures.first().copied().unwrap_or_default()
    }

    fn programs(&self) -> Vec<Pubkey> {
        let message = &self.transaction.message;
        let program = |index: u8| message.account_keys.get(usize::from(index)).copied().unwrap_or_default();
        message.instructions.iter().map(|instruction| program(instruction.program_id_index)).collect()
    }
}

/// A transaction that landed and succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// Its signature.
    pub signature: Signature,
    /// The slot it landed in.
    pub slot: u64,
}

/// Builds and signs a transaction; the first signer pays the fee.
///
/// # Errors
/// [`ChainError::Build`] when a signature is missing, or whatever asking for a blockhash fails with.
pub async fn prepare<C: ChainSubmitter + ?Sized>(
    chain: &C,
    instructions: &[Instruction],
    signers: &[&Keypair],
    budget: Budget,
) -> Result<Pending, ChainError> {
    let payer = signers.first().ok_or_else(|| ChainError::Build("nobody signs it".to_owned()))?;
    let mut all = budget.instructions();
    all.extend_from_slice(instructions);
    let RecentBlockhash { hash, last_valid_block_height } = chain.recent_blockhash().await?;
    let message = Message::new_with_blockhash(&all, Some(&payer.pubkey()), &hash);
    let mut transaction = Transaction::new_unsigned(message);
    transaction.try_sign(signers, hash).map_err(|error| ChainError::Build(error.to_string()))?;
    Ok(Pending { transaction, last_valid_block_height })
}

/// Sends `pending` and waits until its fate is known.
///
/// # Errors
/// [`ChainError::Rejected`] and [`ChainError::Expired`] are final: it did not and will not happen.
/// [`ChainError::Unknown`] is not: ask again with [`resolve`].
pub async fn submit<C: Chain + ?Sized>(chain: &C, pending: &Pending) -> Result<Confirmed, ChainError> {
    if let Err(error) = chain.send(&pending.transaction).await {
        match error {
            // A refusal before landing is certain only if this very transaction has not landed through an earlier
            // send; "already processed" is such a case, and `resolve` finds it.
            ChainError::Rejected(rejection) => {
                return match chain.signature_status(&pending.signature()).await {
                    Ok(Some(status)) => settled(pending, status),
                    _ if is_already_processed(&rejection) => resolve(chain, pending).await,
                    _ => Err(ChainError::Rejected(Box::new(Rejection::explain(
                        None,
                        rejection.error,
                        &pending.programs(),
                        rejection.logs,
                    )))),
                };
            }
            // The server may have passed it on before it failed to answer: that is "unknown", so ask.
            other => tracing::debug!(?other, signature = %pending.signature(), "sending gave no answer"),
        }
    }
    resolve(chain, pending).await
}

fn is_already_processed(rejection: &Rejection) -> bool {
    rejection.error == solana_transaction_error::TransactionError::AlreadyProcessed
}

/// Asks for `pending`'s signature, sending it again now and then, until it landed or can no longer land.
///
/// # Errors
/// As for [`submit`].
pub async fn resolve<C: Chain + ?Sized>(chain: &C, pending: &Pending) -> Result<Confirmed, ChainError> {
    resolve_within(chain, pending, PATIENCE_WITHOUT_ANSWER).await
}

/// As [`resolve`], giving up on a silent server after `patience`.
///
/// # Errors
/// As for [`submit`].
pub async fn resolve_within<C: Chain + ?Sized>(
    chain: &C,
    pending: &Pending,
    patience: Duration,
) -> Result<Confirmed, ChainError> {
    let signature = pending.signature();
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
    let mut last_answer = tokio::time::Instant::now();
    let mut last_send = last_answer;
    let mut pause = Duration::from_millis(50);
    loop {
        match look(chain, &signature, pending.last_valid_block_height).await {
            Ok(Look::Settled(status)) => return settled(pending, status),
            Ok(Look::Expired) => return Err(ChainError::Expired { signature }),
            Ok(Look::Waiting) => {
                backoff.succeeded();
                last_answer = tokio::time::Instant::now();
                if last_send.elapsed() >= RESEND_EVERY {
                    last_send = last_answer;
                    // Whatever this answers, the signature's status decides.
                    drop(chain.send(&pending.transaction).await);
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(400));
            }
            Err(error) => {
                if last_answer.elapsed() >= patience {
                    return Err(ChainError::Unknown { signature, reason: error.to_string() });
                }
                tokio::time::sleep(backoff.failed()).await;
            }
        }
    }
}

enum Look {
    Settled(SignatureStatus),
    Waiting,
    Expired,
}

/// One look. The block height is read BEFORE the status: a transaction that lands between the two is then seen, and
/// "expired" is concluded only from a status that is newer than the height.
async fn look<C: Chain + ?Sized>(
    chain: &C,
    signature: &Signature,
    last_valid_block_height: u64,
) -> Result<Look, ChainError> {
    let height = chain.block_height().await?;
    match chain.signature_status(signature).await? {
        Some(status) if status.confirmed => Ok(Look::Settled(status)),
        Some(_) => Ok(Look::Waiting),
        None if height > last_valid_block_height => Ok(Look::Expired),
        None => Ok(Look::Waiting),
    }
}

fn settled(pending: &Pending, status: SignatureStatus) -> Result<Confirmed, ChainError> {
    let signature = pending.signature();
    match status.error {
        None => Ok(Confirmed { signature, slot: status.slot }),
        Some(error) => Err(ChainError::Rejected(Box::new(Rejection::explain(
            Some(signature),
            error,
            &pending.programs(),
            Vec::new(),
        )))),
    }
}

/// Builds, signs, sends and confirms; a transaction that expired unlanded is built again up to three times.
///
/// # Errors
/// As for [`prepare`] and [`submit`].
pub async fn send_and_confirm<C: Chain + ?Sized>(
    chain: &C,
    instructions: &[Instruction],
    signers: &[&Keypair],
    budget: Budget,
) -> Result<Confirmed, ChainError> {
    let mut attempt = 1;
    loop {
        let pending = prepare(chain, instructions, signers, budget).await?;
        match submit(chain, &pending).await {
            Err(ChainError::Expired { signature }) if attempt < 3 => {
                tracing::info!(%signature, attempt, "expired without landing; sending a fresh one");
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

#[async_trait]
impl ChainSubmitter for RpcChain {
    async fn recent_blockhash(&self) -> Result<RecentBlockhash, ChainError> {
        let commitment = self.client.commitment();
        let (hash, last_valid_block_height) =
            self.ask(|| self.client.get_latest_blockhash_with_commitment(commitment)).await?;
        Ok(RecentBlockhash { hash, last_valid_block_height })
    }

    async fn send(&self, transaction: &Transaction) -> Result<(), ChainError> {
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(self.client.commitment().commitment),
            // We send again ourselves, because we are the ones who know when to stop.
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        self.note(self.client.send_transaction_with_config(transaction, config).await).map(drop)
    }

    async fn signature_status(&self, signature: &Signature) -> Result<Option<SignatureStatus>, ChainError> {
        let asked = [*signature];
        let answer = self.ask(|| self.client.get_signature_statuses_with_history(&asked)).await?;
        let commitment = self.client.commitment();
        Ok(answer.value.into_iter().next().flatten().map(|status| SignatureStatus {
            slot: status.slot,
            confirmed: status.satisfies_commitment(commitment),
            finalized: status.satisfies_commitment(solana_commitment_config::CommitmentConfig::finalized()),
            error: status.err,
        }))
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        self.ask(|| self.client.get_block_height()).await
    }

    async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<Signature, ChainError> {
        // The client's own `request_airdrop` replaces every error, also an unreachable server, by one sentence.
        let params = serde_json::json!([to.to_string(), lamports]);
        let answer: String = self.note(self.client.send(RpcRequest::RequestAirdrop, params).await)?;
        answer.parse().map_err(|_| ChainError::Rpc { url: self.url(), reason: format!("{answer:?} is no signature") })
    }
}
