//! A refused transaction in words: which program refused, its own message, and what to do.

use std::fmt;

use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;

/// Why the runtime or a program refused a transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// The transaction, when it landed; `None` when it was refused before that (nothing was spent).
    pub signature: Option<Signature>,
    /// The runtime's own error.
    pub error: TransactionError,
    /// The program that refused: the deepest one that the logs show failing, else the failed instruction's program.
    pub program: Option<Pubkey>,
    /// The program's error number, when it gave one.
    pub code: Option<u32>,
    /// The error's name in the program, e.g. `DeadlinePassed`.
    pub name: Option<String>,
    /// The program's message, or the runtime's.
    pub message: String,
    /// The transaction's logs, when the server gave them.
    pub logs: Vec<String>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program.as_ref().map_or_else(|| "the runtime".to_owned(), program_name);
        write!(f, "{program} refused")?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(signature) = &self.signature {
            write!(f, " [transaction {signature}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

impl Rejection {
    /// Whether the server did not know the blockhash: it is behind the one that gave it, or the hash is too old. Nothing is
    /// wrong with what was sent, and a new blockhash may do.
    #[must_use]
    pub fn is_unknown_blockhash(&self) -> bool {
        self.error == TransactionError::BlockhashNotFound
    }

    /// Explains `error`. `programs` are the programs of the transaction's instructions, in order.
    #[must_use]
    pub fn explain(
        signature: Option<Signature>,
        error: TransactionError,
        programs: &[Pubkey],
        logs: Vec<String>,
    ) -> Self {
        let (index, code) = match &error {
            TransactionError::InstructionError(index, inner) => {
                (Some(usize::from(*index)), custom_code(&inner.to_string()))
            }
            _ => (None, None),
        };
        let program = deepest_failure(&logs).or_else(|| index.and_then(|index| programs.get(index).copied()));
        let known = program.zip(code).and_then(|(program, code)| describe(&program, code));
        let message = match (&known, &error) {
            (Some((_, message)), _) => (*message).to_owned(),
            (None, TransactionError::InstructionError(_, inner)) => inner.to_string(),
            (None, TransactionError::AccountNotFound) => {
                "the fee payer has no lamports; fund it first (on a test cluster: `provena airdrop`)".to_owned()
            }
            (None, TransactionError::InsufficientFundsForFee) => {
                "the fee payer cannot pay the fee; fund it first (on a test cluster: `provena airdrop`)".to_owned()
            }
            (None, TransactionError::InsufficientFundsForRent { .. }) => {
                "an account would have less than keeps it alive (0.00089088 SOL for an empty wallet); fund it first, or \
                 wait until there is more to move"
                    .to_owned()
            }
            (None, other) => other.to_string(),
        };
        Self { signature, error, program, code, name: known.map(|(name, _)| name.to_owned()), message, logs }
    }

    /// Whether the refusal is `program`'s error number `code`.
    #[must_use]
    pub fn is(&self, program: &Pubkey, code: u32) -> bool {
        self.program.as_ref() == Some(program) && self.code == Some(code)
    }
}

/// The number in the runtime's "custom program error: 0x1770".
fn custom_code(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("custom program error: 0x")?;
    u32::from_str_radix(hex, 16).ok()
}

/// The first program that the logs show failing is the deepest: failures are logged from the inside out.
fn deepest_failure(logs: &[String]) -> Option<Pubkey> {
    logs.iter().find_map(|line| {
        let rest = line.strip_prefix("Program ")?;
        let (program, rest) = rest.split_once(' ')?;
        rest.starts_with("failed").then(|| program.parse().ok())?
    })
}

fn describe(program: &Pubkey, code: u32) -> Option<(&'static str, &'static str)> {
    let others = || super::programs::describe_others_error(program, code);
    others().or_else(|| anchor_code(code)).or_else(|| super::programs::describe_error(program, code))
}

/// Anchor's own checks, which programs report with numbers below 6000.
fn anchor_code(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        2000 => ("ConstraintMut", "an account must be writable in this instruction"),
        2001 => ("ConstraintHasOne", "an account does not belong to the account that names it"),
        2003 => ("ConstraintRaw", "an account does not satisfy the program's condition"),
        2005 => ("ConstraintRentExempt", "an account holds too few lamports to stay alive"),
        2007 => ("ConstraintExecutable", "an account must be a program"),
        2011 => ("ConstraintClose", "an account cannot be closed into itself"),
        2012 => ("ConstraintAddress", "an account is not the one that the program expects"),
        2013 => ("ConstraintZero", "an account must be new"),
        2019 => ("ConstraintSpace", "an account has the wrong size"),
        2020 => ("ConstraintAccountIsNone", "a required account is missing"),
        2040 => ("ConstraintDuplicateMutableAccount", "the same account is given twice"),
        _ => return None,
    })
}

fn program_name(program: &Pubkey) -> String {
    super::programs::name(program).map_or_else(|| format!("program {program}"), |name| format!("the {name} program"))
}
