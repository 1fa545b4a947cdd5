//! A piece of paid work: its terms, its escrow and its progress.

use anchor_lang::prelude::*;

use crate::constants::{LAYOUT_VERSION, MAX_RETRIES, MAX_SLOTS};
use crate::error::MarketError;
use crate::fees::{Amount, Bps, Price, Split, Units};
use crate::state::{Config, Offer};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum JobState {
    /// At least one slot has no node. Ends by claims, by the payer's cancel, or past `expires_at` by `timeout_job`.
    Open = 1,
    /// Every slot has a node and at least one has yet to commit. Ends by commits or by `timeout_claim`.
    Claimed = 2,
    /// Every slot has committed and none has revealed. Ends by reveals or by `timeout_claim`.
    Committed = 3,
    /// Some have revealed. Ends by the other reveals or by `timeout_claim`.
    Revealed = 4,
    /// Every slot has revealed or missed its time: `settle` when a quorum agrees, `timeout_job` when none does.
    Final = 5,
    /// Paid. Ends by `close_job`.
    Settled = 6,
    /// Cancelled by the payer and refunded. Ends by `close_job`.
    Cancelled = 7,
    /// A deadline was missed and no retry is left: `timeout_job` refunds.
    TimedOut = 8,
    /// Refunded without a result. Ends by `close_job`.
    Refunded = 9,
}

impl JobState {
    /// Whether the deposit has left the escrow.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Settled | Self::Cancelled | Self::Refunded)
    }
}

impl TryFrom<u8> for JobState {
    type Error = MarketError;

    fn try_from(value: u8) -> core::result::Result<Self, MarketError> {
        Ok(match value {
            1 => Self::Open,
            2 => Self::Claimed,
            3 => Self::Committed,
            4 => Self::Revealed,
            5 => Self::Final,
            6 => Self::Settled,
            7 => Self::Cancelled,
            8 => Self::TimedOut,
            9 => Self::Refunded,
            _ => return Err(MarketError::Invariant),
        })
    }
}

/// A job, at `pda::job`. For SOL its lamports above rent are the escrow.
///
/// Everything that settlement needs is copied in when it is posted, so that later changes of the offer, the config or
/// the asset cannot reach it.
#[account]
pub struct Job {
    /// The offer it was posted on.
    pub offer: Address,
    /// Who paid, and receives the refund and the rent.
    pub payer: Address,
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// The asset's royalty pool.
    pub pool: Address,
    /// The pool's account for `mint`.
    pub pool_mint: Address,
    /// The token account of `pool_mint`; zeros for SOL.
    pub vault: Address,
    /// What the job is paid in; zeros for SOL.
    pub mint: Address,
    /// Wallet of the protocol's fee.
    pub treasury: Address,
    /// Content root of the artifact to run.
    pub content_root: [u8; 32],
    /// Recipe root of the artifact.
    pub recipe_root: [u8; 32],
    /// `Offer::terms_hash`.
    pub terms_hash: [u8; 32],
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// The agreed result; zeros until settled.
    pub result_root: [u8; 32],
    /// Authorities of the nodes that hold the slots; zeros where none does. A node that missed its reveal stays named.
    pub nodes: [Address; MAX_SLOTS],
    /// Distinguishes a payer's jobs on one offer.
    pub nonce: u64,
    /// Base units of the mint for one unit of work.
    pub price_per_unit: u64,
    /// Base units in escrow until the job ends.
    pub deposit: u64,
    /// Lamports of stake a claim holds.
    pub bond: u64,
    /// Least stake of a node that may claim.
    pub min_stake: u64,
    /// Solana slot of posting.
    pub posted_at: u64,
    /// Last Solana slot in which a slot may be claimed.
    pub expires_at: u64,
    /// Last Solana slot for reveals; 0 until every slot has committed.
    pub reveal_deadline: u64,
    /// What the nodes got; 0 until settled.
    pub paid_nodes: u64,
    /// What the royalty pool got; 0 until settled.
    pub paid_royalty: u64,
    /// What the treasury got; 0 until settled.
    pub paid_protocol: u64,
    /// What the payer got back; 0 until the job ended.
    pub refunded: u64,
    /// Solana slots from a claim to its commit.
    pub commit_window: u32,
    /// Solana slots from the last commit to the last reveal.
    pub reveal_window: u32,
    /// Most units the deposit pays for.
    pub max_units: u32,
    /// Units settled; 0 until then.
    pub units_used: u32,
    /// The royalty pool's share of the fee.
    pub royalty_bps: u16,
    /// The protocol's share of the fee.
    pub protocol_fee_bps: u16,
    /// A [`JobState`].
    pub state: u8,
    /// Nodes wanted, n.
    pub slots: u8,
    /// Nodes that must agree, m.
    pub quorum: u8,
    /// Slot accounts that exist.
    pub live: u8,
    /// Of these, how many have committed or revealed.
    pub committed: u8,
    /// Of these, how many have revealed.
    pub revealed: u8,
    /// Slots whose node did not reveal in time although another did; they stay empty.
    pub missed: u8,
    /// Times the job went back to `Open`.
    pub retries: u8,
    /// `provena_arith::receipt::ENGINE_CLASS_INT_V1`.
    pub engine_class: u8,
    /// `LAYOUT_VERSION`.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Bump of the escrow's address; 0 for SOL.
    pub escrow_bump: u8,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(core::mem::size_of::<Job>() == 800);

/// What a new job is made of.
pub struct Terms<'a> {
    /// The market's settings at posting.
    pub config: &'a Config,
    /// The offer.
    pub offer: &'a Offer,
    /// The offer's address.
    pub offer_address: Address,
    /// Who pays.
    pub payer: Address,
    /// Distinguishes the payer's jobs.
    pub nonce: u64,
    /// Content root of the request.
    pub input_root: [u8; 32],
    /// Most units.
    pub units: Units,
    /// Now.
    pub slot: u64,
}

