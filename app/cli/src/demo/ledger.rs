//! Who got what, read from the balances that the chain recorded.

use std::time::Duration;

use anyhow::{Context as _, Result};
use provena_client::{
    PostedJob,
    chain::{
        Chain, ChainReader, RpcChain, accounts,
        accounts::ProgramAccount,
        effects::{self, Effects},
    },
    token,
};
use provena_market::{pda, state::Job};
use provena_royalty::state::PoolMint;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

/// Where a deposit went, in base units, by the balances before and after.
pub struct Split {
    pub deposit: u64,
    pub node_fee: u64,
    pub protocol_fee: u64,
    pub royalty: u64,
    pub refund: u64,
    /// The transaction that paid everybody.
    pub settled: Signature,
}

/// A holder before and after its claim.
pub struct Holding {
    pub name: &'static str,
    pub address: Pubkey,
    /// Its part of its pool.
    pub bps: u16,
    /// What the pool owed it before.
    pub owed: u64,
    /// What its balance grew by.
    pub claimed: u64,
    /// Its balance afterwards.
    pub after: u64,
    /// The claim, if there was anything to claim.
    pub signature: Option<Signature>,
}

impl Split {
    /// Whether every unit of the deposit went somewhere, once.
    pub fn adds_up(&self) -> bool {
        let out = [self.node_fee, self.protocol_fee, self.royalty, self.refund];
        out.iter().try_fold(0u64, |sum, part| sum.checked_add(*part)) == Some(self.deposit)
    }
}

/// Reads the effects of the two transactions that moved the deposit in and out.
///
/// # Errors
/// The chain has no record of them.
pub async fn split(chain: &RpcChain, posted: &PostedJob, job: &Job) -> Result<Split> {
    let address = posted.job;
    let into = recorded(chain, &posted.posted.signature).await?;
    let escrow = pda::escrow(&address).0;
    let deposit = if token::is_sol(&job.mint) {
        let rent = chain.rent_exempt(Job::account_len()).await?;
        into.lamports_gained(&address) - i128::from(rent)
    } else {
        into.tokens_gained(&escrow)
    };
    let royalty_account = if token::is_sol(&job.mint) { job.pool_mint } else { job.vault };
    for settled in effects::signatures(chain, &address).await? {
        let out = recorded(chain, &settled).await?;
        let royalty = gained(&out, &royalty_account, &job.mint);
        if royalty <= 0 {
            continue;
        }
        let wallet = |owner: &Pubkey| gained(&out, &token::wallet_account(owner, &job.mint), &job.mint);
        let mut node_fee: i128 = 0;
        for (index, node) in (0u8..).zip(job.nodes.iter().take(usize::from(job.slots))) {
            node_fee += wallet(node);
            if token::is_sol(&job.mint) {
                // The slot's account is closed by the settlement and its rent, the node's own, goes back to the node.
                node_fee += out.lamports_gained(&pda::slot(&address, index).0);
            }
        }
        return Ok(Split {
            deposit: amount(deposit)?,
            node_fee: amount(node_fee)?,
            protocol_fee: amount(wallet(&job.treasury))?,
            royalty: amount(royalty)?,
            refund: amount(wallet(&job.payer))?,
            settled,
        });
    }
    anyhow::bail!("the chain has no record of the settlement of job {address}")
}

/// What the pools still hold of `mint`: the dust that cannot be divided.
pub async fn left(chain: &dyn Chain, pools: &[Pubkey], mint: &Pubkey) -> Result<u64> {
    let mut left = 0u64;
    for pool in pools {
        let address = provena_royalty::pda::pool_mint(pool, mint).0;
        let account = chain.account(&address).await?.context("a pool's account is gone")?;
        let pool_mint: PoolMint = accounts::decode(&address, &account)?;
        left += if token::is_sol(mint) {
            account.lamports - pool_mint.rent
        } else {
            chain.account(&pool_mint.vault).await?.map_or(0, |vault| token::amount_of(&vault.data))
        };
    }
    Ok(left)
}

fn gained(effects: &Effects, account: &Pubkey, mint: &Pubkey) -> i128 {
    if token::is_sol(mint) { effects.lamports_gained(account) } else { effects.tokens_gained(account) }
}

fn amount(gained: i128) -> Result<u64> {
    u64::try_from(gained).context("a balance moved the wrong way")
}

/// A confirmed transaction's record, which servers may have a moment after the confirmation.
async fn recorded(chain: &RpcChain, signature: &Signature) -> Result<Effects> {
    for _ in 0..100 {
        if let Some(effects) = effects::effects(chain, signature).await? {
            return Ok(effects);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the chain has no record of transaction {signature}")
}
