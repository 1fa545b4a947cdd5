//! Why a job is not taken. Every reason has a name, which the log and the metrics use.

use provena_client::amount::Currency;
use provena_client::chain::ChainError;
use provena_client::store::StoreError;
use provena_market::fees::Work;
use provena_wire::Units;
use solana_pubkey::Pubkey;

use crate::blobs::NoRoom;
use crate::compute::ComputeError;
use crate::readiness::Reason;
use crate::tasks::pace::TooLong;

/// A job is left alone. Nothing was staked or sent.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another arithmetic than this engine's.
    #[error("the job wants engine class {0}, this node has int-v1 only")]
    EngineClass(u8),
    /// A model that the node's operator did not choose.
    #[error("this node does not serve the model {0}")]
    NotServed(Pubkey),
    /// The job's offer does not say what to compute.
    #[error("the job was posted for other terms than its offer's, or the offer is closed")]
    OfferChanged,
    /// Too much at stake.
    #[error("the terms are too risky: a bond of {}, this node stakes at most {}", sol(.bond), sol(.most))]
    Bond {
        /// In the job.
        bond: u64,
        /// The operator's limit.
        most: u64,
    },
    /// Too little time.
    #[error("the terms are too risky: a window of {window} slots, the least is {least}")]
    ShortWindow {
        /// The shorter one of the job's.
        window: u64,
        /// The operator's limit.
        least: u32,
    },
    /// Too much time in which others can hold the bond.
    #[error("the terms are too risky: windows of {windows} slots together, the most is {most}")]
    LongWindows {
        /// The job's together.
        windows: u64,
        /// The operator's limit.
        most: u64,
    },
    /// A mint for which the operator has set no rate.
    #[error("this node takes no payment in {0}: its operator has set no rate for that mint")]
    NoRate(Pubkey),
    /// It would cost more than it brings.
    #[error(
        "for {} this node is paid {}, and it takes no less than {}: its transactions and the time of its bond",
        units(.work),
        sol(.pay),
        sol(.least)
    )]
    Pay {
        /// For which work: the most that the terms allow, or the least that the request can be.
        work: Work,
        /// What this node would get, in lamports.
        pay: u64,
        /// What it must be.
        least: u64,
    },
    /// As many jobs are looked at as may be.
    #[error("the node looks at {0} jobs, which is as many as it does at the same time; this one comes later")]
    Crowded(usize),
    /// Every place is taken.
    #[error("the node has {0} jobs in progress, which is its limit")]
    Jobs(usize),
    /// One payer has his part.
    #[error(
        "the jobs of this payer hold as much of the node as one payer may: {0} % of its stake and places; answers that he has not fetched count"
    )]
    Payer(u64),
    /// One offer has its part.
    #[error("the jobs of this offer hold as much of the node as one offer may: {0} % of its stake and places")]
    Offer(u64),
    /// Jobs that wait for other nodes have their part.
    #[error("jobs that wait for other nodes hold as much of the node as they may: {0} % of its stake and places")]
    Waiting(u64),
    /// Others did not come too often.
    #[error(
        "too often lately nobody took the other seats of a job in which this node sat; it takes this one's once another node has"
    )]
    LeftAlone,
    /// The stake is at work.
    #[error("the bond is {}, and {} of the node's stake is free", sol(.bond), sol(.free))]
    Stake {
        /// The job's.
        bond: u64,
        /// Free stake.
        free: u64,
    },
    /// The stake is less than the market's least, for instance after a lost bond.
    #[error("the node's stake is {}, the market's least is {}; it must be raised", sol(.stake), sol(.least))]
    LeastStake {
        /// At stake.
        stake: u64,
        /// In the market.
        least: u64,
    },
    /// The wallet cannot pay the transactions of one more job.
    #[error("the node's wallet has {}, and needs {} for the transactions of a job", sol(.balance), sol(.least))]
    Wallet {
        /// In the wallet.
        balance: u64,
        /// For one job.
        least: u64,
    },
    /// The node cannot work now.
    #[error("the node takes no jobs now: {}", .0.name())]
    NotReady(Reason),
    /// The node has no account.
    #[error("the node is not registered")]
    NotRegistered,
    /// Somewhere it was tried before, and it went badly.
    #[error("preparing this request failed badly before; it is left alone")]
    FailedBefore,
    /// Everybody who prepares requests is busy.
    #[error("the node prepares as many requests as it can at the same time; ask again")]
    Busy,
    /// The store has no room for the answer, or fails.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// Input or artifact cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They can be had and are unusable.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The request asks for more than is paid for.
    #[error("the request can take {asked} units, the job pays for {paid}")]
    Units {
        /// What the request can take.
        asked: Units,
        /// In the job.
        paid: Units,
    },
    /// The request asks for more than its offer allows.
    #[error("the request can take {asked} units, the offer allows {most}")]
    OfferUnits {
        /// What the request can take.
        asked: Units,
        /// In the offer.
        most: Units,
    },
    /// The answer would come too late.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A blocking thread died.
    #[error("the engine's thread died: {0}")]
    Thread(String),
    /// Preparing took too long.
    #[error("preparing the request took more than {0} seconds")]
    SlowRequest(u64),
}

impl Refusal {
    /// The refusal's name, which never changes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::EngineClass(_) => "engine_class",
            Self::NotServed(_) => "not_served",
            Self::OfferChanged => "offer_changed",
            Self::Bond { .. } => "bond_too_large",
            Self::ShortWindow { .. } => "window_too_short",
            Self::LongWindows { .. } => "windows_too_long",
            Self::NoRate(_) => "no_rate",
            Self::Pay { .. } => "pays_too_little",
            Self::Crowded(_) => "crowded",
            Self::Jobs(_) => "too_many_jobs",
            Self::Payer(_) => "payer_at_limit",
            Self::Offer(_) => "offer_at_limit",
            Self::Waiting(_) => "waiting_at_limit",
            Self::LeftAlone => "left_alone",
            Self::Stake { .. } => "stake_in_use",
            Self::LeastStake { .. } => "stake_too_low",
            Self::Wallet { .. } => "wallet_too_low",
            Self::NotReady(reason) => reason.name(),
            Self::NotRegistered => "not_registered",
            Self::FailedBefore => "failed_before",
            Self::Busy => "busy",
            Self::NoRoom(_) => "no_room",
            Self::Store(_) => "not_available",
            Self::Compute(ComputeError::Artifact(_)) => "artifact_unusable",
            Self::Compute(ComputeError::Request(_)) => "request_unusable",
            Self::Compute(_) | Self::Thread(_) => "engine_failed",
            Self::Units { .. } | Self::OfferUnits { .. } => "too_many_units",
            Self::TooLong(_) => "too_long",
            Self::Chain(_) => "chain_unreachable",
            Self::SlowRequest(_) => "request_too_slow",
        }
    }
}

/// Work as the payer's side writes it.
fn units(work: &Work) -> String {
    let counted = |count: u32| format!("{count} unit{}", if count == 1 { "" } else { "s" });
    match (work.input.0, work.output.0) {
        (input, 0) => format!("{} of input", counted(input)),
        (input, output) => format!("{} of input and {output} of output", counted(input)),
    }
}

/// Lamports as people write them: the words go to whoever asks for a quote.
fn sol(lamports: &u64) -> String {
    Currency::sol().price(*lamports)
}
