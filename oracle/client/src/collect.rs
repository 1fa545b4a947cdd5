//! Collecting from decided jobs: every party is paid by a call of its own, which anybody may make.

use provena_common::{
    currency::Currency,
    slot::Slot,
    token::{TokenProgram, parse_account},
};
use provena_market::{
    NATIVE_MINT, client as market,
    constants::MAX_TREASURY_SHARDS,
    pda,
    state::{Part, Party},
};
use provena_royalty::{
    client as royalty,
    state::{Books, Pool},
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::instruction::create_associated_token_account_idempotent;

use crate::{
    chain::{ChainError, ChainReader, accounts::fetch},
    transfer_fee,
    view::JobView,
};

/// The collection of what one party is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// For whom.
    pub party: Party,
    /// The collection, after what it needs.
    pub instructions: Vec<Instruction>,
    /// What it takes.
    pub parts: Vec<Part>,
}

/// What a job in this mint is paid in.
///
/// # Errors
/// [`ChainError::Missing`] when there is no such mint, or a failure to read.
pub async fn currency<C: ChainReader + ?Sized>(chain: &C, mint: &Pubkey) -> Result<Currency, ChainError> {
    if *mint == NATIVE_MINT {
        return Ok(Currency::Sol);
    }
    let account = chain.account(mint).await?.ok_or(ChainError::Missing { what: "mint", address: *mint })?;
    Ok(Currency::of(mint, &account.owner))
}

/// The collection of one seat, for its own node: its token account is created where it is missing, and the node pays that.
/// Where that account cannot receive, bond and lamports are collected alone; empty when there are none.
///
/// # Errors
/// A failure to read.
pub async fn own_seat<C: ChainReader + ?Sized>(
    chain: &C,
    node: &Pubkey,
    job: &JobView,
    index: u8,
) -> Result<Vec<Instruction>, ChainError> {
    let currency = currency(chain, &job.job.mint).await?;
    if let Some(open) = open_account(chain, node, node, currency).await? {
        return Ok(vec![open, market::collect_seat(job, index, currency.token_program())]);
    }
    let collection = seat(chain, job, index, currency).await?;
    Ok(collection.map_or_else(Vec::new, |collection| collection.instructions))
}

/// The collection of everything that can be collected at `now`, seats first. `caller` signs, and pays for inboxes that
/// nobody has opened yet. A node's token account is not created for it: its pay then stays owed until it collects itself.
///
/// # Errors
/// A failure to read.
pub async fn all<C: ChainReader + ?Sized>(
    chain: &C,
    caller: &Pubkey,
    job: &JobView,
    now: Slot,
) -> Result<Vec<Collection>, ChainError> {
    let parties = job.collectable(now);
    if parties.is_empty() {
        return Ok(Vec::new());
    }
    let currency = currency(chain, &job.job.mint).await?;
    let mut collections = Vec::new();
    for party in parties {
        collections.extend(match party {
            Party::Seat(index) => seat(chain, job, index, currency).await?,
            Party::Royalty => Some(royalty_part(chain, caller, job, currency).await?),
            Party::Protocol => Some(protocol_part(chain, caller, job, currency).await?),
            Party::Payer => Some(refund(chain, caller, job, currency).await?),
        });
    }
    Ok(collections)
}

/// Closes a job that is paid out, after what its escrow needs for that.
///
/// # Errors
/// A failure to read.
pub async fn close<C: ChainReader + ?Sized>(
    chain: &C,
    caller: &Pubkey,
    job: &JobView,
) -> Result<Vec<Instruction>, ChainError> {
    let currency = currency(chain, &job.job.mint).await?;
    let close = market::close_job(*caller, job, currency.token_program());
    let Some(mint) = currency.token_mint() else { return Ok(vec![close]) };
    let escrow = pda::escrow(&job.address).0;
    let account = chain.account(&escrow).await?;
    let harvest = account.and_then(|account| transfer_fee::harvest(&mint, &escrow, &account.data));
    Ok(harvest.into_iter().chain([close]).collect())
}

/// The job as it is once all of `collections` are done.
#[must_use]
pub fn after(job: &JobView, collections: &[Collection]) -> JobView {
    let mut job = job.clone();
    for Collection { party, parts, .. } in collections {
        for part in parts {
            let JobView(record) = &mut job;
            // What was collected before is refused, and stays collected.
            drop(record.job.collect(&mut record.seats, *party, *part));
        }
    }
    job
}

/// The parts of what a party is owed, with or without the money.
fn parts(job: &JobView, party: Party, with_money: bool) -> Vec<Part> {
    let Ok(owed) = job.job.owed(&job.seats, party) else { return Vec::new() };
    let there = [
        (Part::Money, with_money && !owed.money.is_zero()),
        (Part::Lamports, !owed.lamports.is_zero()),
        (Part::Bond, owed.bond),
    ];
    there.into_iter().filter(|(_, there)| *there).map(|(part, _)| part).collect()
}

