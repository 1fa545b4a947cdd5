//! A job opens with its terms.

use anchor_lang::prelude::*;
use provena_arith::{domain, hash::sha256};
use provena_common::slot::Slot;

use super::{Job, JobState, flag};
use crate::{
    constants::{MAX_SEATS, NONCE_AGE},
    error::MarketError,
    fees::{Amount, Prices, Work},
    state::{STATE_VERSION, Seat},
};

/// What names a job's terms: the offer's, and what payer and market added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobTerms<'a> {
    /// Address of the offer.
    pub offer: &'a Address,
    /// The offer's own terms hash.
    pub offer_terms: &'a [u8; 32],
    /// Who pays.
    pub payer: &'a Address,
    /// Content root of the request's bytes.
    pub input_root: &'a [u8; 32],
    /// The most work that is asked for.
    pub most: Work,
    /// The protocol's share of the fee, in basis points.
    pub protocol_bps: u16,
    /// Genesis hash of the cluster.
    pub cluster: &'a [u8; 32],
}

impl JobTerms<'_> {
    /// SHA-256 over the domain and the fields in order, integers little endian.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[
            domain::JOB_TERMS,
            self.offer.as_ref(),
            self.offer_terms,
            self.payer.as_ref(),
            self.input_root,
            &self.most.input.0.to_le_bytes(),
            &self.most.output.0.to_le_bytes(),
            &self.protocol_bps.to_le_bytes(),
            self.cluster,
        ])
    }
}

/// What a new job is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting<'a> {
    /// What names its terms.
    pub terms: JobTerms<'a>,
    /// What it is paid in; zeros for SOL.
    pub mint: Address,
    /// The royalty pool's books for that mint.
    pub books: Address,
    /// Prices and shares.
    pub prices: Prices,
    /// Lamports of stake that a seat locks.
    pub bond: Amount,
    /// Least stake of a node.
    pub min_stake: Amount,
    /// Slots in which seats may be taken.
    pub open_window: u32,
    /// Slots from taking a seat to its commitment.
    pub commit_window: u32,
    /// Slots for reveals.
    pub reveal_window: u32,
    /// Seats that must agree.
    pub quorum: u8,
    /// Whether seats go to whoever takes them first.
    pub first_come: bool,
    /// First part of the nonce.
    pub nonce_slot: Slot,
    /// Second part of the nonce.
    pub nonce_index: u16,
}

impl Job {
    /// Fills an empty job, whose seats are free. `deposit` is what arrived in escrow.
    ///
    /// A payer's nonces never come back: `nonce_slot` is at most 150 slots old here, and no job closes before 151 slots
    /// after it.
    ///
    /// # Errors
    /// `WrongNonce` outside of those 150 slots, `ZeroUnits`, `BadQuorum`, `DepositTooSmall` below the price of the most
    /// work, `Overflow`.
    pub fn post(&mut self, seats: &[Seat], posting: &Posting<'_>, deposit: Amount, now: Slot) -> Result<()> {
        let (prices, most) = (posting.prices, posting.terms.most);
        let fresh = posting.nonce_slot <= now && now.since(posting.nonce_slot) <= NONCE_AGE;
        require!(fresh, MarketError::WrongNonce);
        require!(!most.is_zero(), MarketError::ZeroUnits);
        let quorum = usize::from(posting.quorum);
        // A strict majority: two results can then never both reach the quorum.
        let majority = quorum.saturating_mul(2) > seats.len();
        require!(majority && quorum <= seats.len() && seats.len() <= MAX_SEATS, MarketError::BadQuorum);
        require!(deposit >= prices.fee(most)?, MarketError::DepositTooSmall);
        self.payer = *posting.terms.payer;
        self.offer = *posting.terms.offer;
        self.mint = posting.mint;
        self.books = posting.books;
        self.terms_hash = posting.terms.hash();
        self.input_root = *posting.terms.input_root;
        self.nonce_slot = posting.nonce_slot.0;
        self.base_price = prices.base.0;
        self.input_price = prices.input.0;
        self.output_price = prices.output.0;
        self.least_royalty = prices.least_royalty.0;
        self.deposit = deposit.0;
        self.bond = posting.bond.0;
        self.min_stake = posting.min_stake.0;
        self.posted_at = now.0;
        self.open_until = now.after(u64::from(posting.open_window))?.0;
        self.max_input = most.input.0;
        self.max_output = most.output.0;
        self.commit_window = posting.commit_window;
        self.reveal_window = posting.reveal_window;
        self.nonce_index = posting.nonce_index;
        self.royalty_bps = prices.royalty.get();
        self.protocol_bps = prices.protocol.get();
        self.state = JobState::Open as u8;
        self.quorum = posting.quorum;
        self.flags = if posting.first_come { flag::FIRST_COME } else { 0 };
        self.version = STATE_VERSION;
        Ok(())
    }
}
