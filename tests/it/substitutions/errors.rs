//! What a wrong account must be refused with.

use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;

use super::{kinds::Kind, probe::Slot};

const CONSTRAINT_MUT: InstructionError = InstructionError::Custom(2_000);
const CONSTRAINT_EXECUTABLE: InstructionError = InstructionError::Custom(2_007);
const CONSTRAINT_DUPLICATE: InstructionError = InstructionError::Custom(2_040);

/// The errors of which one must come, where they are known without looking at the instruction's code: nothing that it
/// says itself comes before them.
pub fn exact(slot: &Slot<'_>, kind: Kind) -> &'static [InstructionError] {
    use InstructionError as E;
    let Some(declared) = slot.declared else { return &[] };
    match kind {
        Kind::Unsigned if declared.signer => &[E::MissingRequiredSignature],
        // Anchor looks at both rights of a signer in one step.
        Kind::ReadOnly if declared.signer => &[E::MissingRequiredSignature],
        Kind::ReadOnly => &[CONSTRAINT_MUT],
        Kind::WrongOwner | Kind::ReOwned if slot.ours => &[E::IllegalOwner],
        Kind::WrongType if slot.ours => &[E::InvalidAccountData, E::AccountDataTooSmall],
        Kind::Foreign | Kind::Missing if slot.ours => {
            &[E::IllegalOwner, E::AccountDataTooSmall, E::UninitializedAccount, CONSTRAINT_MUT, CONSTRAINT_DUPLICATE]
        }
        _ if declared.address.is_some() => &[E::IncorrectProgramId, CONSTRAINT_EXECUTABLE, CONSTRAINT_DUPLICATE],
        _ => &[],
    }
}

/// A transaction's error in words.
pub fn name(error: &TransactionError) -> String {
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

/// Whether an error is about an account: that it is another one than the instruction asks for, or has no right. An overflow,
/// a broken invariant, an unready state or an exhausted budget is not.
pub fn is_about_accounts(error: &str) -> bool {
    ABOUT_ACCOUNTS.contains(&error)
}

const ABOUT_ACCOUNTS: &[&str] = &[];
