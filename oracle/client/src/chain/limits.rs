//! The limit on compute units that a transaction asks for: what its instructions were measured to cost, and a tenth.

use std::collections::HashMap;
use std::sync::LazyLock;

use anchor_lang::Discriminator;
use provena_common::{
    account::DISCRIMINATOR_LEN,
    token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
};
use serde::Deserialize;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{budget::COMPUTE_BUDGET, lookup::LOOKUP_TABLE_PROGRAM};

/// What each instruction costs, as the programs' tests measure it.
const REPORT: &str = include_str!("../../../../docs/compute-units.json");

/// What an instruction without a figure gets: the runtime's own default.
const UNKNOWN: u64 = 200_000;
/// What the compute-budget program costs for each of its instructions.
const SET_BUDGET: u64 = 150;
/// The highest limit that a transaction may ask for.
const MOST: u64 = 1_400_000;

/// What one wrong bump costs while a program searches an address.
const MISS: u64 = 1_500;
/// Wrong bumps that are paid for in any search of addresses, and for each address beside. How many there are depends on the
/// addresses alone, half of them have one and each further one is half as likely: the measured ones are no measure, and 20
/// at one address happen once in a million transactions.
const MISSES: u64 = 15;
const MISSES_EACH: u64 = 5;

/// Programs of others, and what one instruction of theirs costs at most as we use them.
const OTHERS: [(Pubkey, u64); 8] = [
    (COMPUTE_BUDGET, SET_BUDGET),
    // The system program.
    (Pubkey::new_from_array([0; 32]), 150),
    // Creates a token account of either program, behind a search of its address.
    (provena_registry::ASSOCIATED_TOKEN_PROGRAM, 50_000),
    (TOKEN_PROGRAM, 10_000),
    (TOKEN_2022_PROGRAM, 25_000),
    (provena_registry::TOKEN_METADATA_PROGRAM, 200_000),
    (LOOKUP_TABLE_PROGRAM, 30_000),
    // The upgradeable loader, which calls the system program.
    (provena_common::upgrade::UPGRADEABLE_LOADER, 5_000),
];

/// What one byte of an instruction's data costs at most: texts are checked letter by letter, copied and hashed, and those of
/// the measurements are as long as they happen to be.
const BYTE: u64 = 20;

/// Instructions that work on as many accounts as they are given: how many accounts they have besides, and what each further
/// one costs at most. Their figure was measured with few.
const VARIABLE: [(&str, usize, u64); 11] = [
    ("registry.inherit", 6, 2_500),
    ("registry.abandon_asset", 5, 500),
    ("registry.register_dataset", 18, 1_000),
    ("registry.register_model", 18, 1_000),
    ("royalty.create_pool", 7, 4_000),
    ("royalty.add_holders", 4, 4_000),
    ("royalty.abandon_pool", 4, 3_000),
    ("royalty.sync", 5, 5_000),
    ("royalty.claim_many", 4, 3_000),
    ("market.finalize", 1, 1_500),
    ("market.default_answer", 1, 1_500),
];

/// Lists the instructions of a program by name and by the type that holds their discriminator.
macro_rules! instructions {
    ($program:ident: $($name:ident $kind:ident),* $(,)?) => {
        [$((
            $program::ID,
            $program::instruction::$kind::DISCRIMINATOR,
            stringify!($name),
        )),*]
    };
}

const REGISTRY: [(Pubkey, &[u8], &str); 19] = instructions![provena_registry:
    initialize_admin InitializeAdmin,
    propose_authority ProposeAuthority,
    accept_authority AcceptAuthority,
    cancel_authority CancelAuthority,
    set_pause SetPause,
    claim_content ClaimContent,
    abandon_claim AbandonClaim,
    register_dataset RegisterDataset,
    register_model RegisterModel,
    begin_asset BeginAsset,
    add_parent AddParent,
    inherit Inherit,
    seal_asset SealAsset,
    abandon_asset AbandonAsset,
    add_version AddVersion,
    set_uri SetUri,
    raise_floor RaiseFloor,
    publish_licence PublishLicence,
    retire_licence RetireLicence,
];

const ROYALTY: [(Pubkey, &[u8], &str); 24] = instructions![provena_royalty:
    initialize_admin InitializeAdmin,
    propose_authority ProposeAuthority,
    accept_authority AcceptAuthority,
    cancel_authority CancelAuthority,
    set_pause SetPause,
    allow_mint AllowMint,
    disallow_mint DisallowMint,
    create_pool CreatePool,
    add_holders AddHolders,
    abandon_pool AbandonPool,
    open_books OpenBooks,
    open_inbox OpenInbox,
    close_inbox CloseInbox,
    deposit Deposit,
    sync Sync,
    collect Collect,
    sweep Sweep,
    claim Claim,
    claim_many ClaimMany,
    transfer_shares TransferShares,
    approve Approve,
    revoke Revoke,
    close_position ClosePosition,
    verify_creator VerifyCreator,
];