impl Job {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Fills an empty job. Errors: `Overflow`, `BpsTooHigh` when royalty and protocol fee exceed the whole.
    pub fn open(&mut self, terms: Terms<'_>) -> Result<()> {
        let Terms { config, offer, offer_address, payer, nonce, input_root, units, slot } = terms;
        self.offer = offer_address;
        self.payer = payer;
        self.asset = offer.asset;
        self.pool = offer.pool;
        self.pool_mint = offer.pool_mint;
        self.vault = offer.vault;
        self.mint = offer.mint;
        self.treasury = config.treasury;
        self.content_root = offer.content_root;
        self.recipe_root = offer.recipe_root;
        self.terms_hash = offer.terms_hash;
        self.input_root = input_root;
        self.cluster = config.cluster;
        self.nonce = nonce;
        self.price_per_unit = offer.price_per_unit;
        self.deposit = Amount(offer.price_per_unit).times(units)?.0;
        self.bond = offer.bond_lamports;
        self.min_stake = config.min_stake;
        self.posted_at = slot;
        self.expires_at = slot.checked_add(u64::from(offer.open_window)).ok_or(MarketError::Overflow)?;
        self.commit_window = offer.commit_window;
        self.reveal_window = offer.reveal_window;
        self.max_units = units.0;
        self.royalty_bps = offer.royalty_bps;
        self.protocol_fee_bps = config.protocol_fee_bps;
        self.state = JobState::Open as u8;
        self.slots = offer.slots;
        self.quorum = offer.quorum;
        self.engine_class = offer.engine_class;
        self.version = LAYOUT_VERSION;
        // Settlement must not be able to fail on the shares.
        crate::fees::split(self.price(), units)?;
        Ok(())
    }

    /// The state. Errors: `Invariant` for a byte that is none.
    pub fn state(&self) -> core::result::Result<JobState, MarketError> {
        JobState::try_from(self.state)
    }

    /// Whether the escrow holds lamports.
    pub fn is_native(&self) -> bool {
        self.mint == Address::default()
    }

    /// What the job was sold for.
    pub fn price(&self) -> Price {
        Price {
            per_unit: Amount(self.price_per_unit),
            deposit: Amount(self.deposit),
            royalty: Bps(self.royalty_bps),
            protocol: Bps(self.protocol_fee_bps),
        }
    }

    /// Gives slot `index` to `authority`. Errors: `WrongState`, `JobExpired`, `SlotOutOfRange`, `SlotTaken`,
    /// `DuplicateNode`.
    pub fn claim(&mut self, index: u8, authority: Address, now: u64) -> Result<()> {
        require!(index < self.slots, MarketError::SlotOutOfRange);
        let nobody = Address::default();
        let taken = self.nodes.get(usize::from(index)).ok_or(MarketError::SlotOutOfRange)?;
        require!(*taken == nobody, MarketError::SlotTaken);
        require!(self.state()? == JobState::Open, MarketError::WrongState);
        require!(now <= self.expires_at, MarketError::JobExpired);
        require!(!self.nodes.contains(&authority), MarketError::DuplicateNode);
        *self.nodes.get_mut(usize::from(index)).ok_or(MarketError::SlotOutOfRange)? = authority;
        self.live = self.live.saturating_add(1);
        if self.live == self.slots {
            self.state = JobState::Claimed as u8;
        }
        Ok(())
    }

