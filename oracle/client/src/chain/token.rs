//! Token accounts that must exist before somebody can be paid in tokens.

use provena_market::client::associated_token;
use provena_market::state::{Job, Slot};
use provena_registry::{ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::{ChainError, ChainReader};

/// The associated token program's `CreateIdempotent`.
const CREATE_IDEMPOTENT: u8 = 1;

/// Creates the associated token account of `wallet` for `mint` if it does not exist; `payer` signs and pays its rent.
#[must_use]
pub fn create(payer: &Pubkey, wallet: &Pubkey, mint: &Pubkey) -> Instruction {
    let system = Pubkey::default();
    let accounts = vec![
        AccountMeta::new(*payer, true),
        AccountMeta::new(associated_token(wallet, mint), false),
        AccountMeta::new_readonly(*wallet, false),
        AccountMeta::new_readonly(*mint, false),
        AccountMeta::new_readonly(system, false),
        AccountMeta::new_readonly(TOKEN_PROGRAM, false),
    ];
    Instruction { program_id: ASSOCIATED_TOKEN_PROGRAM, accounts, data: vec![CREATE_IDEMPOTENT] }
}

/// What must come before a job's end so that everybody can be paid: nothing for a job paid in SOL, else the creation of
/// each missing token account of the job's payer, its treasury and the nodes of `slots`.
///
/// # Errors
/// A failure to read.
pub async fn before_the_end<C: ChainReader + ?Sized>(
    chain: &C,
    payer: &Pubkey,
    job: &Job,
    slots: &[Slot],
) -> Result<Vec<Instruction>, ChainError> {
    if job.is_native() {
        return Ok(Vec::new());
    }
    let mut wallets = vec![job.payer, job.treasury];
    wallets.extend(slots.iter().map(|slot| slot.authority));
    wallets.sort_unstable();
    wallets.dedup();
    let addresses: Vec<_> = wallets.iter().map(|wallet| associated_token(wallet, &job.mint)).collect();
    let found = chain.accounts(&addresses).await?;
    let missing = wallets.iter().zip(found).filter(|(_, account)| account.is_none());
    Ok(missing.map(|(wallet, _)| create(payer, wallet, &job.mint)).collect())
}
