//! Why a stranger's blob is taken: a job on the chain that names it, or a wallet that signed for it. Nothing is taken without
//! a reason, and every reason costs whoever gives it something that he cannot multiply at will.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use provena_client::chain::ChainError;
use provena_client::store::Root;
use provena_client::view::JobView;
use provena_wire::Upload;
use provena_wire::upload::{JOB_HEADER, SIGNATURE_HEADER, SLOT_HEADER, UPLOAD_SLOTS, WALLET_HEADER};
use solana_pubkey::Pubkey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Api;
use super::connections::party;
use super::rate::Buckets;
use super::refused::Refused;
use super::server::Remote;

/// Lamports that a wallet must have: about the rent of a job.
const LEAST_BALANCE: u64 = 5_000_000;

/// Uploads of one address at once, and then in each second; each may ask the chain once.
const ADDRESS_RATE: (u32, u32) = (256, 64);

/// Uploads of one wallet at once, and then in each second.
const WALLET_RATE: (u32, u32) = (32, 4);

/// Questions to the chain that wait at the same time.
const MOST_QUESTIONS: usize = 8;

/// Uploads that arrive at the same time, in all and from one address.
const MOST_AT_ONCE: usize = 64;
const MOST_OF_ONE: usize = 8;

/// Jobs and wallets of which is remembered what the chain said.
const MOST_KNOWN: usize = 4_096;

/// How long a good answer of the chain holds, and a bad one: a job may have been posted a moment ago.
const GOOD_FOR: Duration = Duration::from_secs(30);
const BAD_FOR: Duration = Duration::from_secs(2);

/// What to send; for people.
const WHAT_TO_SEND: &str = "an upload needs a reason: send provena-job with the address of a job on the chain whose input \
                            this is, or provena-wallet, provena-slot and provena-signature over the upload";

/// Why a blob is taken, and for which wallet it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// A job of this payer's names it.
    Job { payer: Pubkey },
    /// This wallet signed for it.
    Wallet(Pubkey),
}

/// What the headers claim.
pub(super) enum Claim {
    Job(Pubkey),
    Wallet { wallet: Pubkey, slot: u64, signature: String },
}

/// Who uploads what, and how much.
pub(crate) struct Uploads {
    addresses: Buckets<IpAddr>,
    wallets: Buckets<Pubkey>,
    questions: Semaphore,
    at_once: Arc<Semaphore>,
    of_one: Mutex<HashMap<IpAddr, usize>>,
    /// The input and the payer of a job that has not ended.
    jobs: Answers<Option<(Root, Pubkey)>>,
    /// Whether a wallet has what a job takes.
    balances: Answers<bool>,
    /// Whether limits hold for each address.
    by_address: bool,
}

/// A place among the uploads that arrive now. Dropping it gives it to others.
pub(super) struct Arriving<'a> {
    uploads: &'a Uploads,
    party: IpAddr,
    _place: OwnedSemaphorePermit,
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        let mut of_one = self.uploads.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_one.get_mut(&self.party) {
            *count -= 1;
            if *count == 0 {
                of_one.remove(&self.party);
            }
        }
    }
}

impl Uploads {
    /// `by_address`: whether limits hold for each address, which they cannot behind a proxy.
    pub(crate) fn new(by_address: bool) -> Self {
        Self {
            addresses: Buckets::new(ADDRESS_RATE.0, ADDRESS_RATE.1),
            wallets: Buckets::new(WALLET_RATE.0, WALLET_RATE.1),
            questions: Semaphore::new(MOST_QUESTIONS),
            at_once: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            of_one: Mutex::default(),
            jobs: Answers::default(),
            balances: Answers::default(),
            by_address,
        }
    }

    /// Whether an address may ask again.
    pub(super) fn may_ask(&self, remote: Remote) -> Result<(), Refused> {
        if !self.by_address {
            return Ok(());
        }
        let too_often = |seconds| later(StatusCode::TOO_MANY_REQUESTS, seconds, "too many uploads from this address");
        self.addresses.take(party(remote.0)).map_err(too_often)
    }

    /// A place for an upload that is about to arrive.
    pub(super) fn arrive(&self, remote: Remote) -> Result<Arriving<'_>, Refused> {
        let busy = |words: &str| later(StatusCode::SERVICE_UNAVAILABLE, 1, words);
        let place = Arc::clone(&self.at_once).try_acquire_owned();
        let place = place.map_err(|_| busy("too many uploads at this moment"))?;
        let party = party(remote.0);
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_one.entry(party).or_default();
        if self.by_address && *count >= MOST_OF_ONE {
            return Err(busy("too many uploads from this address at this moment"));
        }
        *count += 1;
        Ok(Arriving { uploads: self, party, _place: place })
    }
}

fn later(status: StatusCode, seconds: u64, words: &str) -> Refused {
    Refused::later(status, seconds, format!("{words}; try again in {seconds} s"))
}