const MARKET: [(Pubkey, &[u8], &str); 41] = instructions![provena_market:
    initialize_admin InitializeAdmin,
    propose_authority ProposeAuthority,
    accept_authority AcceptAuthority,
    cancel_authority CancelAuthority,
    set_pause SetPause,
    set_treasury SetTreasury,
    set_protocol_fee SetProtocolFee,
    set_min_stake SetMinStake,
    register_node RegisterNode,
    update_node UpdateNode,
    add_stake AddStake,
    withdraw_stake WithdrawStake,
    close_node CloseNode,
    create_offer CreateOffer,
    close_offer CloseOffer,
    open_treasury_inbox OpenTreasuryInbox,
    sweep_treasury SweepTreasury,
    close_treasury_inbox CloseTreasuryInbox,
    post_job PostJob,
    cancel_job CancelJob,
    take_seat TakeSeat,
    leave_seat LeaveSeat,
    commit Commit,
    reveal Reveal,
    answer Answer,
    expire_seat ExpireSeat,
    finalize Finalize,
    acknowledge Acknowledge,
    demand_answer DemandAnswer,
    put_answer PutAnswer,
    seal_answer SealAnswer,
    prove_length ProveLength,
    close_answer CloseAnswer,
    default_answer DefaultAnswer,
    collect_seat CollectSeat,
    collect_royalty CollectRoyalty,
    collect_protocol CollectProtocol,
    collect_refund CollectRefund,
    park Park,
    collect_residual CollectResidual,
    close_job CloseJob,
];

/// One instruction of ours.
struct Ours {
    program: Pubkey,
    discriminator: &'static [u8],
    /// `program.instruction`, as the report names it.
    name: String,
    /// The highest measured cost of its cases.
    figure: Option<u64>,
}

static OURS: LazyLock<Vec<Ours>> = LazyLock::new(|| {
    let figures = figures(REPORT);
    let named = |program: &str, list: &[(Pubkey, &'static [u8], &str)]| {
        let ours = |(id, discriminator, name): &(Pubkey, &'static [u8], &str)| {
            let name = format!("{program}.{name}");
            Ours { program: *id, discriminator, figure: figures.get(&name).copied(), name }
        };
        list.iter().map(ours).collect::<Vec<_>>()
    };
    let programs = [named("registry", &REGISTRY), named("royalty", &ROYALTY), named("market", &MARKET)];
    programs.into_iter().flatten().collect()
});

/// The limit for a transaction of `instructions` and of `set_budget` instructions to the compute-budget program: for each of
/// ours the highest measured cost of its cases and a tenth, and beyond that what no measurement knows, namely the search of
/// addresses, the length of data, and further accounts of instructions that take any number; for those of others a fixed sum
/// each.
#[must_use]
pub fn compute_limit(instructions: &[Instruction], set_budget: u32) -> u32 {
    let sum = instructions.iter().map(limit).fold(u64::from(set_budget) * SET_BUDGET, u64::saturating_add);
    u32::try_from(sum.min(MOST)).unwrap_or(u32::MAX)
}

fn limit(instruction: &Instruction) -> u64 {
    let program = &instruction.program_id;
    if let Some((_, cost)) = OTHERS.iter().find(|(other, _)| other == program) {
        return *cost;
    }
    let is = |ours: &&Ours| ours.program == *program && instruction.data.starts_with(ours.discriminator);
    match OURS.iter().find(is) {
        Some(Ours { figure: Some(figure), name, .. }) => {
            figure.saturating_add(figure.div_ceil(10)).saturating_add(beyond(name, instruction))
        }
        found => {
            let name = found.map(|ours| ours.name.as_str());
            tracing::debug!(%program, name, UNKNOWN, "no figure for an instruction; it gets the runtime's limit");
            UNKNOWN
        }
    }
}

/// What an instruction may cost beyond what was measured.
fn beyond(name: &str, instruction: &Instruction) -> u64 {
    let accounts = &instruction.accounts;
    let further = VARIABLE.iter().find(|(variable, ..)| *variable == name).map_or(0, |(_, fixed, each)| {
        let further = accounts.len().saturating_sub(*fixed);
        each.saturating_mul(u64::try_from(further).unwrap_or(u64::MAX))
    });
    let data = instruction.data.len().saturating_sub(DISCRIMINATOR_LEN);
    let data = BYTE.saturating_mul(u64::try_from(data).unwrap_or(u64::MAX));
    further.saturating_add(data).saturating_add(searches(instruction).saturating_mul(MISS))
}

/// Wrong bumps to pay for. Whoever creates accounts names the system program, and searches the addresses of those; whoever
/// names a token program may search one associated token account. All others check addresses by bumps that accounts hold.
fn searches(instruction: &Instruction) -> u64 {
    let names = |program: Pubkey| instruction.accounts.iter().any(|meta| meta.pubkey == program);
    let searched = if names(Pubkey::default()) {
        instruction.accounts.iter().filter(|meta| meta.is_writable && !meta.is_signer).count()
    } else {
        usize::from(names(TOKEN_PROGRAM) || names(TOKEN_2022_PROGRAM))
    };
    match u64::try_from(searched).unwrap_or(u64::MAX) {
        0 => 0,
        searched => MISSES.saturating_add(MISSES_EACH.saturating_mul(searched)),
    }
}

/// The highest total of each instruction's cases in a report, by `program.instruction`.
fn figures(report: &str) -> HashMap<String, u64> {
    #[derive(Deserialize)]
    struct Cost {
        total: u64,
    }
    let report: HashMap<String, Cost> = serde_json::from_str(report).unwrap_or_else(|error| {
        tracing::error!(%error, "the committed report of compute units cannot be read");
        HashMap::new()
    });
    let mut figures = HashMap::new();
    for (case, Cost { total }) in report {
        let name: Vec<&str> = case.splitn(3, '.').take(2).collect();
        let highest: &mut u64 = figures.entry(name.join(".")).or_default();
        *highest = total.max(*highest);
    }
    figures
}

#[cfg(test)]
mod tests;
