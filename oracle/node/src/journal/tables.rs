//! What lies in the log's file: records of jobs, receipts, and the bonds that were lost, each bounded.

use std::time::{SystemTime, UNIX_EPOCH};

use provena_wire::SignedReceipt;
use redb::{Database, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::record::Keep;
use super::{JobKey, JobRecord};

/// A job's address, its slot of posting (big-endian, so that postings are in order) and its input's root.
type KeyBytes = [u8; 72];

/// A job's address and its slot of posting.
type PostingBytes = [u8; 40];

const JOBS: TableDefinition<'_, &KeyBytes, &[u8]> = TableDefinition::new("jobs");
/// Jobs that are over, and jobs that are given up with a result, each in the order in which they ended.
const OVER: TableDefinition<'_, u64, &KeyBytes> = TableDefinition::new("over");
const BOUND: TableDefinition<'_, u64, &KeyBytes> = TableDefinition::new("bound");
const RECEIPTS: TableDefinition<'_, &PostingBytes, &[u8]> = TableDefinition::new("receipts");
const RECEIPT_ORDER: TableDefinition<'_, u64, &PostingBytes> = TableDefinition::new("receipt_order");
const LOST: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("lost_bonds");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The layout that this program writes.
const FORMAT: u64 = 1;

/// Lost bonds that are remembered.
const MOST_LOST: u64 = 100;

/// How much the log keeps of what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Jobs that are over.
    pub over: u64,
    /// Jobs that were given up with a result. What a node computes is always the same, so that dropping the oldest of
    /// very many lets nobody have two results of it.
    pub bound: u64,
    /// Receipts.
    pub receipts: u64,
}

/// A bond that this node has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostBond {
    /// The job's address, base58.
    pub job: String,
    /// Why.
    pub reason: String,
    /// When the node noticed it, in seconds since 1970.
    pub at: u64,
}

/// The newest receipt that this node has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastReceipt {
    /// The job's address, base58.
    pub job: String,
    /// When it was written, in seconds since 1970.
    pub at: u64,
}

/// A record as it lies in the file; its receipt lies in a table of its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    keep: Keep,
    /// Its number among those that are kept as long as it.
    number: u64,
    record: JobRecord,
}

/// Makes the tables, so that readers find them, and checks the layout. A log that has no number of its own becomes `fresh`.
pub(super) fn prepare(db: &Database, fresh: u64) -> Result<(), Error> {
    let transaction = db.begin_write()?;
    {
        transaction.open_table(JOBS)?;
        transaction.open_table(OVER)?;
        transaction.open_table(BOUND)?;
        transaction.open_table(RECEIPTS)?;
        transaction.open_table(RECEIPT_ORDER)?;
        transaction.open_table(LOST)?;
        let mut meta = transaction.open_table(META)?;
        let found = meta.get("format")?.map(|found| found.value());
        match found {
            None => drop(meta.insert("format", FORMAT)?),
            Some(FORMAT) => {}
            Some(other) => {
                return Err(Error::Corrupted(format!("its layout is {other}, this program reads {FORMAT}")));
            }
        }
        if meta.get("instance")?.is_none() {
            meta.insert("instance", fresh)?;
        }
    }
    Ok(transaction.commit()?)
}

