//! Why a stranger's blob is taken: a job on the chain that names it, or a wallet that signed for it. Nothing is taken without
//! a reason, and every reason costs whoever gives it something that he cannot multiply at will.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use provena_client::amount::Currency;
use provena_client::store::Root;
use provena_client::view::JobView;
use provena_wire::Upload;
use provena_wire::upload::{JOB_HEADER, SIGNATURE_HEADER, SLOT_HEADER, UPLOAD_SLOTS, WALLET_HEADER};
use solana_pubkey::Pubkey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Api;
use super::connections::party;
use super::known::{Known, Questions, cut_off};
use super::rate::Buckets;
use super::refused::Refused;
use super::server::Remote;
use super::shares::{Share, Shares};

/// Lamports that a wallet must have: about the rent of a job.
const LEAST_BALANCE: u64 = 5_000_000;

/// Uploads of one address at once, and then in each second; each may ask the chain once.
const ADDRESS_RATE: (u32, u32) = (256, 64);

/// Uploads of one wallet at once, and then in each second.
const WALLET_RATE: (u32, u32) = (64, 8);

/// Questions to the chain that wait at the same time.
const MOST_QUESTIONS: usize = 8;

/// Uploads that arrive at the same time, in all and from one address.
const MOST_AT_ONCE: usize = 64;
const MOST_OF_ONE: usize = 8;

/// How long a good answer of the chain holds, and a bad one: a job may have been posted a moment ago.
const GOOD_FOR: Duration = Duration::from_secs(30);
const BAD_FOR: Duration = Duration::from_secs(2);

/// What to send; for people.
const WHAT_TO_SEND: &str = "an upload needs a reason: send provena-job with the address of a job on the chain whose input \
                            this is, or provena-wallet, provena-slot and provena-signature over the upload";

/// What to leave out; for people.
const ONE_REASON: &str = "an upload has one reason: send provena-job, or provena-wallet, provena-slot and \
                          provena-signature, not both, and each once";

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
    questions: Questions,
    at_once: Arc<Semaphore>,
    of_one: Arc<Shares>,
    /// The input and the payer of a job that has not ended.
    jobs: Known<Option<(Root, Pubkey)>>,
    /// Whether a wallet has what a job takes.
    balances: Known<bool>,
    /// Whether limits hold for each address.
    by_address: bool,
}

/// A place among the uploads that arrive now. Dropping it gives it to others.
#[derive(Debug)]
pub(super) struct Arriving {
    _share: Share,
    _place: OwnedSemaphorePermit,
}

impl Uploads {
    /// `by_address`: whether limits hold for each address, which they cannot behind a proxy.
    pub(crate) fn new(by_address: bool) -> Self {
        Self {
            addresses: Buckets::new(ADDRESS_RATE.0, ADDRESS_RATE.1),
            wallets: Buckets::new(WALLET_RATE.0, WALLET_RATE.1),
            questions: Questions::new(MOST_QUESTIONS),
            at_once: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            of_one: Shares::new(if by_address { MOST_OF_ONE } else { 0 }),
            jobs: Known::default(),
            balances: Known::default(),
            by_address,
        }
    }

    /// Whether an address may ask again.
    pub(super) fn may_ask(&self, remote: Remote) -> Result<(), Refused> {
        if !self.by_address {
            return Ok(());
        }
        let too_often = |seconds| Refused::too_often(seconds, "too many uploads from this address");
        self.addresses.take(party(remote.0)).map_err(too_often)
    }

    /// A place for an upload that is about to arrive.
    pub(super) fn arrive(&self, remote: Remote) -> Result<Arriving, Refused> {
        let place = Arc::clone(&self.at_once).try_acquire_owned();
        let place = place.map_err(|_| Refused::busy(1, "too many uploads at this moment"))?;
        let share = self.of_one.take(party(remote.0));
        let share = share.ok_or_else(|| Refused::busy(1, "too many uploads from this address at this moment"))?;
        Ok(Arriving { _share: share, _place: place })
    }
}

impl Claim {
    /// What the headers claim: one reason, and each part of it once. Of two that differ neither is believed.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        const SIGNED: [&str; 3] = [WALLET_HEADER, SLOT_HEADER, SIGNATURE_HEADER];
        let unauthorized = || Refused::new(StatusCode::UNAUTHORIZED, WHAT_TO_SEND);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let often = |name: &str| headers.get_all(name).iter().count();
        let contradicts = often(JOB_HEADER) > 0 && SIGNED.iter().any(|name| often(name) > 0);
        if contradicts || often(JOB_HEADER) > 1 || SIGNED.iter().any(|name| often(name) > 1) {
            return Err(Refused::new(StatusCode::BAD_REQUEST, ONE_REASON));
        }
        if let Some(job) = text(JOB_HEADER) {
            return job.parse().map(Self::Job).map_err(|_| unauthorized());
        }
        let [Some(wallet), Some(slot), Some(signature)] = SIGNED.map(text) else { return Err(unauthorized()) };
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
                let found = self.uploads.questions.ask(self.chain.account(job)).await?;
                let view = found.and_then(|account| JobView::decode(job, &account).ok());
                let view = view.filter(|view| view.state().is_ok_and(|state| !state.is_ended()));
                let known = view.map(|view| (view.job.input_root, view.job.payer));
                self.uploads.jobs.insert(*job, known, lasting(known.is_some()));
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
        let cluster = *self.cluster.get().ok_or_else(cut_off)?;
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
        let too_often = |seconds| Refused::too_often(seconds, "too many uploads of this wallet");
        self.uploads.wallets.take(*wallet).map_err(too_often)?;
        let enough = match self.uploads.balances.get(wallet) {
            Some(enough) => enough,
            None => {
                let found = self.uploads.questions.ask(self.chain.account(wallet)).await?;
                let enough = found.is_some_and(|account| account.lamports >= LEAST_BALANCE);
                self.uploads.balances.insert(*wallet, enough, lasting(enough));
                enough
            }
        };
        if !enough {
            let least = Currency::sol().show(LEAST_BALANCE);
            let words = format!("the wallet has less than {least}, which a job takes");
            return Err(Refused::new(StatusCode::FORBIDDEN, words));
        }
        Ok(Reason::Wallet(*wallet))
    }
}

/// How long an answer of the chain holds.
fn lasting(good: bool) -> Duration {
    if good { GOOD_FOR } else { BAD_FOR }
}
