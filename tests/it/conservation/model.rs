//! What must be true after every instruction, in exact fractions and without a line of the programs' arithmetic.
//!
//! The model knows every wallet's balance to the lamport, rents included, and what each instruction must answer. A job's
//! royalty lands in an inbox of its asset's pool, a pool's revenue in its holders' wallets and in the pools that hold it:
//! money that the market moves is what the royalty program distributes.

use std::collections::{BTreeMap, BTreeSet};

use provena_common::error::CommonError;
use provena_market::error::MarketError;
use provena_registry::error::RegistryError;
use provena_royalty::error::RoyaltyError;
use provena_tests::tokens::TransferFee;

use super::{
    operation::{Act, Operation, Outside, Program},
    rents::rent,
};

mod answers;
mod assets;
mod collects;
mod jobs;
mod lineage;
mod market;
mod pools;
mod revenue;
mod seats;

pub(crate) use answers::{LONG, LONG_LEN, answer_rent};
pub(crate) use assets::{Asset, Claim};
pub(crate) use jobs::{FREE, Job, JobId, JobKey, Party, Seat, Stage, Step, Units};
pub(crate) use lineage::{Draft, Edge};
pub(crate) use market::{AnswerOnChain, Inbox as TreasuryInbox, Node, Offer, Residual, arriving};
pub(crate) use pools::{Holder, Lock, NewHolder, Pool};

/// SOL, an SPL token, and a Token-2022 token that takes [`FEE`] of each transfer.
pub(crate) const MINTS: usize = 3;
pub(crate) const SOL: usize = 0;
pub(crate) const FEE_MINT: usize = 2;
pub(crate) const FEE: TransferFee = TransferFee { bps: 130, most: 1_000_000 };

/// Wallets that hold shares and NFTs, pay for jobs, and whatever else; then those of nodes, then the first treasury.
pub(crate) const PEOPLE: usize = 5;
pub(crate) const NODES: usize = 6;
pub(crate) const WALLETS: usize = PEOPLE + NODES + 1;
/// Assets with their pools.
pub(crate) const POOLS: usize = 7;
/// What each wallet has of each money.
pub(crate) const START: u64 = 1 << 57;

/// How an instruction must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Common(CommonError),
    Registry(RegistryError),
    Royalty(RoyaltyError),
    Market(MarketError),
    /// A code of the runtime, a token program or Anchor.
    Code(u32),
    /// An account that is needed does not exist.
    Missing,
}

impl From<CommonError> for Refusal {
    fn from(error: CommonError) -> Self {
        Self::Common(error)
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<RoyaltyError> for Refusal {
    fn from(error: RoyaltyError) -> Self {
        Self::Royalty(error)
    }
}

impl From<MarketError> for Refusal {
    fn from(error: MarketError) -> Self {
        Self::Market(error)
    }
}

/// The System program's code for an account that exists already.
pub(crate) const EXISTS: Refusal = Refusal::Code(0);
/// The System program's and the token programs' code for too little.
pub(crate) const TOO_LITTLE: Refusal = Refusal::Code(1);
/// The token programs' code for a frozen account.
pub(crate) const FROZEN: Refusal = Refusal::Code(17);

pub(crate) type Answer<T = ()> = Result<T, Refusal>;

/// Fails with an error unless the condition holds.
pub(crate) fn demand(condition: bool, error: impl Into<Refusal>) -> Answer {
    if condition { Ok(()) } else { Err(error.into()) }
}

/// Who has a program's authority, and what is paused.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub authority: usize,
    /// Who is proposed, and from which slot it may accept.
    pub pending: Option<(usize, u64)>,
    pub paused: u32,
}

impl Control {
    pub(crate) fn check(&self, by: usize) -> Answer {
        demand(by == self.authority, CommonError::NotAuthority)
    }

