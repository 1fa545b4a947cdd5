//! Everything that can happen, as plain values: one that is drawn once can be played again, with others left out.

use provena_market::state::OfferTerms;

use super::model::{Claim, Holder, JobId, NewHolder, Units};

/// One of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    Registry,
    Royalty,
    Market,
}

impl Program {
    pub(crate) const ALL: [Self; 3] = [Self::Registry, Self::Royalty, Self::Market];
}

/// An instruction, or something that happens beside the programs. Numbers name wallets, assets with their pools, and mints.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Outside(Outside),
    /// What a wallet does with a program's authority; the same four instructions in each program.
    Authority {
        program: Program,
        by: usize,
        act: Act,
    },
    Registry(Registry),
    Royalty(Royalty),
    Market(Market),
}

/// What no instruction of ours does.
#[derive(Clone, Debug)]
pub(crate) enum Outside {
    PassSlots(u64),
    /// Money lies beside what is booked.
    Donate {
        pool: usize,
        mint: usize,
        amount: u64,
    },
    PayInbox {
        pool: usize,
        mint: usize,
        shard: usize,
        amount: u64,
    },
    /// A marketplace pays resale royalties to the pool's address.
    PayResale {
        pool: usize,
        mint: usize,
        amount: u64,
    },
    /// A stranger sends lamports to a job, or tokens to its escrow.
    PayJob {
        job: JobId,
        tokens: bool,
        amount: u64,
    },
    /// Whoever holds an asset's NFT gives it away.
    GiveNft {
        asset: usize,
        to: usize,
    },
    /// A mint's freeze authority freezes a wallet's token account, or thaws it.
    Freeze {
        wallet: usize,
        mint: usize,
        frozen: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    ProposeAuthority(usize),
    AcceptAuthority,
    CancelAuthority,
    SetPause(u32),
}

/// What a registration asks of users and grants to derivatives: a mint and base units per unit of use.
pub(crate) type FloorOf = (usize, u64);

/// A parent that a registration names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub asset: usize,
    pub licence: u32,
    pub version: u32,
    /// Whether whoever holds the parent's NFT signs.
    pub consents: bool,
}

/// What a licence grants and asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LicenceOf {
    pub bps: u16,
    pub floor_bps: u16,
    pub floor: Option<FloorOf>,
    pub consent: bool,
    pub absolute: bool,
    pub uses: u32,
    /// A mint and base units.
    pub price: Option<(usize, u64)>,
    pub expires: u64,
    pub most: u32,
}

/// Instructions of the registry program; each variant's name is its instruction's.
#[derive(Clone, Debug)]
pub(crate) enum Registry {
    ClaimContent(Claim),
    AbandonClaim {
        by: usize,
        claim: Claim,
    },
    RegisterDataset(Registering),
    RegisterModel(Registering),
    AddVersion {
        asset: usize,
        claim: Claim,
        recipe: bool,
    },
    BeginAsset {
        asset: usize,
        by: usize,
        model: bool,
        floor_bps: u16,
        floors: Vec<FloorOf>,
    },
    /// `holder` names its NFT account; `pays` the parent's books.
    AddParent {
        asset: usize,
        by: usize,
        holder: bool,
        parent: Parent,
        pays: bool,
    },
    Inherit {
        asset: usize,
        by: usize,
        parent: usize,
        count: u8,
    },
    SealAsset {
        asset: usize,
        claim: Claim,
        name_len: usize,
    },
    AbandonAsset {
        asset: usize,
        by: usize,
    },
    PublishLicence {
        asset: usize,
        by: usize,
        id: u32,
        terms: LicenceOf,
    },
    RetireLicence {
        asset: usize,
        by: usize,
        id: u32,
    },
    RaiseFloor {
        asset: usize,
        by: usize,
        bps: u16,
        floor: Option<FloorOf>,
    },
    SetUri {
        asset: usize,
        by: usize,
        len: usize,
    },
}

/// A registration; the claim's wallet registers.
#[derive(Clone, Debug)]
pub(crate) struct Registering {
    pub asset: usize,
    pub claim: Claim,
    pub name_len: usize,
    pub floor_bps: u16,
    pub floors: Vec<FloorOf>,
    pub parents: Vec<Parent>,
}

/// What is shown to open books.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    Nothing,
    Nft,
    Tokens,
    Child(usize),
}

/// Instructions of the royalty program; each variant's name is its instruction's.
#[derive(Clone, Debug)]
pub(crate) enum Royalty {
    AllowMint { by: usize, mint: usize },
    DisallowMint { by: usize, mint: usize },
    CreatePool { pool: usize, creator: usize, total: u64, window: u64, holders: Vec<NewHolder> },
    AddHolders { pool: usize, by: usize, holders: Vec<NewHolder> },
    AbandonPool { pool: usize, by: usize, closed: Vec<Holder> },
    VerifyCreator { pool: usize },
    OpenBooks { pool: usize, payer: usize, mint: usize, shown: Shown },
    OpenInbox { pool: usize, payer: usize, mint: usize },
    CloseInbox { pool: usize, by: usize, mint: usize, shard: usize },
    Deposit { pool: usize, by: usize, mint: usize, amount: u64 },
    Sync { pool: usize, mint: usize, shards: Vec<usize> },
    Collect { pool: usize, mint: usize },
    Sweep { child: usize, parent: usize, mint: usize },
    Claim { pool: usize, holder: Holder, mint: usize, to: Option<usize> },
    ClaimMany { holder: Holder, pools: Vec<usize>, mint: usize, signed: bool },
    TransferShares { pool: usize, from: Holder, to: Holder, by: usize, shares: u64 },
    Approve { pool: usize, holder: usize, by: usize, delegate: usize, shares: u64 },
    Revoke { pool: usize, holder: usize, by: usize },
    ClosePosition { pool: usize, holder: Holder, by: usize },
}

