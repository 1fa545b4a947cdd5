//! Writes bytecode into a buffer account, many chunks at a time.
//!
//! The buffer's address follows from the wallet and the bytecode, so whoever starts again finds what was written. The
//! buffer itself says which chunks are missing: nothing depends on the fate of a single transaction.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use futures_util::{StreamExt, stream};
use provena_arith::hash::sha256;
use provena_client::chain::{Chain, ChainError, send_and_confirm, submitter::prepare};
use solana_keypair::Keypair;
use solana_loader_v3_interface::instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account_with_seed;
use solana_transaction_error::TransactionError;

use super::{Progress, loader};
use crate::failure::Failure;

/// Code bytes that fit into a packet of 1,232 beside one signature (65), version, header and four keys (133), the blockhash
/// (32), the budget (20), no lookup tables (1), and the instruction's own framing (7) and fields (16).
const CHUNK: usize = 958;
const IN_FLIGHT: usize = 24;
/// How long sent chunks may take to appear before they are sent again.
const ROUND: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(150);
/// Without one new chunk in this time, something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many writes `len` bytes take.
pub(super) fn chunk_count(len: usize) -> u64 {
    len.div_ceil(CHUNK) as u64
}

/// Where the wallet's buffer for this bytecode is.
///
/// # Errors
/// None in practice: the seed has a fixed, allowed length.
pub(super) fn address(wallet: &Keypair, elf: &[u8]) -> Result<Pubkey> {
    Pubkey::create_with_seed(&wallet.pubkey(), &seed(elf), &loader::LOADER).context("no address for the buffer")
}

/// Half of the bytecode's hash in hexadecimal: 32 characters, as many as a seed may have.
fn seed(elf: &[u8]) -> String {
    hex::encode(&sha256(&[elf])[..16])
}