    pub(crate) fn check_running(&self, bits: u32) -> Answer {
        demand(self.paused & bits == 0, CommonError::Paused)
    }
}

/// How often money went one step of its way from a job to those who hold shares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flows {
    /// From a job to an inbox of its asset's pool.
    pub royalties: usize,
    /// From the books of a pool to those of a pool that holds it.
    pub sweeps: usize,
    /// From books to a wallet.
    pub claims: usize,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub slot: u64,
    pub controls: BTreeMap<Program, Control>,
    /// What each wallet has.
    pub balances: Vec<[u64; MINTS]>,
    /// Wallets whose token account of a mint is frozen.
    pub frozen: BTreeSet<(usize, usize)>,

    /// Mints that may be paid in.
    pub allowed: [bool; MINTS],
    pub pools: Vec<Option<Pool>>,
    /// Resale royalties that wait in each pool's own account or its associated token account.
    pub resale: Vec<[u64; MINTS]>,

    pub assets: Vec<Option<Asset>>,
    /// Assets that are being put together.
    pub drafts: Vec<Option<Draft>>,
    /// Claims to content and when they were made.
    pub claims: BTreeMap<Claim, u64>,
    /// Content that is registered, with the asset and its version.
    pub contents: BTreeMap<u32, (usize, u32)>,

    pub protocol_bps: u16,
    pub min_stake: u64,
    pub treasury: usize,
    /// The treasury's inboxes by mint and shard.
    pub inboxes: BTreeMap<(usize, u8), TreasuryInbox>,
    /// Nodes by their authority's wallet.
    pub nodes: BTreeMap<usize, Node>,
    /// Offers by asset and number.
    pub offers: BTreeMap<(usize, u64), Offer>,
    pub jobs: BTreeMap<JobId, Job>,
    /// Answers on chain by job and poster; they may outlive the job.
    pub answers: BTreeMap<(JobId, usize), AnswerOnChain>,
    /// What could not be paid, by wallet and mint.
    pub residuals: BTreeMap<(usize, usize), Residual>,
    pub flows: Flows,
}

impl Model {
    /// Wallet 0 has every authority, all mints are allowed, nothing else exists.
    pub(crate) fn new(slot: u64, protocol_bps: u16, min_stake: u64) -> Self {
        let control = Control { authority: 0, pending: None, paused: 0 };
        Self {
            slot,
            controls: Program::ALL.map(|program| (program, control.clone())).into(),
            balances: vec![[START; MINTS]; WALLETS],
            frozen: BTreeSet::new(),
            allowed: [true; MINTS],
            pools: vec![None; POOLS],
            resale: vec![[0; MINTS]; POOLS],
            assets: vec![None; POOLS],
            drafts: vec![None; POOLS],
            claims: BTreeMap::new(),
            contents: BTreeMap::new(),
            protocol_bps,
            min_stake,
            treasury: WALLETS - 1,
            inboxes: BTreeMap::new(),
            nodes: BTreeMap::new(),
            offers: BTreeMap::new(),
            jobs: BTreeMap::new(),
            answers: BTreeMap::new(),
            residuals: BTreeMap::new(),
            flows: Flows::default(),
        }
    }