/// Writes records in one transaction, which is on disk when this returns, and drops what is too old.
pub(super) fn write<'a>(
    db: &Database,
    records: impl Iterator<Item = (&'a JobKey, &'a JobRecord)>,
    bounds: &Bounds,
) -> Result<(), Error> {
    let transaction = db.begin_write()?;
    {
        let mut jobs = transaction.open_table(JOBS)?;
        let mut over = transaction.open_table(OVER)?;
        let mut bound = transaction.open_table(BOUND)?;
        let mut receipts = transaction.open_table(RECEIPTS)?;
        let mut receipt_order = transaction.open_table(RECEIPT_ORDER)?;
        let mut lost = transaction.open_table(LOST)?;
        let mut meta = transaction.open_table(META)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
        for (key, record) in records {
            let bytes = key_bytes(key);
            let before: Option<Stored> = jobs.get(&bytes)?.map(|found| decode(found.value())).transpose()?;
            let keep = record.keep();
            let number = match &before {
                Some(before) if before.keep == keep => before.number,
                before => {
                    match before {
                        Some(Stored { keep: Keep::Over, number, .. }) => drop(over.remove(number)?),
                        Some(Stored { keep: Keep::Bound, number, .. }) => drop(bound.remove(number)?),
                        Some(_) | None => {}
                    }
                    match keep {
                        Keep::Over => push(&mut over, &bytes)?,
                        Keep::Bound => push(&mut bound, &bytes)?,
                        Keep::Open => 0,
                    }
                }
            };
            if let Some(receipt) = &record.receipt
                && receipts.get(&posting(&bytes))?.is_none()
            {
                receipts.insert(&posting(&bytes), encode(receipt)?.as_slice())?;
                push(&mut receipt_order, &posting(&bytes))?;
                meta.insert("last_receipt_at", now)?;
            }
            let had_ended = before.is_some_and(|before| before.record.end.is_some());
            if let Some(reason) = record.end.as_ref().and_then(|end| end.lost_bond()).filter(|_| !had_ended) {
                let bond = LostBond { job: key.job.to_string(), reason: reason.to_owned(), at: now };
                push(&mut lost, encode(&bond)?.as_slice())?;
            }
            let record = JobRecord { receipt: None, ..record.clone() };
            jobs.insert(&bytes, encode(&Stored { keep, number, record })?.as_slice())?;
        }
        for (order, most) in [(&mut over, bounds.over), (&mut bound, bounds.bound)] {
            while order.len()? > most {
                let Some((_, oldest)) = order.pop_first()? else { break };
                jobs.remove(oldest.value())?;
            }
        }
        while receipt_order.len()? > bounds.receipts {
            let Some((_, oldest)) = receipt_order.pop_first()? else { break };
            receipts.remove(oldest.value())?;
        }
        while lost.len()? > MOST_LOST {
            lost.pop_first()?;
        }
    }
    Ok(transaction.commit()?)
}

/// Puts a value behind all others of a table and says its number.
fn push<V: redb::Value + 'static>(table: &mut Table<'_, u64, V>, value: V::SelfType<'_>) -> Result<u64, Error> {
    let number = table.last()?.map_or(0, |(last, _)| last.value().saturating_add(1));
    table.insert(number, value)?;
    Ok(number)
}

/// One record.
pub(super) fn job(db: &Database, key: &JobKey) -> Result<Option<JobRecord>, Error> {
    let transaction = db.begin_read()?;
    let bytes = key_bytes(key);
    let jobs = transaction.open_table(JOBS)?;
    let Some(found) = jobs.get(&bytes)? else { return Ok(None) };
    let receipts = transaction.open_table(RECEIPTS)?;
    let receipt = receipts.get(&posting(&bytes))?.map(|found| decode(found.value())).transpose()?;
    restored(found.value(), receipt).map(Some)
}

/// The records of all postings at an address, in their order.
pub(super) fn at(db: &Database, address: &Pubkey) -> Result<Vec<(JobKey, JobRecord)>, Error> {
    let bound = |posted_at, input_root| key_bytes(&JobKey { job: *address, posted_at, input_root });
    let transaction = db.begin_read()?;
    let jobs = transaction.open_table(JOBS)?;
    let receipts = transaction.open_table(RECEIPTS)?;
    let mut found = Vec::new();
    for row in jobs.range::<&KeyBytes>(&bound(0, [0; 32])..=&bound(u64::MAX, [u8::MAX; 32]))? {
        let (bytes, stored) = row?;
        let receipt = receipts.get(&posting(bytes.value()))?.map(|found| decode(found.value())).transpose()?;
        found.push((key(bytes.value()), restored(stored.value(), receipt)?));
    }
    Ok(found)
}

