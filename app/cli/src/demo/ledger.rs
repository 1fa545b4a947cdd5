//! Who got what, read from the balances that the chain recorded.

use std::time::Duration;

use anyhow::{Context as _, Result};
use provena_client::{
    PostedJob,
    chain::{
        Chain, ChainReader, RpcChain,
        accounts::ProgramAccount,
        effects::{self, Effects},
    },
    royalty,
    token::{self, PaymentMint},
    view::JobView,
};
use provena_market::{
    pda,
    state::{Job, Seat},
};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

/// The inboxes that the offer opened: one of the model's pool, one of the treasury.
const SHARD: u8 = 0;

/// Where a deposit went, in base units, by the balances before and after.
pub(super) struct Split {
    pub deposit: u64,
    pub node_fee: u64,
    pub protocol_fee: u64,
    pub royalty: u64,
    pub refund: u64,
    /// Where the protocol's part lies.
    pub treasury: Pubkey,
    /// Where the royalty lies until it is booked.
    pub inbox: Pubkey,
    /// The transactions that paid somebody.
    pub paid: Vec<Signature>,
}

/// A holder before and after its claim.
pub(super) struct Holding {
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
    pub(super) fn adds_up(&self) -> bool {
        let out = [self.node_fee, self.protocol_fee, self.royalty, self.refund];
        out.iter().try_fold(0u64, |sum, part| sum.checked_add(*part)) == Some(self.deposit)
    }
}

/// The accounts that a job pays into, in its currency.
struct Payees {
    mint: PaymentMint,
    inbox: Pubkey,
    treasury: Pubkey,
}

impl Payees {
    async fn of(chain: &RpcChain, job: &JobView) -> Result<Self> {
        let mint = token::payment_mint(chain, &job.job.mint).await?;
        let inbox = provena_royalty::pda::inbox(&job.job.books, SHARD).0;
        let treasury = pda::treasury_inbox(&mint.address, SHARD).0;
        if mint.program.is_none() {
            return Ok(Self { mint, inbox, treasury });
        }
        let (inbox, treasury) = (provena_royalty::pda::inbox_vault(&inbox).0, pda::treasury_vault(&treasury).0);
        Ok(Self { mint, inbox, treasury })
    }

    fn gained(&self, effects: &Effects, account: &Pubkey) -> i128 {
        if self.mint.program.is_none() { effects.lamports_gained(account) } else { effects.tokens_gained(account) }
    }
}

/// Reads the effects of the transactions that moved the deposit in and out.
///
/// # Errors
/// The chain has no record of them.
pub(super) async fn split(chain: &RpcChain, posted: &PostedJob, job: &JobView) -> Result<Split> {
    let payees = Payees::of(chain, job).await?;
    let into = recorded(chain, &posted.posted.signature).await?;
    let deposit = if payees.mint.program.is_none() {
        let rent = chain.rent_exempt(Job::item_offset::<Seat>(job.seats.len(), 0)).await?;
        into.lamports_gained(&posted.job) - i128::from(rent)
    } else {
        into.tokens_gained(&pda::escrow(&posted.job).0)
    };
    let (mut node_fee, mut protocol_fee, mut royalty, mut refund) = (0, 0, 0, 0);
    let mut paid = Vec::new();
    for signature in effects::signatures(chain, &posted.job).await? {
        if signature == posted.posted.signature {
            continue;
        }
        let out = recorded(chain, &signature).await?;
        let wallet = |owner: &Pubkey| payees.gained(&out, &payees.mint.account_of(owner));
        let nodes: i128 = job.seats.iter().map(|seat| wallet(&seat.node)).sum();
        let parts = [nodes, payees.gained(&out, &payees.treasury), payees.gained(&out, &payees.inbox)];
        let back = wallet(&job.job.payer);
        if parts.iter().chain([&back]).any(|part| *part != 0) {
            paid.push(signature);
        }
        node_fee += parts[0];
        protocol_fee += parts[1];
        royalty += parts[2];
        refund += back;
    }
    Ok(Split {
        deposit: amount(deposit)?,
        node_fee: amount(node_fee)?,
        protocol_fee: amount(protocol_fee)?,
        royalty: amount(royalty)?,
        refund: amount(refund)?,
        treasury: payees.treasury,
        inbox: payees.inbox,
        paid,
    })
}

/// What the pools still hold of `mint`, booked or not: the dust that cannot be divided.
pub(super) async fn left(chain: &dyn Chain, pools: &[Pubkey], mint: &Pubkey) -> Result<u64> {
    let mut left = 0u64;
    for pool in pools {
        let revenue = royalty::revenue(chain, pool).await?;
        let one = revenue.mints.iter().find(|one| one.mint.address == *mint);
        left += one.map_or(0, |one| one.books.held + one.waiting());
    }
    Ok(left)
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