    /// Does it, or says why it must be refused and leaves everything as it is.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Outside(event) => self.happen(event),
            Operation::Authority { program, by, act } => self.exercise(*program, *by, act),
            Operation::Registry(instruction) => self.apply_registry(instruction),
            Operation::Royalty(instruction) => {
                // Some of these find out halfway.
                let before = (self.pools.clone(), self.resale.clone(), self.balances.clone());
                let answer = self.apply_royalty(instruction);
                if answer.is_err() {
                    (self.pools, self.resale, self.balances) = before;
                }
                answer
            }
            Operation::Market(instruction) => self.apply_market(instruction),
        }
    }

    fn happen(&mut self, event: &Outside) -> Answer {
        match *event {
            Outside::PassSlots(slots) => {
                self.slot += slots;
                self.pools.iter_mut().flatten().for_each(|pool| pool.release(self.slot));
            }
            Outside::Donate { pool, mint, amount } => self.pool_mut(pool)?.books_mut(mint)?.surplus += amount,
            Outside::PayInbox { pool, mint, shard, amount } => {
                let books = self.pool_mut(pool)?.books_mut(mint)?;
                books.inboxes.get_mut(shard).ok_or(Refusal::Missing)?.amount += amount;
            }
            Outside::PayResale { pool, mint, amount } => {
                self.pool_mut(pool)?;
                self.resale[pool][mint] += amount;
            }
            Outside::PayJob { job, tokens, amount } => {
                let job = self.jobs.get_mut(&job).ok_or(Refusal::Missing)?;
                demand(job.mint != SOL || !tokens, Refusal::Missing)?;
                let (lamports, sent) = if tokens { (0, amount) } else { (amount, 0) };
                job.gifts = (job.gifts.0 + lamports, job.gifts.1 + sent);
            }
            Outside::GiveNft { asset, to } => {
                let holder = self.pool_mut(asset)?.nft.as_mut().ok_or(Refusal::Missing)?;
                demand(*holder != to, Refusal::Missing)?;
                *holder = to;
            }
            Outside::Freeze { wallet, mint, frozen } => {
                if frozen {
                    self.frozen.insert((wallet, mint));
                } else {
                    self.frozen.remove(&(wallet, mint));
                }
            }
        }
        Ok(())
    }

    fn exercise(&mut self, program: Program, by: usize, act: &Act) -> Answer {
        let slot = self.slot;
        let control = self.controls.get_mut(&program).expect("each program has one");
        match *act {
            Act::ProposeAuthority(new) => {
                control.check(by)?;
                control.pending = Some((new, slot + 432_000));
            }
            Act::AcceptAuthority => {
                let proposed = control.pending.filter(|(proposed, _)| *proposed == by);
                let (_, from) = proposed.ok_or(CommonError::NoPendingAuthority)?;
                demand(slot >= from, CommonError::TimelockRunning)?;
                (control.authority, control.pending) = (by, None);
            }
            Act::CancelAuthority => {
                control.check(by)?;
                demand(control.pending.is_some(), CommonError::NoPendingAuthority)?;
                control.pending = None;
            }
            Act::SetPause(bits) => {
                // The royalty program can pause one thing, the others three.
                if program == Program::Royalty {
                    demand(bits < 2, RoyaltyError::WrongFlags)?;
                }
                control.check(by)?;
                match program {
                    Program::Registry => demand(bits < 8, RegistryError::UnknownPauseBits)?,
                    Program::Market => demand(bits < 8, MarketError::UnknownPauseBits)?,
                    Program::Royalty => {}
                }
                control.paused = bits;
            }
        }
        Ok(())
    }

    pub(crate) fn pool_mut(&mut self, pool: usize) -> Answer<&mut Pool> {
        self.pools[pool].as_mut().ok_or(Refusal::Missing)
    }

    /// The wallet that holds an asset's NFT.
    pub(crate) fn nft_holder(&self, asset: usize) -> Option<usize> {
        self.pools[asset].as_ref().and_then(|pool| pool.nft)
    }

    fn check_nft_holder(&self, asset: usize, by: usize) -> Answer {
        demand(self.nft_holder(asset) == Some(by), CommonError::NotNftHolder)
    }

    /// Whether a wallet can neither give nor take money of a mint.
    pub(crate) fn is_frozen(&self, wallet: usize, mint: usize) -> bool {
        mint != SOL && self.frozen.contains(&(wallet, mint))
    }

    fn spend(&mut self, wallet: usize, lamports: u64) {
        self.balances[wallet][SOL] -= lamports;
    }

    fn refund(&mut self, wallet: usize, lamports: u64) {
        self.balances[wallet][SOL] += lamports;
    }
}

/// What arrives of a transfer.
pub(crate) fn arrives(mint: usize, amount: u64) -> u64 {
    if mint == FEE_MINT { amount - FEE.of(amount) } else { amount }
}

/// Lamports that keep a token account of the mint alive; nothing for SOL.
pub(crate) fn vault_rent(mint: usize) -> u64 {
    match mint {
        SOL => 0,
        FEE_MINT => rent(178),
        _ => rent(165),
    }
}