impl Claim {
    /// What the headers claim.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        let unauthorized = || Refused::new(StatusCode::UNAUTHORIZED, WHAT_TO_SEND);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(job) = text(JOB_HEADER) {
            return job.parse().map(Self::Job).map_err(|_| unauthorized());
        }
        let (wallet, slot, signature) = (text(WALLET_HEADER), text(SLOT_HEADER), text(SIGNATURE_HEADER));
        let (Some(wallet), Some(slot), Some(signature)) = (wallet, slot, signature) else { return Err(unauthorized()) };
        let (Ok(wallet), Ok(slot)) = (wallet.parse(), slot.parse()) else { return Err(unauthorized()) };
        Ok(Self::Wallet { wallet, slot, signature: signature.to_owned() })
    }
}

impl Api {
    /// Whether what the headers claim is so.
    pub(super) async fn reason(&self, claim: &Claim, root: &Root, len: u64) -> Result<Reason, Refused> {
        match claim {
            Claim::Job(job) => self.reason_of_job(job, root).await,
            Claim::Wallet { wallet, slot, signature } => {
                self.reason_of_wallet(wallet, *slot, signature, root, len).await
            }
        }
    }

    async fn reason_of_job(&self, job: &Pubkey, root: &Root) -> Result<Reason, Refused> {
        let forbidden = |words: &str| Refused::new(StatusCode::FORBIDDEN, words);
        let known = match self.uploads.jobs.get(job) {
            Some(known) => known,
            None => {
                let found = self.ask(self.chain.account(job)).await?;
                let view = found.and_then(|account| JobView::decode(job, &account).ok());
                let view = view.filter(|view| view.state().is_ok_and(|state| !state.is_ended()));
                let known = view.map(|view| (view.job.input_root, view.job.payer));
                self.uploads.jobs.insert(*job, known, known.is_some());
                known
            }
        };
        match known {
            None => Err(forbidden("there is no such job in progress; post it first, or wait until this node sees it")),
            Some((input, _)) if input != *root => Err(forbidden("the job's input is another blob")),
            Some((_, payer)) => Ok(Reason::Job { payer }),
        }
    }

    async fn reason_of_wallet(
        &self,
        wallet: &Pubkey,
        slot: u64,
        signature: &str,
        root: &Root,
        len: u64,
    ) -> Result<Reason, Refused> {
        let unauthorized = |words: String| Refused::new(StatusCode::UNAUTHORIZED, words);
        let cluster = *self.cluster.get().ok_or_else(not_yet)?;
        let upload = Upload { cluster, node: self.me.to_bytes(), root: *root, len, slot };
        // A signature is checked before anything is counted against the wallet: nobody uses up another's share.
        if !upload.is_signed_by(wallet.as_array(), signature) {
            let words = "the signature is not this wallet's over this upload: the cluster's genesis hash, this node, the \
                         blob's root and length, and the slot";
            return Err(unauthorized(words.to_owned()));
        }
        let now = self.chain.health().slot;
        if !upload.is_fresh(now) {
            let words = format!("the slot {slot} is not within {UPLOAD_SLOTS} of this node's, {now}; sign anew");
            return Err(unauthorized(words));
        }
        let too_often = |seconds| later(StatusCode::TOO_MANY_REQUESTS, seconds, "too many uploads of this wallet");
        self.uploads.wallets.take(*wallet).map_err(too_often)?;
        let enough = match self.uploads.balances.get(wallet) {
            Some(enough) => enough,
            None => {
                let found = self.ask(self.chain.account(wallet)).await?;
                let enough = found.is_some_and(|account| account.lamports >= LEAST_BALANCE);
                self.uploads.balances.insert(*wallet, enough, enough);
                enough
            }
        };
        if !enough {
            let words = format!("the wallet has less than {LEAST_BALANCE} lamports, which a job takes");
            return Err(Refused::new(StatusCode::FORBIDDEN, words));
        }
        Ok(Reason::Wallet(*wallet))
    }

    /// Asks the chain, a few at a time.
    async fn ask<T>(&self, question: impl Future<Output = Result<T, ChainError>>) -> Result<T, Refused> {
        let _place = self.uploads.questions.acquire().await.map_err(|_| not_yet())?;
        question.await.map_err(|error| {
            tracing::debug!(%error, "an upload's reason cannot be checked");
            not_yet()
        })
    }
}

fn not_yet() -> Refused {
    later(StatusCode::SERVICE_UNAVAILABLE, 5, "this node does not reach its chain")
}

/// What the chain said a moment ago.
#[derive(Debug)]
struct Answers<T>(Mutex<HashMap<Pubkey, (T, Instant)>>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Copy> Answers<T> {
    fn get(&self, of: &Pubkey) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(of).filter(|(_, until)| Instant::now() < *until).map(|(answer, _)| *answer)
    }

    fn insert(&self, of: Pubkey, answer: T, good: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(of, (answer, Instant::now() + if good { GOOD_FOR } else { BAD_FOR }));
    }
}