/// Brings `elf` into a buffer of `wallet` and returns its address.
///
/// # Errors
/// The buffer belongs to somebody else, a write is refused, or no write arrives for a minute.
pub(super) async fn upload(
    chain: &dyn Chain,
    wallet: &Keypair,
    elf: &[u8],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Pubkey> {
    let buffer = address(wallet, elf)?;
    if chain.account(&buffer).await?.is_none() {
        create(chain, wallet, &buffer, elf).await?;
    }
    let mut last = usize::MAX;
    let mut moved = Instant::now();
    loop {
        let missing = missing(chain, wallet, &buffer, elf).await?;
        progress(Progress::Written { done: written(elf, &missing), total: elf.len() });
        if missing.is_empty() {
            return Ok(buffer);
        }
        if missing.len() < last {
            (last, moved) = (missing.len(), Instant::now());
        } else if moved.elapsed() > PATIENCE {
            return Err(Failure::failed(format!(
                "{} of {} pieces do not arrive on the chain",
                missing.len(),
                chunk_count(elf.len())
            ))
            .hint("deploy again: it continues where this stopped")
            .into());
        }
        send(chain, wallet, &buffer, elf, &missing).await?;
        wait(chain, wallet, &buffer, elf, progress).await?;
    }
}

pub(super) async fn create(chain: &dyn Chain, wallet: &Keypair, buffer: &Pubkey, elf: &[u8]) -> Result<()> {
    let payer = wallet.pubkey();
    let size = loader::BUFFER_HEADER + elf.len();
    let rent = chain.rent_exempt(size).await?;
    let create = create_account_with_seed(&payer, buffer, &payer, &seed(elf), rent, size as u64, &loader::LOADER);
    // The library's pair of instructions creates an account that signs; ours has a seed, so only the second serves.
    let initialise = instruction::create_buffer(&payer, buffer, &payer, rent, elf.len())
        .map_err(|error| anyhow!("cannot build the buffer: {error}"))?
        .pop()
        .context("the loader's library builds no buffer")?;
    send_and_confirm(chain, &[create, initialise], &[wallet]).await?;
    Ok(())
}

/// Offsets of the chunks that the buffer does not hold yet.
pub(super) async fn missing(chain: &dyn Chain, wallet: &Keypair, buffer: &Pubkey, elf: &[u8]) -> Result<Vec<usize>> {
    let account = chain.account(buffer).await?.with_context(|| format!("the buffer {buffer} is gone"))?;
    let code = match loader::buffer(&account.data) {
        Some((authority, code))
            if account.owner == loader::LOADER && authority == Some(wallet.pubkey()) && code.len() == elf.len() =>
        {
            code
        }
        _ => {
            return Err(Failure::failed(format!("the account {buffer} is not a buffer of {}", wallet.pubkey()))
                .hint("deploy with another wallet: --keypair")
                .into());
        }
    };
    let pairs = elf.chunks(CHUNK).zip(code.chunks(CHUNK)).enumerate();
    Ok(pairs.filter(|(_, (wanted, written))| wanted != written).map(|(index, _)| index * CHUNK).collect())
}

fn written(elf: &[u8], missing: &[usize]) -> usize {
    let missing: usize = missing.iter().map(|offset| chunk(elf, *offset).len()).sum();
    elf.len() - missing
}

fn chunk(elf: &[u8], offset: usize) -> &[u8] {
    &elf[offset..elf.len().min(offset + CHUNK)]
}

/// Sends each chunk once. Only a refusal stops it; what got lost is sent again by the next round.
pub(super) async fn send(
    chain: &dyn Chain,
    wallet: &Keypair,
    buffer: &Pubkey,
    elf: &[u8],
    missing: &[usize],
) -> Result<()> {
    let mut sent = stream::iter(missing.iter().copied())
        .map(|offset| send_chunk(chain, wallet, buffer, offset, chunk(elf, offset)))
        .buffer_unordered(IN_FLIGHT);
    while let Some(outcome) = sent.next().await {
        outcome?;
    }
    Ok(())
}

async fn send_chunk(
    chain: &dyn Chain,
    wallet: &Keypair,
    buffer: &Pubkey,
    offset: usize,
    bytes: &[u8],
) -> Result<(), ChainError> {
    let at = u32::try_from(offset).map_err(|error| ChainError::Build(error.to_string()))?;
    let write = instruction::write(buffer, &wallet.pubkey(), at, bytes.to_vec());
    let outcome = match prepare(chain, &[write], &[wallet], chain.budget()).await {
        Ok(pending) => chain.send(&pending.transaction).await,
        Err(error) => Err(error),
    };
    match outcome {
        Err(ChainError::Rejected(rejection)) if rejection.error == TransactionError::AlreadyProcessed => Ok(()),
        Err(error) if error.is_transient() => {
            tracing::debug!(?error, offset, "a chunk got no answer; it is sent again if it is missing");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Watches the buffer fill until it is full or a round's time is over.
async fn wait(
    chain: &dyn Chain,
    wallet: &Keypair,
    buffer: &Pubkey,
    elf: &[u8],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    let deadline = Instant::now() + ROUND;
    while Instant::now() < deadline {
        let missing = missing(chain, wallet, buffer, elf).await?;
        progress(Progress::Written { done: written(elf, &missing), total: elf.len() });
        if missing.is_empty() {
            break;
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use provena_client::chain::{
        Budget,
        message::{compile, transaction_len},
    };
    use solana_hash::Hash;
    use solana_keypair::Keypair;
    use solana_pubkey::Pubkey;
    use solana_signer::Signer;

    use super::{CHUNK, chunk_count, instruction, seed};

    #[test]
    fn a_full_chunk_fills_a_packet_and_no_more() {
        let wallet = Keypair::new().pubkey();
        let write = instruction::write(&Pubkey::new_unique(), &wallet, u32::MAX, vec![7; CHUNK]);
        // With a limit and a price, the most that a budget can be.
        let budget = Budget { micro_lamports_per_unit: 1, ..Budget::default() };
        let message = compile(&budget.around(&[write]), &wallet, &[], Hash::default()).unwrap();
        assert_eq!(transaction_len(&message), 1_232);
    }

    #[test]
    fn every_byte_has_a_chunk() {
        assert_eq!([0, 1, CHUNK, CHUNK + 1].map(chunk_count), [0, 1, 1, 2]);
    }

    #[test]
    fn seeds_have_the_longest_allowed_length() {
        assert_eq!(seed(b"code").len(), 32);
        assert_ne!(seed(b"code"), seed(b"Code"));
    }
}