/// Every record that is open; every other one is looked at too, so that a damaged one is found before it is needed.
pub(super) fn open_jobs(db: &Database) -> Result<Vec<(JobKey, JobRecord)>, Error> {
    let transaction = db.begin_read()?;
    let jobs = transaction.open_table(JOBS)?;
    let receipts = transaction.open_table(RECEIPTS)?;
    let mut open = Vec::new();
    for row in jobs.iter()? {
        let (bytes, stored) = row?;
        let stored: Stored = decode(stored.value())?;
        if stored.keep == Keep::Open {
            let receipt = receipts.get(&posting(bytes.value()))?.map(|found| decode(found.value())).transpose()?;
            open.push((key(bytes.value()), JobRecord { receipt, ..stored.record }));
        }
    }
    Ok(open)
}

/// Whether anything was ever written.
pub(super) fn is_empty(db: &Database) -> Result<bool, Error> {
    let transaction = db.begin_read()?;
    Ok(transaction.open_table(JOBS)?.is_empty()? && transaction.open_table(RECEIPTS)?.is_empty()?)
}

/// The number of this log, which it got when it was made.
pub(super) fn instance(db: &Database) -> Result<u64, Error> {
    let instance = db.begin_read()?.open_table(META)?.get("instance")?.map(|found| found.value());
    instance.ok_or_else(|| Error::Corrupted("it has no number of its own".to_owned()))
}

/// The receipt for the newest posting at an address.
pub(super) fn receipt(db: &Database, job: &Pubkey) -> Result<Option<SignedReceipt>, Error> {
    let bound = |posted_at| posting(&key_bytes(&JobKey { job: *job, posted_at, input_root: [0; 32] }));
    let receipts = db.begin_read()?.open_table(RECEIPTS)?;
    let last = receipts.range::<&PostingBytes>(&bound(0)..=&bound(u64::MAX))?.next_back();
    last.map(|row| decode(row?.1.value())).transpose()
}

/// The newest receipt.
pub(super) fn last_receipt(db: &Database) -> Result<Option<LastReceipt>, Error> {
    let transaction = db.begin_read()?;
    let at = transaction.open_table(META)?.get("last_receipt_at")?.map_or(0, |at| at.value());
    let order = transaction.open_table(RECEIPT_ORDER)?;
    let last = order.last()?.and_then(|(_, posting)| posting.value().first_chunk().copied());
    Ok(last.map(|job: [u8; 32]| LastReceipt { job: Pubkey::from(job).to_string(), at }))
}

/// The bonds that were lost, the newest first, and how many are remembered at most.
pub(super) fn lost_bonds(db: &Database) -> Result<Vec<LostBond>, Error> {
    let lost = db.begin_read()?.open_table(LOST)?;
    lost.iter()?.rev().map(|row| decode(row?.1.value())).collect()
}

fn restored(stored: &[u8], receipt: Option<SignedReceipt>) -> Result<JobRecord, Error> {
    let Stored { record, .. } = decode(stored)?;
    Ok(JobRecord { receipt, ..record })
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Corrupted(error.to_string()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Corrupted(error.to_string()))
}

fn key_bytes(key: &JobKey) -> KeyBytes {
    let mut bytes = [0; 72];
    bytes[..32].copy_from_slice(key.job.as_array());
    bytes[32..40].copy_from_slice(&key.posted_at.to_be_bytes());
    bytes[40..].copy_from_slice(&key.input_root);
    bytes
}

fn key(bytes: &KeyBytes) -> JobKey {
    let (mut job, mut posted_at, mut input_root) = ([0; 32], [0; 8], [0; 32]);
    job.copy_from_slice(&bytes[..32]);
    posted_at.copy_from_slice(&bytes[32..40]);
    input_root.copy_from_slice(&bytes[40..]);
    JobKey { job: Pubkey::from(job), posted_at: u64::from_be_bytes(posted_at), input_root }
}

fn posting(key: &KeyBytes) -> PostingBytes {
    let mut bytes = [0; 40];
    bytes.copy_from_slice(&key[..40]);
    bytes
}
