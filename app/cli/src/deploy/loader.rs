//! The upgradeable loader: what its accounts say, and the instructions it takes.

use std::time::Duration;

use anyhow::{Result, anyhow};
use provena_client::chain::{Chain, ChainError, send_and_confirm};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_loader_v3_interface::{get_program_data_address, instruction};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::failure::Failure;

/// The loader's address.
pub(super) const LOADER: Pubkey = solana_pubkey::pubkey!("BPFLoaderUpgradeab1e11111111111111111111111");
/// Bytes before the code in a buffer: tag u32, authority as option.
pub(super) const BUFFER_HEADER: usize = 37;
/// Bytes before the code in a program's data account: tag u32, slot u64, authority as option.
pub(super) const DATA_HEADER: usize = 45;
/// Size of the account at a program's address: tag u32, address of the data.
pub(super) const PROGRAM_LEN: usize = 36;

/// The loader extends by no less, so that nobody grows an account byte by byte.
const LEAST_EXTENSION: usize = 10_240;
const POLL: Duration = Duration::from_millis(100);

/// What is at a program's address.
pub(super) enum Found {
    /// Nothing: the program is new here.
    Nothing,
    /// A program of the upgradeable loader.
    Program {
        /// Who may upgrade it; nobody when `None`.
        authority: Option<Pubkey>,
        /// Its code, with the zeros that follow it.
        elf: Vec<u8>,
    },
}

/// Looks at a program's two accounts.
///
/// # Errors
/// Something else lives at the address.
pub(super) async fn look(chain: &dyn Chain, id: &Pubkey) -> Result<Found> {
    let Some(program) = chain.account(id).await? else { return Ok(Found::Nothing) };
    let data_address = get_program_data_address(id);
    let taken = || {
        Failure::failed(format!("{id} is taken by something that is not an upgradeable program"))
            .hint("deploy under an address of your own: `anchor keys sync`, then `cargo xtask build`")
    };
    let expected: Vec<u8> = [&2u32.to_le_bytes()[..], data_address.as_ref()].concat();
    if program.owner != LOADER || program.data != expected {
        return Err(taken().into());
    }
    let Some(data) = chain.account(&data_address).await? else {
        return Err(Failure::failed(format!("the program {id} was closed; its address can never be used again"))
            .hint("deploy under an address of your own: `anchor keys sync`, then `cargo xtask build`")
            .into());
    };
    let head = data.data.get(..DATA_HEADER).filter(|head| head.starts_with(&3u32.to_le_bytes())).ok_or_else(taken)?;
    let authority = option_address(&head[12..]);
    Ok(Found::Program { authority, elf: data.data[DATA_HEADER..].to_vec() })
}

/// The authority of a buffer, and the code written so far; `None` when the account is no buffer.
pub(super) fn buffer(data: &[u8]) -> Option<(Option<Pubkey>, &[u8])> {
    let (head, code) = data.split_at_checked(BUFFER_HEADER)?;
    head.starts_with(&1u32.to_le_bytes()).then(|| (option_address(&head[4..]), code))
}

/// Reads the loader's `Option<Address>`: a byte that says whether 32 more follow.
fn option_address(bytes: &[u8]) -> Option<Pubkey> {
    let (&present, rest) = bytes.split_first()?;
    let address: [u8; 32] = rest.get(..32)?.try_into().ok()?;
    (present == 1).then(|| Pubkey::new_from_array(address))
}

/// Whether an account's code is `elf` followed by nothing but zeros.
pub(super) fn same_code(stored: &[u8], elf: &[u8]) -> bool {
    stored.strip_prefix(elf).is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

/// Instructions that turn a full buffer into a new program.
///
/// # Errors
/// The chain did not say what the accounts cost.
pub(super) async fn deploy(
    chain: &dyn Chain,
    wallet: &Keypair,
    id: &Pubkey,
    buffer: &Pubkey,
    len: usize,
) -> Result<Vec<Instruction>> {
    let rent = chain.rent_exempt(PROGRAM_LEN).await?;
    let wallet = wallet.pubkey();
    instruction::deploy_with_max_program_len(&wallet, id, buffer, &wallet, rent, len)
        .map_err(|error| anyhow!("cannot build the deployment: {error}"))
}

/// The instruction that replaces a program's code by a full buffer.
pub(super) fn upgrade(wallet: &Keypair, id: &Pubkey, buffer: &Pubkey) -> Instruction {
    instruction::upgrade(id, buffer, &wallet.pubkey(), &wallet.pubkey())
}

/// Makes room for `more` bytes of code.
///
/// # Errors
/// The loader refused both ways of asking.
pub(super) async fn extend(chain: &dyn Chain, wallet: &Keypair, id: &Pubkey, more: usize) -> Result<()> {
    let more = u32::try_from(more.max(LEAST_EXTENSION))?;
    let payer = wallet.pubkey();
    // Newer clusters take only the first, older ones only the second.
    let ways = [
        instruction::extend_program_checked(id, &payer, Some(&payer), more),
        instruction::extend_program(id, Some(&payer), more),
    ];
    let mut refusal = None;
    for way in ways {
        match send_and_confirm(chain, &[way], &[wallet]).await {
            Ok(done) => return wait_until_runnable(chain, done.slot).await,
            Err(error @ ChainError::Rejected(_)) => refusal = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(anyhow!("the program cannot be made larger")
        .context(refusal.map(|error| error.to_string()).unwrap_or_default()))
}

/// The loader refuses to run or change a program again in the slot that changed it.
///
/// # Errors
/// The chain does not answer, or stands still for half a minute.
pub(super) async fn wait_until_runnable(chain: &dyn Chain, changed_in: u64) -> Result<()> {
    for _ in 0..300 {
        if chain.slot().await? > changed_in {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(Failure::failed(format!("the chain has stood still at slot {changed_in} for half a minute"))
        .hint("look at the chain, then deploy again: what is done stays done")
        .into())
}
