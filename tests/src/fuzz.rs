//! Fuzzing the programs: any bytes are read as a short sequence of instructions against a populated world, and whatever
//! they do, what must hold of the programs holds.
//!
//! - A program ends with success or an error of its own or of a program that it called: it never crashes, never runs out of
//!   200,000 compute units, and the runtime never has to stop it from touching what is not its.
//! - Lamports and tokens are conserved, and everything that is booked, deposited or staked is there: [`solvency`].
//! - Nobody loses anything by what others signed, deadlines apart: [`claims`].
//! - Every change of an account has the signature that it needs: [`consent`].
//! - Accounts keep their kind, and what identifies them: [`identity`].
//!
//! [`input`] says what the bytes mean, [`stage`] builds the world. `tests/fuzz` is the target for libFuzzer; `tests/it`
//! replays the committed corpus and mutations of it on the stable compiler.

use std::sync::{LazyLock, Mutex, PoisonError};

pub use input::{Edit, Input, Meta, Raw, Step};

pub mod arguments;
pub mod claims;
pub mod consent;
pub mod corpus;
pub mod identity;
pub mod input;
pub mod mutation;
pub mod running;
pub mod snapshot;
pub mod solvency;
pub mod stage;

/// What one input did: each instruction's name, and how it ended.
pub type Outcomes = Vec<(String, String)>;

/// Runs an input and checks everything after every instruction.
///
/// # Panics
///
/// When something that must hold does not.
pub fn run(bytes: &[u8]) -> Outcomes {
    with_runner(|runner| runner.run(&Input::decode(bytes)))
}

/// Uses the worlds, which are built once and never change. One thread at a time does.
///
/// # Panics
///
/// When they cannot be built.
pub fn with_runner<T>(use_it: impl FnOnce(&running::Runner) -> T) -> T {
    static RUNNER: LazyLock<Mutex<running::Runner>> = LazyLock::new(Mutex::default);
    // A panic while the lock is held is a finding, and leaves the worlds as they are.
    use_it(&RUNNER.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Lamports that keep an account of so many bytes alive, by the rule that the test chain has.
#[must_use]
pub fn rent(len: usize) -> u64 {
    const PER_BYTE: u64 = 6_960;
    const OVERHEAD: u64 = 128;
    PER_BYTE * (OVERHEAD + u64::try_from(len).expect("accounts are short"))
}
