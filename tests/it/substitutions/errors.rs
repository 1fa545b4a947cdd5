//! What a wrong account must be refused with.

use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;

use super::{kinds::Kind, probe::Slot};

/// Accounts of ours that an instruction loads itself, after questions of its own.
const LOADED_LATER: [(&str, &str); 6] = [
    ("market.close_answer", "job"),
    ("market.park.again", "residual"),
    ("market.put_answer", "answer"),
    // May be gone.
    ("registry.abandon_asset", "pool"),
    // Made where it does not exist yet.
    ("registry.add_parent", "lineage"),
    ("royalty.transfer_shares", "to"),
];

/// The errors of which one must come, where they are known without looking at the instruction's code, because Anchor or
/// the runtime asks before it runs.
pub(crate) fn exact(slot: &Slot<'_>, kind: Kind) -> Option<&'static [&'static str]> {
    let declared = slot.declared?;
    let later = LOADED_LATER.iter().any(|(call, account)| slot.call.starts_with(call) && slot.account == *account);
    let ours = slot.ours && !later;
    Some(match kind {
        // Anchor looks at both rights of a signer in one step.
        Kind::Unsigned | Kind::ReadOnly if declared.signer => &["MissingRequiredSignature"],
        // What is created is not looked at before, and what receives lamports may be read-only where there are none.
        Kind::ReadOnly => &["ConstraintMut", "PrivilegeEscalation", "ReadonlyLamportChange"],
        Kind::WrongOwner | Kind::ReOwned if ours => &["IllegalOwner"],
        Kind::WrongType if ours => &["InvalidAccountData", "AccountDataTooSmall", DUPLICATE],
        Kind::Foreign if ours => &["IllegalOwner", "AccountDataTooSmall", "ConstraintMut", DUPLICATE],
        Kind::Missing if ours => &["AccountDataTooSmall", "UninitializedAccount"],
        _ if declared.address.is_some() => {
            &["IncorrectProgramId", "ConstraintExecutable", "ConstraintAddress", "WrongRoyaltyProgram", DUPLICATE]
        }
        _ => return None,
    })
}

const DUPLICATE: &str = "ConstraintDuplicateMutableAccount";

/// A transaction's error in words.
pub(crate) fn name(error: &TransactionError) -> String {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => custom(*code),
        TransactionError::InstructionError(_, error) => format!("{error:?}"),
        TransactionError::InsufficientFundsForRent { .. } => "InsufficientFundsForRent".to_owned(),
        _ => format!("{error:?}"),
    }
}

/// An error number in words: Anchor's, ours, or a called program's.
fn custom(code: u32) -> String {
    let ours = [
        provena_royalty::error::describe(code),
        provena_registry::error::describe(code),
        provena_market::error::describe(code),
    ];
    match code {
        2_000 => "ConstraintMut".to_owned(),
        2_007 => "ConstraintExecutable".to_owned(),
        2_012 => "ConstraintAddress".to_owned(),
        2_040 => "ConstraintDuplicateMutableAccount".to_owned(),
        _ => ours.into_iter().flatten().next().map_or_else(|| format!("Custom({code})"), |(name, _)| name.to_owned()),
    }
}

/// Whether an error is about the state of an account that is a right one otherwise, as another one of the same type can be.
/// A twin is in the right state.
pub(crate) fn is_about_another_state(kind: Kind, error: &str) -> bool {
    kind == Kind::Other && ABOUT_STATES.contains(&error)
}

const ABOUT_STATES: &[&str] = &[
    "NotDemanded",
    "NotLastInbox",
    "NothingOwed",
    "NothingToPark",
    "AssetNotActive",
    "InheritanceDue",
    "NotDraft",
    "PoolNotSealed",
    "PositionInUse",
    "PriceDue",
    "StillWaiting",
    "WrongState",
];

/// Whether an error is about an account: that it is another one than the instruction asks for, or has no right. An overflow,
/// a broken invariant, an unready state or an exhausted budget is not.
pub(crate) fn is_about_accounts(error: &str) -> bool {
    ABOUT_ACCOUNTS.contains(&error)
}

const ABOUT_ACCOUNTS: &[&str] = &[
    // The runtime's.
    "AccountBorrowFailed",
    "ExternalAccountDataModified",
    "ExternalAccountLamportSpend",
    "InsufficientFundsForRent",
    "InvalidArgument",
    "InvalidSeeds",
    "MissingAccount",
    "PrivilegeEscalation",
    "ReadonlyLamportChange",
    // Anchor's.
    "AccountDataTooSmall",
    "ConstraintAddress",
    "ConstraintDuplicateMutableAccount",
    "ConstraintExecutable",
    "ConstraintMut",
    "IllegalOwner",
    "IncorrectProgramId",
    "InvalidAccountData",
    "MissingRequiredSignature",
    "UninitializedAccount",
    // All our programs'.
    "MissingTokenAccount",
    "NoPendingAuthority",
    "NotAuthority",
    "NotNftHolder",
    "NotUpgradeAuthority",
    "UnsupportedMint",
    "WrongAccount",
    "WrongMint",
    "WrongPda",
    "WrongTokenAccount",
    "WrongTokenProgram",
    // Royalty's.
    "DuplicateHolder",
    "MintNotAllowed",
    "NativeMint",
    "NoRightToOpen",
    "NotDelegate",
    "NotPoolCreator",
    "NotRentPayer",
    "WrongAccounts",
    "WrongAsset",
    "WrongBooks",
    "WrongDestination",
    "WrongHolder",
    "WrongMetadata",
    "WrongPool",
    "WrongPositionAddress",
    "WrongVault",
    // Registry's.
    "ConsentMissing",
    "ContentTaken",
    "NotClaimant",
    "NotRegistrant",
    "ParentNotFound",
    "WrongClaim",
    "WrongDraft",
    "WrongLicence",
    "WrongLineage",
    "WrongParentAccounts",
    "WrongPosition",
    "WrongPriceBooks",
    "WrongRoyaltyProgram",
    // Market's.
    "BadTreasury",
    "NotNodeAuthority",
    "NotPayer",
    "WrongInbox",
    "WrongNode",
    "WrongPoster",
    "WrongResidual",
    "WrongTerms",
    "WrongTreasury",
    // Of called programs: System's for an address in use and for too few lamports; the token programs' for too few
    // tokens, another mint, another owner; and Token Metadata's.
    "Custom(0)",
    "Custom(1)",
    "Custom(3)",
    "Custom(4)",
    "Custom(5)",
    "Custom(15)",
    "Custom(27)",
    "Custom(57)",
    "Custom(199)",
];