async fn seat<C: ChainReader + ?Sized>(
    chain: &C,
    job: &JobView,
    index: u8,
    currency: Currency,
) -> Result<Option<Collection>, ChainError> {
    let party = Party::Seat(index);
    let Some(seat) = job.seats.get(usize::from(index)) else { return Ok(None) };
    let can_receive = can_receive(chain, &seat.node, currency).await?;
    let parts = parts(job, party, can_receive);
    let collect = market::collect_seat(job, index, currency.token_program().filter(|_| can_receive));
    Ok((!parts.is_empty()).then(|| Collection { party, instructions: vec![collect], parts }))
}

async fn royalty_part<C: ChainReader + ?Sized>(
    chain: &C,
    caller: &Pubkey,
    job: &JobView,
    currency: Currency,
) -> Result<Collection, ChainError> {
    let books: Books = fetch(chain, &job.job.books).await?;
    let mut instructions = Vec::new();
    if books.inbox_count == 0 {
        let pool: Pool = fetch(chain, &books.pool).await?;
        instructions.push(royalty::open_inbox(caller, &pool.asset, currency, 0));
    }
    let shard = spread(&job.address, books.inbox_count.max(1));
    instructions.push(market::collect_royalty(job, shard, currency.token_program()));
    let parts = parts(job, Party::Royalty, true);
    Ok(Collection { party: Party::Royalty, instructions, parts })
}

async fn protocol_part<C: ChainReader + ?Sized>(
    chain: &C,
    caller: &Pubkey,
    job: &JobView,
    currency: Currency,
) -> Result<Collection, ChainError> {
    let owed = job.job.owed(&job.seats, Party::Protocol).unwrap_or_default();
    let sol = job.job.is_native() || !owed.lamports.is_zero();
    let tokens = Some(currency).filter(|currency| *currency != Currency::Sol && !owed.money.is_zero());
    let currencies = [sol.then_some(Currency::Sol), tokens];
    // One shard for both: that of the job's own where it is open for all, else the first, which is opened if need be.
    let own = spread(&job.address, MAX_TREASURY_SHARDS);
    let mut shard = own;
    for currency in currencies.iter().flatten() {
        if chain.account(&treasury_inbox(*currency, own)).await?.is_none() {
            shard = 0;
        }
    }
    let mut instructions = Vec::new();
    if shard == 0 {
        for currency in currencies.into_iter().flatten() {
            if chain.account(&treasury_inbox(currency, 0)).await?.is_none() {
                instructions.push(market::open_treasury_inbox(*caller, currency, 0));
            }
        }
    }
    instructions.push(market::collect_protocol(job, shard, sol, tokens.and_then(Currency::token_program)));
    Ok(Collection { party: Party::Protocol, instructions, parts: parts(job, Party::Protocol, true) })
}

async fn refund<C: ChainReader + ?Sized>(
    chain: &C,
    caller: &Pubkey,
    job: &JobView,
    currency: Currency,
) -> Result<Collection, ChainError> {
    let mut instructions = Vec::from_iter(open_account(chain, caller, &job.job.payer, currency).await?);
    instructions.push(market::collect_refund(job, currency.token_program()));
    Ok(Collection { party: Party::Payer, instructions, parts: parts(job, Party::Payer, true) })
}

/// Whether a wallet takes it now: SOL always, tokens where its associated token account does.
async fn can_receive<C: ChainReader + ?Sized>(
    chain: &C,
    wallet: &Pubkey,
    currency: Currency,
) -> Result<bool, ChainError> {
    let Some(address) = currency.token_account(wallet) else { return Ok(true) };
    let account = chain.account(&address).await?;
    let token = account.and_then(|account| parse_account(TokenProgram::of(&account.owner)?, &account.data));
    Ok(token.is_some_and(|token| token.owner == *wallet && token.mint == currency.mint() && !token.frozen))
}

/// Opens a wallet's associated token account where it is missing.
async fn open_account<C: ChainReader + ?Sized>(
    chain: &C,
    payer: &Pubkey,
    wallet: &Pubkey,
    currency: Currency,
) -> Result<Option<Instruction>, ChainError> {
    let Currency::Token { mint, program } = currency else { return Ok(None) };
    let there = chain.account(&currency.account_of(wallet)).await?.is_some();
    Ok((!there).then(|| create_associated_token_account_idempotent(payer, wallet, &mint, &program)))
}

fn treasury_inbox(currency: Currency, shard: u8) -> Pubkey {
    pda::treasury_inbox(&currency.mint(), shard).0
}

/// One of `count` shards, so that jobs do not all meet in one.
fn spread(job: &Pubkey, count: u8) -> u8 {
    let [first, ..] = job.to_bytes();
    first.checked_rem(count).unwrap_or(0)
}