    /// Counts a commit; after the last one the time to reveal begins. Errors: `WrongState`, `Overflow`.
    pub fn commit(&mut self, now: u64) -> Result<()> {
        let state = self.state()?;
        require!(matches!(state, JobState::Open | JobState::Claimed), MarketError::WrongState);
        self.committed = self.committed.saturating_add(1);
        if self.committed == self.slots {
            self.begin_reveal(now)?;
        }
        Ok(())
    }

    /// Counts a reveal. Nobody may reveal before everybody has committed. Errors: `WrongState`, `DeadlinePassed`.
    pub fn reveal(&mut self, now: u64) -> Result<()> {
        require!(matches!(self.state()?, JobState::Committed | JobState::Revealed), MarketError::WrongState);
        require!(now <= self.reveal_deadline, MarketError::DeadlinePassed);
        self.revealed = self.revealed.saturating_add(1);
        self.state = JobState::Revealed as u8;
        self.finish_if_complete();
        Ok(())
    }

    /// Ends a claim whose commit is late: the slot is free again, or the job is over after too many retries.
    pub fn miss_commit(&mut self, index: u8) -> Result<()> {
        self.free(index)
    }

    /// Ends a claim whose reveal is late. While nothing is revealed the slot is free again; once something is, a new
    /// node could copy it, so the slot stays empty.
    pub fn miss_reveal(&mut self, index: u8) -> Result<()> {
        self.committed = self.committed.checked_sub(1).ok_or(MarketError::Invariant)?;
        if self.revealed == 0 {
            return self.free(index);
        }
        self.live = self.live.checked_sub(1).ok_or(MarketError::Invariant)?;
        self.missed = self.missed.saturating_add(1);
        self.finish_if_complete();
        Ok(())
    }

    /// Records the settlement.
    pub fn settle(&mut self, result_root: [u8; 32], used: Units, split: Split) {
        self.result_root = result_root;
        self.units_used = used.0;
        self.paid_nodes = split.nodes.0;
        self.paid_royalty = split.royalty.0;
        self.paid_protocol = split.protocol.0;
        self.end(JobState::Settled, split.refund);
    }

    /// Records an end, after which no slot account exists.
    pub fn end(&mut self, state: JobState, refund: Amount) {
        self.refunded = refund.0;
        self.live = 0;
        self.state = state as u8;
    }

    /// Checks what must hold after every write.
    pub fn invariant(&self) -> Result<()> {
        let state = self.state()?;
        let filled = self.live.checked_add(self.missed).ok_or(MarketError::Invariant)?;
        let sound = self.version == LAYOUT_VERSION
            && (state.is_terminal() || (self.revealed <= self.committed && self.committed <= self.live))
            && filled <= self.slots
            && self.retries <= MAX_RETRIES;
        require!(sound, MarketError::Invariant);
        if state.is_terminal() {
            let out = [self.paid_royalty, self.paid_protocol, self.refunded]
                .into_iter()
                .try_fold(Amount(self.paid_nodes), |sum, part| sum.plus(Amount(part)))?;
            require!(out.0 == self.deposit, MarketError::Invariant);
        }
        Ok(())
    }

    fn begin_reveal(&mut self, now: u64) -> Result<()> {
        self.reveal_deadline = now.checked_add(u64::from(self.reveal_window)).ok_or(MarketError::Overflow)?;
        self.state = JobState::Committed as u8;
        Ok(())
    }

    fn finish_if_complete(&mut self) {
        if self.revealed == self.live {
            self.state = JobState::Final as u8;
        }
    }

    fn free(&mut self, index: u8) -> Result<()> {
        let holder = self.nodes.get_mut(usize::from(index)).ok_or(MarketError::SlotOutOfRange)?;
        *holder = Address::default();
        self.live = self.live.checked_sub(1).ok_or(MarketError::Invariant)?;
        self.reveal_deadline = 0;
        if self.retries < MAX_RETRIES {
            self.retries = self.retries.saturating_add(1);
            self.state = JobState::Open as u8;
        } else {
            self.state = JobState::TimedOut as u8;
        }
        Ok(())
    }
}
