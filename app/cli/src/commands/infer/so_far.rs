//! How far a payment has come, for whoever is told to stop.

use std::sync::{Mutex, PoisonError};

use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::demand::Demand;
use crate::{
    context::Context,
    failure::{Exit, Failure},
};

/// How far a payment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SoFar {
    /// Nothing is paid.
    #[default]
    Nothing,
    /// The deposit may be on its way.
    Paying(Pubkey),
    /// The job is on the chain.
    Paid(Pubkey),
    /// Its answer was demanded on the chain, too, by this transaction.
    Demanded(Pubkey, Signature),
    /// The answer is kept, too.
    Answered(Pubkey),
}

/// Where who pays and waits writes down how far it is.
#[derive(Debug, Default)]
pub(crate) struct Course(Mutex<SoFar>);

impl Course {
    /// One that begins there.
    pub(crate) fn from(so_far: SoFar) -> Self {
        Self(Mutex::new(so_far))
    }

    /// How far it is.
    pub(crate) fn get(&self) -> SoFar {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has come as far as this.
    pub(crate) fn set(&self, so_far: SoFar) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = so_far;
    }
}

/// What a person who pressed ctrl-c must know.
pub(crate) fn stopped(so_far: SoFar, context: &Context<'_>) -> Failure {
    let (message, job, verb) = match so_far {
        SoFar::Nothing => return Failure::new(Exit::Interrupted, "stopped; nothing was paid"),
        SoFar::Paying(job) => {
            (format!("stopped while the deposit was being paid: job {job} may be paid for"), job, "show")
        }
        SoFar::Paid(job) => (format!("stopped waiting; job {job} is paid for and goes on"), job, "answer"),
        SoFar::Demanded(job, _) => {
            (format!("stopped waiting; job {job} is paid for, and its answer was demanded on the chain"), job, "answer")
        }
        SoFar::Answered(job) => (format!("stopped; the answer to job {job} is kept"), job, "answer"),
    };
    let failure = Failure::new(Exit::Interrupted, message).about(job);
    so_far.told(failure).hint(context.command(&format!("job {verb} {job}")))
}

impl SoFar {
    /// Adds to a failure what programs must know of a demand, where this command made one.
    pub(crate) fn told(self, failure: Failure) -> Failure {
        match self {
            Self::Demanded(_, signature) => failure.telling("demand", &Demand::made(signature)),
            _ => failure,
        }
    }
}
