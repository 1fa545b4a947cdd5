//! Submitting transactions so that nothing is done twice and nothing is given up that may have happened.
//!
//! [`prepare`] signs, [`submit`] sends and waits. Whoever must survive a crash journals the [`Pending`] in between and
//! calls [`resolve`] after the restart.

use std::time::Duration;

use async_trait::async_trait;
use solana_client::rpc_config::RpcSendTransactionConfig;
use solana_client::rpc_request::RpcRequest;
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

use super::{
    Backoff, Budget, Chain, ChainError, ChainSubmitter, RecentBlockhash, Rejection, RpcChain, SignatureStatus,
    genesis::Care, message::compile,
};

/// How long an unanswered signature is asked for before the caller is told that it is unknown.
const PATIENCE_WITHOUT_ANSWER: Duration = Duration::from_secs(45);

/// How often an unconfirmed transaction is handed to the cluster again; the signature makes repeats harmless.
const RESEND_EVERY: Duration = Duration::from_secs(2);

/// A signed transaction that may be sent any number of times and lands at most once.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// The signed transaction.
    pub transaction: VersionedTransaction,
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
        // Programs are never looked up in tables.
        let message = &self.transaction.message;
        let keys = message.static_account_keys();
        let program = |index: u8| keys.get(usize::from(index)).copied().unwrap_or_default();
        message.instructions().iter().map(|instruction| program(instruction.program_id_index)).collect()
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

/// Builds and signs a transaction of version 0; the first signer pays the fee. The chain's lookup tables are used where it
/// would be too long without.
///
/// # Errors
/// [`ChainError::TooLong`] when it is too long all the same, [`ChainError::Build`] when a signature is missing, or whatever
/// asking for a blockhash fails with.
pub async fn prepare<C: ChainSubmitter + ?Sized>(
    chain: &C,
    instructions: &[Instruction],
    signers: &[&Keypair],
    budget: Budget,
) -> Result<Pending, ChainError> {
    let payer = signers.first().ok_or_else(|| ChainError::Build("nobody signs it".to_owned()))?.pubkey();
    let RecentBlockhash { hash, last_valid_block_height } = chain.recent_blockhash().await?;
    let message = compile(&budget.around(instructions), &payer, chain.lookup_tables(), hash)?;
    let transaction = VersionedTransaction::try_new(message, signers);
    let transaction = transaction.map_err(|error| ChainError::Build(error.to_string()))?;
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
            // It was not sent: there is nothing to ask for.
            error @ ChainError::WrongChain { .. } => return Err(error),
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

/// As [`send_within`], with the connection's own [`ChainSubmitter::budget`].
///
/// # Errors
/// As for [`prepare`] and [`submit`].
pub async fn send_and_confirm<C: Chain + ?Sized>(
    chain: &C,
    instructions: &[Instruction],
    signers: &[&Keypair],
) -> Result<Confirmed, ChainError> {
    send_within(chain, instructions, signers, chain.budget()).await
}

/// Builds, signs, sends and confirms; a transaction that expired unlanded is built again up to three times.
///
/// # Errors
/// As for [`prepare`] and [`submit`].
pub async fn send_within<C: Chain + ?Sized>(
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
        let commitment = self.rpc().commitment();
        let (hash, last_valid_block_height) =
            self.ask_with(Care::Act, || self.rpc().get_latest_blockhash_with_commitment(commitment)).await?;
        Ok(RecentBlockhash { hash, last_valid_block_height })
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(self.rpc().commitment().commitment),
            // We send again ourselves, because we are the ones who know when to stop.
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        self.same_chain(Care::Act).await?;
        self.connection.note(self.rpc().send_transaction_with_config(transaction, config).await).map(drop)
    }

    fn budget(&self) -> Budget {
        self.budget
    }

    fn lookup_tables(&self) -> &[AddressLookupTableAccount] {
        &self.lookup_tables
    }

    async fn signature_status(&self, signature: &Signature) -> Result<Option<SignatureStatus>, ChainError> {
        Ok(self.signature_statuses(&[*signature]).await?.into_iter().next().flatten())
    }

    async fn signature_statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<SignatureStatus>>, ChainError> {
        let ask = || self.rpc().get_signature_statuses_with_history(signatures);
        let answer = self.ask_with(Care::Act, ask).await?;
        let commitment = self.rpc().commitment();
        let known = answer.value.into_iter().map(|status| {
            status.map(|status| SignatureStatus {
                slot: status.slot,
                confirmed: status.satisfies_commitment(commitment),
                finalized: status.satisfies_commitment(CommitmentConfig::finalized()),
                error: status.err,
            })
        });
        Ok(known.collect())
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        self.ask_with(Care::Act, || self.rpc().get_block_height()).await
    }

    async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<Signature, ChainError> {
        self.same_chain(Care::Act).await?;
        // The client's own `request_airdrop` replaces every error, also an unreachable server, by one sentence.
        let params = serde_json::json!([to.to_string(), lamports]);
        let answer: String = self.connection.note(self.rpc().send(RpcRequest::RequestAirdrop, params).await)?;
        answer.parse().map_err(|_| ChainError::Rpc { url: self.url(), reason: format!("{answer:?} is no signature") })
    }
}