/// What a node comes to: which answer, and how much work.
pub(crate) type Outcome = (u8, Units);

/// Instructions of the market program; each variant's name is its instruction's.
#[derive(Clone, Debug)]
pub(crate) enum Market {
    SetProtocolFee {
        by: usize,
        bps: u16,
    },
    SetMinStake {
        by: usize,
        lamports: u64,
    },
    /// A pool's address is no wallet.
    SetTreasury {
        by: usize,
        to: Holder,
    },
    OpenTreasuryInbox {
        by: usize,
        mint: usize,
        shard: u8,
    },
    CloseTreasuryInbox {
        by: usize,
        mint: usize,
        shard: u8,
    },
    SweepTreasury {
        mint: usize,
        shard: u8,
    },
    RegisterNode {
        by: usize,
        stake: u64,
    },
    UpdateNode {
        by: usize,
        endpoint_len: usize,
    },
    AddStake {
        by: usize,
        lamports: u64,
    },
    WithdrawStake {
        by: usize,
        lamports: u64,
    },
    CloseNode {
        by: usize,
    },
    CreateOffer {
        by: usize,
        asset: usize,
        id: u64,
        mint: usize,
        version: u32,
        terms: OfferTerms,
    },
    CloseOffer {
        by: usize,
        asset: usize,
        id: u64,
    },
    PostJob(Posting),
    CancelJob {
        job: JobId,
        by: usize,
    },
    TakeSeat {
        job: JobId,
        by: usize,
        seat: usize,
        /// The process that acts for the node; zero says none.
        instance: u64,
        wrong_terms: bool,
    },
    LeaveSeat {
        job: JobId,
        by: usize,
        seat: usize,
    },
    Commit {
        job: JobId,
        by: usize,
        seat: usize,
        outcome: Outcome,
    },
    Reveal {
        job: JobId,
        by: usize,
        seat: usize,
        outcome: Outcome,
    },
    Answer {
        job: JobId,
        by: usize,
        outcome: Outcome,
    },
    ExpireSeat {
        job: JobId,
        seat: usize,
    },
    /// With the nodes that lose their bonds, or one too many.
    Finalize {
        job: JobId,
        one_too_many: bool,
    },
    Acknowledge {
        job: JobId,
        by: usize,
    },
    DemandAnswer {
        job: JobId,
        by: usize,
    },
    PutAnswer {
        job: JobId,
        by: usize,
        result: u8,
        part: usize,
    },
    SealAnswer {
        job: JobId,
        by: usize,
    },
    ProveLength {
        job: JobId,
        by: usize,
        len: u64,
    },
    DefaultAnswer {
        job: JobId,
    },
    CloseAnswer {
        job: JobId,
        poster: usize,
        signed: bool,
    },
    CollectSeat {
        job: JobId,
        seat: usize,
        tokens: bool,
    },
    CollectRoyalty {
        job: JobId,
        shard: usize,
        tokens: bool,
    },
    CollectProtocol {
        job: JobId,
        shard: u8,
        sol: bool,
        tokens: bool,
    },
    CollectRefund {
        job: JobId,
        tokens: bool,
    },
    Park {
        job: JobId,
        by: usize,
        seat: Option<usize>,
        tokens: bool,
    },
    CollectResidual {
        wallet: usize,
        mint: usize,
    },
    CloseJob {
        job: JobId,
        by: usize,
    },
}

/// A job that is to be posted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    /// What later operations call it.
    pub job: JobId,
    pub by: usize,
    pub asset: usize,
    pub offer: u64,
    pub most: Units,
    pub deposit: u64,
    /// Slots from the nonce's to the present one.
    pub age: u64,
    pub index: u16,
    pub max_protocol_bps: u16,
    pub wrong_terms: bool,
}

impl Operation {
    /// The program and the name of the instruction as its interface description has it; `None` for what is none.
    pub(crate) fn instruction(&self) -> Option<(Program, String)> {
        let (program, debug) = match self {
            Self::Outside(_) => return None,
            Self::Authority { program, act, .. } => (*program, format!("{act:?}")),
            Self::Registry(instruction) => (Program::Registry, format!("{instruction:?}")),
            Self::Royalty(instruction) => (Program::Royalty, format!("{instruction:?}")),
            Self::Market(instruction) => (Program::Market, format!("{instruction:?}")),
        };
        let variant = debug.split([' ', '(']).next().unwrap_or_default();
        let mut name = String::new();
        for letter in variant.chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.extend(letter.to_lowercase());
        }
        Some((program, name))
    }
}
